//! What calls cost, by time: the ledger of the process, with its clock, its lock and its counters.

use crate::config::Cost as Config;
use crate::metrics::Metrics;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollgate_ledger::{Counters, Entry, Ledger, Limits, Window};

/// The ledger of the process.
#[derive(Debug)]
pub struct Costs {
    /// Names of the dimensions that the user chose, in the order of the ledger's.
    pub dimensions: Vec<String>,
    /// How much is held.
    pub limits: Limits,
    /// Since when calls are added, in nanoseconds since 1970.
    pub begun: u64,
    ledger: Mutex<Ledger>,
    metrics: Metrics,
}

impl Costs {
    /// Holds nothing yet.
    #[must_use]
    pub fn new(config: &Config, metrics: &Metrics) -> Self {
        tracing::info!(most_mib = config.limits.most_bytes() >> 20, "costs are added up in memory");
        Self {
            dimensions: config.dimensions.clone(),
            limits: config.limits,
            begun: now(),
            ledger: Mutex::new(Ledger::new(config.limits)),
            metrics: metrics.clone(),
        }
    }

    /// Adds calls that arrive now.
    pub fn add(&self, entries: &[Entry<'_>]) {
        let (before, after) = {
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let before = ledger.counters();
            // Read behind the lock, so that threads cannot turn the clock back for each other.
            let now = now();
            entries.iter().for_each(|entry| ledger.add(now, entry));
            (before, ledger.counters())
        };
        self.metrics.cost_late_calls.inc_by(after.late - before.late);
        self.metrics.cost_ahead_calls.inc_by(after.ahead - before.ahead);
        self.metrics.cost_values_folded.inc_by(after.folded - before.folded);
    }

    /// What was counted in the last `length`, not yet put together.
    pub fn window(&self, length: Duration) -> (Window, Counters) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        (ledger.window(now(), length), ledger.counters())
    }
}

/// Nanoseconds since 1970; 0 where the clock is before that.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
