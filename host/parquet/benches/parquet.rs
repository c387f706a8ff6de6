//! How fast spans become Parquet files, beside the same spans as lines of OTLP/JSON.
//!
//! With `TOLLGATE_DUCKDB` set, PyArrow reads a file into memory and writes the same table; it does not read OTLP, and it
//! does not flush.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a bench fails by panicking")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
use tollgate_parquet::{Compression, Options, Rows, Store};

const SPANS: u64 = 50_000;
const START: u64 = 1_790_000_000_000_000_000;

fn main() {
    for (what, content) in [("spans without content", 0), ("spans with 2 kB of content", 2_000)] {
        let request = request(content);
        println!("{what}: {SPANS} spans, {:.1} MB of OTLP", request.len() as f64 / 1e6);
        let folder = tempfile::tempdir().unwrap();
        let lines = json_lines(&request, &folder.path().join("lines.jsonl"));
        report("OTLP/JSON lines, fsync", lines, &request, lines.0);
        for (name, compression) in [
            ("Parquet, zstd, fsync", Compression::Zstd),
            ("Parquet, snappy, fsync", Compression::Snappy),
            ("Parquet, no compression, fsync", Compression::None),
        ] {
            let path = folder.path().join(format!("{compression:?}"));
            let written = parquet(&request, &path, compression);
            report(name, written, &request, lines.0);
            if compression == Compression::Zstd {
                pyarrow(&path, &request, lines.0);
            }
        }
    }
}

fn report(name: &str, (time, bytes): (Duration, u64), request: &[u8], peer: Duration) {
    let seconds = time.as_secs_f64();
    println!(
        "  {name:<34} {:>7.0} MB/s {:>9.0} spans/s  {:>6.2} MB on disk  {:.2} times JSON lines",
        request.len() as f64 / 1e6 / seconds,
        SPANS as f64 / seconds,
        bytes as f64 / 1e6,
        peer.as_secs_f64() / seconds,
    );
}

/// Spans of calls as the token extractor and the cost calculator leave them, of 4 services.
fn request(content: usize) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    let words = ["price", "of", "the", "ticket", "please", "answer", "briefly", "weather", "Berlin", "tomorrow"];
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for number in 0..SPANS {
        let service = ["shop", "search", "support", "billing"].get((next() % 4) as usize).copied().unwrap_or_default();
        let envelope = Envelope::new(
            &[
                ("service.name", service.into()),
                ("service.version", "1.4.2".into()),
                ("k8s.pod.name", "shop-7d9f8b6c5d-x2x4k".into()),
                ("cloud.region", "eu-central-1".into()),
            ],
            "opentelemetry.instrumentation.openai",
            "2",
        );
        let mut trace = [0; 16];
        trace.iter_mut().for_each(|byte| *byte = (next() & 255) as u8);
        let mut span = SpanWriter::new(trace, (number + 1).to_be_bytes(), "chat gpt-4o");
        let start = START + number * 1_000_000;
        span.times(start, start + next() % 5_000_000_000).kind(tollgate_otlp::SpanKind::Client);
        for (name, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-4o"),
            ("gen_ai.response.model", "gpt-4o-2024-08-06"),
            ("tollgate.call.role", "billable"),
            ("tollgate.usage.source", "provider"),
            ("tollgate.cost.source", "local"),
            ("tollgate.cost.price_set", "2026-09-01"),
            ("tollgate.cost.price_row", "openai/gpt-4o"),
            ("tollgate.cost.currency", "USD"),
            ("server.address", "api.openai.com"),
        ] {
            span.set(name, value);
        }
        span.set("gen_ai.response.id", format!("chatcmpl-{:016x}", next() * next()).as_str());
        span.set("user.id", format!("user-{}", next() % 1_000).as_str());
        span.set("gen_ai.conversation.id", format!("conversation-{}", next() % 10_000).as_str());
        span.set("gen_ai.usage.input_tokens", next() % 10_000).set("gen_ai.usage.output_tokens", next() % 1_000);
        span.set("gen_ai.usage.cache_read.input_tokens", next() % 1_000);
        span.set("tollgate.cost.nano_usd", next() % 10_000_000).set("server.port", 443_i64);
        span.set("gen_ai.response.time_to_first_chunk", (next() % 1_000) as f64 / 1e3);
        span.set_json("gen_ai.response.finish_reasons", r#"["stop"]"#).unwrap();
        if content > 0 {
            let mut text = String::new();
            while text.len() < content {
                text.push_str(words.get((next() % 10) as usize).copied().unwrap_or_default());
                text.push(' ');
            }
            let messages = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{text}"}}]}}]"#);
            span.set("gen_ai.input.messages", messages.as_str());
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}

/// The best of three, and the bytes on the disk.
fn best(mut run: impl FnMut() -> u64) -> (Duration, u64) {
    (0..3)
        .map(|_| {
            let begun = Instant::now();
            let bytes = run();
            (begun.elapsed(), bytes)
        })
        .min()
        .unwrap()
}

/// What the output `json_lines` does, with a flush to the disk.
fn json_lines(request: &[u8], path: &Path) -> (Duration, u64) {
    best(|| {
        let decoded = ExportTraceServiceRequest::decode(request).unwrap();
        let line = serde_json::to_vec(&decoded).unwrap();
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(&line).unwrap();
        file.sync_all().unwrap();
        line.len() as u64
    })
}

fn parquet(request: &[u8], path: &Path, compression: Compression) -> (Duration, u64) {
    let store = Store::open(Options { compression, ..Options::new(path) }).unwrap();
    best(|| store.write(Rows::Spans, request).unwrap().bytes)
}

fn pyarrow(path: &Path, request: &[u8], peer: Duration) {
    let Some(packages) = std::env::var_os("TOLLGATE_DUCKDB") else {
        println!("  SKIPPED: PyArrow, because TOLLGATE_DUCKDB is not set");
        return;
    };
    let script = "
import sys, time, os, pyarrow.dataset as ds, pyarrow.parquet as pq
table = ds.dataset(sys.argv[1] + '/traces', format='parquet').to_table()
out = sys.argv[1] + '/peer'
best = 1e9
for _ in range(3):
    begun = time.perf_counter(); pq.write_table(table, out, compression='zstd'); best = min(best, time.perf_counter() - begun)
print(best, os.path.getsize(out))
";
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python).env("PYTHONPATH", packages).args(["-c", script]).arg(path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let (Some(seconds), Some(bytes)) = (words.next(), words.next()) else {
        println!("  PyArrow failed: {}", String::from_utf8_lossy(&output.stderr));
        return;
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    report("PyArrow, from its own table, zstd", (time, bytes.parse().unwrap()), request, peer);
}
