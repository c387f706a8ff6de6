//! The health batch: what a plugin has to get through before it takes over from one that runs.
//!
//! It is small, and has what plugins meet: a call as the conventions describe it, a span that has nothing to do with a model,
//! texts that are empty, long words, and other scripts.

use crate::stages::log::Receipt;
use crate::stages::plugin::{Enricher, Failure, Redactor, Sampler};
use crate::stages::sample::{Assembly, Bounds, ask, fragments};
use std::time::{Duration, Instant};
use tollgate_columns::{Given, Texts};
use tollgate_otlp::{Envelope, Limits, Reads, RequestWriter, SpanWriter, StatusCode, TraceRequest};

/// The texts that a redactor is given, each of a group of its own.
const TEXTS: [&str; 4] =
    ["", "a call to the model", "{\"messages\":[{\"role\":\"user\",\"content\":\"你好\"}]}", "\u{1f680} ñ"];
/// The place that they stand in.
const PLACE: &str = "span.attributes.gen_ai.input.messages";

/// When the call began, in nanoseconds since 1970.
const STARTED: u64 = 1_700_000_000_000_000_000;
/// Room for all of the batch.
const BOUNDS: Bounds = Bounds {
    wait: Duration::ZERO,
    wait_complete: Duration::ZERO,
    wait_open: Duration::ZERO,
    traces: 10,
    bytes: 1 << 20,
    trace_bytes: 1 << 20,
};

/// Whether an enricher gets through the batch.
pub(super) fn enricher(enricher: &dyn Enricher) -> Result<(), Failure> {
    let request = request();
    let scanned = TraceRequest::scan(&request, &Limits::default()).map_err(unreadable)?;
    let reads = Reads::compile(&enricher.manifest().reads).map_err(unreadable)?;
    let edits = enricher.enrich(scanned.project(&reads))?;
    scanned.apply(&edits, &enricher.manifest().writes).map(|_| ()).map_err(unreadable)
}

/// Whether a redactor gets through the texts.
pub(super) fn redactor(redactor: &dyn Redactor) -> Result<(), Failure> {
    let mut texts = Texts::default();
    let rows = 0_u32..;
    texts.offsets.push(0);
    for (row, text) in rows.zip(TEXTS) {
        texts.rows.push(row);
        texts.data.extend_from_slice(text.as_bytes());
        texts.offsets.push(u32::try_from(texts.data.len()).unwrap_or(u32::MAX));
    }
    let (places, groups) = (vec![0; TEXTS.len()], vec![1; TEXTS.len()]);
    redactor.redact(&Given { texts, places, names: vec![PLACE.to_owned()], groups }).map(|_| ())
}

/// Whether a sampler decides the traces of the batch.
pub(super) fn sampler(sampler: &dyn Sampler) -> Result<(), Failure> {
    let reads = Reads::compile(&sampler.manifest().reads).map_err(unreadable)?;
    let mut assembly = Assembly::new(BOUNDS);
    for arrival in fragments(&request().into(), &Receipt::default()) {
        assembly.add(arrival, Instant::now());
    }
    let traces: Vec<_> = std::iter::from_fn(|| assembly.first()).collect();
    ask(sampler, &reads, &traces, STARTED).map(|_| ())
}

fn request() -> Vec<u8> {
    let mut call = SpanWriter::new([1; 16], [1; 8], "chat gpt-4o");
    call.times(STARTED, STARTED + 1_000_000_000);
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#),
    ] {
        call.set(name, value);
    }
    call.set("gen_ai.usage.input_tokens", 12_u64).set("gen_ai.usage.output_tokens", 3_u64);
    let mut other = SpanWriter::new([2; 16], [2; 8], "GET /");
    other.status(StatusCode::Error, "not found");
    let mut writer = RequestWriter::new();
    let envelope = Envelope::new(&[("service.name", "health".into())], "health", "1");
    [call, other].iter().for_each(|span| writer.push(&envelope, span.bytes()));
    writer.finish()
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure { kind: "malformed", message: error.to_string() }
}
