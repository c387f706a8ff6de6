//! Recent spans and calls in an embedded database: bounded by bytes and by age, safe against crashes, and ready for
//! questions.
//!
//! In goes an encoded `ExportTraceServiceRequest` ([`Store::insert`]); when that returns, its spans survive the end of the
//! process. Of every span the encoded bytes are held; of every span that is a call which a provider bills, columns too, by
//! which calls are found ([`Store::calls`]), summed ([`Store::cost`]) and watched ([`Store::live`]). A whole trace comes
//! back as it came ([`Store::trace`]). [`api`] makes of these the questions and answers of docs/API.md.
//!
//! The database is SQLite, because what is needed is what it has had for decades: secondary indexes, snapshots for readers
//! beside a writer, a file format that other tools read, and a bound on the file that it keeps by itself. A store of keys
//! and values has none of the first and leaves queries to be written by hand.
//!
//! # Bounds
//!
//! - [`Options::max_bytes`] holds for the database and its write-ahead log together. Near the bound each transaction
//!   removes the oldest spans, a few hundred at a time, so that no insert waits for a large deletion.
//! - [`Options::max_age`] counts from the arrival of a span.
//! - [`Options::max_content_bytes`]: a larger span is stored without its largest attributes, events and links.
//! - A question is given up after [`QUERY_TIMEOUT`].
//!
//! ```
//! use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
//! use tollgate_store::{Filter, GroupKey, Options, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(Options { path: folder.path().join("calls.db"), ..Options::default() }, 1_000)?;
//! let mut span = SpanWriter::new([1; 16], [2; 8], "chat gpt-4o");
//! span.times(100, 200).set("gen_ai.operation.name", "chat").set("gen_ai.request.model", "gpt-4o");
//! span.set("tollgate.cost.nano_usd", 4_500_000_u64);
//! let mut request = RequestWriter::new();
//! request.push(&Envelope::new(&[("service.name", "shop".into())], "", ""), span.bytes());
//! let request = request.finish();
//!
//! assert_eq!(store.insert(1_000, &request)?.stored, 1);
//! assert_eq!(store.insert(1_001, &request)?.duplicates, 1);
//! let calls = store.calls(&Filter::default(), None, 10)?.calls;
//! assert_eq!((calls.len(), calls[0].nano_usd), (1, Some(4_500_000)));
//! assert_eq!(store.cost(&Filter::default(), &[GroupKey::Model], 10)?.groups[0].sums.nano_usd, 4_500_000);
//! assert_eq!(store.trace([1; 16])?.map(|trace| trace.request), Some(request));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod api;
mod call;
mod error;
mod file;
mod fit;
pub mod moment;
pub mod money;
mod options;
mod query;
mod schema;
mod stats;
mod store;
mod writer;

pub use call::{Call, KINDS, LONGEST_TEXT};
pub use error::StoreError;
pub use file::MOST_MEMORY;
pub use options::{LEAST_BYTES, Options};
pub use query::{
    Cost, Cursor, Filter, Group, GroupKey, KeyValue, Latency, Live, MOST_CALLS, MOST_GROUPS, MOST_LIVE_CALLS,
    MOST_MODELS, MOST_TRACE_BYTES, MOST_TRACE_SPANS, ModelLive, Page, Sums, Trace,
};
pub use stats::Stats;
pub use store::{Inserted, QUERY_TIMEOUT, Store};
