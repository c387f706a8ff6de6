//! Stage 1, admit: a bound on the bytes of requests that were received and not yet answered.
//!
//! What does not fit is refused with a status that asks to send again, so that the sender keeps it.

use crate::metrics::Metrics;
use crate::receivers::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The bound on bytes in flight. Cheap to clone; clones share the bound.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    taken: AtomicU64,
    closed: AtomicBool,
    most: u64,
    retry_after: Duration,
    metrics: Metrics,
}

impl Admission {
    /// A bound of `most` bytes; a refused sender is asked to wait for `retry_after`.
    #[must_use]
    pub fn new(most: u64, retry_after: Duration, metrics: Metrics) -> Self {
        let (taken, closed) = (AtomicU64::new(0), AtomicBool::new(false));
        Self(Arc::new(Shared { taken, closed, most, retry_after, metrics }))
    }

    /// A share of `bytes`.
    ///
    /// # Errors
    /// The bound is reached, or the process is ending.
    pub fn lease(&self, bytes: usize) -> Result<Lease, Refusal> {
        let lease = Lease { admission: self.clone(), bytes: 0 };
        if self.0.closed.load(Ordering::Acquire) {
            let retry_after = self.0.retry_after;
            return Err(Refusal::Unavailable { what: "the process is ending".to_owned(), retry_after });
        }
        lease.beside(bytes)
    }

    /// Refuses every new request from now on: the process is ending. Those that have begun go on.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }

    /// How long a refused sender is asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.0.retry_after
    }

    /// Counts a refusal, whichever stage it came from.
    pub fn count_refusal(&self, refusal: &Refusal) {
        self.0.metrics.requests_refused.with(vec![("reason", refusal.reason().to_owned())]).inc();
    }
}

/// A share of the bytes in flight, given back on drop.
#[derive(Debug)]
pub struct Lease {
    admission: Admission,
    bytes: u64,
}

impl Lease {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// The bound is reached. What was taken before stays taken.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let shared = &self.admission.0;
        let retry_after = shared.retry_after;
        let more = u64::try_from(bytes).unwrap_or(u64::MAX);
        let take = |taken: u64| taken.checked_add(more).filter(|&total| total <= shared.most);
        match shared.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) {
            Ok(before) => {
                self.bytes += more;
                shared.metrics.bytes_in_flight.set(gauge(before + more));
                Ok(())
            }
            Err(_) => Err(Refusal::Overloaded { what: "too many bytes are in flight", retry_after }),
        }
    }
}

impl Lease {
    /// A share of its own for the same request, for what is needed for a while only.
    ///
    /// # Errors
    /// The bound is reached.
    pub fn beside(&self, bytes: usize) -> Result<Self, Refusal> {
        let mut lease = Self { admission: self.admission.clone(), bytes: 0 };
        lease.grow(bytes)?;
        Ok(lease)
    }

    /// Takes what is missing to `bytes` in all.
    ///
    /// # Errors
    /// As [`grow`](Self::grow).
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let taken = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        self.grow(bytes.saturating_sub(taken))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let shared = &self.admission.0;
        let before = shared.taken.fetch_sub(self.bytes, Ordering::AcqRel);
        shared.metrics.bytes_in_flight.set(gauge(before.saturating_sub(self.bytes)));
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_the_bound_is_refused_until_something_is_given_back() {
        let admission = Admission::new(100, Duration::from_secs(1), Metrics::new(10));
        let mut first = admission.lease(60).unwrap();
        assert!(matches!(admission.lease(41), Err(Refusal::Overloaded { .. })));
        let second = admission.lease(40).unwrap();
        assert!(first.grow(1).is_err());
        drop(second);
        first.grow(40).unwrap();
        drop(first);
        admission.lease(100).unwrap();
        let mut begun = admission.lease(1).unwrap();
        admission.close();
        assert!(matches!(admission.lease(1), Err(Refusal::Unavailable { .. })));
        begun.grow(9).unwrap();
        let beside = begun.beside(90).unwrap();
        assert!(begun.grow(1).is_err());
        drop(beside);
        begun.grow(1).unwrap();
    }
}
