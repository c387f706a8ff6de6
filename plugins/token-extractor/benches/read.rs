//! What reading costs, against the plain way to do it: every event to a `serde_json::Value`.
//!
//! `cargo bench -p tollgate-token-extractor`. Both sides run in turns over the same bytes, so that a loaded machine
//! slows both; the best round of each counts, which is the one that was disturbed least.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate_call::Outcome;
use tollgate_token_extractor::{Extractor, RequestHead};

const ROUNDS: usize = 41;

struct Case {
    name: &'static str,
    path: &'static str,
    body: Vec<u8>,
    /// Bytes that come at once.
    chunk: usize,
    events: usize,
}

fn main() {
    let chat = chat_stream();
    let events = chat.windows(2).filter(|pair| *pair == b"\n\n").count();
    let whole = chat.len();
    let messages = messages_stream();
    let message_events = messages.windows(2).filter(|pair| *pair == b"\n\n").count();
    let case = |name, path, body: &Vec<u8>, chunk, events| Case { name, path, body: body.clone(), chunk, events };
    let document = document();
    let cases = [
        case("chat completions stream, whole", "/v1/chat/completions", &chat, whole, events),
        case("chat completions stream, an event a chunk", "/v1/chat/completions", &chat, whole / events, events),
        case("chat completions stream, 16 bytes a chunk", "/v1/chat/completions", &chat, 16, events),
        case("messages stream, whole", "/v1/messages", &messages, messages.len(), message_events),
        case("chat completions document", "/v1/chat/completions", &document, document.len(), 1),
    ];
    println!(
        "{:<44} {:>8} {:>7} {:>10} {:>10} {:>10} {:>10} {:>6}",
        "", "bytes", "events", "ours MB/s", "ns/event", "serde MB/s", "ns/event", "ratio"
    );
    for case in &cases {
        let (ours, peer) = (&mut Vec::new(), &mut Vec::new());
        for _ in 0..ROUNDS {
            ours.push(timed(|| read(case)));
            peer.push(timed(|| read_with_serde(case)));
        }
        let (ours, peer) = (best(ours), best(peer));
        let rate = |time: Duration| case.body.len() as f64 / time.as_secs_f64() / 1e6;
        let each = |time: Duration| time.as_secs_f64() * 1e9 / case.events as f64;
        println!(
            "{:<44} {:>8} {:>7} {:>10.0} {:>10.0} {:>10.0} {:>10.0} {:>5.1}x",
            case.name,
            case.body.len(),
            case.events,
            rate(ours),
            each(ours),
            rate(peer),
            each(peer),
            peer.as_secs_f64() / ours.as_secs_f64()
        );
    }
}

/// Mean time of a call over enough calls to be measured.
fn timed(mut call: impl FnMut()) -> Duration {
    const CALLS: u32 = 20;
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed() / CALLS
}

fn best(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap()
}

fn read(case: &Case) {
    let extractor = Extractor::default();
    let head = RequestHead {
        method: "POST",
        host: "api.openai.com",
        path: case.path,
        content_type: Some(b"application/json"),
    };
    let mut exchange = extractor.exchange(head);
    exchange.response_head(200, []);
    for chunk in black_box(&case.body).chunks(case.chunk) {
        exchange.response_body(chunk, 1);
    }
    let reading = exchange.end(Outcome::Complete);
    assert_eq!(reading.record.unwrap().usage.unwrap().output_tokens, Some(300));
}

/// The body in one piece, so the peer pays for neither chunks nor framing.
fn read_with_serde(case: &Case) {
    let body = black_box(&case.body);
    let value = |bytes: &[u8]| {
        black_box(serde_json::from_slice::<serde_json::Value>(bytes).ok());
    };
    if case.events == 1 {
        value(body);
        return;
    }
    for line in body.split(|byte| *byte == b'\n') {
        if let Some(data) = line.strip_prefix(b"data: ") {
            value(data);
        }
    }
}

fn chat_stream() -> Vec<u8> {
    let head = r#"{"id":"chatcmpl-b7Zq1","object":"chat.completion.chunk","created":1755280559,"model":"gpt-4o-2024-08-06","service_tier":"default","#;
    let mut stream = String::new();
    for number in 0..299 {
        let choices = format!(r#"[{{"index":0,"delta":{{"content":" w{number}"}},"finish_reason":null}}]"#);
        stream += &format!("data: {head}\"choices\":{choices}}}\n\n");
    }
    let usage = r#"{"prompt_tokens":40,"completion_tokens":300,"total_tokens":340,"prompt_tokens_details":{"cached_tokens":0}}"#;
    stream += &format!("data: {head}\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
    stream.into_bytes()
}

fn messages_stream() -> Vec<u8> {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[],"stop_reason":null,"usage":{"input_tokens":40,"output_tokens":1}}}"#;
    let mut stream = format!("event: message_start\ndata: {start}\n\n");
    for number in 0..300 {
        let delta = format!(r#"{{"type":"text_delta","text":" w{number}"}}"#);
        let data = format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#);
        stream += &format!("event: content_block_delta\ndata: {data}\n\n");
    }
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":300}}"#;
    stream +=
        &format!("event: message_delta\ndata: {end}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n");
    stream.into_bytes()
}

fn document() -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(80);
    format!(
        r#"{{"id":"chatcmpl-b7Zq1","object":"chat.completion","created":1755280559,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":40,"completion_tokens":300,"total_tokens":340,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_1"}}"#
    )
    .into_bytes()
}
