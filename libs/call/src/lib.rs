//! The call record: what one LLM call was, whoever observed it.
//!
//! The token extractor fills a [`Record`] from raw HTTP bytes; the cost calculator prices it; the filter and the
//! host turn it into spans and metrics. The record holds what the exchange itself said, and where each number comes
//! from; it holds no text of the conversation (that is [`Content`]) and no clock reading (that is [`Timing`]), so
//! that the same bytes give the same record in every seat.
//!
//! ```
//! use tollgate_call::{Record, Usage};
//! let record = Record { usage: Some(Usage { input_tokens: Some(12), ..Usage::default() }), ..Record::default() };
//! assert_eq!(record.usage.unwrap().input_tokens, Some(12));
//! ```
#![forbid(unsafe_code)]

mod api;
mod content;
mod outcome;
mod parameters;
mod record;
mod skipped;
mod timing;
mod usage;

pub use api::Api;
pub use content::{Content, ContentLimits};
pub use outcome::Outcome;
pub use parameters::Parameters;
pub use record::{Operation, Reading, Record};
pub use skipped::Skipped;
pub use timing::Timing;
pub use usage::{Usage, UsageSource};
