//! What the store has done and what it holds, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Spans that were stored.
    pub stored: u64,
    /// Spans that were there already.
    pub duplicates: u64,
    /// Spans removed because the file was full.
    pub evicted_bytes: u64,
    /// Spans removed because of their age.
    pub evicted_age: u64,
    /// Spans that were not stored, because they are too large even without their content.
    pub refused_too_large: u64,
    /// Requests that were not stored, because they are none.
    pub refused_malformed: u64,
    /// Spans that were stored without a part of their content.
    pub truncated: u64,
    /// Files that were set aside, because they are damaged.
    pub damaged: u64,
    /// Questions that were given up, because they took too long.
    pub slow_queries: u64,
    /// Bytes on disk of the database and its write-ahead log, now.
    pub bytes: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) stored: Count,
    pub(crate) duplicates: Count,
    pub(crate) evicted_bytes: Count,
    pub(crate) evicted_age: Count,
    pub(crate) refused_too_large: Count,
    pub(crate) refused_malformed: Count,
    pub(crate) truncated: Count,
    pub(crate) damaged: Count,
    pub(crate) slow_queries: Count,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn stats(&self, bytes: u64) -> Stats {
        Stats {
            stored: self.stored.get(),
            duplicates: self.duplicates.get(),
            evicted_bytes: self.evicted_bytes.get(),
            evicted_age: self.evicted_age.get(),
            refused_too_large: self.refused_too_large.get(),
            refused_malformed: self.refused_malformed.get(),
            truncated: self.truncated.get(),
            damaged: self.damaged.get(),
            slow_queries: self.slow_queries.get(),
            bytes,
        }
    }
}
