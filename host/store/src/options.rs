//! What the store is told, and the bounds that follow from it.

use std::path::PathBuf;
use std::time::Duration;

/// Size of a page of the database, in bytes. It is SQLite's default, and that of most file systems.
pub(crate) const PAGE: u64 = 4096;

/// Least that `max_bytes` may be: below it, a page in each of the tables and indexes is most of the file.
pub const LEAST_BYTES: u64 = 4 << 20;

/// How much is held, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The database. Beside it are its write-ahead log (`-wal`), the index of that (`-shm`), and a lock (`.lock`).
    pub path: PathBuf,
    /// Most bytes on disk of the database and its write-ahead log, at least [`LEAST_BYTES`].
    pub max_bytes: u64,
    /// How long a span is held, counted from its arrival.
    pub max_age: Duration,
    /// Most bytes of a span as it is stored. One with more loses its largest attributes, events and links; never more than
    /// a sixteenth of `max_bytes`.
    pub max_content_bytes: u64,
}

impl Default for Options {
    /// 512 MiB, seven days, and 64 KiB of a span, in `tollgate-store.db`.
    fn default() -> Self {
        Self {
            path: PathBuf::from("tollgate-store.db"),
            max_bytes: 512 << 20,
            max_age: Duration::from_secs(7 * 86_400),
            max_content_bytes: 64 << 10,
        }
    }
}

/// What `max_bytes` is divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Most bytes of the write-ahead log.
    pub(crate) wal: u64,
    /// Most pages of the database; SQLite is told, and keeps to it.
    pub(crate) pages: u64,
    /// Pages in use from which on the oldest spans go.
    pub(crate) high: u64,
    /// Most spans that are written in one transaction. Each touches a page of an index in a place of its own, and the
    /// write-ahead log holds touched pages whole.
    pub(crate) batch_spans: usize,
    /// Most bytes of spans that are written in one transaction, unless one span has more.
    pub(crate) batch_bytes: usize,
    /// Most bytes of a span as it is stored.
    pub(crate) span: usize,
}

impl Bounds {
    pub(crate) fn of(options: &Options) -> Self {
        let max = options.max_bytes.max(LEAST_BYTES);
        let wal = (max / 4).min(32 << 20);
        let pages = (max - wal) / PAGE;
        let whole = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            wal,
            pages,
            high: pages - pages / 16,
            batch_spans: whole((wal / (32 * PAGE)).clamp(8, 256)),
            batch_bytes: whole(wal / 8),
            span: whole(options.max_content_bytes.min(max / 16)),
        }
    }
}
