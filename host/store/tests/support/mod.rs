//! Spans to store, and a folder to store them in.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
use tollgate_store::{Options, Store};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// The time of the tests: some day in 2026.
pub(crate) const NOW: u64 = 1_790_000_000 * SECOND;

/// A folder and the options of a store in it.
pub(crate) fn folder(max_bytes: u64) -> (TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("calls.db");
    let options = Options { path, max_bytes, max_age: Duration::from_secs(3_600), max_content_bytes: 64 << 10 };
    (folder, options)
}

pub(crate) fn store(max_bytes: u64) -> (TempDir, Store) {
    let (folder, options) = folder(max_bytes);
    let store = Store::open(options, NOW).unwrap();
    (folder, store)
}

/// Ids that numbers stand for.
pub(crate) fn ids(trace: u64, span: u64) -> ([u8; 16], [u8; 8]) {
    // Spread as random ids are, so that they land anywhere in an index.
    let spread = |number: u64| number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&spread(trace).to_be_bytes());
    id[8..].copy_from_slice(&(trace + 1).to_be_bytes());
    (id, spread(span).to_be_bytes())
}

/// A call of a trace of its own that ended at a time.
pub(crate) fn call(number: u64, ended: u64) -> SpanWriter {
    let (trace_id, span_id) = ids(number, number);
    let mut span = SpanWriter::new(trace_id, span_id, "chat gpt-4o");
    span.times(ended - SECOND, ended);
    span.set("gen_ai.operation.name", "chat").set("gen_ai.request.model", "gpt-4o");
    span
}

/// A request with spans of one service.
pub(crate) fn request<'s>(service: &str, spans: impl IntoIterator<Item = &'s SpanWriter>) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", service.into())], "test", "1");
    let mut writer = RequestWriter::new();
    spans.into_iter().for_each(|span| writer.push(&envelope, span.bytes()));
    writer.finish()
}
