//! One HTTP stream: what its callbacks bring is given to the token extractor, and read out once, at the end.
//!
//! The end is Envoy's `on_log`. It is the one callback that comes however the stream ends: with its last byte, with
//! trailers, by an abort of the caller, a reset of the provider or a time limit.

mod held;

use crate::extra::Extra;
use crate::include_usage::{Asking, Next, Options, Told};
use crate::outcome;
use crate::proxy::{self, Body, Flow, Headers, Proxy};
use crate::redact_traffic::{self, Installed, Traffic, refuse};
use crate::trace_context::{self, Parent};
use tollgate_call::{Outcome, Reading};
use tollgate_pii_redactor::traffic::{Direction, Reason, Refused};
use tollgate_token_extractor::{Exchange, Extractor, RequestHead};

/// Longest `x-request-id` that is used, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Longest host that is kept, in bytes: what a name may have (RFC 1035, section 2.3.4), and a port.
const MAX_HOST: usize = 261;

/// Most bytes of a body that is held, asked for where its size is not told.
const MOST_HELD: usize = 64 << 20;

/// What the proxy holds in the place of an answer that waits: between documents it means nothing.
const BLANK: &[u8] = b" ";

/// A stream under way.
pub struct Stream {
    exchange: Exchange,
    host: String,
    started: u64,
    status: Option<u16>,
    ended: bool,
    /// Apart, because few streams have it.
    asking: Option<Box<Asking>>,
    /// The same.
    traffic: Option<Box<Traffic>>,
    /// The same.
    extra: Option<Box<Extra>>,
    /// The proxy holds [`BLANK`] for an answer that waits.
    blank: bool,
}

/// What may change bytes of a call, where it is switched on.
#[derive(Clone, Copy, Default)]
pub struct Rewriting<'a> {
    /// How usage is asked for.
    pub include_usage: Option<&'a Options>,
    /// How the traffic is redacted, by route.
    pub redact_traffic: &'a [Installed],
}

/// Who called, as far as spans need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The span that the call was made under.
    pub parent: Option<Parent>,
    /// State of the caller's trace, for the span to carry on.
    pub trace_state: Option<String>,
    /// Whether there was one that the span cannot carry.
    pub trace_state_left: bool,
    /// Envoy's id of the request; random, and the seed of ids where there is no parent.
    pub request_id: Vec<u8>,
    /// Host that was called.
    pub host: String,
}

/// A stream that is over, and has not been made out yet.
pub struct Over {
    stream: Box<Stream>,
    outcome: Outcome,
    caller: Caller,
    ended: u64,
    include_usage: Option<Told>,
    redact_traffic: Option<redact_traffic::Told>,
}

impl Over {
    /// Bytes that are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Stream>() + size_of::<Self>() + self.stream.exchange.heap_bytes()
    }

    /// Makes out what the exchange was.
    #[must_use]
    pub fn finish(self) -> Finished {
        let Self { stream, outcome, caller, ended, include_usage, redact_traffic } = self;
        let Stream { exchange, mut extra, started, .. } = *stream;
        let early = extra.as_mut().and_then(|extra| extra.reading.take());
        Finished {
            reading: early.unwrap_or_else(|| exchange.end(outcome)),
            caller,
            started,
            ended,
            include_usage,
            redact_traffic,
            extra,
        }
    }
}

/// A stream that has been made out.
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
    /// What came of redacting the traffic; `None` where that is off.
    pub redact_traffic: Option<redact_traffic::Told>,
    /// What came of other outputs; `None` where none is on.
    pub extra: Option<Box<Extra>>,
}

impl Stream {
    /// Begins with the headers of the request. `rewriting` says what may change bytes of the call. Also gives whether the
    /// headers wait.
    #[must_use]
    pub fn begin(
        proxy: &impl Proxy,
        extractor: &Extractor,
        rewriting: Rewriting<'_>,
        end_of_stream: bool,
    ) -> (Self, Flow) {
        let text = |name| proxy.header(Headers::Request, name).map(lossy).unwrap_or_default();
        let (method, mut host, path) = (text(":method"), text(":authority"), text(":path"));
        let head = RequestHead { method: &method, host: &host, path: &path, content_type: None };
        let exchange = extractor.exchange_asking(head, || proxy.header(Headers::Request, "content-type"));
        host.truncate(host.floor_char_boundary(MAX_HOST));
        host.shrink_to_fit();
        let started = proxy.now();
        let mut stream = Self {
            exchange,
            host,
            started,
            status: None,
            ended: false,
            asking: None,
            traffic: None,
            extra: None,
            blank: false,
        };
        let mut refused = None;
        if let Some((options, redactors)) = redact_traffic::of(rewriting.redact_traffic, &stream.host, &path) {
            let (traffic, why) = Traffic::begin(proxy, redactors, options, &path, !end_of_stream);
            stream.traffic = Some(Box::new(traffic));
            refused = why;
        }
        let options = rewriting.include_usage.filter(|_| !end_of_stream && refused.is_none());
        let asking = options.and_then(|options| Asking::begin(proxy, options, &stream.exchange, &path, started));
        stream.asking = asking.map(Box::new);
        if let Some(traffic) = &mut stream.traffic {
            refused = refused.or(traffic.release_headers(proxy).err());
        }
        let flow = refused.map_or_else(|| stream.holds_headers(), |refused| refuse(proxy, refused));
        (stream, flow)
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
        if self.is_blocked() {
            return Flow::Hold;
        }
        let redact = self.traffic.as_ref().map_or(Next::Pass, |traffic| traffic.next(size, end_of_stream));
        let ask = self.asking.as_ref().map_or(Next::Pass, |asking| asking.next(size, end_of_stream));
        match (redact, ask) {
            // What is redacted has to be whole; asking is content with less.
            (Next::Hold, _) | (Next::Pass, Next::Hold) => Flow::Hold,
            (Next::Edit, _) | (Next::Pass, Next::Edit) => self.rewrite(proxy, proxy.body(Body::Request, size)),
            (Next::Pass, Next::Pass) => {
                if self.exchange.reads_bodies() {
                    proxy.lend_body(Body::Request, size, |chunk| self.exchange.request_body(chunk));
                }
                Flow::Continue
            }
        }
    }

    /// Trailers end the request: what is held of it for redaction is all of it.
    pub fn request_trailers(&mut self, proxy: &impl Proxy) -> Flow {
        if self.is_blocked() {
            return Flow::Hold;
        }
        if !self.traffic.as_ref().is_some_and(|traffic| traffic.holds()) {
            return Flow::Continue;
        }
        self.rewrite(proxy, proxy.body(Body::Request, MOST_HELD))
    }

    /// Rewrites the body of the request, which is whole; `None` where the proxy does not give it. The extractor reads what
    /// the provider gets.
    fn rewrite(&mut self, proxy: &impl Proxy, body: Option<Vec<u8>>) -> Flow {
        let mut redacted = None;
        if let Some(traffic) = &mut self.traffic {
            match traffic.request(body.as_deref()) {
                Ok(changed) => redacted = changed,
                Err(refused) => return refuse(proxy, refused),
            }
        }
        let came = body.as_ref().map_or(0, Vec::len);
        let says_length = self.holds_headers() == Flow::Hold;
        let asked = self.asking.as_mut().and_then(|asking| asking.edit(redacted.as_deref().or(body.as_deref()), came));
        let is_redacted = redacted.is_some();
        if let Some(changed) = asked.or(redacted) {
            if replace_request(proxy, came, &changed, says_length).is_ok() {
                self.exchange.request_body(&changed);
                return Flow::Continue;
            }
            if let Some(asking) = &mut self.asking {
                asking.refused();
            }
            if is_redacted
                && let Some(traffic) = &mut self.traffic
                && let Err(refused) = traffic.unread(Direction::Request, Reason::Refused)
            {
                return refuse(proxy, refused);
            }
        }
        self.exchange.request_body(&body.unwrap_or_default());
        Flow::Continue
    }

    /// Whether nothing of the stream goes on any more, because the filter has answered it itself.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.traffic.as_ref().is_some_and(|traffic| traffic.is_blocked())
    }

    /// Takes the headers of the answer.
    pub fn response_headers(&mut self, proxy: &impl Proxy, end_of_stream: bool) -> Flow {
        self.ended |= end_of_stream;
        self.status = proxy.header(Headers::Response, ":status").and_then(|text| number(&text));
        if let Some(status) = self.status {
            let read = |name: &&'static str| Some((*name, proxy.header(Headers::Response, name)?));
            let headers: Vec<_> = self.exchange.response_headers().iter().filter_map(read).collect();
            self.exchange.response_head(status, headers.iter().map(|(name, value)| (*name, value.as_slice())));
            if let Some(asking) = &mut self.asking {
                let encoding = headers.iter().find(|(name, _)| *name == "content-encoding");
                asking.answer(proxy, status, encoding.map(|(_, value)| value.as_slice()));
            }
        }
        if let Some(traffic) = self.traffic.as_mut().filter(|_| !end_of_stream)
            && let Err(refused) = traffic.answer(proxy)
        {
            return refuse(proxy, refused);
        }
        Flow::Continue
    }

    /// Takes a chunk of the answer; where a blank is held for what waits, behind that.
    pub fn response_body(&mut self, proxy: &impl Proxy, size: usize, end_of_stream: bool) -> Flow {
        self.ended |= end_of_stream;
        if self.asking.is_none() && self.traffic.is_none() && self.extra.is_none() {
            if size > 0 && self.exchange.reads_bodies() {
                let elapsed = proxy.now().saturating_sub(self.started);
                proxy.lend_body(Body::Response, size, |chunk| self.exchange.response_body(chunk, elapsed));
            }
            return Flow::Continue;
        }
        let blank = std::mem::take(&mut self.blank);
        let rewrites = self.traffic.as_ref().is_some_and(|traffic| traffic.rewrites());
        let read = size > 0 && (self.exchange.reads_bodies() || rewrites);
        let chunk = if read { proxy.body(Body::Response, size) } else { None };
        let chunk = chunk.as_deref().map(|chunk| if blank { chunk.get(BLANK.len()..).unwrap_or(&[]) } else { chunk });
        if let Some(chunk) = chunk {
            self.exchange.response_body(chunk, proxy.now().saturating_sub(self.started));
        }
        let chunk = if size > 0 { chunk } else { Some(&[][..]) };
        if self.queues(proxy, size, end_of_stream) {
            return Flow::Queue;
        }
        let stripped = self.asking.as_mut().and_then(|asking| asking.strip(chunk, end_of_stream));
        let redacted = match self.traffic.as_mut().filter(|_| rewrites) {
            Some(traffic) => traffic.response(stripped.as_deref().or(chunk), end_of_stream),
            None => Ok(None),
        };
        let mut changed = match redacted {
            Ok(redacted) => redacted.or(stripped).filter(|changed| blank || Some(changed.as_slice()) != chunk),
            Err(refused) => return break_off(proxy, size, refused),
        };
        let waits = changed.as_ref().is_some_and(Vec::is_empty)
            && !end_of_stream
            && self.traffic.as_ref().is_some_and(|traffic| traffic.waits());
        if waits {
            changed = Some(BLANK.to_vec());
        }
        let Some(changed) = changed else { return Flow::Continue };
        if proxy.set_body(Body::Response, size, &changed).is_ok() {
            self.blank = waits;
            return if waits { Flow::Hold } else { Flow::Continue };
        }
        if let Some(asking) = &mut self.asking {
            asking.refused_answer();
        }
        if let Some(traffic) = self.traffic.as_mut().filter(|_| rewrites)
            && let Err(refused) = traffic.refused_answer()
        {
            return break_off(proxy, size, refused);
        }
        Flow::Continue
    }

    /// Trailers are the end of the answer.
    pub fn response_trailers(&mut self, proxy: &impl Proxy) -> Flow {
        self.ended = true;
        if let Some(asking) = &mut self.asking {
            asking.answer_trailers();
        }
        let blank = std::mem::take(&mut self.blank);
        self.answer_trailers();
        let Some(traffic) = &mut self.traffic else { return Flow::Continue };
        let ended = traffic.answer_trailers(blank).and_then(|rest| match rest {
            Some(rest) if proxy.set_body(Body::Response, BLANK.len(), &rest).is_err() => traffic.refused_answer(),
            _ => Ok(()),
        });
        ended.map_or_else(|refused| break_off(proxy, BLANK.len(), refused), |()| Flow::Continue)
    }

    /// Ends the stream, in `on_log`: what only the proxy knows is asked for. `identify` says whether anybody wants to
    /// know who called.
    #[must_use]
    pub fn over(mut self: Box<Self>, proxy: &impl Proxy, identify: bool) -> Over {
        let outcome = self.outcome(proxy);
        let identify = identify && self.may_be_call();
        let known = self.extra.as_mut().and_then(|extra| extra.identity.as_mut()).map(|known| &mut known.caller);
        let caller = match known {
            Some(caller) => std::mem::take(caller),
            None if identify => Caller::read(proxy, std::mem::take(&mut self.host)),
            None => Caller::default(),
        };
        let ended = proxy.now().max(self.started);
        // What is kept of the traffic, values that were replaced among it, is not kept a moment longer.
        let include_usage = self.asking.take().map(|asking| asking.told());
        let redact_traffic = self.traffic.take().map(|traffic| traffic.told());
        Over { stream: self, outcome, caller, ended, include_usage, redact_traffic }
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
            // It may come in several headers. Asked for by its name the proxy has the first of them; the attribute, which
            // costs more, has all, joined.
            let joined = || proxy.property(&["request", "headers", "tracestate"]);
            let state = header("tracestate").and_then(|first| joined().or(Some(first))).unwrap_or_default();
            let trace_state = trace_context::trace_state(&state).map(str::to_owned);
            let trace_state_left = trace_state.is_none() && !state.trim_ascii().is_empty();
            return Self { parent, trace_state, trace_state_left, host, ..Self::default() };
        }
        let mut request_id = header("x-request-id").unwrap_or_default();
        request_id.truncate(MAX_REQUEST_ID);
        Self { request_id, host, ..Self::default() }
    }
}

/// Puts another body into the place of a request's, of which `came` bytes came; where its length is said, that too.
fn replace_request(proxy: &impl Proxy, came: usize, body: &[u8], says_length: bool) -> Result<(), proxy::Refused> {
    let length = |length: usize| proxy.set_header(Headers::Request, "content-length", &length.to_string());
    if says_length {
        length(body.len())?;
    }
    let set = proxy.set_body(Body::Request, came, body);
    if set.is_err() && says_length {
        let _ = length(came);
    }
    set
}

/// Breaks off an answer: the chunk at hand does not go on, and neither does anything behind it.
fn break_off(proxy: &impl Proxy, came: usize, refused: Refused) -> Flow {
    let _ = proxy.set_body(Body::Response, came, b"");
    refuse(proxy, refused)
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A header value that is a number.
pub(crate) fn number(text: &[u8]) -> Option<u16> {
    str::from_utf8(text).ok()?.trim().parse().ok()
}
