//! What a stream is to outputs that are off unless they are configured; and an answer whose headers are held.

use super::{BLANK, Caller, Stream};
use crate::extra::Extra;
use crate::proxy::{Body, Flow, Headers, Proxy};
use crate::response_headers::Next;
use tollgate_call::Outcome;
use tollgate_token_extractor::{Extractor, RequestHead};

/// The next bytes of an answer, as the proxy gives them.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    /// They, without the blank; `None` where the proxy does not give them.
    pub(super) chunk: Option<&'a [u8]>,
    /// How many the proxy has, the blank included.
    pub(super) size: usize,
    /// Whether the first of them is a blank.
    pub(super) blank: bool,
    pub(super) end_of_stream: bool,
}

impl Stream {
    /// Whether it may be a call of an LLM API.
    pub(crate) fn may_be_call(&self) -> bool {
        self.exchange.reads_bodies()
    }

    /// Whether the request line, the host or the configuration says its API.
    pub(crate) fn has_api(&self) -> bool {
        self.exchange.api().is_some()
    }

    /// Whether it is a call for sure, whatever the answer says.
    pub(crate) fn is_call(&self) -> bool {
        self.exchange.is_call()
    }

    /// Whether a stream was asked for.
    pub(crate) fn asks_for_stream(&self) -> bool {
        self.exchange.asks_for_stream()
    }

    /// Whether the status of the answer is one of success.
    pub(crate) fn succeeds(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }

    /// Nanoseconds since 1970 at its first byte.
    pub(crate) const fn started(&self) -> u64 {
        self.started
    }

    /// Who called, read before the end; once.
    pub(crate) fn take_caller(&mut self, proxy: &impl Proxy) -> Caller {
        Caller::read(proxy, std::mem::take(&mut self.host))
    }

    /// What other outputs keep with it.
    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Where fields about the answer are to be set now; once.
    pub(crate) fn answer_ready(&mut self) -> Option<Headers> {
        self.extra.as_mut()?.answer.as_mut()?.take_ready()
    }

    /// Ends the exchange, whose answer has come whole, before the stream ends.
    pub(crate) fn end_exchange(&mut self, extractor: &Extractor) {
        let nothing = RequestHead { method: "", host: "", path: "", content_type: None };
        let exchange = std::mem::replace(&mut self.exchange, extractor.exchange(nothing));
        self.extra().reading = Some(exchange.end(Outcome::Complete));
    }

    /// Gives up waiting for the body of an answer whose headers have been held for too long.
    pub(crate) fn give_up_answer(&mut self, now: u64) -> bool {
        let answer = self.extra.as_mut().and_then(|extra| extra.answer.as_mut());
        answer.is_some_and(|answer| answer.give_up(now))
    }

    /// Takes the next bytes of an answer; `None` where its headers are not held.
    pub(super) fn body_held(&mut self, proxy: &impl Proxy, piece: Piece<'_>) -> Option<Flow> {
        let answer = self.extra.as_mut()?.answer.as_mut()?;
        let Piece { chunk, size, blank, end_of_stream } = piece;
        if !answer.is_held() {
            if end_of_stream {
                answer.ended();
            }
            return None;
        }
        if size == 0 && !end_of_stream {
            return Some(Flow::Hold);
        }
        let next = chunk.and_then(|chunk| answer.keep(chunk, end_of_stream, proxy.now()));
        let set = match &next {
            Some(Next::Keep) => proxy.set_body(Body::Response, size, BLANK).is_ok(),
            // Nothing was taken out: the proxy has all of it.
            Some(Next::Go(_)) if !blank => true,
            Some(Next::Go(bytes)) => proxy.set_body(Body::Response, size, bytes).is_ok(),
            None => false,
        };
        if !set {
            answer.refused();
            return Some(if blank { fail(proxy) } else { Flow::Continue });
        }
        self.blank = next == Some(Next::Keep);
        Some(if self.blank { Flow::Hold } else { Flow::Continue })
    }

    /// Trailers end an answer. `blank` says whether the proxy has a blank in the place of its body.
    pub(super) fn end_held(&mut self, proxy: &impl Proxy, blank: bool) -> Flow {
        let Some(answer) = self.extra.as_mut().and_then(|extra| extra.answer.as_mut()) else { return Flow::Continue };
        match answer.keep(b"", true, 0) {
            Some(Next::Go(bytes)) if blank && proxy.set_body(Body::Response, BLANK.len(), &bytes).is_err() => {
                answer.refused();
                fail(proxy)
            }
            Some(_) => Flow::Continue,
            None => {
                answer.ended();
                Flow::Continue
            }
        }
    }
}

/// What was kept of an answer cannot be given back: the caller gets another one.
fn fail(proxy: &impl Proxy) -> Flow {
    let error = br#"{"type":"error","error":{"type":"response_headers_failed","message":"tollgate: Envoy took an answer away and did not take it back"}}"#;
    let _ = proxy.answer(502, "tollgate_response_headers", &[("content-type", "application/json")], error);
    Flow::Hold
}
