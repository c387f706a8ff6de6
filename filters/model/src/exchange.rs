//! A stream as Envoy runs it: the callbacks of one request and its answer, in Envoy's order.

use crate::{HeaderMap, Model, ROOT};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

/// Id of the stream's context.
const STREAM: u32 = 100;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Headers, pseudo-headers included.
    pub headers: HeaderMap,
    /// Chunks of the body.
    pub body: Vec<Vec<u8>>,
    /// Whether trailers follow, so that no chunk says that it is the last.
    pub trailers: bool,
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
            trailers: false,
        }
    }

    /// Another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    /// A `content-length` that is right.
    #[must_use]
    pub fn sized(self) -> Self {
        let length: usize = self.body.iter().map(Vec::len).sum();
        self.header("content-length", length.to_string().as_bytes())
    }

    /// Another body, in one chunk, whatever the headers say of it.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.body = vec![body.as_bytes().to_vec()];
        self
    }

    /// The body in chunks of so many bytes.
    #[must_use]
    pub fn chunks(mut self, size: usize) -> Self {
        self.body = self.body.concat().chunks(size.max(1)).map(<[u8]>::to_vec).collect();
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
    /// Nanoseconds before each chunk.
    pub pause: u64,
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

    /// Another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: u32) -> Self {
        self.headers.retain(|(name, _)| name != ":status");
        self.headers.push((":status".to_owned(), status.to_string().into_bytes()));
        self
    }

    /// Nanoseconds before each chunk.
    #[must_use]
    pub fn pause(mut self, nanos: u64) -> Self {
        self.pause = nanos;
        self
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
        Self { headers, body: chunks.iter().map(|chunk| chunk.to_vec()).collect(), end: End::Flag, pause: 0 }
    }
}

/// What passed through the proxy, either way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Headers of the request as the provider gets them; `None` where the request never got there.
    pub headers: Option<HeaderMap>,
    /// Body of the request, as the provider gets it.
    pub request: Vec<u8>,
    /// Headers of the answer, as the caller gets them.
    pub answer_headers: HeaderMap,
    /// Chunks of the answer, as the caller gets them; as many as the provider sent.
    pub answer: Vec<Vec<u8>>,
    /// Trailers of the answer, as far as the filter set them.
    pub trailers: HeaderMap,
    /// Status and body of the answer that the filter gave in the provider's place, or with which it broke off one.
    pub local: Option<(u32, Vec<u8>)>,
}

/// Bytes that are buffered of a body that is held; at more, Envoy answers 413.
pub const BUFFER_LIMIT: usize = 1 << 20;

/// Runs a stream to its end, and gives what passed. The clock advances a millisecond with each chunk.
pub fn run(model: &Model, filter: &mut Filter, request: &Request, answer: &Answer) -> Passed {
    {
        let [requests, responses, _, trailers] = &mut *model.headers.borrow_mut();
        trailers.clear();
        requests.clone_from(&request.headers);
        responses.clone_from(&answer.headers);
    }
    filter.create(STREAM, ROOT);
    let mut passed = Passed::default();
    if send(model, filter, request, &mut passed) {
        passed.headers = model.headers.borrow().first().cloned();
        receive(model, filter, answer, &mut passed);
    } else if let Some((status, body)) = model.take_answered() {
        // Envoy sends a local answer through the filter as any other.
        let local = Answer::json(&String::from_utf8_lossy(&body)).status(status);
        if let Some(headers) = model.headers.borrow_mut().get_mut(1) {
            headers.clone_from(&local.headers);
        }
        passed.local = Some((status, body));
        receive(model, filter, &local, &mut passed);
    }
    let details: &[u8] = match answer.end {
        End::Flag | End::Trailers => b"via_upstream",
        End::ClientAbort => b"downstream_remote_disconnect",
        End::UpstreamReset => b"upstream_reset_after_response_started{connection_termination}",
    };
    *model.details.borrow_mut() = Some(details.to_vec());
    filter.log(model, STREAM);
    filter.delete(model, STREAM);
    // In Envoy the timer does it.
    filter.tell_metrics(model);
    passed
}

/// The request; `false` where it does not get to the provider.
fn send(model: &Model, filter: &mut Filter, request: &Request, passed: &mut Passed) -> bool {
    let empty = request.body.is_empty();
    let flow = filter.request_headers(model, STREAM, empty && !request.trailers);
    if model.is_answered() {
        return false;
    }
    if flow == Flow::Hold && model.holds_all.get() {
        // Nothing more comes, until the filter lets the stream go on from its timer.
        for _ in 0..5 {
            model.now.set(model.now.get().saturating_add(1_000_000_000));
            filter.tick(model, ROOT);
        }
        if !model.take_resumed().contains(&STREAM) {
            return false;
        }
    }
    let mut held = Vec::new();
    let mut flow = flow;
    for (index, chunk) in request.body.iter().enumerate() {
        if flow == Flow::Hold {
            held.extend_from_slice(chunk);
        } else {
            held.clone_from(chunk);
        }
        if flow == Flow::Hold && held.len() > BUFFER_LIMIT {
            return false;
        }
        *model.chunk.borrow_mut() = std::mem::take(&mut held);
        let size = model.chunk.borrow().len();
        let last = index + 1 == request.body.len() && !request.trailers;
        flow = filter.request_body(model, STREAM, size, last);
        held = model.chunk.take();
        if model.is_answered() {
            return false;
        }
        if flow == Flow::Continue {
            passed.request.append(&mut held);
        } else if last {
            return false;
        }
    }
    // Trailers send on what is held, after the filter has seen them.
    if request.trailers {
        *model.chunk.borrow_mut() = std::mem::take(&mut held);
        flow = filter.request_trailers(model, STREAM);
        held = model.chunk.take();
        if model.is_answered() || flow == Flow::Hold {
            return false;
        }
    }
    passed.request.append(&mut held);
    true
}

fn receive(model: &Model, filter: &mut Filter, answer: &Answer, passed: &mut Passed) {
    let mut flow = filter.response_headers(model, STREAM, answer.body.is_empty() && answer.end == End::Flag);
    if model.is_answered() {
        passed.local = model.take_answered();
        return;
    }
    if flow == Flow::Hold && model.holds_all.get() {
        // Nothing more comes, until the filter lets the stream go on from its timer.
        for _ in 0..5 {
            model.now.set(model.now.get().saturating_add(1_000_000_000));
            filter.tick(model, ROOT);
        }
        if !model.take_resumed().contains(&STREAM) {
            return;
        }
        flow = Flow::Continue;
    }
    let headers = || model.headers.borrow().get(1).cloned().unwrap_or_default();
    let mut headers_held = flow == Flow::Hold;
    if !headers_held {
        passed.answer_headers = headers();
    }
    let (mut held, mut queued) = (Vec::new(), Vec::new());
    for (index, chunk) in answer.body.iter().enumerate() {
        model.now.set(model.now.get().saturating_add(1_000_000).saturating_add(answer.pause));
        held.extend_from_slice(chunk);
        *model.chunk.borrow_mut() = std::mem::take(&mut held);
        let size = model.chunk.borrow().len();
        let last = index + 1 == answer.body.len() && answer.end == End::Flag;
        let flow = filter.response_body(model, STREAM, size, last);
        if model.is_answered() {
            passed.local = model.take_answered();
            return;
        }
        if headers_held && flow != Flow::Continue && model.ticks.get() {
            filter.tick(model, ROOT);
            if model.take_resumed().contains(&STREAM) {
                headers_held = false;
                passed.answer_headers = headers();
            }
        }
        if flow == Flow::Queue {
            queued.append(&mut model.chunk.take());
            passed.answer.push(if headers_held { Vec::new() } else { std::mem::take(&mut queued) });
        } else if flow == Flow::Hold {
            held = model.chunk.take();
            passed.answer.push(Vec::new());
        } else {
            if std::mem::take(&mut headers_held) {
                passed.answer_headers = headers();
            }
            queued.append(&mut model.chunk.take());
            passed.answer.push(std::mem::take(&mut queued));
        }
    }
    if answer.end == End::Trailers {
        *model.chunk.borrow_mut() = held;
        let flow = filter.response_trailers(model, STREAM);
        let rest = model.chunk.take();
        if flow == Flow::Hold {
            passed.local = model.take_answered();
        } else {
            if headers_held {
                passed.answer_headers = headers();
            }
            if let Some(last) = passed.answer.last_mut() {
                last.append(&mut queued);
                last.extend(rest);
            }
        }
    }
    passed.trailers = model.headers.borrow().get(3).cloned().unwrap_or_default();
}
