//! The ceiling for everything that the process buffers, in bytes.
//!
//! Every byte of telemetry that is held takes a [`Share`] of one [`Memory`]: requests that are received and worked on,
//! traces that wait for a decision, deliveries that wait for an output. What comes from outside [asks](Memory::take),
//! and is refused where there is no room, so that its sender keeps it. What follows from something that was let in
//! [has](Memory::hold) its share in any case: its bytes were counted before, in another use.

use crate::metrics::Metrics;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// The ceiling. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    taken: AtomicU64,
    by_use: [AtomicU64; Use::ALL.len()],
    given_back: Notify,
    metrics: Metrics,
}

/// What memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Requests that were received and not yet answered, with the copies that stages make of them.
    Requests,
    /// Spans that wait for the decision on their trace.
    Traces,
    /// Deliveries that wait for an output.
    Queues,
}

impl Use {
    const ALL: [Self; 3] = [Self::Requests, Self::Traces, Self::Queues];

    /// The word used in metrics.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Traces => "traces",
            Self::Queues => "queues",
        }
    }
}

impl Memory {
    /// A ceiling of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64, metrics: &Metrics) -> Self {
        metrics.memory_limit_bytes.set(gauge(limit));
        let (taken, by_use, given_back) = (AtomicU64::new(0), Default::default(), Notify::new());
        Self(Arc::new(Inner { limit, taken, by_use, given_back, metrics: metrics.clone() }))
    }

    /// A share of `bytes`; `None` where the ceiling would be passed.
    #[must_use]
    pub fn take(&self, of: Use, bytes: u64) -> Option<Share> {
        let mut share = Share { memory: self.clone(), of, bytes: 0 };
        share.grow(bytes).then_some(share)
    }

    /// A share of `bytes` for what has been let in: it is counted, and never refused.
    #[must_use]
    pub fn hold(&self, of: Use, bytes: u64) -> Share {
        let mut share = Share { memory: self.clone(), of, bytes: 0 };
        share.set(bytes);
        share
    }

    /// Most bytes that can be taken.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Bytes that are taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Acquire)
    }

    /// Waits until no more than half of the ceiling is taken.
    pub async fn half_free(&self) {
        loop {
            let given_back = self.0.given_back.notified();
            if self.taken() <= self.0.limit / 2 {
                return;
            }
            given_back.await;
        }
    }

    fn show(&self, of: Use) {
        let bytes = self.0.by_use.get(of as usize).map_or(0, |bytes| bytes.load(Ordering::Acquire));
        self.0.metrics.memory_bytes.with(vec![("use", of.as_str().to_owned())]).set(gauge(bytes));
    }
}

/// A part of the memory, given back on drop.
#[derive(Debug)]
pub struct Share {
    memory: Memory,
    of: Use,
    bytes: u64,
}

impl Share {
    /// Bytes of the share.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `more` bytes; `false`, and nothing is taken, where the ceiling would be passed.
    #[must_use]
    pub fn grow(&mut self, more: u64) -> bool {
        let inner = &self.memory.0;
        let take = |taken: u64| taken.checked_add(more).filter(|&total| total <= inner.limit);
        if inner.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_err() {
            return false;
        }
        self.count(self.bytes.saturating_add(more));
        true
    }

    /// Makes the share one of `bytes`, whatever the ceiling says.
    pub fn set(&mut self, bytes: u64) {
        let inner = &self.memory.0;
        if bytes >= self.bytes {
            inner.taken.fetch_add(bytes - self.bytes, Ordering::AcqRel);
        } else {
            inner.taken.fetch_sub(self.bytes - bytes, Ordering::AcqRel);
            inner.given_back.notify_waiters();
        }
        self.count(bytes);
    }

    /// Counts the share, which has been taken or given back, as one of `bytes`.
    fn count(&mut self, bytes: u64) {
        if let Some(used) = self.memory.0.by_use.get(self.of as usize) {
            if bytes >= self.bytes {
                used.fetch_add(bytes - self.bytes, Ordering::AcqRel);
            } else {
                used.fetch_sub(self.bytes - bytes, Ordering::AcqRel);
            }
        }
        self.bytes = bytes;
        self.memory.show(self.of);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Bytes without the room that a vector has beyond them: what waits would hold that room as well, and nothing counts it.
#[must_use]
pub fn exact(bytes: Vec<u8>) -> Bytes {
    bytes.into_boxed_slice().into()
}

/// Bytes of memory that the process has now; 0 where the system does not say.
#[must_use]
pub fn resident() -> u64 {
    // Linux: `VmRSS:     1234 kB`.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_the_ceiling_is_refused_until_something_is_given_back() {
        let metrics = Metrics::new(10);
        let memory = Memory::new(100, &metrics);
        let mut first = memory.take(Use::Requests, 60).unwrap();
        assert!(memory.take(Use::Requests, 41).is_none());
        let second = memory.take(Use::Traces, 40).unwrap();
        assert!(!first.grow(1));
        assert!(metrics.page().contains("tollgate_memory_bytes{use=\"traces\"} 40\n"));
        drop(second);
        assert!(first.grow(40));
        assert_eq!((first.bytes(), memory.taken()), (100, 100));
        drop(first);
        assert_eq!(memory.taken(), 0);
        assert!(metrics.page().contains("tollgate_memory_bytes{use=\"requests\"} 0\n"));
    }

    #[test]
    fn what_was_let_in_is_counted_and_not_refused() {
        let memory = Memory::new(100, &Metrics::new(10));
        let mut held = memory.hold(Use::Queues, 150);
        assert!(memory.take(Use::Requests, 1).is_none());
        held.set(99);
        assert!(memory.take(Use::Requests, 1).is_some());
    }

    #[tokio::test]
    async fn waiting_ends_when_half_is_free() {
        let memory = Memory::new(100, &Metrics::new(10));
        let mut held = memory.hold(Use::Queues, 80);
        let waiting = memory.half_free();
        tokio::pin!(waiting);
        let soon = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, waiting.as_mut()).await.is_err());
        held.set(50);
        waiting.await;
    }
}
