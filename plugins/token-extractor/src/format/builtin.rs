//! The APIs that are read without being configured.
//!
//! Source of each: the provider's API reference, and for the canonical counts `docs/SEMANTICS.md`.

mod counts;

use super::{Definition, Reader};
use counts::{
    CHAT_USAGE, COHERE_USAGE, CONVERSE_USAGE, GEMINI_USAGE, IMAGES_USAGE, INVOKE_USAGE, MESSAGES_USAGE, OLLAMA_USAGE,
    RESPONSES_USAGE,
};
use tollgate_call::Operation;
use tollgate_semconv::provider;

type Rules = &'static [(&'static str, &'static str)];

/// Errors as OpenAI has them and most others took over.
const ERROR: (&str, &str) = ("error", "error");
const ERROR_TYPE: (&str, &str) = ("error_type", "error.type");
const ERROR_CODE: (&str, &str) = ("error_code", "error.code");

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
            ("items", "data"),
            ("end", "type=image_generation.completed | type=image_edit.completed"),
            ERROR,
            ERROR_TYPE,
            ERROR_CODE,
        ],
        usage: IMAGES_USAGE,
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
        usage: &[
            (
                "input_tokens",
                "meta.billed_units.input_tokens | meta.tokens.input_tokens | usage.prompt_tokens | usage.total_tokens",
            ),
            ("search_units", "meta.billed_units.search_units"),
        ],
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
