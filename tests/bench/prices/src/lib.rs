//! What pricing a call costs: finding the row in the whole set, choosing its rates, and the bill.
//!
//! The crate is linked into a native benchmark and is a wasm module of its own, so that both run the same work.

use std::hint::black_box;
use tollgate_call::Usage;
use tollgate_cost_calculator::{Call, PriceSet, Served};

/// Calls as they are common: provider and model.
pub const CALLS: [(&str, &str); 6] = [
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("gcp.gemini", "gemini-2.5-pro"),
    ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("azure.ai.openai", "gpt-4o"),
];

/// 2026-11-01, in seconds since 1970.
const AT: i64 = 1_793_534_400;

/// Prices one of [`CALLS`] so many times; gives the sum in billionths of a US dollar.
#[must_use]
pub fn price(call: usize, times: u32) -> u64 {
    let Some((provider, model)) = CALLS.get(call).copied() else { return 0 };
    let usage = Usage {
        input_tokens: Some(12_000),
        cache_read_tokens: Some(8_000),
        output_tokens: Some(700),
        reasoning_tokens: Some(300),
        ..Usage::default()
    };
    let served = Served::default();
    let call = Call { provider: Some(provider), model, usage: &usage, at_unix_seconds: AT, served };
    (0..times).fold(0, |sum: u64, _| {
        let cost = PriceSet::builtin().price(black_box(&call));
        let nanos = cost.as_ref().map_or(0, |cost| u64::try_from(black_box(cost).total.nanos()).unwrap_or(0));
        sum.wrapping_add(nanos)
    })
}

/// [`price`] for a host of wasm.
#[expect(unsafe_code, reason = "an export has to have its name")]
#[unsafe(no_mangle)]
pub extern "C" fn price_call(call: u32, times: u32) -> u64 {
    price(usize::try_from(call).unwrap_or(usize::MAX), times)
}
