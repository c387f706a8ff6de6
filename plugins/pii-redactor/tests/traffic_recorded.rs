//! Recorded exchanges with real providers through the redaction of traffic. `TOLLGATE_TRAFFIC` names the recording.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails says where")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::sync::Arc;
use tollgate_pii_redactor::traffic::{Direction, Exchange, OnError, Options, Redactors};

struct Recorded {
    id: String,
    content_type: String,
    encoding: String,
    request: Vec<u8>,
    body: Vec<u8>,
}

fn recorded() -> Option<Vec<Recorded>> {
    let Some(path) = std::env::var_os("TOLLGATE_TRAFFIC") else {
        eprintln!("SKIPPED: TOLLGATE_TRAFFIC names no file of recorded traffic");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    Some(lines.map(|line| read(&serde_json::from_str(&line.unwrap()).unwrap())).collect())
}

fn read(exchange: &Value) -> Recorded {
    let text = |name: &str| exchange[name].as_str().unwrap_or("").to_owned();
    let bytes = |name: &str| match exchange[format!("{name}_b64")].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => text(name).into_bytes(),
    };
    Recorded {
        id: text("id"),
        content_type: text("content_type"),
        encoding: text("content_encoding"),
        request: bytes("request"),
        body: bytes("body"),
    }
}

fn plain(recorded: &Recorded) -> Vec<u8> {
    if recorded.encoding != "gzip" {
        return recorded.body.clone();
    }
    let mut plain = Vec::new();
    GzDecoder::new(recorded.body.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

fn exchange(response: bool) -> Exchange {
    let options = Options { response, on_error: OnError::Block, max_body_bytes: 8 << 20, ..Options::default() };
    Exchange::new(Arc::new(Redactors::configure("{}").unwrap()), options)
}

fn answered(exchange: &mut Exchange, content_type: &str, encoding: &str, body: &[u8], size: usize) -> Vec<u8> {
    exchange.response_head(content_type.as_bytes(), encoding.as_bytes()).unwrap();
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend(exchange.response(chunk, false).unwrap());
    }
    out.extend(exchange.response(b"", true).unwrap());
    out
}

/// Texts of a stream by their place in the events, put together.
fn texts(stream: &[u8]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let stream = String::from_utf8_lossy(stream);
    for line in stream.lines() {
        let data = line.strip_prefix("data:").unwrap_or(line).trim();
        if let Ok(value) = serde_json::from_str::<Value>(data) {
            let kind = value["type"].as_str().unwrap_or("").to_owned();
            gather(&value, kind, &mut texts);
        }
    }
    texts
}

fn gather(value: &Value, path: String, texts: &mut BTreeMap<String, String>) {
    const SAID: &[&str] = &[
        "content",
        "text",
        "arguments",
        "delta",
        "partial_json",
        "thinking",
        "reasoning_content",
        "reasoning",
        "summary",
        "refusal",
        "tool_plan",
        "response",
        "output",
        "cited_text",
    ];
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| gather(value, format!("{path}/{key}"), texts)),
        Value::Array(items) => items.iter().for_each(|value| gather(value, format!("{path}/[]"), texts)),
        Value::String(text) if SAID.iter().any(|name| path.ends_with(&format!("/{name}"))) => {
            texts.entry(path).or_default().push_str(text);
        }
        _ => {}
    }
}

#[test]
fn requests_come_back_as_they_were() {
    let Some(recorded) = recorded() else { return };
    let (mut bodies, mut changed) = (0, 0);
    for recorded in &recorded {
        let mut exchange = exchange(false);
        let Some(sent) = exchange.request(b"application/json", b"", &recorded.request).unwrap() else { continue };
        bodies += 1;
        let given: Value = serde_json::from_slice(&recorded.request).unwrap();
        let masked: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(given["model"], masked["model"], "{}", recorded.id);
        let found = exchange.counts().found_in(Direction::Request);
        assert!(found > 0, "{}", recorded.id);
        changed += found;
        let back = answered(&mut exchange, "application/json", "", &sent, 1000);
        assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(&recorded.request), "{}", recorded.id);
    }
    eprintln!("{} requests, {bodies} of them with {changed} findings", recorded.len());
    assert!(recorded.len() > 500);
}

#[test]
fn answers_without_stand_ins_go_on_as_they_came() {
    let Some(recorded) = recorded() else { return };
    let mut whole = 0;
    for recorded in &recorded {
        let mut exchange = exchange(false);
        exchange.request(b"application/json", b"", br#"{"messages":[{"content":"ann@example.com"}]}"#).unwrap();
        let given = answered(&mut exchange, &recorded.content_type, &recorded.encoding, &recorded.body, 100);
        let expected = plain(recorded);
        // Only a `<` that stands at the end of an event can move to the next.
        if given == expected {
            whole += 1;
        } else {
            assert_eq!(texts(&given), texts(&expected), "{}", recorded.id);
        }
        assert_eq!(exchange.counts().unread.len(), 0, "{}: {:?}", recorded.id, exchange.counts());
    }
    eprintln!("{whole} of {} answers byte for byte", recorded.len());
    assert!(whole * 100 >= recorded.len() * 97, "{whole} of {}", recorded.len());
}

#[test]
fn answers_that_are_redacted_say_the_same_where_nothing_is_found() {
    let Some(recorded) = recorded() else { return };
    let (mut found, mut same, mut held, mut made) = (BTreeMap::new(), 0, 0, 0);
    for recorded in &recorded {
        let mut exchange = exchange(true);
        let given = answered(&mut exchange, &recorded.content_type, &recorded.encoding, &recorded.body, 1000);
        let expected = plain(recorded);
        let counts = exchange.counts();
        held = held.max(counts.held_bytes);
        made += counts.made_events;
        assert_eq!(counts.unread.len(), 0, "{}: {counts:?}", recorded.id);
        if counts.found.is_empty() {
            if counts.logprobs_removed == 0 {
                assert_eq!(texts(&given), texts(&expected), "{}", recorded.id);
            }
            same += 1;
        }
        for ((_, kind), count) in &counts.found {
            *found.entry(exchange.type_name(*kind).to_owned()).or_insert(0) += count;
        }
        if serde_json::from_slice::<Value>(&expected).is_ok() {
            let given: Value = serde_json::from_slice(&given).unwrap();
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            for name in ["id", "model", "usage", "created", "object"] {
                assert_eq!(given.get(name), expected.get(name), "{}", recorded.id);
            }
        }
    }
    eprintln!(
        "{same} of {} answers without findings; at most {held} bytes held; {made} events made; {found:?}",
        recorded.len()
    );
}
