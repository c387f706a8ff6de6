//! Redaction of the traffic itself, where it is switched on: providers get stand-ins in place of personal data and
//! secrets, and callers get the values back.
//!
//! What is replaced in bodies, and how streams are followed, is told in [`tollgate_pii_redactor::traffic`]. Here is how
//! bodies are held and changed in the proxy, and what becomes of a call that cannot be read.
//!
//! # How bodies are held
//! A request is held by the proxy until it is whole; headers have gone on by then, without `content-length`. Where it may
//! not go on, the caller gets an answer from here, and the provider's stream is reset without a byte of the body. Of an
//! answer the module itself holds what waits, and gives the proxy the rest of each chunk in its place, so that the
//! proxy's limits of buffers are never reached because of it. While nothing at all can go on, the proxy holds a blank: in
//! its place the rest of the body goes where trailers end it, behind which there is no other room.

mod options;

pub(crate) use options::routes;
pub use options::{Options, Route};

use crate::include_usage::{Next, is_signed, is_signed_answer};
use crate::proxy::{Flow, Headers, Proxy};
use std::sync::Arc;
use tollgate_pii_redactor::traffic::{self, Counts, Direction, Exchange, Reason, Redactors, Refused};

const LENGTH: &str = "content-length";
const ENCODING: &str = "content-encoding";

/// A route with what it needs at work.
pub struct Installed {
    /// Which requests are of it.
    pub route: Route,
    /// How they are redacted; `None` leaves them alone.
    pub at_work: Option<(traffic::Options, Arc<Redactors>)>,
}

/// How the traffic of a request is redacted, by the first route that it fits.
pub(crate) fn of<'a>(
    routes: &'a [Installed],
    host: &str,
    path: &str,
) -> Option<(traffic::Options, &'a Arc<Redactors>)> {
    let installed = routes.iter().find(|installed| installed.route.fits(host, path))?;
    installed.at_work.as_ref().map(|(options, redactors)| (*options, redactors))
}

/// Redaction of one call.
pub struct Traffic {
    exchange: Exchange,
    /// A request whose body is awaited.
    held: Option<Held>,
    /// The body was taken for whole; nothing may come behind it.
    taken: bool,
    requested: Requested,
    /// The answer changes.
    rewrites: bool,
    /// Nothing goes on any more.
    blocked: bool,
}

/// A request whose body is awaited.
struct Held {
    /// Bytes that the body is said to have.
    length: Option<usize>,
    /// Most bytes that it may have.
    most: usize,
    content_type: Vec<u8>,
    encoding: Vec<u8>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It has no body, or is not to be redacted.
    NoBody,
    /// Nothing was found.
    Clean,
    /// Values were replaced.
    Redacted,
    /// It could not be read; [`Counts::unread`] says why, and what was done.
    Unread,
    /// It ended before it was whole.
    Incomplete,
}

impl Requested {
    /// The label of the counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBody => "no_body",
            Self::Clean => "clean",
            Self::Redacted => "redacted",
            Self::Unread => "unread",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What came of it, for the counters.
pub struct Told {
    /// The request.
    pub requested: Requested,
    /// Whether the answer was rewritten.
    pub rewritten: bool,
    /// What was found, given back, and not read.
    pub counts: Counts,
    /// Values that were replaced and cannot be given back, because of the limits of what is remembered.
    pub unnumbered: u64,
    /// Names of the types in [`Counts::found`].
    pub types: Vec<(u16, String)>,
}

impl Traffic {
    /// Looks at the headers of a request; `body` says whether it has one. Also gives why the request must not go on, where
    /// it must not.
    pub fn begin(
        proxy: &impl Proxy,
        redactors: &Arc<Redactors>,
        options: traffic::Options,
        path: &str,
        body: bool,
    ) -> (Self, Option<Refused>) {
        let mut traffic = Self {
            exchange: Exchange::new(Arc::clone(redactors), options),
            held: None,
            taken: false,
            requested: Requested::NoBody,
            rewrites: false,
            blocked: false,
        };
        if options.response || options.restore {
            // An answer that is encoded all the same is decoded.
            let _ = proxy.set_header(Headers::Request, "accept-encoding", "identity");
        }
        if !options.request {
            return (traffic, None);
        }
        match hold(proxy, options, path, body) {
            Ok(held) => {
                traffic.requested = if held.is_some() { Requested::Incomplete } else { Requested::NoBody };
                traffic.held = held;
                (traffic, None)
            }
            Err(reason) => {
                let refused = traffic.unread(Direction::Request, reason).err();
                (traffic, refused)
            }
        }
    }

    /// Takes away what says the length and the encoding of a body that may change: headers go on before it.
    ///
    /// # Errors
    /// The request must not go on.
    pub fn release_headers(&mut self, proxy: &impl Proxy) -> Result<(), Refused> {
        let Some(held) = &self.held else { return Ok(()) };
        let remove = |said: bool, name| said && proxy.remove_header(Headers::Request, name).is_err();
        if remove(held.length.is_some(), LENGTH) || remove(!held.encoding.is_empty(), ENCODING) {
            self.held = None;
            return self.unread(Direction::Request, Reason::Refused);
        }
        Ok(())
    }

    /// What is to be done with a body of which `size` bytes have come. The length tells whether it is whole, and not the
    /// flag alone: that comes with no chunk where trailers follow.
    #[must_use]
    pub fn next(&self, size: usize, end_of_stream: bool) -> Next {
        match &self.held {
            None if self.taken && size > 0 => Next::Edit,
            None => Next::Pass,
            Some(held) if end_of_stream || size > held.most || held.length.is_some_and(|length| size >= length) => {
                Next::Edit
            }
            Some(_) => Next::Hold,
        }
    }

    /// Whether a body is awaited.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Redacts the body, which is whole, or as much as was awaited of it; `None` where the proxy does not give it. Gives
    /// what goes on in its place.
    ///
    /// # Errors
    /// The request must not go on.
    pub fn request(&mut self, body: Option<&[u8]>) -> Result<Option<Vec<u8>>, Refused> {
        let behind = std::mem::replace(&mut self.taken, true);
        let Some(held) = self.held.take() else {
            self.taken = false;
            return if behind { self.unread(Direction::Request, Reason::Incomplete).map(|()| None) } else { Ok(None) };
        };
        let Some(body) = body else { return self.unread(Direction::Request, Reason::Refused).map(|()| None) };
        // More than was said, or less: somebody else has changed it, or the caller went away.
        if held.length.is_some_and(|length| body.len() != length) {
            return self.unread(Direction::Request, Reason::Incomplete).map(|()| None);
        }
        let unread = self.exchange.counts().unread.len();
        let redacted = self.exchange.request(&held.content_type, &held.encoding, body);
        self.requested = match &redacted {
            _ if self.exchange.counts().unread.len() > unread => Requested::Unread,
            Ok(Some(_)) => Requested::Redacted,
            _ => Requested::Clean,
        };
        self.blocked |= redacted.is_err();
        redacted
    }

    /// The policy for what could not be read or changed here.
    ///
    /// # Errors
    /// It must not go on.
    pub fn unread(&mut self, direction: Direction, reason: Reason) -> Result<(), Refused> {
        if direction == Direction::Request {
            self.requested = Requested::Unread;
        }
        self.exchange.unread(direction, reason).inspect_err(|_| self.blocked = true)
    }

    /// Looks at the headers of an answer that has a body.
    ///
    /// # Errors
    /// The answer must not go on.
    pub fn answer(&mut self, proxy: &impl Proxy) -> Result<(), Refused> {
        // The answer may be our own.
        if self.blocked {
            return Ok(());
        }
        let header = |name| proxy.header(Headers::Response, name).unwrap_or_default();
        let plan = self.exchange.response_head(&header("content-type"), &header(ENCODING));
        let plan = plan.inspect_err(|_| self.blocked = true)?;
        if !plan.rewrites {
            return Ok(());
        }
        let remove = |name| proxy.remove_header(Headers::Response, name).is_ok();
        let said = |name| proxy.header(Headers::Response, name).is_some();
        let reason = if is_signed_answer(proxy) {
            Some(Reason::Signed)
        } else if (said(LENGTH) && !remove(LENGTH)) || (plan.decodes && !remove(ENCODING)) {
            Some(Reason::Refused)
        } else {
            None
        };
        if let Some(reason) = reason {
            self.exchange.leave_answer();
            return self.unread(Direction::Response, reason);
        }
        self.rewrites = true;
        Ok(())
    }

    /// Whether the body of the answer changes.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        self.rewrites
    }

    /// The next bytes of the answer, and what goes on in their place; `None` where the proxy does not give them.
    ///
    /// # Errors
    /// Nothing more may go on.
    pub fn response(&mut self, chunk: Option<&[u8]>, end_of_stream: bool) -> Result<Option<Vec<u8>>, Refused> {
        let Some(chunk) = chunk else {
            self.refused_answer()?;
            return Ok(None);
        };
        self.exchange.response(chunk, end_of_stream).map(Some).inspect_err(|_| self.blocked = true)
    }

    /// The proxy does not give or take bytes of the answer.
    ///
    /// # Errors
    /// Nothing more may go on.
    pub fn refused_answer(&mut self) -> Result<(), Refused> {
        self.rewrites = false;
        self.exchange.leave_answer();
        self.unread(Direction::Response, Reason::Refused)
    }

    /// Whether something of the answer waits for its end.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.rewrites && self.exchange.waits()
    }

    /// Trailers end the answer. `room` says whether the proxy still has a part of the body, in whose place the end of it
    /// can go on; it is given then.
    ///
    /// # Errors
    /// Something was held that cannot go on any more.
    pub fn answer_trailers(&mut self, room: bool) -> Result<Option<Vec<u8>>, Refused> {
        if !self.rewrites {
            return Ok(None);
        }
        let ended = if room {
            self.exchange.response(b"", true).map(Some)
        } else {
            self.exchange.response_trailers().map(|()| None)
        };
        ended.inspect_err(|_| self.blocked = true)
    }

    /// Whether nothing goes on any more.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// What came of it.
    #[must_use]
    pub fn told(&self) -> Told {
        let counts = self.exchange.counts().clone();
        let kinds = counts.found.keys().map(|(_, kind)| (*kind, self.exchange.type_name(*kind).to_owned()));
        let unnumbered = self.exchange.unnumbered();
        Told { requested: self.requested, rewritten: self.rewrites, unnumbered, types: kinds.collect(), counts }
    }
}

/// Answers a call in the provider's place, or breaks it off where an answer is under way; nothing goes on.
pub fn refuse(proxy: &impl Proxy, refused: Refused) -> Flow {
    let message = format!("tollgate: {refused}");
    let error = serde_json::json!({
        "type": "error",
        "error": {"type": "redaction_failed", "code": refused.reason.as_str(), "message": message},
    });
    let status = match refused.direction {
        Direction::Request => request_status(refused.reason),
        Direction::Response => 502,
    };
    // Where the proxy refuses that as well, the call is held until a time limit ends it.
    let _ = proxy.answer(
        status,
        "tollgate_redaction",
        &[("content-type", "application/json")],
        error.to_string().as_bytes(),
    );
    Flow::Hold
}

const fn request_status(reason: Reason) -> u32 {
    match reason {
        Reason::TooLarge => 413,
        Reason::ContentType | Reason::ContentEncoding => 415,
        Reason::Signed | Reason::Upgrade => 403,
        Reason::TooComplex | Reason::TooManyFindings => 422,
        Reason::Refused => 500,
        _ => 400,
    }
}

/// Whether a request is held, by its headers; and if it cannot be read, why.
fn hold(proxy: &impl Proxy, options: traffic::Options, path: &str, body: bool) -> Result<Option<Held>, Reason> {
    let header = |name| proxy.header(Headers::Request, name);
    let connects = header(":method").is_some_and(|method| method == b"CONNECT");
    if header("upgrade").is_some() || connects {
        return Err(Reason::Upgrade);
    }
    if !body {
        return Ok(None);
    }
    let content_type = header("content-type").unwrap_or_default();
    if !traffic::is_read(&content_type) {
        return Err(Reason::ContentType);
    }
    // A length that is no number is left to the proxy, which refuses it.
    let number = |text: Vec<u8>| str::from_utf8(&text).ok()?.parse::<usize>().ok();
    let length = header(LENGTH).and_then(number);
    if length.is_some_and(|length| length > options.max_body_bytes) {
        return Err(Reason::TooLarge);
    }
    if is_signed(proxy, path) {
        return Err(Reason::Signed);
    }
    let encoding = header(ENCODING).unwrap_or_default();
    if !traffic::is_decoded(&encoding) {
        return Err(Reason::ContentEncoding);
    }
    Ok(Some(Held { length, most: options.max_body_bytes, content_type, encoding }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_status_that_says_what_to_do() {
        for (reason, status) in [
            (Reason::TooLarge, 413),
            (Reason::ContentType, 415),
            (Reason::Signed, 403),
            (Reason::NotJson, 400),
            (Reason::TooManyFindings, 422),
        ] {
            assert_eq!(request_status(reason), status, "{reason:?}");
        }
    }
}
