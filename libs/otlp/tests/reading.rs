//! What is read is what prost reads.

mod common;

use common::{KEYS, encodings, logs, spans, traces, valid_only};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use proptest::prelude::*;
use prost::Message;
use tollgate_columns::{Batch, Edits};
use tollgate_otlp::{Attributes, Limits, LogsRequest, Reads, SpanKind, StatusCode, TraceRequest, Value};

fn same_value(ours: Value<'_>, theirs: Option<&AnyValue>) -> bool {
    match (ours, theirs.and_then(|value| value.value.as_ref())) {
        (Value::Empty, None) => true,
        (Value::Text(ours), Some(any_value::Value::StringValue(theirs))) => ours == theirs,
        (Value::Boolean(ours), Some(any_value::Value::BoolValue(theirs))) => ours == *theirs,
        (Value::Integer(ours), Some(any_value::Value::IntValue(theirs))) => ours == *theirs,
        (Value::Real(ours), Some(any_value::Value::DoubleValue(theirs))) => ours.to_bits() == theirs.to_bits(),
        (Value::Bytes(ours), Some(any_value::Value::BytesValue(theirs))) => ours == theirs,
        (Value::Array(ours), Some(any_value::Value::ArrayValue(theirs))) => {
            ours.iter().count() == theirs.values.len()
                && ours.iter().zip(&theirs.values).all(|(ours, theirs)| same_value(ours, Some(theirs)))
        }
        (Value::Map(ours), Some(any_value::Value::KvlistValue(theirs))) => same_attributes(ours, &theirs.values),
        _ => false,
    }
}

fn same_attributes(ours: Attributes<'_>, theirs: &[KeyValue]) -> bool {
    ours.count() == theirs.len()
        && ours.zip(theirs).all(|((key, value), theirs)| key == theirs.key && same_value(value, theirs.value.as_ref()))
}

/// Numbers at which the columns under test stand.
const INTRINSICS: &[&str] = &["span:name", "span:kind", "span:status", "span:duration", "span:startTime", "scope:name"];

/// Two of the keys begin so.
const FAMILY: &str = "gen_ai.";

fn names() -> Vec<String> {
    let resource = KEYS.iter().map(|key| format!("resource:{key}"));
    let plain = KEYS.iter().map(|key| (*key).to_owned());
    let family = std::iter::once(format!("{FAMILY}*"));
    INTRINSICS.iter().map(|name| (*name).to_owned()).chain(plain).chain(resource).chain(family).collect()
}

/// Columns made the plain way, from a decoded request.
fn naive(request: &ExportTraceServiceRequest) -> Batch {
    let placed: Vec<_> = spans(request).collect();
    let mut edits = Edits::new(placed.len() as u32);
    for ((resource, scope, span), row) in placed.into_iter().zip(0..) {
        let texts = [
            (0, span.name.as_str()),
            (1, SpanKind::ALL.get(span.kind as usize).map_or("unspecified", |kind| kind.as_str())),
            (
                2,
                span.status.as_ref().and_then(|s| StatusCode::ALL.get(s.code as usize)).map_or("unset", |c| c.as_str()),
            ),
            (5, scope.scope.as_ref().map_or("", |scope| &scope.name)),
        ];
        for (number, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            edits.text(row, number, text);
        }
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        if start > 0 && end >= start {
            edits.integer(row, 3, i64::try_from(end - start).unwrap_or(i64::MAX));
        }
        if start > 0 {
            edits.integer(row, 4, i64::try_from(start).unwrap_or(i64::MAX));
        }
        let member = |attribute: &KeyValue| {
            let rest = attribute.key.strip_prefix(FAMILY)?;
            Some(format!("{}:{}", quoted(rest), json(attribute.value.as_ref())))
        };
        let members: Vec<_> = span.attributes.iter().filter_map(member).collect();
        if !members.is_empty() {
            edits.text(row, 6 + 2 * KEYS.len() as u16, format!("{{{}}}", members.join(",")));
        }
        let resource = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        for (attributes, first) in [(span.attributes.as_slice(), 6), (resource, 6 + KEYS.len())] {
            for (key, number) in KEYS.iter().zip(first as u16..) {
                let found = attributes.iter().find(|attribute| attribute.key == *key);
                if let Some(value) = found.and_then(|found| found.value.as_ref()) {
                    put(&mut edits, row, number, value);
                }
            }
        }
    }
    edits.finish()
}

fn put(edits: &mut Edits, row: u32, number: u16, value: &AnyValue) {
    use any_value::Value;
    match value.value.as_ref() {
        None | Some(Value::StringValueStrindex(_)) => {}
        Some(Value::StringValue(text)) => edits.text(row, number, text.as_str()),
        Some(Value::BoolValue(value)) => edits.integer(row, number, i64::from(*value)),
        Some(Value::IntValue(value)) => edits.integer(row, number, *value),
        Some(Value::DoubleValue(value)) => edits.real(row, number, *value),
        Some(Value::BytesValue(blob)) => edits.text(row, number, base64(blob)),
        Some(_) => edits.text(row, number, json(Some(value))),
    }
}

fn base64(blob: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = blob.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letters = bits.chunks(6).map(|six| six.iter().chain([0; 6].iter()).take(6).fold(0, |n, bit| n * 2 + bit));
    let text: String = letters.filter_map(|n: u8| ALPHABET.get(usize::from(n)).map(|c| char::from(*c))).collect();
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn json(value: Option<&AnyValue>) -> String {
    use any_value::Value;
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => "null".to_owned(),
        Some(Value::StringValue(text)) => quoted(text),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) if value.is_infinite() => quoted("Infinity"),
        Some(Value::DoubleValue(value)) => format!("{value:?}"),
        Some(Value::BytesValue(blob)) => quoted(&base64(blob)),
        Some(Value::ArrayValue(array)) => {
            let elements: Vec<_> = array.values.iter().map(|value| json(Some(value))).collect();
            format!("[{}]", elements.join(","))
        }
        Some(Value::KvlistValue(map)) => {
            let entry = |entry: &KeyValue| format!("{}:{}", quoted(&entry.key), json(entry.value.as_ref()));
            format!("{{{}}}", map.values.iter().map(entry).collect::<Vec<_>>().join(","))
        }
    }
}

/// Columns in ascending order of attribute, without empty ones: what two batches that say the same have in common.
fn in_order(mut batch: Batch) -> Batch {
    batch.texts.retain(|column| !column.rows.is_empty());
    batch.texts.sort_by_key(|column| column.attribute);
    batch.integers.sort_by_key(|column| column.attribute);
    batch.reals.sort_by_key(|column| column.attribute);
    batch
}

proptest! {
    #[test]
    fn spans_read_the_same(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let theirs: Vec<_> = spans(&request).collect();
            prop_assert_eq!(scanned.len(), theirs.len());
            for (ours, (resource, scope, span)) in scanned.spans().zip(theirs) {
                prop_assert_eq!(&ours.trace_id()[..], &span.trace_id);
                prop_assert_eq!(&ours.span_id()[..], &span.span_id);
                let parent = (span.parent_span_id.iter().any(|b| *b != 0)).then(|| span.parent_span_id.clone());
                prop_assert_eq!(ours.parent_id().map(|id| id.to_vec()), parent);
                prop_assert_eq!(ours.name(), &span.name);
                prop_assert_eq!(ours.trace_state(), &span.trace_state);
                prop_assert_eq!((ours.start_time(), ours.end_time()), (span.start_time_unix_nano, span.end_time_unix_nano));
                prop_assert_eq!(ours.status_message(), span.status.as_ref().map_or("", |s| &s.message));
                prop_assert!(same_attributes(ours.attributes(), &span.attributes));
                prop_assert!(same_attributes(ours.resource(), resource.resource.as_ref().map_or(&[], |r| &r.attributes)));
                prop_assert_eq!(ours.scope_name(), scope.scope.as_ref().map_or("", |s| &s.name));
                prop_assert_eq!(ours.scope_version(), scope.scope.as_ref().map_or("", |s| &s.version));
                let (events, links) = ours.events_and_links();
                prop_assert_eq!((events.len(), links.len()), (span.events.len(), span.links.len()));
                for (ours, theirs) in events.iter().zip(&span.events) {
                    prop_assert_eq!((ours.time(), ours.name()), (theirs.time_unix_nano, theirs.name.as_str()));
                    prop_assert!(same_attributes(ours.attributes(), &theirs.attributes));
                }
                for (ours, theirs) in links.iter().zip(&span.links) {
                    let is_id = |id: &[u8], size| id.len() == size && id.iter().any(|byte| *byte != 0);
                    let trace = is_id(&theirs.trace_id, 16).then(|| theirs.trace_id.clone());
                    let span = is_id(&theirs.span_id, 8).then(|| theirs.span_id.clone());
                    prop_assert_eq!(ours.trace_id().map(|id| id.to_vec()), trace);
                    prop_assert_eq!(ours.span_id().map(|id| id.to_vec()), span);
                    prop_assert_eq!(ours.trace_state(), &theirs.trace_state);
                    prop_assert!(same_attributes(ours.attributes(), &theirs.attributes));
                }
            }
        }
    }

    #[test]
    fn columns_are_those_of_a_plain_reading(request in traces()) {
        let reads = Reads::compile(&names()).unwrap();
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let batch = scanned.project(&reads);
            prop_assert_eq!(batch.check(scanned.len() as u32, names().len()), Ok(()));
            prop_assert_eq!(in_order(batch), in_order(naive(&request)));
        }
    }

    #[test]
    fn what_is_indexed_again_is_what_was_scanned(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let again = TraceRequest::rescan(&bytes).unwrap();
            let shown = |request: &TraceRequest<'_>| format!("{:?}", request.spans().collect::<Vec<_>>());
            prop_assert_eq!(shown(&again), shown(&scanned));
            prop_assert_eq!((again.refused(), again.texts()), (scanned.refused(), scanned.texts()));
        }
    }

    #[test]
    fn refused_spans_can_be_taken_out(request in traces()) {
        let every: usize = request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            prop_assert_eq!(scanned.refused() + scanned.len(), every);
            let accepted = scanned.accepted();
            prop_assert_eq!(ExportTraceServiceRequest::decode(&accepted[..]).unwrap(), valid_only(request.clone()));
        }
    }

    #[test]
    fn log_records_read_the_same(request in logs()) {
        let bytes = request.encode_to_vec();
        let scanned = LogsRequest::scan(&bytes, &Limits::default()).unwrap();
        let scopes = request.resource_logs.iter().flat_map(|r| r.scope_logs.iter().map(move |s| (r, s)));
        let theirs: Vec<_> = scopes.flat_map(|(r, s)| s.log_records.iter().map(move |log| (r, s, log))).collect();
        prop_assert_eq!(scanned.len(), theirs.len());
        for (ours, (resource, scope, log)) in scanned.logs().zip(theirs) {
            let set = |id: &Vec<u8>, size| id.len() == size && id.iter().any(|b| *b != 0);
            prop_assert_eq!(ours.trace_id().map(|id| id.to_vec()), Some(log.trace_id.clone()).filter(|id| set(id, 16)));
            prop_assert_eq!(ours.span_id().map(|id| id.to_vec()), Some(log.span_id.clone()).filter(|id| set(id, 8)));
            prop_assert_eq!(ours.time(), log.time_unix_nano);
            prop_assert!(same_value(ours.body(), log.body.as_ref()));
            prop_assert!(same_attributes(ours.attributes(), &log.attributes));
            prop_assert!(same_attributes(ours.resource(), resource.resource.as_ref().map_or(&[], |r| &r.attributes)));
            prop_assert_eq!(ours.scope_name(), scope.scope.as_ref().map_or("", |s| &s.name));
            prop_assert_eq!(ours.scope_version(), scope.scope.as_ref().map_or("", |s| &s.version));
            prop_assert!(same_attributes(ours.scope_attributes(), scope.scope.as_ref().map_or(&[], |s| &s.attributes)));
            prop_assert_eq!(ours.resource_schema_url(), &resource.schema_url);
            prop_assert_eq!(ours.scope_schema_url(), &scope.schema_url);
            let fields = ours.fields();
            prop_assert_eq!((fields.severity_number, fields.severity_text), (log.severity_number as u32, log.severity_text.as_str()));
            prop_assert_eq!((fields.flags, fields.observed_time), (log.flags, log.observed_time_unix_nano));
            prop_assert_eq!(fields.event_name, &log.event_name);
        }
    }
}

#[test]
fn names_that_cannot_be_read_are_refused() {
    for name in ["span:colour", "span:", "scope:attributes"] {
        let error = Reads::compile(&[name]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let many = vec!["a"; 65_536];
    assert!(Reads::compile(&many).is_err());
}

#[test]
fn a_name_that_is_read_twice_has_two_columns() {
    let mut span = tollgate_otlp::SpanWriter::new([1; 16], [2; 8], "a");
    span.set("k", 7_i64);
    let mut writer = tollgate_otlp::RequestWriter::new();
    writer.push(&tollgate_otlp::Envelope::default(), span.bytes());
    let bytes = writer.finish();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let batch = request.project(&Reads::compile(&["k", "other", "k"]).unwrap());
    let row = batch.rows().next().unwrap();
    assert_eq!((row.integer(0), row.integer(1), row.integer(2)), (Some(7), None, Some(7)));
}
