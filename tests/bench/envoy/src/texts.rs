//! Bodies as OpenAI's chat completions have them.

use serde_json::{Value, json};

/// A model that everybody knows.
pub(crate) const MODEL: &str = "gpt-4o-2024-08-06";
/// Tokens that every answer with usage reports, input and output.
pub(crate) const TOKENS: (u64, u64) = (1000, 300);

/// Prose of about so many bytes that does not repeat itself soon.
fn prose(bytes: usize) -> String {
    const WORDS: [&str; 24] = [
        "the", "answer", "depends", "on", "how", "many", "rivers", "cross", "a", "valley", "before", "winter", "comes",
        "and", "which", "bridge", "was", "built", "first", "by", "people", "from", "both", "banks",
    ];
    let mut text = String::with_capacity(bytes + 16);
    let mut at = 7_usize;
    while text.len() < bytes {
        at = (at * 31 + 11) % 1009;
        text.push_str(WORDS.get(at % WORDS.len()).copied().unwrap_or_default());
        text.push(if at.is_multiple_of(13) { '.' } else { ' ' });
    }
    text.truncate(bytes);
    text
}

/// Grows the text that `make` puts somewhere until what it makes has `size` bytes; 0 is as small as it goes.
fn sized(size: usize, make: impl Fn(&str) -> Value) -> Vec<u8> {
    let empty = make("").to_string().len();
    make(&prose(size.saturating_sub(empty).max(12))).to_string().into_bytes()
}

/// A request; `size` 0 is as small as it goes.
pub(crate) fn question(model: &str, size: usize, stream: bool) -> Vec<u8> {
    sized(size, |text| {
        let messages = json!([
            {"role": "system", "content": "You answer briefly."},
            {"role": "user", "content": text},
        ]);
        let mut question = json!({"model": model, "messages": messages, "temperature": 0.2});
        if stream && let Some(members) = question.as_object_mut() {
            members.insert("stream".to_owned(), true.into());
            members.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        question
    })
}

fn usage() -> Value {
    json!({
        "prompt_tokens": TOKENS.0, "completion_tokens": TOKENS.1, "total_tokens": TOKENS.0 + TOKENS.1,
        "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

/// An answer in one; `size` 0 is as small as it goes.
pub(crate) fn document(model: &str, size: usize) -> Vec<u8> {
    sized(size, |text| {
        json!({
            "id": "chatcmpl-5f2a9b31c7", "object": "chat.completion", "created": 1_790_000_000,
            "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                         "logprobs": null, "finish_reason": "stop"}],
            "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1a2b3c4d5e",
        })
    })
}

fn event(data: &str) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// A stream of so many events and about so many bytes, the one with the usage and `[DONE]` included.
pub(crate) fn events(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-5f2a9b31c7", "object": "chat.completion.chunk", "created": 1_790_000_000,
            "model": MODEL, "choices": choices,
        });
        if let (Some(members), Some(usage)) = (chunk.as_object_mut(), usage) {
            members.insert("usage".to_owned(), usage);
        }
        chunk.to_string()
    };
    let delta = |text: &str| chunk(json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]), None);
    let frame = event(&delta("")).len() * (count - 3);
    let text = prose(bytes.saturating_sub(frame));
    let mut events: Vec<Vec<u8>> = Vec::with_capacity(count);
    let (each, more) = (text.len() / (count - 3), text.len() % (count - 3));
    let mut rest = text.as_str();
    for number in 0..count - 3 {
        let (part, after) = rest.split_at((each + usize::from(number < more)).min(rest.len()));
        events.push(event(&delta(part)));
        rest = after;
    }
    events.push(event(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), None)));
    events.push(event(&chunk(json!([]), Some(usage()))));
    events.push(event("[DONE]"));
    events
}
