//! Real senders: the official SDKs of Python and Node, `rotel`, and a Collector, as they meet a receiver that is well,
//! that is secured, and that is overloaded. What they sent and what came through is compared item by item.
//!
//! `cargo xtask test` installs them; `TOLLGATE_PEERS` names the folder of the Python packages, `TOLLGATE_PEERS_NODE`
//! that of the packages for Node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Folder, Host, chat, client, request, spans};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients");
const TOKEN: &str = "a-token-of-the-tests";

/// The folder that a variable names and that has `file`, or a loud skip.
fn packages(variable: &str, file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.join(file).exists()) {
        return Some(folder);
    }
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "{variable} names no folder with {file}; run `cargo xtask test system`");
    eprintln!("SKIPPED: {variable} names no folder with {file}; run `cargo xtask test system`");
    None
}

fn program(variable: &str, usual: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| usual.into()))
}

/// The senders that are installed, each with the protocols that it speaks.
fn senders() -> Vec<(Command, &'static [&'static str])> {
    let mut senders: Vec<(Command, &'static [&'static str])> = Vec::new();
    if let Some(folder) = packages("TOLLGATE_PEERS", "opentelemetry/sdk") {
        let mut python = program("TOLLGATE_PYTHON", "python3");
        python.arg(format!("{CLIENTS}/otlp_senders.py")).env("PYTHONPATH", folder);
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        // A machine's own authorities would count more than those that the sender is given.
        python.env_remove("REQUESTS_CA_BUNDLE").env_remove("CURL_CA_BUNDLE");
        senders.push((python, &["grpc", "http/protobuf"]));
    }
    if let Some(folder) = packages("TOLLGATE_PEERS_NODE", "node_modules/@opentelemetry/sdk-trace-node") {
        let mut node = program("TOLLGATE_NODE", "node");
        node.arg(format!("{CLIENTS}/otlp_senders.cjs")).env("TOLLGATE_PEERS_NODE", folder);
        senders.push((node, &["grpc", "http/protobuf", "http/json"]));
    }
    senders
}

/// Values at a path of keys through lists, as text.
fn all(value: &Value, path: &[&str]) -> Vec<String> {
    match (value, path) {
        (Value::Array(list), _) => list.iter().flat_map(|item| all(item, path)).collect(),
        (_, [key, rest @ ..]) => all(&value[*key], rest),
        (Value::Null, []) => Vec::new(),
        (_, []) => vec![value.as_str().map_or_else(|| value.to_string(), str::to_owned)],
    }
}

const SPAN_IDS: [&str; 4] = ["resourceSpans", "scopeSpans", "spans", "spanId"];
const BODIES: [&str; 5] = ["resourceLogs", "scopeLogs", "logRecords", "body", "stringValue"];
const METRIC_NAMES: [&str; 4] = ["resourceMetrics", "scopeMetrics", "metrics", "name"];

/// Runs each sender over each of its protocols, and compares what it sent with what came through.
fn everything_arrives(keys: &str, grpc: fn(&str) -> String, http: fn(&str) -> String, credentials: &[String]) {
    for (sender, protocols) in senders() {
        for protocol in protocols {
            let receiver = |name: &str| format!("{name}: {{endpoint: 127.0.0.1:0, {keys}}}");
            let host = Host::start_both(&receiver("grpc"), &receiver("http"), "");
            let endpoint = if *protocol == "grpc" { grpc(&host.grpc) } else { http(&host.http) };
            let mut command = Command::new(sender.get_program());
            command.args(sender.get_args()).args([protocol, endpoint.as_str()]).args(credentials);
            for (name, value) in sender.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let output = command.env("NO_PROXY", "127.0.0.1,localhost").output().unwrap();
            let what = format!("{} over {protocol}", sender.get_program().display());
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
            let came = Value::Array(host.stop().1);
            for (kind, path) in [("spans", SPAN_IDS.as_slice()), ("logs", &BODIES), ("metrics", &METRIC_NAMES)] {
                let (mut sent, mut came) = (all(&sent[kind], &[]), all(&came, path));
                sent.sort();
                came.sort();
                if kind == "metrics" {
                    // Cumulative ones, which come at each flush.
                    came.dedup();
                }
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(sent == came, "{what}: {} {kind} sent, {} came\n{said}", sent.len(), came.len());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_official_sdks_send_arrives() {
    everything_arrives("", str::to_owned, str::to_owned, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_official_sdks_send_with_tls_and_a_token_arrives() {
    let folder = Folder::new();
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Clients take a certificate whose issuer has its own name for one that signed itself.
    params.distinguished_name.push(DnType::CommonName, "Tests");
    let ca = folder.write("ca.pem", params.self_signed(&authority).unwrap().pem());
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = server.signed_by(&key, &Issuer::new(params, authority)).unwrap();
    let cert = folder.write("cert.pem", cert.pem());
    let key = folder.write("key.pem", key.serialize_pem());
    let keys = format!(
        "tls: {{cert_file: {}, key_file: {}}}, auth: {{bearer_tokens: [{TOKEN}]}}",
        cert.display(),
        key.display()
    );
    let secured = |address: &str| address.replace("http://127.0.0.1", "https://localhost");
    everything_arrives(&keys, secured, secured, &[ca.display().to_string(), TOKEN.to_owned()]);
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nothing listens on now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const OVERLOAD: &str = "memory: {buffers: 128KiB}\nadmit: {retry_after: 1s}";

/// A request that holds most of the bytes that may be in flight, for as long as it lives.
async fn hog(host: &Host) -> TcpStream {
    let mut stream = TcpStream::connect(host.http.strip_prefix("http://").unwrap()).await.unwrap();
    let held = 131_000;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: tollgate\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        held + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![0; held]).await.unwrap();
    until_least(host, r#"tollgate_memory_bytes{use="requests"}"#, held as u64).await;
    stream
}

/// Waits until a metric is at least so much.
async fn until_least(host: &Host, metric: &str, least: u64) {
    let start = std::time::Instant::now();
    loop {
        let page = host.metrics().await;
        let line = page.lines().find(|line| line.starts_with(metric));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
        if value >= least {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{metric} is {value}, and not {least}, in\n{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Requests that were refused because there was no room.
const REFUSED: &str = r#"tollgate_requests_refused_total{reason="overloaded"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn rotel_comes_through_an_overload_with_everything() {
    let Some(folder) = packages("TOLLGATE_PEERS", "rotel/rotel-agent") else { return };
    for protocol in ["grpc", "http"] {
        let host = Host::start(OVERLOAD);
        let (grpc, http) = (free_port(), free_port());
        let to = if protocol == "grpc" { &host.grpc } else { &host.http };
        let mut rotel = Command::new(folder.join("rotel/rotel-agent"));
        rotel.args([
            "start",
            "--exporter",
            "otlp",
            "--otlp-exporter-protocol",
            protocol,
            "--otlp-exporter-endpoint",
            to,
        ]);
        rotel.args(["--batch-max-size", "100", "--batch-timeout", "200ms"]);
        rotel.arg(format!("--otlp-grpc-endpoint=127.0.0.1:{grpc}"));
        rotel.arg(format!("--otlp-http-endpoint=127.0.0.1:{http}"));
        let rotel = Running(rotel.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let client = client();
        let sent = |body| {
            client
                .post(format!("http://127.0.0.1:{http}/v1/traces"))
                .header("content-type", "application/x-protobuf")
                .body(body)
                .send()
        };
        // It listens after a while.
        while client.get(format!("http://127.0.0.1:{http}/")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let hog = hog(&host).await;
        let mut ids = BTreeSet::new();
        for trace in 1..=200_u8 {
            let group: Vec<_> = (1..=5).map(|span| chat(trace, span)).collect();
            ids.extend((1..=5_u8).map(|span| (format!("{trace:02x}").repeat(16), format!("{span:02x}").repeat(8))));
            assert_eq!(sent(request(&group)).await.unwrap().status(), 200);
        }
        until_least(&host, REFUSED, 3).await;
        drop(hog);
        host.until_metric("tollgate_spans_received_total 1000").await;
        drop(rotel);
        let came: BTreeSet<_> = spans(&host.stop().1)
            .iter()
            .map(|span| (span["traceId"].as_str().unwrap().to_owned(), span["spanId"].as_str().unwrap().to_owned()))
            .collect();
        assert!(came == ids, "over {protocol} {} of {} spans came", came.len(), ids.len());
    }
}

fn collector(folder: &Path) -> PathBuf {
    folder.join("otel_collector/bin/otelcol-contrib_linux_amd64")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_comes_through_an_overload_with_everything() {
    let Some(folder) = packages("TOLLGATE_PEERS", "otel_collector/bin/otelcol-contrib_linux_amd64") else { return };
    let host = Host::start(OVERLOAD);
    let lines: BTreeSet<String> = (0..1000).map(|number| format!("line {number}")).collect();
    let log = host.folder.write("in.log", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    let yaml = format!(
        "receivers:
  filelog: {{include: [{}], start_at: beginning}}
processors:
  batch: {{send_batch_size: 100, send_batch_max_size: 100, timeout: 200ms}}
exporters:
  otlphttp: {{endpoint: {}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [filelog], processors: [batch], exporters: [otlphttp]}}
",
        log.display(),
        host.http
    );
    let config = host.folder.write("otelcol.yaml", yaml);
    let hog = hog(&host).await;
    let mut otelcol = Command::new(collector(&folder));
    otelcol.arg("--config").arg(config).env("NO_PROXY", "127.0.0.1").stdout(Stdio::null()).stderr(Stdio::null());
    let _otelcol = Running(otelcol.spawn().unwrap());
    until_least(&host, REFUSED, 3).await;
    drop(hog);
    host.until_metric("tollgate_log_records_received_total 1000").await;
    let came: BTreeSet<_> = all(&Value::Array(host.stop().1), &BODIES).into_iter().collect();
    assert!(came == lines, "{} of {} lines came", came.len(), lines.len());
}
