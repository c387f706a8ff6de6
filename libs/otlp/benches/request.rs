//! What reading and editing a request costs, against decoding it with prost.
//!
//! `cargo bench -p tollgate-otlp`. All sides run in turns over the same bytes, so that a loaded machine slows all of
//! them; the best of the rounds counts, being the one that was disturbed least. Times are for one span.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message;
use std::hint::black_box;
use std::time::Instant;
use tollgate_columns::{Attribute, Batch, Edits, Kind, Texts};
use tollgate_otlp::{Envelope, Limits, NewValue, Reads, RequestWriter, SpanKind, SpanWriter, StatusCode, TraceRequest};

const SPANS: u32 = 100;
const ROUNDS: usize = 301;
const READS: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "openai.response.service_tier",
    "span:startTime",
];

fn main() {
    let bytes = request();
    let writes = [Attribute::new("tollgate.cost.amount", Kind::Real), Attribute::new("app.tier", Kind::Text)];
    let (small, with_text) = (Reads::compile(READS).unwrap(), Reads::compile(&["gen_ai.input.messages"]).unwrap());
    let edits = edits();
    let limits = Limits::default();
    let scan = || TraceRequest::scan(&bytes, &limits).unwrap();
    let scanned = scan();
    let set = scanned.texts();
    let mut changed = Texts::default();
    for (row, text) in set.texts().iter().filter(|(_, text)| text.len() > 100) {
        changed.push(row, &text.replace("world", "*****"));
    }

    println!("{SPANS} spans of {} bytes, 15 attributes each", bytes.len() / SPANS as usize);
    let mut reading =
        Table::new("prost decode", || ExportTraceServiceRequest::decode(&bytes[..]).unwrap().encoded_len());
    reading.add("scan", || scan().len());
    reading.add("scan and project 10 small values", || scan().project(&small).integers.len());
    reading.add("scan and project a text of 1.8 kB", || scan().project(&with_text).texts.len());
    reading.add("project 10 small values", || scanned.project(&small).integers.len());
    reading.print();

    let mut writing = Table::new("prost decode, edit, encode", || {
        let mut request = ExportTraceServiceRequest::decode(&bytes[..]).unwrap();
        let spans = request.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans).flat_map(|s| &mut s.spans);
        for span in spans {
            let value = AnyValue { value: Some(any_value::Value::DoubleValue(0.25)) };
            span.attributes.push(KeyValue {
                key: "tollgate.cost.amount".to_owned(),
                value: Some(value),
                key_strindex: 0,
            });
            let value = AnyValue { value: Some(any_value::Value::StringValue("gold".to_owned())) };
            span.attributes.push(KeyValue { key: "app.tier".to_owned(), value: Some(value), key_strindex: 0 });
        }
        request.encode_to_vec().len()
    });
    writing.add("scan and apply 2 edits", || scan().apply(&edits, &writes).unwrap().len());
    writing.add("apply 2 edits", || scanned.apply(&edits, &writes).unwrap().len());
    writing.add("all texts", || scanned.texts().len());
    writing.add("replace 2 texts", || scanned.replace(&set, &changed).unwrap().len());
    writing.add("regroup", || {
        let mut writer = RequestWriter::new();
        scanned.spans().for_each(|span| writer.copy(&span));
        writer.finish().len()
    });
    writing.print();
}

/// Spans as an instrumentation sends them, 4 kB each, of which most is what was said.
fn request() -> Vec<u8> {
    let text = "hello, world; what is the price of a ticket to the moon? ".repeat(32);
    let resource: [(&str, NewValue<'_>); 3] =
        [("service.name", "shop".into()), ("service.version", "1.2.3".into()), ("host.name", "a".into())];
    let envelope = Envelope::new(&resource, "opentelemetry.instrumentation.openai", "2.4");
    let mut writer = RequestWriter::new();
    for number in 0..SPANS {
        let mut span = SpanWriter::new([1; 16], u64::from(number + 1).to_be_bytes(), "chat gpt-4o-mini");
        span.parent([3; 8]).kind(SpanKind::Client).times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        span.status(StatusCode::Unset, "");
        span.set("gen_ai.operation.name", "chat").set("gen_ai.provider.name", "openai");
        span.set("gen_ai.request.model", "gpt-4o-mini").set("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
        span.set("gen_ai.response.id", "chatcmpl-9J3uIL87gldCFtiIbyaOvTeYBRA3l").set("server.port", 443_i64);
        span.set("gen_ai.request.temperature", 0.7).set("gen_ai.request.max_tokens", 1024_i64);
        span.set("gen_ai.response.finish_reasons", &["stop"][..]).set("server.address", "api.openai.com");
        span.set("gen_ai.usage.input_tokens", 1234_i64).set("gen_ai.usage.output_tokens", 567_i64);
        span.set("gen_ai.usage.cache_read.input_tokens", 1024_i64);
        span.set("gen_ai.input.messages", text.as_str()).set("gen_ai.output.messages", text.as_str());
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}

fn edits() -> Batch {
    let mut edits = Edits::new(SPANS);
    for row in 0..SPANS {
        edits.real(row, 0, 0.25);
        edits.text(row, 1, "gold");
    }
    edits.finish()
}

type Work<'w> = Box<dyn Fn() -> usize + 'w>;

/// Things that are timed in turns; the first is what the others are compared with.
struct Table<'w> {
    rows: Vec<(&'static str, Work<'w>)>,
}

impl<'w> Table<'w> {
    fn new(peer: &'static str, work: impl Fn() -> usize + 'w) -> Self {
        Self { rows: vec![(peer, Box::new(work))] }
    }

    fn add(&mut self, name: &'static str, work: impl Fn() -> usize + 'w) {
        self.rows.push((name, Box::new(work)));
    }

    fn print(&self) {
        let mut times = vec![f64::INFINITY; self.rows.len()];
        for _ in 0..ROUNDS {
            for ((_, work), best) in self.rows.iter().zip(&mut times) {
                let start = Instant::now();
                black_box(work());
                *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(SPANS));
            }
        }
        let peer = times.first().copied().unwrap_or_default();
        for ((name, _), time) in self.rows.iter().zip(&times) {
            println!("{name:<36} {time:>8.0} ns  {:>5.1}x", peer / time);
        }
    }
}
