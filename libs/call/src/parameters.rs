//! What a request asks for.

use serde::{Deserialize, Serialize};

/// What a request asked for besides the model and the messages: the request attributes of the GenAI conventions, and
/// whose call it was where the API has a place to say so. `None` means that the request did not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// `gen_ai.request.temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// `gen_ai.request.top_p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// `gen_ai.request.top_k`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<i64>,
    /// `gen_ai.request.max_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<i64>,
    /// `gen_ai.request.choice.count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice_count: Option<i64>,
    /// `gen_ai.request.seed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// `gen_ai.request.frequency_penalty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// `gen_ai.request.presence_penalty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// `gen_ai.request.stop_sequences`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// `gen_ai.request.reasoning.level`, in the provider's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
    /// `gen_ai.request.encoding_formats`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encoding_formats: Vec<String>,
    /// `gen_ai.embeddings.dimension.count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<i64>,
    /// `gen_ai.output.type`: `text`, `json`, `image` or `speech`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_type: Option<String>,
    /// `gen_ai.request.previous_response.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_response_id: Option<String>,
    /// Service tier asked for; the one served is in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Names of the tools that the model was offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// The end user, as the application names them to the provider (OpenAI `user` and `safety_identifier`, Anthropic
    /// `metadata.user_id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `gen_ai.conversation.id`: the conversation or session that the request names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
}

impl Parameters {
    /// Whether the request said nothing of all this.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
