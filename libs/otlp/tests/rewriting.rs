//! Spans with attributes taken out and added.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::borrow::Cow;
use tollgate_otlp::{
    Envelope, JsonValue, Limits, LogWriter, LogsRequest, NewValue, RequestWriter, Severity, SpanWriter, TraceRequest,
    Value,
};

fn request(spans: &[SpanWriter]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    spans.iter().for_each(|span| writer.push(&Envelope::new(&[("s", "shop".into())], "sc", "1"), span.bytes()));
    writer.finish()
}

fn span(number: u8, attributes: &[(&str, NewValue<'_>)]) -> SpanWriter {
    let mut span = SpanWriter::new([1; 16], [number; 8], "chat");
    attributes.iter().for_each(|(name, value)| {
        span.set(name, *value);
    });
    span
}

fn scan(bytes: &[u8]) -> TraceRequest<'_> {
    TraceRequest::scan(bytes, &Limits::default()).unwrap()
}

#[test]
fn a_request_without_changes_is_itself() {
    let bytes = request(&[span(1, &[("a", "x".into())]), span(2, &[])]);
    let request = scan(&bytes);
    assert!(matches!(request.rewrite(|_, _| {}).unwrap(), Cow::Borrowed(same) if same == bytes));
}

#[test]
fn attributes_go_and_come() {
    let before = [
        span(1, &[("a", "x".into()), ("b", 2_i64.into()), ("c", true.into())]),
        span(2, &[]),
        span(3, &[("a", 0.5.into())]),
    ];
    // What is added stands behind the last attribute; a span has it where the writer puts it.
    let after = [
        span(1, &[("b", 2_i64.into()), ("new", "y".into())]),
        span(2, &[("new", "y".into())]),
        span(3, &[("a", 0.5.into())]),
    ];
    let bytes = request(&before);
    let rewritten = scan(&bytes)
        .rewrite(|span, edits| {
            if span.span_id() == [3; 8] {
                return;
            }
            for (place, (key, _)) in span.attributes().enumerate() {
                if key == "a" || key == "c" {
                    edits.remove(place as u32);
                    edits.remove(place as u32);
                }
            }
            edits.attributes().set("new", "y");
        })
        .unwrap();
    assert_eq!(rewritten.as_ref(), request(&after));
}

#[test]
fn values_that_were_read_are_written_as_they_were() {
    let mut original =
        span(1, &[("t", "x".into()), ("l", NewValue::Texts(&["a", "b"])), ("y", NewValue::Bytes(&[1, 2]))]);
    original.set_json("m", r#"{"a":[1,{"b":null}],"c":0.5}"#).unwrap();
    let bytes = request(&[original]);
    let copied = scan(&bytes)
        .rewrite(|span, edits| {
            span.attributes().for_each(|(key, value)| {
                edits.attributes().set(&format!("{key}2"), value);
            });
        })
        .unwrap();
    let request = scan(&copied);
    let attributes = request.span(0).unwrap().attributes();
    assert_eq!(attributes.count(), 8);
    for key in ["t", "l", "y", "m"] {
        assert_eq!(attributes.get(key), attributes.get(&format!("{key}2")), "{key}");
    }
}

#[test]
fn json_text_reads_as_structure_does() {
    let json = r#"[{"role":"user","parts":[{"type":"text","content":"a\"b"}]},null,true,-1,0.5]"#;
    let read = JsonValue::parse(json).unwrap();
    let mut written = String::from("x");
    read.value().push_json(&mut written);
    assert_eq!(written, format!("x{json}"));
    for (text, written) in [("null", "null"), (" \"a\\u00e9\" ", "\"aé\""), ("{}", "{}"), ("[]", "[]")] {
        let read = JsonValue::parse(text).unwrap();
        let mut out = String::new();
        read.value().push_json(&mut out);
        assert_eq!(out, written);
    }
    assert!(JsonValue::parse("[1").is_err());
    assert_eq!(JsonValue::parse("7").unwrap().value(), Value::Integer(7));
}

#[test]
fn log_records_are_retained_by_what_they_are() {
    let event = |name: &str, time| {
        let mut log = LogWriter::event(name, time, Severity::Info);
        log.attributes().set("n", time);
        log
    };
    let request = |logs: &[LogWriter]| {
        let mut writer = RequestWriter::new();
        logs.iter().for_each(|log| writer.push(&Envelope::new(&[], "sc", ""), log.bytes()));
        writer.finish()
    };
    // Before OTLP 1.5 the name was an attribute.
    let mut old = LogWriter::event("", 4, Severity::Info);
    old.attributes().set("event.name", "a");
    let bytes = request(&[event("a", 1), event("b", 2), event("a", 3), old.clone()]);
    let scanned = LogsRequest::scan(&bytes, &Limits::default()).unwrap();
    let names: Vec<_> = scanned.logs().map(|log| log.event_name().to_owned()).collect();
    assert_eq!(names, ["a", "b", "a", "a"]);
    let (kept, count) = scanned.retain(|log| log.event_name() == "a");
    assert_eq!((kept.as_ref(), count), (request(&[event("a", 1), event("a", 3), old]).as_slice(), 3));
    assert!(matches!(scanned.retain(|_| true), (Cow::Borrowed(_), 4)));
    let (none, count) = scanned.retain(|_| false);
    assert_eq!(count, 0);
    assert!(LogsRequest::scan(&none, &Limits::default()).unwrap().is_empty());
}
