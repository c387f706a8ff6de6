//! What was said in recorded traffic is captured: the texts of every answer that is one document, read a second time by
//! plain JSON, are in the messages, and so are the texts of every request.
//!
//! The recording is named by `TOLLGATE_TRAFFIC`, a gzip file of JSON lines. Without it the test is skipped aloud, or
//! fails where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use tollgate_call::{Content, Outcome};
use tollgate_token_extractor::{Extractor, RequestHead};

#[test]
fn recorded_conversations_are_captured() {
    let Ok(path) = std::env::var("TOLLGATE_TRAFFIC") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_TRAFFIC is not set");
        eprintln!("SKIPPED: content of recorded traffic; set TOLLGATE_TRAFFIC to the path of exchanges.jsonl.gz");
        return;
    };
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let config = r#"{"content":{"input_bytes":16777216,"output_bytes":16777216}}"#;
    let extractor = Extractor::configure(config).unwrap();
    let (mut answers, mut streams, mut requests, mut failures) = (0, 0, 0, Vec::new());
    for (number, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
        let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (request, body) = (bytes(&exchange, "request"), bytes(&exchange, "body"));
        let whole = capture(&extractor, &exchange, &request, &body, usize::MAX);
        let mut wrong = Vec::new();
        if capture(&extractor, &exchange, &request, &body, 1) != whole {
            wrong.push("differs at chunks of one byte".to_owned());
        }
        if whole.truncated {
            wrong.push("is truncated".to_owned());
        }
        let captured = [&whole.system_instructions, &whole.input_messages, &whole.tool_definitions];
        let mut input = Texts::default();
        captured.into_iter().flatten().for_each(|text| input.all(&serde_json::from_str(text).unwrap()));
        let mut output = Texts::default();
        let messages = whole.output_messages.as_ref().map(|text| serde_json::from_str::<Value>(text).unwrap());
        messages.iter().for_each(|messages| output.all(messages));
        let conversation = !exchange["path"].as_str().unwrap().contains("embed");
        if let (true, Ok(request)) = (conversation, serde_json::from_slice::<Value>(&request)) {
            requests += 1;
            wrong.extend(missing(&said(&request), &input).map(|text| format!("lacks {text:?} of the request")));
        }
        let failed = exchange["expect"]["error"] == true;
        match serde_json::from_slice::<Value>(&decoded(&exchange, body.clone())) {
            _ if failed || !conversation => {}
            Ok(answer) => {
                answers += 1;
                wrong.extend(missing(&said(&answer), &output).map(|text| format!("lacks {text:?} of the answer")));
            }
            // An empty answer of one token is in the recording too.
            Err(_) => {
                streams += 1;
                let written = exchange["expect"]["usage"]["output_tokens"].as_u64().unwrap_or_default();
                if written > 20 && messages.is_none() {
                    wrong.push("has nothing of a stream".to_owned());
                }
                let (told, captured) = (streamed(&decoded(&exchange, body)), written_text(messages.as_ref()));
                if !told.is_empty() && told != captured {
                    wrong.push(format!("has {captured:?} of a stream, not {told:?}"));
                }
            }
        }
        let (id, place) = (&exchange["id"], format!("{path}:{}", number + 1));
        failures.extend(wrong.into_iter().map(|problem| format!("{place} id {id} {}: {problem}", exchange["path"])));
    }
    assert!(failures.is_empty(), "{} problems\n{}", failures.len(), failures.join("\n"));
    assert!(answers > 0 && streams > 0 && requests > 0, "{answers} answers, {streams} streams, {requests} requests");
}

fn bytes(exchange: &Value, name: &str) -> Vec<u8> {
    match exchange[format!("{name}_b64")].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => exchange[name].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

fn decoded(exchange: &Value, body: Vec<u8>) -> Vec<u8> {
    if exchange["content_encoding"] != "gzip" {
        return body;
    }
    let mut plain = Vec::new();
    GzDecoder::new(body.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

fn capture(extractor: &Extractor, exchange: &Value, request: &[u8], body: &[u8], size: usize) -> Content {
    let text = |name: &str| exchange[name].as_str().unwrap_or_default();
    let head = RequestHead { method: text("method"), host: text("host"), path: text("path"), content_type: None };
    let mut call = extractor.exchange(head);
    request.chunks(size).for_each(|chunk| call.request_body(chunk));
    let status = u16::try_from(exchange["status"].as_u64().unwrap()).unwrap();
    call.response_head(status, [("content-encoding", text("content_encoding").as_bytes())]);
    body.chunks(size).for_each(|chunk| call.response_body(chunk, 1));
    call.end(Outcome::Complete).content
}

/// The text of the first choice.
fn written_text(messages: Option<&Value>) -> String {
    let parts = messages.and_then(|messages| messages[0]["parts"].as_array()).into_iter().flatten();
    parts.filter(|part| part["type"] == "text").filter_map(|part| part["content"].as_str()).collect()
}

/// The text of the first choice of a stream of events, of those APIs whose events are told apart by a look.
fn streamed(body: &[u8]) -> String {
    let mut text = String::new();
    for data in String::from_utf8_lossy(body).lines().filter_map(|line| line.strip_prefix("data:")) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        let mut add = |value: &Value| text.push_str(value.as_str().unwrap_or_default());
        match event["type"].as_str() {
            Some("response.output_text.delta") => add(&event["delta"]),
            Some("content_block_delta") => add(&event["delta"]["text"]),
            _ => {}
        }
        for choice in event["choices"].as_array().into_iter().flatten().filter(|choice| choice["index"] == 0) {
            add(&choice["delta"]["content"]);
            add(&choice["text"]);
        }
        for part in event["candidates"][0]["content"]["parts"].as_array().into_iter().flatten() {
            if part["thought"] != true {
                add(&part["text"]);
            }
        }
    }
    text
}

/// Texts that are in what was captured.
#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.0.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| self.all(item)),
            Value::Object(members) => members.values().for_each(|member| self.all(member)),
            _ => {}
        }
    }
}

fn missing<'t>(said: &'t [String], captured: &'t Texts) -> impl Iterator<Item = &'t String> {
    said.iter().filter(|text| !captured.0.contains(text))
}

/// Members whose strings are what somebody said, in whatever API, and those that hold more of them.
const SAID: [&str; 12] = [
    "text",
    "content",
    "thinking",
    "reasoning_content",
    "refusal",
    "generation",
    "outputText",
    "generated_text",
    "transcript",
    "preamble",
    "instructions",
    "prompt",
];
const WITHIN: [&str; 16] = [
    "messages",
    "contents",
    "content",
    "parts",
    "message",
    "choices",
    "output",
    "candidates",
    "results",
    "outputs",
    "generations",
    "system",
    "systemInstruction",
    "chat_history",
    "input",
    "summary",
];

/// Everything that a document says, by the names of its members alone.
fn said(document: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    let Some(members) = document.as_object() else { return texts };
    for (name, value) in members {
        match value {
            // What an answer repeats of the request is not what it says.
            _ if name == "instructions" && members.contains_key("output") => {}
            _ if name == "prompt" && members.contains_key("generations") => {}
            Value::String(text) if SAID.contains(&name.as_str()) && !text.is_empty() => texts.push(text.clone()),
            Value::Object(_) if WITHIN.contains(&name.as_str()) => texts.extend(said(value)),
            Value::Array(items) if WITHIN.contains(&name.as_str()) => texts.extend(items.iter().flat_map(said)),
            _ => {}
        }
    }
    texts
}
