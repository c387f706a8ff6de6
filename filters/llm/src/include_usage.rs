//! Asking for the usage of a stream in the caller's place, where it is switched on.
//!
//! A request that may be edited is held until its body is whole, and then goes on with `include_usage` put in, or as it
//! came. What is not sure to come through that unharmed is not held at all, and why is counted: see [`Ask`]. The answer
//! to a request that was edited goes without the extra chunk, where that is wanted: see [`Answer`].
//!
//! # How a body is held
//! Envoy buffers it, and answers 413 by itself where it grows over the buffer limit of the listener; a chunk that comes
//! next may be as large as that limit. So only bodies whose `content-length` says that they fit are held. One whose length
//! nobody says is edited where its first chunk is all of it, which the JSON itself tells, and else goes on as it came.
//!
//! # How the length is kept right
//! A filter that holds headers gets no body from Envoy, unless the plugin's `allow_on_headers_stop_iteration` is set. So
//! by default headers go on at once, without `content-length`, and the body goes in chunks. Where headers can be held,
//! the length is set to what the body has become.

mod options;
mod told;

pub use options::Options;
pub(crate) use options::options;
pub use told::{Answer, Ask, Told};

use crate::proxy::{Headers, Proxy};
use tollgate_call::Api;
use tollgate_token_extractor::Exchange;
use tollgate_token_extractor::include_usage::{MOST_ADDED, Malformed, Request, Strip};

/// Nanoseconds after which headers are no longer held where no body has come.
const HOLD_NANOS: u64 = 2_000_000_000;

const LENGTH: &str = "content-length";

/// Headers of requests, and of answers, that say that their body is signed or digested: RFC 9530 and its
/// predecessors, RFC 9421, and the signatures of clouds. A request that is signed by AWS Signature Version 4 has
/// `x-amz-date` or `date` (AWS, "Create a signed request"), so that `authorization` is not looked at.
const SIGNATURES: &[&str] = &[
    "x-amz-date",
    "x-amz-content-sha256",
    "date",
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
    "signature",
    "signature-input",
    "x-content-sha256",
    "x-ms-content-sha256",
    "x-goog-date",
    "x-acs-content-sha256",
    "x-tc-timestamp",
];

/// Those of answers; `date` is in every answer.
const DIGESTS: &[&str] = &["content-digest", "repr-digest", "digest", "content-md5", "signature", "signature-input"];

/// Parameters of a query that say that the request is signed.
const SIGNED_QUERY: &[&str] = &["x-amz-signature=", "x-goog-signature="];

/// What is to be done with a part of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It passes on.
    Pass,
    /// It is held, and more is awaited.
    Hold,
    /// It is all that is awaited.
    Edit,
}

/// A call for which usage may be asked.
pub struct Asking {
    held: Option<Held>,
    request: Ask,
    /// Most bytes of an event that are held back; `None` leaves the answer as it is.
    event_bytes: Option<usize>,
    strip: Option<Box<Strip>>,
    answer: Option<Answer>,
}

/// A request whose body is awaited.
struct Held {
    /// Bytes that the body is said to have; `None` where nobody says.
    length: Option<usize>,
    /// Most bytes that it may have.
    most: usize,
    /// Whether the headers wait with it.
    headers: bool,
    since: u64,
}

impl Asking {
    /// Looks at the headers of a request. `None` where the call is none that usage can be asked for.
    pub fn begin(proxy: &impl Proxy, options: &Options, exchange: &Exchange, path: &str, now: u64) -> Option<Self> {
        if ![Some(&Api::CHAT_COMPLETIONS), Some(&Api::COMPLETIONS)].contains(&exchange.api()) {
            return None;
        }
        let held =
            if options.is_for(exchange.provider()) { hold(proxy, options, path, now) } else { Err(Ask::OtherProvider) };
        let (held, request) = match held {
            Ok(held) => (Some(held), Ask::Incomplete),
            Err(why) => (None, why),
        };
        Some(Self {
            held,
            request,
            event_bytes: options.strip.then_some(options.event_bytes),
            strip: None,
            answer: None,
        })
    }

    /// Whether the headers wait for the body.
    #[must_use]
    pub fn holds_headers(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.headers)
    }

    /// What is to be done with a body of which `size` bytes have come. The length tells whether it is whole, and not the
    /// flag alone: that comes with no chunk where trailers follow.
    #[must_use]
    pub fn next(&self, size: usize, end_of_stream: bool) -> Next {
        match self.held.as_ref().map(|held| held.length) {
            Some(_) if end_of_stream => Next::Edit,
            Some(Some(length)) if size < length => Next::Hold,
            // No chunk has come yet, and nothing is held.
            Some(None) if size == 0 => Next::Pass,
            Some(_) => Next::Edit,
            None => Next::Pass,
        }
    }

    /// Gives up on a request whose headers have been held for too long.
    pub fn give_up_holding(&mut self, now: u64) -> bool {
        let late = |held: &Held| held.headers && now.saturating_sub(held.since) >= HOLD_NANOS;
        if self.held.as_ref().is_some_and(late) {
            self.held = None;
            self.request = Ask::NotHeld;
            return true;
        }
        false
    }

    /// Edits the body, which is whole, and of which `came` bytes came; `None` where the proxy does not give it. Gives
    /// what goes on in its place.
    pub fn edit(&mut self, body: Option<&[u8]>, came: usize) -> Option<Vec<u8>> {
        let held = self.held.take()?;
        match edit(&held, body, came) {
            Ok(edited) => {
                self.request = Ask::Requested;
                Some(edited)
            }
            Err(why) => {
                self.request = why;
                None
            }
        }
    }

    /// The proxy refused what goes on in the place of the body.
    pub fn refused(&mut self) {
        if self.request == Ask::Requested {
            self.request = Ask::Refused;
        }
    }

    /// Looks at the headers of the answer.
    pub fn answer(&mut self, proxy: &impl Proxy, status: u16, encoding: Option<&[u8]>) {
        // A provider may answer before it has the whole request; what is held then goes on as it is.
        let Some(limit) = self.event_bytes.filter(|_| self.request == Ask::Requested) else { return };
        let header = |name| proxy.header(Headers::Response, name);
        if !(200..300).contains(&status)
            || !header("content-type").is_some_and(|value| starts(&value, "text/event-stream"))
        {
            return;
        }
        self.answer = Some(if is_encoded(encoding) {
            Answer::ContentEncoding
        } else if header("trailer").is_some() {
            Answer::Trailers
        } else if is_signed_answer(proxy) {
            Answer::Signed
        } else if header(LENGTH).is_some() && proxy.remove_header(Headers::Response, LENGTH).is_err() {
            Answer::Refused
        } else {
            self.strip = Some(Box::new(Strip::new(limit)));
            Answer::Unneeded
        });
    }

    /// Takes the extra chunk out of the next bytes of the answer, which the proxy does not give where they are `None`.
    /// Gives what goes on in their place; `None` where that is what came.
    pub fn strip(&mut self, chunk: Option<&[u8]>, end_of_stream: bool) -> Option<Vec<u8>> {
        let strip = self.strip.as_mut()?;
        let Some(chunk) = chunk else {
            self.give_up_stripping(Answer::Refused);
            return None;
        };
        let mut passed = Vec::with_capacity(strip.held_bytes().saturating_add(chunk.len()));
        strip.push(chunk, &mut passed);
        if end_of_stream {
            strip.finish(&mut passed);
        }
        (passed != chunk).then_some(passed)
    }

    /// The proxy refused what goes on in the place of bytes of the answer.
    pub fn refused_answer(&mut self) {
        if self.strip.is_some() {
            self.give_up_stripping(Answer::Refused);
        }
    }

    /// Trailers end the answer: no more of its body can be sent.
    pub fn answer_trailers(&mut self) {
        if self.strip.as_ref().is_some_and(|strip| strip.held_bytes() > 0) {
            self.give_up_stripping(Answer::CutByTrailers);
        }
    }

    /// What came of it.
    #[must_use]
    pub fn told(&self) -> Told {
        let answer = self.answer.map(|answer| match self.strip.as_ref().map(|strip| strip.stripped()) {
            Some(stripped) if stripped.removed > 0 => Answer::Stripped,
            Some(stripped) if stripped.too_long > 0 => Answer::EventTooLong,
            _ => answer,
        });
        Told { request: self.request, answer }
    }

    fn give_up_stripping(&mut self, why: Answer) {
        self.strip = None;
        self.answer = Some(why);
    }
}

/// Whether a request is held, by its headers; and if not, why.
fn hold(proxy: &impl Proxy, options: &Options, path: &str, now: u64) -> Result<Held, Ask> {
    let header = |name| proxy.header(Headers::Request, name);
    if !header("content-type").is_some_and(|value| is_json(&value)) {
        return Err(Ask::ContentType);
    }
    if is_encoded(header("content-encoding").as_deref()) {
        return Err(Ask::ContentEncoding);
    }
    let most = options.body_bytes.saturating_sub(MOST_ADDED);
    // A length that is no number is left to Envoy, which refuses it.
    let number = |text: Vec<u8>| str::from_utf8(&text).ok()?.parse().ok();
    let length = header(LENGTH).map(|text| number(text).ok_or(Ask::NoContentLength)).transpose()?;
    if length.is_some_and(|length: usize| length > most) {
        return Err(Ask::TooLarge);
    }
    if is_signed(proxy, path) {
        return Err(Ask::Signed);
    }
    let headers = options.hold_headers && length.is_some();
    if length.is_some() && !headers && proxy.remove_header(Headers::Request, LENGTH).is_err() {
        return Err(Ask::Refused);
    }
    Ok(Held { length, most, headers, since: now })
}

fn edit(held: &Held, body: Option<&[u8]>, came: usize) -> Result<Vec<u8>, Ask> {
    let body = body.ok_or(Ask::Refused)?;
    if body.len() > held.most {
        return Err(Ask::TooLarge);
    }
    if held.length.is_some_and(|length| came != length) {
        return Err(Ask::Incomplete);
    }
    let request = match (Request::read(body), held.length) {
        (Ok(request), _) => request,
        (Err(Malformed::NotJson), None) => return Err(Ask::NoContentLength),
        (Err(_), _) => return Err(Ask::Malformed),
    };
    if !request.asks_for_stream() {
        return Err(Ask::NoStream);
    }
    request.edited(body).ok_or(Ask::AlreadyRequested)
}

/// Whether the headers of a request, or its query, say that its body is signed or has a digest.
pub(crate) fn is_signed(proxy: &impl Proxy, path: &str) -> bool {
    SIGNATURES.iter().any(|name| proxy.header(Headers::Request, name).is_some()) || is_signed_query(path)
}

/// Whether the headers of an answer say that its body is signed or has a digest.
pub(crate) fn is_signed_answer(proxy: &impl Proxy) -> bool {
    DIGESTS.iter().any(|name| proxy.header(Headers::Response, name).is_some())
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json")
}

fn is_encoded(encoding: Option<&[u8]>) -> bool {
    encoding
        .is_some_and(|value| !value.trim_ascii().is_empty() && !value.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

fn is_signed_query(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    query.split('&').any(|parameter| SIGNED_QUERY.iter().any(|name| parameter.starts_with(name)))
}

fn starts(value: &[u8], with: &str) -> bool {
    value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_that_are_signed() {
        for (path, signed) in [
            ("/v1/chat/completions", false),
            ("/v1/chat/completions?api-version=1", false),
            ("/v1/chat/completions?a=1&X-Amz-Signature=abc", true),
            ("/v1/chat/completions?x-goog-signature=abc", true),
            ("/x-amz-signature=/chat/completions", false),
        ] {
            assert_eq!(is_signed_query(path), signed, "{path}");
        }
    }

    #[test]
    fn headers_as_servers_write_them() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jsonl", false),
            ("multipart/form-data; boundary=application/json", false),
            ("", false),
        ] {
            assert_eq!(is_json(value.as_bytes()), json, "{value}");
        }
        for (value, encoded) in [("gzip", true), ("identity", false), (" Identity ", false), ("", false)] {
            assert_eq!(is_encoded(Some(value.as_bytes())), encoded, "{value}");
        }
        assert!(starts(b"Text/Event-Stream; charset=utf-8", "text/event-stream"));
    }
}
