//! `outputs:`. A key is a type, or a type and a name of the user's: `otlp_http/backend`, as in the Collector.

use super::problem::Problems;
use super::section::{Section, did_you_mean};
use super::stages::whole;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where telemetry goes; at least one of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// OTLP backends.
    pub otlp_http: Vec<OtlpHttp>,
    /// Files of JSON lines.
    pub json_lines: Vec<JsonLines>,
    /// The metrics page.
    pub prometheus: Option<Prometheus>,
}

/// What waits for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Most bytes that wait in memory; what comes after waits in the log.
    pub max_bytes: u64,
}

/// How a failed send is tried again. Names and meanings are those of the Collector's `retry_on_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Wait before the second attempt.
    pub initial_interval: Duration,
    /// Longest wait between attempts.
    pub max_interval: Duration,
    /// How long a request is tried before it is dropped and counted.
    pub max_elapsed_time: Duration,
}

/// Compression of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// gzip.
    Gzip,
}

/// An OTLP backend, spoken to over HTTP with protobuf.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpHttp {
    /// Name for logs and counters: the key.
    pub name: String,
    /// Base URL, to which `/v1/traces` and `/v1/logs` are added.
    pub endpoint: String,
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
}

/// A file with one OTLP/JSON request a line.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonLines {
    /// Name for logs and counters: the key.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Size at which the file is set aside as `<path>.1` and begun anew.
    pub max_bytes: u64,
    /// Most files set aside.
    pub max_files: usize,
    /// What waits.
    pub queue: Queue,
}

/// The metrics page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// Address to listen on; the page is `/metrics`.
    pub endpoint: SocketAddr,
}

impl Outputs {
    pub(super) fn read(root: &mut Section<'_>, problems: &Problems) -> Self {
        let mut outputs = Self::default();
        let entries = root.section("outputs").map(|mut section| section.entries()).unwrap_or_default();
        if entries.is_empty() {
            root.problem("outputs", "nothing is delivered; add otlp_http, json_lines or prometheus");
        }
        for (key, node) in entries {
            let path = format!("outputs.{key}");
            let kind = key.split_once('/').map_or(key, |(kind, _)| kind);
            let section = Section::open(node, path.as_str(), problems);
            match kind {
                "otlp_http" => outputs.otlp_http.push(OtlpHttp::read(key, section)),
                "json_lines" => outputs.json_lines.push(JsonLines::read(key, section)),
                "prometheus" if outputs.prometheus.is_some() => {
                    problems.add(node.line, path, "there is one metrics page; remove this one");
                }
                "prometheus" => outputs.prometheus = Some(Prometheus::read(section)),
                _ => {
                    let known = ["otlp_http", "json_lines", "prometheus"];
                    let message = format!(
                        "is not a known type of output{}; known: {}",
                        did_you_mean(kind, &known),
                        known.join(", ")
                    );
                    problems.add(node.line, path, message);
                }
            }
        }
        outputs
    }
}

impl Queue {
    fn read(section: &mut Section<'_>) -> Self {
        let mut queue = Self { max_bytes: 64 << 20 };
        if let Some(mut section) = section.section("queue") {
            queue.max_bytes = section.size("max_bytes", queue.max_bytes, (1 << 10)..=(1 << 40));
            section.finish();
        }
        queue
    }
}

impl Retry {
    fn read(section: &mut Section<'_>) -> Self {
        let seconds = Duration::from_secs;
        let mut retry =
            Self { initial_interval: seconds(1), max_interval: seconds(30), max_elapsed_time: seconds(300) };
        if let Some(mut section) = section.section("retry") {
            let range = Duration::from_millis(1)..=seconds(3600);
            retry.initial_interval = section.duration("initial_interval", retry.initial_interval, range.clone());
            retry.max_interval = section.duration("max_interval", retry.max_interval, range.clone());
            let range = Duration::ZERO..=seconds(86_400);
            retry.max_elapsed_time = section.duration("max_elapsed_time", retry.max_elapsed_time, range);
            if retry.max_interval < retry.initial_interval {
                section.problem("max_interval", "is shorter than initial_interval");
            }
            section.finish();
        }
        retry
    }
}

impl OtlpHttp {
    fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.required_text("endpoint", "the backend's base URL, such as http://127.0.0.1:4318");
        if let Err(message) = check_url(&endpoint) {
            section.problem("endpoint", message);
        }
        let mut headers = Vec::new();
        if let Some(mut section) = section.section("headers") {
            headers = read_headers(&mut section);
        }
        let words = [("gzip", Compression::Gzip), ("none", Compression::None)];
        let output = Self {
            name: name.to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            headers,
            compression: section.word("compression", Compression::Gzip, &words),
            timeout: section.duration(
                "timeout",
                Duration::from_secs(10),
                Duration::from_millis(1)..=Duration::from_secs(600),
            ),
            retry: Retry::read(&mut section),
            queue: Queue::read(&mut section),
        };
        section.finish();
        output
    }
}

/// An empty endpoint has been reported as missing.
fn check_url(endpoint: &str) -> Result<(), String> {
    if endpoint.is_empty() {
        return Ok(());
    }
    match reqwest::Url::parse(endpoint) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => Err(format!("{endpoint:?} is not an http or https URL")),
        Err(error) => Err(format!("{endpoint:?} is not a URL: {error}")),
    }
}

fn read_headers(section: &mut Section<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
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

impl JsonLines {
    fn read(name: &str, mut section: Section<'_>) -> Self {
        let path = section.required_text("path", "the file to write");
        let output = Self {
            name: name.to_owned(),
            path: PathBuf::from(path),
            max_bytes: section.size("max_bytes", 100 << 20, 1..=(1 << 40)),
            max_files: whole(section.integer("max_files", 5, 0..=1_000)),
            queue: Queue::read(&mut section),
        };
        section.finish();
        output
    }
}

impl Prometheus {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)));
        section.finish();
        Self { endpoint }
    }
}
