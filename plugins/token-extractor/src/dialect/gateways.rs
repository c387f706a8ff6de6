//! Envoy AI Gateway and agentgateway.
//!
//! Sources: their documentation and telemetry modules. Envoy AI Gateway sends OpenInference or the conventions, by its
//! setting; beside that the keys of its dynamic metadata become attributes where its Envoy is configured to tag spans
//! with them. agentgateway sends the conventions; older versions had the names below.

use super::convert::{Convert, provider_name};
use super::facts::Facts;
use super::span::Span;
use super::{Rename, read, to};
use tollgate_semconv::operation;

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] = &[
    // agentgateway.
    ("llm.request.tokens", to::INPUT, Convert::AsIs),
    ("llm.response.tokens", to::OUTPUT, Convert::AsIs),
    ("llm.request.temperature", to::TEMPERATURE, Convert::AsIs),
    ("llm.request.top_p", to::TOP_P, Convert::AsIs),
    ("llm.request.frequency_penalty", to::FREQUENCY_PENALTY, Convert::AsIs),
    ("llm.request.presence_penalty", to::PRESENCE_PENALTY, Convert::AsIs),
    ("llm.request.seed", to::SEED, Convert::AsIs),
];

/// A request that either of them counted tokens of is a call to a model. The keys of the dynamic metadata are plain
/// words that mean other things on other spans, so they count only together.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    if span.has(read::GATEWAY_REQUEST_TOKENS) || span.has(read::GATEWAY_RESPONSE_TOKENS) {
        facts.known = true;
        facts.set_text(to::OPERATION, Some(operation::CHAT));
    }
    if !span.has(read::ENVOY_INPUT) && !span.has(read::ENVOY_OUTPUT) {
        return;
    }
    facts.known = true;
    facts.set_text(to::OPERATION, Some(operation::CHAT));
    facts.set_text(to::PROVIDER, span.text(read::ENVOY_BACKEND).map(provider_name));
    facts.set_text(to::REQUEST_MODEL, span.text(read::ENVOY_MODEL));
    facts.set_text(to::RESPONSE_MODEL, span.text(read::ENVOY_RESPONSE_MODEL));
    facts.total = facts.total.or_else(|| span.count(read::ENVOY_TOTAL));
    for (number, from) in [
        (to::INPUT, read::ENVOY_INPUT),
        (to::OUTPUT, read::ENVOY_OUTPUT),
        (to::CACHE_READ, read::ENVOY_CACHE_READ),
        (to::CACHE_WRITE, read::ENVOY_CACHE_WRITE),
        (to::REASONING, read::ENVOY_REASONING),
    ] {
        facts.set_count(number, span.count(from));
    }
}
