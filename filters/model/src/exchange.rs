//! A stream as Envoy runs it: the callbacks of one request and its answer, in Envoy's order.

use crate::{HeaderMap, Model, ROOT};
use tollgate_filter::filter::Filter;

/// Id of the stream's context.
const STREAM: u32 = 100;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Headers, pseudo-headers included.
    pub headers: HeaderMap,
    /// Chunks of the body.
    pub body: Vec<Vec<u8>>,
}

impl Request {
    /// A request with a JSON body, to the host of a known provider.
    #[must_use]
    pub fn post(path: &str, body: &str) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Self {
            headers: vec![
                header(":method", "POST"),
                header(":path", path),
                header(":authority", "api.openai.com"),
                header("content-type", "application/json"),
                header("x-request-id", "6f1d9f0e-1d0e-4b5e-9a9d-3c1b6d3a2f11"),
            ],
            body: vec![body.as_bytes().to_vec()],
        }
    }

    /// Another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the last chunk, which says so.
    Flag,
    /// With trailers: no chunk says that it is the last.
    Trailers,
    /// The caller goes away.
    ClientAbort,
    /// The provider resets.
    UpstreamReset,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Headers, pseudo-headers included.
    pub headers: HeaderMap,
    /// Chunks of the body.
    pub body: Vec<Vec<u8>>,
    /// How it ends.
    pub end: End,
}

impl Answer {
    /// A JSON answer in one chunk.
    #[must_use]
    pub fn json(body: &str) -> Self {
        Self::of("application/json", &[body.as_bytes()])
    }

    /// A stream of events, chunk by chunk.
    #[must_use]
    pub fn events(chunks: &[&[u8]]) -> Self {
        Self::of("text/event-stream", chunks)
    }

    /// Another end.
    #[must_use]
    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    fn of(content_type: &str, chunks: &[&[u8]]) -> Self {
        let headers = vec![
            (":status".to_owned(), b"200".to_vec()),
            ("content-type".to_owned(), content_type.as_bytes().to_vec()),
        ];
        Self { headers, body: chunks.iter().map(|chunk| chunk.to_vec()).collect(), end: End::Flag }
    }
}

/// Runs a stream to its end. The clock advances a millisecond with each chunk.
pub fn run(model: &Model, filter: &mut Filter, request: &Request, answer: &Answer) {
    {
        let [requests, responses, _] = &mut *model.headers.borrow_mut();
        requests.clone_from(&request.headers);
        responses.clone_from(&answer.headers);
    }
    filter.create(STREAM, ROOT);
    filter.request_headers(model, STREAM);
    for chunk in &request.body {
        model.chunk.borrow_mut().clone_from(chunk);
        filter.request_body(model, STREAM, chunk.len());
    }
    filter.response_headers(model, STREAM, answer.body.is_empty() && answer.end == End::Flag);
    for (index, chunk) in answer.body.iter().enumerate() {
        model.now.set(model.now.get().saturating_add(1_000_000));
        model.chunk.borrow_mut().clone_from(chunk);
        let last = index + 1 == answer.body.len() && answer.end == End::Flag;
        filter.response_body(model, STREAM, chunk.len(), last);
    }
    if answer.end == End::Trailers {
        filter.response_trailers(STREAM);
    }
    let details: &[u8] = match answer.end {
        End::Flag | End::Trailers => b"via_upstream",
        End::ClientAbort => b"downstream_remote_disconnect",
        End::UpstreamReset => b"upstream_reset_after_response_started{connection_termination}",
    };
    *model.details.borrow_mut() = Some(details.to_vec());
    filter.log(model, STREAM);
    filter.delete(model, STREAM);
}
