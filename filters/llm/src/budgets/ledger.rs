//! What each consumer has taken, in the shared data of the proxy.
//!
//! Shared data is a map that all modules of a VM id have, across workers, and from which nothing can be removed. So
//! consumers are not its keys: there is a fixed number of parts, each with the sums of the consumers that fall into it by
//! their hash, and no more of them than its share of [`Options::keys`]. Sums of windows that are over make room.
//!
//! A part is a row for each consumer: its hash, and for each budget the number of the window and the amount, all
//! little-endian.

use super::options::Options;
use crate::proxy::Proxy;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Parts at most. More of them are less to copy for a call, and fewer modules that meet in one.
const MOST_PARTS: usize = 256;

/// How often a change is tried. Each failure means that another worker got through.
const TRIES: usize = 16;

const KEY: usize = 8;
const SUM: usize = 4 + 8;

/// Why an amount could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    /// There are as many consumers as may be.
    Full,
    /// Other workers were always faster.
    Contended,
    /// The proxy refused.
    Refused,
}

impl Unkept {
    /// The label of the counter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Contended => "contended",
            Self::Refused => "refused",
        }
    }
}

/// What a consumer has taken of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent {
    /// In the window that it is now.
    pub(crate) amount: u64,
    /// When that ends, in seconds since 1970.
    pub(crate) resets_at: u64,
}

/// The sums.
pub(crate) struct Ledger {
    /// What names of parts begin with: other budgets have other names, so that their rows do not meet.
    name: String,
    parts: usize,
    /// Consumers of a part at most.
    rows: usize,
    periods: Vec<u32>,
}

/// The sum of a budget.
#[derive(Clone, Copy)]
struct Sum {
    window: u32,
    amount: u64,
}

impl Ledger {
    /// Room for the sums. Every part is there from the beginning, so that two workers never both begin one.
    pub(crate) fn new(proxy: &impl Proxy, options: &Options) -> Self {
        let mut hasher = DefaultHasher::new();
        (&options.key_header, &options.limits, options.keys).hash(&mut hasher);
        let name = format!("tollgate.budgets.{:016x}.", hasher.finish());
        let parts = options.keys.clamp(1, MOST_PARTS);
        let periods = options.limits.iter().map(|limit| limit.period_s.max(1)).collect();
        let ledger = Self { name, parts, rows: options.keys.div_ceil(parts).max(1), periods };
        for part in 0..parts {
            let name = ledger.part(part as u64);
            if proxy.shared(&name).is_none() {
                let _ = proxy.set_shared(&name, b"", 0);
            }
        }
        ledger
    }

    /// What a consumer has taken, budget by budget.
    pub(crate) fn spent(&self, proxy: &impl Proxy, consumer: u64, now: u64) -> Vec<Spent> {
        let rows = proxy.shared(&self.part(consumer)).map(|(rows, _)| rows).unwrap_or_default();
        let row = rows.chunks_exact(self.row()).find(|row| row.starts_with(&consumer.to_le_bytes()));
        let row = row.unwrap_or_default();
        let spent = |(budget, period): (usize, &u32)| {
            let sum = sum(row, budget).at(window(now, *period));
            Spent { amount: sum.amount, resets_at: (u64::from(sum.window) + 1).saturating_mul((*period).into()) }
        };
        self.periods.iter().enumerate().map(spent).collect()
    }

    /// Adds to the sums of a consumer.
    ///
    /// # Errors
    /// Why that could not be done.
    pub(crate) fn spend(
        &self,
        proxy: &impl Proxy,
        consumer: u64,
        now: u64,
        amounts: impl Iterator<Item = u64> + Clone,
    ) -> Result<(), Unkept> {
        if amounts.clone().all(|amount| amount == 0) {
            return Ok(());
        }
        let name = self.part(consumer);
        for _ in 0..TRIES {
            let (rows, version) = proxy.shared(&name).unwrap_or_default();
            let changed = self.added(&rows, consumer, now, amounts.clone())?;
            match proxy.set_shared(&name, &changed, version) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(_) => return Err(Unkept::Refused),
            }
        }
        Err(Unkept::Contended)
    }

    /// The rows of a part with amounts added, and without consumers that have nothing in any window that is not over.
    fn added(
        &self,
        rows: &[u8],
        consumer: u64,
        now: u64,
        amounts: impl Iterator<Item = u64>,
    ) -> Result<Vec<u8>, Unkept> {
        let key = consumer.to_le_bytes();
        let mut mine: &[u8] = &[];
        let mut changed = Vec::with_capacity(rows.len().saturating_add(self.row()));
        for row in rows.chunks_exact(self.row()) {
            if row.starts_with(&key) {
                mine = row;
            } else if self.counts(row, now) {
                changed.extend_from_slice(row);
            }
        }
        if mine.is_empty() && changed.len() / self.row() >= self.rows {
            return Err(Unkept::Full);
        }
        changed.extend_from_slice(&key);
        for ((budget, period), amount) in self.periods.iter().enumerate().zip(amounts) {
            let before = sum(mine, budget).at(window(now, *period));
            changed.extend_from_slice(&before.window.to_le_bytes());
            changed.extend_from_slice(&before.amount.saturating_add(amount).to_le_bytes());
        }
        Ok(changed)
    }

    /// Whether a consumer has something in a window that is not over.
    fn counts(&self, row: &[u8], now: u64) -> bool {
        self.periods.iter().enumerate().any(|(budget, period)| sum(row, budget).at(window(now, *period)).amount > 0)
    }

    fn part(&self, consumer: u64) -> String {
        format!("{}{}", self.name, consumer % self.parts.max(1) as u64)
    }

    /// Bytes of a row.
    fn row(&self) -> usize {
        KEY + SUM * self.periods.len()
    }
}

impl Sum {
    /// What of the sum counts in a window. Where the clock was set back a little, the later window goes on; one that is
    /// further ahead is of a clock that was wrong.
    const fn at(self, window: u32) -> Self {
        match self.window.checked_sub(window) {
            Some(0 | 1) => self,
            _ => Self { window, amount: 0 },
        }
    }
}

/// The sum of a budget in a row; of nothing where there is no row.
fn sum(row: &[u8], budget: usize) -> Sum {
    let bytes = row.get(KEY + SUM * budget..).and_then(<[u8]>::first_chunk::<SUM>);
    let Some([a, b, c, d, amount @ ..]) = bytes else { return Sum { window: 0, amount: 0 } };
    Sum { window: u32::from_le_bytes([*a, *b, *c, *d]), amount: u64::from_le_bytes(*amount) }
}

/// The number of the window that a time is in.
fn window(now: u64, period: u32) -> u32 {
    u32::try_from(now / u64::from(period.max(1))).unwrap_or(u32::MAX)
}
