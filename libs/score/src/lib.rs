//! Scores of calls: what evaluations and users say of them.
//!
//! A [`Score`] is about a span, a trace or a session. It comes and goes as the event `gen_ai.evaluation.result` of the GenAI
//! conventions ([`Score::of_log`], [`Score::event`]), or as the JSON of a backend's API ([`langfuse`]). Its [id](Score::id) is
//! computed from what it is about, so that a score that is sent again does not become two.
//!
//! ```
//! use tollgate_score::{About, Score, Value};
//! let about = About::Span { trace_id: [7; 16], span_id: [8; 8] };
//! let score = Score::new(about, "user_feedback", Value::Number(1.0), "feedback", 1_790_000_000_000_000_000);
//! assert_eq!(score.id(), Score { comment: Some("better".to_owned()), ..score.clone() }.id());
//! ```
#![forbid(unsafe_code)]

mod event;
pub mod langfuse;

pub use event::is_result;

use sha2::{Digest, Sha256};

/// What one evaluation or one user says of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// What it is about.
    pub about: About,
    /// Name of what was measured, for example `relevance` or `user_feedback`.
    pub name: String,
    /// What was found.
    pub value: Value,
    /// Who says so: an evaluator with its version, or where users say it. Two sources may score the same thing.
    pub source: String,
    /// Why, in words.
    pub comment: Option<String>,
    /// When, in nanoseconds since 1970. It is part of what makes a score that is sent again the same one.
    pub time: u64,
}

/// What a score is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One span.
    Span {
        /// Its trace.
        trace_id: [u8; 16],
        /// Its id.
        span_id: [u8; 8],
    },
    /// A whole trace.
    Trace([u8; 16]),
    /// A conversation, by the id that the application gave it.
    Session(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, with the word that the evaluator has for it, where it has one.
    Number(f64),
    /// One of a few words.
    Label(String),
    /// A number and the word for it.
    Labelled(f64, String),
}

impl Score {
    /// A score without a comment.
    #[must_use]
    pub fn new(about: About, name: &str, value: Value, source: &str, time: u64) -> Self {
        Self { about, name: name.to_owned(), value, source: source.to_owned(), comment: None, time }
    }

    /// Its id: 32 hexadecimal digits of SHA-256 over what it is about, its name and its source, each with its length before
    /// it. What was found is not part of it: a later word on the same thing by the same source is a new version of it.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        let (kind, trace, within): (&[u8], &[u8], &[u8]) = match &self.about {
            About::Span { trace_id, span_id } => (b"span", trace_id, span_id),
            About::Trace(trace_id) => (b"trace", trace_id, b""),
            About::Session(session) => (b"session", b"", session.as_bytes()),
        };
        for bytes in [kind, trace, within, self.name.as_bytes(), self.source.as_bytes()] {
            part(bytes);
        }
        hexadecimal(hash.finalize().get(..16).unwrap_or_default())
    }
}

/// Bytes as hexadecimal digits, as ids are written.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn score(about: About, name: &str, source: &str) -> Score {
        Score::new(about, name, Value::Number(1.0), source, 1)
    }

    #[test]
    fn an_id_says_what_the_score_is_about_and_who_says_so() {
        let span = About::Span { trace_id: [1; 16], span_id: [2; 8] };
        let first = score(span.clone(), "a", "b");
        let again = Score { value: Value::Label("x".into()), comment: Some("y".into()), time: 2, ..first.clone() };
        assert_eq!(first.id(), again.id());
        let others = [
            score(span.clone(), "a", "c"),
            score(span.clone(), "ab", ""),
            score(span, "", "ab"),
            score(About::Span { trace_id: [1; 16], span_id: [3; 8] }, "a", "b"),
            score(About::Trace([1; 16]), "a", "b"),
            score(About::Session("s".into()), "a", "b"),
            score(About::Session(String::new()), "a", "b"),
        ];
        let ids: BTreeSet<_> = others.iter().chain([&first]).map(Score::id).collect();
        assert_eq!(ids.len(), 8);
        assert!(ids.iter().all(|id| id.len() == 32));
        // By Python: sha256 over struct.pack(">Q", len(part)) + part.
        assert_eq!(first.id(), BY_PYTHON);
    }

    const BY_PYTHON: &str = "a596b08167292481c2e5b9d7aa520e8c";
}
