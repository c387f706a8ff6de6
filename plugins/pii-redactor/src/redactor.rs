//! The whole way of a text: made visible, scanned, led back, replaced.

use crate::candidate::Candidate;
use crate::config::Config;
use crate::fold::fold;
use crate::json_text::{self, Walk};
use crate::kind::Kind;
use crate::resolve::resolve;
use crate::scan::scan;
use crate::text::{Text, cut};
use crate::view::View;
use tollgate_columns::{ConfigError, Findings, Redaction, RedactorManifest, Texts};

/// A value that was found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Place in the manifest's list of types; [`Redactor::type_name`] gives the name.
    pub kind: u16,
    /// First byte in the text as it was given; a character boundary.
    pub start: usize,
    /// One past the last byte; a character boundary.
    pub end: usize,
}

/// Finds personal data and secrets, and writes something else in their place.
///
/// The default looks for every type and writes `<TYPE>`.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    config: Config,
}

/// A finding with what is needed to write its replacement.
struct Edit {
    finding: Finding,
    kind: Kind,
    /// Place of the value in what was scanned: the value as it is meant, without escapes.
    value: (usize, usize),
    quotes: Option<usize>,
}

impl Redactor {
    /// A redactor for a configuration, as JSON text:
    ///
    /// | field | value | default |
    /// |---|---|---|
    /// | `types` | names of the types to look for, see [`Kind`] | all |
    /// | `operator` | `replace` writes `<TYPE>`; `mask` writes asterisks and keeps the last four of long numbers | `replace` |
    /// | `max_findings` | findings in one text, 1 to 1,000,000; what follows the last is taken out as a whole, and so is all of a text that is JSON | 10,000 |
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path. Unknown fields are refused.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        Ok(Self { config: Config::parse(json)? })
    }

    /// Name, version, and the types of finding in the order of their numbers.
    #[must_use]
    pub fn manifest(&self) -> RedactorManifest {
        RedactorManifest {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            types: Kind::all().map(|kind| kind.name().to_owned()).collect(),
        }
    }

    /// The name of a type of finding; an empty text for a number that stands for none.
    #[must_use]
    pub fn type_name(kind: u16) -> &'static str {
        Kind::all().nth(usize::from(kind)).map_or("", Kind::name)
    }

    /// The text with its findings replaced, where there are any, and the findings: ascending, without overlaps, as
    /// bytes of the text that was given.
    ///
    /// A text that starts like JSON is read as JSON: escapes hide nothing, also in JSON within a string, and a text
    /// that parsed still parses. A text of 4 GiB or more is taken out as a whole.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> (Option<String>, Vec<Finding>) {
        if u32::try_from(text.len()).is_err() {
            return unscanned(text.len());
        }
        let raw = text.as_bytes();
        let view = fold(raw);
        let seen = view.as_ref().map_or(raw, |view| view.bytes.as_slice());
        let pass = scan(&Text::whole(seen), 0, &self.config.kinds);
        if pass.found.is_empty() {
            return (None, Vec::new());
        }
        let candidates = resolve(pass.found);
        let mut edits: Vec<Edit> = candidates.into_iter().map(|candidate| edit(candidate, view.as_ref())).collect();
        let json = json_text::is_likely(raw);
        if json {
            align(raw, &mut edits);
        }
        edits.dedup_by(|later, earlier| later.finding.start < earlier.finding.end);
        self.limit(raw, json, &mut edits);
        let changed = self.splice(text, seen, &edits);
        (Some(changed), edits.into_iter().map(|edit| edit.finding).collect())
    }

    /// Redacts a column of texts. Rows that are unchanged have no row in the result. A row that is not UTF-8 is taken
    /// out as a whole.
    #[must_use]
    pub fn redact(&self, given: &Texts) -> Redaction {
        let mut findings = Findings::default();
        let mut changed = Texts::default();
        for (index, &row) in given.rows.iter().enumerate() {
            let length = given.bytes(index).map_or(0, <[u8]>::len);
            let (replaced, found) = given.get(index).map_or_else(|| unscanned(length), |text| self.redact_text(text));
            for finding in found {
                let (Ok(start), Ok(end)) = (u32::try_from(finding.start), u32::try_from(finding.end)) else { continue };
                findings.push(row, finding.kind, start, end);
            }
            let written = replaced.is_none_or(|replaced| changed.push(row, &replaced));
            // Where the arena is full the row must not pass as unchanged.
            if !written {
                changed.push(row, "");
            }
        }
        Redaction { findings, changed }
    }

    /// Past the limit of findings the rest goes as a whole. It cannot be taken out of JSON and leave JSON, so there
    /// the whole text goes.
    fn limit(&self, raw: &[u8], json: bool, edits: &mut Vec<Edit>) {
        let Some(first) = edits.get(self.config.max_findings) else { return };
        let whole = json && json_text::parses(raw);
        let start = if whole { 0 } else { first.finding.start };
        edits.truncate(if whole { 0 } else { self.config.max_findings });
        edits.push(Edit {
            finding: finding(Kind::UNSCANNED, start, raw.len()),
            kind: Kind::UNSCANNED,
            value: (0, 0),
            quotes: whole.then_some(0),
        });
    }

    fn splice(&self, text: &str, seen: &[u8], edits: &[Edit]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for edit in edits {
            let Finding { start, end, .. } = edit.finding;
            out.push_str(text.get(done..start).unwrap_or(""));
            let mark = edit.quotes.map_or("", json_text::quotation_mark);
            let (from, to) = edit.value;
            out.push_str(mark);
            self.config.operator.write(edit.kind, cut(seen, from, to), &mut out);
            out.push_str(mark);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or(""));
        out
    }
}

/// The answer for a text that cannot be looked at: nothing of it stays.
fn unscanned(length: usize) -> (Option<String>, Vec<Finding>) {
    (Some(format!("<{}>", Kind::UNSCANNED.name())), vec![finding(Kind::UNSCANNED, 0, length)])
}

fn finding(kind: Kind, start: usize, end: usize) -> Finding {
    Finding { kind: kind.number(), start, end }
}

/// A candidate with its place in the text as it was given.
fn edit(candidate: Candidate, view: Option<&View>) -> Edit {
    let Candidate { kind, start, end, .. } = candidate;
    let (from, to) = view.map_or((start, end), |view| view.source(start, end));
    Edit { finding: finding(kind, from, to), kind, value: (start, end), quotes: None }
}

/// Brings edits into line with the JSON that they stand in.
fn align(raw: &[u8], edits: &mut [Edit]) {
    let mut walk = Walk::whole();
    for edit in edits {
        let aligned = walk.align(raw, edit.finding.start, edit.finding.end);
        (edit.finding.start, edit.finding.end) = (aligned.start, aligned.end);
        edit.quotes = aligned.quotes;
    }
}
