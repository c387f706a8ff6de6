//! Kafka between hosts, with brokers that speak its protocol and the official client on either side.
//!
//! The brokers are the mock cluster of librdkafka, which the package `confluent-kafka` of Python has in it: connections,
//! consumer groups and offsets are real, what is stored is in memory. `TOLLGATE_KAFKA` names the folder that it is installed
//! in; `cargo xtask test` installs it and sets that. It speaks neither TLS nor SASL, so of those is tested that they are
//! asked for, and that what does not speak them is not taken for something that does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/backend.rs"]
#[allow(dead_code, reason = "each test file uses a part of this")]
mod backend;
#[path = "support/kafka.rs"]
mod kafka;
mod support;

use backend::{Answer, Backend};
use kafka::{Cluster, NONE};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use support::{Folder, Host, request, spans};
use tollgate_otlp::{Envelope, Limits, LogWriter, RequestWriter, Severity, SpanWriter, TraceRequest};

const HTTP: &str = "http: {endpoint: 127.0.0.1:0}";
/// A group that soon misses a member that is gone, and commits often.
const SOON: &str = "session_timeout: 1s, heartbeat_interval: 100ms, autocommit: {interval: 50ms}, max_fetch_wait: 50ms";

/// The stages of a host that reads from a cluster.
fn reads(cluster: &Cluster) -> String {
    format!("  kafka: {{brokers: {}, group_id: g, {SOON}}}\n", cluster.brokers)
}

/// The outputs of a host that writes to a cluster.
fn writes(cluster: &Cluster, keys: &str) -> String {
    format!("outputs:\n  kafka: {{brokers: {}, timeout: 2s, {keys}}}\n", cluster.brokers)
}

/// A span whose id is its number, one of `of` in its trace.
fn span(number: u64, of: u64) -> SpanWriter {
    let mut trace = [7; 16];
    trace[8..].copy_from_slice(&(number / of + 1).to_be_bytes());
    let mut span = SpanWriter::new(trace, (number + 1).to_be_bytes(), "work");
    span.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
    span
}

fn id(number: u64) -> String {
    format!("{:016x}", number + 1)
}

/// The span ids of written lines.
fn ids(lines: &[serde_json::Value]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for span in spans(lines) {
        *ids.entry(span["spanId"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    ids
}

fn expected(count: u64) -> BTreeSet<String> {
    (0..count).map(id).collect()
}

/// The lines that a host has written, which may be writing still.
fn written(host: &Host) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(host.folder.path("out.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn logs(count: usize) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "tests", "1");
    let mut writer = RequestWriter::new();
    for number in 0..count {
        writer.push(&envelope, LogWriter::event(&format!("event {number}"), 1, Severity::Info).bytes());
    }
    writer.finish()
}

/// A gauge with one point: resource, scope, metric.
fn metrics() -> Vec<u8> {
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }
    let point = [&[0x19][..], &5_u64.to_le_bytes(), &[0x31], &42_u64.to_le_bytes()].concat();
    let metric = [field(1, b"load"), field(5, &field(1, &point))].concat();
    field(1, &field(2, &field(2, &metric)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_host_writes_another_reads() {
    let Some(cluster) = Cluster::start(6) else { return };
    let writer = Host::start(&writes(&cluster, "producer: {compression: zstd}"));
    let all: Vec<_> = (0..300).map(|number| span(number, 5)).collect();
    for some in all.chunks(37) {
        assert_eq!(writer.post("/v1/traces", request(some)).await.0, 200);
    }
    assert_eq!(writer.post("/v1/logs", logs(10)).await.0, 200);
    assert_eq!(writer.post("/v1/metrics", metrics()).await.0, 200);
    writer.until_metric("tollgate_output_sent_total{output=\"kafka\"} 311").await;

    // As the official client reads it: keys as the Collector's, a partition for each, values that are requests.
    let records = cluster.read("otlp_spans");
    let mut partitions: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let mut found = 0;
    for record in &records {
        let scanned = TraceRequest::scan(&record.value, &Limits::default()).unwrap();
        for span in scanned.spans() {
            let trace: String = span.trace_id().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(record.key.as_deref(), Some(trace.as_bytes()));
            let place = tollgate_kafka::sarama_partition(trace.as_bytes(), 6);
            assert_eq!(record.partition, i64::from(place));
            partitions.entry(trace).or_default().insert(record.partition);
            found += 1;
        }
    }
    assert_eq!((found, partitions.len()), (300, 60));
    assert!(partitions.values().all(|partitions| partitions.len() == 1), "one trace, one partition");
    assert!(partitions.values().flatten().collect::<BTreeSet<_>>().len() > 3, "and not one for all");
    assert!(cluster.read("otlp_logs").iter().all(|record| record.key.is_none()));

    let reader = Host::start(&reads(&cluster));
    for topic in ["otlp_spans", "otlp_logs", "otlp_metrics"] {
        cluster.until_committed("g", topic).await;
    }
    let page = reader.metrics().await;
    for line in [
        "tollgate_spans_received_total 300".to_owned(),
        "tollgate_log_records_received_total 10".to_owned(),
        "tollgate_metric_points_received_total 1".to_owned(),
        format!("tollgate_kafka_records_total{{topic=\"otlp_spans\"}} {}", records.len()),
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
    }
    let (status, lines) = reader.stop();
    assert!(status.success());
    let found = ids(&lines);
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected(300));
    assert!(found.values().all(|count| *count == 1), "nothing went wrong, and nothing came twice");
    let text = serde_json::to_string(&lines).unwrap();
    assert!(text.contains("event 9") && text.contains("\"load\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_no_requests_are_counted_and_left_out() {
    let Some(cluster) = Cluster::start(1) else { return };
    let value = |number| Some(request(&[span(number, 1)]));
    // The second would take the bytes of the next for its own; the fourth is whole, and wrong within.
    let records =
        [value(0), Some(b"\x0a\x7fnone".to_vec()), value(1), Some(b"\x0a\x02\xff\xff".to_vec()), None, value(2)];
    cluster.produce("otlp_spans", &records.map(|value| (Some(&b"k"[..]), value)));
    cluster.produce("otlp_logs", &[(None, Some(b"hello".to_vec())), (None, Some(logs(2)))]);
    let host = Host::start(&reads(&cluster));
    cluster.until_committed("g", "otlp_spans").await;
    cluster.until_committed("g", "otlp_logs").await;
    host.until_metric("tollgate_kafka_invalid_records_total{topic=\"otlp_spans\"} 3").await;
    host.until_metric("tollgate_kafka_invalid_records_total{topic=\"otlp_logs\"} 1").await;
    host.until_metric("tollgate_kafka_lag_records{topic=\"otlp_spans\",partition=\"0\"} 0").await;
    host.until_metric("tollgate_log_records_received_total 2").await;
    let (_, lines) = host.stop();
    assert_eq!(ids(&lines).into_keys().collect::<BTreeSet<_>>(), expected(3));
}

/// With the log in memory nothing but the broker has what an output has not.
#[tokio::test(flavor = "multi_thread")]
async fn offsets_wait_for_the_slowest_output() {
    let Some(cluster) = Cluster::start(2) else { return };
    let (open, closed) = tokio::sync::oneshot::channel();
    let backend = Backend::start(4 << 20, None).await;
    backend.answer([Answer::After(closed)]);
    let stages = format!(
        "{}log: {{storage: memory}}\noutputs:\n  otlp_http: {{endpoint: \"http://{}\", queue: {{num_consumers: 1}}}}\n",
        reads(&cluster),
        backend.address
    );
    let host = Host::start(&stages);
    for number in 0..20 {
        cluster.produce("otlp_spans", &[(Some(&number.to_string().into_bytes()), Some(request(&[span(number, 1)])))]);
    }
    host.until_metric("tollgate_spans_received_total 20").await;
    until("the other output has all", || ids(&written(&host)).len() == 20).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(cluster.committed("g", "otlp_spans").iter().max(), Some(&NONE), "one output has nothing yet");
    open.send(()).unwrap();
    cluster.until_committed("g", "otlp_spans").await;
    let taken: usize =
        backend.taken().iter().map(|seen| TraceRequest::scan(&seen.body, &Limits::default()).unwrap().len()).sum();
    assert_eq!(taken, 20);
    assert_eq!(ids(&host.stop().1).into_keys().collect::<BTreeSet<_>>(), expected(20));
}

/// What an output has not taken when the process ends is not committed, and comes again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_at_the_end_is_not_committed() {
    let Some(cluster) = Cluster::start(2) else { return };
    let (_open, closed) = tokio::sync::oneshot::channel::<()>();
    let backend = Backend::start(4 << 20, None).await;
    backend.answer([Answer::After(closed)]);
    let stages = |address: String| {
        format!(
            "{}log: {{storage: memory}}\nshutdown: {{deadline: 1s}}\noutputs:\n  \
             otlp_http: {{endpoint: \"http://{address}\", timeout: 60s}}\n",
            reads(&cluster),
        )
    };
    let host = Host::start(&stages(backend.address.to_string()));
    cluster.produce("otlp_spans", &[(Some(b"a"), Some(request(&[span(0, 1)])))]);
    host.until_metric("tollgate_spans_received_total 1").await;
    assert!(host.stop().0.success());
    assert_eq!(cluster.committed("g", "otlp_spans"), [NONE, NONE]);
    let other = Backend::start(4 << 20, None).await;
    let host = Host::start(&stages(other.address.to_string()));
    cluster.until_committed("g", "otlp_spans").await;
    assert_eq!(other.taken().len(), 1);
    assert!(host.stop().0.success());
}

/// Where the log is on disk, and where it is in memory: whatever was written to the topic arrives.
async fn a_reader_is_killed(log: &str) {
    let Some(cluster) = Cluster::start(4) else { return };
    let (mut folder, mut sent) = (Folder::new(), 0);
    // With an instance id a member has its partitions again as soon as it is back, so that each round reads.
    let stages = format!("{}{log}", reads(&cluster).replace("group_id: g", "group_id: g, group_instance_id: one"));
    let mut random = u64::from(std::process::id()) | 1;
    for round in 0..10 {
        let host = Host::start_in(folder, HTTP, &stages);
        // Mostly long enough that something is read; sometimes it is killed while it joins.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let joins = if round % 4 == 3 { 50 } else { 400 };
        let lives = Duration::from_millis(joins + (random >> 33) % 1_300);
        let killed = Instant::now() + lives;
        while Instant::now() < killed {
            let some: Vec<_> = (sent..sent + 50).map(|number| span(number, 5)).collect();
            let records: Vec<_> = some.chunks(5).map(|spans| Some(request(spans))).collect();
            let keys: Vec<_> = (0..10).map(|at| (sent + at).to_string().into_bytes()).collect();
            let keyed: Vec<_> = keys.iter().map(Vec::as_slice).map(Some).zip(records).collect();
            cluster.produce("otlp_spans", &keyed);
            sent += 50;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        folder = host.crash();
        let lines = std::fs::read_to_string(folder.path("out.jsonl")).unwrap_or_default();
        eprintln!("round {round}: killed after {lives:?}, {sent} spans sent, {} lines written", lines.lines().count());
    }
    let host = Host::start_in(folder, HTTP, &stages);
    cluster.until_committed("g", "otlp_spans").await;
    let (status, lines) = host.stop();
    assert!(status.success());
    let found = ids(&lines);
    let twice = found.values().filter(|count| **count > 1).count();
    eprintln!("{sent} spans sent, {} arrived, {twice} more than once", found.len());
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected(sent), "every span, and no other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_its_log_on_disk_is_killed_and_nothing_is_lost() {
    a_reader_is_killed("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_its_log_in_memory_is_killed_and_nothing_is_lost() {
    a_reader_is_killed("log: {storage: memory}\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_is_killed_and_what_it_acknowledged_arrives() {
    let Some(cluster) = Cluster::start(4) else { return };
    let (mut folder, mut next, mut acknowledged) = (Folder::new(), 0, BTreeSet::new());
    let stages = writes(&cluster, "");
    let mut random = u64::from(std::process::id()) | 1;
    for _ in 0..10 {
        let host = Host::start_in(folder, HTTP, &stages);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let killed = Instant::now() + Duration::from_millis((random >> 33) % 700);
        loop {
            let some: Vec<_> = (next..next + 20).map(|number| span(number, 4)).collect();
            if host.post("/v1/traces", request(&some)).await.0 == 200 {
                acknowledged.extend((next..next + 20).map(id));
            }
            next += 20;
            if Instant::now() > killed {
                break;
            }
        }
        folder = host.crash();
    }
    let host = Host::start_in(folder, HTTP, &stages);
    let mut found = BTreeMap::new();
    let start = Instant::now();
    while !acknowledged.iter().all(|id| found.contains_key(id)) {
        assert!(start.elapsed() < Duration::from_secs(60), "{} of {}", found.len(), acknowledged.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
        found.clear();
        for record in cluster.read("otlp_spans") {
            for span in TraceRequest::scan(&record.value, &Limits::default()).unwrap().spans() {
                let id: String = span.span_id().iter().map(|byte| format!("{byte:02x}")).collect();
                *found.entry(id).or_insert(0) += 1;
            }
        }
    }
    let twice = found.values().filter(|count| **count > 1).count();
    eprintln!("{} spans acknowledged, {} in the topic, {twice} more than once", acknowledged.len(), found.len());
    assert!(host.end().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_a_member_that_is_gone_go_to_another() {
    let Some(cluster) = Cluster::start(4) else { return };
    let (first, second) = (Host::start(&reads(&cluster)), Host::start(&reads(&cluster)));
    let mut sent = 0;
    let mut both = false;
    let start = Instant::now();
    while !both {
        assert!(start.elapsed() < Duration::from_secs(60), "one member has all partitions");
        for number in sent..sent + 20 {
            cluster
                .produce("otlp_spans", &[(Some(&number.to_string().into_bytes()), Some(request(&[span(number, 1)])))]);
        }
        sent += 20;
        tokio::time::sleep(Duration::from_millis(200)).await;
        both = !written(&first).is_empty() && !written(&second).is_empty();
    }
    let folder = first.crash();
    for number in sent..sent + 100 {
        cluster.produce("otlp_spans", &[(Some(&number.to_string().into_bytes()), Some(request(&[span(number, 1)])))]);
    }
    sent += 100;
    cluster.until_committed("g", "otlp_spans").await;
    // What the first had durable and not delivered is its own, and comes when it does.
    let first = Host::start_in(folder, HTTP, "");
    let (_, of_second) = second.stop();
    let (_, of_first) = first.stop();
    let mut found = ids(&of_first);
    found.extend(ids(&of_second));
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected(sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_down_are_waited_for() {
    let Some(cluster) = Cluster::start(4) else { return };
    let retry = "retry: {initial_interval: 100ms, max_interval: 300ms}";
    let writer = Host::start(&writes(&cluster, retry));
    let reader = Host::start(&reads(&cluster));
    let mut sent = 0;
    for is_up in [true, false, true] {
        for broker in 1..=3 {
            cluster.set_up(broker, is_up);
        }
        for _ in 0..10 {
            let some: Vec<_> = (sent..sent + 10).map(|number| span(number, 2)).collect();
            assert_eq!(writer.post("/v1/traces", request(&some)).await.0, 200);
            sent += 10;
        }
        if !is_up {
            writer.until_said("sending again", 1).await;
        }
    }
    // What the official client says about a cluster that is coming back is for it to say.
    until("everything arrives", || ids(&written(&reader)).len() as u64 == sent).await;
    let dropped = writer.metrics().await;
    assert!(!dropped.contains("tollgate_output_dropped_total{output=\"kafka\""), "{dropped}");
    assert_eq!(ids(&reader.stop().1).into_keys().collect::<BTreeSet<_>>(), expected(sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_no_larger_than_the_broker_takes() {
    let Some(cluster) = Cluster::start(2) else { return };
    let writer = Host::start(&writes(&cluster, "producer: {max_message_bytes: 4KiB}"));
    let with_text = |number: u64, length: usize| {
        let mut span = span(number, 100);
        span.set("text", "x".repeat(length).as_str());
        span
    };
    let large: Vec<_> = (0..20).map(|number| with_text(number, if number == 7 { 6_000 } else { 900 })).collect();
    assert_eq!(writer.post("/v1/traces", request(&large)).await.0, 200);
    assert_eq!(writer.post("/v1/traces", request(&[with_text(20, 6_000)])).await.0, 200);
    writer.until_metric("tollgate_output_sent_total{output=\"kafka\"} 19").await;
    let page = writer.metrics().await;
    let lost: u64 = page
        .lines()
        .filter(|line| line.starts_with("tollgate_output_dropped_total{output=\"kafka\""))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum();
    assert_eq!(lost, 2, "{page}");
    let records = cluster.read("otlp_spans");
    assert!(records.len() >= 5 && records.iter().all(|record| record.value.len() <= 4_096), "{}", records.len());
}

/// Numbers of requests and of errors in Kafka's protocol.
const PRODUCE: i32 = 0;
const OFFSET_COMMIT: i32 = 8;
const MESSAGE_TOO_LARGE: i32 = 10;
const GROUP_AUTHORIZATION_FAILED: i32 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_finds_too_large_is_sent_in_parts_and_a_commit_that_fails_is_made_again() {
    let Some(cluster) = Cluster::start(1) else { return };
    let writer = Host::start(&writes(&cluster, ""));
    cluster.fail(PRODUCE, MESSAGE_TOO_LARGE, 2);
    let some: Vec<_> = (0..20).map(|number| span(number, 20)).collect();
    assert_eq!(writer.post("/v1/traces", request(&some)).await.0, 200);
    writer.until_metric("tollgate_output_sent_total{output=\"kafka\"} 20").await;
    assert!(cluster.read("otlp_spans").len() > 1, "in parts");

    cluster.fail(OFFSET_COMMIT, GROUP_AUTHORIZATION_FAILED, 2);
    let reader = Host::start(&reads(&cluster));
    reader.until_metric("tollgate_kafka_commits_total{outcome=\"failed\"} 2").await;
    cluster.until_committed("g", "otlp_spans").await;
    assert_eq!(ids(&reader.stop().1).into_keys().collect::<BTreeSet<_>>(), expected(20));
}

/// The brokers of these tests speak neither: nothing is sent in the clear to them in its place, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn tls_and_sasl_are_not_left_out_where_a_broker_does_not_speak_them() {
    let Some(cluster) = Cluster::start(1) else { return };
    for keys in [
        "tls: {}",
        "auth: {sasl: {username: me, password: secret, mechanism: SCRAM-SHA-256}}",
        "auth: {sasl: {username: me, password: secret, mechanism: PLAIN}}, tls: {}",
    ] {
        let host = Host::start(&writes(&cluster, &format!("{keys}, retry: {{initial_interval: 50ms}}")));
        assert_eq!(host.post("/v1/traces", request(&[span(0, 1)])).await.0, 200);
        let said = host.until_said("sending again", 1).await;
        assert!(!said.join("\n").contains("secret"), "{said:?}");
        eprintln!("{keys}: {}", said[0]);
        assert!(cluster.read("otlp_spans").is_empty(), "{keys}");
        let reader = Host::start(&format!("  kafka: {{brokers: {}, timeout: 2s, {keys}}}\n", cluster.brokers));
        reader.until_said("Kafka cannot be read", 1).await;
    }
}
