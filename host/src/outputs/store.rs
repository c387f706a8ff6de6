//! The embedded database of recent calls: `tollgate_store`, as an output.

use super::{Delivery, Limits, SendError, chain};
use crate::config::{self, Retry};
use crate::metrics::Metrics;
use crate::receivers::Signal;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollgate_store::{Stats, Store, StoreError};

/// A disk that is full for a moment is waited for. Not for longer: recent calls are not worth that requests are refused.
pub const RETRY: Retry = Retry {
    initial_interval: Duration::from_secs(1),
    max_interval: Duration::from_secs(5),
    max_elapsed_time: Duration::from_secs(60),
};

/// How often what is too old is removed, and the metrics are brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// The output.
#[derive(Debug)]
pub struct Sink {
    store: Arc<Store>,
}

impl Sink {
    /// An output into a store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

impl super::Sink for Sink {
    fn limits(&self) -> Limits {
        // What is stored at once is a few of these.
        Limits { max_bytes: 1 << 20, max_items: 1_024, join: true, num_consumers: 1 }
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        if delivery.signal != Signal::Traces {
            return Ok(delivery.items);
        }
        let (store, bytes) = (Arc::clone(&self.store), delivery.bytes.clone());
        match tokio::task::spawn_blocking(move || store.insert(now(), &bytes)).await {
            Ok(Ok(inserted)) => Ok(inserted.refused),
            Ok(Err(error @ StoreError::Malformed(_))) => Err(SendError::Never { why: chain(&error) }),
            Ok(Err(error)) => Err(SendError::Again { why: chain(&error), after: None }),
            Err(error) => Err(SendError::Again { why: format!("the spans were not stored: {error}"), after: None }),
        }
    }
}

/// Opens the store.
///
/// # Errors
/// What is wrong, in plain words.
pub async fn open(config: &config::Store) -> Result<Arc<Store>, String> {
    let options = config.options.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(options, now())).await;
    let store = opened.map_err(|error| error.to_string())?.map_err(|error| chain(&error))?;
    let path = store.options().path.display();
    if store.stats().damaged > 0 {
        tracing::error!(%path, "the store is damaged, and was set aside as {path}.damaged; a new one is begun");
    }
    tracing::info!(%path, max_bytes = store.options().max_bytes, "recent calls are stored");
    Ok(Arc::new(store))
}

/// Removes what is too old, and tells the metrics what the store has done, until it is aborted.
pub async fn keep(store: Arc<Store>, metrics: Metrics) {
    let (mut ticks, mut told) = (tokio::time::interval(TICK), Stats::default());
    // What was found when it was opened has been said.
    let mut first = true;
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let ticked = Arc::clone(&store);
        match tokio::task::spawn_blocking(move || (ticked.tick(now()), ticked.stats())).await {
            Ok((done, stats)) => {
                if let Err(error) = done {
                    tracing::warn!(error = chain(&error), "nothing was removed from the store");
                }
                if stats.damaged > told.damaged && !first {
                    let path = store.options().path.display();
                    tracing::error!(%path, "the store was damaged, and set aside as {path}.damaged; a new one is begun");
                }
                tell(&metrics, &told, &stats);
                (told, first) = (stats, false);
            }
            Err(error) => tracing::error!(%error, "the store was not looked at"),
        }
    }
}

fn tell(metrics: &Metrics, before: &Stats, now: &Stats) {
    let because = |reason: &str| vec![("reason", reason.to_owned())];
    metrics.store_bytes.set(i64::try_from(now.bytes).unwrap_or(i64::MAX));
    metrics.store_evicted.with(because("bytes")).inc_by(now.evicted_bytes - before.evicted_bytes);
    metrics.store_evicted.with(because("age")).inc_by(now.evicted_age - before.evicted_age);
    metrics.store_duplicates.inc_by(now.duplicates - before.duplicates);
    metrics.store_truncated.inc_by(now.truncated - before.truncated);
    metrics.store_refused.with(because("too_large")).inc_by(now.refused_too_large - before.refused_too_large);
    metrics.store_refused.with(because("malformed")).inc_by(now.refused_malformed - before.refused_malformed);
    metrics.store_damaged.inc_by(now.damaged - before.damaged);
    metrics.store_slow_queries.inc_by(now.slow_queries - before.slow_queries);
}

/// Nanoseconds since 1970; 0 where the clock is before that.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
