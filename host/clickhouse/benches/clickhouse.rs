//! Throughput of rows and of inserts.
//!
//!     cargo bench -p tollgate-clickhouse --bench clickhouse
//!
//! Rows are compared with what an exporter does that decodes the request first: prost's messages, and the same rows made of
//! them. Inserts need the engine (`TOLLGATE_CHDB`), which runs in one process behind a shim in Python: they say what the
//! engine's reading and writing costs on this machine, and not what a server does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::traffic;
use common::{LIMIT, Server, run, schema, value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate_clickhouse::migrate::migrate;
use tollgate_clickhouse::{Compression, column, rows, token};

const SPANS: usize = 8_192;

/// The shortest run of each, in turns, so that a loaded machine slows all of them.
fn in_turns<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let start = Instant::now();
    let mut best = [Duration::MAX; N];
    while start.elapsed() < Duration::from_secs(6) {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let begun = Instant::now();
            run();
            *best = (*best).min(begun.elapsed());
        }
    }
    best
}

/// The shortest of several runs, which is the least disturbed.
fn shortest(mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_secs(2) {
        let begun = Instant::now();
        run();
        best = best.min(begun.elapsed());
    }
    best
}

fn per_span(what: &str, time: Duration, bytes: usize) {
    let ns = time.as_nanos() as f64 / SPANS as f64;
    let rate = bytes as f64 / time.as_secs_f64() / 1e6;
    println!("{what:<44} {ns:>8.0} ns/span {rate:>8.0} MB/s");
}

fn main() {
    let request = traffic::request(&traffic::calls(1, SPANS));
    println!("{SPANS} spans, {} bytes of OTLP a span", request.len() / SPANS);
    let [ours, decoding, theirs] = in_turns([
        &mut || drop(black_box(rows::spans(black_box(&request), LIMIT).unwrap())),
        &mut || drop(black_box(ExportTraceServiceRequest::decode(black_box(&request[..])).unwrap())),
        &mut || drop(black_box(decoded(black_box(&request)))),
    ]);
    per_span("rows from the encoded request", ours, request.len());
    per_span("peer: prost decodes the request", decoding, request.len());
    per_span("peer: prost decodes, rows from messages", theirs, request.len());
    println!("{:<44} {:>8.2} times as fast as decoding first", "", theirs.as_secs_f64() / ours.as_secs_f64());

    let rows = rows::spans(&request, LIMIT).unwrap();
    println!("\n{} bytes of rows a span", rows.bytes.len() / SPANS);
    for compression in [Compression::Lz4, Compression::Zstd, Compression::Gzip] {
        let time = shortest(|| drop(black_box(compression.pack(rows.bytes.clone()).unwrap())));
        let size = compression.pack(rows.bytes.clone()).unwrap().len();
        per_span(&format!("{compression:?}: to {} bytes a span", size / SPANS), time, rows.bytes.len());
    }
    let time = shortest(|| drop(black_box(token(black_box(&request)))));
    per_span("token", time, request.len());
    inserts();
}

/// The rows of the exporter's columns, made of messages.
fn decoded(request: &[u8]) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    let mut out = Vec::new();
    for resource in &request.resource_spans {
        let of_resource = map(&resource.resource.as_ref().unwrap().attributes);
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                out.extend_from_slice(&span.start_time_unix_nano.to_le_bytes());
                for id in [&span.trace_id, &span.span_id, &span.parent_span_id] {
                    string(&mut out, &id.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                }
                string(&mut out, &span.trace_state);
                string(&mut out, &span.name);
                pairs(&mut out, &of_resource);
                let attributes = map(&span.attributes);
                pairs(&mut out, &attributes);
                for column in column::SPANS {
                    let name = column.attributes[0];
                    let found = attributes.iter().find(|(key, _)| key == name);
                    string(&mut out, found.map_or("", |(_, value)| value));
                }
            }
        }
    }
    out
}

fn map(attributes: &[KeyValue]) -> Vec<(String, String)> {
    attributes.iter().map(|entry| (entry.key.clone(), text(entry.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(value)) => value.to_string(),
        Some(any_value::Value::DoubleValue(value)) => value.to_string(),
        Some(any_value::Value::ArrayValue(array)) => {
            format!("[{}]", array.values.iter().map(|value| text(Some(value))).collect::<Vec<_>>().join(","))
        }
        _ => String::new(),
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn pairs(out: &mut Vec<u8>, map: &[(String, String)]) {
    for (key, value) in map {
        string(out, key);
        string(out, value);
    }
}

fn inserts() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    println!("\ninserts of {SPANS} spans through the engine's shim, one after the other");
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        let mut seed = 100;
        for (what, compression) in [("lz4", Compression::Lz4), ("zstd", Compression::Zstd), ("none", Compression::None)]
        {
            let mut best = Duration::MAX;
            let mut size = 0;
            for _ in 0..8 {
                seed += 1;
                let request = traffic::request(&traffic::calls(seed, SPANS));
                size = request.len();
                let begun = Instant::now();
                let rows = rows::spans(&request, LIMIT).unwrap().bytes;
                let packed = compression.pack(rows).unwrap();
                common::insert(&client, "otel_traces", packed, compression, &token(&request), true).await.unwrap();
                best = best.min(begun.elapsed());
            }
            per_span(&format!("{what}: rows, insert, views"), best, size);
        }
        let rows = value(&client, "SELECT count() FROM otel.otel_llm_calls").await;
        let sizes = "SELECT concat(table, ': ', toString(sum(rows)), ' rows, ', \
                     toString(round(sum(data_uncompressed_bytes) / sum(rows))), ' bytes a row, ', \
                     toString(round(sum(bytes_on_disk) / sum(rows))), ' on disk') FROM system.parts \
                     WHERE database = 'otel' AND active AND table LIKE 'otel_%' GROUP BY table ORDER BY table";
        println!("\n{rows} calls");
        for row in common::table(&client, sizes).await {
            println!("{}", row[0]);
        }
        for (what, query) in [
            (
                "cost by model, exact",
                "SELECT LlmRequestModel, sum(LlmCost) FROM otel.otel_llm_calls FINAL GROUP BY ALL",
            ),
            (
                "cost by model, from sums",
                "SELECT LlmModel, sum(LlmCost) FROM otel.otel_llm_calls_by_minute GROUP BY ALL",
            ),
            (
                "cost by model, from attributes",
                "SELECT SpanAttributes['gen_ai.request.model'], \
              sum(toInt64OrZero(SpanAttributes['tollgate.cost.nano_usd'])) FROM otel.otel_traces GROUP BY ALL",
            ),
        ] {
            let mut best = Duration::MAX;
            for _ in 0..5 {
                let begun = Instant::now();
                common::table(&client, query).await;
                best = best.min(begun.elapsed());
            }
            println!("{what:<44} {:>8.1} ms", best.as_secs_f64() * 1e3);
        }
    });
}
