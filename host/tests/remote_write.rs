//! The output `prometheus_remote_write` against a real Prometheus, a real VictoriaMetrics, and a strict receiver.
//!
//! `PROMETHEUS` and `TOLLGATE_VICTORIA` name the binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use axum::http::{HeaderMap, StatusCode};
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Folder, Host, client, request};
use tollgate_otlp::SpanWriter;

const PATIENCE: Duration = Duration::from_secs(60);

/// A store of metrics that answers PromQL.
struct Store {
    child: Child,
    _folder: Folder,
    address: SocketAddr,
    write: &'static str,
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary that a variable names; a loud skip where it is not there.
fn program(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    if path.is_none() {
        let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "{variable} names no binary");
        eprintln!("SKIPPED: {variable} names no binary");
    }
    path
}

impl Store {
    fn prometheus() -> Option<Self> {
        let folder = Folder::new();
        let config = folder.write("prometheus.yml", "global: {}\n");
        let flags = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path("data").display()),
            "--web.enable-remote-write-receiver".to_owned(),
        ];
        Self::start("PROMETHEUS", folder, &flags, "--web.listen-address", "/api/v1/write")
    }

    fn victoria() -> Option<Self> {
        let folder = Folder::new();
        let flags = [
            format!("-storageDataPath={}", folder.path("data").display()),
            // What has just come is asked for at once.
            "-search.latencyOffset=0s".to_owned(),
            "-search.disableCache".to_owned(),
        ];
        Self::start("TOLLGATE_VICTORIA", folder, &flags, "-httpListenAddr", "/api/v1/write")
    }

    fn start(variable: &str, folder: Folder, flags: &[String], listen: &str, write: &'static str) -> Option<Self> {
        let program = program(variable)?;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(program)
            .args(flags)
            .arg(format!("{listen}={address}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path("log")).unwrap())
            .spawn()
            .unwrap();
        Some(Self { child, _folder: folder, address, write })
    }

    fn url(&self) -> String {
        format!("http://{}{}", self.address, self.write)
    }

    async fn until_ready(&self) {
        let begun = Instant::now();
        while self.query("vector(1)", "").await.is_none_or(|answer| answer.is_empty()) {
            assert!(begun.elapsed() < PATIENCE, "it does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Values of an instant query by a label.
    async fn query(&self, query: &str, label: &str) -> Option<BTreeMap<String, f64>> {
        let url = format!("http://{}/api/v1/query", self.address);
        let url = reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap();
        let body = client().get(url).send().await.ok()?.bytes().await.ok()?;
        let answer: serde_json::Value = serde_json::from_slice(&body).ok()?;
        let value = |one: &serde_json::Value| {
            let name = one["metric"][label].as_str().unwrap_or_default().to_owned();
            (name, one["value"][1].as_str().unwrap_or("NaN").parse().unwrap_or(f64::NAN))
        };
        Some(answer["data"]["result"].as_array()?.iter().map(value).collect())
    }

    /// Waits until a query has this answer.
    async fn until(&self, query: &str, label: &str, expected: &BTreeMap<String, f64>) {
        let begun = Instant::now();
        loop {
            let found = self.query(query, label).await.unwrap_or_default();
            let near = |(name, value): (&String, &f64)| {
                expected.get(name).is_some_and(|wanted| (wanted - value).abs() <= wanted.abs() * 1e-12)
            };
            if found.len() == expected.len() && found.iter().all(near) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{query} at {} is {found:?}, not {expected:?}", self.address);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What one call was.
struct Call {
    model: &'static str,
    tokens: u64,
    nano_usd: u64,
    nanos: u64,
}

fn calls(seed: u64) -> Vec<Call> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let models = ["gpt-4o", "claude-opus-4", "gemini \"2\"\\"];
    (0..200)
        .map(|_| Call {
            model: models[usize::try_from(next() % 3).unwrap()],
            tokens: next() % 10_000,
            nano_usd: next() % 1_000_000_000,
            nanos: 1_000_000 + next() % 10_000_000_000,
        })
        .collect()
}

async fn send(host: &Host, calls: &[Call]) {
    let span = |(number, call): (usize, &Call)| {
        let number = u64::try_from(number).unwrap() + 1;
        let mut span = SpanWriter::new([7; 16], number.to_be_bytes(), "chat");
        let start = 1_790_000_000_000_000_000;
        span.times(start, start + call.nanos).set("gen_ai.operation.name", "chat");
        span.set("gen_ai.provider.name", "p").set("gen_ai.request.model", call.model);
        span.set("gen_ai.usage.input_tokens", call.tokens).set("tollgate.cost.nano_usd", call.nano_usd);
        span.set("tollgate.cost.source", "local");
        span
    };
    let spans: Vec<_> = calls.iter().enumerate().map(span).collect();
    assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
}

fn by_model(calls: &[Call], value: impl Fn(&Call) -> f64) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    calls.iter().for_each(|call| *sums.entry(call.model.to_owned()).or_default() += value(call));
    sums
}

fn stages(store: &Store) -> String {
    format!("outputs:\n  prometheus_remote_write: {{endpoint: '{}', interval: 300ms}}\n", store.url())
}

/// The queries of docs/BACKENDS.md give what a count of the calls gives, while the host runs, when it has ended, and when
/// another one counts from zero again.
async fn answers_what_was_counted(store: Store) {
    store.until_ready().await;
    let host = Host::start(&stages(&store));
    let first = calls(1);
    send(&host, &first).await;
    let one = |value: f64| BTreeMap::from([(String::new(), value)]);
    let model = "gen_ai_request_model";
    let tokens = format!("sum by ({model}) (tollgate_tokens_total{{gen_ai_token_type=\"input\"}})");
    store.until(&tokens, model, &by_model(&first, |call| call.tokens as f64)).await;
    let cost = format!("sum by ({model}) (tollgate_cost_nano_usd_total)");
    store.until(&cost, model, &by_model(&first, |call| call.nano_usd as f64)).await;
    let count = format!("sum by ({model}) (gen_ai_client_operation_duration_seconds_count)");
    store.until(&count, model, &by_model(&first, |_| 1.0)).await;
    let below = first.iter().filter(|call| call.nanos <= 2_560_000_000).count();
    store.until("sum(gen_ai_client_operation_duration_seconds_bucket{le=\"2.56\"})", "", &one(below as f64)).await;
    let seconds: u128 = first.iter().map(|call| u128::from(call.nanos)).sum();
    store.until("sum(gen_ai_client_operation_duration_seconds_sum)", "", &one(seconds as f64 / 1e9)).await;
    store.until("count by (job) (target_info)", "job", &BTreeMap::from([("tollgate".to_owned(), 1.0)])).await;

    assert_eq!(host.stop().0.code(), Some(0));
    store.until("tollgate_tokens_total", "", &BTreeMap::new()).await;
    store.until("target_info", "", &BTreeMap::new()).await;

    let host = Host::start(&stages(&store));
    let second = calls(2);
    send(&host, &second).await;
    store.until(&tokens, model, &by_model(&second, |call| call.tokens as f64)).await;
    let all = first.iter().chain(&second).map(|call| call.nano_usd).sum::<u64>();
    store.until("sum(max_over_time(tollgate_cost_nano_usd_total[1h]))", "", &one(all as f64)).await;
    drop(host);
}

#[tokio::test]
async fn prometheus_answers_what_was_counted() {
    let Some(store) = Store::prometheus() else { return };
    answers_what_was_counted(store).await;
}

#[tokio::test]
async fn victoria_metrics_answers_what_was_counted() {
    let Some(store) = Store::victoria() else { return };
    answers_what_was_counted(store).await;
}

/// Prometheus takes OTLP from version 2.47 on, VictoriaMetrics from 1.92; those of Debian 12 are older. Where the endpoint is
/// not there the refusal is counted, and remote write is what is left.
#[tokio::test]
async fn otlp_metrics_are_taken_by_stores_that_have_an_endpoint_for_them_and_else_counted_as_refused() {
    for (store, base) in [(Store::prometheus(), "/api/v1/otlp"), (Store::victoria(), "/opentelemetry/api")] {
        let Some(store) = store else { return };
        store.until_ready().await;
        let host = Host::start(&format!(
            "meter: {{otlp: {{interval: 1s}}}}\noutputs:\n  otlp_http: {{endpoint: 'http://{}{base}'}}\n",
            store.address
        ));
        let begun = Instant::now();
        loop {
            let page = host.metrics().await;
            let refused = page.contains(r#"tollgate_output_dropped_total{output="otlp_http",reason="refused"}"#);
            let tokens = store.query("target_info or {__name__=~\"tollgate.*\"}", "").await.unwrap_or_default();
            if refused || !tokens.is_empty() {
                eprintln!("{} {base}: {}", store.address, if refused { "refused" } else { "taken" });
                assert_ne!(refused, !tokens.is_empty(), "refused and yet there");
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// What a receiver has been sent, and what it answers next.
#[derive(Default)]
struct Receiver {
    answers: VecDeque<u16>,
    wrong: Vec<String>,
    /// Samples by metric, in the order in which they came.
    samples: BTreeMap<String, Vec<Sample>>,
}

/// A receiver with the rules of the specification.
async fn receiver() -> (SocketAddr, Arc<Mutex<Receiver>>) {
    let shared = Arc::new(Mutex::new(Receiver::default()));
    let seen = Arc::clone(&shared);
    let serve = move |headers: HeaderMap, body: axum::body::Bytes| async move { take(&seen, &headers, &body) };
    let router = axum::Router::new().route("/api/v1/write", axum::routing::post(serve));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, shared)
}

fn take(shared: &Mutex<Receiver>, headers: &HeaderMap, body: &[u8]) -> StatusCode {
    let mut shared = shared.lock().unwrap();
    for (name, value) in [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("authorization", "Basic dXNlcjpzZWNyZXQ="),
        ("x-scope-orgid", "team-a"),
    ] {
        if headers.get(name).and_then(|value| value.to_str().ok()) != Some(value) {
            shared.wrong.push(format!("{name}: {:?}", headers.get(name)));
        }
    }
    if let Some(status) = shared.answers.pop_front() {
        return StatusCode::from_u16(status).unwrap();
    }
    let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    for series in WriteRequest::decode(&plain[..]).unwrap().timeseries {
        let names: Vec<_> = series.labels.iter().map(|label| label.name.as_str()).collect();
        if !names.is_sorted_by(|a, b| a < b) || !names.contains(&"region") || series.samples.len() != 1 {
            shared.wrong.push(format!("{series:?}"));
        }
        let name = series.labels.iter().find(|label| label.name == "__name__").unwrap().value.clone();
        shared.samples.entry(name).or_default().extend(series.samples);
    }
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn a_receiver_that_is_down_is_told_later_and_one_that_refuses_is_counted() {
    let (address, shared) = receiver().await;
    shared.lock().unwrap().answers.extend([500, 503, 429, 400]);
    let host = Host::start(&format!(
        "outputs:\n  prometheus_remote_write: {{endpoint: 'http://{address}/api/v1/write', interval: 500ms, \
         external_labels: {{region: eu}}, basic_auth: {{username: user, password: secret}}, \
         headers: {{X-Scope-OrgID: team-a}}, retry: {{initial_interval: 10ms, max_interval: 20ms}}}}\n"
    ));
    send(&host, &calls(3)).await;
    host.until_metric(r#"tollgate_remote_write_failures_total{output="prometheus_remote_write",reason="refused"} 1"#)
        .await;
    let begun = Instant::now();
    while shared.lock().unwrap().samples.get("tollgate_tokens_total").is_none_or(|samples| samples.len() < 6) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Beside this thread, on which the receiver answers.
    let ended = tokio::task::spawn_blocking(move || host.stop().0.code());
    assert_eq!(ended.await.unwrap(), Some(0));
    let shared = shared.lock().unwrap();
    assert_eq!(shared.wrong, Vec::<String>::new());
    let spans = &shared.samples["tollgate_spans_received_total"];
    let (last, before) = spans.split_last().unwrap();
    assert_eq!(last.value.to_bits(), 0x7ff0_0000_0000_0002, "the series is ended");
    assert_eq!(before.last().unwrap().value, 200.0);
    assert!(spans.is_sorted_by(|a, b| a.timestamp <= b.timestamp), "{spans:?}");
}
