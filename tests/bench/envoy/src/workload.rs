//! The traffic that is measured: what is asked, and what is answered.

use crate::answer::{Answer, End};
use crate::texts::{MODEL, document, events, question};
use crate::wire::LANE;
use std::rc::Rc;

/// Bytes of the JSON answer and of its request's larger brother.
const DOCUMENT: usize = 4096;
/// Bytes of the large request.
const LARGE: usize = 16_384;
/// Events of the stream, the one with the usage and `[DONE]` included.
const EVENTS: usize = 300;
/// Bytes of the stream, about.
const STREAM: usize = 57_000;

/// Where callers ask.
pub(crate) const PATH: &str = "/v1/chat/completions";
/// Header of a document.
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
/// Header of a stream.
pub(crate) const SSE: (&str, &str) = ("content-type", "text/event-stream");

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
        post(PATH, &self.request, lane)
    }
}

/// A request of a caller to OpenAI, with the headers that the official clients send.
pub(crate) fn post(path: &str, body: &[u8], lane: usize) -> Vec<u8> {
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: api.openai.com\r\naccept: application/json\r\n\
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
    let events = events(EVENTS, STREAM);
    let stream: Vec<u8> = events.concat();
    let parts = events.iter().map(Vec::as_slice);
    let whole = Rc::new(Answer::document(200, &[JSON], &document(MODEL, DOCUMENT)));
    let small = Rc::new(Answer::document(200, &[JSON], &document(MODEL, 0)));
    let (asks, streams) = (question(MODEL, 0, false), question(MODEL, 0, true));
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
            request: question(MODEL, LARGE, false),
            answer: small,
            events: None,
            stepwise: false,
            heavier: 1,
        },
    ]
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
