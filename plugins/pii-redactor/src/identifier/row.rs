//! One line of the tables: an identifier in one way of writing it.

use crate::candidate::Proof;
use crate::kind::Kind;

/// What must be there beside the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing, where its letters are capitals: other things are not written so, or almost never pass the check.
    Nothing,
    /// One of the words near it.
    Word,
    /// One of the words directly before it.
    Label,
    /// It is not accepted in this way of writing.
    Never,
}

/// An identifier in one way of writing it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// See [`super::form`].
    pub(super) form: &'static str,
    /// Separators that may stand at the spaces of the form.
    pub(super) gaps: &'static str,
    /// Whether a value, in capitals and without separators, obeys the rules.
    pub(super) check: fn(&[u8]) -> bool,
    /// What the value proves by itself.
    pub(super) proof: Proof,
    /// What it needs without its separators and marks, and with them.
    pub(super) bare: Needs,
    pub(super) grouped: Needs,
    /// Words that name it: English, the language of its country, Chinese.
    pub(super) words: &'static [&'static str],
    /// What was looked at, for people who ask why.
    pub(super) rule: &'static str,
}

impl Row {
    /// An identifier with a check digit, character or letter.
    pub(super) const fn checked(kind: Kind, form: &'static str, check: fn(&[u8]) -> bool, rule: &'static str) -> Self {
        let (bare, grouped) = (Needs::Word, Needs::Nothing);
        Self { kind, form, gaps: "", check, proof: Proof::Checked, bare, grouped, words: &[], rule }
    }

    /// An identifier that has a form and no check.
    pub(super) const fn formed(kind: Kind, form: &'static str, check: fn(&[u8]) -> bool, rule: &'static str) -> Self {
        let (bare, grouped) = (Needs::Word, Needs::Word);
        Self { kind, form, gaps: "", check, proof: Proof::Form, bare, grouped, words: &[], rule }
    }

    pub(super) const fn gaps(self, gaps: &'static str) -> Self {
        Self { gaps, ..self }
    }

    pub(super) const fn bare(self, bare: Needs) -> Self {
        Self { bare, ..self }
    }

    pub(super) const fn grouped(self, grouped: Needs) -> Self {
        Self { grouped, ..self }
    }

    pub(super) const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }
}

/// For forms that are all there is to say.
pub(super) fn any(_: &[u8]) -> bool {
    true
}
