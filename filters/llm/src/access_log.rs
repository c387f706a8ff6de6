//! Fields for Envoy's access log, as filter state: `%FILTER_STATE(wasm.tollgate.model:PLAIN)%`.
//!
//! They are set in `on_log`. Envoy tells its filters of the end of a stream before it writes the access log, so what is
//! set there is in the line of the same stream, an aborted one included.

use crate::call::{self, Call};
use crate::proxy::Proxy;

/// Sets a field for everything that is known of the call. Gives how many the proxy refused.
pub(crate) fn set_fields(proxy: &impl Proxy, call: &Call<'_>) -> u64 {
    let mut fields = Fields { proxy, refused: 0 };
    let record = call.record;
    fields.text("tollgate.provider", record.provider.as_deref());
    fields.text("tollgate.operation", Some(record.operation.as_str()));
    fields.text("tollgate.model", record.model());
    fields.text("tollgate.outcome", Some(record.outcome.as_str()));
    fields.text("tollgate.error_type", record.error_type.as_deref());
    if let Some(usage) = &record.usage {
        fields.number("tollgate.input_tokens", usage.input_tokens);
        fields.number("tollgate.output_tokens", usage.output_tokens);
        fields.number("tollgate.cache_read_tokens", usage.cache_read_tokens);
        fields.number("tollgate.cache_write_tokens", usage.cache_write_tokens);
        fields.number("tollgate.reasoning_tokens", usage.reasoning_tokens);
    }
    fields.text("tollgate.usage_source", record.usage_source.map(tollgate_call::UsageSource::as_str));
    fields.text("tollgate.cost_level", call.cost_level);
    match &call.cost {
        Some(Ok(cost)) => fields.text("tollgate.cost_usd", Some(&cost.amount.to_string())),
        Some(Err(unpriced)) => fields.text("tollgate.unpriced", Some(unpriced.as_str())),
        None => {}
    }
    fields.number("tollgate.time_to_first_chunk_ms", call.timing.time_to_first_chunk.map(|nanos| nanos / 1_000_000));
    fields.text("tollgate.trace_id", Some(&call.trace_id_text()));
    fields.refused
}

/// Sets the whole record as JSON text. Gives how many fields the proxy refused.
pub(crate) fn set_record(proxy: &impl Proxy, call: &Call<'_>) -> u64 {
    let mut fields = Fields { proxy, refused: 0 };
    fields.text("tollgate.record", serde_json::to_string(call.record).ok().as_deref());
    fields.refused
}

/// Sets what Envoy's global rate limit adds up at the end of a stream: whole numbers, because it knows no others. Gives
/// how many fields the proxy refused.
pub(crate) fn set_rate_limit_values(proxy: &impl Proxy, call: &Call<'_>) -> u64 {
    let mut fields = Fields { proxy, refused: 0 };
    fields.number("tollgate.total_tokens", call.record.usage.as_ref().map(call::tokens));
    fields.number("tollgate.cost_micro_usd", call.cost_nano_usd().map(|nanos| nanos.div_ceil(1000)));
    fields.refused
}

struct Fields<'a, P> {
    proxy: &'a P,
    refused: u64,
}

impl<P: Proxy> Fields<'_, P> {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value
            && self.proxy.set_state(name, value.as_bytes()).is_err()
        {
            self.refused += 1;
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.text(name, Some(&value.to_string()));
        }
    }
}
