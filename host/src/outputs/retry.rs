//! How long to wait before a failed send is tried again: exponential with jitter, or as the receiver asks.

use crate::config::Retry;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Growth of the wait from one attempt to the next, as in the Collector.
const MULTIPLIER: f64 = 1.5;

/// Longest wait that a receiver is granted: one that asks for more is asked again after this.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// The waits of one delivery.
#[derive(Clone, Debug)]
pub struct Backoff {
    retry: Retry,
    next: Duration,
    waited: Duration,
}

impl Backoff {
    /// Begins at the initial interval.
    #[must_use]
    pub fn new(retry: Retry) -> Self {
        Self { retry, next: retry.initial_interval, waited: Duration::ZERO }
    }

    /// The wait before the next attempt: at least what the receiver asked for. `None` where the time to try is up, which
    /// it never is where `max_elapsed_time` is zero.
    ///
    /// `jitter` between 0 and 1 moves the wait within half of its length around it, so that senders that failed
    /// together do not come back together.
    pub fn next(&mut self, asked: Option<Duration>, jitter: f64) -> Option<Duration> {
        let wait = self.next.mul_f64(0.5 + jitter.clamp(0.0, 1.0));
        let wait = asked.map_or(wait, |asked| asked.min(LONGEST_ASKED).max(wait));
        self.next = self.next.mul_f64(MULTIPLIER).min(self.retry.max_interval);
        self.waited = self.waited.saturating_add(wait);
        let most = self.retry.max_elapsed_time;
        (most.is_zero() || self.waited <= most).then_some(wait)
    }
}

/// A number between 0 and 1 that differs from call to call.
pub(super) fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn backoff(max_elapsed_time: Duration) -> Backoff {
        Backoff::new(Retry { initial_interval: seconds(2), max_interval: seconds(4), max_elapsed_time })
    }

    #[test]
    fn waits_grow_to_the_longest_and_end_with_the_time_to_try() {
        let mut backoff = backoff(seconds(13));
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next(None, 0.5)).collect();
        assert_eq!(waits, [seconds(2), seconds(3), seconds(4), seconds(4)]);
    }

    #[test]
    fn a_receiver_that_asks_for_more_is_given_it() {
        let mut backoff = backoff(seconds(60));
        assert_eq!(backoff.next(Some(seconds(30)), 0.5), Some(seconds(30)));
        assert_eq!(backoff.next(Some(seconds(1)), 0.5), Some(seconds(3)));
        assert_eq!(backoff.next(Some(seconds(40)), 0.5), None);
    }

    #[test]
    fn no_time_to_try_is_no_end() {
        let mut backoff = backoff(Duration::ZERO);
        for _ in 0..100_000 {
            assert!(backoff.next(None, 1.0).is_some());
        }
        assert_eq!(backoff.next(Some(seconds(86_400)), 0.5), Some(seconds(3_600)), "a wait has an end");
    }

    #[test]
    fn jitter_moves_the_wait_within_half_of_it() {
        assert_eq!(backoff(seconds(60)).next(None, 0.0), Some(seconds(1)));
        assert_eq!(backoff(seconds(60)).next(None, 1.0), Some(seconds(3)));
        assert!((0.0..=1.0).contains(&jitter()));
    }
}
