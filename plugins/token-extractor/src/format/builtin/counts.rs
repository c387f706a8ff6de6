//! How the counts of each API become canonical. What each means is in `docs/SEMANTICS.md`.

use super::Rules;

/// Chat completions: totals are inclusive. Besides OpenAI's place for cached tokens there are those of DeepSeek
/// (`prompt_cache_hit_tokens`) and Moonshot (`cached_tokens`). Mistral's `num_cached_tokens` counts what its engine had
/// in memory, which is not what is billed as cached, and stays native. Perplexity says its reasoning flat.
pub(super) const CHAT_USAGE: Rules = &[
    ("input_tokens", "usage.prompt_tokens"),
    ("output_tokens", "usage.completion_tokens"),
    (
        "cache_read_tokens",
        "usage.prompt_tokens_details.cached_tokens | usage.prompt_cache_hit_tokens | usage.cached_tokens",
    ),
    (
        "cache_write_tokens",
        "usage.prompt_tokens_details.cache_write_tokens | usage.prompt_tokens_details.cache_creation_tokens",
    ),
    ("reasoning_tokens", "usage.completion_tokens_details.reasoning_tokens | usage.reasoning_tokens"),
    ("audio_input_tokens", "usage.prompt_tokens_details.audio_tokens"),
    ("audio_output_tokens", "usage.completion_tokens_details.audio_tokens"),
    ("image_input_tokens", "usage.prompt_tokens_details.image_tokens"),
    ("image_output_tokens", "usage.completion_tokens_details.image_tokens"),
    ("provider_total_tokens", "usage.total_tokens"),
    (
        "web_search",
        "usage.num_search_queries | usage.server_tool_use.web_search_requests | usage.server_side_tool_usage_details.web_search_calls",
    ),
];

/// Responses and the other APIs of OpenAI that came with it: totals are inclusive.
pub(super) const RESPONSES_USAGE: Rules = &[
    ("input_tokens", "usage.input_tokens"),
    ("output_tokens", "usage.output_tokens"),
    ("cache_read_tokens", "usage.input_tokens_details.cached_tokens"),
    ("cache_write_tokens", "usage.input_tokens_details.cache_write_tokens"),
    ("reasoning_tokens", "usage.output_tokens_details.reasoning_tokens"),
    ("audio_input_tokens", "usage.input_tokens_details.audio_tokens | usage.input_token_details.audio_tokens"),
    ("audio_output_tokens", "usage.output_tokens_details.audio_tokens | usage.output_token_details.audio_tokens"),
    ("image_input_tokens", "usage.input_tokens_details.image_tokens"),
    (
        "cache_read_audio_tokens",
        "usage.input_tokens_details.cached_tokens_details.audio_tokens | usage.input_token_details.cached_tokens_details.audio_tokens",
    ),
    (
        "cache_read_image_tokens",
        "usage.input_tokens_details.cached_tokens_details.image_tokens | usage.input_token_details.cached_tokens_details.image_tokens",
    ),
    ("audio_input_seconds", "usage.seconds"),
    ("image_output_tokens", "usage.output_tokens_details.image_tokens"),
    ("provider_total_tokens", "usage.total_tokens"),
    ("web_search", "output.web_search_call | usage.server_side_tool_usage_details.web_search_calls"),
    ("file_search", "output.file_search_call"),
    ("code_execution", "output.code_interpreter_call"),
    ("image_generation", "output.image_generation_call"),
    ("computer_use", "output.computer_call"),
    ("mcp", "output.mcp_call"),
];

/// Images: those that were made, which is what older models are billed by; newer ones report tokens, too.
pub(super) const IMAGES_USAGE: Rules = &[
    ("input_tokens", "usage.input_tokens"),
    ("output_tokens", "usage.output_tokens"),
    ("image_input_tokens", "usage.input_tokens_details.image_tokens"),
    ("image_output_tokens", "usage.output_tokens_details.image_tokens"),
    ("provider_total_tokens", "usage.total_tokens"),
    ("images", "data"),
];

/// Messages: `input_tokens` is what neither came from the cache nor went into it, so the three are added. The cache
/// write is split by time to live in `cache_creation`; where only the split is reported, its sum is the write.
/// `thinking_tokens` counts text that the caller does see, and stays native. The counts leave out what the compaction of
/// a long conversation took, which is billed all the same and stands in `iterations`; it is added.
pub(super) const MESSAGES_USAGE: Rules = &[
    (
        "input_tokens",
        "usage.input_tokens + usage.iterations.compaction.input_tokens + @cache_read_tokens + @cache_write_tokens",
    ),
    ("output_tokens", "usage.output_tokens + usage.iterations.compaction.output_tokens"),
    (
        "cache_read_tokens",
        "usage.cache_read_input_tokens + usage.iterations.compaction.cache_read_input_tokens | usage.iterations.compaction.cache_read_input_tokens",
    ),
    (
        "cache_write_tokens",
        "usage.cache_creation_input_tokens + usage.iterations.compaction.cache_creation_input_tokens | usage.cache_creation.ephemeral_5m_input_tokens + usage.cache_creation.ephemeral_1h_input_tokens | usage.cache_creation.ephemeral_1h_input_tokens | usage.iterations.compaction.cache_creation_input_tokens",
    ),
    (
        "cache_write_5m_tokens",
        "usage.cache_creation.ephemeral_5m_input_tokens + usage.iterations.compaction.cache_creation.ephemeral_5m_input_tokens",
    ),
    (
        "cache_write_1h_tokens",
        "usage.cache_creation.ephemeral_1h_input_tokens + usage.iterations.compaction.cache_creation.ephemeral_1h_input_tokens",
    ),
    ("web_search", "usage.server_tool_use.web_search_requests"),
    ("web_fetch", "usage.server_tool_use.web_fetch_requests"),
    ("code_execution", "usage.server_tool_use.code_execution_requests"),
];

/// Gemini: thoughts are not among the candidates' tokens, and what its own tools put into the prompt is not among the
/// prompt's; both are added. What the cache held is part of the prompt.
pub(super) const GEMINI_USAGE: Rules = &[
    ("input_tokens", "usageMetadata.promptTokenCount + usageMetadata.toolUsePromptTokenCount"),
    (
        "output_tokens",
        "usageMetadata.candidatesTokenCount + usageMetadata.thoughtsTokenCount | usageMetadata.thoughtsTokenCount",
    ),
    ("cache_read_tokens", "usageMetadata.cachedContentTokenCount"),
    ("reasoning_tokens", "usageMetadata.thoughtsTokenCount"),
    ("audio_input_tokens", "usageMetadata.promptTokensDetails.AUDIO"),
    ("audio_output_tokens", "usageMetadata.candidatesTokensDetails.AUDIO"),
    ("image_input_tokens", "usageMetadata.promptTokensDetails.IMAGE"),
    ("image_output_tokens", "usageMetadata.candidatesTokensDetails.IMAGE"),
    ("cache_read_audio_tokens", "usageMetadata.cacheTokensDetails.AUDIO"),
    ("cache_read_image_tokens", "usageMetadata.cacheTokensDetails.IMAGE"),
    ("tool_use_input_tokens", "usageMetadata.toolUsePromptTokenCount"),
    ("provider_total_tokens", "usageMetadata.totalTokenCount"),
    ("web_search", "candidates.groundingMetadata.webSearchQueries"),
];

/// Converse: `inputTokens` leaves out what the cache read and wrote, as with Anthropic.
pub(super) const CONVERSE_USAGE: Rules = &[
    ("input_tokens", "usage.inputTokens + @cache_read_tokens + @cache_write_tokens"),
    ("output_tokens", "usage.outputTokens"),
    ("cache_read_tokens", "usage.cacheReadInputTokens | usage.cacheReadInputTokenCount"),
    ("cache_write_tokens", "usage.cacheWriteInputTokens | usage.cacheWriteInputTokenCount"),
    ("cache_write_5m_tokens", "usage.cacheDetails.5m"),
    ("cache_write_1h_tokens", "usage.cacheDetails.1h"),
    ("provider_total_tokens", "usage.totalTokens"),
];

/// `InvokeModel`: what each family of models says in its own format, then what Bedrock says itself: the metrics in the
/// last event of a stream, and the headers of an answer that is none.
pub(super) const INVOKE_USAGE: Rules = &[
    (
        "input_tokens",
        "usage.inputTokens + @cache_read_tokens + @cache_write_tokens | usage.input_tokens + @cache_read_tokens + @cache_write_tokens | usage.prompt_tokens | inputTextTokenCount | prompt_token_count | meta.billed_units.input_tokens | amazon-bedrock-invocationMetrics.inputTokenCount + @cache_read_tokens + @cache_write_tokens | x-amzn-bedrock-input-token-count + @cache_read_tokens + @cache_write_tokens",
    ),
    (
        "output_tokens",
        "usage.outputTokens | usage.output_tokens | usage.completion_tokens | results.tokenCount | totalOutputTextTokenCount | generation_token_count | meta.billed_units.output_tokens | amazon-bedrock-invocationMetrics.outputTokenCount | x-amzn-bedrock-output-token-count",
    ),
    (
        "cache_read_tokens",
        "usage.cacheReadInputTokenCount | usage.cacheReadInputTokens | usage.cache_read_input_tokens | usage.prompt_tokens_details.cached_tokens | amazon-bedrock-invocationMetrics.cacheReadInputTokenCount | x-amzn-bedrock-cache-read-input-token-count",
    ),
    (
        "cache_write_tokens",
        "usage.cacheWriteInputTokenCount | usage.cacheWriteInputTokens | usage.cache_creation_input_tokens | amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount | x-amzn-bedrock-cache-write-input-token-count",
    ),
    ("reasoning_tokens", "usage.completion_tokens_details.reasoning_tokens"),
    ("provider_total_tokens", "usage.totalTokens | usage.total_tokens"),
];

/// Cohere: where both are given, billed counts are the usage. `cached_tokens` is part of the tokens that were consumed,
/// not of the billed ones, and may be more than those; it stays native.
pub(super) const COHERE_USAGE: Rules = &[
    (
        "input_tokens",
        "usage.billed_units.input_tokens | meta.billed_units.input_tokens | usage.tokens.input_tokens | meta.tokens.input_tokens",
    ),
    (
        "output_tokens",
        "usage.billed_units.output_tokens | meta.billed_units.output_tokens | usage.tokens.output_tokens | meta.tokens.output_tokens",
    ),
];

pub(super) const OLLAMA_USAGE: Rules = &[("input_tokens", "prompt_eval_count"), ("output_tokens", "eval_count")];
