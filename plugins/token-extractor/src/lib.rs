//! Provider wire formats in, one call record out.
//!
//! An [`Extractor`] is told the request line of an HTTP exchange and gives an [`Exchange`], which is fed the bytes of
//! both bodies as they pass, in chunks cut anywhere, and at the end says what the call was: a
//! [`Record`](tollgate_call::Record) with provider, models, finish reasons and token counts; clock readings; and, where
//! the configuration asks for it, what was said.
//!
//! Read are OpenAI chat completions and Responses and Anthropic messages, as JSON and as streams of server-sent events,
//! plain or in gzip, deflate, br or zstd, from whatever server speaks them. Nothing is buffered: bytes pass through the framing
//! ([`sse`]) into a push JSON reader that reports the few values that matter, so that an exchange holds a few
//! kilobytes however long the answer is. For telemetry that was made elsewhere, [`dialect`] turns the names of other
//! conventions into those of the GenAI conventions.
//!
//! ```
//! use tollgate_call::{Outcome, UsageSource};
//! use tollgate_token_extractor::{Extractor, RequestHead};
//!
//! let extractor = Extractor::default();
//! let head = RequestHead { method: "POST", host: "api.openai.com", path: "/v1/chat/completions", ..Default::default() };
//! let mut exchange = extractor.exchange(head);
//! exchange.request_body(br#"{"model":"gpt-4o","stream":true,"messages":[]}"#);
//! exchange.response_head(200, [("content-type", b"text/event-stream".as_slice())]);
//! for chunk in ["data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}", "}]}\n\ndata: {\"choices\":[],\"usa",
//!               "ge\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n"] {
//!     exchange.response_body(chunk.as_bytes(), 250_000_000);
//! }
//! let reading = exchange.end(Outcome::Complete);
//! let record = reading.record.unwrap();
//! assert_eq!(record.provider.as_deref(), Some("openai"));
//! assert_eq!(record.usage.unwrap().input_tokens, Some(7));
//! assert_eq!(record.usage_source, Some(UsageSource::Reported));
//! assert_eq!(reading.timing.time_to_first_chunk, Some(250_000_000));
//! ```
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

mod api;
mod base64;
mod body;
#[cfg(feature = "component")]
mod component;
mod config;
mod content;
pub mod dialect;
pub mod event_stream;
mod exchange;
mod extractor;
mod facts;
mod format;
#[doc(hidden)]
pub mod fuzzing;
pub mod include_usage;
pub mod notes;
mod path;
mod provider;
mod request;
mod same;
pub mod sse;
mod tree;
mod usage;

pub use exchange::Exchange;
pub use extractor::{DEFAULT_EXPANSION, DEFAULT_WINDOW, Extractor, RequestHead};
pub use provider::host_matches;
