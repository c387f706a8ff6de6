//! Values of other conventions in the words of the current ones.

use tollgate_semconv::{operation, provider};

/// How a value becomes one of the conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Convert {
    /// The value is the same.
    AsIs,
    /// The name of a provider, in any of its spellings. What stands behind a dot names an API of the provider.
    Provider,
    /// One finish reason, or a list of them.
    List,
    /// Milliseconds, to seconds.
    Milliseconds,
    /// A response format of OpenAI, to the kind of content.
    ResponseFormat,
}

/// Spellings of providers that are not those of the conventions.
const PROVIDERS: &[(&str, &str)] = &[
    ("amazon-bedrock", provider::AWS_BEDROCK),
    ("aws", provider::AWS_BEDROCK),
    ("aws_bedrock", provider::AWS_BEDROCK),
    ("bedrock", provider::AWS_BEDROCK),
    ("azure", provider::AZURE_AI_OPENAI),
    ("azure-openai", provider::AZURE_AI_OPENAI),
    ("azure.openai", provider::AZURE_AI_OPENAI),
    ("azure_openai", provider::AZURE_AI_OPENAI),
    ("gcp.vertex.agent", provider::GCP_GEN_AI),
    ("google", provider::GCP_GEN_AI),
    ("google-vertex", provider::GCP_VERTEX_AI),
    ("google.generative-ai", provider::GCP_GEMINI),
    ("google.vertex", provider::GCP_VERTEX_AI),
    ("google_genai", provider::GCP_GEN_AI),
    ("vertexai", provider::GCP_VERTEX_AI),
    ("vertex.anthropic", provider::GCP_VERTEX_AI),
    ("mistral", provider::MISTRAL_AI),
    ("mistralai", provider::MISTRAL_AI),
    ("moonshotai", provider::MOONSHOT_AI),
    ("watsonx", provider::IBM_WATSONX_AI),
];

/// The conventions' name of a provider; lower case where they have none.
pub(super) fn provider_name(value: &str) -> String {
    let value = value.to_ascii_lowercase();
    if provider::ALL.contains(&value.as_str()) {
        return value;
    }
    let known = |name: &str| {
        let spellings = provider::RENAMED.iter().chain(PROVIDERS);
        spellings.copied().find(|(spelling, _)| *spelling == name).map(|(_, provider)| provider.to_owned())
    };
    // `google.vertex.chat`: an API of something that has a dot itself.
    let api_of =
        |(name, _api): (&str, &str)| known(name).or_else(|| provider::ALL.contains(&name).then(|| name.to_owned()));
    let by_name = known(&value).or_else(|| value.rsplit_once('.').and_then(api_of));
    by_name.or_else(|| value.split_once('.').and_then(api_of)).unwrap_or(value)
}

/// OpenLLMetry's types of request.
pub(super) fn request_type(value: &str) -> Option<&'static str> {
    match value {
        "chat" => Some(operation::CHAT),
        "completion" => Some(operation::TEXT_COMPLETION),
        "embedding" => Some(operation::EMBEDDINGS),
        _ => None,
    }
}

/// `json_object` and `json_schema` ask for JSON.
pub(super) fn response_format(value: &str) -> Option<&'static str> {
    match value {
        "json_object" | "json_schema" | "json" => Some("json"),
        "text" => Some("text"),
        _ => None,
    }
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
            ("openai.responses", "openai"),
            ("anthropic.messages", "anthropic"),
            ("mistral.chat", "mistral_ai"),
            ("aws.bedrock", "aws.bedrock"),
            ("amazon-bedrock", "aws.bedrock"),
            ("google.generative-ai", "gcp.gemini"),
            ("google.vertex.chat", "gcp.vertex_ai"),
            ("azure-openai.chat", "azure.ai.openai"),
            ("xai", "x_ai"),
            ("in.house", "in.house"),
        ];
        for (spelling, name) in cases {
            assert_eq!(provider_name(spelling), name, "{spelling}");
        }
    }
}
