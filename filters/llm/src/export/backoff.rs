//! How long a receiver that failed is left alone.
//!
//! Source: the OTLP specification, "OTLP/HTTP Throttling" and "All Other Responses": exponential backoff with jitter, and
//! no sooner than a `Retry-After` of the receiver says.

/// Most seconds of a `Retry-After` that are waited for: an hour.
const MOST_RETRY_AFTER: u64 = 3_600;

/// How often it can be doubled before every wait is the longest.
const DOUBLINGS: u32 = 20;

/// A receiver's failures, and the wait that follows from them.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Failures in a row, in rounds: those of requests that were under way together are one.
    failures: u32,
    /// When the last one was, nanoseconds since 1970.
    since: u64,
    /// Nanoseconds from then on.
    wait: u64,
}

impl Backoff {
    /// Whether the last that was heard of the receiver is a failure.
    pub(super) const fn is_on(&self) -> bool {
        self.failures > 0
    }

    /// The receiver answered.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// A request failed. `first` and `most` are milliseconds, `random` any number, `retry_after` seconds.
    pub(super) fn failed(&mut self, now: u64, first: u32, most: u32, random: u64, retry_after: Option<u64>) {
        let named = retry_after.unwrap_or(0).min(MOST_RETRY_AFTER) * 1_000_000_000;
        let left = self.left(now);
        if left == 0 {
            let doubled = u64::from(first) << self.failures.min(DOUBLINGS);
            let longest = doubled.min(most.into()) * 1_000_000;
            // Between a half and all of it, so that workers that failed together do not come back together.
            self.wait = longest / 2 + random % (longest / 2 + 1);
            self.failures = self.failures.saturating_add(1);
            self.since = now;
        }
        if named > self.left(now) {
            self.since = now;
            self.wait = named;
        }
    }

    /// Nanoseconds that are left to wait. None are where the clock stepped back, or where there is none.
    pub(super) fn left(&self, now: u64) -> u64 {
        let passed = if now == 0 { None } else { now.checked_sub(self.since) };
        passed.map_or(0, |passed| self.wait.saturating_sub(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn waits_double_up_to_the_longest() {
        for (random, halves) in [(0, 1), (u64::MAX / 2, 2)] {
            let (mut backoff, mut now, mut waits) = (Backoff::default(), SECOND, Vec::new());
            for _ in 0..60 {
                // The largest of the random numbers is that which leaves no remainder to the next.
                let longest = (500_u64 << waits.len().min(20)).min(30_000) * 1_000_000;
                let random = if random == 0 { 0 } else { longest / 2 };
                backoff.failed(now, 500, 30_000, random, None);
                waits.push(backoff.left(now) / 1_000_000);
                now += backoff.left(now);
                assert_eq!(backoff.left(now), 0);
            }
            let expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000].map(|half| half * halves);
            assert_eq!(waits[..8], expected);
            assert!(waits[8..].iter().all(|wait| *wait == 15_000 * halves));
        }
    }

    #[test]
    fn failures_of_one_round_count_once() {
        let mut backoff = Backoff::default();
        for _ in 0..4 {
            backoff.failed(SECOND, 1_000, 30_000, 0, None);
        }
        assert_eq!(backoff.left(SECOND), SECOND / 2);
        backoff.end();
        assert!(!backoff.is_on() && backoff.left(SECOND) == 0);
    }

    #[test]
    fn what_the_receiver_says_is_waited_for() {
        // Retry-After in seconds; what is waited for, milliseconds.
        for (named, waited) in [(0, 500), (1, 1_000), (60, 60_000), (u64::MAX, 3_600_000)] {
            let mut backoff = Backoff::default();
            backoff.failed(SECOND, 1_000, 30_000, 0, Some(named));
            assert_eq!(backoff.left(SECOND) / 1_000_000, waited, "{named}");
            // A second answer of the same round may ask for more, and never for less.
            backoff.failed(SECOND, 1_000, 30_000, 0, Some(2));
            assert_eq!(backoff.left(SECOND) / 1_000_000, waited.max(2_000), "{named}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_or_stands_still_starves_nobody() {
        let mut backoff = Backoff::default();
        backoff.failed(100 * SECOND, 1_000, 30_000, 0, Some(10));
        assert_eq!(backoff.left(99 * SECOND), 0);
        backoff.failed(0, 1_000, 30_000, 0, None);
        assert_eq!(backoff.left(0), 0);
    }
}
