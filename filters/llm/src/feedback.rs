//! A header on answers by which a later thumbs up or down says which call it is about, where it is switched on.
//!
//! The token of [`tollgate_feedback`] is set when the headers of an answer pass, so streams have it too and nothing
//! waits. The ids in it are those of the call's span, which is why they are made then and kept until the end.

use crate::call;
use crate::exchange::{Caller, Stream};
use crate::fields::Fields;
use crate::ids::Ids;
use crate::proxy::{Headers, Proxy};
use tollgate_feedback::{Key, Token, sign};

/// Longest time that a token counts: a year.
const MOST_TTL: u64 = 366 * 86_400;

/// How tokens are made.
#[derive(Clone, Debug)]
pub struct Options {
    key: Key,
    ttl_s: u32,
    header: String,
}

/// Who called, read with the headers of the request: Envoy does not show them with those of the answer.
#[derive(Default)]
pub(crate) struct Identity {
    pub(crate) caller: Caller,
    /// Trace and span id of the call, where a token says them.
    pub(crate) ids: Option<([u8; 16], [u8; 8])>,
}

/// What became of the token of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issued {
    /// The answer has it.
    Given,
    /// The answer is none of success (status 2xx).
    Status,
    /// Only the body of the answer tells whether it is a call, so that its headers cannot have a token.
    UnknownApi,
    /// The proxy refused the header.
    Refused,
}

impl Issued {
    /// The label of the counter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "issued",
            Self::Status => "status",
            Self::UnknownApi => "unknown_api",
            Self::Refused => "refused",
        }
    }
}

/// Reads the field.
pub(crate) fn options(fields: &mut Fields<'_>) -> Option<Options> {
    let value = fields.value("feedback")?;
    let mut fields = fields.child("feedback", value);
    let id = fields.whole("key_id", 0, 255).and_then(|id| id.try_into().ok()).unwrap_or(0);
    let key = match fields.text("key").map(|text| Key::read(id, &text)) {
        Some(Ok(key)) => Some(key),
        Some(Err(why)) => fields.wrong("key", &why.to_string()),
        None => fields.wrong("key", "must be a secret in hexadecimal or base64, for example of `openssl rand -hex 32`"),
    };
    let ttl_s = fields.whole("ttl_s", 60, MOST_TTL).and_then(|n| n.try_into().ok()).unwrap_or(7 * 86_400);
    let header = fields.header_name("header").unwrap_or_else(|| "x-tollgate-feedback".to_owned());
    fields.finish();
    key.map(|key| Options { key, ttl_s, header })
}

impl Options {
    /// Sets the header on the answer of a call.
    pub(crate) fn issue(&self, proxy: &impl Proxy, ids: &mut Ids, stream: &mut Stream) -> Issued {
        if !stream.is_call() {
            return Issued::UnknownApi;
        }
        if !stream.succeeds() {
            return Issued::Status;
        }
        let identity = stream.extra().identity.get_or_insert_default();
        let now = proxy.now();
        let (trace_id, span_id) = call::identify(ids, &identity.caller, now);
        identity.ids = Some((trace_id, span_id));
        let expires = u32::try_from(now / 1_000_000_000).unwrap_or(u32::MAX).saturating_add(self.ttl_s);
        let token = sign(&self.key, &Token { trace_id, span_id, expires });
        match proxy.set_header(Headers::Response, &self.header, &token) {
            Ok(()) => Issued::Given,
            Err(_) => Issued::Refused,
        }
    }
}
