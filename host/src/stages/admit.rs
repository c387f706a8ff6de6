//! Stage 1, admit: requests take their bytes from the [memory](crate::memory) as they arrive.
//!
//! What does not fit is refused with a status that asks to send again, so that the sender keeps it.

use crate::memory::{Memory, Share, Use};
use crate::metrics::Metrics;
use crate::receivers::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Lets requests in, as far as there is room. Cheap to clone; clones share the state.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    memory: Memory,
    closed: AtomicBool,
    retry_after: Duration,
    metrics: Metrics,
}

impl Admission {
    /// Takes from `memory`; a refused sender is asked to wait for `retry_after`.
    #[must_use]
    pub fn new(memory: Memory, retry_after: Duration, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { memory, closed: AtomicBool::new(false), retry_after, metrics }))
    }

    /// A share of `bytes`.
    ///
    /// # Errors
    /// There is no room, or the process is ending.
    pub fn lease(&self, bytes: usize) -> Result<Lease, Refusal> {
        let lease = Lease { admission: self.clone(), share: self.0.memory.hold(Use::Requests, 0) };
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

/// The memory of a request, given back on drop.
#[derive(Debug)]
pub struct Lease {
    admission: Admission,
    share: Share,
}

impl Lease {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// There is no room. What was taken before stays taken.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.share.grow(u64::try_from(bytes).unwrap_or(u64::MAX)) {
            return Ok(());
        }
        Err(Refusal::Overloaded { what: "the memory is full", retry_after: self.admission.retry_after() })
    }

    /// A share of its own for the same request, for what is needed for a while only.
    ///
    /// # Errors
    /// There is no room.
    pub fn beside(&self, bytes: usize) -> Result<Self, Refusal> {
        let share = self.admission.0.memory.hold(Use::Requests, 0);
        let mut lease = Self { admission: self.admission.clone(), share };
        lease.grow(bytes)?;
        Ok(lease)
    }

    /// Gives back what is taken beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.share.set(bytes.min(self.share.bytes()));
    }

    /// Takes what is missing to `bytes` in all.
    ///
    /// # Errors
    /// As [`grow`](Self::grow).
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let taken = usize::try_from(self.share.bytes()).unwrap_or(usize::MAX);
        self.grow(bytes.saturating_sub(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_does_not_fit_is_refused_for_now() {
        let metrics = Metrics::new(10);
        let admission = Admission::new(Memory::new(100, &metrics), Duration::from_secs(1), metrics);
        let mut lease = admission.lease(60).unwrap();
        assert!(matches!(admission.lease(41), Err(Refusal::Overloaded { .. })));
        lease.grow_to(100).unwrap();
        assert!(lease.grow(1).is_err());
        drop(lease);
        admission.lease(100).unwrap();
        let mut begun = admission.lease(1).unwrap();
        admission.close();
        assert!(matches!(admission.lease(1), Err(Refusal::Unavailable { .. })));
        begun.grow(9).unwrap();
        let beside = begun.beside(90).unwrap();
        assert!(begun.grow(1).is_err());
        drop(beside);
        begun.grow(1).unwrap();
        begun.shrink_to(4);
        begun.shrink_to(8);
        assert_eq!(begun.share.bytes(), 4);
    }
}
