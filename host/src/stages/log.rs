//! Stage 3, log: between redaction and the acknowledgement, requests are made durable.
//!
//! What is appended here has been redacted, and is acknowledged only when the append has succeeded. It is kept until the
//! last [`Receipt`] of it is gone: until its traces are decided and every output has taken what is kept of them. What is
//! still owed when the process ends, in whatever way, comes [again](Log::open) when the next one starts.

use crate::config;
use crate::metrics::Metrics;
use crate::receivers::{Origin, Refusal};
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tollgate_journal::{AppendError, Entry, Fsync, Journal, OpenError, ReadError};

/// What a record of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request of spans, before sampling.
    Traces,
    /// A request of log records.
    Logs,
    /// A request of metrics.
    Metrics,
    /// Spans of traces that are kept.
    Kept,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Traces, Self::Logs, Self::Metrics, Self::Kept];

    /// The number on disk.
    const fn number(self) -> u8 {
        match self {
            Self::Traces => 1,
            Self::Logs => 2,
            Self::Metrics => 3,
            Self::Kept => 4,
        }
    }
}

/// Who a record is owed to: an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(u32);

impl Part {
    /// The part of the output of this name. It is the same in every process (FNV-1a, 32 bits).
    #[must_use]
    pub fn of(output: &str) -> Self {
        Self(output.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
}

/// Keeps a record: when the last clone is gone, it is done. Of a request that is only in memory it keeps nothing, but who
/// sent it may.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    entry: Option<Entry>,
    /// Outputs that an earlier process brought it to.
    done: Arc<[u32]>,
    /// Who keeps what is only in memory.
    _origin: Option<Origin>,
}

impl Receipt {
    /// Whether the record is on disk.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.entry.is_some()
    }

    /// The receipt of a request that somebody keeps as long as nothing else does.
    #[must_use]
    pub fn of(self, origin: Option<Origin>) -> Self {
        match self.is_on_disk() {
            true => self,
            false => Self { _origin: origin, ..self },
        }
    }

    /// Whether an output has had the record already.
    #[must_use]
    pub fn is_done_for(&self, part: Part) -> bool {
        self.done.contains(&part.0)
    }

    /// Marks that an output has had the record.
    pub fn done_for(&self, part: Part) {
        if let Some(entry) = &self.entry {
            entry.mark(part.0);
        }
    }

    /// The record, from disk.
    ///
    /// # Errors
    /// The disk gives nothing, or something else than what was written.
    pub fn read(&self) -> Result<Bytes, ReadError> {
        match &self.entry {
            Some(entry) => entry.read().map(Bytes::from),
            None => Ok(Bytes::new()),
        }
    }
}

/// A record that an earlier process did not bring to its end.
#[derive(Debug)]
pub struct Recovered {
    /// What it is.
    pub kind: Kind,
    /// The encoded request.
    pub bytes: Bytes,
    /// Keeps it.
    pub receipt: Receipt,
}

/// What an earlier process owes, read from disk one by one, in the order in which it was accepted.
pub struct Leftover(Option<tollgate_journal::Recovery>);

impl std::fmt::Debug for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Leftover").field(&self.0.is_some()).finish()
    }
}

impl Iterator for Leftover {
    type Item = Recovered;

    fn next(&mut self) -> Option<Recovered> {
        loop {
            let recovery = self.0.as_mut()?;
            let Some(record) = recovery.next() else {
                for place in &recovery.damage().spans {
                    let (file, offset, bytes, why) = (&place.file, place.offset, place.bytes, &place.error);
                    tracing::error!(file, offset, bytes, why, "a part of the log cannot be read and is skipped");
                }
                self.0 = None;
                return None;
            };
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.number() == record.kind) else {
                // A later version wrote it. It stays where it is as long as nobody lets go of it.
                tracing::error!(record = ?record.entry, "a record of an unknown kind is left in the log");
                std::mem::forget(record.entry);
                continue;
            };
            let receipt = Receipt { entry: Some(record.entry), done: record.parts.into(), _origin: None };
            return Some(Recovered { kind, bytes: record.payload.into(), receipt });
        }
    }
}

/// Why the log cannot be opened.
pub type LogError = OpenError;

/// Makes requests durable. Cheap to clone; clones are one log.
#[derive(Clone)]
pub struct Log {
    journal: Option<Journal>,
    retry_after: Duration,
    /// Why the last append was refused; `None` where it was not.
    refused: Arc<Mutex<Option<String>>>,
    /// Whether what is let go of is given up rather than done.
    frozen: Arc<AtomicBool>,
    metrics: Metrics,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("is_on_disk", &self.is_on_disk()).finish_non_exhaustive()
    }
}

impl Log {
    /// A log that keeps nothing.
    #[must_use]
    pub fn in_memory(retry_after: Duration, metrics: &Metrics) -> Self {
        let (refused, frozen) = Default::default();
        Self { journal: None, retry_after, refused, frozen, metrics: metrics.clone() }
    }

    /// Opens the log, for requests of up to `largest` bytes, and gives what an earlier process left in it.
    ///
    /// # Errors
    /// The folder cannot be used, or another process uses it.
    pub fn open(
        config: &config::Log,
        largest: usize,
        retry_after: Duration,
        metrics: &Metrics,
    ) -> Result<(Self, Leftover), LogError> {
        let log = Self::in_memory(retry_after, metrics);
        if config.storage == config::Storage::Memory {
            return Ok((log, Leftover(None)));
        }
        let fsync = match config.fsync {
            config::Fsync::Always => Fsync::Always,
            config::Fsync::Interval(interval) => Fsync::Interval(interval),
            config::Fsync::Never => Fsync::Never,
        };
        let (journal, recovery) = Journal::open(tollgate_journal::Config {
            path: config.path.clone(),
            max_bytes: config.max_bytes,
            segment_bytes: config.segment_bytes,
            fsync,
            max_record_bytes: u32::try_from(largest).unwrap_or(u32::MAX),
        })?;
        Ok((Self { journal: Some(journal), ..log }, Leftover(Some(recovery))))
    }

    /// Whether what is appended survives the process.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.journal.is_some()
    }

    /// Appends a request; it survives the process when this returns.
    ///
    /// # Errors
    /// It is not durable; the sender is told to send it again, or for good that it is too large.
    pub fn append(&self, kind: Kind, request: &[u8]) -> Result<Receipt, Refusal> {
        let Some(journal) = &self.journal else { return Ok(Receipt::default()) };
        let error = match journal.append(kind.number(), &[request]) {
            Ok(entry) => {
                self.set_refusal(None);
                return Ok(Receipt { entry: Some(entry), done: Arc::default(), _origin: None });
            }
            Err(error) => error,
        };
        if !matches!(error, AppendError::TooLarge { .. }) {
            self.set_refusal(Some(error.to_string()));
        }
        let retry_after = self.retry_after;
        let (reason, refusal) = match &error {
            AppendError::Full { .. } => ("full", Refusal::Overloaded { what: "the log is full", retry_after }),
            AppendError::TooLarge { max_record_bytes, .. } => {
                ("too_large", Refusal::TooLarge { limit: usize::try_from(*max_record_bytes).unwrap_or(usize::MAX) })
            }
            AppendError::Io { .. } => {
                tracing::error!(%error, "a request is refused");
                ("io", Refusal::Unavailable { what: "the log cannot be written".to_owned(), retry_after })
            }
            AppendError::Closed => {
                ("closed", Refusal::Unavailable { what: "the process is ending".to_owned(), retry_after })
            }
        };
        self.metrics.log_refused.with(vec![("reason", reason.to_owned())]).inc();
        Err(refusal)
    }

    /// Why the last request was refused; `None` where it was not.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_refusal(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// From here on nothing more is done: the process is ending, and what waits is for the next one.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
        if let Some(Err(error)) = self.journal.as_ref().map(Journal::freeze) {
            tracing::error!(%error, "the end of the log could not be flushed to disk");
        }
    }

    /// True from [`freeze`](Self::freeze) on, for those who keep requests that are only in memory.
    #[must_use]
    pub fn frozen(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.frozen)
    }

    /// Brings the marks on disk and the metrics of the log up to date.
    pub fn show(&self) {
        let Some(journal) = &self.journal else { return };
        // What was done since the last time goes to disk, so that a crash repeats little.
        journal.flush();
        let stats = journal.stats();
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.log_bytes.set(gauge(stats.bytes));
        self.metrics.log_segments.set(gauge(stats.segments));
        self.metrics.log_records.set(gauge(stats.undone_records));
        for (counter, now) in [
            (&self.metrics.log_recovered, stats.recovered_records),
            (&self.metrics.log_fsyncs, stats.fsyncs),
            (&self.metrics.log_errors, stats.write_errors + stats.fsync_errors + stats.delete_errors),
            (&self.metrics.log_damaged_records, stats.damaged_records),
            (&self.metrics.log_damaged_bytes, stats.damaged_bytes + stats.torn_bytes),
        ] {
            counter.inc_by(now.saturating_sub(counter.get()));
        }
    }
}
