//! What the method and the path of a request tell.

use tollgate_call::Api;

/// What kind of call a request line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// An API that is read.
    Read(Api),
    /// A call of an LLM API that makes no inference.
    NoInference,
    /// An inference, by an API that is not read.
    OtherApi,
    /// Nothing known.
    Unknown,
}

/// Ends of the paths of APIs that are read. Servers put them behind prefixes of their own.
const READ: &[(&str, Api)] = &[
    ("/chat/completions", Api::ChatCompletions),
    ("/responses", Api::Responses),
    ("/messages", Api::AnthropicMessages),
];

/// Ends of the paths of APIs that make inferences and are not read.
const OTHER: &[&str] = &[
    "/completions",
    "/embeddings",
    "/converse",
    "/converse-stream",
    "/invoke",
    "/invoke-with-response-stream",
    "/rerank",
    "/embed",
    "/api/chat",
    "/api/generate",
    "/v1/chat",
    "/v2/chat",
    "/images/generations",
    "/images/edits",
    "/audio/speech",
    "/audio/transcriptions",
    "/audio/translations",
];

/// Segments that say that a call makes no inference, wherever they stand in a path that no API above ends.
const NO_INFERENCE: &[&str] = &[
    "models",
    "files",
    "uploads",
    "batches",
    "fine_tuning",
    "vector_stores",
    "assistants",
    "threads",
    "conversations",
    "containers",
    "count_tokens",
    "input_tokens",
    "moderations",
    "cancel",
    "organization",
    "organizations",
];

/// Reads a request line. `path` may have a query.
pub(crate) fn call(method: &str, path: &str) -> Call {
    let path = without_query(path);
    let read = READ.iter().find(|(end, _)| path.ends_with(end)).map(|(_, api)| *api);
    match (read, method.eq_ignore_ascii_case("POST")) {
        (_, false) => Call::NoInference,
        (Some(_), true) if is_of_a_thread(path) => Call::NoInference,
        (Some(api), true) => Call::Read(api),
        (None, true) if is_other_api(path) => Call::OtherApi,
        (None, true) if is_aside(path) || is_stored_answer(path) => Call::NoInference,
        (None, true) => Call::Unknown,
    }
}

fn is_other_api(path: &str) -> bool {
    let ends = [":generateContent", ":streamGenerateContent"];
    OTHER.iter().any(|end| path.ends_with(end)) || ends.iter().any(|end| path.contains(end))
}

/// Whether a segment says that a call makes no inference.
fn is_aside(path: &str) -> bool {
    path.split('/').any(|segment| NO_INFERENCE.contains(&segment))
}

/// The deployment that an Azure path names: `/openai/deployments/{name}/chat/completions`.
pub(crate) fn deployment(path: &str) -> Option<&str> {
    let mut segments = without_query(path).split('/');
    segments.find(|segment| *segment == "deployments")?;
    segments.next().filter(|name| !name.is_empty())
}

/// A path such as `/v1/responses/resp_1`, which fetches or changes what was made before.
fn is_stored_answer(path: &str) -> bool {
    path.contains("/responses/") || path.contains("/chat/completions/")
}

/// A path such as `/v1/threads/thread_1/messages`, which adds to what is stored and infers nothing.
fn is_of_a_thread(path: &str) -> bool {
    matches!(path.rsplit('/').nth(2), Some("threads" | "conversations"))
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_tell_the_call() {
        let chat = Call::Read(Api::ChatCompletions);
        let cases: &[(&str, &str, Call)] = &[
            ("POST", "/v1/chat/completions", chat),
            ("post", "/v1/chat/completions/", chat),
            ("POST", "/chat/completions?api-version=1", chat),
            ("POST", "/openai/deployments/my-gpt/chat/completions?api-version=2024-02-01", chat),
            ("POST", "/together/v1/chat/completions", chat),
            ("POST", "/v1/responses", Call::Read(Api::Responses)),
            ("POST", "/v1/messages?beta=true", Call::Read(Api::AnthropicMessages)),
            ("POST", "/organizations/acme/models/claude/messages", Call::Read(Api::AnthropicMessages)),
            ("POST", "/files/v1/chat/completions", chat),
            ("GET", "/v1/chat/completions", Call::NoInference),
            ("GET", "/v1/chat/completions/chatcmpl-1", Call::NoInference),
            ("DELETE", "/v1/responses/resp_1", Call::NoInference),
            ("GET", "/v1/responses/resp_1", Call::NoInference),
            ("POST", "/v1/responses/resp_1/cancel", Call::NoInference),
            ("POST", "/v1/responses/input_tokens", Call::NoInference),
            ("POST", "/v1/messages/count_tokens", Call::NoInference),
            ("POST", "/v1/messages/batches", Call::NoInference),
            ("POST", "/v1/threads/thread_1/messages", Call::NoInference),
            ("POST", "/v1/files", Call::NoInference),
            ("POST", "/v1/batches", Call::NoInference),
            ("GET", "/v1/models", Call::NoInference),
            ("POST", "/v1/completions", Call::OtherApi),
            ("POST", "/v1/embeddings", Call::OtherApi),
            ("POST", "/model/anthropic.claude/converse-stream", Call::OtherApi),
            ("POST", "/v1beta/models/gemini:streamGenerateContent?alt=sse", Call::OtherApi),
            ("POST", "/generate", Call::Unknown),
            ("POST", "", Call::Unknown),
        ];
        for (method, path, expected) in cases {
            assert_eq!(call(method, path), *expected, "{method} {path}");
        }
    }

    #[test]
    fn azure_paths_name_the_deployment() {
        assert_eq!(deployment("/openai/deployments/my-gpt/chat/completions?x=/deployments/no"), Some("my-gpt"));
        assert_eq!(deployment("/openai/deployments/"), None);
        assert_eq!(deployment("/v1/chat/completions"), None);
    }
}
