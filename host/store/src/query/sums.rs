//! Sums over calls.

use crate::call::KINDS;

/// Sums over calls. They are exact: no sum of what a store can hold is over its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Calls.
    pub calls: u64,
    /// Of these, the ones whose cost is known.
    pub priced: u64,
    /// Of these, the ones that failed.
    pub failed: u64,
    /// What they cost, in nano-dollars.
    pub nano_usd: u128,
    /// Tokens by kind, in the order of [`KINDS`].
    pub tokens: [u128; KINDS.len()],
}

/// One call as it is summed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct One {
    pub(super) nano_usd: Option<u64>,
    pub(super) failed: bool,
    pub(super) tokens: [u64; KINDS.len()],
}

impl Sums {
    pub(super) fn add(&mut self, one: &One) {
        self.calls += 1;
        self.priced += u64::from(one.nano_usd.is_some());
        self.failed += u64::from(one.failed);
        self.nano_usd += u128::from(one.nano_usd.unwrap_or(0));
        for (sum, tokens) in self.tokens.iter_mut().zip(one.tokens) {
            *sum += u128::from(tokens);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.priced += other.priced;
        self.failed += other.failed;
        self.nano_usd += other.nano_usd;
        for (sum, tokens) in self.tokens.iter_mut().zip(other.tokens) {
            *sum += tokens;
        }
    }
}
