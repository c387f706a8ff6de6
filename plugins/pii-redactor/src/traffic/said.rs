//! What a content type says of a body.

/// What the content type of an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Sse,
    Lines,
    Json,
    Events,
    Text,
    Nothing,
    /// Pictures, sound, forms.
    Binary,
    Other,
}

/// How content types begin whose bodies are no text.
const BINARY: &[&[u8]] = &[b"audio/", b"image/", b"video/", b"font/", b"multipart/", b"application/grpc"];

impl Said {
    pub(crate) fn of(content_type: &[u8]) -> Self {
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii().to_ascii_lowercase();
        match essence.as_slice() {
            b"" => Self::Nothing,
            b"text/event-stream" => Self::Sse,
            b"application/vnd.amazon.eventstream" => Self::Events,
            b"application/x-ndjson"
            | b"application/ndjson"
            | b"application/stream+json"
            | b"application/jsonl"
            | b"application/x-jsonlines"
            | b"application/jsonlines" => Self::Lines,
            b"application/json" | b"text/json" => Self::Json,
            other if other.ends_with(b"+json") => Self::Json,
            other if other.starts_with(b"text/") => Self::Text,
            other if BINARY.iter().any(|kind| other.starts_with(kind)) => Self::Binary,
            _ => Self::Other,
        }
    }
}
