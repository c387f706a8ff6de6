//! Token counts: collected field by field under the provider's names, made canonical once, at the end.
//!
//! A stream may report usage several times, whole or in part. Field by field the last value wins; nothing is added
//! up before the end. `null` reports nothing. What is no count (negative, fractional, above 2^53) is left out and
//! noted, never read as 0.

use crate::notes::{self, Notes};
use std::collections::BTreeMap;
use tollgate_call::{Api, Usage};
use tollgate_json::{Node, Scalar, Want};

/// The largest integer that every JSON reader holds exactly.
const MAX_COUNT: u64 = 1 << 53;
/// Fields that are kept.
const MAX_FIELDS: usize = 64;
/// Bytes of a field's name, with its path.
const MAX_NAME: usize = 128;
/// Levels of nesting that are read.
pub(crate) const LEVELS: Node = 4;

/// Counts under the provider's own names.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    native: BTreeMap<String, u64>,
    /// The name of the field being read, and its length at each level.
    name: String,
    lengths: [usize; LEVELS as usize + 1],
    malformed: bool,
}

const PREFIX: &str = "usage";

impl Default for Counts {
    fn default() -> Self {
        let lengths = [PREFIX.len(); LEVELS as usize + 1];
        Self { native: BTreeMap::new(), name: PREFIX.to_owned(), lengths, malformed: false }
    }
}

impl Counts {
    /// A key at `level` of the usage object; whether its value is wanted.
    pub(crate) fn key(&mut self, level: Node, key: &[u8], notes: &mut Notes) -> bool {
        let level = usize::from(level);
        let length = self.lengths.get(level).copied().unwrap_or(PREFIX.len());
        self.name.truncate(length);
        if length + 1 + key.len() > MAX_NAME {
            notes.add(notes::USAGE_FIELDS_LIMIT);
            return false;
        }
        self.name.push('.');
        self.name.push_str(&String::from_utf8_lossy(key));
        if let Some(next) = self.lengths.get_mut(level + 1) {
            *next = self.name.len();
        }
        true
    }

    /// The value of the field that was named last.
    pub(crate) fn scalar(&mut self, value: Scalar<'_>, notes: &mut Notes) {
        // Prices, durations and flags stand beside the counts. They are no counts, and not malformed either.
        if self.name.contains("cost") || self.name.ends_with("time") {
            return;
        }
        let counts_tokens = self.name.ends_with("tokens");
        let count = match value {
            Scalar::Number(text) => count(text),
            Scalar::Null => return,
            Scalar::Text(_) | Scalar::Bool(_) => None,
        };
        match count {
            Some(count) => {
                if let Some(known) = self.native.get_mut(self.name.as_str()) {
                    *known = count;
                } else if self.native.len() < MAX_FIELDS {
                    self.native.insert(self.name.clone(), count);
                } else {
                    notes.add(notes::USAGE_FIELDS_LIMIT);
                }
            }
            None if counts_tokens => {
                self.malformed = true;
                notes.add(notes::MALFORMED_USAGE);
            }
            None => {}
        }
    }

    /// Whether the field being read is `name`, without the leading `usage.`.
    pub(crate) fn is_field(&self, name: &str) -> bool {
        self.name.get(PREFIX.len() + 1..) == Some(name)
    }

    /// Bytes of memory that the counts have allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let entries: usize = self.native.keys().map(|name| name.capacity() + size_of::<(String, u64)>()).sum();
        self.name.capacity() + entries
    }

    /// Whether a count was malformed.
    pub(crate) fn malformed(&self) -> bool {
        self.malformed
    }

    /// The canonical usage; `None` where nothing was reported.
    pub(crate) fn into_usage(self, api: Api) -> Option<Usage> {
        if self.native.is_empty() {
            return None;
        }
        let mut usage = match api {
            Api::ChatCompletions => self.chat(),
            Api::Responses => self.responses(),
            Api::AnthropicMessages => self.messages(),
        };
        usage.native = self.native;
        Some(usage)
    }

    fn field(&self, name: &str) -> Option<u64> {
        self.native.get(name).copied()
    }

    fn first(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| self.field(name))
    }

    /// Chat completions: totals are inclusive. Besides OpenAI's place for cached tokens there are those of DeepSeek
    /// (`prompt_cache_hit_tokens`) and Moonshot (`cached_tokens`). Mistral's `num_cached_tokens` counts what its
    /// engine had in memory, which is not what is billed as cached, and stays native.
    fn chat(&self) -> Usage {
        Usage {
            input_tokens: self.field("usage.prompt_tokens"),
            output_tokens: self.field("usage.completion_tokens"),
            cache_read_tokens: self.first(&[
                "usage.prompt_tokens_details.cached_tokens",
                "usage.prompt_cache_hit_tokens",
                "usage.cached_tokens",
            ]),
            cache_write_tokens: self.first(&[
                "usage.prompt_tokens_details.cache_write_tokens",
                "usage.prompt_tokens_details.cache_creation_tokens",
            ]),
            reasoning_tokens: self.field("usage.completion_tokens_details.reasoning_tokens"),
            audio_input_tokens: self.field("usage.prompt_tokens_details.audio_tokens"),
            audio_output_tokens: self.field("usage.completion_tokens_details.audio_tokens"),
            provider_total_tokens: self.field("usage.total_tokens"),
            ..Usage::default()
        }
    }

    /// Responses: totals are inclusive.
    fn responses(&self) -> Usage {
        Usage {
            input_tokens: self.field("usage.input_tokens"),
            output_tokens: self.field("usage.output_tokens"),
            cache_read_tokens: self.field("usage.input_tokens_details.cached_tokens"),
            cache_write_tokens: self.field("usage.input_tokens_details.cache_write_tokens"),
            reasoning_tokens: self.field("usage.output_tokens_details.reasoning_tokens"),
            audio_input_tokens: self.field("usage.input_tokens_details.audio_tokens"),
            audio_output_tokens: self.field("usage.output_tokens_details.audio_tokens"),
            provider_total_tokens: self.field("usage.total_tokens"),
            ..Usage::default()
        }
    }

    /// Messages: `input_tokens` is what neither came from the cache nor went into it, so the three are added. The
    /// cache write is split by time to live in `cache_creation`; where only the split is reported, its sum is the
    /// write. `thinking_tokens` counts text that the caller does see, and stays native.
    fn messages(&self) -> Usage {
        let five_minutes = self.field("usage.cache_creation.ephemeral_5m_input_tokens");
        let one_hour = self.field("usage.cache_creation.ephemeral_1h_input_tokens");
        let split = match (five_minutes, one_hour) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        let read = self.field("usage.cache_read_input_tokens");
        let write = self.field("usage.cache_creation_input_tokens").or(split);
        let cached = read.unwrap_or(0).saturating_add(write.unwrap_or(0));
        Usage {
            input_tokens: self.field("usage.input_tokens").map(|fresh| fresh.saturating_add(cached)),
            output_tokens: self.field("usage.output_tokens"),
            cache_read_tokens: read,
            cache_write_tokens: write,
            cache_write_5m_tokens: five_minutes,
            cache_write_1h_tokens: one_hour,
            ..Usage::default()
        }
    }
}

/// A count: a whole number from 0 to 2^53.
fn count(text: &str) -> Option<u64> {
    text.parse().ok().filter(|count| *count <= MAX_COUNT)
}

/// The answer to a key under usage node `base`.
pub(crate) fn want(base: Node, level: Node, wanted: bool) -> Want {
    if wanted && level < LEVELS { Want::Take(base + level + 1) } else { Want::Skip }
}
