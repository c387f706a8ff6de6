//! What was accepted, and what becomes of it when the process is killed, when outputs fail, and when the disk is full.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use axum::extract::State;
use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use support::{Folder, Host, attribute, build, chat, client, request, run, spans};
use tollgate_otlp::{Limits, TraceRequest};

const HTTP: &str = "http: {endpoint: 127.0.0.1:0}";

/// An OTLP backend that refuses for as long as it is told, and remembers how often each trace came.
#[derive(Clone, Default)]
struct Backend(Arc<Mutex<(bool, BTreeMap<u8, usize>)>>);

impl Backend {
    async fn start() -> (Self, String) {
        let backend = Self::default();
        let take = |State(backend): State<Self>, body: bytes::Bytes| async move {
            let (up, seen) = &mut *backend.0.lock().unwrap();
            if !*up {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            for span in TraceRequest::scan(&body, &Limits::default()).unwrap().spans() {
                *seen.entry(span.trace_id()[0]).or_default() += 1;
            }
            StatusCode::OK
        };
        let router = axum::Router::new().route("/v1/traces", axum::routing::post(take)).with_state(backend.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (backend, format!("http://{address}"))
    }

    fn comes_up(&self) {
        self.0.lock().unwrap().0 = true;
    }

    fn seen(&self) -> BTreeMap<u8, usize> {
        self.0.lock().unwrap().1.clone()
    }
}

/// The configuration of an output that does not give up, and tries often.
fn output(endpoint: &str, more: &str) -> String {
    format!(
        "outputs:\n  otlp_http/backend: {{endpoint: \"{endpoint}\", compression: none, {more}\
         retry: {{initial_interval: 10ms, max_interval: 50ms}}}}\n"
    )
}

async fn send(host: &Host, traces: impl Iterator<Item = u8>) {
    for trace in traces {
        assert_eq!(host.post("/v1/traces", request(&[chat(trace, 1)])).await.0, 200);
    }
}

fn once(traces: impl Iterator<Item = u8>) -> BTreeMap<u8, usize> {
    traces.map(|trace| (trace, 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_output_has_taken_outlives_a_kill_and_what_one_has_taken_does_not_come_twice() {
    let (backend, endpoint) = Backend::start().await;
    let config = output(&endpoint, "");
    let host = Host::start(&config);
    send(&host, 1..=20).await;
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 20"#).await;
    let host = Host::start_in(host.crash(), HTTP, &config);
    backend.comes_up();
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 20"#).await;
    let page = host.until_metric("tollgate_log_recovered_records_total 20").await;
    assert!(page.contains("tollgate_spans_received_total 0\n"), "what was metered is not metered again: {page}");
    assert_eq!(backend.seen(), once(1..=20));
    host.until_metric("tollgate_log_records 0").await;
    let (status, written) = host.stop();
    assert!(status.success());
    // Marks go to disk in groups; what was not there yet comes twice.
    let mut lines = BTreeMap::new();
    for span in spans(&written) {
        *lines.entry(span["traceId"].as_str().unwrap()[..2].to_owned()).or_insert(0) += 1;
    }
    assert_eq!(lines.len(), 20);
    assert!(lines.values().all(|times| *times <= 2), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_that_wait_for_their_decision_outlive_a_kill() {
    let Some(build) = build() else { return };
    let config = |wait: &str| {
        format!("sample: {{decision_wait: {wait}, plugin: {{path: {}/plugins/sampler.wasm}}}}", build.display())
    };
    let host = Host::start(&config("1h"));
    send(&host, 1..=5).await;
    host.until_metric("tollgate_sampling_pending_traces 5").await;
    let host = Host::start_in(host.crash(), HTTP, &config("100ms"));
    host.until_metric("tollgate_spans_kept_total 5").await;
    host.until_metric("tollgate_log_records 0").await;
    assert_eq!(spans(&host.stop().1).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_the_process_ends_is_for_the_next_one() {
    let (backend, endpoint) = Backend::start().await;
    let config = format!("shutdown: {{deadline: 200ms}}\n{}", output(&endpoint, ""));
    let mut host = Host::start(&config);
    send(&host, 1..=3).await;
    let folder = std::mem::replace(&mut host.folder, Folder::new());
    assert!(host.stop().0.success());
    let host = Host::start_in(folder, HTTP, &config);
    backend.comes_up();
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 3"#).await;
    assert_eq!(backend.seen(), once(1..=3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_queue_does_not_hold_in_memory_is_read_back_from_the_log() {
    let (backend, endpoint) = Backend::start().await;
    let host = Host::start(&output(&endpoint, "queue: {max_bytes: 1KiB}, "));
    send(&host, 1..=50).await;
    let page = host.metrics().await;
    let held = r#"tollgate_output_queue_bytes{output="otlp_http/backend"} "#;
    let held: u64 = page.lines().find_map(|line| line.strip_prefix(held)).unwrap().parse().unwrap();
    assert!(held <= 1024, "{held}");
    assert!(page.contains("tollgate_output_queue_requests{output=\"otlp_http/backend\"} 50\n"), "{page}");
    backend.comes_up();
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 50"#).await;
    assert_eq!(backend.seen(), once(1..=50));
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_traces_that_a_queue_does_not_hold_are_written_to_the_log() {
    let Some(build) = build() else { return };
    let (backend, endpoint) = Backend::start().await;
    let config = format!(
        "sample: {{decision_wait: 0s, plugin: {{path: {}/plugins/sampler.wasm}}}}\n{}",
        build.display(),
        output(&endpoint, "queue: {max_bytes: 1KiB}, ")
    );
    let host = Host::start(&config);
    for trace in 1..=20 {
        // Each is decided by itself.
        send(&host, [trace].into_iter()).await;
        host.until_metric(&format!("tollgate_spans_kept_total {trace}")).await;
    }
    let host = Host::start_in(host.crash(), HTTP, &config);
    backend.comes_up();
    host.until_metric("tollgate_log_records 0").await;
    let seen = backend.seen();
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_refuses_until_there_is_room_and_drops_nothing() {
    let (backend, endpoint) = Backend::start().await;
    let log = "log: {path: FOLDER/log, max_bytes: 8MiB, segment_bytes: 64KiB, fsync: never}\n";
    let host = Host::start_with(
        "http: {endpoint: 127.0.0.1:0, max_request_body_size: 2MiB}",
        &format!("{log}{}", output(&endpoint, "")),
    );
    let large = || {
        let mut span = chat(1, 1);
        span.set("payload", "x".repeat(500_000).as_str());
        request(&[span])
    };
    let mut accepted = 0;
    let refused = loop {
        let sent = client().post(format!("{}/v1/traces", host.http)).header("content-type", "application/x-protobuf");
        let answer = sent.body(large()).send().await.unwrap();
        match answer.status().as_u16() {
            200 => accepted += 1,
            _ => break answer,
        }
        assert!(accepted < 100, "8 MiB are full at some time");
    };
    assert_eq!(refused.status().as_u16(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    host.until_metric(r#"tollgate_log_refused_total{reason="full"} 1"#).await;
    backend.comes_up();
    host.until_metric(&format!("tollgate_output_sent_total{{output=\"otlp_http/backend\"}} {accepted}")).await;
    host.until_metric("tollgate_log_records 0").await;
    assert_eq!(host.post("/v1/traces", large()).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_disk_requests_are_refused_while_a_queue_is_full() {
    let (backend, endpoint) = Backend::start().await;
    let host = Host::start(&format!("log: {{storage: memory}}\n{}", output(&endpoint, "queue: {max_bytes: 1KiB}, ")));
    let mut accepted = 0;
    while host.post("/v1/traces", request(&[chat(1, 1)])).await.0 == 200 {
        accepted += 1;
        assert!(accepted < 20, "1 KiB is full at some time");
    }
    host.until_metric(r#"tollgate_requests_refused_total{reason="overloaded"} 1"#).await;
    backend.comes_up();
    host.until_metric(&format!("tollgate_output_sent_total{{output=\"otlp_http/backend\"}} {accepted}")).await;
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    assert!(!host.folder.path("log").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_on_disk_is_counted_and_the_rest_is_served() {
    let (backend, endpoint) = Backend::start().await;
    let config = output(&endpoint, "");
    let host = Host::start(&config);
    send(&host, 1..=10).await;
    let folder = host.crash();
    let segment = files(&folder.path("log")).into_iter().find(|file| file.ends_with("segment")).unwrap();
    let segment = folder.path("log").join(segment);
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    let host = Host::start_in(folder, HTTP, &config);
    backend.comes_up();
    host.until_metric("tollgate_log_damaged_records_total 1").await;
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 9"#).await;
    host.until_said("a part of the log cannot be read", 1).await;
    assert_eq!(backend.seen().len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_redactor_takes_out_touches_the_disk() {
    let Some(build) = build() else { return };
    let (_backend, endpoint) = Backend::start().await;
    let redact = format!("redact:\n  - path: {}/plugins/pii_redactor.wasm\n", build.display());
    let host = Host::start(&format!("{redact}{}", output(&endpoint, "")));
    let mut span = chat(1, 1);
    span.set("note", "write to ada@example.com");
    assert_eq!(host.post("/v1/traces", request(&[span])).await.0, 200);
    let folder = host.crash();
    let mut seen = String::new();
    for file in files(&folder.path("log")) {
        seen += &String::from_utf8_lossy(&std::fs::read(folder.path("log").join(file)).unwrap());
    }
    assert!(seen.contains("write to <EMAIL_ADDRESS>"), "the request is in the log");
    assert!(!seen.contains("ada@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_of_one_process() {
    let host = Host::start("");
    let config = host.folder.path("tollgate.yaml");
    let output = run(&["run", "--config", config.to_str().unwrap()], b"");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is in use by another process"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_survive_the_log_byte_by_byte() {
    let (backend, endpoint) = Backend::start().await;
    let config = output(&endpoint, "");
    let host = Host::start(&config);
    let mut span = chat(7, 1);
    span.set("text", "\u{1f680} \u{0} é");
    assert_eq!(host.post("/v1/traces", request(&[span])).await.0, 200);
    backend.comes_up();
    host.until_metric("tollgate_log_records 0").await;
    let written = spans(&host.stop().1);
    assert_eq!(attribute(&written[0], "text").unwrap(), "\u{1f680} \u{0} é");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
