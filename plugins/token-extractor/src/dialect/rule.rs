//! Which name of another convention means what. Names of older GenAI conventions are in `tollgate_semconv::RENAMED`.

use tollgate_columns::Kind;
use tollgate_semconv::{attribute as to, operation, provider};

/// How a value becomes one of the conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Convert {
    /// The value is the same.
    AsIs,
    /// The name of a provider, in any of its spellings. What stands behind a dot names an API of the provider.
    Provider,
    /// OpenInference's kind of span.
    SpanKind,
    /// OpenLLMetry's type of request.
    RequestType,
    /// The Vercel AI SDK's name of an operation.
    AiOperation,
}

/// What is written, in this order.
pub(super) const WRITES: &[(&str, Kind)] = &[
    (to::GEN_AI_OPERATION_NAME, Kind::Text),
    (to::GEN_AI_PROVIDER_NAME, Kind::Text),
    (to::GEN_AI_REQUEST_MODEL, Kind::Text),
    (to::GEN_AI_USAGE_INPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_OUTPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_AUDIO_INPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, Kind::Integer),
    (to::GEN_AI_RESPONSE_MODEL, Kind::Text),
    (to::GEN_AI_RESPONSE_ID, Kind::Text),
    (to::GEN_AI_REQUEST_STREAM, Kind::Boolean),
    (to::OPENAI_REQUEST_SERVICE_TIER, Kind::Text),
    (to::OPENAI_RESPONSE_SERVICE_TIER, Kind::Text),
    (to::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, Kind::Text),
];

/// `(foreign name, current name, conversion)`; of several with the same meaning the first that a span has counts.
///
/// Sources: the OpenInference semantic conventions, OpenLLMetry's semantic conventions for AI, the telemetry of the
/// Vercel AI SDK.
pub(super) const FOREIGN: &[(&str, &str, Convert)] = &[
    // OpenInference.
    ("openinference.span.kind", to::GEN_AI_OPERATION_NAME, Convert::SpanKind),
    ("llm.provider", to::GEN_AI_PROVIDER_NAME, Convert::Provider),
    ("llm.system", to::GEN_AI_PROVIDER_NAME, Convert::Provider),
    ("llm.request.model_name", to::GEN_AI_REQUEST_MODEL, Convert::AsIs),
    ("llm.model_name", to::GEN_AI_REQUEST_MODEL, Convert::AsIs),
    ("embedding.model_name", to::GEN_AI_REQUEST_MODEL, Convert::AsIs),
    ("llm.response.model_name", to::GEN_AI_RESPONSE_MODEL, Convert::AsIs),
    ("llm.token_count.prompt", to::GEN_AI_USAGE_INPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.completion", to::GEN_AI_USAGE_OUTPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.prompt_details.cache_read", to::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.prompt_details.cache_write", to::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.prompt_details.audio", to::GEN_AI_USAGE_AUDIO_INPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.completion_details.reasoning", to::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Convert::AsIs),
    ("llm.token_count.completion_details.audio", to::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, Convert::AsIs),
    // OpenLLMetry.
    ("llm.request.type", to::GEN_AI_OPERATION_NAME, Convert::RequestType),
    ("llm.vendor", to::GEN_AI_PROVIDER_NAME, Convert::Provider),
    ("llm.request.model", to::GEN_AI_REQUEST_MODEL, Convert::AsIs),
    ("llm.response.model", to::GEN_AI_RESPONSE_MODEL, Convert::AsIs),
    ("llm.usage.prompt_tokens", to::GEN_AI_USAGE_INPUT_TOKENS, Convert::AsIs),
    ("llm.usage.completion_tokens", to::GEN_AI_USAGE_OUTPUT_TOKENS, Convert::AsIs),
    ("llm.usage.cache_read_input_tokens", to::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Convert::AsIs),
    ("llm.usage.cache_creation_input_tokens", to::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Convert::AsIs),
    // Vercel AI SDK.
    ("ai.operationId", to::GEN_AI_OPERATION_NAME, Convert::AiOperation),
    ("ai.model.provider", to::GEN_AI_PROVIDER_NAME, Convert::Provider),
    ("ai.model.id", to::GEN_AI_REQUEST_MODEL, Convert::AsIs),
    ("ai.response.model", to::GEN_AI_RESPONSE_MODEL, Convert::AsIs),
    ("ai.response.id", to::GEN_AI_RESPONSE_ID, Convert::AsIs),
    ("ai.usage.inputTokens", to::GEN_AI_USAGE_INPUT_TOKENS, Convert::AsIs),
    ("ai.usage.promptTokens", to::GEN_AI_USAGE_INPUT_TOKENS, Convert::AsIs),
    ("ai.usage.outputTokens", to::GEN_AI_USAGE_OUTPUT_TOKENS, Convert::AsIs),
    ("ai.usage.completionTokens", to::GEN_AI_USAGE_OUTPUT_TOKENS, Convert::AsIs),
    ("ai.usage.cachedInputTokens", to::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Convert::AsIs),
    ("ai.usage.reasoningTokens", to::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Convert::AsIs),
];

/// Spellings of providers that are not those of the conventions.
const PROVIDERS: &[(&str, &str)] = &[
    ("amazon-bedrock", provider::AWS_BEDROCK),
    ("aws", provider::AWS_BEDROCK),
    ("aws_bedrock", provider::AWS_BEDROCK),
    ("bedrock", provider::AWS_BEDROCK),
    ("azure", provider::AZURE_AI_OPENAI),
    ("azure-openai", provider::AZURE_AI_OPENAI),
    ("azure_openai", provider::AZURE_AI_OPENAI),
    ("google", provider::GCP_GEN_AI),
    ("google-vertex", provider::GCP_VERTEX_AI),
    ("vertexai", provider::GCP_VERTEX_AI),
    ("mistral", provider::MISTRAL_AI),
    ("mistralai", provider::MISTRAL_AI),
    ("moonshotai", provider::MOONSHOT_AI),
    ("watsonx", provider::IBM_WATSONX_AI),
];

impl Convert {
    /// The value in the conventions; `None` where it has no meaning there.
    pub(super) fn text(self, value: &str) -> Option<String> {
        if value.is_empty() {
            return None;
        }
        match self {
            Self::AsIs => Some(value.to_owned()),
            Self::Provider => Some(provider_name(value)),
            Self::SpanKind => match value {
                "LLM" => Some(operation::CHAT.to_owned()),
                "EMBEDDING" => Some(operation::EMBEDDINGS.to_owned()),
                "AGENT" => Some(operation::INVOKE_AGENT.to_owned()),
                "TOOL" => Some(operation::EXECUTE_TOOL.to_owned()),
                "RETRIEVER" => Some(operation::RETRIEVAL.to_owned()),
                _ => None,
            },
            Self::RequestType => match value {
                "chat" => Some(operation::CHAT.to_owned()),
                "completion" => Some(operation::TEXT_COMPLETION.to_owned()),
                "embedding" => Some(operation::EMBEDDINGS.to_owned()),
                _ => None,
            },
            Self::AiOperation => {
                let call = value.rsplit('.').next().unwrap_or(value);
                match call {
                    "doGenerate" | "doStream" => Some(operation::CHAT.to_owned()),
                    "doEmbed" => Some(operation::EMBEDDINGS.to_owned()),
                    // The span around the calls repeats the sum of their usage.
                    "generateText" | "streamText" | "generateObject" | "streamObject" | "embed" | "embedMany" => {
                        Some(operation::INVOKE_AGENT.to_owned())
                    }
                    "toolCall" => Some(operation::EXECUTE_TOOL.to_owned()),
                    _ => None,
                }
            }
        }
    }
}

fn provider_name(value: &str) -> String {
    let value = value.to_ascii_lowercase();
    if provider::ALL.contains(&value.as_str()) {
        return value;
    }
    let known = |name: &str| {
        let spellings = provider::RENAMED.iter().chain(PROVIDERS);
        spellings.copied().find(|(spelling, _)| *spelling == name).map(|(_, provider)| provider.to_owned())
    };
    let api_of = |(name, _api)| known(name).or_else(|| provider::ALL.contains(&name).then(|| name.to_owned()));
    known(&value).or_else(|| value.split_once('.').and_then(api_of)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_known_in_any_spelling() {
        let cases = [
            ("openai", "openai"),
            ("OpenAI", "openai"),
            ("openai.chat", "openai"),
            ("mistral.chat", "mistral_ai"),
            ("aws.bedrock", "aws.bedrock"),
            ("amazon-bedrock", "aws.bedrock"),
            ("xai", "x_ai"),
            ("in.house", "in.house"),
        ];
        for (spelling, name) in cases {
            assert_eq!(provider_name(spelling), name, "{spelling}");
        }
    }

    #[test]
    fn every_rule_leads_to_something_written() {
        for (foreign, name, _) in FOREIGN {
            assert!(WRITES.iter().any(|(written, _)| written == name), "{foreign} leads to {name}");
        }
    }
}
