//! Which vocabulary a model reads and writes in.

use crate::vocabulary::Encoding::{self, Cl100kBase, O200kBase};

/// Longest name that is looked up, in bytes.
const LONGEST: usize = 256;

/// What is known of a family of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// How the names begin; what follows is nothing, or begins with `-`, `:` or `@`. Where the row ends with a dot,
    /// anything may follow.
    stem: &'static str,
    pub(crate) encoding: Encoding,
    /// Whether the models write reasoning that is billed as output and not shown.
    pub(crate) reasons: bool,
}

const fn family(stem: &'static str, encoding: Encoding, reasons: bool) -> Family {
    Family { stem, encoding, reasons }
}

/// The models whose vocabulary its publisher has said: `MODEL_TO_ENCODING` and `MODEL_PREFIX_TO_ENCODING` of OpenAI's
/// tiktoken (`tiktoken/model.py`), as far as they name these two vocabularies. The first row that fits counts.
///
/// `gpt-oss` is said to read `o200k_harmony`, which is `o200k_base` with more special tokens, and text has none.
const FAMILIES: &[Family] = &[
    family("gpt-5-chat", O200kBase, false),
    family("gpt-5", O200kBase, true),
    family("gpt-5.", O200kBase, true),
    family("gpt-4.5", O200kBase, false),
    family("gpt-4.1", O200kBase, false),
    family("gpt-4o", O200kBase, false),
    family("chatgpt-4o", O200kBase, false),
    family("o1", O200kBase, true),
    family("o3", O200kBase, true),
    family("o4-mini", O200kBase, true),
    family("gpt-oss", O200kBase, true),
    family("gpt-4", Cl100kBase, false),
    family("gpt-3.5", Cl100kBase, false),
    family("gpt-3.5-turbo", Cl100kBase, false),
    family("gpt-35-turbo", Cl100kBase, false),
    family("davinci-002", Cl100kBase, false),
    family("babbage-002", Cl100kBase, false),
    family("text-embedding-ada-002", Cl100kBase, false),
    family("text-embedding-3-small", Cl100kBase, false),
    family("text-embedding-3-large", Cl100kBase, false),
];

/// The family of a model; `None` where its vocabulary is not public, or the name is not known.
///
/// A name may have a gateway's prefix (`openai/gpt-4o`), that of Bedrock (`openai.gpt-oss-120b-1:0`), or that of a
/// tuned model (`ft:gpt-4o:...`).
pub(crate) fn family_of(model: &str) -> Option<Family> {
    if model.len() > LONGEST {
        return None;
    }
    let model = model.trim().to_ascii_lowercase();
    let name = model.rsplit('/').next().unwrap_or_default();
    let name = name.strip_prefix("ft:").unwrap_or(name);
    let name = name.strip_prefix("openai.").unwrap_or(name);
    FAMILIES.iter().find(|family| is_of(name, family.stem)).copied()
}

fn is_of(name: &str, stem: &str) -> bool {
    match name.strip_prefix(stem) {
        Some(rest) => stem.ends_with('.') || rest.is_empty() || rest.starts_with(['-', ':', '@']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_the_vocabulary_that_its_publisher_says() {
        for (model, expected) in [
            ("gpt-4o", Some((O200kBase, false))),
            ("gpt-4o-mini-2024-07-18", Some((O200kBase, false))),
            ("GPT-4o", Some((O200kBase, false))),
            ("openai/gpt-4.1-nano", Some((O200kBase, false))),
            ("openrouter/openai/gpt-4o:free", Some((O200kBase, false))),
            ("ft:gpt-4o-mini-2024-07-18:acme::1", Some((O200kBase, false))),
            ("chatgpt-4o-latest", Some((O200kBase, false))),
            ("gpt-5", Some((O200kBase, true))),
            ("gpt-5-mini-2025-08-07", Some((O200kBase, true))),
            ("gpt-5-chat-latest", Some((O200kBase, false))),
            ("gpt-5.4-2026-03-05", Some((O200kBase, true))),
            ("o1", Some((O200kBase, true))),
            ("o3-mini", Some((O200kBase, true))),
            ("o4-mini-2025-04-16", Some((O200kBase, true))),
            ("openai.gpt-oss-120b-1:0", Some((O200kBase, true))),
            ("gpt-4", Some((Cl100kBase, false))),
            ("gpt-4-0613", Some((Cl100kBase, false))),
            ("gpt-4-turbo", Some((Cl100kBase, false))),
            ("gpt-3.5-turbo-0125", Some((Cl100kBase, false))),
            ("gpt-35-turbo-16k", Some((Cl100kBase, false))),
            ("text-embedding-3-small", Some((Cl100kBase, false))),
            // Of other makers, or of families nothing is said about.
            ("text-embedding-004", None),
            ("claude-sonnet-4-5", None),
            ("gemini-2.5-pro", None),
            ("mistral-large-latest", None),
            ("gpt-4.2", None),
            ("gpt-6", None),
            ("gpt-50", None),
            ("o10", None),
            ("o5-mini", None),
            ("my-gpt-4o", None),
            ("text-davinci-003", None),
            ("", None),
        ] {
            assert_eq!(family_of(model).map(|family| (family.encoding, family.reasons)), expected, "{model}");
        }
        assert_eq!(family_of(&format!("gpt-4o-{}", "x".repeat(LONGEST))), None);
    }
}
