//! Headers on answers with what the call cost, where they are switched on.
//!
//! What a call cost is known when its answer has been read. So the headers of an answer that is one JSON document are
//! held until then, and the proxy keeps its bytes meanwhile. What is too large or takes too long goes on as it is, and why
//! is counted: see [`Told`]. Answers that are streams are never held. With `trailers` they, and what was let go, have the
//! same fields behind their last byte, as HTTP trailers.
//!
//! # How headers are held
//! A filter that holds headers gets no body from Envoy, unless the plugin's `allow_on_headers_stop_iteration` is set.
//! That shows in bodies that do not come: the timer then lets the answer go on, and after a few of them no more is held.
//! Bodies wait as [`Flow::Queue`](crate::proxy::Flow::Queue): Envoy answers 500 by itself where what it buffers for a filter
//! outgrows its limit, but what is queued only makes it read more slowly, or not at all until the timer lets go.

use crate::fields::Fields;
use crate::proxy::{Headers, Proxy};
use serde_json::{Value, json};
use tollgate_call::Record;
use tollgate_cost_calculator::Charge;

/// Most bytes of an answer that may be held.
const MOST_BODY: u64 = 16 << 20;

/// Answers of which no body came, and none before them did, after which no more are held.
const TRIES: u8 = 3;

/// How headers are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the names begin with.
    prefix: String,
    /// Bytes of an answer that are held at most.
    max_body_bytes: usize,
    /// Nanoseconds that headers are held at most.
    wait: u64,
    /// Whether answers that are not held get trailers.
    trailers: bool,
}

/// What became of the headers of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// They are in its headers.
    Set,
    /// They are in its trailers.
    Trailers,
    /// It is a stream, and trailers are off.
    Stream,
    /// It is no JSON.
    ContentType,
    /// It is none of success (status 2xx).
    Status,
    /// Only the body tells whether it is a call.
    UnknownApi,
    /// It is larger than may be held.
    TooLarge,
    /// It took longer than headers may be held.
    Late,
    /// Headers cannot be held.
    NotHeld,
    /// It reports no usage.
    NoUsage,
    /// It ended before it was whole.
    Incomplete,
    /// The proxy refused a change.
    Refused,
}

impl Told {
    /// The label of the counter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Trailers => "trailers",
            Self::Stream => "stream",
            Self::ContentType => "content_type",
            Self::Status => "status",
            Self::UnknownApi => "unknown_api",
            Self::TooLarge => "too_large",
            Self::Late => "late",
            Self::NotHeld => "not_held",
            Self::NoUsage => "no_usage",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
        }
    }
}

/// Whether headers can be held, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    proven: bool,
    failures: u8,
}

impl Holding {
    /// No body came while headers were held. Whether that is the last time.
    pub(crate) fn failed(&mut self) -> bool {
        self.failures = self.failures.saturating_add(u8::from(!self.proven));
        !self.proven && self.failures == TRIES
    }

    /// A body came while headers were held.
    pub(crate) const fn worked(&mut self) {
        self.proven = true;
    }

    const fn works(self) -> bool {
        self.proven || self.failures < TRIES
    }
}

/// An answer on whose headers the fields are wanted.
pub(crate) struct Answer {
    told: Told,
    held: Option<Held>,
    trailers: bool,
    /// A body came while the headers were held.
    proven: bool,
    /// The answer is whole, and where the fields go.
    ready: Option<Headers>,
}

/// An answer whose headers are held.
struct Held {
    bytes: usize,
    most: usize,
    since: u64,
    wait: u64,
}

/// Reads the field: an object, or `true`.
pub(crate) fn options(fields: &mut Fields<'_>) -> Option<Options> {
    let value = match fields.value("response_headers")? {
        Value::Bool(false) => return None,
        Value::Bool(true) => json!({}),
        other => other,
    };
    let mut fields = fields.child("response_headers", value);
    let prefix = fields.header_name("prefix").unwrap_or_else(|| "x-tollgate-".to_owned());
    let most = fields.whole("max_body_bytes", 1024, MOST_BODY).and_then(|n| n.try_into().ok()).unwrap_or(1 << 20);
    let wait = fields.whole("wait_ms", 100, 60_000).unwrap_or(2_000).saturating_mul(1_000_000);
    let trailers = fields.truth("trailers").unwrap_or(false);
    fields.finish();
    Some(Options { prefix, max_body_bytes: most, wait, trailers })
}

/// What is known of an answer when its headers pass.
pub(crate) struct Beginning {
    /// The request line, the host or the request says that it is a call.
    pub(crate) is_call: bool,
    /// A stream was asked for.
    pub(crate) stream: bool,
    /// The status is one of success.
    pub(crate) succeeds: bool,
    /// There is no body.
    pub(crate) ended: bool,
}

impl Answer {
    /// Looks at the headers of an answer.
    pub(crate) fn begin(proxy: &impl Proxy, options: &Options, holding: Holding, beginning: &Beginning) -> Self {
        let mut answer = Self { told: Told::Incomplete, held: None, trailers: false, proven: false, ready: None };
        answer.told = match beginning {
            Beginning { is_call: false, .. } => Told::UnknownApi,
            Beginning { succeeds: false, .. } => Told::Status,
            Beginning { ended: true, .. } => Told::NoUsage,
            Beginning { stream, .. } => {
                answer.trailers = options.trailers;
                match hold(proxy, options, holding, *stream) {
                    Ok(held) => {
                        answer.held = Some(held);
                        Told::Incomplete
                    }
                    Err(_) if options.trailers => Told::Incomplete,
                    Err(why) => why,
                }
            }
        };
        answer
    }

    /// Whether the headers are held.
    pub(crate) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// The next bytes of the answer have come, so many. Whether they wait with the headers.
    pub(crate) fn body(&mut self, size: usize, end_of_stream: bool, now: impl FnOnce() -> u64) -> bool {
        if end_of_stream {
            self.ended();
            return false;
        }
        let Some(held) = &mut self.held else { return false };
        self.proven = true;
        held.bytes = held.bytes.saturating_add(size);
        if held.bytes > held.most {
            self.let_go(Told::TooLarge);
        } else if now().saturating_sub(held.since) > held.wait {
            self.let_go(Told::Late);
        }
        self.held.is_some()
    }

    /// The answer is whole.
    pub(crate) fn ended(&mut self) {
        if self.held.take().is_some() {
            self.proven = true;
            self.ready = Some(Headers::Response);
        } else if self.trailers {
            self.ready = Some(Headers::ResponseTrailers);
        }
    }

    /// Gives up on headers that have been held for too long. Whether it does.
    pub(crate) fn give_up(&mut self, now: u64) -> bool {
        let late = |held: &Held| now.saturating_sub(held.since) >= held.wait;
        let gives_up = self.held.as_ref().is_some_and(late);
        if gives_up {
            self.let_go(if self.proven { Told::Late } else { Told::NotHeld });
        }
        gives_up
    }

    /// Where the fields are to be set now, once.
    pub(crate) const fn take_ready(&mut self) -> Option<Headers> {
        self.ready.take()
    }

    /// Sets the fields of a call.
    pub(crate) fn set(
        &mut self,
        proxy: &impl Proxy,
        options: &Options,
        map: Headers,
        record: &Record,
        cost: Option<&Charge<'_>>,
    ) {
        let Some(usage) = &record.usage else {
            self.told = Told::NoUsage;
            return;
        };
        let fields = [
            ("cost", cost.map(|cost| cost.amount.to_string())),
            ("input-tokens", usage.input_tokens.map(|count| count.to_string())),
            ("output-tokens", usage.output_tokens.map(|count| count.to_string())),
            ("model", record.model().filter(|name| is_value(name)).map(str::to_owned)),
            ("usage-source", record.usage_source.map(|source| source.as_str().to_owned())),
        ];
        let mut name = options.prefix.clone();
        let mut refused = false;
        for (field, value) in fields {
            let Some(value) = value else { continue };
            name.truncate(options.prefix.len());
            name.push_str(field);
            refused |= proxy.set_header(map, &name, &value).is_err();
        }
        self.told = match map {
            _ if refused => Told::Refused,
            Headers::ResponseTrailers => Told::Trailers,
            _ => Told::Set,
        };
    }

    /// What came of it, and whether a body came while headers were held.
    pub(crate) const fn told(&self) -> (Told, bool) {
        (self.told, self.proven)
    }

    const fn let_go(&mut self, why: Told) {
        self.held = None;
        // With trailers there is another chance.
        self.told = if self.trailers { Told::Incomplete } else { why };
    }
}

/// Whether the headers of an answer are held; and if not, why.
fn hold(proxy: &impl Proxy, options: &Options, holding: Holding, stream: bool) -> Result<Held, Told> {
    let header = |name| proxy.header(Headers::Response, name).unwrap_or_default();
    let content_type = header("content-type");
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    // Gemini's streams may be one array of JSON: what was asked for tells more than the type.
    if stream || essence.eq_ignore_ascii_case(b"text/event-stream") {
        return Err(Told::Stream);
    }
    if !essence.eq_ignore_ascii_case(b"application/json") {
        return Err(Told::ContentType);
    }
    let length = header("content-length");
    let length: Option<usize> = str::from_utf8(&length).ok().and_then(|text| text.parse().ok());
    if length.is_some_and(|length| length > options.max_body_bytes) {
        return Err(Told::TooLarge);
    }
    if !holding.works() {
        return Err(Told::NotHeld);
    }
    Ok(Held { bytes: 0, most: options.max_body_bytes, since: proxy.now(), wait: options.wait })
}

/// Whether a text can be the value of a header: visible ASCII (RFC 9110, section 5.5).
fn is_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
