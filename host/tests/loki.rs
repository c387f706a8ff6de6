//! The output `loki` against a server with Loki's rules. There is no binary of Loki to test with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/loki.rs"]
mod loki;
mod support;

use loki::Loki;
use std::time::{Duration, Instant};
use support::{Host, chat, request};
use tollgate_otlp::{Envelope, LogWriter, RequestWriter, Severity};

const NOW: u64 = 1_790_000_000_000_000_000;

/// A request with log records of these times.
fn logs(times: &[u64]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for time in times {
        let mut log = LogWriter::event("app.thing", *time, Severity::Info);
        log.within([0xab; 16], [0xcd; 8], 1).attributes().set("http.request.method", "GET");
        writer.push(&Envelope::new(&[("service.name", "shop".into())], "", ""), log.bytes());
    }
    writer.finish()
}

fn host(loki: &Loki, more: &str) -> Host {
    Host::start(&format!(
        "outputs:\n  loki: {{endpoint: 'http://{}', tenant: team-a, retry: {{initial_interval: 10ms}}{more}}}\n",
        loki.address
    ))
}

async fn until<T>(get: impl Fn() -> Vec<T>, count: usize) -> Vec<T> {
    let start = Instant::now();
    loop {
        let found = get();
        if found.len() >= count {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{} of {count}", found.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn log_records_arrive_with_their_trace_and_nothing_else_does() {
    let loki = Loki::start(0, usize::MAX).await;
    let host = host(&loki, "");
    assert_eq!(host.post("/v1/logs", logs(&[NOW, NOW + 1])).await.0, 200);
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    let entries = until(|| loki.entries(), 2).await;
    assert_eq!(entries[0].tenant, "team-a");
    let metadata = &entries[0].structured_metadata;
    assert_eq!(metadata["trace_id"], "ab".repeat(16));
    assert_eq!(metadata["span_id"], "cd".repeat(8));
    assert_eq!(metadata["http_request_method"], "GET");
    host.until_metric(r#"tollgate_output_dropped_total{output="loki",reason="not_wanted"} 1"#).await;
    host.until_metric(r#"tollgate_output_sent_total{output="loki"} 2"#).await;
    assert_eq!((loki.entries().len(), loki.wrong()), (2, Vec::new()));
}

#[tokio::test]
async fn what_passes_is_waited_for_and_what_does_not_is_counted() {
    let loki = Loki::start(NOW, usize::MAX).await;
    loki.answer([429, 500, 503]);
    let host = host(&loki, "");
    let begun = Instant::now();
    assert_eq!(host.post("/v1/logs", logs(&[NOW])).await.0, 200);
    until(|| loki.entries(), 1).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "429 asked for a second");
    host.until_metric(r#"tollgate_output_retries_total{output="loki"} 3"#).await;
    // One of these is too old: Loki keeps the other one and answers with 400, which is not sent again.
    assert_eq!(host.post("/v1/logs", logs(&[NOW - 1, NOW + 5])).await.0, 200);
    host.until_metric(r#"tollgate_output_dropped_total{output="loki",reason="refused"} 2"#).await;
    assert_eq!(loki.entries().len(), 2);
    assert_eq!(loki.statuses(), [429, 500, 503, 204, 400]);
}

#[tokio::test]
async fn what_is_too_large_arrives_in_parts() {
    let loki = Loki::start(0, 2_000).await;
    let host = host(&loki, "");
    let times: Vec<u64> = (0..100).map(|number| NOW + number).collect();
    assert_eq!(host.post("/v1/logs", logs(&times)).await.0, 200);
    let mut found: Vec<u64> = until(|| loki.entries(), 100).await.iter().map(|entry| entry.time).collect();
    found.sort_unstable();
    assert_eq!(found, times);
    assert!(loki.statuses().contains(&413));
}

#[tokio::test]
async fn without_a_tenant_where_one_is_needed_nothing_is_taken() {
    let loki = Loki::start(0, usize::MAX).await;
    let host = Host::start(&format!("outputs:\n  loki: {{endpoint: 'http://{}'}}\n", loki.address));
    assert_eq!(host.post("/v1/logs", logs(&[NOW])).await.0, 200);
    host.until_metric(r#"tollgate_output_dropped_total{output="loki",reason="refused"} 1"#).await;
}

#[tokio::test]
async fn content_and_findings_are_log_records_where_asked_for() {
    let loki = Loki::start(0, usize::MAX).await;
    let host = host(&loki, ", content: true");
    let mut said = chat(7, 1);
    said.set("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"<EMAIL_ADDRESS_1>"}]}]"#);
    said.set("tollgate.redaction.EMAIL_ADDRESS", 1_i64);
    assert_eq!(host.post("/v1/traces", request(&[said, chat(7, 2)])).await.0, 200);
    let entries = until(|| loki.entries(), 1).await;
    assert_eq!(
        entries[0].line,
        r#"{"gen_ai.input.messages":[{"parts":[{"content":"<EMAIL_ADDRESS_1>","type":"text"}],"role":"user"}]}"#
    );
    let metadata = &entries[0].structured_metadata;
    assert_eq!(metadata["trace_id"], "07".repeat(16));
    assert_eq!(metadata["tollgate_redaction_EMAIL_ADDRESS"], "1");
    assert_eq!(metadata["gen_ai_request_model"], "gpt-4o");
    host.until_metric(r#"tollgate_output_sent_total{output="loki"} 1"#).await;
    host.until_metric(r#"tollgate_output_dropped_total{output="loki",reason="not_wanted"} 1"#).await;
}
