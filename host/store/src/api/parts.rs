//! What answers have in common.

use crate::call::KINDS;
use crate::error::StoreError;
use crate::moment;
use crate::money::usd;
use crate::query::{Latency, Sums};
use crate::store::Store;
use serde::{Serialize, Serializer};

/// Where an answer comes from, so that it can be told from the answers of the cost ledger.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    from: &'static str,
    sampled: bool,
    held_since: Option<String>,
}

impl Source {
    pub(super) fn new(store: &Store, sampled: bool) -> Result<Self, StoreError> {
        Ok(Self { from: "store", sampled, held_since: store.held_since()?.map(moment::text) })
    }
}

/// Tokens by kind.
#[derive(Debug)]
pub(super) struct Tokens<T>(pub(super) [T; KINDS.len()]);

impl<T: Copy + Serialize> Serialize for Tokens<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(KINDS.into_iter().zip(self.0))
    }
}

/// Sums, as the cost ledger's answer has them.
#[derive(Debug, Serialize)]
pub(super) struct Whole {
    cost_usd: String,
    cost_nano_usd: String,
    calls: u64,
    priced_calls: u64,
    unpriced_calls: u64,
    failed_calls: u64,
    tokens: Tokens<u128>,
}

impl Whole {
    pub(super) fn new(sums: &Sums) -> Self {
        Self {
            cost_usd: usd(sums.nano_usd),
            cost_nano_usd: sums.nano_usd.to_string(),
            calls: sums.calls,
            priced_calls: sums.priced,
            unpriced_calls: sums.calls - sums.priced,
            failed_calls: sums.failed,
            tokens: Tokens(sums.tokens),
        }
    }
}

/// Percentiles; `null` where the time of no call is known.
#[derive(Debug, Serialize)]
pub(super) struct Percentiles {
    calls: u64,
    p50_ns: Option<u64>,
    p95_ns: Option<u64>,
    p99_ns: Option<u64>,
}

impl Percentiles {
    pub(super) fn new(latency: Latency) -> Self {
        let known = |time| (latency.calls > 0).then_some(time);
        Self {
            calls: latency.calls,
            p50_ns: known(latency.p50),
            p95_ns: known(latency.p95),
            p99_ns: known(latency.p99),
        }
    }
}

/// An id as OTLP/JSON writes it.
pub(super) fn hexadecimal(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
