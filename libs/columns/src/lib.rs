//! Columns of attributes in, columns of edits out: the shape in which telemetry crosses the plugin boundary.
//!
//! A [`Batch`] holds `items` things (spans, or texts) and, for each attribute that a plugin declared, the values of
//! the items that have it. Lists of numbers and one byte arena cross a sandbox boundary as single copies, which is
//! why this shape is an order of magnitude faster there than a list of records. Nobody reads or writes columns by
//! hand: [`Batch::rows`] gives rows, [`Edits`] takes values.
//!
//! ```
//! use tollgate_columns::{Edits, Batch};
//! let mut edits = Edits::new(2);
//! edits.text(0, 0, "gold");
//! edits.integer(1, 1, 42);
//! let batch: Batch = edits.finish();
//! let rows: Vec<_> = batch.rows().collect();
//! assert_eq!(rows[0].text(0), Some("gold"));
//! assert_eq!(rows[1].integer(1), Some(42));
//! assert_eq!(rows[1].text(0), None);
//! ```
#![forbid(unsafe_code)]

#[cfg(test)]
mod any;
mod batch;
mod edits;
mod manifest;
mod overlay;
mod redaction;
mod rows;
mod traces;

pub use batch::{Batch, Integers, Malformed, Reals, Texts};
pub use edits::Edits;
pub use manifest::{Attribute, ConfigError, EnricherManifest, Kind, Problem, RedactorManifest, SamplerManifest};
pub use redaction::{Findings, Given, Redaction};
pub use rows::{Row, Rows, Table};
pub use traces::{Progress, TraceRow, Traces, Verdicts};
