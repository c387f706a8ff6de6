//! DuckDB and PyArrow read the files: counts, exact sums, every column, and only the folders that a query asks for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_otlp::{Envelope, LogWriter, NewValue, RequestWriter, Severity, SpanWriter};
use tollgate_parquet::{Compression, Options, Rows, Store};

const START: u64 = 1_790_000_000_000_000_000;
const DAY: u64 = 86_400_000_000_000;
/// Names that folders do not have as they are, beside those that they do.
const SERVICES: [&str; 7] = ["shop", "search", "a/b:c", "100% = +x", "größe 'q' \"r\"", "..", ""];

/// Asks the script beside this file; `None` where the packages are not there.
fn ask(folder: &Path, question: &str) -> Option<Value> {
    let Some(packages) = std::env::var_os("TOLLGATE_DUCKDB") else {
        assert!(std::env::var_os("TOLLGATE_REQUIRE_DATA").is_none(), "TOLLGATE_DUCKDB is not set");
        eprintln!("SKIPPED: TOLLGATE_DUCKDB is not set; it is the folder of the packages duckdb and pyarrow");
        return None;
    };
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read.py");
    let output = Command::new(python)
        .env("PYTHONPATH", packages)
        .arg(script)
        .arg(folder)
        .arg(question)
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("the script answers in JSON"))
}

/// A row as it is expected to be read.
struct Call {
    day: u64,
    service: &'static str,
    tokens: u64,
    nano_usd: Option<i64>,
}

/// Numbers that look random and are the same each time.
fn calls(count: u64) -> Vec<Call> {
    let mut state = 7_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..count)
        .map(|_| Call {
            day: next() % 3,
            service: SERVICES[usize::try_from(next()).unwrap() % SERVICES.len()],
            tokens: next() % 100_000,
            nano_usd: (next() % 5 > 0).then(|| i64::try_from(next() * 1_000_003).unwrap()),
        })
        .collect()
}

fn request(calls: &[Call]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for (number, call) in calls.iter().enumerate() {
        let number = u64::try_from(number).unwrap();
        let resource: &[(&str, NewValue<'_>)] = &[("service.name", call.service.into()), ("k8s.pod.name", "p".into())];
        let resource = if call.service.is_empty() { &resource[1..] } else { resource };
        let mut id = [1; 16];
        if number > 0 {
            id[..8].copy_from_slice(&number.to_be_bytes());
        }
        let mut span = SpanWriter::new(id, (number + 1).to_be_bytes(), "chat m");
        let start = START + call.day * DAY + number * 1_001;
        span.times(start, start + 5_000_000_000 + number);
        span.set("gen_ai.operation.name", "chat").set("gen_ai.response.model", "m-1");
        span.set("tollgate.call.role", "billable");
        span.set("gen_ai.usage.input_tokens", call.tokens);
        if let Some(cost) = call.nano_usd {
            span.set("tollgate.cost.nano_usd", cost);
        } else {
            span.set("tollgate.cost.unpriced", "unknown_model");
        }
        span.set_json("gen_ai.response.finish_reasons", r#"["stop","length"]"#).unwrap();
        writer.push(&Envelope::new(resource, "test", ""), span.bytes());
    }
    writer.finish()
}

fn store(folder: &Path, compression: Compression) -> Store {
    Store::open(Options { compression, row_group_rows: 100, ..Options::new(folder) }).unwrap()
}

/// Billionths as the digits of a decimal.
fn decimal(nanos: i128) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[test]
fn duckdb_and_pyarrow_count_and_add_up_what_was_written_to_the_nano_dollar() {
    for compression in [Compression::Zstd, Compression::Snappy, Compression::None] {
        let folder = tempfile::tempdir().unwrap();
        let calls = calls(5_000);
        let store = store(folder.path(), compression);
        for part in calls.chunks(1_500) {
            assert_eq!(store.write(Rows::Spans, &request(part)).unwrap().rows, u64::try_from(part.len()).unwrap());
        }
        let total: i128 = calls.iter().filter_map(|call| call.nano_usd).map(i128::from).sum();
        let tokens: u64 = calls.iter().map(|call| call.tokens).sum();
        let unpriced = calls.iter().filter(|call| call.nano_usd.is_none()).count();
        let totals = json!([calls.len(), tokens, decimal(total), unpriced]);
        let Some(answer) = ask(folder.path(), "totals") else { return };
        assert_eq!(answer["duckdb"], totals, "{compression:?}");
        assert_eq!(answer["pyarrow"], totals, "{compression:?}");

        let mut groups = Vec::new();
        for day in 0..3 {
            for service in SERVICES {
                let of = calls.iter().filter(|call| call.day == day && call.service == service);
                let (count, sum) = of
                    .fold((0, 0_i128), |(count, sum), call| (count + 1, sum + i128::from(call.nano_usd.unwrap_or(0))));
                let service = if service.is_empty() { Value::Null } else { json!(service) };
                groups.push(json!([format!("2026-09-{}", 21 + day), service, count, decimal(sum)]));
            }
        }
        let key = |group: &Value| group.to_string();
        let mut found = ask(folder.path(), "groups").unwrap().as_array().unwrap().clone();
        found.sort_by_key(key);
        groups.sort_by_key(key);
        assert_eq!(found, groups);
    }
}

#[test]
fn a_query_of_one_day_and_service_reads_that_folder_only() {
    let folder = tempfile::tempdir().unwrap();
    let calls = calls(2_000);
    store(folder.path(), Compression::Zstd).write(Rows::Spans, &request(&calls)).unwrap();
    let wanted = calls.iter().filter(|call| call.day == 1 && call.service == "shop").count();
    let Some(answer) = ask(folder.path(), "pruned") else { return };
    assert_eq!(answer["count"], json!(wanted));
    // "Scanning Files: 1/21" in the plan of DuckDB.
    assert_eq!(answer["files"], json!("1/21"), "{answer}");
}

#[test]
fn every_column_of_a_span_and_of_a_log_record_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), Compression::Zstd);
    let mut span = SpanWriter::new([0xab; 16], [0xcd; 8], "chat gpt-4o");
    span.parent([0xef; 8]).times(START + 123_456_789, START + 223_456_790).kind(tollgate_otlp::SpanKind::Client);
    span.status(tollgate_otlp::StatusCode::Error, "too many").trace_state("ot=th:8");
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.response.model", "gpt-4o-2024-08-06"),
        ("gen_ai.response.id", "chatcmpl-1"),
        ("tollgate.call.role", "billable"),
        ("tollgate.cost.source", "local"),
        ("tollgate.cost.price_row", "openai/gpt-4o"),
        ("error.type", "rate_limit"),
        ("enduser.id", "u-1"),
        ("session.id", "s-1"),
        ("tenant.id", "t-1"),
        ("twice", "first"),
        ("twice", "second"),
    ] {
        span.set(name, value);
    }
    span.set("gen_ai.usage.input_tokens", 1_000_u64).set("gen_ai.usage.output_tokens", 20_u64);
    span.set("gen_ai.usage.cache_read.input_tokens", 600_u64).set("gen_ai.usage.cache_write.input_tokens", 7_u64);
    span.set("gen_ai.usage.reasoning.output_tokens", 5_u64).set("tollgate.cost.nano_usd", 1_500_001_i64);
    span.set("gen_ai.response.time_to_first_chunk", 0.25);
    span.set_json("gen_ai.response.finish_reasons", r#"["stop"]"#).unwrap();
    let mut request = RequestWriter::new();
    request.push(&Envelope::new(&[("service.name", "shop".into())], "test", ""), span.bytes());
    store.write(Rows::Spans, &request.finish()).unwrap();

    let mut log = LogWriter::event("app.thing", START, Severity::Warn);
    log.within([0xab; 16], [0xcd; 8], 1).attributes().set("count", 3_i64);
    let mut request = RequestWriter::new();
    // Of no time of its own, field 1, and with the severity in words, field 3.
    let bytes = [log.bytes(), b"\x09\0\0\0\0\0\0\0\0", b"\x1a\x04warn"].concat();
    request.push(&Envelope::new(&[("service.name", "shop".into())], "test", ""), &bytes);
    store.write(Rows::Logs, &request.finish()).unwrap();

    let Some(answer) = ask(folder.path(), "rows") else { return };
    let span = &answer["traces"];
    for (column, value) in [
        ("timestamp", json!("2026-09-21T14:13:20.123456+00:00")),
        ("start_time_unix_nano", json!(START + 123_456_789)),
        ("duration_nano", json!(100_000_001)),
        ("trace_id", json!("ab".repeat(16))),
        ("span_id", json!("cd".repeat(8))),
        ("parent_span_id", json!("ef".repeat(8))),
        ("trace_state", json!("ot=th:8")),
        ("span_name", json!("chat gpt-4o")),
        ("span_kind", json!("client")),
        ("service_name", json!("shop")),
        ("scope_name", json!("test")),
        ("status_code", json!("error")),
        ("status_message", json!("too many")),
        ("error_type", json!("rate_limit")),
        ("operation", json!("chat")),
        ("provider", json!("openai")),
        ("request_model", json!("gpt-4o")),
        ("response_model", json!("gpt-4o-2024-08-06")),
        ("response_id", json!("chatcmpl-1")),
        ("call_role", json!("billable")),
        ("input_tokens", json!(1_000)),
        ("output_tokens", json!(20)),
        ("cache_read_input_tokens", json!(600)),
        ("cache_write_input_tokens", json!(7)),
        ("reasoning_output_tokens", json!(5)),
        ("usage_source", Value::Null),
        ("cost_usd", json!("0.001500001")),
        ("cost_source", json!("local")),
        ("price_set", Value::Null),
        ("price_row", json!("openai/gpt-4o")),
        ("unpriced_reason", Value::Null),
        ("time_to_first_chunk_seconds", json!(0.25)),
        ("finish_reasons", json!(["stop"])),
        ("user_id", json!("u-1")),
        ("session_id", json!("s-1")),
        ("tenant_id", json!("t-1")),
        ("sampling_probability", Value::Null),
        ("resource_attributes", json!({"service.name": "shop"})),
        ("date", json!("2026-09-21")),
        ("service", json!("shop")),
    ] {
        assert_eq!(span[column], value, "{column}");
    }
    assert_eq!(span["attributes"]["twice"], json!("first"));
    assert_eq!(span["attributes"]["gen_ai.usage.input_tokens"], json!("1000"));
    assert_eq!(span["attributes"]["gen_ai.response.finish_reasons"], json!(r#"["stop"]"#));
    assert_eq!(span.as_object().unwrap().len(), tollgate_parquet::SPANS.len() + 2);
    let log = &answer["logs"];
    for (column, value) in [
        ("trace_id", json!("ab".repeat(16))),
        ("span_id", json!("cd".repeat(8))),
        ("time_unix_nano", json!(START)),
        ("severity_number", json!(13)),
        ("severity_text", json!("warn")),
        ("event_name", json!("app.thing")),
        ("body", Value::Null),
        ("attributes", json!({"count": "3"})),
    ] {
        assert_eq!(log[column], value, "{column}");
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn the_same_request_again_replaces_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let calls = calls(100);
    for _ in 0..3 {
        store(folder.path(), Compression::Zstd).write(Rows::Spans, &request(&calls)).unwrap();
    }
    assert_eq!(files(folder.path()).len(), 21);
}

#[test]
fn the_queries_of_the_docs_give_what_a_count_gives() {
    let folder = tempfile::tempdir().unwrap();
    let calls = calls(2_000);
    store(folder.path(), Compression::Zstd).write(Rows::Spans, &request(&calls)).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/BACKENDS.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let section = docs.split("## Files of Parquet").nth(1).unwrap().split("\n## ").next().unwrap();
    let queries: Vec<_> = section.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(queries.len(), 5);
    let Some(answers) = ask(folder.path(), &format!("sql:{}", serde_json::to_string(&queries).unwrap())) else {
        return;
    };

    let total: i128 = calls.iter().filter_map(|call| call.nano_usd).map(i128::from).sum();
    let tokens: u64 = calls.iter().map(|call| call.tokens).sum();
    assert_eq!(answers[0], json!([["m-1", 2_000, tokens, null, decimal(total)]]));
    let days_and_services: std::collections::BTreeSet<_> = calls.iter().map(|call| (call.day, call.service)).collect();
    assert_eq!(answers[1].as_array().unwrap().len(), days_and_services.len());
    let unpriced = calls.iter().filter(|call| call.nano_usd.is_none()).count();
    assert_eq!(answers[2], json!([[null, null, "unknown_model", unpriced]]));
    assert_eq!(answers[3], json!([[2_000, 2_000]]));
    assert_eq!(answers[4], json!([["chat m", null]]));
}
