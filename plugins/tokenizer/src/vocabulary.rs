//! Text in, a number of tokens out, in time that grows as the text does.

use std::fmt;
use std::sync::OnceLock;
use tiktoken::CoreBpe;

/// Most bytes that are handed to the tokenizer at once.
///
/// A vocabulary splits text into words and merges the bytes of each; a word may be as long as the text, and merging
/// takes memory of about 30 times its length and time of n log n. A longer text is counted in segments.
const SEGMENT: usize = 4 << 10;

/// A public vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// GPT-4o and what came after it.
    O200kBase,
    /// GPT-4, GPT-3.5 and the embedding models.
    Cl100kBase,
}

impl Encoding {
    /// Every vocabulary.
    pub const ALL: [Self; 2] = [Self::O200kBase, Self::Cl100kBase];

    /// The name that its publisher gave it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::Cl100kBase => "cl100k_base",
        }
    }

    /// The vocabulary of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == name)
    }

    /// Unpacks the vocabulary, where that has not happened yet. It takes a sixth of a second in a component, and
    /// some 12 MB of memory for as long as it lasts.
    pub fn load(self) {
        self.words();
    }

    /// How many tokens the text has. Names of special tokens, such as `<|endoftext|>`, are text like any other: so
    /// they are to a model that reads them in a message.
    ///
    /// A text of more than 4 KiB is counted in segments, which end where a word begins. Where there is no such place
    /// for 2 KiB, as in a text of one letter, the segment ends anywhere, and the count may be off by a few tokens.
    ///
    /// ```
    /// use tollgate_tokenizer::Encoding;
    /// assert_eq!(Encoding::O200kBase.count("hello world"), 2);
    /// ```
    #[must_use]
    pub fn count(self, text: &str) -> u64 {
        let words = self.words();
        segments(text).map(|segment| words.count(segment) as u64).sum()
    }

    fn words(self) -> &'static CoreBpe {
        static O200K_BASE: OnceLock<CoreBpe> = OnceLock::new();
        static CL100K_BASE: OnceLock<CoreBpe> = OnceLock::new();
        match self {
            Self::O200kBase => O200K_BASE.get_or_init(tiktoken::encoding::o200k_base),
            Self::Cl100kBase => CL100K_BASE.get_or_init(tiktoken::encoding::cl100k_base),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text in pieces of at most [`SEGMENT`] bytes.
fn segments(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (segment, rest) = text.split_at_checked(end_of_segment(text))?;
        text = rest;
        (!segment.is_empty()).then_some(segment)
    })
}

/// Where the first segment ends: before the last space in the second half of it that stands between two letters.
/// Both vocabularies begin a word there, whatever surrounds it, so that a cut there changes no count.
fn end_of_segment(text: &str) -> usize {
    if text.len() <= SEGMENT {
        return text.len();
    }
    let bytes = text.as_bytes();
    let is_cut = |&at: &usize| {
        let around = at.checked_sub(1).and_then(|before| bytes.get(before..at + 2));
        matches!(around, Some([before, b' ', after]) if before.is_ascii_alphabetic() && after.is_ascii_alphabetic())
    };
    (SEGMENT / 2..=SEGMENT).rev().find(is_cut).unwrap_or_else(|| text.floor_char_boundary(SEGMENT))
}

#[cfg(test)]
#[path = "vocabulary_tests.rs"]
mod tests;
