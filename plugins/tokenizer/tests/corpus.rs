//! Estimates beside what the provider reported, for recorded calls.
//!
//! The recording is named by `TOLLGATE_TRAFFIC`, a gzip file of JSON lines. Without it the test is skipped aloud, or
//! fails where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

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
struct Call {
    id: String,
    model: String,
    tools: bool,
    reported: (i64, i64),
    input: i64,
    output: Option<i64>,
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
    // These add to the input, and no attribute of a span says what.
    if ["response_format", "functions", "context_management", "previous_response_id"]
        .iter()
        .any(|name| !request[name].is_null())
    {
        return None;
    }
    let tools = request.get("tools").map(Value::to_string);
    let model = record.response_model.unwrap_or_default();
    for (name, value) in [
        ("gen_ai.operation.name", Some(record.operation.as_str().to_owned())),
        ("gen_ai.response.model", Some(model.clone())),
        ("gen_ai.system_instructions", content.system_instructions),
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
    // Calls that say themselves that they are no whole count, and models that are not estimated, are not judged.
    if span.text(wrote("tollgate.usage.lower_bound")).is_some() {
        return None;
    }
    let estimated =
        [wrote("gen_ai.usage.input_tokens"), wrote("gen_ai.usage.output_tokens")].map(|count| span.integer(count));
    let [Some(input), output] = estimated else { return None };
    Some(Call { id: exchange["id"].to_string(), model, tools: tools.is_some(), reported, input, output })
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
    let (mut plain, mut with_tools, mut failures) = (0, 0, Vec::new());
    for (number, line) in (1..).zip(BufReader::new(GzDecoder::new(file)).lines()) {
        let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(call) = call(&extractor, &enricher, &exchange) else { continue };
        let (input, output) = call.reported;
        let is_near = if call.tools {
            // OpenAI says how tools are counted for flat ones with descriptions; the recorded ones are of every kind.
            with_tools += 1;
            (call.input - input).abs() * 4 <= input
        } else {
            // As reported, but for the token that newer models add to end an answer.
            plain += 1;
            call.input == input && call.output.is_none_or(|estimate| (0..=1).contains(&(output - estimate)))
        };
        if !is_near {
            let Call { id, model, input: ours, output: our_output, .. } = call;
            failures.push(format!(
                "{path}:{number} id {id} {model}: input {ours}, not {input}; output {our_output:?}, not {output}"
            ));
        }
    }
    assert!(failures.is_empty(), "{} calls are far from what was reported\n{}", failures.len(), failures.join("\n"));
    assert!(plain > 0 && with_tools > 0, "{path} has {plain} plain calls and {with_tools} with tools to judge by");
    println!("{plain} calls without tools within 1 token, {with_tools} with tools within a quarter of the input");
}
