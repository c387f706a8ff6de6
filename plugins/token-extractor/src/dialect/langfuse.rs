//! Langfuse.
//!
//! Source: the attributes of the Langfuse SDKs. `usage_details` is a map that applications may fill themselves: in
//! Langfuse's own keys `input` is without what is counted under another key, and everything adds up to `total`; the
//! SDK's own integrations hand over the provider's map as it is, in which a total includes its details.

use super::convert::Convert;
use super::facts::{Facts, count, first_count};
use super::parameters;
use super::span::Span;
use super::usage;
use super::{Rename, read, to};
use serde_json::Value;
use tollgate_semconv::{call_role, operation};

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] =
    &[("langfuse.session.id", to::CONVERSATION, Convert::AsIs), ("langfuse.user.id", to::USER, Convert::AsIs)];

/// Type of observation, model, parameters, usage.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    let Some(kind) = span.text(read::LANGFUSE_TYPE) else { return };
    facts.known = true;
    let (operation, role) = match kind {
        "generation" => (Some(operation::CHAT), call_role::BILLABLE),
        "embedding" => (Some(operation::EMBEDDINGS), call_role::BILLABLE),
        "agent" => (Some(operation::INVOKE_AGENT), call_role::AGGREGATE),
        "tool" => (Some(operation::EXECUTE_TOOL), call_role::AGGREGATE),
        "retriever" => (Some(operation::RETRIEVAL), call_role::AGGREGATE),
        _ => (None, call_role::AGGREGATE),
    };
    facts.set_text(to::OPERATION, operation);
    facts.role = facts.role.or(Some(role));
    facts.set_text(to::REQUEST_MODEL, span.text(read::LANGFUSE_MODEL));
    if let Some(parameters) = span.json(read::LANGFUSE_PARAMETERS) {
        facts.set_text(to::RESPONSE_TIER, parameters.get("service_tier").and_then(Value::as_str).map(str::to_owned));
        parameters::read(&parameters, facts);
    }
    if let Some(details) = span.json(read::LANGFUSE_USAGE) {
        usage_details(&details, facts);
    }
}

fn usage_details(details: &Value, facts: &mut Facts<'_>) {
    if count(details.get("input")).is_none() && count(details.get("output")).is_none() {
        usage::read_provider(details, facts);
        return;
    }
    let read = first_count(details, &["input_cached_tokens", "cache_read_input_tokens", "input_cache_read"]);
    let write = first_count(details, &["cache_creation_input_tokens", "input_cache_creation", "input_cache_write"]);
    let (audio_in, audio_out) = (count(details.get("input_audio_tokens")), count(details.get("output_audio_tokens")));
    let reasoning = first_count(details, &["output_reasoning_tokens", "output_reasoning"]);
    let sum = |whole: Option<i64>, parts: [Option<i64>; 3]| {
        let parts = parts.into_iter().flatten().fold(0, i64::saturating_add);
        whole.map(|whole| whole.saturating_add(parts))
    };
    let (input, output, total) =
        (count(details.get("input")), count(details.get("output")), count(details.get("total")));
    // Where its own total says so, the map is inclusive after all.
    let plain = input.unwrap_or(0).saturating_add(output.unwrap_or(0));
    let inclusive = total == Some(plain);
    facts.set_count(to::INPUT, if inclusive { input } else { sum(input, [read, write, audio_in]) });
    facts.set_count(to::OUTPUT, if inclusive { output } else { sum(output, [reasoning, audio_out, None]) });
    facts.set_count(to::CACHE_READ, read);
    facts.set_count(to::CACHE_WRITE, write);
    facts.set_count(to::REASONING, reasoning);
    facts.set_count(to::AUDIO_INPUT, audio_in);
    facts.set_count(to::AUDIO_OUTPUT, audio_out);
}
