//! The whole way of a text: looked at, brought into line with its JSON, replaced.

use crate::candidate::{Candidate, Proof};
use crate::config::Config;
use crate::conversation::{Conversation, Value};
use crate::json_text::{self, Walk};
use crate::kind::{Kind, Kinds};
use crate::look::Look;
use crate::operator::{self, Subject};
use crate::text::cut;
use std::collections::BTreeMap;
use tollgate_columns::{ConfigError, Given, Redaction, RedactorManifest};

/// A value that was found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Place in the manifest's list of types.
    pub kind: u16,
    /// First byte in the text as it was given; a character boundary.
    pub start: usize,
    /// One past the last byte; a character boundary.
    pub end: usize,
}

/// A finding with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The finding.
    pub finding: Finding,
    /// How much is known of it.
    pub proof: Proof,
    /// The rule that found it, and what that rule looked at.
    pub rule: &'static str,
    /// What a finding of this type is.
    pub about: &'static str,
}

/// Finds personal data and secrets, and writes something else in their place.
///
/// The default looks for every type and writes `<TYPE>`.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    pub(crate) config: Config,
}

/// A finding with what is needed to write its replacement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    pub(crate) candidate: Candidate,
    /// The same in the text as it was given.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quotes: Option<usize>,
    pub(crate) depth: usize,
}

impl Redactor {
    /// A redactor for a configuration, as JSON text. docs/REDACTION.md describes its fields: `types`,
    /// `exclude_types`, `operator`, `operators`, `pseudonym`, `allow`, `rules`, `fields`, `max_findings`,
    /// `max_text_size`, `max_values`.
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
            types: self.config.names(),
        }
    }

    /// The name of a type of finding; an empty text for a number that stands for none.
    #[must_use]
    pub fn type_name(&self, kind: u16) -> &str {
        Kind::from_number(kind).map_or("", |kind| self.config.name(kind))
    }

    /// A conversation with the limits of the configuration.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        Conversation::with_limit(self.config.max_values)
    }

    /// The text with its findings replaced, where there are any, and the findings: ascending, without overlaps, as
    /// bytes of the text that was given. The text is a conversation of its own.
    ///
    /// Escapes hide nothing, also in JSON within a string, and a text that parsed as JSON still parses. A text over
    /// the limit of size is taken out as a whole.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> (Option<String>, Vec<Finding>) {
        self.redact_in(&mut self.conversation(), text)
    }

    /// As [`redact_text`](Self::redact_text), for a text of a conversation: the same value gets the same number in all
    /// its texts.
    #[must_use]
    pub fn redact_in(&self, conversation: &mut Conversation, text: &str) -> (Option<String>, Vec<Finding>) {
        self.redact_kinds(conversation, &self.config.kinds, text)
    }

    /// Why each finding was made, in the order of [`redact_text`](Self::redact_text). Says nothing of texts over a
    /// limit.
    #[must_use]
    pub fn explain(&self, text: &str) -> Vec<Explanation> {
        let look = Look::whole(&self.config, &self.config.kinds, text.as_bytes());
        let explained = |edit: Edit| Explanation {
            finding: edit.finding(),
            proof: edit.candidate.proof,
            rule: edit.candidate.rule,
            about: edit.candidate.kind.about(),
        };
        edits(text.as_bytes(), &look).into_iter().map(explained).collect()
    }

    /// As [`redact_in`](Self::redact_in), for these types.
    fn redact_kinds(
        &self,
        conversation: &mut Conversation,
        kinds: &Kinds,
        text: &str,
    ) -> (Option<String>, Vec<Finding>) {
        if kinds.is_empty() {
            return (None, Vec::new());
        }
        if text.len() > self.config.max_text_size {
            return unscanned(text.len());
        }
        let raw = text.as_bytes();
        let look = Look::whole(&self.config, kinds, raw);
        conversation.step_over(look.skipped);
        if look.found.is_empty() {
            return (None, Vec::new());
        }
        if self.config.is_reversible() {
            conversation.take_all(look.seen(raw));
        }
        let mut edits = edits(raw, &look);
        self.limit(raw, &mut edits);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for edit in &edits {
            out.push_str(text.get(done..edit.start).unwrap_or(""));
            self.write(edit, text, look.seen(raw), conversation, &mut out);
            done = edit.end;
        }
        out.push_str(text.get(done..).unwrap_or(""));
        (Some(out), edits.iter().map(Edit::finding).collect())
    }

    /// Redacts texts, each by what is looked for in its place. Texts of one group are one conversation. Rows that are
    /// unchanged have no row in the result. A row that is not UTF-8 is taken out as a whole.
    #[must_use]
    pub fn redact(&self, given: &Given) -> Redaction {
        let kinds: Vec<Kinds> =
            given.names.iter().map(|name| self.config.places.kinds(name, self.config.kinds)).collect();
        let mut conversations: BTreeMap<u32, Conversation> = BTreeMap::new();
        let mut redaction = Redaction::default();
        for (index, &row) in given.texts.rows.iter().enumerate() {
            let place = given.places.get(index).and_then(|&place| kinds.get(usize::try_from(place).ok()?));
            let conversation = conversations.entry(given.group(index)).or_insert_with(|| self.conversation());
            let length = given.texts.bytes(index).map_or(0, <[u8]>::len);
            let (replaced, found) = match given.texts.get(index) {
                Some(text) => self.redact_kinds(conversation, place.unwrap_or(&self.config.kinds), text),
                None => unscanned(length),
            };
            for finding in found {
                let (Ok(start), Ok(end)) = (u32::try_from(finding.start), u32::try_from(finding.end)) else { continue };
                redaction.findings.push(row, finding.kind, start, end);
            }
            let written = replaced.is_none_or(|replaced| redaction.changed.push(row, &replaced));
            // Where the arena is full the row must not pass as unchanged.
            if !written {
                redaction.changed.push(row, "");
            }
        }
        let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
        for (reason, count) in conversations.values().flat_map(Conversation::skipped).filter(|(_, count)| *count > 0) {
            *skipped.entry(reason).or_default() += count;
        }
        redaction.skipped = skipped.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
        redaction
    }

    /// Past the limit of findings the rest goes as a whole. It cannot be taken out of JSON and leave JSON, so there
    /// the whole text goes.
    fn limit(&self, raw: &[u8], edits: &mut Vec<Edit>) {
        let Some(first) = edits.get(self.config.max_findings).copied() else { return };
        let whole = json_text::is_likely(raw) && json_text::parses(raw);
        let start = if whole { 0 } else { first.start };
        edits.truncate(if whole { 0 } else { self.config.max_findings });
        let candidate =
            Candidate { kind: Kind::UNSCANNED, start: 0, end: 0, rule: "limit of findings", ..first.candidate };
        edits.push(Edit { candidate, start, end: raw.len(), quotes: whole.then_some(0), depth: 0 });
    }

    /// Appends what stands for a finding.
    pub(crate) fn write(
        &self,
        edit: &Edit,
        text: &str,
        seen: &[u8],
        conversation: &mut Conversation,
        out: &mut String,
    ) {
        let Edit { candidate, start, end, quotes, depth } = *edit;
        let given = Value { raw: text.get(start..end).unwrap_or(""), quoted: quotes, depth };
        let name = self.config.name(candidate.kind);
        let subject = Subject { kind: candidate.kind, name, seen: cut(seen, candidate.start, candidate.end), given };
        let operator = self.config.operator(candidate.kind);
        // A number that stays needs no quotation marks.
        let mark = quotes.filter(|_| operator != operator::Operator::Keep).map_or("", json_text::quotation_mark);
        out.push_str(mark);
        operator::write(operator, subject, self.config.key.as_ref(), conversation, out);
        out.push_str(mark);
    }
}

impl Edit {
    pub(crate) fn finding(&self) -> Finding {
        Finding { kind: self.candidate.kind.number(), start: self.start, end: self.end }
    }
}

/// The answer for a text that cannot be looked at: nothing of it stays.
fn unscanned(length: usize) -> (Option<String>, Vec<Finding>) {
    let finding = Finding { kind: Kind::UNSCANNED.number(), start: 0, end: length };
    (Some(format!("<{}>", Kind::UNSCANNED.name())), vec![finding])
}

/// What was found, as bytes of the text that was given, brought into line with JSON where the text is JSON.
pub(crate) fn edits(raw: &[u8], look: &Look) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::with_capacity(look.found.len());
    let mut walk = json_text::is_likely(raw).then(Walk::whole);
    for &candidate in &look.found {
        let (start, end) = look.source(candidate.start, candidate.end);
        let mut edit = Edit { candidate, start, end, quotes: None, depth: 0 };
        if let Some(walk) = &mut walk {
            let aligned = walk.align(raw, start, end);
            edit = Edit {
                start: aligned.start,
                end: aligned.end,
                quotes: aligned.quotes,
                depth: aligned.depth,
                candidate,
            };
        }
        let free = edits.last().is_none_or(|last| last.end <= edit.start);
        if free && edit.start < edit.end {
            edits.push(edit);
        }
    }
    edits
}
