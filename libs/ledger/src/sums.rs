//! What is added up. A sum of 64-bit numbers in 128 bits has room for 2^64 of them, so none can pass its end.

/// Kinds of tokens, in the order in which they are given and held. The first two are all that was read and written; the
/// others are parts of them.
pub const KINDS: [&str; 5] = ["input", "output", "cache_read", "cache_write", "reasoning"];

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Cost in nano-dollars, of those calls that have one.
    pub cost: u128,
    /// Calls.
    pub calls: u64,
    /// Of them, those with a cost.
    pub priced: u64,
    /// Of them, those that say what was read or written.
    pub counted: u64,
    /// Tokens by kind, in the order of [`KINDS`].
    pub tokens: [u128; KINDS.len()],
}

impl Sums {
    /// Adds the calls of others.
    pub fn add(&mut self, others: &Self) {
        self.cost += others.cost;
        self.calls += others.calls;
        self.priced += others.priced;
        self.counted += others.counted;
        for (mine, theirs) in self.tokens.iter_mut().zip(others.tokens) {
            *mine += theirs;
        }
    }

    /// All that was read and written: the first two of [`KINDS`].
    #[must_use]
    pub fn all_tokens(&self) -> u128 {
        self.tokens.iter().take(2).sum()
    }

    /// What values are ordered by.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        Weight { cost: self.cost, calls: self.calls }
    }
}

/// What values are ordered by: cost and, where that is equal, calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// Nano-dollars.
    pub cost: u128,
    /// Calls.
    pub calls: u64,
}

impl Weight {
    /// Both, one by one.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { cost: self.cost + other.cost, calls: self.calls + other.calls }
    }

    /// Both less what is in `other`, or 0.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self { cost: self.cost.saturating_sub(other.cost), calls: self.calls.saturating_sub(other.calls) }
    }

    /// The larger cost and the larger number of calls, be they of the one or the other.
    pub(crate) fn most(self, other: Self) -> Self {
        Self { cost: self.cost.max(other.cost), calls: self.calls.max(other.calls) }
    }
}

/// What providers' caches saved, in nano-dollars; below 0 where they cost more than doing without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Savings<N = i128> {
    /// By reading from them.
    pub cache_read: N,
    /// By writing to them.
    pub cache_write: N,
}

/// Sums over all calls of a bucket or a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cost, calls and tokens.
    pub sums: Sums,
    /// What caches saved.
    pub savings: Savings,
    /// Calls whose cost is one by the provider and another by the price set.
    pub disagreements: u64,
    /// Calls that reached the level for warnings.
    pub warnings: u64,
    /// Calls that reached the level for alarms.
    pub criticals: u64,
}

impl Totals {
    /// Adds the calls of others.
    pub fn add(&mut self, others: &Self) {
        self.sums.add(&others.sums);
        self.savings.cache_read += others.savings.cache_read;
        self.savings.cache_write += others.savings.cache_write;
        self.disagreements += others.disagreements;
        self.warnings += others.warnings;
        self.criticals += others.criticals;
    }
}
