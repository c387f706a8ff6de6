//! What the engine reads is what was sent, and bytes of any kind do no harm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;
#[path = "common/plain.rs"]
mod plain;
#[path = "../../../libs/otlp/tests/common/mod.rs"]
mod random;

use common::{LIMIT, Server, run, schema, table};
use plain::{expected_logs, expected_spans, select_logs, select_spans, sorted};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;
use tollgate_clickhouse::migrate::migrate;
use tollgate_clickhouse::rows::{self, RowsError};
use tollgate_clickhouse::{Client, Compression, column, token};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

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
