//! What the editors of `include_usage` cost, against the plain way to do it: body and events to a `serde_json::Value`.
//!
//! `cargo bench -p tollgate-token-extractor --bench include_usage`. Both sides run in turns over the same bytes, so that
//! a loaded machine slows both; the best round of each counts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate_token_extractor::include_usage::{Request, Strip};

const ROUNDS: usize = 41;

fn main() {
    println!("{:<44} {:>9} {:>10} {:>10} {:>6}", "", "bytes", "ours MB/s", "serde MB/s", "ratio");
    for size in [2_000, 900_000] {
        let body = request(size);
        compare("request", body.len(), || black_box(edited(&body)).len(), || black_box(edited_by_value(&body)).len());
    }
    let stream = stream();
    for chunk in [stream.len(), 170, 16] {
        let name = format!("stream, {chunk} bytes a chunk");
        compare(&name, stream.len(), || stripped(&stream, chunk), || stripped_by_value(&stream, chunk));
    }
}

fn compare(name: &str, bytes: usize, mut ours: impl FnMut() -> usize, mut peer: impl FnMut() -> usize) {
    let (mut our_best, mut peer_best) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        our_best = our_best.min(timed(&mut ours));
        peer_best = peer_best.min(timed(&mut peer));
    }
    let rate = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
    let ratio = peer_best.as_secs_f64() / our_best.as_secs_f64();
    println!("{name:<44} {bytes:>9} {:>10.0} {:>10.0} {ratio:>5.1}x", rate(our_best), rate(peer_best));
}

fn timed(run: &mut impl FnMut() -> usize) -> Duration {
    const TIMES: u32 = 5;
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(run());
    }
    start.elapsed() / TIMES
}

fn edited(body: &[u8]) -> Vec<u8> {
    Request::read(body).unwrap().edited(body).unwrap()
}

fn edited_by_value(body: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).unwrap();
    value["stream_options"]["include_usage"] = true.into();
    serde_json::to_vec(&value).unwrap()
}

fn stripped(stream: &[u8], chunk: usize) -> usize {
    let (mut strip, mut length) = (Strip::new(65_536), 0);
    for chunk in stream.chunks(chunk) {
        let mut passed = Vec::with_capacity(chunk.len());
        strip.push(chunk, &mut passed);
        length += black_box(passed).len();
    }
    length
}

/// Gathers each event, and parses it.
fn stripped_by_value(stream: &[u8], chunk: usize) -> usize {
    let (mut held, mut length) = (Vec::new(), 0);
    for chunk in stream.chunks(chunk) {
        held.extend_from_slice(chunk);
        let mut passed = Vec::with_capacity(chunk.len());
        let mut start = 0;
        while let Some(end) = held.windows(2).skip(start).position(|pair| pair == b"\n\n").map(|at| start + at + 2) {
            let event = held.get(start..end).unwrap();
            let data: Value = serde_json::from_slice(event.get(6..).unwrap()).unwrap_or_default();
            if data["choices"].as_array().is_none_or(|choices| !choices.is_empty()) || !data["usage"].is_object() {
                passed.extend_from_slice(event);
            }
            start = end;
        }
        held.drain(..start);
        length += black_box(passed).len();
    }
    length
}

fn request(size: usize) -> Vec<u8> {
    let text = "The quick brown fox says \"hello\".\n".repeat(size / 350 + 1);
    let message = json!({"role": "user", "content": text});
    let messages = vec![message; 10];
    serde_json::to_vec(&json!({"model": "gpt-4o", "messages": messages, "stream": true})).unwrap()
}

fn stream() -> Vec<u8> {
    let head = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-2024-08-06","#;
    let delta = |n| {
        format!(
            "{head}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word{n}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    let mut stream: String = (0..300).map(delta).collect();
    stream.push_str(&format!(
        "{head}\"choices\":[],\"usage\":{{\"prompt_tokens\":1000,\"completion_tokens\":300}}}}\n\n"
    ));
    stream.push_str("data: [DONE]\n\n");
    stream.into_bytes()
}
