//! What a stream is to outputs that are off unless they are configured; and an answer whose headers are held.

use super::{Caller, Stream};
use crate::extra::Extra;
use crate::proxy::{Headers, Proxy};
use tollgate_call::Outcome;
use tollgate_token_extractor::{Extractor, RequestHead};

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

    /// Who called, read with the headers of the request; once.
    pub(crate) fn take_caller(&mut self, proxy: &impl Proxy) -> Caller {
        Caller::read(proxy, std::mem::take(&mut self.host))
    }

    /// Whether other outputs keep something with it.
    pub(crate) const fn has_extra(&self) -> bool {
        self.extra.is_some()
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

    /// Gives up on an answer whose headers have been held for too long. Whether it does.
    pub(crate) fn give_up_answer(&mut self, now: u64) -> bool {
        let answer = self.extra.as_mut().and_then(|extra| extra.answer.as_mut());
        answer.is_some_and(|answer| answer.give_up(now))
    }

    /// Whether a part of the answer has come while its headers were held.
    pub(crate) fn answer_proven(&self) -> bool {
        let answer = self.extra.as_ref().and_then(|extra| extra.answer.as_ref());
        answer.is_some_and(|answer| answer.told().1)
    }

    /// The next bytes of the answer have come. Whether they wait, because its headers do.
    pub(super) fn queues(&mut self, proxy: &impl Proxy, size: usize, end_of_stream: bool) -> bool {
        let answer = self.extra.as_mut().and_then(|extra| extra.answer.as_mut());
        answer.is_some_and(|answer| answer.body(size, end_of_stream, || proxy.now()))
    }

    /// Trailers end the answer.
    pub(super) fn answer_trailers(&mut self) {
        if let Some(answer) = self.extra.as_mut().and_then(|extra| extra.answer.as_mut()) {
            answer.ended();
        }
    }
}
