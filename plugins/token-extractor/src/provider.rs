//! Which provider a host is.

use tollgate_semconv::provider as name;

/// Hosts of the public providers. A leading dot stands for any beginning, a star for one label or a part of it.
///
/// Names are those of `gen_ai.provider.name` in the GenAI conventions; where the conventions have none, the
/// provider's own name in lower case.
const HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", name::OPENAI),
    (".api.openai.com", name::OPENAI),
    (".openai.azure.com", name::AZURE_AI_OPENAI),
    (".openai.azure.us", name::AZURE_AI_OPENAI),
    (".cognitiveservices.azure.com", name::AZURE_AI_OPENAI),
    (".services.ai.azure.com", name::AZURE_AI_INFERENCE),
    (".models.ai.azure.com", name::AZURE_AI_INFERENCE),
    ("models.inference.ai.azure.com", name::AZURE_AI_INFERENCE),
    ("api.anthropic.com", name::ANTHROPIC),
    ("api.groq.com", name::GROQ),
    ("api.mistral.ai", name::MISTRAL_AI),
    ("codestral.mistral.ai", name::MISTRAL_AI),
    ("api.deepseek.com", name::DEEPSEEK),
    ("api.x.ai", name::X_AI),
    (".api.x.ai", name::X_AI),
    ("api.perplexity.ai", name::PERPLEXITY),
    ("api.moonshot.ai", name::MOONSHOT_AI),
    ("api.moonshot.cn", name::MOONSHOT_AI),
    ("api.cohere.com", name::COHERE),
    ("api.cohere.ai", name::COHERE),
    ("generativelanguage.googleapis.com", name::GCP_GEMINI),
    ("aiplatform.googleapis.com", name::GCP_VERTEX_AI),
    ("*-aiplatform.googleapis.com", name::GCP_VERTEX_AI),
    ("bedrock-runtime.*.amazonaws.com", name::AWS_BEDROCK),
    ("bedrock-runtime-fips.*.amazonaws.com", name::AWS_BEDROCK),
    ("bedrock-mantle.*.api.aws", name::AWS_BEDROCK),
    (".ml.cloud.ibm.com", name::IBM_WATSONX_AI),
    ("openrouter.ai", "openrouter"),
    ("api.cerebras.ai", "cerebras"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("router.huggingface.co", "huggingface"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("dashscope-*.aliyuncs.com", "dashscope"),
    ("api.voyageai.com", "voyageai"),
    ("api.jina.ai", "jina"),
    ("ollama.com", "ollama"),
];

/// The public provider at a host; `None` for any other.
pub(crate) fn at_host(host: &str) -> Option<&'static str> {
    HOSTS.iter().find(|(pattern, _)| matches(pattern, host)).map(|(_, provider)| *provider)
}

/// The host of an authority: lower case, without the port.
pub(crate) fn host(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        // An IPv6 address without a port has colons of its own, within brackets.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the host of an authority, with or without a port and in any case, is what the pattern of a configuration
/// means: a host in lower case, `.example.com` for everything below it, or one star for any characters but dots.
#[must_use]
pub fn host_matches(pattern: &str, authority: &str) -> bool {
    matches(pattern, &host(authority))
}

/// Whether a host, in lower case, is what the pattern means. `.example.com` is everything below `example.com`; a star
/// stands for any characters but dots; there is at most one of either.
pub(crate) fn matches(pattern: &str, host: &str) -> bool {
    if pattern.starts_with('.') {
        return host.len() > pattern.len() && host.ends_with(pattern);
    }
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == host };
    host.strip_prefix(head)
        .and_then(|rest| rest.strip_suffix(tail))
        .is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_the_provider() {
        let cases: &[(&str, Option<&str>)] = &[
            ("api.openai.com", Some("openai")),
            ("API.OpenAI.com:443", Some("openai")),
            ("eu.api.openai.com", Some("openai")),
            ("api.openai.com.evil.example", None),
            ("notapi.openai.com", None),
            ("my-resource.openai.azure.com", Some("azure.ai.openai")),
            (".openai.azure.com", None),
            ("api.anthropic.com.", Some("anthropic")),
            ("bedrock-runtime.eu-central-1.amazonaws.com", Some("aws.bedrock")),
            ("bedrock-runtime.a.b.amazonaws.com", None),
            ("europe-west4-aiplatform.googleapis.com", Some("gcp.vertex_ai")),
            ("localhost:8000", None),
            ("[::1]:8000", None),
            ("", None),
        ];
        for (authority, expected) in cases {
            assert_eq!(at_host(&host(authority)), *expected, "{authority}");
        }
        assert_eq!(host("[::1]:8000"), "[::1]");
    }
}
