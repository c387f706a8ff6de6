//! `receivers:` and `health:`, with the keys of the OpenTelemetry Collector's `otlp` receiver and of its extensions.

use super::kafka::KafkaReceiver;
use super::section::Section;
use super::stages::whole;
use crate::receivers::auth::{Token, Tokens};
use crate::receivers::tls;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where telemetry comes in; at least one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    /// OTLP over gRPC.
    pub grpc: Option<Grpc>,
    /// OTLP over HTTP.
    pub http: Option<Http>,
    /// Topics of Kafka.
    pub kafka: Option<KafkaReceiver>,
}

/// OTLP over gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Address to listen on.
    pub endpoint: SocketAddr,
    /// Largest message in bytes, before and after decompression.
    pub max_message: usize,
    /// Requests that one connection may have open at once.
    pub max_concurrent_streams: u32,
    /// Bounds on connections.
    pub connections: Connections,
    /// Encryption; none without it.
    pub tls: Option<Tls>,
    /// Who may send; everybody without it.
    pub auth: Option<Auth>,
}

/// OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address to listen on.
    pub endpoint: SocketAddr,
    /// Largest request body in bytes, before and after decompression.
    pub max_body: usize,
    /// Bounds on connections.
    pub connections: Connections,
    /// Encryption; none without it.
    pub tls: Option<Tls>,
    /// Who may send; everybody without it.
    pub auth: Option<Auth>,
}

/// Bounds on the connections of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Most connections at once; more are closed as they come.
    pub max_connections: usize,
    /// How long a connection may be without a request, the time for the head of the next one included.
    pub idle_timeout: Duration,
    /// How long the body of a request may take to come.
    pub read_timeout: Duration,
}

/// Encryption of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and what leads from it to its authority, in PEM.
    pub cert_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// Authorities of clients' certificates, in PEM; clients show none without it.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client may come without a certificate.
    pub client_certificate: ClientCertificate,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// Whether a client may come without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It may not.
    Required,
    /// It may; one that it shows has to be right.
    Optional,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2, RFC 5246.
    V1_2,
    /// 1.3, RFC 8446.
    V1_3,
}

/// Who may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Tokens of which a sender needs one.
    pub bearer_tokens: Vec<Token>,
    /// Files with such tokens, one a line.
    pub bearer_token_files: Vec<PathBuf>,
}

/// Where the state of the process can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Address to listen on.
    pub endpoint: SocketAddr,
}

const MIB: u64 = 1 << 20;

impl Receivers {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut receivers = Self::default();
        if let Some(mut section) = root.section("receivers") {
            if let Some(mut otlp) = section.section("otlp") {
                if let Some(mut protocols) = otlp.section("protocols") {
                    receivers.grpc = protocols.section("grpc").map(Grpc::read);
                    receivers.http = protocols.section("http").map(Http::read);
                    protocols.finish();
                }
                otlp.finish();
            }
            receivers.kafka = section.section("kafka").map(KafkaReceiver::read);
            section.finish();
        }
        if receivers.grpc.is_none() && receivers.http.is_none() && receivers.kafka.is_none() {
            root.problem("receivers", "nothing is received; add otlp.protocols.grpc, otlp.protocols.http or kafka");
        }
        receivers
    }
}

impl Grpc {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 4317)));
        let mebibytes = section.integer("max_recv_msg_size_mib", 4, 1..=1024);
        let streams = section.integer("max_concurrent_streams", 64, 1..=10_000);
        let grpc = Self {
            endpoint,
            max_message: whole(mebibytes * MIB),
            max_concurrent_streams: u32::try_from(streams).unwrap_or(u32::MAX),
            connections: Connections::read(&mut section),
            tls: Tls::read(&mut section),
            auth: Auth::read(&mut section),
        };
        section.finish();
        grpc
    }
}

impl Http {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 4318)));
        let max_body = section.size("max_request_body_size", 20 * MIB, 1..=1024 * MIB);
        let http = Self {
            endpoint,
            max_body: whole(max_body),
            connections: Connections::read(&mut section),
            tls: Tls::read(&mut section),
            auth: Auth::read(&mut section),
        };
        section.finish();
        http
    }
}

impl Connections {
    fn read(section: &mut Section<'_>) -> Self {
        let range = Duration::from_millis(100)..=Duration::from_secs(3600);
        Self {
            max_connections: whole(section.integer("max_connections", 512, 1..=100_000)),
            idle_timeout: section.duration("idle_timeout", Duration::from_secs(120), range.clone()),
            read_timeout: section.duration("read_timeout", Duration::from_secs(30), range),
        }
    }
}

impl Tls {
    /// Reads the keys, and the files that they name.
    fn read(parent: &mut Section<'_>) -> Option<Self> {
        let mut section = parent.section("tls")?;
        let cert_file = section.required_text("cert_file", "the certificate in PEM");
        let key_file = section.required_text("key_file", "the certificate's private key in PEM");
        let client_ca_file = section.text("client_ca_file").map(PathBuf::from);
        let words = [("required", ClientCertificate::Required), ("optional", ClientCertificate::Optional)];
        if section.node("client_certificate").is_some() && client_ca_file.is_none() {
            section.problem("client_certificate", "needs client_ca_file: the authorities of clients' certificates");
        }
        let tls = Self {
            cert_file: cert_file.into(),
            key_file: key_file.into(),
            client_ca_file,
            client_certificate: section.word("client_certificate", ClientCertificate::Required, &words),
            min_version: section.word(
                "min_version",
                TlsVersion::V1_2,
                &[("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)],
            ),
        };
        let named = !tls.cert_file.as_os_str().is_empty() && !tls.key_file.as_os_str().is_empty();
        if named && let Err(problem) = tls::check(&tls) {
            section.problem(problem.key, problem.why);
        }
        section.finish();
        Some(tls)
    }
}

impl Auth {
    /// Reads the keys, and the files that they name.
    fn read(parent: &mut Section<'_>) -> Option<Self> {
        let mut section = parent.section("auth")?;
        let mut auth = Self { bearer_tokens: Vec::new(), bearer_token_files: Vec::new() };
        for (text, line, path) in section.text_list("bearer_tokens") {
            match Token::new(&text) {
                Ok(token) => auth.bearer_tokens.push(token),
                Err(why) => section.problem_at(line, path, why),
            }
        }
        for (text, line, path) in section.text_list("bearer_token_files") {
            let file = PathBuf::from(text);
            match Tokens::of_file(&file) {
                Ok(_) => auth.bearer_token_files.push(file),
                Err(why) => section.problem_at(line, path, why),
            }
        }
        if section.node("bearer_tokens").is_none() && section.node("bearer_token_files").is_none() {
            section.problem("bearer_tokens", "is missing: nobody could send; list a token, or bearer_token_files");
        }
        section.finish();
        Some(auth)
    }
}

impl Health {
    pub(super) fn read(root: &mut Section<'_>) -> Option<Self> {
        let mut section = root.section("health")?;
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 13133)));
        section.finish();
        Some(Self { endpoint })
    }
}
