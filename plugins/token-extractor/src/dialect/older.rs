//! Older GenAI conventions, what vendors made of them, and OpenLLMetry, which has grown out of them.
//!
//! Sources: the change log of the GenAI conventions; OpenLLMetry's semantic conventions for AI; the telemetry of
//! Anthropic's own client, of Pydantic AI, of Sentry and of OpenLIT. Names that are only spelt differently are in
//! `tollgate_semconv::RENAMED`.

use super::convert::{Convert, request_type};
use super::facts::Facts;
use super::span::Span;
use super::{Rename, read, to};
use tollgate_semconv::{call_role, operation};

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] = &[
    ("gen_ai.response.finish_reason", to::FINISH_REASONS, Convert::List),
    ("gen_ai.response.stop_reason", to::FINISH_REASONS, Convert::List),
    ("gen_ai.finishReason", to::FINISH_REASONS, Convert::List),
    ("gen_ai.openai.request.response_format", to::OUTPUT_TYPE, Convert::ResponseFormat),
    ("gen_ai.completion_tokens_details.reasoning_tokens", to::REASONING, Convert::AsIs),
    // Anthropic's client.
    ("anthropic.message.stop_reason", to::FINISH_REASONS, Convert::List),
    ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens", to::CACHE_WRITE_5M, Convert::AsIs),
    ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens", to::CACHE_WRITE_1H, Convert::AsIs),
    // OpenLLMetry.
    ("llm.vendor", to::PROVIDER, Convert::Provider),
    ("llm.request.model", to::REQUEST_MODEL, Convert::AsIs),
    ("llm.response.model", to::RESPONSE_MODEL, Convert::AsIs),
    ("llm.response.finish_reason", to::FINISH_REASONS, Convert::List),
    ("llm.response.stop_reason", to::FINISH_REASONS, Convert::List),
    ("llm.request.max_tokens", to::MAX_TOKENS, Convert::AsIs),
    ("llm.temperature", to::TEMPERATURE, Convert::AsIs),
    ("llm.top_p", to::TOP_P, Convert::AsIs),
    ("llm.top_k", to::TOP_K, Convert::AsIs),
    ("llm.frequency_penalty", to::FREQUENCY_PENALTY, Convert::AsIs),
    ("llm.presence_penalty", to::PRESENCE_PENALTY, Convert::AsIs),
    ("llm.usage.prompt_tokens", to::INPUT, Convert::AsIs),
    ("llm.usage.completion_tokens", to::OUTPUT, Convert::AsIs),
    ("llm.usage.cache_read_input_tokens", to::CACHE_READ, Convert::AsIs),
    ("llm.usage.cache_creation_input_tokens", to::CACHE_WRITE, Convert::AsIs),
    ("traceloop.association.properties.session_id", to::CONVERSATION, Convert::AsIs),
    ("traceloop.association.properties.user_id", to::USER, Convert::AsIs),
    ("llm.user", to::USER, Convert::AsIs),
];

/// OpenLLMetry's kinds of span and types of request.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    facts.total = facts.total.or_else(|| span.count(read::TOTAL_TOKENS)).or_else(|| span.count(read::LLM_TOTAL_TOKENS));
    if let Some(kind) = span.text(read::REQUEST_TYPE) {
        facts.known = true;
        facts.set_text(to::OPERATION, request_type(kind));
    }
    let operation = match span.text(read::TRACELOOP_KIND) {
        Some("workflow") => Some(operation::INVOKE_WORKFLOW),
        Some("agent") => Some(operation::INVOKE_AGENT),
        Some("tool") => Some(operation::EXECUTE_TOOL),
        Some(_) => None,
        None => return,
    };
    facts.known = true;
    facts.set_text(to::OPERATION, operation);
    facts.role = facts.role.or(Some(call_role::AGGREGATE));
}
