//! Names of wire APIs.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The wire API that an exchange spoke. Those that Tollgate reads by itself are constants here; a configuration or an
/// extractor of the user may name others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Api(Cow<'static, str>);

macro_rules! apis {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        impl Api {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($word));)*

            /// Every API that Tollgate reads by itself.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

apis! {
    /// OpenAI chat completions, and everyone who speaks it.
    CHAT_COMPLETIONS = "chat.completions";
    /// OpenAI completions, the older form.
    COMPLETIONS = "completions";
    /// OpenAI Responses.
    RESPONSES = "responses";
    /// OpenAI embeddings.
    EMBEDDINGS = "embeddings";
    /// OpenAI images: generations, edits, variations.
    IMAGES = "images";
    /// OpenAI speech: text in, audio out.
    SPEECH = "audio.speech";
    /// OpenAI transcriptions and translations: audio in, text out.
    TRANSCRIPTIONS = "audio.transcriptions";
    /// OpenAI moderations.
    MODERATIONS = "moderations";
    /// Anthropic messages, at Anthropic, on Vertex and wherever else it is spoken.
    ANTHROPIC_MESSAGES = "anthropic.messages";
    /// Gemini and Vertex `generateContent` and `streamGenerateContent`.
    GENERATE_CONTENT = "generateContent";
    /// Gemini `embedContent` and `batchEmbedContents`.
    EMBED_CONTENT = "embedContent";
    /// Vertex `predict`: embeddings and images of Google's own models.
    PREDICT = "predict";
    /// Bedrock Converse.
    CONVERSE = "converse";
    /// Bedrock `ConverseStream`.
    CONVERSE_STREAM = "converse-stream";
    /// Bedrock `InvokeModel`, in the format of the model's own family.
    INVOKE = "invoke";
    /// Bedrock `InvokeModelWithResponseStream`.
    INVOKE_STREAM = "invoke-with-response-stream";
    /// Cohere chat, v1 and v2.
    COHERE_CHAT = "cohere.chat";
    /// Cohere embed, v1 and v2.
    COHERE_EMBED = "cohere.embed";
    /// Rerank, as Cohere defines it and others speak it.
    RERANK = "rerank";
    /// Ollama's own chat, generate and embed.
    OLLAMA = "ollama";
    /// watsonx text generation and chat.
    WATSONX = "watsonx";
}

impl Api {
    /// The API of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.iter().find(|api| api.as_str() == name).cloned();
        known.unwrap_or_else(|| Self(Cow::Owned(name.to_owned())))
    }

    /// The word used in attributes and in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
