//! What a plugin author uses.
//!
//! A plugin is a type that implements one of four traits, and one line that exports it:
//!
//! | trait | export | gets | gives |
//! |---|---|---|---|
//! | [`Enricher`] | [`export_enricher!`] | the attributes it declared, of each span | values for attributes it declared |
//! | [`Redactor`] | [`export_redactor!`] | texts, each with its place and group | findings, and the texts that changed |
//! | [`Sampler`] | [`export_sampler!`] | traces, with the attributes it declared | one verdict a trace |
//! | [`Extractor`] | [`export_extractor!`] | raw HTTP exchanges, as they come | one call record each |
//!
//! The host checks everything that comes back, and a plugin has no access to anything else: no files, no sockets, no
//! clock. Natively the export does nothing, so the same crate is tested with `cargo test` ([`Trial`] helps).
//!
//! ```
//! use tollgate_sdk::{Attributes, ConfigError, Enricher, Read, Spans, TextAttribute, Trial};
//!
//! /// Says which spans are slow.
//! struct Slow {
//!     duration: Read,
//!     speed: TextAttribute,
//! }
//!
//! impl Enricher for Slow {
//!     const NAME: &'static str = "slow";
//!     const VERSION: &'static str = "1.0.0";
//!
//!     fn configure(_config: &str, attributes: &mut Attributes) -> Result<Self, ConfigError> {
//!         Ok(Self { duration: attributes.reads("span:duration"), speed: attributes.writes_text("speed") })
//!     }
//!
//!     fn enrich(&mut self, spans: &Spans<'_>) -> Result<(), String> {
//!         for span in spans {
//!             if span.integer(self.duration) > Some(2_000_000_000) {
//!                 span.set(self.speed, "slow");
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! tollgate_sdk::export_enricher!(Slow);
//!
//! let mut slow = Trial::<Slow>::configure("{}").unwrap();
//! let tags = slow.run(&[&[("span:duration", 3_000_000_000.into())], &[]]).unwrap();
//! assert_eq!(tags[0]["speed"], "slow".into());
//! assert!(tags[1].is_empty());
//! ```

mod attributes;
#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod enricher;
#[doc(hidden)]
pub mod extractor;
#[doc(hidden)]
pub mod redactor;
#[doc(hidden)]
pub mod sampler;
mod spans;
mod state;
mod trial;

pub use attributes::{
    Accepts, Attributes, BooleanAttribute, IntegerAttribute, JsonAttribute, Read, RealAttribute, TextAttribute,
};
pub use enricher::{ColumnEnricher, Enricher, Rowwise};
pub use extractor::{
    Call, Exchange, Extractor, ExtractorManifest, Header, Outcome, Reading, RequestHead, Timing, Usage, UsageSource,
};
pub use redactor::Redactor;
pub use sampler::Sampler;
pub use spans::{Span, SpanIter, Spans};
#[doc(hidden)]
pub use state::State;
pub use tollgate_columns::{
    Attribute, Batch, ConfigError, Edits, EnricherManifest, Findings, Given, Integers, Kind, Problem, Progress, Reals,
    Redaction, RedactorManifest, Row, Rows, SamplerManifest, Texts, TraceRow, Traces, Verdicts,
};
pub use trial::{Trial, Value};

/// The tutorial, whose code is compiled and tested here.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/PLUGINS.md")]
struct Tutorial;
