//! Cutting requests into records, beside decoding, grouping and encoding them with `prost`; and, where `TOLLGATE_KAFKA` names
//! the folder of `confluent-kafka`, writing to the brokers of the tests, beside the client of that package with the same
//! records, and reading from them: `cargo bench -p tollgate-kafka`.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate_kafka::{
    Ack, Acks, Compression, Connection, Consumer, ConsumerOptions, Hasher, InitialOffset, Keys, Producer,
    ProducerOptions, Refused, Take, Topics, Watch, cut,
};
use tollgate_otlp::{Envelope, Items, RequestWriter, SpanWriter};

const SPANS: usize = 1_000;
const ROUNDS: usize = 40;
/// Requests that are sent to the brokers, which hold 5 MB of a partition.
const REQUESTS: usize = 24;
const KEYS: Keys =
    Keys { traces_by_id: true, logs_by_trace_id: false, logs_by_resource: false, metrics_by_resource: false };

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    for spans_a_trace in [1, 5, 50] {
        cutting(spans_a_trace);
    }
    let Some(packages) = std::env::var_os("TOLLGATE_KAFKA") else {
        println!("SKIPPED: writing and reading: TOLLGATE_KAFKA is not set");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for spans_a_trace in [5, 50] {
        for compression in [Compression::None, Compression::Zstd] {
            runtime.block_on(brokers(&packages, spans_a_trace, compression))?;
        }
    }
    Ok(())
}

/// Spans of about a kilobyte.
fn request(spans_a_trace: usize) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into()), ("service.version", "1.2.3".into())], "sdk", "2.4");
    let mut writer = RequestWriter::new();
    for number in 0..SPANS {
        let mut trace = [7; 16];
        trace[8..].copy_from_slice(&((number / spans_a_trace) as u64 + 1).to_be_bytes());
        let mut span = SpanWriter::new(trace, (number as u64 + 1).to_be_bytes(), "chat gpt-4o");
        span.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        for at in 0..20 {
            span.set(&format!("gen_ai.attribute.{at}"), format!("value {} of {number}", at * 7_919).as_str());
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}

fn best(mut work: impl FnMut() -> usize) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(work());
        best = best.min(start.elapsed().as_nanos() as f64 / SPANS as f64);
    }
    best
}

fn cutting(spans_a_trace: usize) {
    let bytes = request(spans_a_trace);
    let ours = best(|| cut(black_box(&bytes), Items::Spans, KEYS, 1_000_000).map_or(0, |cuts| cuts.records.len()));
    let theirs = best(|| by_prost(black_box(&bytes)).len());
    let size = bytes.len() / SPANS;
    println!(
        "cut, {spans_a_trace:>2} spans a trace, {size} bytes a span: {ours:>7.0} ns/span; prost {theirs:>7.0} ({:.2}x)",
        theirs / ours
    );
}

/// The same with decoded spans.
fn by_prost(bytes: &[u8]) -> Vec<Vec<u8>> {
    let request = ExportTraceServiceRequest::decode(bytes).unwrap_or_default();
    let mut traces: BTreeMap<Vec<u8>, ExportTraceServiceRequest> = BTreeMap::new();
    for resource in request.resource_spans {
        for scope in resource.scope_spans {
            for span in scope.spans {
                let trace = traces.entry(span.trace_id.clone()).or_insert_with(|| ExportTraceServiceRequest {
                    resource_spans: vec![ResourceSpans {
                        resource: resource.resource.clone(),
                        schema_url: resource.schema_url.clone(),
                        scope_spans: vec![ScopeSpans {
                            scope: scope.scope.clone(),
                            schema_url: scope.schema_url.clone(),
                            spans: Vec::new(),
                        }],
                    }],
                });
                let scopes = trace.resource_spans.first_mut().and_then(|resource| resource.scope_spans.first_mut());
                if let Some(scope) = scopes {
                    scope.spans.push(span);
                }
            }
        }
    }
    traces.into_values().map(|request| request.encode_to_vec()).collect()
}

/// The brokers of the tests, and the client beside them.
struct Cluster {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    brokers: Vec<String>,
}

impl Cluster {
    fn start(packages: &std::ffi::OsStr) -> Result<Self, Failure> {
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/kafka_broker.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(["24", "otlp_spans", "theirs"])
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut cluster = Self { child, input, output, brokers: Vec::new() };
        let said = cluster.line()?;
        let brokers = said.get("brokers").and_then(Value::as_array).ok_or("no brokers")?;
        cluster.brokers = brokers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(cluster)
    }

    fn line(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Seconds that the other client needs.
    fn ask(&mut self, what: &Value) -> Result<f64, Failure> {
        writeln!(self.input, "{what}")?;
        self.line()?.get("seconds").and_then(Value::as_f64).ok_or_else(|| "no seconds".into())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts what it is given.
#[derive(Default)]
struct Counting(AtomicU64);

impl Take for Counting {
    async fn take(&self, _: Items, request: Bytes, _: Ack) -> Result<(), Refused> {
        let items = tollgate_otlp::items(&request, Items::Spans).unwrap_or(0);
        self.0.fetch_add(items, Ordering::Relaxed);
        Ok(())
    }
}

impl Watch for Counting {
    fn received(&self, _: &str, _: u64) {}
    fn invalid(&self, _: &str) {}
    fn waits(&self) {}
    fn committed(&self, _: bool) {}
    fn rebalanced(&self) {}
    fn lag(&self, _: &str, _: i32, _: Option<u64>) {}
}

async fn brokers(packages: &std::ffi::OsStr, spans_a_trace: usize, compression: Compression) -> Result<(), Failure> {
    let mut cluster = Cluster::start(packages)?;
    let connection = Connection {
        brokers: cluster.brokers.clone(),
        client_id: "bench".to_owned(),
        tls: None,
        sasl: None,
        timeout: Duration::from_secs(30),
    };
    let options = ProducerOptions {
        topics: Topics::default(),
        keys: KEYS,
        hasher: Hasher::SaramaCompat,
        max_message_bytes: 1_000_000,
        acks: Acks::All,
        compression,
        linger: Duration::from_millis(10),
    };
    let bytes = Bytes::from(request(spans_a_trace));
    let records = cut(&bytes, Items::Spans, KEYS, 1_000_000)?.records;
    let producer = Arc::new(Producer::new(connection.clone(), options));
    let start = Instant::now();
    // As many at once as an output has consumers.
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (producer, bytes) = (Arc::clone(&producer), bytes.clone());
            tokio::spawn(async move {
                for _ in 0..REQUESTS / 4 {
                    producer.send(Items::Spans, bytes.clone()).await?;
                }
                Ok::<_, tollgate_kafka::SendError>(())
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    let wrote = start.elapsed().as_secs_f64();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let value = records.first().map(|record| hex(&record.value)).unwrap_or_default();
    let name = if compression == Compression::Zstd { "zstd" } else { "none" };
    let count = records.len() * REQUESTS;
    let asked = json!({"do": "write_many", "topic": "theirs", "value": value, "count": count, "compression": name});
    let their_write = cluster.ask(&asked)?;

    let counting = Arc::new(Counting::default());
    let options = ConsumerOptions {
        topics: vec![("otlp_spans".to_owned(), Items::Spans)],
        group_id: "bench".to_owned(),
        group_instance_id: None,
        initial_offset: InitialOffset::Earliest,
        session_timeout: Duration::from_secs(10),
        heartbeat_interval: Duration::from_secs(3),
        min_fetch_size: 1,
        max_fetch_size: 32 << 20,
        max_partition_fetch_size: 4 << 20,
        max_fetch_wait: Duration::from_millis(20),
        max_request_bytes: 1 << 20,
        concurrency: 4,
        commit_interval: Duration::from_secs(1),
    };
    let consumer = Consumer::start(connection, options, Arc::clone(&counting), Arc::clone(&counting), Arc::default());
    let start = Instant::now();
    while counting.0.load(Ordering::Relaxed) < (SPANS * REQUESTS) as u64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let read = start.elapsed().as_secs_f64();
    consumer.stop().await;
    consumer.leave(Duration::from_secs(5)).await;

    let spans = (SPANS * REQUESTS) as f64;
    let size = bytes.len() as f64 * REQUESTS as f64 / 1e6;
    let speed = |seconds: f64| format!("{:>7.0} spans/s, {:>5.1} MB/s", spans / seconds, size / seconds);
    println!(
        "write {spans_a_trace:>2} spans a record, {name}: {}, {:>6.0} records/s; confluent-kafka {:>6.0} records/s ({:.2}x)",
        speed(wrote),
        count as f64 / wrote,
        count as f64 / their_write,
        their_write / wrote
    );
    println!("read  {spans_a_trace:>2} spans a record, {name}: {}, with the time to join the group", speed(read));
    Ok(())
}
