//! The traffic that is measured: what is asked, and what is answered.

use crate::answer::{Answer, End};
use crate::wire::LANE;
use serde_json::{Value, json};
use std::rc::Rc;

/// Bytes of the JSON answer and of its request's larger brother.
const DOCUMENT: usize = 4096;
/// Bytes of the large request.
const LARGE: usize = 16_384;
/// Events of the stream, the one with the usage and `[DONE]` included.
const EVENTS: usize = 300;
/// Bytes of the stream, about.
const STREAM: usize = 57_000;

const JSON: (&str, &str) = ("content-type", "application/json");
const SSE: (&str, &str) = ("content-type", "text/event-stream");

/// One kind of traffic.
pub(crate) struct Workload {
    /// Name for options.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) title: String,
    /// Body of the request.
    pub(crate) request: Vec<u8>,
    /// The answer.
    pub(crate) answer: Rc<Answer>,
    /// Events in the answer, where it is a stream.
    pub(crate) events: Option<usize>,
    /// Whether delay is told of every event, and not of the exchange.
    pub(crate) stepwise: bool,
    /// This one is measured with so many times fewer exchanges than the JSON answer.
    pub(crate) heavier: usize,
}

impl Workload {
    /// The bytes of the request, by the lane.
    pub(crate) fn request(&self, lane: usize) -> Vec<u8> {
        post(&self.request, lane)
    }
}

/// A request of a caller to OpenAI, with the headers that the official clients send.
pub(crate) fn post(body: &[u8], lane: usize) -> Vec<u8> {
    let mut bytes = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: api.openai.com\r\naccept: application/json\r\n\
         user-agent: OpenAI/Python 3.54.0\r\nauthorization: Bearer example\r\nx-stainless-lang: python\r\n\
         x-stainless-retry-count: 0\r\ncontent-type: application/json\r\n{LANE}: {lane}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Every kind, as the figures name them.
pub(crate) fn all() -> Vec<Workload> {
    let events = events();
    let stream: Vec<u8> = events.concat();
    let parts = events.iter().map(Vec::as_slice);
    let whole = Rc::new(Answer::document(200, &[JSON], &document(DOCUMENT)));
    let small = Rc::new(Answer::document(200, &[JSON], &document(0)));
    let (asks, streams) = (question(0, false), question(0, true));
    let size = stream.len();
    vec![
        Workload {
            name: "json",
            title: format!("JSON answer of {} bytes, request of {}", whole.body, asks.len()),
            request: asks,
            answer: whole,
            events: None,
            stepwise: false,
            heavier: 1,
        },
        Workload {
            name: "stream",
            title: format!("stream of {} events and {size} bytes, in one write", events.len()),
            request: streams.clone(),
            answer: Rc::new(Answer::whole(&[SSE], &stream)),
            events: Some(events.len()),
            stepwise: false,
            heavier: 2,
        },
        Workload {
            name: "events",
            title: format!("the same stream, each of its {} events in a chunk and a read of its own", events.len()),
            request: streams,
            answer: Rc::new(Answer::stepwise(&[SSE], parts, End::Whole)),
            events: Some(events.len()),
            stepwise: true,
            heavier: 25,
        },
        Workload {
            name: "request",
            title: format!("request of {LARGE} bytes, JSON answer of {}", small.body),
            request: question(LARGE, false),
            answer: small,
            events: None,
            stepwise: false,
            heavier: 1,
        },
    ]
}

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

fn question(size: usize, stream: bool) -> Vec<u8> {
    sized(size, |text| {
        let messages = json!([
            {"role": "system", "content": "You answer briefly."},
            {"role": "user", "content": text},
        ]);
        let mut question = json!({"model": "gpt-4o", "messages": messages, "temperature": 0.2});
        if stream && let Some(members) = question.as_object_mut() {
            members.insert("stream".to_owned(), true.into());
            members.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        question
    })
}

fn usage() -> Value {
    json!({
        "prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

fn document(size: usize) -> Vec<u8> {
    sized(size, |text| {
        json!({
            "id": "chatcmpl-5f2a9b31c7", "object": "chat.completion", "created": 1_790_000_000,
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                         "logprobs": null, "finish_reason": "stop"}],
            "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1a2b3c4d5e",
        })
    })
}

fn event(data: &str) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

fn events() -> Vec<Vec<u8>> {
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-5f2a9b31c7", "object": "chat.completion.chunk", "created": 1_790_000_000,
            "model": "gpt-4o-2024-08-06", "choices": choices,
        });
        if let (Some(members), Some(usage)) = (chunk.as_object_mut(), usage) {
            members.insert("usage".to_owned(), usage);
        }
        chunk.to_string()
    };
    let delta = |text: &str| chunk(json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]), None);
    let frame = event(&delta("")).len() * (EVENTS - 3);
    let text = prose(STREAM.saturating_sub(frame));
    let mut events: Vec<Vec<u8>> = Vec::with_capacity(EVENTS);
    let (each, more) = (text.len() / (EVENTS - 3), text.len() % (EVENTS - 3));
    let mut rest = text.as_str();
    for number in 0..EVENTS - 3 {
        let (part, after) = rest.split_at((each + usize::from(number < more)).min(rest.len()));
        events.push(event(&delta(part)));
        rest = after;
    }
    events.push(event(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), None)));
    events.push(event(&chunk(json!([]), Some(usage()))));
    events.push(event("[DONE]"));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_traffic_is_as_large_as_it_says() {
        let [json, stream, events, request] = <[Workload; 4]>::try_from(all()).ok().unwrap();
        assert_eq!(json.answer.body, 4096);
        assert_eq!((json.answer.steps.len(), json.answer.chunks), (1, 0));
        assert!((56_000..58_000).contains(&stream.answer.body), "{}", stream.answer.body);
        assert_eq!((stream.answer.steps.len(), stream.answer.chunks, stream.events), (1, 1, Some(300)));
        assert_eq!(events.answer.body, stream.answer.body);
        assert_eq!((events.answer.steps.len(), events.answer.chunks), (301, 300));
        assert_eq!(request.request.len(), 16_384);
        assert!(request.answer.body < 800, "{}", request.answer.body);
    }
}
