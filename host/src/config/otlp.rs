//! `otlp_grpc` and `otlp_http`: OTLP backends. Names and meanings are those of the Collector's `otlp` and `otlphttp`.

use super::dialect::Dialect;
use super::outputs::{Compression, Queue, Requests, Retry};
use super::section::Section;
use std::path::PathBuf;
use std::time::Duration;
use tollgate_dialect::Preset;

/// An OTLP backend, spoken to over gRPC.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpGrpc {
    /// Name for logs and counters: the key.
    pub name: String,
    /// `http://HOST:PORT`, or `https://HOST:PORT` where TLS is spoken.
    pub endpoint: String,
    /// How TLS is spoken.
    pub tls: ClientTls,
    /// Headers sent with each request.
    pub headers: Vec<(String, String)>,
    /// Compression of what is sent.
    pub compression: Compression,
    /// Longest that one attempt may take.
    pub timeout: Duration,
    /// How a failed send is tried again.
    pub retry: Retry,
    /// What waits.
    pub queue: Queue,
    /// How what waits becomes requests.
    pub requests: Requests,
    /// In which names spans are sent.
    pub dialect: Dialect,
}

/// An OTLP backend, spoken to over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpHttp {
    /// Name for logs and counters: the key.
    pub name: String,
    /// Base URL, to which `/v1/traces`, `/v1/logs` and `/v1/metrics` are added.
    pub endpoint: String,
    /// How TLS is spoken.
    pub tls: ClientTls,
    /// Headers sent with each request.
    pub headers: Vec<(String, String)>,
    /// Encoding of what is sent.
    pub encoding: Encoding,
    /// Compression of what is sent.
    pub compression: Compression,
    /// Longest that one attempt may take.
    pub timeout: Duration,
    /// How a failed send is tried again.
    pub retry: Retry,
    /// What waits.
    pub queue: Queue,
    /// How what waits becomes requests.
    pub requests: Requests,
    /// In which names spans are sent.
    pub dialect: Dialect,
}

/// How TLS is spoken. The files are read at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// Certificates to trust in the place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate has to have, where it is another than the endpoint's.
    pub server_name_override: Option<String>,
}

/// Encoding of OTLP/HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf.
    Proto,
    /// JSON.
    Json,
}

impl OtlpGrpc {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.required_text("endpoint", "the backend's address, such as backend.example.com:4317");
        let mut insecure = false;
        let tls = ClientTls::read(&mut section, Some(&mut insecure));
        let endpoint = match endpoint.contains("://") {
            true => endpoint,
            false if endpoint.is_empty() => endpoint,
            false if insecure => format!("http://{endpoint}"),
            false => format!("https://{endpoint}"),
        };
        if let Err(message) = check_grpc(&endpoint, insecure, &tls) {
            section.problem("endpoint", message);
        }
        let headers = read_headers(&mut section);
        for (name, _) in headers.iter().filter(|(name, _)| name.to_ascii_lowercase().ends_with("-bin")) {
            section
                .problem("headers", format!("{name:?}: headers of gRPC that end in -bin are binary, and are not sent"));
        }
        let (queue, requests) = Requests::read(&mut section);
        let output = Self {
            name: name.to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            tls,
            headers,
            compression: Compression::read(&mut section, Compression::Gzip),
            timeout: read_timeout(&mut section),
            retry: Retry::read(&mut section),
            queue,
            requests,
            dialect: Dialect::read(&mut section, Preset::Otel),
        };
        section.finish();
        output
    }
}

impl OtlpHttp {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.required_text("endpoint", "the backend's base URL, such as http://127.0.0.1:4318");
        let tls = ClientTls::read(&mut section, None);
        if let Err(message) = check_url(&endpoint).and_then(|()| tls.is_used(&endpoint)) {
            section.problem("endpoint", message);
        }
        let headers = read_headers(&mut section);
        let encodings = [("proto", Encoding::Proto), ("json", Encoding::Json)];
        let encoding = section.word("encoding", Encoding::Proto, &encodings);
        let dialect = Dialect::read(&mut section, Preset::Otel);
        let output =
            Self { encoding, ..Self::to(name, endpoint.trim_end_matches('/'), (tls, headers), dialect, &mut section) };
        section.finish();
        output
    }

    /// An output over OTLP/HTTP in protobuf to `endpoint`, with what every such output reads of its section.
    pub(super) fn to(
        name: &str,
        endpoint: &str,
        (tls, headers): (ClientTls, Vec<(String, String)>),
        dialect: Dialect,
        section: &mut Section<'_>,
    ) -> Self {
        let (queue, requests) = Requests::read(section);
        Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            tls,
            headers,
            encoding: Encoding::Proto,
            compression: Compression::read(section, Compression::Gzip),
            timeout: read_timeout(section),
            retry: Retry::read(section),
            queue,
            requests,
            dialect,
        }
    }
}

impl ClientTls {
    /// Reads `tls`. `insecure` takes the key of that name; without it TLS is what the endpoint's scheme says.
    pub(super) fn read(output: &mut Section<'_>, insecure: Option<&mut bool>) -> Self {
        let mut tls = Self::default();
        if let Some(mut section) = output.section("tls") {
            if let Some(insecure) = insecure {
                *insecure = section.truth("insecure", false);
                tls.server_name_override = section.text("server_name_override");
            }
            let mut file = |key| section.text(key).map(PathBuf::from);
            (tls.ca_file, tls.cert_file, tls.key_file) = (file("ca_file"), file("cert_file"), file("key_file"));
            match (&tls.cert_file, &tls.key_file) {
                (Some(_), None) => section.problem("cert_file", "needs key_file beside it"),
                (None, Some(_)) => section.problem("key_file", "needs cert_file beside it"),
                _ => {}
            }
            section.finish();
        }
        tls
    }

    /// What is said of TLS must not be in vain.
    pub(super) fn is_used(&self, endpoint: &str) -> Result<(), String> {
        match *self != Self::default() && endpoint.starts_with("http://") {
            true => Err(format!("{endpoint:?} does not speak TLS, but tls has files; write https://")),
            false => Ok(()),
        }
    }
}

fn check_grpc(endpoint: &str, insecure: bool, tls: &ClientTls) -> Result<(), String> {
    check_url(endpoint)?;
    if insecure && endpoint.starts_with("https://") {
        return Err(format!("{endpoint:?} speaks TLS, but tls.insecure says not to; write http:// or remove insecure"));
    }
    match reqwest::Url::parse(endpoint) {
        Ok(url) if !matches!(url.path(), "" | "/") => {
            Err(format!("{endpoint:?} has a path, which gRPC has no use for"))
        }
        _ => tls.is_used(endpoint),
    }
}

/// An empty endpoint has been reported as missing.
pub(super) fn check_url(endpoint: &str) -> Result<(), String> {
    if endpoint.is_empty() {
        return Ok(());
    }
    match reqwest::Url::parse(endpoint) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => Err(format!("{endpoint:?} is not an http or https URL")),
        Err(error) => Err(format!("{endpoint:?} is not a URL: {error}")),
    }
}

pub(super) fn read_timeout(section: &mut Section<'_>) -> Duration {
    section.duration("timeout", Duration::from_secs(10), Duration::from_millis(1)..=Duration::from_secs(600))
}

pub(super) fn read_headers(output: &mut Section<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let Some(section) = output.section("headers") else { return headers };
    for (name, value) in section.texts() {
        let known = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !known {
            section.problem(&name, "is not a header name");
        } else if reqwest::header::HeaderValue::from_str(&value).is_err() {
            section.problem(&name, "is not a header value: it has control characters");
        } else {
            headers.push((name, value));
        }
    }
    headers
}
