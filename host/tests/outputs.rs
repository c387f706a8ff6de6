//! OTLP outputs against real servers: what is sent, what each answer leads to, TLS, sizes, and receivers that are dead,
//! slow or mad.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/backend.rs"]
mod backend;
mod support;

use backend::{Answer, Backend};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use support::{Folder, Host, chat, request};
use tollgate_host::config::{Config, OtlpGrpc, OtlpHttp};
use tollgate_host::outputs::{Delivery, SendError, Sink, otlp_grpc, otlp_http};
use tollgate_host::receivers::Signal;
use tollgate_host::receivers::status::{Any, RetryDelay, RetryInfo, RpcStatus};
use tollgate_otlp::SpanWriter;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tonic::{Code, Status};

/// What gRPC servers take unless they are told otherwise.
const FOUR_MIB: usize = 4 << 20;

fn config(output: &str) -> Config {
    let yaml = format!("receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs:\n  {output}\n");
    Config::parse(&yaml).unwrap_or_else(|problems| panic!("{yaml}{problems:?}"))
}

fn http_config(keys: &str) -> OtlpHttp {
    config(&format!("otlp_http: {{{keys}}}")).outputs.otlp_http.remove(0)
}

fn grpc_config(keys: &str) -> OtlpGrpc {
    config(&format!("otlp_grpc: {{{keys}}}")).outputs.otlp_grpc.remove(0)
}

fn http(keys: &str) -> otlp_http::Backend {
    otlp_http::Backend::new(&http_config(keys)).unwrap()
}

fn grpc(keys: &str) -> otlp_grpc::Backend {
    otlp_grpc::Backend::new(&grpc_config(keys)).unwrap()
}

fn spans(count: u8) -> Delivery {
    let spans: Vec<_> = (1..=count).map(|span| chat(1, span)).collect();
    Delivery { signal: Signal::Traces, bytes: request(&spans).into(), items: count.into() }
}

/// What came of one attempt, without its words.
#[derive(Debug, PartialEq)]
enum Outcome {
    Taken(u64),
    Again(Option<u64>),
    Never,
    TooLarge,
}

fn outcome(sent: Result<u64, SendError>) -> Outcome {
    match sent {
        Ok(rejected) => Outcome::Taken(rejected),
        Err(SendError::Again { after, .. }) => Outcome::Again(after.map(|after| after.as_secs())),
        Err(SendError::Never { .. }) => Outcome::Never,
        Err(SendError::TooLarge { .. }) => Outcome::TooLarge,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_http_leads_to_what_the_specification_says() {
    use Outcome::{Again, Never, Taken, TooLarge};
    let backend = Backend::start(FOUR_MIB, None).await;
    let sink = http(&format!("endpoint: \"http://{}/\"", backend.address));
    let http = |status, headers: &[(&'static str, &str)], body: &[u8]| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Answer::Http(status, headers.collect(), body.to_vec())
    };
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_000));
    let json = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no name"}}"#;
    let location = format!("http://{}/elsewhere", backend.address);
    let plain: &[(&'static str, &str)] = &[];
    for (what, answer, expected) in [
        ("taken", Answer::Taken(vec![]), Taken(0)),
        ("taken in part", Answer::Taken(b"\x0a\x05\x08\x01\x12\x01x".to_vec()), Taken(1)),
        ("taken in part, in JSON", http(200, &[("content-type", "application/json")], json), Taken(1)),
        ("taken, with words", Answer::Taken(b"\x0a\x03\x12\x01x".to_vec()), Taken(0)),
        ("taken, answer unreadable", Answer::Taken(vec![0xff; 100_000]), Taken(0)),
        ("202", http(202, plain, b""), Taken(0)),
        ("301, which is not followed", http(301, &[("location", &location)], b""), Never),
        ("400", http(400, plain, b"bad"), Never),
        ("401", http(401, plain, b""), Never),
        ("403", http(403, plain, b""), Never),
        ("404", http(404, plain, b""), Never),
        ("408", http(408, plain, b""), Never),
        ("413", http(413, plain, b""), TooLarge),
        ("429", http(429, plain, b""), Again(None)),
        ("429 with a wait", http(429, &[("retry-after", "7")], b""), Again(Some(7))),
        ("429 with nonsense", http(429, &[("retry-after", "soon")], b""), Again(None)),
        ("500", http(500, plain, b""), Never),
        ("501", http(501, plain, b""), Never),
        ("502", http(502, plain, b""), Again(None)),
        ("503", http(503, plain, b""), Again(None)),
        ("503 with a wait", http(503, &[("retry-after", "120")], b""), Again(Some(120))),
        ("504", http(504, plain, b""), Again(None)),
    ] {
        backend.answer([answer]);
        assert_eq!(outcome(sink.send(&spans(2)).await), expected, "{what}");
    }
    backend.answer([http(503, &[("retry-after", &date)], b"")]);
    let wait = outcome(sink.send(&spans(2)).await);
    assert!(matches!(wait, Again(Some(2_900..=3_000))), "{wait:?}");
    assert!(backend.seen().iter().all(|seen| seen.path == "/v1/traces"), "no redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_grpc_leads_to_what_the_specification_says() {
    use Outcome::{Again, Never, Taken, TooLarge};
    let backend = Backend::start(FOUR_MIB, None).await;
    let sink = grpc(&format!("endpoint: \"http://{}\"", backend.address));
    let info = |code: Code, seconds: i64| {
        let value = RetryInfo { retry_delay: Some(RetryDelay { seconds, nanos: 0 }) }.encode_to_vec();
        let details = vec![Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value }];
        let status = RpcStatus { code: code.into(), message: "full".to_owned(), details };
        Answer::Grpc(Status::with_details(code, "full", status.encode_to_vec().into()))
    };
    let too_large = "grpc: received message larger than max (9 vs. 4)";
    for (what, answer, expected) in [
        ("taken", Answer::Taken(vec![]), Taken(0)),
        ("taken in part", Answer::Taken(b"\x0a\x05\x08\x01\x12\x01x".to_vec()), Taken(1)),
        ("taken, answer unreadable", Answer::Taken(vec![0xff; 100]), Taken(0)),
        ("taken, answer endless", Answer::Taken(vec![0; 100_000]), Taken(0)),
        ("unavailable with a wait", info(Code::Unavailable, 3), Again(Some(3))),
        ("exhausted with a wait", info(Code::ResourceExhausted, 5), Again(Some(5))),
        ("invalid with a wait", info(Code::InvalidArgument, 5), Never),
        ("a size", Answer::Grpc(Status::resource_exhausted(too_large)), TooLarge),
        ("a size, by another code", Answer::Grpc(Status::invalid_argument(too_large)), TooLarge),
    ] {
        backend.answer([answer]);
        assert_eq!(outcome(sink.send(&spans(2)).await), expected, "{what}");
    }
    for (code, expected) in [
        (Code::Cancelled, Again(None)),
        (Code::Unknown, Never),
        (Code::InvalidArgument, Never),
        (Code::DeadlineExceeded, Again(None)),
        (Code::NotFound, Never),
        (Code::AlreadyExists, Never),
        (Code::PermissionDenied, Never),
        (Code::ResourceExhausted, Never),
        (Code::FailedPrecondition, Never),
        (Code::Aborted, Again(None)),
        (Code::OutOfRange, Again(None)),
        (Code::Unimplemented, Never),
        (Code::Internal, Never),
        (Code::Unavailable, Again(None)),
        (Code::DataLoss, Again(None)),
        (Code::Unauthenticated, Never),
    ] {
        backend.answer([Answer::Grpc(Status::new(code, "so"))]);
        assert_eq!(outcome(sink.send(&spans(2)).await), expected, "{code:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_what_is_configured() {
    let backend = Backend::start(FOUR_MIB, None).await;
    let delivery = spans(3);
    let logs = Delivery { signal: Signal::Logs, bytes: bytes::Bytes::from_static(b"\x0a\x00"), items: 0 };
    let http_endpoint = format!("endpoint: \"http://{}/base/\"", backend.address);
    for (keys, content_type, encoding) in [
        ("", "application/x-protobuf", "gzip"),
        ("compression: none", "application/x-protobuf", ""),
        ("compression: zstd", "application/x-protobuf", "zstd"),
        ("encoding: json, compression: none", "application/json", ""),
        ("encoding: json", "application/json", "gzip"),
    ] {
        let sink = http(&format!("{http_endpoint}, headers: {{X-Key: secret}}, {keys}"));
        assert_eq!(sink.send(&delivery).await, Ok(0), "{keys}");
        let seen = backend.taken().pop().unwrap();
        let found = (seen.path.as_str(), seen.header("content-type"), seen.header("content-encoding"));
        assert_eq!(found, ("/base/v1/traces", content_type, encoding), "{keys}");
        assert_eq!(seen.header("x-key"), "secret");
        let read: ExportTraceServiceRequest = match content_type {
            "application/json" => serde_json::from_slice(&seen.body).unwrap(),
            _ => ExportTraceServiceRequest::decode(seen.body).unwrap(),
        };
        assert_eq!(read, ExportTraceServiceRequest::decode(delivery.bytes.clone()).unwrap(), "{keys}");
        assert_eq!(sink.send(&logs).await, Ok(0));
        assert_eq!(backend.taken().pop().unwrap().path, "/base/v1/logs");
    }
    for (compression, encoding) in [("gzip", "gzip"), ("zstd", "zstd"), ("none", "")] {
        let keys = format!(
            "endpoint: \"{}\", tls: {{insecure: true}}, headers: {{X-Key: secret}}, compression: {compression}",
            backend.address
        );
        let sink = grpc(&keys);
        assert_eq!(sink.send(&delivery).await, Ok(0), "{keys}");
        let seen = backend.taken().pop().unwrap();
        assert_eq!(seen.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        assert_eq!((seen.header("x-key"), seen.header("grpc-encoding")), ("secret", encoding));
        assert_eq!(seen.body, delivery.bytes, "byte by byte");
        assert_eq!(sink.send(&logs).await, Ok(0));
        assert_eq!(backend.taken().pop().unwrap().path, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    }
}

/// A certificate authority, with certificates that it has signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Certificate and key for a name, in PEM.
    fn sign(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn server(&self, name: &str) -> ServerTlsConfig {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (certificate, key) = self.sign(name, ExtendedKeyUsagePurpose::ServerAuth);
        ServerTlsConfig::new().identity(Identity::from_pem(certificate, key))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_trusted_by_their_certificates_and_clients_show_theirs() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let folder = Folder::new();
    let file = |name: &str, pem: String| folder.write(name, pem).display().to_string();
    let (ca, other_ca) = (file("ca.pem", authority.issuer.pem()), file("other.pem", stranger.issuer.pem()));
    let signed_by = |authority: &Authority, name: &str| {
        let (certificate, key) = authority.sign("client", ExtendedKeyUsagePurpose::ClientAuth);
        let (certificate, key) = (file(&format!("{name}.pem"), certificate), file(&format!("{name}.key"), key));
        format!("cert_file: \"{certificate}\", key_file: \"{key}\"")
    };
    let (client, impostor) = (signed_by(&authority, "client"), signed_by(&stranger, "impostor"));

    let open = Backend::start(FOUR_MIB, Some(authority.server("localhost"))).await;
    let root = Certificate::from_pem(authority.issuer.pem());
    let closed = Backend::start(FOUR_MIB, Some(authority.server("localhost").client_ca_root(root))).await;
    let named = Backend::start(FOUR_MIB, Some(authority.server("backend.example"))).await;
    for (what, backend, tls, taken) in [
        ("an authority that is trusted", &open, format!("ca_file: \"{ca}\""), true),
        ("another authority", &open, format!("ca_file: \"{other_ca}\""), false),
        ("the system's authorities", &open, String::new(), false),
        ("a client's certificate that is wanted", &closed, format!("ca_file: \"{ca}\", {client}"), true),
        ("no client's certificate", &closed, format!("ca_file: \"{ca}\""), false),
        ("a client's certificate of another authority", &closed, format!("ca_file: \"{ca}\", {impostor}"), false),
        ("another server's name", &named, format!("ca_file: \"{ca}\""), false),
    ] {
        let keys = format!("endpoint: \"https://localhost:{}\", timeout: 20s, tls: {{{tls}}}", backend.address.port());
        for (protocol, sent) in
            [("HTTP", http(&keys).send(&spans(1)).await), ("gRPC", grpc(&keys).send(&spans(1)).await)]
        {
            match taken {
                true => assert_eq!(sent, Ok(0), "{protocol}: {what}"),
                // Certificates are renewed, so this is no reason to drop anything.
                false => assert!(matches!(sent, Err(SendError::Again { .. })), "{protocol}: {what}: {sent:?}"),
            }
        }
    }
    let keys = format!(
        "endpoint: \"localhost:{}\", tls: {{ca_file: \"{ca}\", server_name_override: backend.example}}",
        named.address.port()
    );
    assert_eq!(grpc(&keys).send(&spans(1)).await, Ok(0), "TLS is what gRPC speaks unless it is told otherwise");

    let missing =
        format!("endpoint: \"https://localhost:1\", tls: {{ca_file: \"{}/none.pem\"}}", folder.path("").display());
    let nonsense = format!(
        "endpoint: \"https://localhost:1\", tls: {{ca_file: \"{}\", cert_file: \"{ca}\", key_file: \"{ca}\"}}",
        file("x.pem", "no".into())
    );
    for keys in [missing, nonsense] {
        assert!(otlp_http::Backend::new(&http_config(&keys)).is_err(), "{keys}");
        assert!(otlp_grpc::Backend::new(&grpc_config(&keys)).is_err(), "{keys}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_is_made_again() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let before = runtime();
    let backend = Backend::start_on(before.handle(), "127.0.0.1:0".parse().unwrap(), FOUR_MIB, None);
    let address = backend.address;
    let grpc = grpc(&format!("endpoint: \"http://{address}\", timeout: 20s"));
    let http = http(&format!("endpoint: \"http://{address}\", timeout: 20s"));
    assert_eq!((grpc.send(&spans(1)).await, http.send(&spans(1)).await), (Ok(0), Ok(0)));
    before.shutdown_background();
    // The end is in the background: connections that are open may be served until it comes.
    while backend_is_there(&grpc).await || backend_is_there(&http).await {}
    let after = runtime();
    let backend = Backend::start_on(after.handle(), address, FOUR_MIB, None);
    while !backend_is_there(&grpc).await || !backend_is_there(&http).await {}
    assert!(backend.taken().len() >= 2);
    after.shutdown_background();
}

/// Whether a span is taken; where it is not, it may be later.
async fn backend_is_there(sink: &impl Sink) -> bool {
    let sent = outcome(sink.send(&spans(1)).await);
    assert!(matches!(sent, Outcome::Taken(0) | Outcome::Again(None)), "{sent:?}");
    sent == Outcome::Taken(0)
}

/// Span ids in requests, each as often as it is there.
fn ids(backend: &Backend) -> Vec<Vec<u8>> {
    let requests = backend.taken().into_iter().map(|seen| ExportTraceServiceRequest::decode(seen.body).unwrap());
    let resources = requests.flat_map(|request| request.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).map(|span| span.span_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_for_size_arrives_in_parts_and_once() {
    let (over_grpc, over_http) = (Backend::start(FOUR_MIB, None).await, Backend::start(FOUR_MIB, None).await);
    let host = Host::start(&format!(
        "outputs:\n  otlp_grpc: {{endpoint: \"http://{}\", queue: {{batch: {{max_size: 64MiB}}}}}}\n  \
         otlp_http: {{endpoint: \"http://{}\", queue: {{batch: {{max_size: 64MiB}}}}}}\n  \
         otlp_http/known: {{endpoint: \"http://{}\"}}\n",
        over_grpc.address,
        over_http.address,
        Backend::start(FOUR_MIB, None).await.address,
    ));
    let sized = |number: u8, size: usize| {
        let mut span = SpanWriter::new([1; 16], [number; 8], "chat");
        span.set("text", "x".repeat(size).as_str());
        span
    };
    // Ten times 1 MiB, and one that no receiver takes.
    let mut spans: Vec<_> = (1..=10).map(|number| sized(number, 1 << 20)).collect();
    spans.insert(4, sized(99, 5 << 20));
    assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
    for output in ["otlp_grpc", "otlp_http", "otlp_http/known"] {
        host.until_metric(&format!("tollgate_output_sent_total{{output=\"{output}\"}} 10")).await;
        let dropped = format!("tollgate_output_dropped_total{{output=\"{output}\",reason=\"too_large\"}} 1");
        let page = host.until_metric(&dropped).await;
        assert!(!page.contains(&format!("tollgate_output_retries_total{{output=\"{output}\"}}")), "{page}");
    }
    for backend in [&over_grpc, &over_http] {
        let found = ids(backend);
        assert_eq!(found.len(), 10, "each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), (1..=10).map(|number| vec![number; 8]).collect());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_sent_together() {
    let backend = Backend::start(FOUR_MIB, None).await;
    let (open, gate) = tokio::sync::oneshot::channel();
    backend.answer([Answer::After(gate)]);
    let host = Host::start(&format!(
        "outputs:\n  otlp_http: {{endpoint: \"http://{}\", queue: {{num_consumers: 1, batch: {{max_items: 5}}}}}}\n",
        backend.address
    ));
    host.post("/v1/traces", request(&[chat(1, 1)])).await;
    backend.until_seen(1).await;
    for span in 2..=10 {
        host.post("/v1/traces", request(&[chat(1, span)])).await;
    }
    host.until_metric(r#"tollgate_output_queue_requests{output="otlp_http"} 10"#).await;
    open.send(()).unwrap();
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http"} 10"#).await;
    let counts: Vec<_> =
        backend.taken().iter().map(|seen| tollgate_otlp::items(&seen.body, tollgate_otlp::Items::Spans)).collect();
    assert_eq!(counts, [Ok(1), Ok(5), Ok(4)], "one that came first, then as many as there may be");
    assert_eq!(ids(&backend), (1..=10).map(|span| vec![span; 8]).collect::<Vec<_>>(), "in order");
    host.until_metric(r#"tollgate_output_queue_requests{output="otlp_http"} 0"#).await;
    host.until_metric(r#"tollgate_output_queue_bytes{output="otlp_http"} 0"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_requests_are_under_way_as_there_are_consumers() {
    let backend = Backend::start(FOUR_MIB, None).await;
    let (gates, waits): (Vec<_>, Vec<_>) = (0..3).map(|_| tokio::sync::oneshot::channel()).unzip();
    backend.answer(waits.into_iter().map(Answer::After));
    let host = Host::start(&format!(
        "outputs:\n  otlp_grpc: {{endpoint: \"http://{}\", queue: {{num_consumers: 3}}, timeout: 1m}}\n",
        backend.address
    ));
    for span in 1..=3 {
        host.post("/v1/traces", request(&[chat(1, span)])).await;
        backend.until_seen(span.into()).await;
    }
    // Nobody is left to send the fourth.
    host.post("/v1/traces", request(&[chat(1, 4)])).await;
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 4"#).await;
    assert_eq!(backend.seen().len(), 3);
    gates.into_iter().for_each(|gate| gate.send(()).unwrap());
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_grpc"} 4"#).await;
}

/// A port on which every connection is treated by `with`.
async fn mad<F>(with: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_are_dead_slow_or_mad_cost_the_others_nothing() {
    use tokio::io::AsyncWriteExt;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = mad(|stream| async move {
        // Takes the connection, and never says a word.
        let _held = stream;
        std::future::pending().await
    })
    .await;
    let nonsense = mad(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n\xff\xff\xff\xff").await;
        let _ = stream.shutdown().await;
    })
    .await;
    let hangs_up = mad(|stream| async move { drop(stream) }).await;
    let refusing = Backend::start(FOUR_MIB, None).await;
    refusing.answer((0..20).map(|_| Answer::Grpc(Status::unimplemented("no traces here"))));
    let good = Backend::start(FOUR_MIB, None).await;

    let mut outputs = format!(
        "  otlp_grpc/refusing: {{endpoint: \"http://{}\", queue: {{num_consumers: 1, batch: {{max_items: 1}}}}}}\n  \
         otlp_grpc/good: {{endpoint: \"http://{}\"}}\n",
        refusing.address, good.address
    );
    let bad =
        [("dead", format!("http://{closed}")), ("silent", silent), ("nonsense", nonsense), ("hangs_up", hangs_up)];
    for (name, endpoint) in &bad {
        for protocol in ["otlp_grpc", "otlp_http"] {
            outputs += &format!(
                "  {protocol}/{name}: {{endpoint: \"{endpoint}\", timeout: 100ms, retry: {{initial_interval: 10ms, max_interval: 10ms}}}}\n"
            );
        }
    }
    let host = Host::start(&format!("shutdown: {{deadline: 1s}}\noutputs:\n{outputs}"));
    for span in 1..=20 {
        assert_eq!(host.post("/v1/traces", request(&[chat(1, span)])).await.0, 200);
    }
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_grpc/good"} 20"#).await;
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 20"#).await;
    host.until_metric(r#"tollgate_output_dropped_total{output="otlp_grpc/refusing",reason="refused"} 20"#).await;
    for (name, _) in &bad {
        for protocol in ["otlp_grpc", "otlp_http"] {
            host.until_said(&format!("output=\"{protocol}/{name}\""), 3).await;
            let page = host.metrics().await;
            let lost = format!("tollgate_output_dropped_total{{output=\"{protocol}/{name}\"");
            assert!(!page.contains(&lost), "what can be taken later is kept: {page}");
        }
    }
    let (status, written) = host.stop();
    assert!(status.success(), "what cannot be sent does not hold up the end");
    assert_eq!(support::spans(&written).len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_loses_nothing_and_holds_up_nobody() {
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    }
    let host = Host::start("shutdown: {deadline: 1s}\noutputs:\n  json_lines/full: {path: /dev/full}\n");
    host.post("/v1/traces", request(&[chat(1, 1)])).await;
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 1"#).await;
    let page = host.until_metric(r#"tollgate_output_retries_total{output="json_lines/full"} 1"#).await;
    assert!(page.contains("tollgate_output_queue_requests{output=\"json_lines/full\"} 1\n"), "{page}");
    assert!(host.stop().0.success());
}
