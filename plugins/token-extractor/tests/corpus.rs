//! Recorded traffic reads as it is said to read: whole, byte by byte, and seven bytes at a time.
//!
//! The recording is named by `TOLLGATE_TRAFFIC`, a gzip file of JSON lines. Without it the test is skipped aloud, or
//! fails where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use tollgate_call::{Outcome, Reading, UsageSource};
use tollgate_token_extractor::{Extractor, RequestHead};

const APIS: [&str; 3] = ["chat.completions", "responses", "anthropic.messages"];
const COUNTS: [&str; 5] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"];

#[test]
fn recorded_exchanges_read_as_expected_at_every_chunk_size() {
    let Ok(path) = std::env::var("TOLLGATE_TRAFFIC") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_TRAFFIC is not set");
        eprintln!("SKIPPED: recorded traffic; set TOLLGATE_TRAFFIC to the path of exchanges.jsonl.gz");
        return;
    };
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let extractor = Extractor::default();
    let (mut judged, mut failures) = (0, Vec::new());
    for (index, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
        let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if !APIS.contains(&exchange["expect"]["api"].as_str().unwrap()) {
            continue;
        }
        for (name, chunk) in [("whole", usize::MAX), ("1", 1), ("7", 7)] {
            let reading = read(&extractor, &exchange, chunk);
            for problem in problems(&exchange["expect"], &reading) {
                let id = &exchange["id"];
                failures.push(format!("{path}:{} id {id} seat library chunk {name}: {problem}", index + 1));
            }
            judged += 1;
        }
    }
    assert!(failures.is_empty(), "{} problems\n{}", failures.len(), failures.join("\n"));
    assert!(judged > 0, "{path} has no exchange of the APIs that are read");
}

fn read(extractor: &Extractor, exchange: &Value, chunk: usize) -> Reading {
    let text = |name: &str| exchange[name].as_str().unwrap_or_default();
    let body = |plain: &str, encoded: &str| match exchange[encoded].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => text(plain).as_bytes().to_vec(),
    };
    let head = RequestHead { method: text("method"), host: text("host"), path: text("path"), content_type: None };
    let mut call = extractor.exchange(head);
    body("request", "request_b64").chunks(chunk).for_each(|bytes| call.request_body(bytes));
    let headers =
        [("content-type", text("content_type").as_bytes()), ("content-encoding", text("content_encoding").as_bytes())];
    call.response_head(u16::try_from(exchange["status"].as_u64().unwrap()).unwrap(), headers);
    for (number, bytes) in body("body", "body_b64").chunks(chunk).enumerate() {
        call.response_body(bytes, number as u64);
    }
    call.end(Outcome::Complete)
}

/// Everything in which a reading differs from what is expected.
fn problems(expect: &Value, reading: &Reading) -> Vec<String> {
    let Ok(record) = &reading.record else { return vec![format!("no record: {:?}", reading.record)] };
    let mut problems = Vec::new();
    let got = serde_json::to_value(record).unwrap();
    let mut compare = |name: &str, expected: &Value, got: &Value| {
        if expected != got {
            problems.push(format!("{name} is {got}, not {expected}"));
        }
    };
    compare("request_model", &expect["request_model"], &got["request_model"]);
    compare("api", &expect["api"], &got["api"]);
    if !expect["provider"].is_null() {
        compare("provider", &expect["provider"], &got["provider"]);
    }
    if expect["error"] == true {
        compare("has error_type", &Value::Bool(true), &Value::Bool(record.error_type.is_some()));
        return problems;
    }
    for name in ["response_model", "response_id", "stream", "finish_reasons"] {
        compare(name, &expect[name], &got[name]);
    }
    compare("usage is missing", &Value::Bool(expect["usage"].is_null()), &Value::Bool(record.usage.is_none()));
    if !expect["usage"].is_null() {
        for name in COUNTS {
            let count = |usage: &Value| Value::from(usage[name].as_u64().unwrap_or(0));
            compare(name, &count(&expect["usage"]), &count(&got["usage"]));
        }
        let reported = serde_json::to_value(UsageSource::Reported).unwrap();
        compare("usage_source", &reported, &got["usage_source"]);
        compare("notes", &Value::from(Vec::<&str>::new()), &Value::from(reading.notes.clone()));
    }
    problems
}
