//! What is written is what prost reads after the plain edit, and everything else stays.

mod common;

use common::{KEYS, encodings, is_valid, logs, spans, traces, unknown_fields};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use std::collections::BTreeMap;
use tollgate_columns::{Attribute, Batch, Edits, Integers, Kind, Texts};
use tollgate_otlp::{
    EditError, Envelope, Limits, LogsRequest, Owner, Reads, RequestWriter, SpanChanges, SpanWriter, TraceRequest,
    Writes,
};

/// Composite values as JSON text; [`composite`] has the values.
const COMPOSITES: &[&str] = &[r#"["stop","length"]"#, r#"{"a":1,"b":[true,null,0.5]}"#, "[]"];

fn value(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn composite(at: usize) -> AnyValue {
    use any_value::Value::{ArrayValue as Array, BoolValue, DoubleValue, IntValue, KvlistValue, StringValue};
    let array = |values| value(Array(ArrayValue { values }));
    let entry = |key: &str, value| KeyValue { key: key.to_owned(), value: Some(value), key_strindex: 0 };
    match at {
        0 => array(vec![value(StringValue("stop".to_owned())), value(StringValue("length".to_owned()))]),
        1 => {
            let b = array(vec![value(BoolValue(true)), AnyValue::default(), value(DoubleValue(0.5))]);
            value(KvlistValue(KeyValueList { values: vec![entry("a", value(IntValue(1))), entry("b", b)] }))
        }
        _ => array(vec![]),
    }
}

fn writes() -> Vec<Attribute> {
    let kinds = [Kind::Integer, Kind::Text, Kind::Text, Kind::Real, Kind::Boolean, Kind::Composite];
    KEYS.iter().zip(kinds).map(|(key, kind)| Attribute::new(key, kind)).collect()
}

/// Cells to write: `(item, attribute, seed of the value)`.
fn cells() -> impl Strategy<Value = Vec<(u32, u16, u64)>> {
    vec((0u32..12, 0u16..6, any::<u64>()), 0..24)
}

/// The cells as columns, and as the values each item is to have.
fn edits(items: u32, cells: &[(u32, u16, u64)]) -> (Batch, BTreeMap<u32, BTreeMap<String, AnyValue>>) {
    use any_value::Value::{BoolValue, DoubleValue, IntValue, StringValue};
    let mut edits = Edits::new(items);
    let mut plain: BTreeMap<u32, BTreeMap<String, AnyValue>> = BTreeMap::new();
    for &(row, attribute, seed) in cells.iter().filter(|(row, ..)| *row < items) {
        let new = match attribute {
            0 => {
                edits.integer(row, 0, seed.cast_signed());
                value(IntValue(seed.cast_signed()))
            }
            1 | 2 => {
                let text = "é".repeat((seed % 100) as usize);
                edits.text(row, attribute, text.clone());
                value(StringValue(text))
            }
            3 => {
                edits.real(row, 3, seed as f64);
                value(DoubleValue(seed as f64))
            }
            4 => {
                edits.integer(row, 4, (seed % 2).cast_signed());
                value(BoolValue(seed % 2 == 1))
            }
            _ => {
                let at = (seed % 3) as usize;
                edits.text(row, 5, COMPOSITES.get(at).copied().unwrap_or_default());
                composite(at)
            }
        };
        let key = KEYS.get(usize::from(attribute)).copied().unwrap_or_default();
        plain.entry(row).or_default().insert(key.to_owned(), new);
    }
    (edits.finish(), plain)
}

/// The plain edit: the first of a key is replaced, its repetitions go, what is new comes after the rest.
fn edit(attributes: &mut Vec<KeyValue>, new: &BTreeMap<String, AnyValue>) {
    let mut left = new.clone();
    attributes.retain_mut(|attribute| {
        if !new.contains_key(&attribute.key) {
            return true;
        }
        let Some(value) = left.remove(&attribute.key) else { return false };
        attribute.value = Some(value);
        attribute.key_strindex = 0;
        true
    });
    attributes.extend(left.into_iter().map(|(key, value)| KeyValue { key, value: Some(value), key_strindex: 0 }));
}

/// Attributes that were added have no order among themselves.
fn settle(attributes: &mut [KeyValue], before: usize) {
    if let Some(added) = attributes.get_mut(before..) {
        added.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

/// What becomes of a text: nothing, or another that is empty, longer or shorter.
fn redact(text: &str) -> Option<String> {
    match text.len() % 4 {
        _ if text.is_empty() => None,
        0 => Some(String::new()),
        1 => Some(text.repeat(40)),
        2 => Some("x".to_owned()),
        _ => None,
    }
}

/// What visits the texts that a redactor is to see, with the span or log record that a text belongs to.
trait Visit: FnMut(&mut String, Option<usize>) {}
impl<F: FnMut(&mut String, Option<usize>)> Visit for F {}

fn each_text(request: &mut ExportTraceServiceRequest, visit: &mut impl Visit) {
    let mut index = 0;
    for resource in &mut request.resource_spans {
        visit(&mut resource.schema_url, None);
        each_of_resource(resource.resource.as_mut(), visit);
        for scope in &mut resource.scope_spans {
            visit(&mut scope.schema_url, None);
            each_of_scope(scope.scope.as_mut(), visit);
            for span in &mut scope.spans {
                let owner = if is_valid(span) { Some(index) } else { Some(usize::MAX) };
                index += usize::from(is_valid(span));
                each_id(&mut span.trace_id, 16, owner, visit);
                each_id(&mut span.span_id, 8, owner, visit);
                each_id(&mut span.parent_span_id, 8, owner, visit);
                visit(&mut span.trace_state, owner);
                visit(&mut span.name, owner);
                if let Some(status) = &mut span.status {
                    visit(&mut status.message, owner);
                }
                each_attribute(&mut span.attributes, owner, visit);
                for event in &mut span.events {
                    visit(&mut event.name, owner);
                    each_attribute(&mut event.attributes, owner, visit);
                }
                for link in &mut span.links {
                    each_id(&mut link.trace_id, 16, owner, visit);
                    each_id(&mut link.span_id, 8, owner, visit);
                    visit(&mut link.trace_state, owner);
                    each_attribute(&mut link.attributes, owner, visit);
                }
            }
        }
    }
}

fn each_text_of_logs(request: &mut ExportLogsServiceRequest, visit: &mut impl Visit) {
    let mut index = 0;
    for resource in &mut request.resource_logs {
        visit(&mut resource.schema_url, None);
        each_of_resource(resource.resource.as_mut(), visit);
        for scope in &mut resource.scope_logs {
            visit(&mut scope.schema_url, None);
            each_of_scope(scope.scope.as_mut(), visit);
            for log in &mut scope.log_records {
                let owner = Some(index);
                index += 1;
                each_id(&mut log.trace_id, 16, owner, visit);
                each_id(&mut log.span_id, 8, owner, visit);
                visit(&mut log.severity_text, owner);
                visit(&mut log.event_name, owner);
                each_value(log.body.as_mut(), owner, visit);
                each_attribute(&mut log.attributes, owner, visit);
            }
        }
    }
}

fn each_of_resource(resource: Option<&mut Resource>, visit: &mut impl Visit) {
    let Some(resource) = resource else { return };
    each_attribute(&mut resource.attributes, None, visit);
    for entity in &mut resource.entity_refs {
        visit(&mut entity.schema_url, None);
        visit(&mut entity.r#type, None);
        entity.id_keys.iter_mut().chain(&mut entity.description_keys).for_each(|key| visit(key, None));
    }
}

fn each_of_scope(scope: Option<&mut InstrumentationScope>, visit: &mut impl Visit) {
    let Some(scope) = scope else { return };
    visit(&mut scope.name, None);
    visit(&mut scope.version, None);
    each_attribute(&mut scope.attributes, None, visit);
}

fn each_attribute(attributes: &mut [KeyValue], owner: Option<usize>, visit: &mut impl Visit) {
    for attribute in attributes {
        visit(&mut attribute.key, owner);
        each_value(attribute.value.as_mut(), owner, visit);
    }
}

fn each_value(value: Option<&mut AnyValue>, owner: Option<usize>, visit: &mut impl Visit) {
    match value.and_then(|value| value.value.as_mut()) {
        Some(any_value::Value::StringValue(text)) => visit(text, owner),
        Some(any_value::Value::BytesValue(blob)) => {
            let given = readable(blob);
            let mut text = given.clone();
            visit(&mut text, owner);
            if text != given {
                *blob = text.into_bytes();
            }
        }
        Some(any_value::Value::ArrayValue(array)) => {
            array.values.iter_mut().for_each(|value| each_value(Some(value), owner, visit));
        }
        Some(any_value::Value::KvlistValue(map)) => each_attribute(&mut map.values, owner, visit),
        _ => {}
    }
}

/// An id is seen where it is none, and is none afterwards.
fn each_id(id: &mut Vec<u8>, length: usize, owner: Option<usize>, visit: &mut impl Visit) {
    let given = readable(id);
    let mut text = given.clone();
    if id.len() != length {
        visit(&mut text, owner);
    }
    if text != given {
        id.clear();
    }
}

/// Bytes as text, with a question mark for each that is none.
fn readable(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| format!("{}{}", chunk.valid(), "?".repeat(chunk.invalid().len()));
    bytes.utf8_chunks().map(chunk).collect()
}

/// A redactor's answer.
fn redacted(given: &Texts) -> Texts {
    let mut changed = Texts::default();
    for (row, text) in given.iter() {
        if let Some(new) = redact(text) {
            changed.push(row, &new);
        }
    }
    changed
}

proptest! {
    #[test]
    fn edits_are_those_of_a_plain_edit(request in traces(), cells in cells()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let (batch, plain) = edits(scanned.len() as u32, &cells);
            let edited = scanned.apply(&batch, &writes()).unwrap();
            prop_assert_eq!(unknown_fields(&edited), unknown_fields(&bytes));

            let mut expected = request.clone();
            let mut decoded = ExportTraceServiceRequest::decode(&edited[..]).unwrap();
            let each = |request: &mut ExportTraceServiceRequest, f: &mut dyn FnMut(&mut Span, u32)| {
                let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
                let valid = scopes.flat_map(|scope| &mut scope.spans).filter(|span| is_valid(span));
                valid.zip(0..).for_each(|(span, row)| f(span, row));
            };
            let mut kept = Vec::new();
            each(&mut expected, &mut |span, row| {
                let new = plain.get(&row).cloned().unwrap_or_default();
                let before: std::collections::BTreeSet<_> = span.attributes.iter().map(|a| a.key.clone()).collect();
                edit(&mut span.attributes, &new);
                let added = new.keys().filter(|key| !before.contains(*key)).count();
                kept.push(span.attributes.len() - added);
            });
            each(&mut decoded, &mut |span, row| settle(&mut span.attributes, kept[row as usize]));
            prop_assert_eq!(decoded, expected);
        }
    }

    #[test]
    fn without_edits_nothing_changes(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let items = scanned.len() as u32;
            prop_assert_eq!(&scanned.apply(&Edits::new(items).finish(), &writes()).unwrap(), &bytes);
            let texts = scanned.texts();
            prop_assert_eq!(&scanned.replace(&texts, &Texts::default()).unwrap(), &bytes);
            let mut text = Texts::default();
            for (row, same) in texts.texts().iter().filter(|(row, _)| !texts.is_bytes(*row)) {
                text.push(row, same);
            }
            let same = scanned.replace(&texts, &text).unwrap();
            prop_assert_eq!(ExportTraceServiceRequest::decode(&same[..]).unwrap(), request.clone());
        }
    }

    #[test]
    fn every_text_is_seen_with_its_owner(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let set = scanned.texts();
            prop_assert_eq!(set.texts().check(set.len() as u32), Ok(()));
            let mut seen: Vec<_> = set.owners().map(|(row, owner)| {
                let owner = match owner {
                    Owner::Item(index) => Some(index as usize),
                    Owner::Refused => Some(usize::MAX),
                    Owner::Shared { .. } => None,
                };
                (owner, set.texts().get(row as usize).unwrap().to_owned())
            }).collect();
            let mut expected = Vec::new();
            each_text(&mut request.clone(), &mut |text, owner| {
                if !text.is_empty() {
                    expected.push((owner, text.clone()));
                }
            });
            seen.sort();
            expected.sort();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn texts_are_replaced_as_in_a_plain_edit(request in traces()) {
        let mut expected = request.clone();
        each_text(&mut expected, &mut |text, _| {
            if let Some(new) = redact(text) {
                *text = new;
            }
        });
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let set = scanned.texts();
            let replaced = scanned.replace(&set, &redacted(set.texts())).unwrap();
            prop_assert_eq!(unknown_fields(&replaced), unknown_fields(&bytes));
            prop_assert_eq!(ExportTraceServiceRequest::decode(&replaced[..]).unwrap(), expected.clone());
        }
    }

    #[test]
    fn texts_are_replaced_and_edits_made_at_once_as_one_after_the_other(request in traces(), cells in cells()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let set = scanned.texts();
            let mut changed = Texts::default();
            // Keys stay as they are, because attributes are found by them, and so do ids, by which spans are let in.
            let values = redacted(set.texts());
            let stays = |row: u32| set.name(row).ends_with(".attributes") || !set.is_free(row);
            for (row, new) in values.iter().filter(|(row, _)| !stays(*row)) {
                changed.push(row, new);
            }
            let (batch, _) = edits(scanned.len() as u32, &cells);
            let replaced = scanned.replace(&set, &changed).unwrap();
            let expected = TraceRequest::scan(&replaced, &Limits::default()).unwrap().apply(&batch, &writes()).unwrap();
            let writes = Writes::compile(&[&writes()]);
            let mut edited = scanned.edit_set(&writes);
            edited.add(0, &batch).unwrap();
            let at_once = scanned.replace_and_apply(&set, &changed, edited).unwrap();
            prop_assert_eq!(unknown_fields(&at_once), unknown_fields(&expected));
            let decoded = |bytes: &[u8]| ExportTraceServiceRequest::decode(bytes).unwrap();
            prop_assert_eq!(decoded(&at_once), decoded(&expected));
        }
    }

    #[test]
    fn edits_of_several_are_those_of_one_after_the_other(
        request in traces(),
        one in cells(),
        other in cells(),
    ) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            let items = scanned.len() as u32;
            let ((one, _), (other, _)) = (edits(items, &one), edits(items, &other));
            let first = scanned.apply(&one, &writes()).unwrap();
            let expected = TraceRequest::scan(&first, &Limits::default()).unwrap().apply(&other, &writes()).unwrap();
            let (lists, reads) = (Writes::compile(&[&writes(), &writes()]), Reads::compile(KEYS).unwrap());
            let mut both = scanned.edit_set(&lists);
            both.add(0, &one).unwrap();
            both.add(1, &other).unwrap();
            let wrong = Batch { items: items + 1, ..Batch::default() };
            prop_assert!(matches!(both.add(0, &wrong), Err(EditError::Malformed(_))));
            let at_once = scanned.apply_set(both).unwrap();
            prop_assert_eq!(unknown_fields(&at_once), unknown_fields(&expected));
            // Attributes that were added have no order among themselves.
            let sorted = |bytes: &[u8]| {
                let mut decoded = ExportTraceServiceRequest::decode(bytes).unwrap();
                let scopes = decoded.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
                let spans = scopes.flat_map(|scope| &mut scope.spans);
                spans.for_each(|span| span.attributes.sort_by(|a, b| a.key.cmp(&b.key)));
                decoded
            };
            prop_assert_eq!(sorted(&at_once), sorted(&expected));
            // Those who come later see in columns what they would see in the request; composite values apart, which are
            // read as they are encoded.
            let seen: Vec<_> = (0..KEYS.len() as u16).map(|at| (at != 5).then_some(at)).collect();
            let mut columns = scanned.project(&reads);
            columns.overlay(&one, &seen);
            columns.overlay(&other, &seen);
            let after = TraceRequest::scan(&expected, &Limits::default()).unwrap().project(&reads);
            for (row, other) in columns.rows().zip(after.rows()) {
                for at in (0..KEYS.len() as u16).filter(|at| *at != 5) {
                    prop_assert_eq!(row.text(at), other.text(at));
                    prop_assert_eq!(row.integer(at), other.integer(at));
                    prop_assert_eq!(row.real(at).map(f64::to_bits), other.real(at).map(f64::to_bits));
                }
            }
        }
    }

    #[test]
    fn texts_of_log_records_are_replaced(request in logs()) {
        let bytes = request.encode_to_vec();
        let scanned = LogsRequest::scan(&bytes, &Limits::default()).unwrap();
        let set = scanned.texts();
        let replaced = scanned.replace(&set, &redacted(set.texts())).unwrap();
        let mut expected = request;
        each_text_of_logs(&mut expected, &mut |text, _| {
            if let Some(new) = redact(text) {
                *text = new;
            }
        });
        prop_assert_eq!(ExportLogsServiceRequest::decode(&replaced[..]).unwrap(), expected);
    }

    #[test]
    fn what_is_not_known_can_be_taken_out(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            prop_assert_eq!(scanned.unknown_fields() as usize, unknown_fields(&bytes));
            let known = scanned.known_only();
            prop_assert_eq!(TraceRequest::scan(&known, &Limits::default()).unwrap().unknown_fields(), 0);
            prop_assert_eq!(ExportTraceServiceRequest::decode(&known[..]).unwrap(), request.clone());
        }
    }

    #[test]
    fn chosen_spans_of_several_requests_make_a_request(
        requests in vec(traces(), 1..3),
        chosen in vec(any::<bool>(), 32),
    ) {
        let mut writer = RequestWriter::new();
        let mut expected = Vec::new();
        for request in &requests {
            for bytes in encodings(request) {
                let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
                for ((ours, theirs), _) in scanned.spans().zip(spans(request)).zip(&chosen).filter(|(_, chosen)| **chosen) {
                    writer.copy(&ours);
                    let (resource, scope, span) = theirs;
                    let around = (resource.resource.clone(), &resource.schema_url, scope.scope.clone(), &scope.schema_url);
                    expected.push(format!("{around:?} {span:?}"));
                }
            }
        }
        prop_assert_eq!(writer.len(), expected.len());
        let bytes = writer.finish();
        TraceRequest::scan(&bytes, &Limits::default()).unwrap();
        let decoded = ExportTraceServiceRequest::decode(&bytes[..]).unwrap();
        let mut written: Vec<_> = spans(&decoded).map(|(resource, scope, span)| {
            let around = (resource.resource.clone(), &resource.schema_url, scope.scope.clone(), &scope.schema_url);
            format!("{around:?} {span:?}")
        }).collect();
        written.sort();
        expected.sort();
        prop_assert_eq!(written, expected);
    }

    #[test]
    fn a_span_changes_on_its_way(request in traces()) {
        for bytes in encodings(&request) {
            let scanned = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
            for (ours, (_, _, theirs)) in scanned.spans().zip(spans(&request)) {
                let mut changes = SpanChanges::new();
                changes.trace_state("ot=th:8").set("cost", 0.5).set_json("finish", "[]").unwrap();
                let mut expected = theirs.clone();
                expected.trace_state = "ot=th:8".to_owned();
                expected.attributes.retain(|attribute| attribute.key != "cost" && attribute.key != "finish");
                let half = value(any_value::Value::DoubleValue(0.5));
                for (key, value) in [("cost", half), ("finish", composite(2))] {
                    expected.attributes.push(KeyValue { key: key.to_owned(), value: Some(value), key_strindex: 0 });
                }
                prop_assert_eq!(Span::decode(&changes.apply(&ours)[..]).unwrap(), expected);
            }
        }
    }
}

#[test]
fn edits_that_break_the_manifest_are_refused() {
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::default(), SpanWriter::new([1; 16], [2; 8], "a").bytes());
    let bytes = writer.finish();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let refusal = |set: &dyn Fn(&mut Edits)| {
        let mut edits = Edits::new(1);
        set(&mut edits);
        request.apply(&edits.finish(), &writes()).unwrap_err().to_string()
    };
    type Case<'c> = (&'c dyn Fn(&mut Edits), &'c str);
    let cases: [Case<'_>; 6] = [
        (&|edits| edits.text(0, 0, "a"), "has not the declared type Integer"),
        (&|edits| edits.integer(0, 1, 1), "has not the declared type Text"),
        (&|edits| edits.integer(0, 3, 1), "has not the declared type Real"),
        (&|edits| edits.integer(0, 4, 2), "\"flag\" is neither 0 nor 1"),
        (&|edits| edits.text(0, 5, "[1"), "\"finish\": byte 2 of the JSON text"),
        (&|edits| edits.text(0, 6, "a"), "attribute number is not in the manifest"),
    ];
    for (set, message) in cases {
        let refused = refusal(set);
        assert!(refused.contains(message), "{refused}");
    }
    let other = Edits::new(2).finish();
    assert!(matches!(request.apply(&other, &writes()), Err(EditError::Malformed(_))));
}

#[test]
fn log_records_can_be_edited_too() {
    let log = opentelemetry_proto::tonic::logs::v1::LogRecord { severity_number: 9, ..Default::default() };
    let scope = opentelemetry_proto::tonic::logs::v1::ScopeLogs { log_records: vec![log], ..Default::default() };
    let resource = opentelemetry_proto::tonic::logs::v1::ResourceLogs { scope_logs: vec![scope], ..Default::default() };
    let bytes = ExportLogsServiceRequest { resource_logs: vec![resource] }.encode_to_vec();
    let request = LogsRequest::scan(&bytes, &Limits::default()).unwrap();
    let column = Integers { attribute: 0, rows: vec![0], values: vec![3] };
    let batch = Batch { items: 1, integers: vec![column], ..Batch::default() };
    let edited = request.apply(&batch, &[Attribute::new("count", Kind::Integer)]).unwrap();
    let edited = LogsRequest::scan(&edited, &Limits::default()).unwrap();
    let count = edited.log(0).unwrap().attributes().get("count").and_then(|value| value.as_integer());
    assert_eq!(count, Some(3));
}

#[test]
fn texts_of_another_request_are_refused() {
    let request = |name: &str, key: &str| {
        let mut span = SpanWriter::new([1; 16], [2; 8], name);
        span.set(key, "value");
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::default(), span.bytes());
        writer.finish()
    };
    let (one, two) = (request("a", "key"), request("a longer name", "k"));
    let (one, two) = (TraceRequest::scan(&one, &Limits::default()), TraceRequest::scan(&two, &Limits::default()));
    let foreign = two.unwrap().texts();
    let mut changed = Texts::default();
    changed.push(1, "new");
    assert!(matches!(one.as_ref().unwrap().replace(&foreign, &changed), Err(EditError::Malformed(_))));
    let own = one.as_ref().unwrap().texts();
    let mut changed = Texts::default();
    changed.push(3, "past the last");
    assert!(matches!(one.unwrap().replace(&own, &changed), Err(EditError::Malformed(_))));
}

/// A span with these texts, in a request with others of its kind.
fn conversation(id: u8, conversation: &str, prompt: &str) -> SpanWriter {
    let mut span = SpanWriter::new([id; 16], [id; 8], "chat");
    span.set("gen_ai.input.messages", prompt);
    if !conversation.is_empty() {
        span.set("gen_ai.conversation.id", conversation);
    }
    span.set("gen_ai.request.model", "gpt-4o");
    span
}

#[test]
fn texts_have_a_place_and_a_group() {
    let mut writer = RequestWriter::new();
    let envelope = Envelope::new(&[("service.name", "shop".into()), ("host.name", "h".into())], "agent", "1");
    for span in [conversation(1, "c", "one"), conversation(2, "", "two"), conversation(3, "c", "three")] {
        writer.push(&envelope, span.bytes());
    }
    let bytes = writer.finish();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let set = request.texts();
    let seen: Vec<_> =
        set.texts().iter().map(|(row, text)| (text, set.name(row), set.group(row), set.is_name(row))).collect();
    let expected = [
        ("service.name", "resource.attributes", 0, true),
        ("shop", "resource.attributes.service.name", 0, true),
        ("host.name", "resource.attributes", 0, true),
        ("h", "resource.attributes.host.name", 0, false),
        ("agent", "scope.name", 0, true),
        ("1", "scope.version", 0, true),
        ("chat", "span.name", 1, false),
        ("gen_ai.input.messages", "span.attributes", 0, true),
        ("one", "span.attributes.gen_ai.input.messages", 1, false),
        ("gen_ai.conversation.id", "span.attributes", 0, true),
        ("c", "span.attributes.gen_ai.conversation.id", 1, false),
        ("gen_ai.request.model", "span.attributes", 0, true),
        ("gpt-4o", "span.attributes.gen_ai.request.model", 0, true),
        ("chat", "span.name", 2, false),
        ("two", "span.attributes.gen_ai.input.messages", 2, false),
        ("chat", "span.name", 1, false),
        ("three", "span.attributes.gen_ai.input.messages", 1, false),
        ("c", "span.attributes.gen_ai.conversation.id", 1, false),
    ];
    assert_eq!(seen, expected);
    let shared: Vec<_> = set.owners().filter(|(row, _)| *row < 6).map(|(_, owner)| owner).collect();
    assert_eq!(shared, [Owner::Shared { first: 0, end: 3 }; 6]);
    let model = seen.iter().position(|(text, ..)| *text == "gpt-4o").unwrap() as u32;
    let owners: Vec<_> = set.owners().filter(|(row, _)| *row == model).map(|(_, owner)| owner).collect();
    assert_eq!(owners, [Owner::Item(0), Owner::Item(1), Owner::Item(2)], "a name is there once and stands in many");
    let mut changed = Texts::default();
    changed.push(model, "another");
    let replaced = request.replace(&set, &changed).unwrap();
    let replaced = TraceRequest::scan(&replaced, &Limits::default()).unwrap();
    let models = replaced.spans().map(|span| span.attributes().get("gen_ai.request.model").unwrap());
    assert!(models.map(|model| model.as_text().unwrap().to_owned()).eq(["another"; 3]));
}

#[test]
fn an_attribute_that_no_encoder_writes_hides_nothing() {
    // A key before the one that counts, and a value before its key.
    let attribute =
        KeyValue { key: "k".into(), value: Some(value(any_value::Value::StringValue("v".into()))), key_strindex: 0 };
    let mut odd = KeyValue { key: "first".into(), value: None, key_strindex: 0 }.encode_to_vec();
    let encoded = attribute.encode_to_vec();
    let (key, value) = encoded.split_at(3);
    odd.extend([value, key].concat());
    let mut span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], ..Span::default() }.encode_to_vec();
    prost::encoding::encode_key(9, prost::encoding::WireType::LengthDelimited, &mut span);
    prost::encoding::encode_varint(odd.len() as u64, &mut span);
    span.extend(odd);
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::default(), &span);
    let bytes = writer.finish();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let set = request.texts();
    let seen: Vec<_> = set.texts().iter().map(|(row, text)| (text, set.name(row))).collect();
    assert_eq!(seen, [("first", "span.attributes"), ("v", "span.attributes.k"), ("k", "span.attributes")]);
    let replaced = request.replace(&set, &redacted_to(&set, "x")).unwrap();
    let text = String::from_utf8_lossy(&replaced).into_owned();
    assert!(!text.contains("first") && !text.contains('v'), "{text}");
}

fn redacted_to(set: &tollgate_otlp::TextSet, new: &str) -> Texts {
    let mut changed = Texts::default();
    for (row, _) in set.texts().iter() {
        changed.push(row, new);
    }
    changed
}
