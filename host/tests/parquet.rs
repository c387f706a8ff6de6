//! The output `parquet`: what was acknowledged is in whole files, however the host ends, and DuckDB adds it up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Host, chat, request};
use tollgate_otlp::{Envelope, LogWriter, RequestWriter, Severity, SpanWriter};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "parquet") {
            found.push(path);
        }
    }
    found
}

/// Answers of DuckDB to a query over the files, `TABLE` standing for these; `None` where it is not there.
fn duckdb(folder: &Path, sql: &str) -> Option<String> {
    let Some(packages) = std::env::var_os("TOLLGATE_DUCKDB") else {
        let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "TOLLGATE_DUCKDB is not set");
        eprintln!("SKIPPED: TOLLGATE_DUCKDB is not set; it is the folder of the package duckdb");
        return None;
    };
    let table = format!("read_parquet('{}/traces/*/*/*.parquet', hive_partitioning = true)", folder.display());
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .env("PYTHONPATH", packages)
        .args(["-c", "import duckdb, sys; print(*duckdb.sql(sys.argv[1]).fetchall()[0])"])
        .arg(sql.replace("TABLE", &table))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn call(number: u64) -> SpanWriter {
    let mut span = chat(u8::try_from(number % 250).unwrap() + 1, u8::try_from(number / 250).unwrap() + 1);
    span.set("tollgate.cost.nano_usd", i64::try_from(number * 1_000_003).unwrap());
    span
}

const TOTALS: &str = "SELECT count(DISTINCT (trace_id, span_id)), sum(cost_usd), count(*) FROM TABLE";

async fn until_files(folder: &Path, count: usize) -> Vec<PathBuf> {
    let begun = Instant::now();
    loop {
        let found = files(folder);
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} files", found.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The sum of what the calls cost, as DuckDB writes it.
fn dollars(calls: std::ops::Range<u64>) -> String {
    let nanos: u64 = calls.map(|number| number * 1_000_003).sum();
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[tokio::test]
async fn deliveries_wait_to_become_one_file_and_are_written_at_the_end() {
    let host = Host::start("outputs:\n  parquet: {path: FOLDER/lake, max_age: 1h}\n");
    let lake = host.folder.path("lake");
    for number in 0..500 {
        assert_eq!(host.post("/v1/traces", request(&[call(number)])).await.0, 200);
    }
    assert!(files(&lake).is_empty(), "they wait");
    let kept = support::Folder::new();
    let copy = kept.path("lake");
    host.terminate();
    let found = until_files(&lake, 1).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].to_string_lossy().contains("/traces/date=2026-09-21/service=shop/part-"), "{found:?}");
    assert!(Command::new("cp").arg("-r").args([&lake, &copy]).status().unwrap().success());
    let Some(totals) = duckdb(&copy, TOTALS) else { return };
    assert_eq!(totals, format!("500 {} 500", dollars(0..500)));
}

#[tokio::test]
async fn files_are_written_at_their_age_and_at_their_size() {
    let host = Host::start(
        "outputs:\n  parquet/age: {path: FOLDER/age, max_age: 300ms}\n  parquet/size: {path: FOLDER/size, max_age: 1h, max_bytes: 4KiB}\n",
    );
    assert_eq!(host.post("/v1/traces", request(&[call(1)])).await.0, 200);
    until_files(&host.folder.path("age"), 1).await;
    assert!(files(&host.folder.path("size")).is_empty());
    for number in 2..60 {
        assert_eq!(host.post("/v1/traces", request(&[call(number)])).await.0, 200);
    }
    assert!(until_files(&host.folder.path("size"), 2).await.len() < 30);
    host.until_metric(r#"tollgate_output_sent_total{output="parquet/age"} 59"#).await;
}

#[tokio::test]
async fn a_queue_that_is_half_full_does_not_wait() {
    let host = Host::start(
        "outputs:\n  parquet: {path: FOLDER/lake, max_age: 1h, max_bytes: 4KiB, queue: {max_bytes: 8KiB}}\n",
    );
    // Neither the spans nor the log records are as many as a file may have, but together they are half of the queue.
    for number in 0..3 {
        let mut span = call(number);
        span.set("filler", "x".repeat(700).as_str());
        assert_eq!(host.post("/v1/traces", request(&[span])).await.0, 200);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(files(&host.folder.path("lake")).is_empty(), "they wait");
    for time in 0..3 {
        let mut log = LogWriter::event("app.thing", time, Severity::Info);
        log.attributes().set("filler", "x".repeat(700).as_str());
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::new(&[("service.name", "shop".into())], "", ""), log.bytes());
        assert_eq!(host.post("/v1/logs", writer.finish()).await.0, 200);
    }
    until_files(&host.folder.path("lake"), 1).await;
}

#[tokio::test]
async fn what_waited_when_the_host_was_killed_is_written_by_the_next_one() {
    let stages = "outputs:\n  parquet: {path: FOLDER/lake, max_age: 1h}\n";
    let host = Host::start(stages);
    for number in 0..200 {
        assert_eq!(host.post("/v1/traces", request(&[call(number)])).await.0, 200);
    }
    let folder = host.crash();
    let lake = folder.path("lake");
    assert!(files(&lake).is_empty());
    let host = Host::start_in(folder, "http: {endpoint: 127.0.0.1:0}", &stages.replace("1h", "200ms"));
    host.until_metric(r#"tollgate_output_sent_total{output="parquet"} 200"#).await;
    let Some(totals) = duckdb(&lake, TOTALS) else { return };
    assert_eq!(totals, format!("200 {} 200", dollars(0..200)));
    assert_eq!(host.stop().0.code(), Some(0));
}

#[tokio::test]
async fn however_often_it_is_killed_while_it_writes_nothing_acknowledged_is_lost() {
    let stages = "outputs:\n  parquet: {path: FOLDER/lake, max_age: 20ms, max_bytes: 16KiB}\n";
    let (mut folder, mut number) = (support::Folder::new(), 0);
    for round in 0..8_u64 {
        let host = Host::start_in(folder, "http: {endpoint: 127.0.0.1:0}", stages);
        let until = Instant::now() + Duration::from_millis(60 + 17 * round);
        while Instant::now() < until {
            assert_eq!(host.post("/v1/traces", request(&[call(number)])).await.0, 200);
            number += 1;
        }
        folder = host.crash();
    }
    let lake = folder.path("lake");
    let host = Host::start_in(folder, "http: {endpoint: 127.0.0.1:0}", stages);
    host.until_metric("tollgate_log_records 0").await;
    // Duplicates are told by their ids, and all that is there is whole.
    let sums =
        "SELECT count(*), sum(cost) FROM (SELECT any_value(cost_usd) AS cost FROM TABLE GROUP BY trace_id, span_id)";
    let Some(totals) = duckdb(&lake, sums) else { return };
    assert_eq!(totals, format!("{number} {}", dollars(0..number)));
}

#[tokio::test]
async fn where_the_disk_fails_it_is_tried_again_and_metrics_are_not_wanted() {
    let host = Host::start("meter: {otlp: {interval: 1s}}\noutputs:\n  parquet: {path: FOLDER/lake, max_age: 50ms}\n");
    let blocked = host.folder.path("lake").join("traces");
    std::fs::write(&blocked, "a file in the place of a folder").unwrap();
    assert_eq!(host.post("/v1/traces", request(&[call(1)])).await.0, 200);
    host.until_said("sending again", 1).await;
    std::fs::remove_file(&blocked).unwrap();
    until_files(&host.folder.path("lake"), 1).await;
    let begun = Instant::now();
    while !host.metrics().await.contains(r#"tollgate_output_dropped_total{output="parquet",reason="not_wanted"}"#) {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_waits_is_handed_to_the_output_of_another_configuration() {
    let stages = "outputs:\n  parquet: {path: FOLDER/lake, max_age: 1h}\n";
    let host = Host::start(stages);
    for number in 0..5 {
        assert_eq!(host.post("/v1/traces", request(&[call(number)])).await.0, 200);
    }
    host.reload(&stages.replace("1h", "100ms"));
    host.until_metric(r#"tollgate_output_sent_total{output="parquet"} 5"#).await;
    host.until_metric("tollgate_log_records 0").await;
    host.until_metric(r#"tollgate_parquet_files_total{output="parquet"} 1"#).await;
    host.until_metric(r#"tollgate_parquet_folded_total{output="parquet"} 0"#).await;
}
