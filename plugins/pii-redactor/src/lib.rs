//! Text in, text with findings out: personal data and secrets are found and replaced.
//!
//! In go texts (prompts, answers, tool arguments, attribute values; JSON text among them). Out come the texts with
//! `<TYPE>` or a mask in place of each value, and where in the given text each value was.
//!
//! ```
//! use tollgate_pii_redactor::Redactor;
//! let redactor = Redactor::configure(r#"{"operator": "replace"}"#)?;
//! let (text, findings) = redactor.redact_text("请联系张楠：13856558754，或 nan@example.cn");
//! assert_eq!(text.as_deref(), Some("请联系张楠：<PHONE_NUMBER>，或 <EMAIL_ADDRESS>"));
//! assert_eq!(Redactor::type_name(findings[0].kind), "PHONE_NUMBER");
//! # Ok::<(), tollgate_columns::ConfigError>(())
//! ```
//!
//! What counts as a value is decided by validators, one a file, never by a pattern alone where a check exists:
//! check digits for cards (`luhn`), accounts (`iban`) and identity numbers (`cn_id`), assigned ranges for social
//! security numbers (`ssn`), addresses (`ip`) and country codes (`phone`). A value must be a whole token, so that
//! identifiers, timestamps, versions and fractions stay. `scan` finds the places worth asking about, `resolve`
//! settles overlaps, `fold` and `json_text` see through full-width characters and escapes.
//!
//! Redacting twice is redacting once: nothing that is written in place of a value is itself a value.
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

mod api_key;
mod bytes;
mod card;
mod cn_id;
#[cfg(feature = "component")]
mod component;
mod config;
mod context;
mod email;
mod fold;
mod iban;
mod ip;
mod json_text;
mod kind;
mod luhn;
mod number;
mod operator;
mod phone;
mod redactor;
mod resolve;
mod scan;
mod ssn;
mod view;

pub use kind::Kind;
pub use operator::Operator;
pub use redactor::{Finding, Redactor};
