//! A token bucket over time that is told, not asked for.

/// Lets so many tokens through a second, and at most so many at once.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    capacity: f64,
    tokens: f64,
    /// When tokens were last added, in nanoseconds.
    at: Option<u64>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(per_second: u64, capacity: u64) -> Self {
        let capacity = capacity as f64;
        Self { per_second: per_second as f64, capacity, tokens: capacity, at: None }
    }

    /// Takes `amount` tokens where there are that many; else none. More than the capacity never passes. Time that runs
    /// backwards adds nothing.
    pub(crate) fn take(&mut self, amount: u64, now: u64) -> bool {
        let passed = now.saturating_sub(self.at.unwrap_or(now));
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.tokens = (self.tokens + self.per_second * (passed as f64 / 1e9)).min(self.capacity);
        let amount = amount as f64;
        if amount > self.tokens {
            return false;
        }
        self.tokens -= amount;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn tokens_come_back_with_time_up_to_the_capacity() {
        let mut bucket = Bucket::new(10, 20);
        assert!(!bucket.take(21, 0), "more than the capacity never passes");
        assert!(bucket.take(20, 0));
        assert!(!bucket.take(1, 0));
        assert!(bucket.take(5, SECOND / 2));
        assert!(!bucket.take(1, SECOND / 4), "time that runs backwards adds nothing");
        assert!(!bucket.take(21, 100 * SECOND));
        assert!(bucket.take(20, 100 * SECOND));
        assert!(!bucket.take(1, 100 * SECOND));
    }
}
