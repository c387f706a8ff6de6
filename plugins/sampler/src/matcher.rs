//! Texts that are looked for: exact ones, or regular expressions.

use regex_lite::{Regex, RegexBuilder};

/// Most bytes that one compiled expression may take.
const PROGRAM_BYTES: usize = 1 << 20;
/// Longest expression, in bytes.
const PATTERN_BYTES: usize = 4096;
/// How deep groups may be nested.
const NESTING: u32 = 50;

/// What a text has to be.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// One of these.
    Exact(Vec<String>),
    /// Something in it is matched by one of these.
    Expressions(Vec<Regex>),
}

impl Matcher {
    /// Whether a text is looked for. Matching takes time linear in the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(values) => values.iter().any(|value| value == text),
            Self::Expressions(expressions) => expressions.iter().any(|expression| expression.is_match(text)),
        }
    }
}

/// Compiles an expression. It is found anywhere in a text, unless it says otherwise (`^`, `$`).
///
/// # Errors
/// Why not, in a sentence.
pub(crate) fn expression(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > PATTERN_BYTES {
        return Err(format!("the expression has {} bytes; at most {PATTERN_BYTES}", pattern.len()));
    }
    RegexBuilder::new(pattern)
        .size_limit(PROGRAM_BYTES)
        .nest_limit(NESTING)
        .build()
        .map_err(|error| format!("is not a regular expression that can be used here: {error}"))
}
