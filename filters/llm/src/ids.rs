//! Ids for spans, in a place that has no source of randomness.
//!
//! A WebAssembly module in Envoy has neither entropy nor threads. Ids are keyed hashes (SipHash) of what makes the
//! call itself unlike others (the caller's `traceparent`, Envoy's random `x-request-id`), of a counter, and of the
//! time. The key is the moment the module started, so that two workers given the same inputs differ as well. Ids are
//! unlike each other; they are not secret.

use std::hash::{DefaultHasher, Hasher};

/// Makes ids.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    key: u64,
    made: u64,
}

impl Ids {
    /// A source keyed with the time now and whatever tells this module from its siblings.
    #[must_use]
    pub(crate) fn new(now: u64, salt: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(now);
        hasher.write(salt);
        Self { key: hasher.finish(), made: 0 }
    }

    /// A span id, never zero.
    pub(crate) fn span_id(&mut self, call: &[u8], now: u64) -> [u8; 8] {
        self.next(1, call, now).to_be_bytes()
    }

    /// A trace id, never zero, for a call that came without one.
    pub(crate) fn trace_id(&mut self, call: &[u8], now: u64) -> [u8; 16] {
        let high = u128::from(self.next(2, call, now));
        let low = u128::from(self.next(3, call, now));
        (high << 64 | low).to_be_bytes()
    }

    /// A number unlike those of other workers, to scatter what would happen at the same time.
    pub(crate) fn jitter(&mut self, now: u64) -> u64 {
        self.next(4, b"", now)
    }

    fn next(&mut self, purpose: u8, call: &[u8], now: u64) -> u64 {
        self.made = self.made.wrapping_add(1);
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.key);
        hasher.write_u8(purpose);
        hasher.write_u64(self.made);
        hasher.write_u64(now);
        hasher.write(call);
        hasher.finish().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use std::collections::BTreeSet;

    #[test]
    fn ids_differ_between_calls_and_between_modules() {
        let mut seen = BTreeSet::new();
        for started in 0..20 {
            let mut ids = Ids::new(started, b"worker");
            for _ in 0..500 {
                assert!(seen.insert(ids.span_id(b"same request id", 7)));
                assert!(seen.insert(ids.trace_id(b"same request id", 7)[8..].try_into().unwrap()));
            }
        }
    }
}
