//! Calls to feed to an extractor.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

pub mod event_stream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate_call::{Content, Outcome, Reading};
use tollgate_token_extractor::{Exchange, Extractor, RequestHead};

pub const CHAT: &str = "/v1/chat/completions";
pub const MESSAGES: &str = "/v1/messages";
pub const RESPONSES: &str = "/v1/responses";

/// One call: where it goes and what is answered.
#[derive(Clone)]
pub struct Call {
    pub extractor: Extractor,
    pub method: &'static str,
    pub host: &'static str,
    pub path: &'static str,
    pub request: Vec<u8>,
    pub status: u16,
    pub encoding: &'static str,
    pub body: Vec<u8>,
}

impl Call {
    pub fn json(path: &'static str, body: &str) -> Self {
        Self {
            extractor: Extractor::default(),
            method: "POST",
            host: "api.openai.com",
            path,
            request: br#"{"messages":[{"role":"user","content":"\"model\": \"no\""}],"model":"asked-for"}"#.to_vec(),
            status: 200,
            encoding: "",
            body: body.as_bytes().to_vec(),
        }
    }

    pub fn stream(path: &'static str, body: String) -> Self {
        let request = br#"{"model":"asked-for","stream":true,"messages":[]}"#.to_vec();
        Self { request, ..Self::json(path, &body) }
    }

    /// The exchange up to the head of the answer.
    pub fn begin(&self) -> Exchange {
        let Self { method, host, path, .. } = *self;
        let mut exchange = self.extractor.exchange(RequestHead { method, host, path, content_type: None });
        self.request.chunks(7).for_each(|chunk| exchange.request_body(chunk));
        exchange.response_head(self.status, [("Content-Encoding", self.encoding.as_bytes())]);
        exchange
    }

    /// The call with its answer in chunks of these sizes, over and over.
    pub fn read(&self, sizes: &[usize]) -> Reading {
        let (mut exchange, mut rest) = (self.begin(), self.body.as_slice());
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, left) = rest.split_at((*size).clamp(1, rest.len()));
            exchange.response_body(chunk, 1);
            rest = left;
        }
        exchange.end(Outcome::Complete)
    }

    /// The call with its answer broken off.
    pub fn cut_at(&self, length: usize, outcome: Outcome) -> Reading {
        let mut exchange = self.begin();
        exchange.response_body(self.body.get(..length).unwrap_or_default(), 1);
        exchange.end(outcome)
    }
}

/// A stream of events with these data.
pub fn sse(events: &[&str]) -> String {
    events.iter().map(|data| format!("data: {data}\n\n")).collect()
}

/// What is captured of a call within these limits, the same at every chunk size.
pub fn captured(mut call: Call, request: &str, input: usize, output: usize) -> Content {
    let config = json!({"content": {"input_bytes": input, "output_bytes": output}});
    call.extractor = Extractor::configure(&config.to_string()).expect("limits are a configuration");
    call.request = request.as_bytes().to_vec();
    let whole = call.read_in(usize::MAX);
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(call.read_in(size).content, whole.content, "in chunks of {size}");
    }
    whole.content
}

impl Call {
    /// The call with request and answer in chunks of this size.
    pub fn read_in(&self, size: usize) -> Reading {
        let Self { method, host, path, .. } = *self;
        let mut exchange = self.extractor.exchange(RequestHead { method, host, path, content_type: None });
        self.request.chunks(size).for_each(|chunk| exchange.request_body(chunk));
        exchange.response_head(self.status, [("content-encoding", self.encoding.as_bytes())]);
        self.body.chunks(size).for_each(|chunk| exchange.response_body(chunk, 1));
        exchange.end(Outcome::Complete)
    }
}

/// A JSON text that is captured, as a value.
pub fn value(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| serde_json::from_str(text).expect(text))
}

/// The message by which Bedrock wraps an event of a model in a stream.
pub fn wrapped(event: &str) -> Vec<u8> {
    event_stream::event("chunk", &json!({"bytes": STANDARD.encode(event), "p": "abc"}).to_string())
}
