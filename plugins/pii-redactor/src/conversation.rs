//! What is remembered between the texts of one conversation: which number a value got, and the value itself where an
//! answer may want it back.

use crate::kind::Kind;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroize as _;

/// Values of a conversation, unless configured otherwise.
pub(crate) const MAX_VALUES: usize = 10_000;
/// Longest value that is remembered, in bytes; longer ones get a stand-in without a number.
pub(crate) const LONGEST_VALUE: usize = 16 << 10;

/// A value as it stands in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    /// Its bytes, escapes included.
    pub(crate) raw: &'a str,
    /// It is a number in JSON outside of strings, so many strings deep, and gets quotation marks.
    pub(crate) quoted: Option<usize>,
    /// In how many strings of JSON it stands.
    pub(crate) depth: usize,
}

/// The memory of one conversation, or of one exchange: values with their numbers, and stand-ins with their values.
///
/// It is bounded by the number of values, lives as long as the exchange, and is wiped when it goes.
#[derive(Default)]
pub struct Conversation {
    /// Numbers by type and value.
    numbers: BTreeMap<(Kind, Vec<u8>), u32>,
    /// Last number of each type.
    last: BTreeMap<Kind, u32>,
    /// Values by stand-in, for those that can be given back.
    kept: BTreeMap<String, Kept>,
    /// One of them was a number outside of strings.
    numbers_kept: bool,
    /// Stand-ins that stood in the texts before: they mean themselves.
    taken: BTreeSet<String>,
    limit: Option<usize>,
    over: u64,
    binary_bytes: u64,
}

/// A value that can be given back.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// As it was given first, escapes included.
    pub(crate) raw: String,
    pub(crate) depth: usize,
    /// Without the escapes of JSON.
    pub(crate) plain: String,
    /// It was a number outside of strings.
    pub(crate) literal: bool,
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").field("values", &self.numbers.len()).finish_non_exhaustive()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        for ((_, mut value), _) in std::mem::take(&mut self.numbers) {
            value.zeroize();
        }
        for (_, mut kept) in std::mem::take(&mut self.kept) {
            kept.raw.zeroize();
            kept.plain.zeroize();
        }
    }
}

impl Conversation {
    /// A conversation that remembers at most so many values. What comes after gets a stand-in without a number.
    #[must_use]
    pub fn with_limit(values: usize) -> Self {
        let mut conversation = Self::default();
        conversation.limit = Some(values);
        conversation
    }

    /// How many values are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no value is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Values that got no number because of the limits.
    #[must_use]
    pub fn over_limit(&self) -> u64 {
        self.over
    }

    /// What was not looked at, or not given a number, by reason; the words are those of reports.
    #[must_use]
    pub fn skipped(&self) -> [(&'static str, u64); 2] {
        [("binary_bytes", self.binary_bytes), ("values_without_a_number", self.over)]
    }

    /// Counts bytes of binary content that were stepped over.
    pub(crate) fn step_over(&mut self, bytes: usize) {
        self.binary_bytes = self.binary_bytes.saturating_add(bytes as u64);
    }

    /// Whether there is something to give back.
    #[must_use]
    pub fn can_restore(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The number of a value; the same for the same value.
    pub(crate) fn number(&mut self, kind: Kind, seen: &[u8]) -> Option<u32> {
        self.numbered(kind, seen.to_vec(), |_| true)
    }

    /// The number of a value that is kept to be given back. A number outside of strings counts as a value of its own,
    /// because it is given back without quotation marks.
    pub(crate) fn keep(&mut self, kind: Kind, name: &str, value: Value<'_>) -> Option<u32> {
        let plain = plain(value.raw, value.depth);
        let literal = value.quoted.is_some();
        let mut identity = plain.clone().into_bytes();
        identity.push(u8::from(literal));
        let taken = std::mem::take(&mut self.taken);
        let number = self.numbered(kind, identity, |number| !taken.contains(&stand_in(name, number)));
        self.taken = taken;
        let number = number?;
        self.numbers_kept |= literal;
        let kept = Kept { raw: value.raw.to_owned(), depth: value.depth, plain, literal };
        self.kept.entry(stand_in(name, number)).or_insert(kept);
        Some(number)
    }

    fn numbered(&mut self, kind: Kind, identity: Vec<u8>, free: impl Fn(u32) -> bool) -> Option<u32> {
        if identity.len() > LONGEST_VALUE {
            self.over += 1;
            return None;
        }
        let entry = (kind, identity);
        if let Some(number) = self.numbers.get(&entry) {
            return Some(*number);
        }
        if self.numbers.len() >= self.limit.unwrap_or(MAX_VALUES) {
            self.over += 1;
            return None;
        }
        let last = self.last.entry(kind).or_default();
        *last = last.saturating_add(1);
        while !free(*last) {
            *last = last.saturating_add(1);
        }
        self.numbers.insert(entry, *last);
        Some(*last)
    }

    /// Remembers that a text says this by itself, so that it stands for no value.
    pub(crate) fn take(&mut self, stand_in: &str) {
        if self.taken.len() < self.limit.unwrap_or(MAX_VALUES) {
            self.taken.insert(stand_in.to_owned());
        }
    }

    /// Remembers every stand-in that a text says by itself.
    pub(crate) fn take_all(&mut self, text: &[u8]) {
        let mut place = 0;
        while let Some(found) = crate::restore::stand_in(text, place) {
            if !self.kept.contains_key(found.name) {
                self.take(found.name);
            }
            place = found.end;
        }
    }

    /// Whether a text that begins so may become a stand-in with what follows it. In JSON one that is whole waits for the
    /// quotation mark behind it.
    pub(crate) fn may_become(&self, head: &str, json: bool) -> bool {
        let next = self.kept.range(head.to_owned()..).next();
        next.is_some_and(|(stand_in, kept)| {
            stand_in.starts_with(head) && (stand_in.len() > head.len() || (json && kept.literal))
        })
    }

    /// Whether a value is kept that is given back without quotation marks in JSON.
    pub(crate) fn keeps_numbers(&self) -> bool {
        self.numbers_kept
    }

    /// The value behind a stand-in.
    pub(crate) fn kept(&self, stand_in: &str) -> Option<&Kept> {
        self.kept.get(stand_in)
    }
}

fn stand_in(name: &str, number: u32) -> String {
    format!("<{name}_{number}>")
}

/// A text without the escapes of so many strings of JSON around it.
fn plain(raw: &str, depth: usize) -> String {
    let mut plain = raw.to_owned();
    for _ in 0..depth {
        match serde_json::from_str(&format!("\"{plain}\"")) {
            Ok(inner) => plain = inner,
            Err(_) => break,
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_number() {
        let mut conversation = Conversation::default();
        let mut number = |kind, value: &str| conversation.number(kind, value.as_bytes());
        assert_eq!(number(Kind::EMAIL_ADDRESS, "a@b.cn"), Some(1));
        assert_eq!(number(Kind::EMAIL_ADDRESS, "c@d.cn"), Some(2));
        assert_eq!(number(Kind::EMAIL_ADDRESS, "a@b.cn"), Some(1));
        assert_eq!(number(Kind::URL, "a@b.cn"), Some(1));
    }

    #[test]
    fn past_its_limits_a_conversation_gives_no_numbers() {
        let mut conversation = Conversation::with_limit(2);
        for (value, expected) in [("a", Some(1)), ("b", Some(2)), ("c", None), ("a", Some(1))] {
            assert_eq!(conversation.number(Kind::URL, value.as_bytes()), expected);
        }
        assert_eq!((conversation.len(), conversation.over_limit()), (2, 1));
        let mut conversation = Conversation::default();
        assert_eq!(conversation.number(Kind::URL, &vec![b'a'; LONGEST_VALUE + 1]), None);
    }

    #[test]
    fn a_stand_in_that_a_text_has_by_itself_is_not_given_to_a_value() {
        let mut conversation = Conversation::default();
        conversation.take("<URL_1>");
        let value = Value { raw: "x", quoted: None, depth: 0 };
        assert_eq!(conversation.keep(Kind::URL, "URL", value), Some(2));
        assert!(conversation.kept("<URL_1>").is_none());
        assert_eq!(conversation.kept("<URL_2>").map(|kept| kept.plain.as_str()), Some("x"));
    }
}
