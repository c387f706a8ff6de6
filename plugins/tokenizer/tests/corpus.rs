//! Estimates beside what the provider reported, for recorded calls.
//!
//! The recording is named by `TOLLGATE_TRAFFIC`, a gzip file of JSON lines. Without it the test is skipped aloud, or
//! fails where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use tollgate_call::Outcome;
use tollgate_columns::Edits;
use tollgate_token_extractor::{Extractor, RequestHead};
use tollgate_tokenizer::Enricher;

/// One recorded call: what was said, what the provider counted, and what we would have.
#[derive(Debug)]
struct Call {
    id: String,
    model: String,
    api: String,
    tools: bool,
    reported: (i64, i64),
    estimated: (Option<i64>, Option<i64>),
    lower_bound: Option<String>,
}

fn body(exchange: &Value, plain: &str, encoded: &str) -> Vec<u8> {
    match exchange[encoded].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => exchange[plain].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

/// The call with its usage taken away and estimated again; `None` where the provider reported none, or not for a model
/// whose vocabulary is public.
fn call(extractor: &Extractor, enricher: &Enricher, exchange: &Value) -> Option<Call> {
    let usage = &exchange["expect"]["usage"];
    let reported = (usage["input_tokens"].as_i64()?, usage["output_tokens"].as_i64()?);
    let text = |name: &str| exchange[name].as_str().unwrap_or_default();
    let head = RequestHead { method: text("method"), host: text("host"), path: text("path"), content_type: None };
    let mut reading = extractor.exchange(head);
    let request = body(exchange, "request", "request_b64");
    reading.request_body(&request);
    let headers =
        [("content-type", text("content_type").as_bytes()), ("content-encoding", text("content_encoding").as_bytes())];
    reading.response_head(u16::try_from(exchange["status"].as_u64()?).unwrap(), headers);
    reading.response_body(&body(exchange, "body", "body_b64"), 1);
    let reading = reading.end(Outcome::Complete);
    let record = reading.record.ok()?;
    let content = reading.content;

    let manifest = enricher.manifest();
    let place = |name: &str| u16::try_from(manifest.reads.iter().position(|read| read == name).unwrap()).unwrap();
    let request: Value = serde_json::from_slice(&request).ok()?;
    let mut span = Edits::new(1);
    let tools = request.get("tools").map(Value::to_string);
    let model = record.response_model.unwrap_or_default();
    for (name, value) in [
        ("gen_ai.operation.name", Some("chat".to_owned())),
        ("gen_ai.response.model", Some(model.clone())),
        ("gen_ai.input.messages", content.input_messages),
        ("gen_ai.output.messages", content.output_messages),
        ("gen_ai.tool.definitions", tools.clone()),
    ] {
        if let Some(value) = value {
            span.text(0, place(name), value);
        }
    }
    let edits = enricher.enrich(&span.finish());
    let span = edits.rows().next().unwrap();
    let wrote =
        |name: &str| u16::try_from(manifest.writes.iter().position(|write| write.name == name).unwrap()).unwrap();
    Some(Call {
        id: exchange["id"].to_string(),
        model,
        api: exchange["expect"]["api"].to_string(),
        tools: tools.is_some(),
        reported,
        estimated: (
            span.integer(wrote("gen_ai.usage.input_tokens")),
            span.integer(wrote("gen_ai.usage.output_tokens")),
        ),
        lower_bound: span.text(wrote("tollgate.usage.lower_bound")).map(str::to_owned),
    })
}

#[test]
fn estimates_are_near_what_the_provider_reported() {
    let Ok(path) = std::env::var("TOLLGATE_TRAFFIC") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_TRAFFIC is not set");
        eprintln!("SKIPPED: recorded traffic; set TOLLGATE_TRAFFIC to the path of exchanges.jsonl.gz");
        return;
    };
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let extractor = Extractor::configure(r#"{"content": {"input_bytes": 4194304, "output_bytes": 4194304}}"#).unwrap();
    let enricher = Enricher::configure("{}").unwrap();
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if !exchange["host"].as_str().unwrap().contains("openai") {
            continue;
        }
        if let Some(call) = call(&extractor, &enricher, &exchange) {
            println!(
                "{} {} {} {} in {:?}/{} out {:?}/{} {:?}",
                call.id,
                call.model,
                call.api,
                call.tools,
                call.estimated.0,
                call.reported.0,
                call.estimated.1,
                call.reported.1,
                call.lower_bound
            );
        }
    }
}
