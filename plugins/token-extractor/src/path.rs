//! What the method and the path of a request tell.

use tollgate_call::Skipped;

/// What kind of call a request line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A call to a model, in the format of this name. `stream` where the path itself asks for a stream.
    Read { format: &'static str, stream: bool },
    /// A call of an LLM API that makes no inference.
    Aside(Skipped),
    /// Nothing known.
    Unknown,
}

/// Ends of paths, each with the format and whether it is that of streams only. The longest that fits counts. Servers put
/// prefixes of their own before them.
const ENDS: &[(&str, &str, bool)] = &[
    ("/chat/completions", "chat.completions", false),
    ("/responses", "responses", false),
    ("/responses/compact", "responses", false),
    ("/messages", "anthropic.messages", false),
    ("/completions", "completions", false),
    // Mistral's agents.
    ("/agents/completions", "chat.completions", false),
    ("/embeddings", "embeddings", false),
    ("/images/generations", "images", false),
    ("/images/edits", "images", false),
    ("/images/variations", "images", false),
    ("/audio/speech", "audio.speech", false),
    ("/audio/transcriptions", "audio.transcriptions", false),
    ("/audio/translations", "audio.transcriptions", false),
    ("/moderations", "moderations", false),
    ("/converse", "converse", false),
    ("/converse-stream", "converse-stream", true),
    ("/invoke", "invoke", false),
    ("/invoke-with-response-stream", "invoke-with-response-stream", true),
    ("/v1/chat", "cohere.chat", false),
    ("/v2/chat", "cohere.chat", false),
    ("/v1/embed", "cohere.embed", false),
    ("/v2/embed", "cohere.embed", false),
    ("/rerank", "rerank", false),
    ("/api/chat", "ollama", false),
    ("/api/generate", "ollama.generate", false),
    ("/api/embed", "ollama.embed", false),
    ("/api/embeddings", "ollama.embed", false),
    // watsonx chat answers as chat completions do.
    ("/ml/v1/text/chat", "chat.completions", false),
    ("/ml/v1/text/chat_stream", "chat.completions", true),
    ("/ml/v1/text/generation", "watsonx", false),
    ("/ml/v1/text/generation_stream", "watsonx", true),
    ("/ml/v1/text/embeddings", "watsonx.embed", false),
    // Snowflake Cortex.
    ("/cortex/inference:complete", "chat.completions", false),
];

/// Methods of Google's APIs, behind the colon of the last segment.
const METHODS: &[(&str, &str, bool)] = &[
    ("generateContent", "generateContent", false),
    ("streamGenerateContent", "generateContent", true),
    ("embedContent", "embedContent", false),
    ("batchEmbedContents", "embedContent", false),
    ("predict", "predict", false),
];

/// The model that Vertex asks for where only the tokens of a request to a model of Anthropic are to be counted.
const VERTEX_COUNT_TOKENS: &str = "count-tokens";

/// Segments that say that a call makes no inference, wherever they stand in a path that no API above ends.
const ASIDES: &[(&str, Skipped)] = &[
    ("count_tokens", Skipped::CountTokens),
    ("count-tokens", Skipped::CountTokens),
    ("input_tokens", Skipped::CountTokens),
    ("tokenize", Skipped::CountTokens),
    ("detokenize", Skipped::CountTokens),
    ("files", Skipped::Files),
    ("uploads", Skipped::Files),
    ("batches", Skipped::Batches),
    ("batch", Skipped::Batches),
    ("model-invocation-job", Skipped::Batches),
    ("model-invocation-jobs", Skipped::Batches),
    ("batchPredictionJobs", Skipped::Batches),
    ("async-invoke", Skipped::Batches),
    ("realtime", Skipped::Realtime),
    ("invoke-with-bidirectional-stream", Skipped::Realtime),
    ("threads", Skipped::StoredContent),
    ("conversations", Skipped::StoredContent),
    ("cachedContents", Skipped::StoredContent),
    ("fine_tuning", Skipped::Management),
    ("fine-tunes", Skipped::Management),
    ("vector_stores", Skipped::Management),
    ("assistants", Skipped::Management),
    ("containers", Skipped::Management),
    ("evals", Skipped::Management),
    ("organization", Skipped::Management),
    ("organizations", Skipped::Management),
    ("models", Skipped::Models),
    ("tags", Skipped::Models),
];

/// Reads a request line. `path` may have a query.
pub(crate) fn call(method: &str, path: &str) -> Call {
    if method.eq_ignore_ascii_case("CONNECT") {
        return Call::Aside(Skipped::Upgrade);
    }
    let path = without_query(path);
    let reads = read(path).filter(|_| !is_of_a_thread(path));
    match (reads, method.eq_ignore_ascii_case("POST")) {
        (Some(read), true) => read,
        (_, posts) => match aside(path) {
            Some(why) => Call::Aside(why),
            None if posts && !is_of_a_thread(path) => Call::Unknown,
            None => Call::Aside(Skipped::StoredContent),
        },
    }
}

fn read(path: &str) -> Option<Call> {
    let ends = ENDS.iter().filter(|(end, ..)| path.ends_with(end));
    if let Some((_, format, stream)) = ends.max_by_key(|(end, ..)| end.len()) {
        return Some(Call::Read { format, stream: *stream });
    }
    let (model, method) = path.rsplit('/').next()?.rsplit_once(':')?;
    if model == VERTEX_COUNT_TOKENS {
        return None;
    }
    if method == "rawPredict" || method == "streamRawPredict" {
        // Vertex passes the publisher's own format through.
        let format = match publisher(path) {
            Some("anthropic") => "anthropic.messages",
            Some("mistralai") => "chat.completions",
            _ if model.starts_with("claude") => "anthropic.messages",
            _ => return None,
        };
        return Some(Call::Read { format, stream: method == "streamRawPredict" });
    }
    let known = METHODS.iter().find(|(known, ..)| *known == method);
    known.map(|(_, format, stream)| Call::Read { format, stream: *stream })
}

/// What a call is that makes no inference.
fn aside(path: &str) -> Option<Skipped> {
    match path.rsplit_once(':').map(|(_, method)| method) {
        Some("countTokens" | "computeTokens") => return Some(Skipped::CountTokens),
        Some("rawPredict") if path.ends_with("/count-tokens:rawPredict") => return Some(Skipped::CountTokens),
        Some("batchGenerateContent" | "asyncBatchEmbedContent") => return Some(Skipped::Batches),
        // An inference of a publisher's model, in a format that only its answer can tell.
        Some("rawPredict" | "streamRawPredict") => return None,
        _ => {}
    }
    // The Live API of Gemini.
    if path.ends_with(".BidiGenerateContent") {
        return Some(Skipped::Realtime);
    }
    let segment = |segment: &str| ASIDES.iter().find(|(known, _)| *known == segment).map(|(_, why)| *why);
    // A call on something that is stored, such as `/v1/responses/resp_1/cancel`, which fetches or changes it.
    let stored = path.contains("/responses/") || path.contains("/chat/completions/");
    let known = path.split('/').filter_map(segment).min_by_key(|why| ASIDES.iter().position(|(_, known)| known == why));
    match known {
        Some(why @ (Skipped::CountTokens | Skipped::Batches)) => Some(why),
        _ if stored => Some(Skipped::StoredContent),
        known => known,
    }
}

/// The model that a path names: the deployment of Azure (`/openai/deployments/{name}/..`), the model of Bedrock
/// (`/model/{id}/..`), of Google (`/models/{id}:{method}`).
pub(crate) fn model(path: &str) -> Option<String> {
    let path = without_query(path);
    let mut segments = path.split('/');
    let kind = segments
        .find(|segment| matches!(*segment, "deployments" | "model" | "models" | "tunedModels" | "endpoints"))?;
    let name = segments.next()?;
    let name = match kind {
        // Tuned models of Vertex are served by an endpoint, which then is all that names them.
        "models" | "tunedModels" | "endpoints" => name.rsplit_once(':')?.0,
        _ => {
            // Bedrock's names have slashes, where somebody did not encode them.
            let rest = path.split_once(&format!("/{kind}/"))?.1;
            if kind == "model" { rest.rsplit_once('/')?.0 } else { name }
        }
    };
    (!name.is_empty()).then(|| decoded(name))
}

/// The publisher that a Vertex path names.
fn publisher(path: &str) -> Option<&str> {
    let mut segments = path.split('/');
    segments.find(|segment| *segment == "publishers")?;
    segments.next()
}

/// A segment with its percent signs decoded (RFC 3986, section 2.1). What is no encoding stays as it is.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, left)) = rest.split_first() {
        let hex = |digit: u8| char::from(digit).to_digit(16);
        match (byte, left) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                let value = hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0);
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
                rest = after;
            }
            _ => {
                bytes.push(byte);
                rest = left;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path such as `/v1/threads/thread_1/messages`, which adds to what is stored and infers nothing.
fn is_of_a_thread(path: &str) -> bool {
    matches!(path.rsplit('/').nth(2), Some("threads" | "conversations"))
}

pub(crate) fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_tell_the_call() {
        let whole = |format| Call::Read { format, stream: false };
        let stream = |format| Call::Read { format, stream: true };
        let cases: &[(&str, &str, Call)] = &[
            ("POST", "/v1/chat/completions", whole("chat.completions")),
            ("post", "/v1/chat/completions/", whole("chat.completions")),
            ("POST", "/chat/completions?api-version=1", whole("chat.completions")),
            ("POST", "/openai/deployments/my-gpt/chat/completions?api-version=1", whole("chat.completions")),
            ("POST", "/together/v1/chat/completions", whole("chat.completions")),
            ("POST", "/v1/completions", whole("completions")),
            ("POST", "/v1/responses", whole("responses")),
            ("POST", "/v1/responses/compact", whole("responses")),
            ("POST", "/v1/messages?beta=true", whole("anthropic.messages")),
            ("POST", "/organizations/acme/models/claude/messages", whole("anthropic.messages")),
            ("POST", "/files/v1/chat/completions", whole("chat.completions")),
            ("POST", "/v1/embeddings", whole("embeddings")),
            ("POST", "/v1/images/generations", whole("images")),
            ("POST", "/v1/audio/transcriptions", whole("audio.transcriptions")),
            ("POST", "/v1/audio/speech", whole("audio.speech")),
            ("POST", "/v1/moderations", whole("moderations")),
            ("POST", "/model/anthropic.claude/converse", whole("converse")),
            ("POST", "/model/anthropic.claude/converse-stream", stream("converse-stream")),
            ("POST", "/model/m/invoke", whole("invoke")),
            ("POST", "/model/m/invoke-with-response-stream", stream("invoke-with-response-stream")),
            ("POST", "/v1beta/models/gemini:generateContent", whole("generateContent")),
            ("POST", "/v1beta/models/gemini:streamGenerateContent?alt=sse", stream("generateContent")),
            ("POST", "/v1beta/models/e:batchEmbedContents", whole("embedContent")),
            ("POST", "/v1/projects/p/locations/l/publishers/google/models/e:predict", whole("predict")),
            ("POST", "/v1/projects/p/publishers/anthropic/models/claude@1:rawPredict", whole("anthropic.messages")),
            ("POST", "/v1/p/publishers/anthropic/models/c:streamRawPredict", stream("anthropic.messages")),
            ("POST", "/v1/p/publishers/mistralai/models/m:streamRawPredict", stream("chat.completions")),
            ("POST", "/v1/p/publishers/ai21/models/j:rawPredict", Call::Unknown),
            ("POST", "/v2/chat", whole("cohere.chat")),
            ("CONNECT", "/v2/chat", Call::Aside(Skipped::Upgrade)),
            ("CONNECT", "", Call::Aside(Skipped::Upgrade)),
            ("POST", "/v2/embed", whole("cohere.embed")),
            ("POST", "/v2/rerank", whole("rerank")),
            ("POST", "/api/chat", whole("ollama")),
            ("POST", "/api/embeddings", whole("ollama.embed")),
            ("POST", "/ml/v1/text/generation?version=1", whole("watsonx")),
            ("POST", "/ml/v1/text/chat_stream", stream("chat.completions")),
            ("GET", "/v1/chat/completions", Call::Aside(Skipped::StoredContent)),
            ("GET", "/v1/chat/completions/chatcmpl-1", Call::Aside(Skipped::StoredContent)),
            ("DELETE", "/v1/responses/resp_1", Call::Aside(Skipped::StoredContent)),
            ("POST", "/v1/responses/resp_1/cancel", Call::Aside(Skipped::StoredContent)),
            ("POST", "/v1/responses/input_tokens", Call::Aside(Skipped::CountTokens)),
            ("POST", "/v1/messages/count_tokens", Call::Aside(Skipped::CountTokens)),
            ("POST", "/v1beta/models/gemini:countTokens", Call::Aside(Skipped::CountTokens)),
            ("POST", "/model/anthropic.claude/count-tokens", Call::Aside(Skipped::CountTokens)),
            ("POST", "/v1/p/publishers/anthropic/models/count-tokens:rawPredict", Call::Aside(Skipped::CountTokens)),
            ("POST", "/v1/messages/batches", Call::Aside(Skipped::Batches)),
            ("GET", "/v1/messages/batches/b/results", Call::Aside(Skipped::Batches)),
            ("POST", "/v1beta/models/gemini:batchGenerateContent", Call::Aside(Skipped::Batches)),
            ("POST", "/v1/threads/thread_1/messages", Call::Aside(Skipped::StoredContent)),
            ("POST", "/v1/files", Call::Aside(Skipped::Files)),
            ("GET", "/v1/files/f/content", Call::Aside(Skipped::Files)),
            ("POST", "/v1/batches", Call::Aside(Skipped::Batches)),
            ("POST", "/v1/fine_tuning/jobs", Call::Aside(Skipped::Management)),
            ("GET", "/v1/models", Call::Aside(Skipped::Models)),
            ("GET", "/v1/realtime?model=gpt", Call::Aside(Skipped::Realtime)),
            ("POST", "/generate", Call::Unknown),
            ("POST", "", Call::Unknown),
        ];
        for (method, path, expected) in cases {
            assert_eq!(call(method, path), *expected, "{method} {path}");
        }
    }

    #[test]
    fn paths_name_the_model() {
        for (path, expected) in [
            ("/openai/deployments/my-gpt/chat/completions?x=/deployments/no", Some("my-gpt")),
            ("/openai/deployments/", None),
            ("/v1/chat/completions", None),
            (
                "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
                Some("anthropic.claude-3-haiku-20240307-v1:0"),
            ),
            (
                "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fabc/invoke",
                Some("arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc"),
            ),
            (
                "/model/arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x/invoke",
                Some("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x"),
            ),
            ("/v1beta/models/gemini-2.5-flash:generateContent?key=k", Some("gemini-2.5-flash")),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/claude@2025:rawPredict", Some("claude@2025")),
            ("/v1/models/100%", None),
            ("/model/100%25%zz%4/invoke", Some("100%%zz%4")),
        ] {
            assert_eq!(model(path).as_deref(), expected, "{path}");
        }
    }
}
