//! Spans and log records as Parquet files that DuckDB, ClickHouse and Spark read.
//!
//! In goes an encoded OTLP request; out come files, one a partition, below
//! `{path}/traces/date=2026-09-21/service=shop/part-0f3a….parquet`. The layout is Hive's, so engines take `date` and
//! `service` for columns and read only the folders that a query asks for. What the columns hold is in [`SPANS`] and
//! [`LOGS`].
//!
//! - A file is written below `_temporary`, flushed to the disk, and then renamed. Readers see whole files only, and
//!   [`Store::write`] returns when all files of a request are in their places on the disk.
//! - A file is named after the bytes it was made of. The same request written again replaces its files and adds nothing.
//! - Files are made with the low-level writer of the `parquet` crate, from columns that are filled here: the fields are few
//!   and known, so Arrow's arrays would be a second copy of them and some dozens of further crates.
//!
//! ```
//! use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
//! use tollgate_parquet::{Options, Rows, Store};
//!
//! let mut span = SpanWriter::new([1; 16], [2; 8], "chat gpt-4o");
//! span.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
//! let mut request = RequestWriter::new();
//! request.push(&Envelope::new(&[("service.name", "shop".into())], "", ""), span.bytes());
//!
//! let folder = std::env::temp_dir().join(format!("tollgate-parquet-doc-{}", std::process::id()));
//! let store = Store::open(Options::new(&folder))?;
//! let written = store.write(Rows::Spans, &request.finish())?;
//! assert_eq!((written.rows, written.files), (1, 1));
//! assert!(folder.join("traces/date=2026-09-21/service=shop").is_dir());
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod column;
mod encode;
mod fields;
mod files;
mod fill;
mod item;
mod partition;
mod store;

pub use encode::Compression;
pub use fields::{Field, Kind, LOGS, Part, SPANS, Source};
pub use partition::{OTHER, UNKNOWN, escape};
pub use store::{Options, Rows, Store, WriteError, Written};
