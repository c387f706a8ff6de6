//! What a redactor gives back.

use crate::{Malformed, Texts};

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
        self.changed.check(items)
    }
}
