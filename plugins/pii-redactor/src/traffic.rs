//! Redaction of the traffic itself: the bodies of one HTTP exchange with an LLM API, streams included.
//!
//! In goes the body of a request; out comes what the provider may see: numbered stand-ins in place of what was found.
//! In go the bytes of the answer, in chunks cut anywhere; out come those for the caller, with the stand-ins of this
//! exchange given their values back, and, where that is wanted, with what the model said by itself redacted.
//!
//! ```
//! use std::sync::Arc;
//! use tollgate_pii_redactor::traffic::{Exchange, Options, Redactors};
//!
//! let redactors = Arc::new(Redactors::configure("{}")?);
//! let mut exchange = Exchange::new(redactors, Options::default());
//! let body = br#"{"model":"m","messages":[{"role":"user","content":"Write to ann@example.com"}]}"#;
//! let sent = exchange.request(b"application/json", b"", body)?.unwrap();
//! assert_eq!(sent, br#"{"model":"m","messages":[{"role":"user","content":"Write to <EMAIL_ADDRESS_1>"}]}"#);
//!
//! exchange.response_head(b"text/event-stream", b"")?;
//! let mut answer = Vec::new();
//! for chunk in [
//!     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"To <EMAIL_ADD\"}}]}\n\n",
//!     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"RESS_1>!\"}}]}\n\ndata: [DONE]\n\n",
//! ] {
//!     answer.extend(exchange.response(chunk.as_bytes(), false)?);
//! }
//! answer.extend(exchange.response(b"", true)?);
//! let expected = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"To \"}}]}\n\n\
//!                 data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ann@example.com!\"}}]}\n\ndata: [DONE]\n\n";
//! assert_eq!(String::from_utf8(answer)?, expected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `fields` says what is content and what belongs to the protocol, `delta` which texts of a stream continue one another,
//! `frame` how streams are cut, `texts` what becomes of an event, `document` of a whole body.

mod answer;
mod counts;
mod delta;
mod document;
mod exchange;
mod fields;
mod form;
mod frame;
mod said;
mod texts;
mod tree;
mod whole;

pub use counts::{Applied, Counts, Direction, Reason};
pub use exchange::{Exchange, Plan, Refused};

use crate::Redactor;
use said::Said;
use serde_json::Value;
use tollgate_columns::ConfigError;

/// What happens to a body that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It does not go on: no value ever passes unseen.
    #[default]
    Block,
    /// It goes on as it came.
    Pass,
    /// `<UNSCANNED>` goes on in its place where its form allows that; else it does not go on.
    MaskAll,
}

/// What is done to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Requests are redacted.
    pub request: bool,
    /// Answers are redacted.
    pub response: bool,
    /// Stand-ins of the request in the answer are given their values back.
    pub restore: bool,
    /// What happens to a body that cannot be read, where it is to be redacted. One that is only to be given its values
    /// back goes on without them.
    pub on_error: OnError,
    /// Most bytes of a request, of an answer that is no stream, and of one event.
    pub max_body_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { request: true, response: false, restore: true, on_error: OnError::Block, max_body_bytes: 1 << 20 }
    }
}

/// Whether bodies of a content type are read: JSON in all its forms and texts, and those of which nothing is said.
#[must_use]
pub fn is_read(content_type: &[u8]) -> bool {
    !matches!(Said::of(content_type), Said::Other | Said::Binary | Said::Events)
}

/// Whether bodies in a content encoding are read: plain ones, and those in `gzip`, `deflate`, `br` and `zstd`.
#[must_use]
pub fn is_decoded(content_encoding: &[u8]) -> bool {
    exchange::decoder(content_encoding).is_ok()
}

/// The redactors of both directions.
#[derive(Clone, Debug)]
pub struct Redactors {
    pub(crate) request: Redactor,
    pub(crate) response: Redactor,
}

impl Redactors {
    /// Redactors of a redactor's configuration, as JSON text. Where it names no `operator`, requests have `reversible`.
    /// What is reversible in requests is `number` in answers: nobody could give back what the caller never said.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        let Ok(Value::Object(mut config)) = serde_json::from_str(json) else {
            // What is wrong is said as for any redactor.
            let redactor = Redactor::configure(json)?;
            return Ok(Self { request: redactor.clone(), response: redactor });
        };
        config.entry("operator").or_insert_with(|| Value::from("reversible"));
        let request = Redactor::configure(&Value::Object(config.clone()).to_string())?;
        irreversible(config.get_mut("operator"));
        if let Some(Value::Object(operators)) = config.get_mut("operators") {
            operators.values_mut().for_each(|operator| irreversible(Some(operator)));
        }
        let response = Redactor::configure(&Value::Object(config).to_string())?;
        Ok(Self { request, response })
    }
}

fn irreversible(operator: Option<&mut Value>) {
    if let Some(operator) = operator.filter(|operator| **operator == "reversible") {
        *operator = Value::from("number");
    }
}
