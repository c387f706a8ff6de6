//! Rows made the plain way, from decoded messages, and the statements that read the same from the tables.

use super::random;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};

/// A value as text, made the plain way.
pub(crate) fn plain(value: Option<&AnyValue>) -> String {
    use any_value::Value;
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::DoubleValue(value)) if value.is_infinite() => "Infinity".to_owned(),
        Some(Value::BytesValue(_)) => json(value).trim_matches('"').to_owned(),
        Some(_) => json(value),
    }
}

pub(crate) fn json(value: Option<&AnyValue>) -> String {
    use any_value::Value;
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => "null".to_owned(),
        Some(Value::StringValue(text)) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) if value.is_infinite() => "\"Infinity\"".to_owned(),
        Some(Value::DoubleValue(value)) => double(*value),
        Some(Value::BytesValue(blob)) => {
            use std::fmt::Write;
            let bits = blob.iter().fold(String::new(), |mut bits, byte| {
                let _ = write!(bits, "{byte:08b}");
                bits
            });
            let letter = |six: &[u8]| {
                let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
                let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                char::from(alphabet[usize::from_str_radix(&six, 2).unwrap()])
            };
            let text: String = bits.as_bytes().chunks(6).map(letter).collect();
            format!("\"{text}{}\"", "=".repeat((4 - text.len() % 4) % 4))
        }
        Some(Value::ArrayValue(array)) => {
            format!("[{}]", array.values.iter().map(|value| json(Some(value))).collect::<Vec<_>>().join(","))
        }
        Some(Value::KvlistValue(map)) => {
            let entry = |entry: &KeyValue| {
                let key = AnyValue { value: Some(Value::StringValue(entry.key.clone())) };
                format!("{}:{}", json(Some(&key)), json(entry.value.as_ref()))
            };
            format!("{{{}}}", map.values.iter().map(entry).collect::<Vec<_>>().join(","))
        }
    }
}

pub(crate) fn double(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// Text as the engine is asked to write it: in hexadecimal digits, so that no escape of any format is in the way.
pub(crate) fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

pub(crate) fn id(id: &[u8], size: usize) -> String {
    let is_id = id.len() == size && id.iter().any(|byte| *byte != 0);
    if is_id { id.iter().map(|byte| format!("{byte:02x}")).collect() } else { String::new() }
}

pub(crate) fn map(attributes: &[KeyValue]) -> String {
    let entry = |entry: &KeyValue| format!("{}={}", hex(&entry.key), hex(&plain(entry.value.as_ref())));
    attributes.iter().map(entry).collect::<Vec<_>>().join(";")
}

/// A map in the order in which it was written.
pub(crate) fn sql_map(column: &str) -> String {
    format!(
        "arrayStringConcat(arrayMap((k, v) -> concat(hex(k), '=', hex(v)), mapKeys({column}), mapValues({column})), ';')"
    )
}

pub(crate) fn sql_maps(column: &str) -> String {
    format!("arrayStringConcat(arrayMap(m -> {}, {column}), '|')", sql_map("m"))
}

pub(crate) fn time(nanoseconds: u64) -> String {
    i64::try_from(nanoseconds).unwrap_or(i64::MAX).to_string()
}

pub(crate) fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join("|")
}

pub(crate) fn service(attributes: &[KeyValue]) -> String {
    let found = attributes.iter().find(|entry| entry.key == "service.name");
    found.map_or_else(String::new, |entry| plain(entry.value.as_ref()))
}

pub(crate) fn expected_spans(request: &ExportTraceServiceRequest) -> Vec<Vec<String>> {
    let kinds = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
    let row = |(resource, scope, span): (
        &opentelemetry_proto::tonic::trace::v1::ResourceSpans,
        &opentelemetry_proto::tonic::trace::v1::ScopeSpans,
        &opentelemetry_proto::tonic::trace::v1::Span,
    )| {
        let of_resource = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let duration = if start == 0 || end == 0 { 0 } else { end.saturating_sub(start) };
        let code = span.status.as_ref().map_or(0, |status| status.code);
        vec![
            time(start),
            id(&span.trace_id, 16),
            id(&span.span_id, 8),
            id(&span.parent_span_id, 8),
            hex(&span.trace_state),
            hex(&span.name),
            (*kinds.get(span.kind as usize).unwrap_or(&"Unspecified")).to_owned(),
            hex(&service(of_resource)),
            map(of_resource),
            scope.scope.as_ref().map_or_else(String::new, |scope| hex(&scope.name)),
            scope.scope.as_ref().map_or_else(String::new, |scope| hex(&scope.version)),
            map(&span.attributes),
            duration.to_string(),
            (*["Unset", "Ok", "Error"].get(code as usize).unwrap_or(&"Unset")).to_owned(),
            span.status.as_ref().map_or_else(String::new, |status| hex(&status.message)),
            joined(&span.events, |event| time(event.time_unix_nano)),
            joined(&span.events, |event| hex(&event.name)),
            joined(&span.events, |event| map(&event.attributes)),
            joined(&span.links, |link| id(&link.trace_id, 16)),
            joined(&span.links, |link| id(&link.span_id, 8)),
            joined(&span.links, |link| hex(&link.trace_state)),
            joined(&span.links, |link| map(&link.attributes)),
        ]
    };
    random::spans(request).map(row).collect()
}

pub(crate) fn select_spans() -> String {
    format!(
        "SELECT toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, ParentSpanId, hex(TraceState), hex(SpanName), SpanKind, \
         hex(ServiceName), {}, hex(ScopeName), hex(ScopeVersion), {}, Duration, StatusCode, hex(StatusMessage), \
         arrayStringConcat(arrayMap(t -> toString(toUnixTimestamp64Nano(t)), Events.Timestamp), '|'), \
         arrayStringConcat(arrayMap(t -> hex(t), Events.Name), '|'), {}, arrayStringConcat(Links.TraceId, '|'), \
         arrayStringConcat(Links.SpanId, '|'), arrayStringConcat(arrayMap(t -> hex(t), Links.TraceState), '|'), {} \
         FROM otel.otel_traces",
        sql_map("ResourceAttributes"),
        sql_map("SpanAttributes"),
        sql_maps("Events.Attributes"),
        sql_maps("Links.Attributes")
    )
}

pub(crate) fn expected_logs(request: &ExportLogsServiceRequest) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for resource in &request.resource_logs {
        let of_resource = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        for scope in &resource.scope_logs {
            for log in &scope.log_records {
                let of_scope = scope.scope.as_ref();
                let seen = if log.time_unix_nano == 0 { log.observed_time_unix_nano } else { log.time_unix_nano };
                rows.push(vec![
                    time(seen),
                    id(&log.trace_id, 16),
                    id(&log.span_id, 8),
                    (log.flags as u8).to_string(),
                    hex(&log.severity_text),
                    u8::try_from(log.severity_number).unwrap_or(0).to_string(),
                    hex(&service(of_resource)),
                    hex(&plain(log.body.as_ref())),
                    hex(&resource.schema_url),
                    map(of_resource),
                    hex(&scope.schema_url),
                    of_scope.map_or_else(String::new, |scope| hex(&scope.name)),
                    of_scope.map_or_else(String::new, |scope| hex(&scope.version)),
                    of_scope.map_or_else(String::new, |scope| map(&scope.attributes)),
                    map(&log.attributes),
                    hex(&log.event_name),
                ]);
            }
        }
    }
    rows
}

pub(crate) fn select_logs() -> String {
    format!(
        "SELECT toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, TraceFlags, hex(SeverityText), SeverityNumber, \
         hex(ServiceName), hex(Body), hex(ResourceSchemaUrl), {}, hex(ScopeSchemaUrl), hex(ScopeName), \
         hex(ScopeVersion), {}, {}, hex(EventName) FROM otel.otel_logs",
        sql_map("ResourceAttributes"),
        sql_map("ScopeAttributes"),
        sql_map("LogAttributes")
    )
}

pub(crate) fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}
