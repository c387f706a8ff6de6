//! The whole way of a text: made visible, scanned, led back, replaced.

use crate::bytes::{at, before, slice};
use crate::config::Config;
use crate::fold::fold;
use crate::json_text::{self, Document};
use crate::kind::Kind;
use crate::resolve::{Candidate, resolve};
use crate::scan::scan;
use crate::view::{View, place};
use tollgate_columns::{ConfigError, Findings, Given, Redaction, RedactorManifest, Texts};

/// How often a text is looked at again after replacing. Each round must find something new in the neighbourhood of
/// what was found before, so a second one is rare.
const MAX_ROUNDS: usize = 8;

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
    quotes: Option<u8>,
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
            types: Kind::ALL.into_iter().map(|kind| kind.name().to_owned()).collect(),
        }
    }

    /// The name of a type of finding; an empty text for a number that stands for none.
    #[must_use]
    pub fn type_name(kind: u16) -> &'static str {
        Kind::from_number(kind).map_or("", Kind::name)
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
        let json = json_text::is_likely(raw);
        let escaped = json && memchr::memchr(b'\\', raw).is_some();
        let mut document = escaped.then(|| json_text::read(raw));
        let seen = document.as_ref().map_or(raw, |document| &document.view.bytes);
        let candidates = self.candidates(seen);
        if candidates.is_empty() {
            return (None, Vec::new());
        }
        if json && document.is_none() {
            document = Some(json_text::read(raw));
        }
        let edits = self.edits(text.len(), document.as_ref(), candidates);
        let seen = document.as_ref().map_or(raw, |document| &document.view.bytes);
        let changed = self.splice(text, seen, &edits);
        (Some(changed), edits.into_iter().map(|edit| edit.finding).collect())
    }

    /// Redacts a column of texts. Rows that are unchanged have no row in the result. A row that is not UTF-8 is taken
    /// out as a whole.
    #[must_use]
    pub fn redact(&self, given: &Given) -> Redaction {
        let given = &given.texts;
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
        Redaction { findings, changed, ..Redaction::default() }
    }

    /// Findings in what is seen, as bytes of it.
    fn candidates(&self, seen: &[u8]) -> Vec<Candidate> {
        let Some(folded) = fold(seen) else { return self.settled(seen) };
        let mut candidates = self.settled(&folded.bytes);
        for candidate in &mut candidates {
            (candidate.start, candidate.end) = folded.source(candidate.start, candidate.end);
        }
        candidates
    }

    /// Findings, with those that only show once others have been replaced: of two values that run into each other,
    /// the replacement of one may leave the other standing alone.
    fn settled(&self, text: &[u8]) -> Vec<Candidate> {
        let mut candidates = scan(text, self.config.kinds);
        for _ in 0..MAX_ROUNDS {
            if !candidates.iter().any(|candidate| touches(text, candidate)) {
                break;
            }
            let replaced = self.replaced(text, &candidates);
            let more = scan(&replaced.bytes, self.config.kinds);
            if more.is_empty() {
                break;
            }
            candidates.extend(more.into_iter().map(|candidate| {
                let (start, end) = replaced.source(candidate.start, candidate.end);
                Candidate { start, end, ..candidate }
            }));
            candidates = resolve(candidates);
        }
        candidates
    }

    /// The text with its findings replaced; each replacement leads back to the whole value.
    fn replaced(&self, text: &[u8], candidates: &[Candidate]) -> View {
        let mut view = View::with_capacity(text.len());
        let mut replacement = String::new();
        let mut done = 0;
        for candidate in candidates {
            view.copy(text, done, candidate.start);
            replacement.clear();
            self.config.operator.write(candidate.kind, slice(text, candidate.start, candidate.end), &mut replacement);
            for byte in replacement.bytes() {
                view.push(byte, (place(candidate.start), place(candidate.end)));
            }
            done = candidate.end;
        }
        view.copy(text, done, text.len());
        view
    }

    /// Findings as bytes of the text that was given, up to the limit.
    fn edits(&self, length: usize, document: Option<&Document>, candidates: Vec<Candidate>) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::with_capacity(candidates.len().min(self.config.max_findings) + 1);
        let mut done = 0;
        for Candidate { kind, start, end } in candidates {
            let mut edit = Edit { finding: finding(kind, start, end), kind, value: (start, end), quotes: None };
            if let Some(document) = document {
                let aligned = document.align(start, end);
                edit.value = (aligned.start, aligned.end);
                edit.quotes = aligned.quotes;
                (edit.finding.start, edit.finding.end) = document.view.source(aligned.start, aligned.end);
            }
            if edit.finding.start < done || edit.finding.end <= edit.finding.start {
                continue;
            }
            if edits.len() == self.config.max_findings {
                // The rest cannot be taken out of JSON and leave JSON, so there the whole text goes.
                let whole = document.is_some_and(Document::is_valid);
                let start = if whole { 0 } else { edit.finding.start };
                edits.truncate(if whole { 0 } else { edits.len() });
                edits.push(Edit {
                    finding: finding(Kind::Unscanned, start, length),
                    kind: Kind::Unscanned,
                    value: (0, 0),
                    quotes: whole.then_some(0),
                });
                break;
            }
            done = edit.finding.end;
            edits.push(edit);
        }
        edits
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
            self.config.operator.write(edit.kind, seen.get(from..to).unwrap_or(&[]), &mut out);
            out.push_str(mark);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or(""));
        out
    }
}

/// The answer for a text that cannot be looked at: nothing of it stays.
fn unscanned(length: usize) -> (Option<String>, Vec<Finding>) {
    (Some(format!("<{}>", Kind::Unscanned.name())), vec![finding(Kind::Unscanned, 0, length)])
}

fn finding(kind: Kind, start: usize, end: usize) -> Finding {
    Finding { kind: kind.number(), start, end }
}

/// Whether something touches the value that could have been read differently without it.
fn touches(text: &[u8], candidate: &Candidate) -> bool {
    let apart = |byte: u8| matches!(byte, 0 | b'"' | b',' | b';' | 0x80..) || byte.is_ascii_whitespace();
    let (last, after) = (before(text, candidate.start, 1), at(text, candidate.end));
    let labelled = match (before(text, candidate.start, 2), last) {
        // The head of an IPv6 address, or of a comparison.
        (other, b':') => other != b':' && !other.is_ascii_hexdigit(),
        (other, b'=') => other != b'=',
        _ => false,
    };
    let sentence_ends = matches!(after, b'.' | b':' | b'?' | b'!') && apart(at(text, candidate.end + 1));
    // The value may end in a word that said what the next number is: `ann@example.version 1.2.3.4`.
    let names_next = after == b' ' && at(text, candidate.end + 1).is_ascii_digit();
    !(apart(last) || labelled) || !(apart(after) || sentence_ends) || names_next
}
