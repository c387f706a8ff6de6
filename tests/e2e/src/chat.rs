//! A chat completion, asked for and answered, as a document and as a stream.

/// Its path.
pub const PATH: &str = "/v1/chat/completions";

/// A request for a stream.
pub const REQUEST: &[u8] = br#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;

/// An answer as a document: 1000 tokens in, 400 of them from the cache, and 200 out.
pub const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,"prompt_tokens_details":{"cached_tokens":400}}}"#;

/// Headers of a stream.
pub const EVENT_STREAM: &[(&str, &str)] = &[("content-type", "text/event-stream")];

/// The events of a streamed answer, usage last: 9 tokens in, 2 out.
#[must_use]
pub fn events() -> Vec<Vec<u8>> {
    let chunk = |rest: &str| {
        format!(
            "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-2024-08-06\",{rest}}}\n\n"
        )
        .into_bytes()
    };
    vec![
        chunk(r#""choices":[{"index":0,"delta":{"role":"assistant","content":""}}]"#),
        chunk(r#""choices":[{"index":0,"delta":{"content":"hello"}}]"#),
        chunk(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#),
        chunk(r#""choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}"#),
        b"data: [DONE]\n\n".to_vec(),
    ]
}

/// The same as slices.
pub fn slices(parts: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    parts.iter().map(Vec::as_slice)
}
