//! Requests made at random, their encodings, and what a plain reader with prost makes of them.
#![allow(dead_code, reason = "each test file uses its part")]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

/// Names that are read, written, and put on spans; few, so that they meet.
pub(crate) const KEYS: &[&str] =
    &["gen_ai.usage.input_tokens", "gen_ai.request.model", "app.tier", "cost", "flag", "finish", "k"];

/// What stands in the fields that are not known.
pub(crate) const UNKNOWN: &[u8] = b"\x82\x7d\x07unknown";

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z ]{0,12}", 1 => "\\PC{0,40}", 1 => "[a-z]{120,140}"]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => text()]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::NORMAL, Just(0.0), Just(f64::INFINITY), Just(0.25)]
}

pub(crate) fn any_value() -> impl Strategy<Value = AnyValue> {
    use any_value::Value;
    let leaf = prop_oneof![
        1 => Just(None),
        6 => text().prop_map(|text| Some(Value::StringValue(text))),
        2 => any::<bool>().prop_map(|value| Some(Value::BoolValue(value))),
        3 => any::<i64>().prop_map(|value| Some(Value::IntValue(value))),
        2 => real().prop_map(|value| Some(Value::DoubleValue(value))),
        1 => vec(any::<u8>(), 0..6).prop_map(|value| Some(Value::BytesValue(value))),
        1 => text().prop_map(|value| Some(Value::BytesValue(value.into_bytes()))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            vec((key(), option::of(inner)), 0..3).prop_map(|entries| {
                let values = entries.into_iter().map(|(key, value)| KeyValue { key, value, key_strindex: 0 }).collect();
                AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }
            }),
        ]
    })
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    let one = (key(), option::weighted(0.95, any_value()));
    vec(one.prop_map(|(key, value)| KeyValue { key, value, key_strindex: 0 }), 0..most)
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        40 => vec(1u8.., length),
        1 => Just(vec![0; length]),
        1 => Just(vec![]),
        1 => vec(any::<u8>(), length + 1),
    ]
}

fn parent() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![10 => Just(vec![]), 10 => vec(any::<u8>(), 8), 1 => vec(any::<u8>(), 5), 1 => Just(vec![0; 8])]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1_700_000_000_000_000_000u64..1_800_000_000_000_000_000, Just(u64::MAX)]
}

fn span() -> impl Strategy<Value = Span> {
    let head = (id(16), id(8), parent(), text(), -1i32..8, time(), time(), attributes(6));
    let event = (time(), text(), attributes(3)).prop_map(|(time_unix_nano, name, attributes)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: 0,
    });
    let link = (id(16), attributes(2)).prop_map(|(trace_id, attributes)| Link {
        trace_id,
        attributes,
        trace_state: "ot=th:8".to_owned(),
        ..Link::default()
    });
    let status = option::of((text(), 0i32..4).prop_map(|(message, code)| Status { message, code }));
    let tail = (vec(event, 0..2), vec(link, 0..2), status, prop_oneof![Just(""), Just("a=b,ot=th:c")], any::<u32>());
    (head, tail).prop_map(|(head, tail)| Span {
        trace_id: head.0,
        span_id: head.1,
        parent_span_id: head.2,
        name: head.3,
        kind: head.4,
        start_time_unix_nano: head.5,
        end_time_unix_nano: head.6,
        attributes: head.7,
        events: tail.0,
        links: tail.1,
        status: tail.2,
        trace_state: tail.3.to_owned(),
        flags: tail.4,
        dropped_attributes_count: tail.4 % 3,
        ..Span::default()
    })
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    option::of(attributes(4).prop_map(|attributes| Resource { attributes, ..Resource::default() }))
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    let scope = (text(), attributes(2));
    option::of(scope.prop_map(|(name, attributes)| InstrumentationScope {
        name,
        version: "1".to_owned(),
        attributes,
        dropped_attributes_count: 0,
    }))
}

/// Any request with spans.
pub(crate) fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scopes = (scope(), vec(span(), 0..4), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let resources = (resource(), vec(scopes, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resources, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// Any request with log records.
pub(crate) fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let log = (option::of(any_value()), attributes(4), id(16), id(8), text(), time()).prop_map(|log| LogRecord {
        body: log.0,
        attributes: log.1,
        trace_id: log.2,
        span_id: log.3,
        event_name: log.4,
        time_unix_nano: log.5,
        severity_text: "info".to_owned(),
        severity_number: 9,
        ..LogRecord::default()
    });
    let scopes = (scope(), vec(log, 0..4)).prop_map(|(scope, log_records)| ScopeLogs {
        scope,
        log_records,
        ..ScopeLogs::default()
    });
    let resources = (resource(), vec(scopes, 0..3)).prop_map(|(resource, scope_logs)| ResourceLogs {
        resource,
        scope_logs,
        ..ResourceLogs::default()
    });
    vec(resources, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

/// The encodings of one request: as prost writes it, and an unusual one with everything the format allows besides:
/// shared parts after what they are shared by, unknown fields in every message, lengths longer than they need to be.
pub(crate) fn encodings(request: &ExportTraceServiceRequest) -> [Vec<u8>; 2] {
    let mut loose = UNKNOWN.to_vec();
    for resource in &request.resource_spans {
        let mut outer = UNKNOWN.to_vec();
        for scope in &resource.scope_spans {
            let mut inner = Vec::new();
            for span in &scope.spans {
                let mut body = UNKNOWN.to_vec();
                body.extend(span.encode_to_vec());
                body.extend(UNKNOWN);
                field(&mut inner, 2, &body);
            }
            inner.extend(UNKNOWN);
            field(&mut inner, 3, scope.schema_url.as_bytes());
            if let Some(scope) = &scope.scope {
                field(&mut inner, 1, &scope.encode_to_vec());
            }
            field(&mut outer, 2, &inner);
        }
        field(&mut outer, 3, resource.schema_url.as_bytes());
        if let Some(resource) = &resource.resource {
            field(&mut outer, 1, &resource.encode_to_vec());
        }
        field(&mut loose, 1, &outer);
    }
    [request.encode_to_vec(), loose]
}

/// A field with a length of five bytes, whatever its size.
fn field(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    let mut size = content.len();
    for _ in 0..4 {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
    out.extend_from_slice(content);
}

/// How often the unknown field stands in `bytes`.
pub(crate) fn unknown_fields(bytes: &[u8]) -> usize {
    bytes.windows(UNKNOWN.len()).filter(|window| *window == UNKNOWN).count()
}

/// Whether OTLP lets a receiver take the span.
pub(crate) fn is_valid(span: &Span) -> bool {
    let set = |id: &[u8]| id.iter().any(|byte| *byte != 0);
    span.trace_id.len() == 16
        && set(&span.trace_id)
        && span.span_id.len() == 8
        && set(&span.span_id)
        && matches!(span.parent_span_id.len(), 0 | 8)
}

/// The request without the spans that a receiver does not take.
pub(crate) fn valid_only(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        scope.spans.retain(is_valid);
    }
    request
}

/// A span with what is around it.
pub(crate) type Placed<'r> = (&'r ResourceSpans, &'r ScopeSpans, &'r Span);

/// The spans that a receiver takes.
pub(crate) fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = Placed<'_>> {
    let scopes =
        request.resource_spans.iter().flat_map(|resource| resource.scope_spans.iter().map(move |s| (resource, s)));
    let spans = scopes.flat_map(|(resource, scope)| scope.spans.iter().map(move |span| (resource, scope, span)));
    spans.filter(|(_, _, span)| is_valid(span))
}
