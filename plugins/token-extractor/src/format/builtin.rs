//! The APIs that are read without being configured.
//!
//! Source of each: the provider's API reference, and for the canonical counts `docs/SEMANTICS.md`.

use super::{Definition, Reader};
use tollgate_call::Operation;
use tollgate_semconv::provider;

type Rules = &'static [(&'static str, &'static str)];

/// Errors as OpenAI has them and most others took over.
const ERROR: (&str, &str) = ("error", "error");
const ERROR_TYPE: (&str, &str) = ("error_type", "error.type");
const ERROR_CODE: (&str, &str) = ("error_code", "error.code");

/// Chat completions: totals are inclusive. Besides OpenAI's place for cached tokens there are those of DeepSeek
/// (`prompt_cache_hit_tokens`) and Moonshot (`cached_tokens`). Mistral's `num_cached_tokens` counts what its engine had
/// in memory, which is not what is billed as cached, and stays native. Perplexity says its reasoning flat.
const CHAT_USAGE: Rules = &[
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
const RESPONSES_USAGE: Rules = &[
    ("input_tokens", "usage.input_tokens"),
    ("output_tokens", "usage.output_tokens"),
    ("cache_read_tokens", "usage.input_tokens_details.cached_tokens"),
    ("cache_write_tokens", "usage.input_tokens_details.cache_write_tokens"),
    ("reasoning_tokens", "usage.output_tokens_details.reasoning_tokens"),
    ("audio_input_tokens", "usage.input_tokens_details.audio_tokens | usage.input_token_details.audio_tokens"),
    ("audio_output_tokens", "usage.output_tokens_details.audio_tokens | usage.output_token_details.audio_tokens"),
    ("image_input_tokens", "usage.input_tokens_details.image_tokens"),
    ("image_output_tokens", "usage.output_tokens_details.image_tokens"),
    ("provider_total_tokens", "usage.total_tokens"),
    ("web_search", "output.web_search_call | usage.server_side_tool_usage_details.web_search_calls"),
    ("file_search", "output.file_search_call"),
    ("code_execution", "output.code_interpreter_call"),
    ("image_generation", "output.image_generation_call"),
    ("computer_use", "output.computer_call"),
    ("mcp", "output.mcp_call"),
];

/// Messages: `input_tokens` is what neither came from the cache nor went into it, so the three are added. The cache
/// write is split by time to live in `cache_creation`; where only the split is reported, its sum is the write.
/// `thinking_tokens` counts text that the caller does see, and stays native. The counts leave out what the compaction of
/// a long conversation took, which is billed all the same and stands in `iterations`; it is added.
const MESSAGES_USAGE: Rules = &[
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
const GEMINI_USAGE: Rules = &[
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
    ("tool_use_input_tokens", "usageMetadata.toolUsePromptTokenCount"),
    ("provider_total_tokens", "usageMetadata.totalTokenCount"),
    ("web_search", "candidates.groundingMetadata.webSearchQueries"),
];

/// Converse: `inputTokens` leaves out what the cache read and wrote, as with Anthropic.
const CONVERSE_USAGE: Rules = &[
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
const INVOKE_USAGE: Rules = &[
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
const COHERE_USAGE: Rules = &[
    (
        "input_tokens",
        "usage.billed_units.input_tokens | meta.billed_units.input_tokens | usage.tokens.input_tokens | meta.tokens.input_tokens",
    ),
    (
        "output_tokens",
        "usage.billed_units.output_tokens | meta.billed_units.output_tokens | usage.tokens.output_tokens | meta.tokens.output_tokens",
    ),
];

pub(super) const DEFINITIONS: &[Definition<'static>] = &[
    Definition { name: "chat.completions", reader: Reader::Chat, usage: CHAT_USAGE, ..Definition::EMPTY },
    Definition {
        name: "completions",
        operation: Operation::TextCompletion,
        reader: Reader::Chat,
        usage: CHAT_USAGE,
        ..Definition::EMPTY
    },
    Definition { name: "responses", reader: Reader::Responses, usage: RESPONSES_USAGE, ..Definition::EMPTY },
    Definition { name: "anthropic.messages", reader: Reader::Messages, usage: MESSAGES_USAGE, ..Definition::EMPTY },
    Definition {
        name: "embeddings",
        operation: Operation::Embeddings,
        response: &[("id", "id"), ("model", "model"), ("usage", "usage"), ERROR, ERROR_TYPE, ERROR_CODE],
        usage: &[
            ("input_tokens", "usage.prompt_tokens | usage.input_tokens | usage.total_tokens"),
            ("output_tokens", "usage.completion_tokens"),
            ("cache_read_tokens", "usage.prompt_tokens_details.cached_tokens"),
            ("image_input_tokens", "usage.prompt_tokens_details.image_tokens"),
            ("provider_total_tokens", "usage.total_tokens"),
        ],
        ..Definition::EMPTY
    },
    Definition {
        name: "images",
        uploads: true,
        operation: Operation::GenerateContent,
        output_type: Some("image"),
        response: &[
            ("usage", "usage"),
            ("output", "b64_json"),
            ("end", "type=image_generation.completed | type=image_edit.completed"),
            ERROR,
            ERROR_TYPE,
            ERROR_CODE,
        ],
        usage: RESPONSES_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "audio.speech",
        operation: Operation::GenerateContent,
        output_type: Some("speech"),
        response: &[
            ("usage", "usage"),
            ("output", "audio"),
            ("end", "type=speech.audio.done"),
            ERROR,
            ERROR_TYPE,
            ERROR_CODE,
        ],
        usage: RESPONSES_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "audio.transcriptions",
        uploads: true,
        operation: Operation::GenerateContent,
        output_type: Some("text"),
        response: &[
            ("id", "x_groq.id"),
            ("usage", "usage"),
            ("output", "delta"),
            ("end", "type=transcript.text.done"),
            ERROR,
            ERROR_TYPE,
            ERROR_CODE,
        ],
        usage: RESPONSES_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "moderations",
        operation: Operation::Moderation,
        response: &[("id", "id"), ("model", "model"), ("usage", "usage"), ERROR, ERROR_TYPE, ERROR_CODE],
        usage: CHAT_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "generateContent",
        provider: Some(provider::GCP_GEN_AI),
        operation: Operation::GenerateContent,
        bare_stream: true,
        response: &[
            ("id", "responseId"),
            ("model", "modelVersion"),
            ("finish_reasons", "candidates[choice].finishReason"),
            ("choice_index", "candidates[choice].index"),
            ("text", "candidates[choice].content.parts[block].text"),
            ("tool_id", "candidates[choice].content.parts[block].functionCall.id"),
            ("tool_name", "candidates[choice].content.parts[block].functionCall.name"),
            ("tool_arguments", "candidates[choice].content.parts[block].functionCall.args"),
            ("thought", "candidates[choice].content.parts[block].thought"),
            ("blob", "candidates[choice].content.parts[block].inlineData.data"),
            ("blob_type", "candidates[choice].content.parts[block].inlineData.mimeType"),
            ("items", "candidates[choice].groundingMetadata.webSearchQueries"),
            ("usage", "usageMetadata"),
            ERROR,
            ("error_type", "error.status"),
            ERROR_CODE,
        ],
        usage: GEMINI_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "embedContent",
        provider: Some(provider::GCP_GEN_AI),
        operation: Operation::Embeddings,
        response: &[("usage", "usageMetadata"), ERROR, ("error_type", "error.status"), ERROR_CODE],
        usage: GEMINI_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "predict",
        provider: Some(provider::GCP_GEN_AI),
        operation: Operation::Embeddings,
        response: &[
            ("model", "model"),
            ("sum", "predictions[].embeddings.statistics.token_count"),
            ("count", "metadata.billableCharacterCount"),
            ERROR,
            ("error_type", "error.status"),
            ERROR_CODE,
        ],
        usage: &[("input_tokens", "predictions.embeddings.statistics.token_count")],
        ..Definition::EMPTY
    },
    Definition {
        name: "predict/imagen",
        provider: Some(provider::GCP_GEN_AI),
        api: Some("predict"),
        operation: Operation::GenerateContent,
        output_type: Some("image"),
        response: &[("model", "model"), ERROR, ("error_type", "error.status"), ERROR_CODE],
        ..Definition::EMPTY
    },
    Definition {
        name: "converse",
        provider: Some(provider::AWS_BEDROCK),
        response: &[
            ("finish_reasons", "stopReason"),
            ("text", "output.message.content[block].text"),
            ("reasoning", "output.message.content[block].reasoningContent.reasoningText.text"),
            ("redacted", "output.message.content[block].reasoningContent.redactedContent"),
            ("tool_id", "output.message.content[block].toolUse.toolUseId"),
            ("tool_name", "output.message.content[block].toolUse.name"),
            ("tool_arguments", "output.message.content[block].toolUse.input"),
            ("service_tier", "serviceTier.type"),
            ("usage", "usage"),
            ("error_type", "__type"),
        ],
        usage: CONVERSE_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "converse-stream",
        provider: Some(provider::AWS_BEDROCK),
        events: true,
        response: &[
            ("finish_reasons", "stopReason"),
            ("block_index", "contentBlockIndex"),
            ("text", "delta.text"),
            ("reasoning", "delta.reasoningContent.text"),
            ("redacted", "delta.reasoningContent.redactedContent"),
            ("tool_id", "start.toolUse.toolUseId"),
            ("tool_name", "start.toolUse.name"),
            ("tool_arguments", "delta.toolUse.input"),
            ("service_tier", "serviceTier.type"),
            ("usage", "usage"),
            ("end", "metrics"),
            ("error_type", "__type"),
        ],
        usage: CONVERSE_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "invoke",
        provider: Some(provider::AWS_BEDROCK),
        response: INVOKE_RESPONSE,
        usage: INVOKE_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "invoke-with-response-stream",
        provider: Some(provider::AWS_BEDROCK),
        events: true,
        wrapped: true,
        response: INVOKE_RESPONSE,
        usage: INVOKE_USAGE,
        ..Definition::EMPTY
    },
    // Models of embeddings and of reranking; of some of them only a header says the tokens.
    Definition {
        name: "invoke/embeddings",
        provider: Some(provider::AWS_BEDROCK),
        api: Some("invoke"),
        operation: Operation::Embeddings,
        response: INVOKE_RESPONSE,
        usage: INVOKE_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "invoke/rerank",
        provider: Some(provider::AWS_BEDROCK),
        api: Some("invoke"),
        operation: Operation::Rerank,
        response: INVOKE_RESPONSE,
        usage: INVOKE_USAGE,
        ..Definition::EMPTY
    },
    // Claude on Bedrock speaks Anthropic's own messages.
    Definition {
        name: "invoke/anthropic",
        provider: Some(provider::AWS_BEDROCK),
        api: Some("invoke"),
        reader: Reader::Messages,
        usage: MESSAGES_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "invoke-with-response-stream/anthropic",
        provider: Some(provider::AWS_BEDROCK),
        api: Some("invoke-with-response-stream"),
        events: true,
        wrapped: true,
        reader: Reader::Messages,
        usage: MESSAGES_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "cohere.chat",
        provider: Some(provider::COHERE),
        bare_stream: true,
        response: &[
            ("id", "id | generation_id | response.generation_id"),
            ("finish_reasons", "finish_reason | delta.finish_reason"),
            ("text", "text | message.content[block].text | delta.message.content.text"),
            (
                "reasoning",
                "message.tool_plan | message.content[block].thinking | delta.message.tool_plan | delta.message.content.thinking",
            ),
            ("block_index", "index"),
            ("tool_id", "message.tool_calls[block].id | delta.message.tool_calls.id"),
            (
                "tool_name",
                "tool_calls[block].name | message.tool_calls[block].function.name | delta.message.tool_calls.function.name",
            ),
            (
                "tool_arguments",
                "tool_calls[block].parameters | message.tool_calls[block].function.arguments | delta.message.tool_calls.function.arguments",
            ),
            ("usage", "meta | usage | delta.usage | response.meta"),
            ("end", "type=message-end | event_type=stream-end"),
        ],
        usage: COHERE_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "cohere.embed",
        provider: Some(provider::COHERE),
        operation: Operation::Embeddings,
        response: &[("id", "id"), ("usage", "meta | usage")],
        usage: &[
            (
                "input_tokens",
                "meta.billed_units.input_tokens + @image_input_tokens | usage.billed_units.input_tokens + @image_input_tokens | meta.billed_units.image_tokens | usage.total_tokens",
            ),
            ("image_input_tokens", "meta.billed_units.image_tokens | usage.billed_units.image_tokens"),
        ],
        ..Definition::EMPTY
    },
    Definition {
        name: "rerank",
        operation: Operation::Rerank,
        response: &[("id", "id"), ("model", "model"), ("usage", "meta | usage"), ERROR, ERROR_TYPE],
        usage: &[(
            "input_tokens",
            "meta.billed_units.input_tokens | meta.tokens.input_tokens | usage.prompt_tokens | usage.total_tokens",
        )],
        ..Definition::EMPTY
    },
    Definition {
        name: "ollama",
        provider: Some("ollama"),
        bare_stream: true,
        response: OLLAMA_RESPONSE,
        usage: OLLAMA_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "ollama.generate",
        provider: Some("ollama"),
        api: Some("ollama"),
        operation: Operation::TextCompletion,
        bare_stream: true,
        response: OLLAMA_RESPONSE,
        usage: OLLAMA_USAGE,
        ..Definition::EMPTY
    },
    Definition {
        name: "ollama.embed",
        provider: Some("ollama"),
        api: Some("ollama"),
        operation: Operation::Embeddings,
        response: &[("model", "model"), ("count", "prompt_eval_count"), ERROR],
        usage: &[("input_tokens", "prompt_eval_count")],
        ..Definition::EMPTY
    },
    Definition {
        name: "watsonx",
        provider: Some(provider::IBM_WATSONX_AI),
        operation: Operation::TextCompletion,
        response: &[
            ("model", "model_id"),
            ("finish_reasons", "results[choice].stop_reason"),
            ("text", "results[choice].generated_text"),
            // Only the first event of a stream says the input; the others say 0.
            ("most", "results[choice].input_token_count"),
            ("count", "results[choice].generated_token_count"),
            ("error", "errors"),
            ("error_code", "errors[].code"),
        ],
        usage: &[("input_tokens", "results.input_token_count"), ("output_tokens", "results.generated_token_count")],
        ..Definition::EMPTY
    },
    Definition {
        name: "watsonx.embed",
        provider: Some(provider::IBM_WATSONX_AI),
        api: Some("watsonx"),
        operation: Operation::Embeddings,
        response: &[
            ("model", "model_id"),
            ("count", "input_token_count"),
            ("error", "errors"),
            ("error_code", "errors[].code"),
        ],
        usage: &[("input_tokens", "input_token_count")],
        ..Definition::EMPTY
    },
];

/// Chat and generate of Ollama.
const OLLAMA_RESPONSE: Rules = &[
    ("model", "model"),
    ("finish_reasons", "done_reason"),
    ("text", "message.content | response"),
    ("reasoning", "message.thinking | thinking"),
    ("tool_name", "message.tool_calls[block].function.name"),
    ("tool_arguments", "message.tool_calls[block].function.arguments"),
    ("count", "prompt_eval_count | eval_count"),
    ("end", "done=true"),
    ERROR,
];
const OLLAMA_USAGE: Rules = &[("input_tokens", "prompt_eval_count"), ("output_tokens", "eval_count")];

/// The formats of the families that Bedrock serves: Nova, Titan, Llama, Cohere, Mistral, AI21 and those that speak chat
/// completions.
const INVOKE_RESPONSE: Rules = &[
    ("id", "id | generation_id"),
    ("model", "model"),
    (
        "finish_reasons",
        "stopReason | stop_reason | finish_reason | completionReason | messageStop.stopReason | results[choice].completionReason | generations[choice].finish_reason | completions[choice].finishReason.reason | outputs[choice].stop_reason | choices[choice].finish_reason | choices[choice].stop_reason",
    ),
    (
        "text",
        "output.message.content[block].text | contentBlockDelta.delta.text | outputText | results[choice].outputText | generation | generations[choice].text | text | outputs[choice].text | completions[choice].data.text | choices[choice].message.content | choices[choice].delta.content | choices[choice].text",
    ),
    (
        "reasoning",
        "output.message.content[block].reasoningContent.reasoningText.text | contentBlockDelta.delta.reasoningContent.text | choices[choice].message.reasoning_content | choices[choice].delta.reasoning_content",
    ),
    ("block_index", "contentBlockDelta.contentBlockIndex | contentBlockStart.contentBlockIndex"),
    (
        "tool_id",
        "output.message.content[block].toolUse.toolUseId | contentBlockStart.start.toolUse.toolUseId | choices[choice].message.tool_calls[block].id",
    ),
    (
        "tool_name",
        "output.message.content[block].toolUse.name | contentBlockStart.start.toolUse.name | tool_calls[block].name | choices[choice].message.tool_calls[block].function.name",
    ),
    (
        "tool_arguments",
        "output.message.content[block].toolUse.input | contentBlockDelta.delta.toolUse.input | tool_calls[block].parameters | choices[choice].message.tool_calls[block].function.arguments",
    ),
    ("usage", "usage | meta | metadata.usage | amazon-bedrock-invocationMetrics"),
    (
        "count",
        "inputTextTokenCount | results[choice].tokenCount | totalOutputTextTokenCount | prompt_token_count | generation_token_count",
    ),
    ("end", "amazon-bedrock-invocationMetrics"),
    ("error_type", "__type"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_call::Api;

    #[test]
    fn every_definition_compiles_and_names_a_known_api() {
        for definition in DEFINITIONS {
            let format = definition.compile().unwrap_or_else(|problems| panic!("{}: {problems:?}", definition.name));
            assert!(Api::ALL.contains(&format.api), "{}", definition.name);
        }
        for api in Api::ALL {
            assert!(DEFINITIONS.iter().any(|definition| definition.name == api.as_str()), "{}", api.as_str());
        }
    }
}
