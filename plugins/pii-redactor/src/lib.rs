//! Text in, text with findings out: personal data and secrets are found and replaced.
//!
//! In go texts (prompts, answers, tool arguments, attribute values; JSON text among them), whole or in the pieces of a
//! stream. Out come the texts with `<TYPE>` or another stand-in in place of each value, and where in the given text
//! each value was.
//!
//! ```
//! use tollgate_pii_redactor::{Kind, Redactor};
//! let redactor = Redactor::configure(r#"{"operator": "replace"}"#)?;
//! let (text, findings) = redactor.redact_text("请联系张楠：13856558754，或 nan@example.cn");
//! assert_eq!(text.as_deref(), Some("请联系张楠：<PHONE_NUMBER>，或 <EMAIL_ADDRESS>"));
//! assert_eq!(findings[0].kind, Kind::PHONE_NUMBER.number());
//! # Ok::<(), tollgate_columns::ConfigError>(())
//! ```
//!
//! What counts as a value is decided by validators, one a file, never by a pattern alone where a check exists: check
//! digits, assigned ranges, lengths by country. A value must be a whole token, so that identifiers, timestamps, versions
//! and fractions stay. [`fold`](mod@fold) makes plain what escapes and look-alikes hide, `scan` finds the places worth
//! asking about, `resolve` settles overlaps, `json_text` keeps JSON what was JSON.
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

mod allow;
mod binary;
mod candidate;
mod card;
#[cfg(feature = "component")]
mod component;
mod config;
mod context;
mod conversation;
mod crypto;
mod email;
mod fold;
mod iban;
mod identifier;
mod ip;
mod json_text;
mod kind;
mod look;
mod luhn;
mod mac;
mod number;
mod operator;
mod phone;
mod places;
mod redactor;
mod resolve;
mod restore;
mod rules;
mod scan;
mod secret;
mod stream;
mod text;
pub mod traffic;
mod url;
mod view;

pub use candidate::Proof;
pub use conversation::Conversation;
pub use kind::{Category, Kind};
pub use operator::Operator;
pub use redactor::{Explanation, Finding, Redactor};
pub use restore::Restoring;
pub use stream::{Stream, Streamed};
