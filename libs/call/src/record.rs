//! The call record itself.

use crate::{Content, Outcome, Timing, Usage, UsageSource};
use serde::{Deserialize, Serialize};

/// The wire API an exchange spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Api {
    /// OpenAI chat completions, and everyone who speaks it.
    #[serde(rename = "chat.completions")]
    ChatCompletions,
    /// OpenAI Responses.
    #[serde(rename = "responses")]
    Responses,
    /// Anthropic messages.
    #[serde(rename = "anthropic.messages")]
    AnthropicMessages,
}

impl Api {
    /// The word used in attributes and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat.completions",
            Self::Responses => "responses",
            Self::AnthropicMessages => "anthropic.messages",
        }
    }
}

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
        }
    }
}

/// What one exchange with an LLM API was. Absent means the exchange did not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// `gen_ai.provider.name`; `None` where neither host nor shape tells.
    pub provider: Option<String>,
    /// `gen_ai.operation.name`.
    pub operation: Operation,
    /// The wire API.
    pub api: Option<Api>,
    /// The model as the request names it.
    pub request_model: Option<String>,
    /// The model as the answer names it.
    pub response_model: Option<String>,
    /// The answer's id.
    pub response_id: Option<String>,
    /// Why the model stopped, in the provider's own words and in the order seen.
    pub finish_reasons: Vec<String>,
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
    /// `error.type`: the provider's error type or code, else the status as text, else how the stream broke.
    pub error_type: Option<String>,
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

/// Why an exchange gives no call record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// Neither path nor shape is an LLM API that is read.
    NotAnLlmCall,
    /// An LLM API, but a call that makes no inference (counting tokens, files, batches, models).
    NoInference,
}

impl Skipped {
    /// The word used in counters and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnLlmCall => "not_an_llm_call",
            Self::NoInference => "no_inference",
        }
    }
}

/// Everything that reading an exchange gives.
#[derive(Clone, Debug, PartialEq, Eq)]
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
