//! Several hosts: they decide alike without a word, and share the traces of one topic so that none is lost with a host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/kafka.rs"]
#[allow(dead_code, reason = "each test file uses a part of this")]
mod kafka;
mod support;

use kafka::Cluster;
use std::collections::BTreeSet;
use std::time::Duration;
use support::{Host, build, request, spans};
use tollgate_otlp::{SpanWriter, StatusCode};
use tollgate_sampler::head::Ratio;

/// Keeps traces with an error, and 30 of 100 others.
fn sampler(build: &std::path::Path, wait: &str) -> String {
    format!(
        "sample:\n  decision_wait: {wait}\n  decision_wait_after_root_received: {wait}\n  plugin:\n    \
         path: {}/plugins/sampler.wasm\n    config:\n      policies:\n        \
         - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}\n        \
         - {{name: rest, type: probabilistic, probabilistic: {{sampling_percentage: 30}}}}\n",
        build.display()
    )
}

/// Ids as random as those of a tracer: multiples of a large odd number.
fn trace_id(trace: u64) -> [u8; 16] {
    let half = |salt: u64| (trace + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&half(1));
    id[8..].copy_from_slice(&half(1_000_003));
    id
}

/// Spans of a trace.
const SPANS: u64 = 3;

fn fails(trace: u64) -> bool {
    trace % 7 == 3
}

/// One span of a trace. The last fails where the trace does.
fn span(trace: u64, number: u64) -> SpanWriter {
    let mut span = SpanWriter::new(trace_id(trace), (trace * SPANS + number + 1).to_be_bytes(), "work");
    span.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
    if number > 0 {
        span.parent((trace * SPANS + 1).to_be_bytes());
    }
    if fails(trace) && number + 1 == SPANS {
        span.status(StatusCode::Error, "failed");
    }
    span
}

/// The ids of spans that one host alone would keep.
fn expected(traces: std::ops::Range<u64>) -> BTreeSet<String> {
    let ratio = Ratio::new(0.3).unwrap();
    let kept = traces.filter(|trace| fails(*trace) || ratio.decide(trace_id(*trace)));
    kept.flat_map(|trace| (0..SPANS).map(move |number| format!("{:016x}", trace * SPANS + number + 1))).collect()
}

/// Bytes of traces that wait for a decision, as a metrics page has them.
fn waiting(page: &str) -> u64 {
    let value = |line: &str| line.strip_prefix("tollgate_memory_bytes{use=\"traces\"} ")?.parse().ok();
    page.lines().find_map(value).unwrap_or(0)
}

fn ids(lines: &[serde_json::Value]) -> BTreeSet<String> {
    spans(lines).iter().map(|span| span["spanId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_decide_alike_without_a_word() {
    let Some(build) = build() else { return };
    let hosts: Vec<_> = (0..3).map(|_| Host::start(&sampler(&build, "100ms"))).collect();
    for (step, host) in [1_u64, 3, 7].into_iter().zip(&hosts) {
        // Each gets them in another order, and in other requests.
        let traces: Vec<u64> = (0..400).map(|trace| trace * step % 400).collect();
        for some in traces.chunks(30 + usize::try_from(step).unwrap()) {
            let all: Vec<_> = some.iter().flat_map(|trace| (0..SPANS).map(|number| span(*trace, number))).collect();
            assert_eq!(host.post("/v1/traces", request(&all)).await.0, 200);
        }
    }
    let kept: Vec<_> = hosts.into_iter().map(|host| ids(&host.stop().1)).collect();
    assert!(kept.iter().all(|kept| *kept == expected(0..400)));
    assert!((400..800).contains(&kept[0].len()), "some and not all: {}", kept[0].len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_costs_no_trace() {
    const TRACES: u64 = 600;
    let (Some(build), Some(cluster)) = (build(), Cluster::start(6)) else { return };
    let stages = format!(
        "  kafka: {{brokers: {}, group_id: g, session_timeout: 1s, heartbeat_interval: 100ms, max_fetch_wait: 50ms, \
         autocommit: {{interval: 50ms}}}}\nlog: {{storage: memory}}\n{}",
        cluster.brokers,
        // Longer than the group takes to share the partitions anew: a trace is decided by what has come.
        sampler(&build, "8s")
    );
    let mut hosts: Vec<_> = (0..3).map(|_| Host::start(&stages)).collect();
    // The spans of a trace come one by one, with those of forty others between them.
    let produce = |traces: std::ops::Range<u64>| {
        for number in 0..SPANS {
            let records: Vec<_> = traces.clone().map(|trace| request(&[span(trace, number)])).collect();
            let keys: Vec<_> = traces.clone().map(trace_id).collect();
            let keyed: Vec<_> = keys.iter().zip(records).map(|(key, record)| (Some(&key[..]), Some(record))).collect();
            cluster.produce("otlp_spans", &keyed);
        }
    };
    let mut lost = None;
    for first in (0..TRACES).step_by(40) {
        produce(first..first + 40);
        if first == 200 {
            // It has some, which wait for their decision.
            let victim = hosts.remove(1);
            let start = std::time::Instant::now();
            while waiting(&victim.metrics().await) == 0 {
                assert!(start.elapsed() < Duration::from_secs(30), "it has nothing");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            lost = Some(victim.crash());
        }
    }
    cluster.until_committed("g", "otlp_spans").await;
    let mut kept: BTreeSet<String> = hosts.into_iter().flat_map(|host| ids(&host.stop().1)).collect();
    let text = std::fs::read_to_string(lost.unwrap().path("out.jsonl")).unwrap_or_default();
    // The last line may have been under way.
    let lines: Vec<serde_json::Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    kept.extend(ids(&lines));
    let expected = expected(0..TRACES);
    let (missing, more) = (expected.difference(&kept).count(), kept.difference(&expected).count());
    assert_eq!((missing, more), (0, 0), "of {} spans", expected.len());
}
