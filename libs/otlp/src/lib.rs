//! Lazy OTLP reader, column projector, edit splicer and span writer.
//!
//! In goes the encoded request (`ExportTraceServiceRequest`, `ExportLogsServiceRequest` or
//! `ExportMetricsServiceRequest`, protobuf), as it came over the wire. [`TraceRequest::scan`] checks every byte of it once and indexes the spans, without decoding them. Out come
//! the columns of the attributes that a plugin declared ([`TraceRequest::project`]), the texts for a redactor
//! ([`TraceRequest::texts`]), and new requests: with a plugin's edits spliced in ([`TraceRequest::apply`]), with texts
//! replaced ([`TraceRequest::replace`]), or put together from chosen spans ([`RequestWriter`]). What is not changed is
//! copied byte by byte, fields that are not known here included.
//!
//! ```
//! use tollgate_columns::{Attribute, Edits, Kind};
//! use tollgate_otlp::{Envelope, Limits, Reads, RequestWriter, SpanWriter, TraceRequest};
//!
//! let mut span = SpanWriter::new([1; 16], [2; 8], "chat gpt-4o");
//! span.set("gen_ai.usage.input_tokens", 12_u64);
//! let mut writer = RequestWriter::new();
//! writer.push(&Envelope::new(&[("service.name", "shop".into())], "example", "1"), span.bytes());
//! let bytes = writer.finish();
//!
//! let request = TraceRequest::scan(&bytes, &Limits::default())?;
//! let reads = Reads::compile(&["gen_ai.usage.input_tokens", "resource:service.name"])?;
//! let batch = request.project(&reads);
//! let row = batch.rows().next().ok_or("no row")?;
//! assert_eq!((row.integer(0), row.text(1)), (Some(12), Some("shop")));
//!
//! let mut edits = Edits::new(1);
//! edits.text(0, 0, "gold");
//! let edited = request.apply(&edits.finish(), &[Attribute::new("app.tier", Kind::Text)])?;
//! let request = TraceRequest::scan(&edited, &Limits::default())?;
//! let span = request.span(0).ok_or("no span")?;
//! assert_eq!(span.attributes().get("app.tier").and_then(|value| value.as_text()), Some("gold"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod collect;
mod date;
mod edit_set;
mod edits;
mod encode;
mod error;
mod family;
mod json_read;
mod json_value;
mod json_write;
mod known;
mod log_writer;
mod logs;
mod metrics;
mod names;
mod parts;
mod place;
mod plain;
mod project;
mod replace;
mod request_writer;
mod response;
mod rewrite;
mod scan;
mod schema;
mod span_writer;
mod splice;
mod split;
mod texts;
mod trace;
pub mod trace_state;
mod value;
mod wire;
mod writes;

pub use date::iso8601;
pub use edit_set::EditSet;
pub use edits::EditError;
pub use error::{Limits, ScanError};
pub use json_read::JsonError;
pub use json_value::{JsonValue, push_json_text};
pub use log_writer::{LogWriter, Severity};
pub use logs::{Log, LogsRequest};
pub use metrics::MetricsRequest;
pub use names::Names;
pub use parts::{LogFields, SpanEvent, SpanLink};
pub use place::Place;
pub use project::{Reads, ReadsError};
pub use request_writer::{Envelope, RequestWriter, SpanChanges};
pub use response::rejected;
pub use rewrite::SpanEdits;
pub use span_writer::{AttributeWriter, NewValue, SpanWriter};
pub use split::{Items, Part, Parts, items, split};
pub use texts::{Owner, TextSet};
pub use trace::{Span, SpanKind, StatusCode, TraceRequest};
pub use value::{Array, Attributes, Value};
pub use writes::Writes;
