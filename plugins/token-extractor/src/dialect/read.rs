//! Names that dialects are told apart by or that take more than a new name, each with a number.

use super::to;

macro_rules! reads {
    ($($constant:ident = $name:literal;)+) => {
        #[repr(u16)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($constant),+ }
        $(pub(super) const $constant: u16 = BASE + Number::$constant as u16;)+

        /// The names, in the order of their numbers.
        pub(super) const NAMES: &[&str] = &[$($name),+];
    };
}

/// The numbers below are those of current names.
#[expect(clippy::cast_possible_truncation, reason = "a few dozen")]
const BASE: u16 = to::COUNT as u16;

reads! {
    SCOPE = "scope:name";
    // Totals of the older conventions and of OpenLLMetry.
    TOTAL_TOKENS = "gen_ai.usage.total_tokens";
    LLM_TOTAL_TOKENS = "llm.usage.total_tokens";
    // OpenInference.
    OI_KIND = "openinference.span.kind";
    OI_MODEL = "llm.model_name";
    OI_TOTAL = "llm.token_count.total";
    OI_PARAMETERS = "llm.invocation_parameters";
    OI_EMBEDDING_PARAMETERS = "embedding.invocation_parameters";
    OI_OUTPUT = "output.value";
    // OpenLLMetry.
    TRACELOOP_KIND = "traceloop.span.kind";
    REQUEST_TYPE = "llm.request.type";
    // Langfuse.
    LANGFUSE_TYPE = "langfuse.observation.type";
    LANGFUSE_MODEL = "langfuse.observation.model.name";
    LANGFUSE_PARAMETERS = "langfuse.observation.model.parameters";
    LANGFUSE_USAGE = "langfuse.observation.usage_details";
    // Vercel AI SDK.
    AI_OPERATION = "ai.operationId";
    AI_TOTAL = "ai.usage.totalTokens";
    AI_TOKENS = "ai.usage.tokens";
    AI_NO_CACHE = "ai.usage.inputTokenDetails.noCacheTokens";
    AI_METADATA = "ai.response.providerMetadata";
    // Google ADK.
    ADK_REQUEST = "gcp.vertex.agent.llm_request";
    ADK_RESPONSE = "gcp.vertex.agent.llm_response";
    // agentgateway, before it spoke the conventions.
    GATEWAY_REQUEST_TOKENS = "llm.request.tokens";
    GATEWAY_RESPONSE_TOKENS = "llm.response.tokens";
    // Keys of Envoy AI Gateway's dynamic metadata.
    ENVOY_INPUT = "llm_input_token";
    ENVOY_OUTPUT = "llm_output_token";
    ENVOY_TOTAL = "llm_total_token";
    ENVOY_CACHE_READ = "llm_cached_input_token";
    ENVOY_CACHE_WRITE = "llm_cache_creation_input_token";
    ENVOY_REASONING = "llm_reasoning_token";
    ENVOY_BACKEND = "backend_name";
    ENVOY_MODEL = "model_name_override";
    ENVOY_RESPONSE_MODEL = "response_model";
    // Content from here on: read only where it was asked for.
    OLD_PROMPT = "gen_ai.prompt";
    OLD_COMPLETION = "gen_ai.completion";
    OLD_PROMPTS = "gen_ai.prompt.*";
    OLD_COMPLETIONS = "gen_ai.completion.*";
    OI_INPUT_MESSAGES = "llm.input_messages.*";
    OI_OUTPUT_MESSAGES = "llm.output_messages.*";
    LANGFUSE_INPUT = "langfuse.observation.input";
    LANGFUSE_OUTPUT = "langfuse.observation.output";
    AI_PROMPT = "ai.prompt";
    AI_MESSAGES = "ai.prompt.messages";
    AI_TEXT = "ai.response.text";
    AI_OBJECT = "ai.response.object";
    AI_TOOL_CALLS = "ai.response.toolCalls";
    PYDANTIC_MESSAGES = "pydantic_ai.all_messages";
    PYDANTIC_EVENTS = "all_messages_events";
}

/// The names that are content.
pub(super) fn content() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied().skip(usize::from(OLD_PROMPT - BASE))
}
