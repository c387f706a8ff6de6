//! Any earlier version of the tables becomes the current one, and what was in them stays, to the nano-dollar.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use common::traffic::{self, dollars};
use common::{Server, insert_spans, run, schema, table, value};
use std::time::Duration;
use tollgate_clickhouse::migrate::{self, MIGRATIONS, MigrateError, backfill, migrate};
use tollgate_clickhouse::{Client, Schema};

const CURRENT: u32 = MIGRATIONS.len() as u32;

/// Tables and columns of the database: all that a migration can have an effect on.
async fn layout(client: &Client) -> Vec<Vec<String>> {
    let columns = "SELECT table, name, type, default_kind, default_expression FROM system.columns WHERE database = 'otel' \
                   ORDER BY table, name";
    let tables = "SELECT name, engine, sorting_key, partition_key, as_select FROM system.tables WHERE database = 'otel' \
                  ORDER BY name";
    [table(client, columns).await, table(client, tables).await].concat()
}

async fn drop_all(client: &Client) {
    client.query("DROP DATABASE IF EXISTS otel").await.unwrap();
}

/// What an older exporter made: no scope, and no name of events.
async fn older_exporter(client: &Client) {
    client.query("CREATE DATABASE otel").await.unwrap();
    for statement in migrate::statements(&schema(), 1).into_iter().filter(|sql| sql.starts_with("CREATE")) {
        let without = ["ScopeName", "ScopeVersion", "EventName"];
        let lines = statement.lines().filter(|line| !without.iter().any(|name| line.trim_start().starts_with(name)));
        let statement =
            lines.collect::<Vec<_>>().join("\n").replace(", non_replicated_deduplication_window = 10000", "");
        client.query(&statement).await.unwrap();
    }
}

/// Rows as the exporter writes them: its own columns, and nothing of ours. They are taken from rows that were written here.
async fn write_as_exporter(client: &Client, request: &[u8]) {
    client.query("DROP DATABASE IF EXISTS source").await.unwrap();
    let source = Schema { database: "source".to_owned(), ..Schema::default() };
    migrate(client, &source, Some(2)).await.unwrap();
    let rows = tollgate_clickhouse::rows::spans(request, common::LIMIT).unwrap();
    let target = "INSERT INTO source.otel_traces FORMAT RowBinaryWithNames";
    let url = reqwest::Url::parse_with_params(&format!("{}/", common_endpoint(client)), [("query", target)]).unwrap();
    let sent = reqwest::Client::new().post(url).body(rows.bytes).send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    let columns = "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, \
                   ResourceAttributes, SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, \
                   `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, \
                   `Links.Attributes`";
    let copy = format!("INSERT INTO otel.otel_traces ({columns}) SELECT {columns} FROM source.otel_traces");
    client.query(&copy).await.unwrap();
}

fn common_endpoint(client: &Client) -> String {
    client.endpoint().trim_end_matches('/').to_owned()
}

#[test]
fn every_version_becomes_the_current_one_with_what_is_in_it() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        assert_eq!(migrate(&client, &schema(), None).await.unwrap().to, CURRENT);
        let current = layout(&client).await;
        let calls = traffic::calls(7, 400);
        let (before, after) = calls.split_at(200);
        // -1 is a database of an older exporter, 0 one with nothing in it.
        for version in -1..=CURRENT as i32 {
            drop_all(&client).await;
            if version < 0 {
                older_exporter(&client).await;
            }
            if version > 0 {
                migrate(&client, &schema(), Some(version as u32)).await.unwrap();
            }
            if version != 0 {
                write_as_exporter(&client, &traffic::request(before)).await;
            }
            let report = migrate(&client, &schema(), None).await.unwrap();
            assert_eq!((report.from, report.to), (version.max(0) as u32, CURRENT), "from {version}");
            assert_eq!(layout(&client).await, current, "from {version}");

            insert_spans(&client, &traffic::request(after)).await.unwrap();
            let there = if version == 0 { after } else { &calls[..] };
            let billable = || there.iter().filter(|call| call.is_billable());
            let cost = dollars(billable().filter_map(|call| call.cost).map(i128::from).sum());
            let sum = "SELECT sum(LlmCost), count() FROM otel.otel_traces WHERE LlmBillable";
            let expected = vec![vec![cost, billable().count().to_string()]];
            assert_eq!(table(&client, sum).await, expected, "from {version}");

            // Twice, because a backfill that broke off is run again.
            backfill(&client, &schema()).await.unwrap();
            backfill(&client, &schema()).await.unwrap();
            let exact = "SELECT sum(LlmCost), count() FROM otel.otel_llm_calls";
            assert_eq!(table(&client, exact).await, expected, "from {version}");
            // What came to the table of calls before there was one of sums is not in the sums.
            let summed = if version == 3 { after } else { there };
            let billable = || summed.iter().filter(|call| call.is_billable());
            let cost = dollars(billable().filter_map(|call| call.cost).map(i128::from).sum());
            let sums = "SELECT sum(LlmCost), sum(Calls) FROM otel.otel_llm_calls_by_minute";
            assert_eq!(table(&client, sums).await, [[cost, billable().count().to_string()]], "from {version}");
        }
    });
}

#[test]
fn twice_and_by_two_hosts_at_once_is_as_once() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        for _ in 0..3 {
            drop_all(&client).await;
            let (one, other) = (schema(), schema());
            let (first, second) = tokio::join!(migrate(&client, &one, None), migrate(&client, &other, None));
            assert_eq!((first.unwrap().to, second.unwrap().to), (CURRENT, CURRENT));
            let again = migrate(&client, &schema(), None).await.unwrap();
            assert_eq!((again.from, again.to), (CURRENT, CURRENT));
            let versions = "SELECT version FROM otel.tollgate_migrations FINAL ORDER BY version";
            assert_eq!(table(&client, versions).await, (1..=CURRENT).map(|v| vec![v.to_string()]).collect::<Vec<_>>());
        }
    });
}

#[test]
fn tables_that_other_statements_made_are_refused_and_later_ones_left_alone() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        let later = "INSERT INTO otel.tollgate_migrations (version, name, checksum) SELECT 1000, 'later', 'x'";
        client.query(later).await.unwrap();
        let report = migrate(&client, &schema(), None).await.unwrap();
        assert_eq!((report.from, report.to), (1000, 1000));

        let other = "INSERT INTO otel.tollgate_migrations (version, name, checksum, applied_at) \
                     SELECT 2, 'other', 'abc', now64(3) + 10";
        client.query(other).await.unwrap();
        let error = migrate(&client, &schema(), None).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Changed { version: 2, theirs, .. } if theirs == "abc"), "{error}");
    });
}

#[test]
fn the_statements_that_are_printed_make_the_same_tables() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        let migrated = layout(&client).await;
        drop_all(&client).await;
        for statement in migrate::all_statements(&schema()) {
            client.query(&statement).await.unwrap();
        }
        assert_eq!(layout(&client).await, migrated);
        let report = migrate(&client, &schema(), None).await.unwrap();
        assert_eq!((report.from, report.to), (CURRENT, CURRENT));
    });
}

#[test]
fn times_to_live_follow_the_configuration() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let ttl = |table: &str| {
        format!(
            "SELECT extract(engine_full, 'TTL (.*) SETTINGS') FROM system.tables WHERE database = 'otel' AND name = '{table}'"
        )
    };
    run(async {
        let days = |ttl: u64, calls_ttl: u64| Schema {
            ttl: Duration::from_secs(ttl * 86_400),
            calls_ttl: Duration::from_secs(calls_ttl * 86_400),
            ..schema()
        };
        for (schema, changed, spans, calls) in [
            (days(3, 400), 0, "toDateTime(Timestamp) + toIntervalDay(3)", "toDateTime(Timestamp) + toIntervalDay(400)"),
            (days(7, 400), 3, "toDateTime(Timestamp) + toIntervalDay(7)", "toDateTime(Timestamp) + toIntervalDay(400)"),
            (days(7, 0), 2, "toDateTime(Timestamp) + toIntervalDay(7)", ""),
            (days(7, 0), 0, "toDateTime(Timestamp) + toIntervalDay(7)", ""),
        ] {
            let report = migrate(&client, &schema, None).await.unwrap();
            assert_eq!(report.ttl_changed.len(), changed, "{schema:?}");
            assert_eq!(value(&client, &ttl("otel_traces")).await, spans);
            assert_eq!(table(&client, &ttl("otel_llm_calls")).await.concat().concat(), calls);
        }
        // A row that is older goes.
        let old =
            "INSERT INTO otel.otel_traces (Timestamp, TraceId) SELECT toDateTime64('2001-01-01 00:00:00', 9), 'old'";
        client.query(old).await.unwrap();
        client.query("OPTIMIZE TABLE otel.otel_traces FINAL").await.unwrap();
        assert_eq!(value(&client, "SELECT count() FROM otel.otel_traces").await, "0");
    });
}

/// The newest exporter orders log records by five minutes, and has no column for the time in seconds.
#[test]
fn tables_of_the_newest_exporter_are_taken_over() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    run(async {
        client.query("CREATE DATABASE otel").await.unwrap();
        let create = migrate::statements(&schema(), 1).into_iter().find(|sql| sql.contains("`otel_logs`")).unwrap();
        let lines =
            create.lines().filter(|line| !["    TimestampTime", "PRIMARY KEY"].iter().any(|it| line.starts_with(it)));
        let create = lines.collect::<Vec<_>>().join("\n");
        let create =
            create.replace("(ServiceName, TimestampTime, Timestamp)", "(toStartOfFiveMinutes(Timestamp), ServiceName)");
        client.query(&create.replace("toDate(TimestampTime)", "toDate(Timestamp)")).await.unwrap();

        let kept = Schema { ttl: Duration::from_secs(3_650 * 86_400), ..schema() };
        assert_eq!(migrate(&client, &kept, None).await.unwrap().ttl_changed, ["otel_logs"]);
        assert_eq!(migrate(&client, &kept, None).await.unwrap().ttl_changed, Vec::<String>::new());
        let mut log = tollgate_otlp::LogWriter::event("e", traffic::START, tollgate_otlp::Severity::Info);
        log.attributes().set("gen_ai.evaluation.name", "tone");
        let mut writer = tollgate_otlp::RequestWriter::new();
        writer.push(&tollgate_otlp::Envelope::new(&[], "s", "1"), log.bytes());
        common::insert_logs(&client, &writer.finish()).await.unwrap();
        assert_eq!(value(&client, "SELECT LlmEvaluation FROM otel.otel_logs").await, "tone");
    });
}
