//! How much is held.

use crate::alerts::Alerts;
use crate::bucket::Bucket;
use crate::table::Table;
use std::sync::Arc;
use std::time::Duration;

/// Most values of dimensions that have a few dozen: provider, operation, source, reason.
pub const WORDS: usize = 32;

/// How much is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long minutes are told apart, rounded up to whole minutes.
    pub recent: Duration,
    /// How long hours are told apart, rounded up to whole hours; what is older is forgotten.
    pub retention: Duration,
    /// Dimensions beside model, provider, operation and source.
    pub dimensions: usize,
    /// Most values of a dimension in a bucket; at least 1. Those with a few words have at most [`WORDS`].
    pub values: usize,
    /// Most alerts.
    pub alerts: usize,
}

impl Default for Limits {
    /// An hour by minutes and a week by hours, 100 values a dimension, 100 alerts.
    fn default() -> Self {
        Self {
            recent: Duration::from_secs(3_600),
            retention: Duration::from_secs(7 * 86_400),
            dimensions: 0,
            values: 100,
            alerts: 100,
        }
    }
}

impl Limits {
    /// Minutes before the current one that are told apart.
    pub(crate) fn minutes(&self) -> u64 {
        self.recent.as_secs().div_ceil(60)
    }

    /// Hours before the current one that are told apart.
    pub(crate) fn hours(&self) -> u64 {
        self.retention.as_secs().div_ceil(3_600)
    }

    /// Values of dimensions with a few words.
    pub(crate) fn words(&self) -> usize {
        self.values.min(WORDS)
    }

    /// Most bytes that a ledger takes with these limits, when all its buckets have as many values as they may, and these
    /// are as long as they may be. A bucket's table doubles for a moment while another is added to it.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        let buckets = self.minutes().saturating_add(self.hours()).saturating_add(2);
        let buckets = usize::try_from(buckets).unwrap_or(usize::MAX);
        // Model, and model of the calls without a price; provider, operation, source and reason.
        let open = self.dimensions.saturating_add(2).saturating_mul(Table::most_bytes(self.values.max(1)));
        let words = Table::most_bytes(self.words().max(1)).saturating_mul(4);
        // A node of the tree of buckets may be half empty.
        let around = size_of::<Bucket>() + 2 * size_of::<usize>() + 2 * size_of::<(u64, Arc<Bucket>)>();
        let around = around.saturating_add(self.dimensions.saturating_mul(size_of::<Table>()));
        let bucket = [open, words, around].into_iter().fold(0, usize::saturating_add);
        buckets.saturating_mul(bucket).saturating_add(Alerts::most_bytes(self.alerts))
    }
}
