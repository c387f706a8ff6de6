//! Token counts of one call, and where they come from.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Token counts of one call, canonical and native.
///
/// The canonical counts are inclusive (the OpenTelemetry GenAI reading): `input_tokens` is all that was read, cache
/// reads and cache writes included; `output_tokens` is all that was written, reasoning included; the others are
/// parts of those two. `None` means the provider did not report the count, which is not the same as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Everything the model read, in tokens, cached parts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Everything the model wrote, in tokens, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Part of the input that was served from the provider's prompt cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Part of the input that was written to the provider's prompt cache, at any time to live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Part of the cache write with a time to live of five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_5m_tokens: Option<u64>,
    /// Part of the cache write with a time to live of one hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_tokens: Option<u64>,
    /// Part of the output that was reasoning the caller may not see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Part of the input that was audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input_tokens: Option<u64>,
    /// Part of the output that was audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output_tokens: Option<u64>,
    /// Part of the input that was images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_input_tokens: Option<u64>,
    /// Part of the output that was images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_output_tokens: Option<u64>,
    /// Part of the input that the provider's own tools put there (Gemini `toolUsePromptTokenCount`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_use_input_tokens: Option<u64>,
    /// Part of the cache read that was audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_audio_tokens: Option<u64>,
    /// Part of the cache read that was images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_image_tokens: Option<u64>,
    /// What was used and billed besides tokens, by its name in [`Usage::UNITS`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other_units: BTreeMap<String, u64>,
    /// Calls of tools that the provider ran itself and bills for, by tool: `web_search`, `web_fetch`, `file_search`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub server_tool_calls: BTreeMap<String, u64>,
    /// What the provider says the call cost, in billionths of a US dollar; what is below is rounded to the nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_cost_nano_usd: Option<u64>,
    /// The total as the provider itself stated it. Never used in place of the parts; a disagreement is a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_total_tokens: Option<u64>,
    /// The counts under the provider's own names (`usage.prompt_tokens`), so that a price can be recomputed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub native: BTreeMap<String, u64>,
}

impl Usage {
    /// Names of what is billed besides tokens: images made; seconds of audio heard, of audio and of video made;
    /// characters spoken; pages read; units of search, of which a reranking may take several.
    pub const UNITS: [&str; 7] = [
        "images",
        "audio_input_seconds",
        "audio_output_seconds",
        "video_seconds",
        "characters",
        "pages",
        "search_units",
    ];

    /// Input plus output, where both are known.
    #[must_use]
    pub fn total_tokens(&self) -> Option<u64> {
        self.input_tokens?.checked_add(self.output_tokens?)
    }

    /// Whether the provider's own total contradicts input plus output. `false` where either is unknown.
    #[must_use]
    pub fn total_disagrees(&self) -> bool {
        matches!((self.total_tokens(), self.provider_total_tokens), (Some(ours), Some(theirs)) if ours != theirs)
    }
}

/// Where the counts of a call come from: no number without provenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsageSource {
    /// The provider reported them, whole.
    Reported,
    /// The provider reported some; others were absent or malformed.
    Partial,
    /// The stream was cut off; these were reported until then.
    Aborted,
    /// Nobody reported them; they are our estimate. Only where the user asked for estimates.
    Estimated,
}

impl UsageSource {
    /// The word used in attributes and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Partial => "partial",
            Self::Aborted => "aborted",
            Self::Estimated => "estimated",
        }
    }
}
