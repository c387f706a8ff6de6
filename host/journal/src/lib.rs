//! The durable log of the host: what was acknowledged and is not yet delivered.
//!
//! **In** go records: a kind, and bytes that nobody interprets. **Out** comes an [`Entry`] for each, which keeps the
//! record until its last clone is dropped; and, when a journal is opened again, an [`Entry`] for every record that was
//! not let go of before the process ended, in the order in which they were appended.
//!
//! ```
//! use tollgate_journal::{Config, Journal};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path();
//! let (journal, _) = Journal::open(Config::new(path))?;
//! let delivered = journal.append(1, &[b"first"])?;
//! let waiting = journal.append(1, &[b"sec", b"ond"])?;
//! waiting.mark(7); // one of its outputs, by a number of ours, has it
//! drop(delivered); // done: nobody needs it any more
//! journal.freeze()?; // the process ends in order: what still waits stays owed
//! drop((waiting, journal));
//!
//! let (_journal, recovery) = Journal::open(Config::new(path))?;
//! let owed: Vec<_> = recovery.map(|record| (record.payload, record.parts)).collect();
//! assert_eq!(owed, [(b"second".to_vec(), vec![7])]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//! A record for which `append` returned an entry is given back, byte for byte, when the journal is next opened, until the
//! entry and its clones were dropped:
//!
//! | | after `kill -9` | after a power cut |
//! |---|---|---|
//! | [`Fsync::Always`] | every such record | every such record |
//! | [`Fsync::Interval`] | every such record | those before the last fsync that succeeded, by the thread or [`Journal::sync`]: at most the interval and the time of an fsync are lost |
//! | [`Fsync::Never`] | every such record | no promise; what the operating system had written |
//!
//! - **At least once.** That a record is done, or a part of it, is written to the operating system in groups and never
//!   synced. After `kill -9`, up to 64 records of each segment that were done are given back again, and up to 64 marks of
//!   parts miss; after a power cut, any number. [`Journal::flush`] writes them earlier.
//! - **Nothing else.** What was never appended is never given back. A record whose append failed with
//!   [`AppendError::Io`] may be given back after a crash.
//! - **A failed fsync is final.** All that waited for it are refused, the segment is closed, and no later fsync makes its
//!   records count as durable. With [`Fsync::Interval`] those that were acknowledged already stay owed, and are counted
//!   as [`Stats::unsynced_records`].
//! - **The disk limit is never passed.** An append that does not fit is refused with [`AppendError::Full`] and nothing is
//!   written; for every record the mark that ends it is reserved.
//! - **Damage costs what it hits.** A damaged payload costs its record. After a damaged header the next header is looked
//!   for byte by byte, so it costs its record too. Both are reported, with file and offset; the rest is given back. What
//!   follows the last whole record of the last segment is a write that the crash interrupted: it is cut off, and counted.
//!
//! # Files
//! A segment is a file of records, `<first sequence>-<salt>.segment`; the sidecar `.marks` of the same name says which of
//! them are done. When all are, and a later segment has begun, both are deleted, records first, whatever the order in
//! which segments become done. `src/format.rs` has the bytes.
//!
//! # Memory
//! 72 bytes for each record that is owed, about 500 and at most 64 marks of 16 bytes for each segment, one buffer of
//! 64 KiB; in recovery one payload, one buffer of 64 KiB, a bit for each 28 bytes of the segment that is read and 8 bytes
//! for each marked part in it. Open files: one, and with [`Fsync::Interval`] those that were filled since the last fsync.

#![forbid(unsafe_code)]

mod commit;
mod config;
pub mod disk;
mod entry;
mod error;
mod failpoint;
mod format;
mod interval;
mod journal;
mod owed;
mod recovery;
mod scan;
mod segment;
mod shared;
mod stats;
mod sync;
mod usage;
mod writer;

pub use config::{Config, Fsync};
pub use entry::Entry;
pub use error::{AppendError, OpenError, ReadError};
pub use failpoint::failpoint;
pub use journal::Journal;
pub use recovery::{Damage, Recovered, Recovery, Span};
pub use stats::Stats;
