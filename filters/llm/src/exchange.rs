//! One HTTP stream: what its callbacks bring is given to the token extractor, and read out once, at the end.
//!
//! The end is Envoy's `on_log`. It is the one callback that comes however the stream ends: with its last byte, with
//! trailers, by an abort of the caller, a reset of the provider or a time limit.

use crate::include_usage::{Asking, Next, Options, Told};
use crate::outcome;
use crate::proxy::{Body, Flow, Headers, Proxy};
use crate::trace_context::{self, Parent};
use tollgate_call::{Outcome, Reading};
use tollgate_token_extractor::{Exchange, Extractor, RequestHead};

/// Longest `x-request-id` that is used, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Longest host that is kept, in bytes: what a name may have (RFC 1035, section 2.3.4), and a port.
const MAX_HOST: usize = 261;

/// A stream under way.
pub struct Stream {
    exchange: Exchange,
    host: String,
    started: u64,
    status: Option<u16>,
    ended: bool,
    /// Apart, because few streams have it.
    asking: Option<Box<Asking>>,
}

/// Who called, as far as spans need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The span that the call was made under.
    pub parent: Option<Parent>,
    /// State of the caller's trace, for the span to carry on.
    pub trace_state: Option<String>,
    /// Envoy's id of the request; random, and the seed of ids where there is no parent.
    pub request_id: Vec<u8>,
    /// Host that was called.
    pub host: String,
}

/// A stream that has ended.
pub struct Finished {
    /// What the extractor read.
    pub reading: Reading,
    /// Who called.
    pub caller: Caller,
    /// Nanoseconds since 1970 at the first byte.
    pub started: u64,
    /// Nanoseconds since 1970 at the end; not before `started`.
    pub ended: u64,
    /// What came of asking for usage; `None` where that is off, or not for this call.
    pub include_usage: Option<Told>,
}

impl Stream {
    /// Begins with the headers of the request. `include_usage` says how usage is asked for, where that is on and the
    /// request has a body.
    #[must_use]
    pub fn begin(proxy: &impl Proxy, extractor: &Extractor, include_usage: Option<&Options>) -> Self {
        let text = |name| proxy.header(Headers::Request, name).map(lossy).unwrap_or_default();
        let (method, mut host, path) = (text(":method"), text(":authority"), text(":path"));
        let head = RequestHead { method: &method, host: &host, path: &path, content_type: None };
        let exchange = extractor.exchange_asking(head, || proxy.header(Headers::Request, "content-type"));
        host.truncate(host.floor_char_boundary(MAX_HOST));
        host.shrink_to_fit();
        let started = proxy.now();
        let asking = include_usage.and_then(|options| Asking::begin(proxy, options, &exchange, &path, started));
        Self { exchange, host, started, status: None, ended: false, asking: asking.map(Box::new) }
    }

    /// Whether the headers of the request wait for its body.
    #[must_use]
    pub fn holds_headers(&self) -> Flow {
        let holds = self.asking.as_ref().is_some_and(|asking| asking.holds_headers());
        if holds { Flow::Hold } else { Flow::Continue }
    }

    /// Gives up waiting for the body of a request whose headers have been held for too long.
    pub fn give_up_holding(&mut self, now: u64) -> bool {
        self.asking.as_mut().is_some_and(|asking| asking.give_up_holding(now))
    }

    /// Takes a chunk of the request; where earlier ones are held, all of them.
    pub fn request_body(&mut self, proxy: &impl Proxy, size: usize, end_of_stream: bool) -> Flow {
        match self.asking.as_ref().map_or(Next::Pass, |asking| asking.next(size, end_of_stream)) {
            Next::Hold => return Flow::Hold,
            Next::Edit => {
                let body = proxy.body(Body::Request, size);
                if let Some(asking) = &mut self.asking {
                    asking.edit(proxy, body.as_deref());
                }
                self.exchange.request_body(&body.unwrap_or_default());
            }
            Next::Pass => {
                if self.exchange.reads_bodies()
                    && let Some(chunk) = proxy.body(Body::Request, size)
                {
                    self.exchange.request_body(&chunk);
                }
            }
        }
        Flow::Continue
    }

    /// Takes the headers of the answer.
    pub fn response_headers(&mut self, proxy: &impl Proxy, end_of_stream: bool) {
        self.ended |= end_of_stream;
        self.status = proxy.header(Headers::Response, ":status").and_then(|text| number(&text));
        let Some(status) = self.status else { return };
        let read = |name: &&'static str| Some((*name, proxy.header(Headers::Response, name)?));
        let headers: Vec<_> = self.exchange.response_headers().iter().filter_map(read).collect();
        self.exchange.response_head(status, headers.iter().map(|(name, value)| (*name, value.as_slice())));
        if let Some(asking) = &mut self.asking {
            let encoding = headers.iter().find(|(name, _)| *name == "content-encoding");
            asking.answer(proxy, status, encoding.map(|(_, value)| value.as_slice()));
        }
    }

    /// Takes a chunk of the answer.
    pub fn response_body(&mut self, proxy: &impl Proxy, size: usize, end_of_stream: bool) {
        self.ended |= end_of_stream;
        let read = size > 0 && self.exchange.reads_bodies();
        let chunk = if read { proxy.body(Body::Response, size) } else { None };
        if let Some(chunk) = &chunk {
            self.exchange.response_body(chunk, proxy.now().saturating_sub(self.started));
        }
        if let Some(asking) = &mut self.asking {
            let chunk = if size > 0 { chunk.as_deref() } else { Some(&[][..]) };
            asking.strip(proxy, chunk, end_of_stream);
        }
    }

    /// Trailers are the end of the answer.
    pub fn response_trailers(&mut self) {
        self.ended = true;
        if let Some(asking) = &mut self.asking {
            asking.answer_trailers();
        }
    }

    /// Ends the stream, in `on_log`. `identify` says whether anybody wants to know who called.
    #[must_use]
    pub fn finish(self, proxy: &impl Proxy, identify: bool) -> Finished {
        let outcome = self.outcome(proxy);
        let reading = self.exchange.end(outcome);
        let identify = identify && reading.record.is_ok();
        let caller = if identify { Caller::read(proxy, self.host) } else { Caller::default() };
        let include_usage = self.asking.map(|asking| asking.told());
        Finished { reading, caller, started: self.started, ended: proxy.now().max(self.started), include_usage }
    }

    /// How the stream ended. An answer of success whose end was seen came whole; anything else Envoy is asked for.
    fn outcome(&self, proxy: &impl Proxy) -> Outcome {
        if self.ended && matches!(self.status, Some(200..=299)) {
            return Outcome::Complete;
        }
        outcome::of_details(proxy.property(&["response", "code_details"]).as_deref(), self.ended)
    }
}

impl Caller {
    /// Reads the headers of the request, which Envoy still has in `on_log`. Each is asked for by its name, so that
    /// credentials never enter the module.
    fn read(proxy: &impl Proxy, host: String) -> Self {
        let header = |name| proxy.header(Headers::Request, name);
        let parent = header("traceparent").and_then(|value| Parent::parse(&value));
        if parent.is_some() {
            let state = header("tracestate").unwrap_or_default();
            let trace_state = trace_context::trace_state(&state).map(str::to_owned);
            return Self { parent, trace_state, host, ..Self::default() };
        }
        let mut request_id = header("x-request-id").unwrap_or_default();
        request_id.truncate(MAX_REQUEST_ID);
        Self { request_id, host, ..Self::default() }
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A header value that is a number.
pub(crate) fn number(text: &[u8]) -> Option<u16> {
    str::from_utf8(text).ok()?.trim().parse().ok()
}
