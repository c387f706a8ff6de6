//! What emitters of older conventions, and some vendors, call the same things.
//!
//! Source: the change log of the GenAI conventions, and the names that instrumentations in use still send. Names
//! with numbers in them (`gen_ai.prompt.0.content`) are patterns and are not in a table.

use crate::attribute as new;

/// `(old name, new name)`: only the name differs, the value is taken as it is. Ascending by old name.
///
/// One exception is in the values: those of `gen_ai.system` go through [`crate::provider::RENAMED`].
pub const RENAMED: &[(&str, &str)] = &[
    ("gen_ai.is_streaming", new::GEN_AI_REQUEST_STREAM),
    ("gen_ai.openai.request.seed", new::GEN_AI_REQUEST_SEED),
    ("gen_ai.openai.request.service_tier", new::OPENAI_REQUEST_SERVICE_TIER),
    ("gen_ai.openai.response.service_tier", new::OPENAI_RESPONSE_SERVICE_TIER),
    ("gen_ai.openai.response.system_fingerprint", new::OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
    ("gen_ai.system", new::GEN_AI_PROVIDER_NAME),
    ("gen_ai.usage.cache_creation.input_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.cache_creation_input_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.cache_read_input_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.cache_read_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.cache_write_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.completion_tokens", new::GEN_AI_USAGE_OUTPUT_TOKENS),
    ("gen_ai.usage.completion_tokens_details.reasoning_tokens", new::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("gen_ai.usage.details.cache_creation_input_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.details.cache_read_input_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.details.cache_read_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.details.cache_write_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.details.reasoning_tokens", new::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("gen_ai.usage.input_cache_creation", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.input_cached_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.input_tokens.cached", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.output_tokens.reasoning", new::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("gen_ai.usage.prompt_tokens", new::GEN_AI_USAGE_INPUT_TOKENS),
    ("gen_ai.usage.prompt_tokens_details.cache_creation_tokens", new::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("gen_ai.usage.prompt_tokens_details.cached_tokens", new::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("gen_ai.usage.reasoning_tokens", new::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("llm.is_streaming", new::GEN_AI_REQUEST_STREAM),
    ("llm.usage.reasoning_tokens", new::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
];

/// `(old name, new name)` where the value changes its form as well, so that a reader has to convert it: one finish
/// reason becomes a list of them, a response format becomes an output type, old messages become messages of parts.
pub const RESHAPED: &[(&str, &str)] = &[
    ("ai.response.finishReason", new::GEN_AI_RESPONSE_FINISH_REASONS),
    ("gen_ai.completion", new::GEN_AI_OUTPUT_MESSAGES),
    ("gen_ai.finishReason", new::GEN_AI_RESPONSE_FINISH_REASONS),
    ("gen_ai.openai.request.response_format", new::GEN_AI_OUTPUT_TYPE),
    ("gen_ai.prompt", new::GEN_AI_INPUT_MESSAGES),
    ("gen_ai.response.finish_reason", new::GEN_AI_RESPONSE_FINISH_REASONS),
    ("gen_ai.response.stop_reason", new::GEN_AI_RESPONSE_FINISH_REASONS),
    ("llm.request.functions", new::GEN_AI_TOOL_DEFINITIONS),
];

/// The new name of an attribute that [`RENAMED`] lists; `None` for any other.
#[must_use]
pub fn current_name(old: &str) -> Option<&'static str> {
    let at = RENAMED.binary_search_by(|(name, _)| (*name).cmp(old)).ok()?;
    RENAMED.get(at).map(|(_, name)| *name)
}
