//! Estimates for calls of which nobody reported the tokens.
//!
//! What goes in are spans of calls to a model, with what was said; what comes out are counts for those that have none,
//! marked `estimated`, with the vocabulary they were counted in. A count that was reported is never touched, a call that
//! failed never estimated, and where there is no estimate the reason is written instead.
//!
//! The vocabularies are OpenAI's, `o200k_base` and `cl100k_base`; other makers do not publish theirs, or have one for each
//! generation, so that their models are estimated only where a `fallback` is configured.
//!
//! - [`Encoding`] counts a text, in time that grows as its length does whatever the text is;
//! - [`Enricher`] reads messages, tool definitions and model names, and decides;
//! - the feature `component` wraps it for the host.
//!
//! ```
//! use tollgate_columns::Edits;
//! use tollgate_tokenizer::Enricher;
//! let enricher = Enricher::configure("{}").unwrap();
//! let manifest = enricher.manifest();
//! let place = |name: &str| u16::try_from(manifest.reads.iter().position(|read| read == name).unwrap()).unwrap();
//! let mut spans = Edits::new(1);
//! spans.text(0, place("gen_ai.operation.name"), "chat");
//! spans.text(0, place("gen_ai.request.model"), "gpt-4o");
//! spans.text(0, place("gen_ai.input.messages"), r#"[{"role": "user", "parts": [{"type": "text", "content": "Hello!"}]}]"#);
//! spans.text(0, place("gen_ai.output.messages"), r#"[{"role": "assistant", "parts": [{"type": "text", "content": "Hi."}]}]"#);
//! let edits = enricher.enrich(&spans.finish());
//! let span = edits.rows().next().unwrap();
//! let wrote = |name: &str| u16::try_from(manifest.writes.iter().position(|write| write.name == name).unwrap()).unwrap();
//! assert_eq!(span.integer(wrote("gen_ai.usage.input_tokens")), Some(9));
//! assert_eq!(span.integer(wrote("gen_ai.usage.output_tokens")), Some(2));
//! assert_eq!(span.text(wrote("tollgate.usage.source")), Some("estimated"));
//! assert_eq!(span.text(wrote("tollgate.usage.estimator")), Some("tiktoken o200k_base"));
//! ```
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

#[cfg(feature = "component")]
mod component;
mod config;
mod enricher;
mod messages;
mod model;
mod overhead;
mod tally;
mod tools;
mod unestimated;
mod value_text;
mod vocabulary;
mod work;

pub use enricher::Enricher;
pub use unestimated::Unestimated;
pub use vocabulary::Encoding;
