//! Any text as a composite value: refused, or a value that is read back as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, TraceRequest};

fuzz_target!(|text: &str| {
    let mut span = SpanWriter::new([1; 16], [2; 8], "a");
    if span.set_json("k", text).is_err() {
        return;
    }
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::default(), span.bytes());
    let bytes = writer.finish();
    let request = TraceRequest::scan(&bytes, &Limits::default()).expect("a request");
    let json = request.span(0).expect("a span").attributes().to_json();
    assert!(span.set_json("again", &json).is_ok(), "{json}");
});
