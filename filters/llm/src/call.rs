//! A call that is over, with everything that is known of it: what counters, access log and span are made from.

use crate::exchange::Caller;
use crate::ids::Ids;
use tollgate_call::{Content, Record, Timing, Usage};
use tollgate_cost_calculator::{Calculator, Charge, Served, Unpriced};

/// A call that is over.
pub(crate) struct Call<'a> {
    pub(crate) record: &'a Record,
    pub(crate) timing: &'a Timing,
    /// What was said, as far as it was captured; redacted.
    pub(crate) content: &'a Content,
    /// What it cost; `None` where there is no usage.
    pub(crate) cost: Option<Result<Charge<'a>, Unpriced>>,
    /// Whether that is remarkable by itself.
    pub(crate) cost_level: Option<&'static str>,
    /// How many findings of each type were taken out of the content.
    pub(crate) redactions: &'a [(String, u64)],
    /// Whether the usage was asked for by the filter, and not by the caller.
    pub(crate) usage_requested: bool,
    pub(crate) caller: &'a Caller,
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    /// Nanoseconds since 1970.
    pub(crate) started: u64,
    /// Nanoseconds since 1970.
    pub(crate) ended: u64,
}

impl Call<'_> {
    /// The trace id as hexadecimal text.
    pub(crate) fn trace_id_text(&self) -> String {
        let digit = |value: u8| char::from_digit(value.into(), 16);
        self.trace_id.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
    }

    /// Flags of the span's own place in the trace: it is recorded, and the trace id is random where the caller's is.
    /// Flags that are not known are cleared. Source: W3C Trace Context level 2, "trace-flags".
    pub(crate) fn trace_flags(&self) -> u8 {
        const SAMPLED: u8 = 1;
        const RANDOM: u8 = 2;
        SAMPLED | self.caller.parent.map_or(0, |parent| parent.flags & RANDOM)
    }

    /// Cost in billionths of a US dollar, where there is one.
    pub(crate) fn cost_nano_usd(&self) -> Option<u64> {
        let cost = self.cost.as_ref()?.as_ref().ok()?;
        u64::try_from(cost.amount.nanos()).ok()
    }
}

/// Tokens of a call, input and output.
pub(crate) fn tokens(usage: &Usage) -> u64 {
    usage.input_tokens.unwrap_or(0).saturating_add(usage.output_tokens.unwrap_or(0))
}

/// Trace and span id of a call: in the caller's trace where there is one.
pub(crate) fn identify(ids: &mut Ids, caller: &Caller, now: u64) -> ([u8; 16], [u8; 8]) {
    match caller.parent {
        Some(parent) => (parent.trace_id, ids.span_id(&parent.span_id, now)),
        None => (ids.trace_id(&caller.request_id, now), ids.span_id(&caller.request_id, now)),
    }
}

/// Prices the usage of a call; `None` where it has none.
pub(crate) fn price<'a>(
    calculator: &'a Calculator,
    record: &Record,
    started: u64,
) -> Option<Result<Charge<'a>, Unpriced>> {
    let usage = record.usage.as_ref()?;
    let at_unix_seconds = i64::try_from(started / 1_000_000_000).unwrap_or(i64::MAX);
    let call = tollgate_cost_calculator::Call {
        provider: record.provider.as_deref(),
        model: record.model().unwrap_or_default(),
        usage,
        at_unix_seconds,
        served: Served {
            tier: record.service_tier.as_deref(),
            speed: record.speed.as_deref(),
            inference_geo: record.inference_geo.as_deref(),
        },
    };
    Some(calculator.charge(&call, record.request_model.as_deref()))
}
