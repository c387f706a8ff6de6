//! What a redactor is given, and what it gives back.

use crate::{Malformed, Texts};
use std::collections::BTreeSet;

/// Most reasons in [`Redaction::skipped`].
const MAX_REASONS: usize = 16;
/// Most bytes of a reason.
const REASON_BYTES: usize = 64;

/// Texts, each with its place and its group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The texts, whose rows are 0, 1, 2, and so on.
    pub texts: Texts,
    /// For each text, its place: an index into `names`.
    pub places: Vec<u32>,
    /// Names of places, each once, for example `span.attributes.gen_ai.input.messages`.
    pub names: Vec<String>,
    /// For each text, its group: texts of one group belong together.
    pub groups: Vec<u32>,
}

impl Given {
    /// Texts that all stand in one place, each in a group of its own.
    #[must_use]
    pub fn of(place: &str, texts: &[&str]) -> Self {
        let mut given = Self { names: vec![place.to_owned()], ..Self::default() };
        for (text, group) in texts.iter().zip(1..) {
            given.push(text, 0, group);
        }
        given
    }

    /// Appends a text. `false`, and nothing appended, where the texts would pass 4 GiB.
    pub fn push(&mut self, text: &str, place: u32, group: u32) -> bool {
        let pushed = u32::try_from(self.texts.rows.len()).is_ok_and(|row| self.texts.push(row, text));
        if pushed {
            self.places.push(place);
            self.groups.push(group);
        }
        pushed
    }

    /// How many texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.rows.is_empty()
    }

    /// The name of the place in which a text stands; empty where it is not said.
    #[must_use]
    pub fn place(&self, index: usize) -> &str {
        let place = self.places.get(index).and_then(|&place| self.names.get(usize::try_from(place).ok()?));
        place.map_or("", String::as_str)
    }

    /// The group of a text; 0 where it is not said.
    #[must_use]
    pub fn group(&self, index: usize) -> u32 {
        self.groups.get(index).copied().unwrap_or_default()
    }

    /// Checks that each text has a place and a group.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Malformed> {
        let broken = |what| Err(Malformed { attribute: self.texts.attribute, what });
        if !(0..).zip(&self.texts.rows).all(|(expected, &row): (u32, _)| row == expected) {
            return broken("the texts given are not numbered 0, 1, 2");
        }
        if self.places.len() != self.len() || self.groups.len() != self.len() {
            return broken("texts, places and groups differ in number");
        }
        let names = self.names.len();
        if self.places.iter().any(|&place| usize::try_from(place).map_or(true, |place| place >= names)) {
            return broken("a text has a place that has no name");
        }
        self.texts.check(u32::try_from(self.len()).unwrap_or(u32::MAX))
    }
}

/// Findings as columns: finding `i` is in row `rows[i]`, of type `types[i]`, at bytes `starts[i]..ends[i]` of the
/// text that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Rows, ascending; a row may repeat.
    pub rows: Vec<u32>,
    /// Indexes into the type names that the redactor declared.
    pub types: Vec<u16>,
    /// First byte of each finding.
    pub starts: Vec<u32>,
    /// One past the last byte of each finding.
    pub ends: Vec<u32>,
}

impl Findings {
    /// How many findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends a finding.
    pub fn push(&mut self, row: u32, kind: u16, start: u32, end: u32) {
        self.rows.push(row);
        self.types.push(kind);
        self.starts.push(start);
        self.ends.push(end);
    }

    /// `(row, type, start, end)` of each finding.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u16, u32, u32)> {
        let places = self.starts.iter().zip(&self.ends);
        self.rows.iter().zip(&self.types).zip(places).map(|((&row, &kind), (&start, &end))| (row, kind, start, end))
    }
}

/// Findings, and the rows whose text changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// What was found.
    pub findings: Findings,
    /// New text of the rows that changed; other rows stay as they are.
    pub changed: Texts,
    /// What was not looked at, by reason, for example `binary_bytes`: at most 16 reasons, each a word of at most 64
    /// lower-case letters, digits and `_`.
    pub skipped: Vec<(String, u64)>,
}

impl Redaction {
    /// Checks a redaction that came from outside against the texts it answers.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, given: &Texts, types: usize) -> Result<(), Malformed> {
        let broken = |what| Err(Malformed { attribute: 0, what });
        let findings = &self.findings;
        let count = findings.rows.len();
        if findings.types.len() != count || findings.starts.len() != count || findings.ends.len() != count {
            return broken("columns of findings differ in number");
        }
        if !findings.rows.is_sorted() {
            return broken("rows of findings are not ascending");
        }
        let items = u32::try_from(given.rows.len()).unwrap_or(u32::MAX);
        for (row, kind, start, end) in findings.iter() {
            let length = usize::try_from(row).ok().and_then(|row| given.bytes(row)).map_or(0, <[u8]>::len);
            if row >= items || start > end || usize::try_from(end).map_or(true, |end| end > length) {
                return broken("a finding is outside the text it names");
            }
            if usize::from(kind) >= types {
                return broken("a finding has a type that was not declared");
            }
        }
        self.check_skipped()?;
        self.changed.check(items)
    }

    /// Reasons become values of labels, so they are few and plain.
    fn check_skipped(&self) -> Result<(), Malformed> {
        let plain = |reason: &str| {
            let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            !reason.is_empty() && reason.len() <= REASON_BYTES && reason.bytes().all(word)
        };
        let reasons: BTreeSet<&str> = self.skipped.iter().map(|(reason, _)| reason.as_str()).collect();
        let few = self.skipped.len() <= MAX_REASONS && reasons.len() == self.skipped.len();
        if few && reasons.into_iter().all(plain) {
            Ok(())
        } else {
            Err(Malformed {
                attribute: 0,
                what: "the reasons for skipping are too many, twice the same, or not plain words",
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_a_place_or_a_group_are_refused() {
        let good = Given::of("log.body", &["a", "b"]);
        assert_eq!(good.check(), Ok(()));
        assert_eq!((good.place(1), good.group(1), good.place(2), good.group(2)), ("log.body", 2, "", 0));
        type Case = (fn(&mut Given), &'static str);
        let cases: [Case; 5] = [
            (|given| given.texts.rows = vec![0, 2], "the texts given are not numbered 0, 1, 2"),
            (|given| given.places = vec![0], "texts, places and groups differ in number"),
            (|given| given.groups.push(3), "texts, places and groups differ in number"),
            (|given| given.places = vec![0, 1], "a text has a place that has no name"),
            (|given| given.texts.offsets = vec![0, 1], "offsets do not describe the data"),
        ];
        for (spoil, what) in cases {
            let mut given = good.clone();
            spoil(&mut given);
            assert_eq!(given.check().map_err(|error| error.what), Err(what));
        }
    }

    #[test]
    fn reasons_for_skipping_are_few_plain_words() {
        let check = |skipped: &[&str]| {
            let skipped = skipped.iter().map(|reason| ((*reason).to_owned(), 1)).collect();
            Redaction { skipped, ..Redaction::default() }.check(&Texts::default(), 0).is_ok()
        };
        assert!(check(&[]) && check(&["binary_bytes", "oversize_texts"]));
        let many: Vec<String> = (0..17).map(|n| format!("r{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(check(&many[..16]));
        let long = "r".repeat(65);
        assert!(check(&[&long[1..]]));
        for bad in [&many[..], &["twice", "twice"], &[""], &[long.as_str()], &["ann@example.com"], &["Upper"]] {
            assert!(!check(bad), "{bad:?}");
        }
    }
}
