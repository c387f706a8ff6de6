//! A folder of Parquet files.

use crate::encode::{Compression, Encoder};
use crate::fields::{LOGS, SPANS};
use crate::files::{Finished, TEMPORARY, clean, make, sync};
use crate::item::Item;
use crate::partition::partitions;
use parquet::errors::ParquetError;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tollgate_otlp::{Limits, LogsRequest, ScanError, TraceRequest};

/// Requests are bounded by those who hand them over.
const NO_LIMITS: Limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };

/// How files are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The folder.
    pub path: PathBuf,
    /// Compression of pages.
    pub compression: Compression,
    /// Bytes of OTLP after which a row group ends. It is what is held in memory while a file is made, and the least that a
    /// reader reads of a column.
    pub row_group_bytes: usize,
    /// Rows after which a row group ends.
    pub row_group_rows: usize,
    /// Most files a request, and one a day beside these. The services with the fewest rows go to [`OTHER`](crate::OTHER)
    /// together.
    pub max_partitions: usize,
}

impl Options {
    /// zstd, row groups of 16 MiB or 122,880 rows, 100 partitions.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            compression: Compression::Zstd,
            row_group_bytes: 16 << 20,
            row_group_rows: 122_880,
            max_partitions: 100,
        }
    }
}

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Spans, of an `ExportTraceServiceRequest`.
    Spans,
    /// Log records, of an `ExportLogsServiceRequest`.
    Logs,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Spans or log records.
    pub rows: u64,
    /// Of these, those that are not in the partition of their own day and service, because there were too many.
    pub folded: u64,
}

/// Why nothing was written. What was begun is taken back, or replaced when the request is written again.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The bytes are no request; they never will be one.
    #[error("the request cannot be read: {0}")]
    Request(#[from] ScanError),
    /// The rows cannot be encoded, which is a defect.
    #[error("the rows cannot be encoded: {0}")]
    Encode(#[from] ParquetError),
    /// The file system failed; it may not the next time.
    #[error("{}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// A folder that files are written to. Several processes may write to the same one.
#[derive(Debug)]
pub struct Store {
    options: Options,
    spans: Encoder,
    logs: Encoder,
    /// Makes temporary names of one process unlike each other.
    count: AtomicU64,
}

impl Store {
    /// Makes the folder where it is not there, and removes what a crash left in it.
    ///
    /// # Errors
    /// The folder cannot be made, read or written to.
    pub fn open(options: Options) -> Result<Self, WriteError> {
        let row_group = (options.row_group_bytes.max(1), options.row_group_rows.max(1));
        let encoder = |fields| Encoder::new(fields, options.compression, row_group);
        let (spans, logs) = (encoder(SPANS)?, encoder(LOGS)?);
        let temporary = options.path.join(TEMPORARY);
        make(&options.path, &temporary).and_then(|()| clean(&temporary)).map_err(at(&temporary))?;
        Ok(Self { options, spans, logs, count: AtomicU64::new(0) })
    }

    /// Writes the rows of a request. When this returns they are on the disk, in files that readers see.
    ///
    /// # Errors
    /// See [`WriteError`]. Files that were put in their places before a failure stay there; the same request written again
    /// replaces them.
    pub fn write(&self, rows: Rows, request: &[u8]) -> Result<Written, WriteError> {
        let name = name(request);
        match rows {
            Rows::Spans => {
                let request = TraceRequest::scan(request, &NO_LIMITS)?;
                let item = |row: usize| request.span(row).map(Item::Span);
                self.write_items(("traces", &self.spans), request.len(), item, &name)
            }
            Rows::Logs => {
                let request = LogsRequest::scan(request, &NO_LIMITS)?;
                let item = |row: usize| request.log(row).map(Item::Log);
                self.write_items(("logs", &self.logs), request.len(), item, &name)
            }
        }
    }

    fn write_items<'r>(
        &self,
        (table, encoder): (&str, &Encoder),
        rows: usize,
        item: impl Fn(usize) -> Option<Item<'r>>,
        name: &str,
    ) -> Result<Written, WriteError> {
        let (partitions, folded) = partitions((0..rows).filter_map(&item), self.options.max_partitions);
        let mut written = Written { folded, ..Written::default() };
        let mut finished = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let items: Vec<_> = partition.rows.iter().filter_map(|row| item(*row)).collect();
            written.rows = written.rows.saturating_add(items.len().try_into().unwrap_or(u64::MAX));
            let bytes = encoder.encode(items.into_iter())?;
            written.files += 1;
            written.bytes = written.bytes.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
            let temporary = self.temporary(name);
            let file = Finished::write(temporary.clone(), &bytes).map_err(at(&temporary))?;
            finished.push((file, self.options.path.join(table).join(partition.folder)));
        }
        // All are on the disk before the first is seen, so that little is left to fail between the first and the last.
        for (file, folder) in finished {
            let path = folder.join(name);
            make(&self.options.path, &folder).and_then(|()| file.place(&path)).map_err(at(&path))?;
            sync(&folder).map_err(at(&folder))?;
        }
        Ok(written)
    }

    fn temporary(&self, name: &str) -> PathBuf {
        let (process, count) = (std::process::id(), self.count.fetch_add(1, Ordering::Relaxed));
        self.options.path.join(TEMPORARY).join(format!("{name}.{process}.{count}.tmp"))
    }
}

/// The name of the files of a request: the same for the same bytes.
fn name(request: &[u8]) -> String {
    let digest = Sha256::digest(request);
    let mut name = String::from("part-");
    for byte in digest.iter().take(16) {
        name.push_str(&format!("{byte:02x}"));
    }
    name + ".parquet"
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    |error| WriteError::Io { path, error }
}
