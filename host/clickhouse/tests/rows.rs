//! What the engine reads is what was sent, and bytes of any kind do no harm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;
#[path = "../../../libs/otlp/tests/common/mod.rs"]
mod random;

use common::{LIMIT, Server, run, schema, table};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;
use tollgate_clickhouse::migrate::migrate;
use tollgate_clickhouse::rows::{self, RowsError};
use tollgate_clickhouse::{Client, Compression, column, token};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

/// A value as text, made the plain way.
fn plain(value: Option<&AnyValue>) -> String {
    use any_value::Value;
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::DoubleValue(value)) if value.is_infinite() => "Infinity".to_owned(),
        Some(Value::BytesValue(_)) => json(value).trim_matches('"').to_owned(),
        Some(_) => json(value),
    }
}

fn json(value: Option<&AnyValue>) -> String {
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

fn double(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// Text as the engine is asked to write it: in hexadecimal digits, so that no escape of any format is in the way.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

fn id(id: &[u8], size: usize) -> String {
    let is_id = id.len() == size && id.iter().any(|byte| *byte != 0);
    if is_id { id.iter().map(|byte| format!("{byte:02x}")).collect() } else { String::new() }
}

fn map(attributes: &[KeyValue]) -> String {
    let entry = |entry: &KeyValue| format!("{}={}", hex(&entry.key), hex(&plain(entry.value.as_ref())));
    attributes.iter().map(entry).collect::<Vec<_>>().join(";")
}

/// A map in the order in which it was written.
fn sql_map(column: &str) -> String {
    format!(
        "arrayStringConcat(arrayMap((k, v) -> concat(hex(k), '=', hex(v)), mapKeys({column}), mapValues({column})), ';')"
    )
}

fn sql_maps(column: &str) -> String {
    format!("arrayStringConcat(arrayMap(m -> {}, {column}), '|')", sql_map("m"))
}

fn time(nanoseconds: u64) -> String {
    i64::try_from(nanoseconds).unwrap_or(i64::MAX).to_string()
}

fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join("|")
}

fn service(attributes: &[KeyValue]) -> String {
    let found = attributes.iter().find(|entry| entry.key == "service.name");
    found.map_or_else(String::new, |entry| plain(entry.value.as_ref()))
}

fn expected_spans(request: &ExportTraceServiceRequest) -> Vec<Vec<String>> {
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

fn select_spans() -> String {
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

fn expected_logs(request: &ExportLogsServiceRequest) -> Vec<Vec<String>> {
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

fn select_logs() -> String {
    format!(
        "SELECT toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, TraceFlags, hex(SeverityText), SeverityNumber, \
         hex(ServiceName), hex(Body), hex(ResourceSchemaUrl), {}, hex(ScopeSchemaUrl), hex(ScopeName), \
         hex(ScopeVersion), {}, {}, hex(EventName) FROM otel.otel_logs",
        sql_map("ResourceAttributes"),
        sql_map("ScopeAttributes"),
        sql_map("LogAttributes")
    )
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

async fn empty(client: &Client) {
    for table in ["otel_traces", "otel_logs"] {
        client.query(&format!("TRUNCATE TABLE otel.{table}")).await.unwrap();
    }
}

#[test]
fn the_engine_reads_what_was_sent() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut runner = TestRunner::deterministic();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        for case in 0..40 {
            let spans = random::valid_only(random::traces().new_tree(&mut runner).unwrap().current());
            let logs = random::logs().new_tree(&mut runner).unwrap().current();
            empty(&client).await;
            let bytes = spans.encode_to_vec();
            let rows = rows::spans(&bytes, LIMIT).unwrap();
            let expected = sorted(expected_spans(&spans));
            assert_eq!(rows.count, expected.len() as u64, "case {case}");
            common::insert(&client, "otel_traces", rows.bytes, Compression::None, &token(&bytes), true).await.unwrap();
            assert_eq!(sorted(table(&client, &select_spans()).await), expected, "case {case}");

            let bytes = logs.encode_to_vec();
            let rows = rows::logs(&bytes, LIMIT).unwrap();
            common::insert(&client, "otel_logs", rows.bytes, Compression::None, &token(&bytes), true).await.unwrap();
            assert_eq!(sorted(table(&client, &select_logs()).await), sorted(expected_logs(&logs)), "case {case}");
        }
    });
}

/// A span with every attribute that a column is read from, of every type that it may have.
fn with_columns(number: u64, random: &mut common::traffic::Random) -> SpanWriter {
    let mut span = SpanWriter::new([1; 16], (number + 1).to_be_bytes(), "call");
    span.times(common::traffic::START, common::traffic::START + 1);
    for column in column::SPANS {
        for name in column.attributes {
            match random.below(12) {
                0 => {}
                1 => drop(span.set(name, "")),
                2 => drop(span.set(name, "billable")),
                3 => drop(span.set(name, "chat")),
                4 => drop(span.set(name, random.below(1 << 40))),
                5 => drop(span.set(name, -(random.below(1 << 40) as i64))),
                6 => drop(span.set(name, random.below(1 << 40) as f64 / 1024.0)),
                7 => drop(span.set(name, random.below(5) as f64)),
                8 => drop(span.set(name, random.below(2) == 0)),
                9 => drop(span.set(name, &["stop", "a\"b\\c", "ü"][..])),
                10 => drop(span.set(name, [f64::NAN, f64::INFINITY, f64::MAX, 1e-300][random.below(4) as usize])),
                _ => drop(span.set(name, ["12", "x12", "1.5", "9223372036854775807", "-3"][random.below(5) as usize])),
            }
        }
    }
    span
}

/// What is written here and what the server reads from the maps of attributes are two programs for one meaning.
#[test]
fn columns_are_what_their_defaults_read_from_the_attributes() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut random = common::traffic::Random(3);
    let mut writer = RequestWriter::new();
    for number in 0..4_000 {
        let resource: &[_] = match random.below(3) {
            0 => &[("team", "of resource".into()), ("tenant.id", 7_i64.into())],
            1 => &[("team", "".into())],
            _ => &[],
        };
        writer.push(&Envelope::new(resource, "s", "1"), with_columns(number, &mut random).bytes());
    }
    let request = writer.finish();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        common::insert_spans(&client, &request).await.unwrap();
        client.query("CREATE TABLE otel.other AS otel.otel_traces").await.unwrap();
        let base = "Timestamp, TraceId, SpanId, ResourceAttributes, SpanAttributes";
        client.query(&format!("INSERT INTO otel.other ({base}) SELECT {base} FROM otel.otel_traces")).await.unwrap();
        for column in column::SPANS {
            let name = column.name;
            let differ = format!(
                "SELECT SpanId, toString(ours.{name}), toString(theirs.{name}), ours.SpanAttributes FROM otel.otel_traces \
                 AS ours JOIN otel.other AS theirs USING SpanId WHERE toString(ours.{name}) IS DISTINCT FROM \
                 toString(theirs.{name}) LIMIT 3"
            );
            assert_eq!(table(&client, &differ).await, Vec::<Vec<String>>::new(), "{name}");
            let values = format!("SELECT uniqExact(toString({name})) > 1 FROM otel.other");
            assert_eq!(common::value(&client, &values).await, "1", "{name} has one value only");
        }
    });
}

#[test]
fn evaluations_of_log_records_have_columns_too() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut log = tollgate_otlp::LogWriter::event("gen_ai.evaluation.result", 5, tollgate_otlp::Severity::Info);
    log.within([1; 16], [2; 8], 1);
    log.attributes().set("gen_ai.evaluation.name", "relevance").set("gen_ai.evaluation.score.value", 0.75);
    log.attributes().set("gen_ai.evaluation.score.label", "good").set("gen_ai.conversation.id", "s1");
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::new(&[], "s", "1"), log.bytes());
    let request = writer.finish();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        common::insert_logs(&client, &request).await.unwrap();
        let read =
            "SELECT EventName, LlmEvaluation, LlmEvaluationScore, LlmEvaluationLabel, LlmSession FROM otel.otel_logs";
        let expected = ["gen_ai.evaluation.result", "relevance", "0.75", "good", "s1"];
        assert_eq!(table(&client, read).await, [expected]);
    });
}

#[test]
fn a_large_resource_does_not_become_rows_without_end() {
    let big = "x".repeat(100_000);
    let envelope = Envelope::new(&[("big", big.as_str().into())], "s", "1");
    let mut writer = RequestWriter::new();
    for number in 1..=200_u64 {
        writer.push(&envelope, SpanWriter::new([1; 16], number.to_be_bytes(), "a").bytes());
    }
    let request = writer.finish();
    assert!(request.len() < 120_000);
    assert!(matches!(rows::spans(&request, 1 << 20), Err(RowsError::TooLarge { limit: 1_048_576 })));
    assert_eq!(rows::spans(&request, LIMIT).unwrap().count, 200);

    // A span alone is never too large: it is for the server to refuse.
    let mut writer = RequestWriter::new();
    writer.push(&envelope, SpanWriter::new([1; 16], [1; 8], "a").bytes());
    assert_eq!(rows::spans(&writer.finish(), 1_000).unwrap().count, 1);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (rows::spans(&bytes, LIMIT), rows::logs(&bytes, LIMIT));
    }

    #[test]
    fn broken_requests_do_no_harm(request in random::traces(), at in any::<proptest::sample::Index>(), with in any::<u8>()) {
        let mut bytes = request.encode_to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = (rows::spans(&bytes, LIMIT), rows::logs(&bytes, LIMIT));
            bytes.truncate(at);
            let _ = (rows::spans(&bytes, LIMIT), rows::logs(&bytes, LIMIT));
        }
    }
}

/// Rows of requests that were broken are rows nevertheless, which the engine takes: one bad request is never in the way of
/// others.
#[test]
fn rows_of_broken_requests_are_rows() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut runner = TestRunner::deterministic();
    let mut random = common::traffic::Random(11);
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        let mut taken = 0;
        for _ in 0..400 {
            let mut bytes = random::traces().new_tree(&mut runner).unwrap().current().encode_to_vec();
            if bytes.is_empty() {
                continue;
            }
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.below(256) as u8;
            let Ok(rows) = rows::spans(&bytes, LIMIT) else { continue };
            if rows.count == 0 {
                continue;
            }
            common::insert(&client, "otel_traces", rows.bytes, Compression::None, &token(&bytes), false).await.unwrap();
            taken += 1;
        }
        assert!(taken > 50, "{taken} requests were still requests");
    });
}
