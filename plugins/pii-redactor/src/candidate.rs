//! What a detector says of a place in the text.

use crate::kind::{Category, Kind};

/// How much is known of a candidate. The order is that of belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// Its form alone: grouping, prefix, characters.
    Form,
    /// Its form, and words nearby that say what it is.
    Named,
    /// Check digits or another computation over the whole value.
    Checked,
}

/// A place in a text and what was found there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) proof: Proof,
    /// Which rule found it and what that rule looked at, in a few words, for people who ask why.
    pub(crate) rule: &'static str,
}

impl Candidate {
    /// Whether this one gives the type where both cover the same place: secrets before personal data, then what is
    /// better proved, then the longer, then the order of types.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        let key = |candidate: &Self| {
            let secret = match candidate.kind.category() {
                Category::Unscanned => 2,
                Category::Secret => 1,
                Category::Personal => 0,
            };
            let length = candidate.end.saturating_sub(candidate.start);
            (secret, candidate.proof, length, std::cmp::Reverse(candidate.kind.number()))
        };
        key(self) > key(other)
    }
}
