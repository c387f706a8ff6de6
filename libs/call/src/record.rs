//! The call record itself.

use crate::{Api, Content, Outcome, Parameters, Skipped, Timing, Usage, UsageSource};
use serde::{Deserialize, Serialize};

/// What the call asked for: the values of `gen_ai.operation.name` for calls to a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A chat turn.
    #[default]
    Chat,
    /// A plain completion.
    TextCompletion,
    /// Multimodal generation.
    GenerateContent,
    /// Embeddings.
    Embeddings,
    /// Ordering of documents by relevance. The conventions have no word for it.
    Rerank,
    /// Classification of content as harmful. The conventions have no word for it.
    Moderation,
}

impl Operation {
    /// The word used in attributes and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
            Self::GenerateContent => "generate_content",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Moderation => "moderation",
        }
    }

    /// Whether the model writes tokens, so that a call without a count of output is not wholly counted.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Chat | Self::TextCompletion | Self::GenerateContent)
    }
}

/// What one exchange with an LLM API was. Absent means the exchange did not say it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// `gen_ai.provider.name`; `None` where neither host nor shape tells.
    pub provider: Option<String>,
    /// `gen_ai.operation.name`.
    pub operation: Operation,
    /// The wire API.
    pub api: Option<Api>,
    /// What the request asked for besides the model.
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// The model as the request names it.
    pub request_model: Option<String>,
    /// The model as the answer names it.
    pub response_model: Option<String>,
    /// The answer's id.
    pub response_id: Option<String>,
    /// Why the model stopped, in the provider's own words and in the order seen.
    pub finish_reasons: Vec<String>,
    /// Names of the tools that the model called, each once, in the order seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_called: Vec<String>,
    /// Whether the answer was a stream.
    pub stream: bool,
    /// HTTP status of the answer; `None` where none came.
    pub status: Option<u16>,
    /// Token counts; `None` where the provider reported none.
    pub usage: Option<Usage>,
    /// Where the counts come from; `None` exactly where `usage` is.
    pub usage_source: Option<UsageSource>,
    /// Service tier the answer says it was served with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Speed that the answer says it was served with; it has a price of its own (Anthropic `usage.speed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<String>,
    /// Where the answer says it was computed; it has a price of its own (Anthropic `usage.inference_geo`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference_geo: Option<String>,
    /// Fingerprint of the serving system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// `error.type`: the provider's error type or code, else the status as text, else how the stream broke.
    pub error_type: Option<String>,
    /// The provider's code beside its error type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// How the exchange ended.
    pub outcome: Outcome,
}

impl Record {
    /// The model to price and to report by: the answer's, else the request's.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.response_model.as_deref().or(self.request_model.as_deref())
    }
}

/// Everything that reading an exchange gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The call, or why there is none.
    pub record: Result<Record, Skipped>,
    /// Clock readings and byte counts.
    pub timing: Timing,
    /// What was said, where capture was on.
    pub content: Content,
    /// Observations worth a counter: malformed counts, undecodable bodies, limits reached. Sorted, without repeats.
    pub notes: Vec<&'static str>,
}
