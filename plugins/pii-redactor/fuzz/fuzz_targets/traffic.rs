//! Answers of any bytes, cut anywhere, under every policy: nothing panics, little waits, and a secret that is planted
//! into the text of a stream never goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use tollgate_pii_redactor::traffic::{Exchange, OnError, Options, Redactors, Refused};

const LIMIT: usize = 2048;
const PLANTED: &str = "ann.lee@example.com";
const TYPES: &[&str] = &[
    "text/event-stream",
    "application/json",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
    "text/plain",
    "",
];

static REDACTORS: LazyLock<Arc<Redactors>> = LazyLock::new(|| Arc::new(Redactors::configure("{}").unwrap()));

fn exchange(on_error: OnError, response: bool) -> Exchange {
    let options = Options { response, on_error, max_body_bytes: LIMIT, ..Options::default() };
    let mut exchange = Exchange::new(Arc::clone(&REDACTORS), options);
    let body = br#"{"messages":[{"content":"bob@example.org 4111 1111 1111 1111"}],"n":{"card":4111111111111111}}"#;
    exchange.request(b"application/json", b"", body).unwrap();
    exchange
}

/// What goes on of an answer in chunks of these sizes.
fn answered(exchange: &mut Exchange, kind: &str, answer: &[u8], steps: &[u8]) -> Result<Vec<u8>, Refused> {
    exchange.response_head(kind.as_bytes(), b"")?;
    let (mut out, mut rest) = (Vec::new(), answer);
    for step in steps.iter().cycle().take(if steps.is_empty() { 0 } else { answer.len() }) {
        let (chunk, left) = rest.split_at((1 + usize::from(*step)).min(rest.len()));
        out.extend(exchange.response(chunk, false)?);
        // An event and what is held of its texts, the events in whose form they would go on, and the chunk at hand.
        assert!(exchange.waiting_bytes() <= 64 * (2 * LIMIT + 1024) + 512, "{}", exchange.waiting_bytes());
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    out.extend(exchange.response(rest, true)?);
    Ok(out)
}

/// A text in pieces, as the deltas of a chat completion.
fn stream(text: &str, steps: &[u8]) -> Vec<u8> {
    let (mut stream, mut from) = (Vec::new(), 0);
    for step in steps.iter().chain([&255]).cycle() {
        let to = text.ceil_char_boundary((from + 1 + usize::from(step % 48)).min(text.len()));
        let piece = serde_json::json!({"choices": [{"index": 0, "delta": {"content": &text[from..to]}}]});
        stream.extend(format!("data: {piece}\n\n").into_bytes());
        from = to;
        if from == text.len() {
            break;
        }
    }
    stream.extend(b"data: [DONE]\n\n");
    stream
}

fuzz_target!(|given: (u8, Vec<u8>, &[u8], &str, &str)| {
    let (which, steps, answer, before, behind) = given;
    let policy = [OnError::Block, OnError::Pass, OnError::MaskAll][usize::from(which) % 3];
    let kind = TYPES[usize::from(which / 6) % TYPES.len()];
    let _ = answered(&mut exchange(policy, which % 2 == 0), kind, answer, &steps);

    if before.contains(PLANTED) || behind.contains(PLANTED) || before.len() + behind.len() > LIMIT / 2 {
        return;
    }
    let stream = stream(&format!("{before}\n\n{PLANTED}\n\n{behind}"), &steps);
    let given = answered(&mut exchange(OnError::Block, true), TYPES[0], &stream, &steps).unwrap();
    let mut said = String::new();
    for line in std::str::from_utf8(&given).unwrap().lines() {
        if let Some(event) =
            line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<serde_json::Value>(data).ok())
        {
            said.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or(""));
        }
    }
    assert!(!said.contains(PLANTED), "{said}");
});
