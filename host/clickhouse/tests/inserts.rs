//! Inserts into the real engine: what comes again adds nothing, and what each failure means.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use common::traffic::{self, dollars};
use common::{LIMIT, Server, insert_spans, run, schema, table, value};
use tollgate_clickhouse::migrate::migrate;
use tollgate_clickhouse::{CODES, Compression, Credentials, Meaning, rows, token};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

const COUNTS: &str = "SELECT (SELECT count() FROM otel.otel_traces), (SELECT count() FROM otel.otel_llm_calls), \
                      (SELECT sum(Calls) FROM otel.otel_llm_calls_by_minute), \
                      (SELECT sum(LlmCost) FROM otel.otel_llm_calls_by_minute)";

#[test]
fn an_insert_that_comes_again_adds_nothing_anywhere() {
    let Some(mut server) = Server::start() else { return };
    let calls = traffic::calls(1, 300);
    let billable = || calls.iter().filter(|call| call.is_billable());
    let cost = dollars(billable().filter_map(|call| call.cost).map(i128::from).sum());
    let expected = vec![vec!["300".to_owned(), billable().count().to_string(), billable().count().to_string(), cost]];
    run(async {
        let client = server.client();
        migrate(&client, &schema(), None).await.unwrap();
        assert!(client.remembers_asynchronous().await.unwrap());
        // Each of the requests with another coding, each both ways, and each three times.
        for (index, part) in calls.chunks(75).enumerate() {
            let request = traffic::request(part);
            let rows = rows::spans(&request, LIMIT).unwrap().bytes;
            let compression = Compression::ALL[index];
            for asynchronous in [index % 2 == 0, true, false] {
                let packed = compression.pack(rows.clone()).unwrap();
                common::insert(&client, "otel_traces", packed, compression, &token(&request), asynchronous)
                    .await
                    .unwrap();
            }
        }
        assert_eq!(table(&client, COUNTS).await, expected);
    });
    // It is remembered by the tables, and not by the process.
    server.restart();
    run(async {
        let client = server.client();
        let request = traffic::request(&calls[..75]);
        insert_spans(&client, &request).await.unwrap();
        assert_eq!(table(&client, COUNTS).await, expected);
        // Other rows under another token are other rows.
        insert_spans(&client, &traffic::request(&traffic::calls(2, 10))).await.unwrap();
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "310");
    });
}

#[test]
fn inserts_side_by_side_all_count_once() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        let mut under_way = Vec::new();
        for seed in 0..16 {
            for _ in 0..2 {
                let client = client.clone();
                under_way.push(tokio::spawn(async move {
                    insert_spans(&client, &traffic::request(&traffic::calls(seed, 20))).await.unwrap();
                }));
            }
        }
        for task in under_way {
            task.await.unwrap();
        }
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "320");
    });
}

/// A host that was killed puts what it has still to deliver together anew, so that tokens are others than before. Spans are
/// then twice in the table of spans and in the sums, and once in the table of calls.
#[test]
fn spans_that_come_in_another_request_are_one_call() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let calls = traffic::calls(5, 200);
    let billable = || calls.iter().filter(|call| call.is_billable());
    let cost = dollars(billable().filter_map(|call| call.cost).map(i128::from).sum());
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        insert_spans(&client, &traffic::request(&calls)).await.unwrap();
        insert_spans(&client, &traffic::request(&calls[..100])).await.unwrap();
        let exact = "SELECT count(), sum(LlmCost) FROM otel.otel_llm_calls FINAL";
        assert_eq!(table(&client, exact).await, [[billable().count().to_string(), cost]]);
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "300");
    });
}

#[test]
fn failures_of_the_engine_mean_what_the_table_says() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        let request = traffic::request(&traffic::calls(1, 5));
        let rows = rows::spans(&request, LIMIT).unwrap().bytes;
        let insert = async |rows: Vec<u8>, table: &str| {
            common::insert(&client, table, rows, Compression::None, "t", true).await.unwrap_err()
        };
        let missing = insert(rows.clone(), "otel_traces").await;
        assert_eq!(missing.meaning, Meaning::Again, "{missing}");
        assert!(matches!(missing.code, Some(60 | 81)), "{missing}");

        migrate(&client, &schema(), Some(1)).await.unwrap();
        let columns = insert(rows.clone(), "otel_traces").await;
        assert_eq!(columns.meaning, Meaning::Again, "a column is missing, which a migration adds: {columns}");

        migrate(&client, &schema(), None).await.unwrap();
        let cut = insert(rows[..rows.len() - 7].to_vec(), "otel_traces").await;
        assert_eq!(cut.meaning, Meaning::Again, "{cut}");
        let garbage = insert(b"\x01\x01aGARBAGE".to_vec(), "otel_traces").await;
        assert_eq!(garbage.meaning, Meaning::Again, "a column that is not there: {garbage}");

        client.query("ALTER TABLE otel.otel_traces ADD CONSTRAINT c CHECK LlmProvider != 'openai'").await.unwrap();
        let violated = insert(rows.clone(), "otel_traces").await;
        assert_eq!((violated.meaning, violated.code), (Meaning::Never, Some(469)), "{violated}");
        client.query("ALTER TABLE otel.otel_traces DROP CONSTRAINT c").await.unwrap();

        let mut writer = RequestWriter::new();
        for day in 1..=150_u64 {
            let mut span = SpanWriter::new([1; 16], day.to_be_bytes(), "a");
            span.times(day * 86_400_000_000_000, day * 86_400_000_000_000);
            writer.push(&Envelope::new(&[], "s", "1"), span.bytes());
        }
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "0");
        // Rows of more days than a server takes at once are taken nevertheless.
        insert_spans(&client, &writer.finish()).await.unwrap();
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "150");
    });
}

#[test]
fn codes_have_the_names_that_the_engine_has_for_them() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        for (code, name, _) in CODES {
            assert_eq!(value(&client, &format!("SELECT errorCodeToName({code})")).await, *name);
        }
    });
}

#[test]
fn a_wrong_password_is_for_the_operator_and_never_in_an_error() {
    let right = Credentials { username: "writer".to_owned(), password: "the-right-one".to_owned() };
    let wrong = Credentials { username: "writer".to_owned(), password: "the-wrong-one".to_owned() };
    let Some(server) = Server::start_as(&right) else { return };
    run(async {
        let failure = server.client_as(&wrong).query("SELECT 1").await.unwrap_err();
        assert_eq!((failure.meaning, failure.code), (Meaning::Again, Some(516)));
        assert!(!failure.to_string().contains("the-wrong-one"));
        assert_eq!(server.client_as(&right).query("SELECT 1 FORMAT TSV").await.unwrap(), "1\n");
    });
}
