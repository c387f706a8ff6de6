//! Spans in the dialect of the backend that reads them.
//!
//! Tollgate speaks the current GenAI conventions. Backends know older names, or names of their own, and count wrongly
//! where they meet others: a [`Preset`] is a table of [`Rule`]s for one kind of backend, each with the reason why. A
//! [`Dialect`] is a preset with what a user [overrides](Overrides), and [`Dialect::apply`] puts an encoded request into
//! it. What no rule treats is left as it is, byte for byte, and the preset [`Preset::Otel`] has no rule at all.
//!
//! ```
//! use tollgate_dialect::{Dialect, Overrides, Preset};
//! use tollgate_otlp::{Envelope, RequestWriter, SpanWriter, TraceRequest};
//!
//! let mut span = SpanWriter::new([1; 16], [2; 8], "chat grok-4");
//! span.set("gen_ai.provider.name", "x_ai").set("app.tier", "gold");
//! let mut writer = RequestWriter::new();
//! writer.push(&Envelope::new(&[], "example", "1"), span.bytes());
//! let bytes = writer.finish();
//!
//! let overrides = Overrides { rename: vec![("app.tier".into(), "tier".into())], ..Overrides::default() };
//! let dialect = Dialect::new(Preset::Otel136, &overrides)?;
//! let translated = dialect.apply(&bytes)?;
//! let request = TraceRequest::rescan(&translated.bytes)?;
//! let attributes = request.span(0).ok_or("no span")?.attributes();
//! assert_eq!(attributes.get("gen_ai.system").and_then(|value| value.as_text()), Some("xai"));
//! assert_eq!(attributes.get("tier").and_then(|value| value.as_text()), Some("gold"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod content;
mod convert;
mod dialect;
mod document;
mod overrides;
mod presets;
mod row;
mod rule;

pub use content::{Content, content};
pub use dialect::{Dialect, DialectError, Translated};
pub use document::document;
pub use overrides::{OverrideError, Overrides};
pub use presets::Preset;
pub use rule::{Action, Conversion, Keep, Others, Rule, When};
