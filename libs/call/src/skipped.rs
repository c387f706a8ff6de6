//! Exchanges that are no calls to a model.

use serde::{Deserialize, Serialize};

/// Why an exchange gives no call record. But for the first and the last two it is a call to an LLM API, which infers
/// nothing and so has no usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// Neither path nor shape is an LLM API that is read.
    NotAnLlmCall,
    /// Tokens are counted, none are used.
    CountTokens,
    /// A file is stored, listed or fetched.
    Files,
    /// A batch is made or looked after. Its usage comes with its results, hours later and in another file.
    Batches,
    /// Models are listed or described.
    Models,
    /// An answer, a conversation or a thread that is stored is fetched or changed.
    StoredContent,
    /// Anything else that is looked after: fine-tunes, vector stores, assistants, organisations.
    Management,
    /// A connection that carries many calls both ways (WebSocket, WebRTC), which is not read.
    Realtime,
    /// A connection that was switched to another protocol: WebSocket, or a tunnel that `CONNECT` opened. What it carries
    /// is not read.
    Upgrade,
    /// gRPC or gRPC-Web, whose messages are not read.
    Grpc,
}

impl Skipped {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::NotAnLlmCall,
        Self::CountTokens,
        Self::Files,
        Self::Batches,
        Self::Models,
        Self::StoredContent,
        Self::Management,
        Self::Realtime,
        Self::Upgrade,
        Self::Grpc,
    ];

    /// The word used in counters and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnLlmCall => "not_an_llm_call",
            Self::CountTokens => "count_tokens",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::Models => "models",
            Self::StoredContent => "stored_content",
            Self::Management => "management",
            Self::Realtime => "realtime",
            Self::Upgrade => "upgrade",
            Self::Grpc => "grpc",
        }
    }
}
