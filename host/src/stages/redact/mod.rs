//! Stage 2b, redact: redactors see every text of a request, and what they change is changed before anything is written
//! or delivered. How much was found stands on the span (`tollgate.redaction.*`), what was found does not.
//!
//! Nothing passes unseen unless the configuration says so: what is too large, what a redactor failed on, and fields that
//! are not known are refused, masked or taken out, and each of these is counted.

mod changed;
mod counts;
mod known;
mod portions;
mod signal;
mod usual;

use super::plugin::{Failure, Hosted, Redactor};
use crate::config::{self, OnError, OnOversize, UnknownFields};
use crate::memory::exact;
use crate::metrics::Metrics;
use crate::receivers::Refusal;
use bytes::Bytes;
pub use changed::Changed;
use counts::{Attributes, Counts};
use known::{Known, Of};
use portions::{Portion, portions};
use signal::{Logs, Metrics as Points, Notes, Signal, Traces};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tollgate_columns::Texts;
use tollgate_otlp::{Reads, ReadsError, TextSet};
use usual::is_usual;

/// Usual bytes of text in one call of a redactor.
const BYTES_A_CALL: usize = 1 << 20;
/// What stands in the place of a text that nobody could look at.
const MASK: &str = "<UNSCANNED>";

/// What holds for all redactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What happens to fields that are not known.
    pub unknown_fields: UnknownFields,
    /// Longest text that a redactor is given, in bytes.
    pub max_text_size: usize,
    /// What happens to longer ones.
    pub on_oversize: OnOversize,
    /// Most texts that name things and are remembered for a redactor.
    pub max_known_names: usize,
    /// Most other texts that are remembered for a redactor.
    pub max_known_texts: usize,
}

impl Rules {
    /// The rules that a configuration sets.
    #[must_use]
    pub fn of(config: &config::Redact) -> Self {
        let &config::Redact { unknown_fields, max_text_size, on_oversize, max_known_names, max_known_texts, .. } =
            config;
        Self { unknown_fields, max_text_size, on_oversize, max_known_names, max_known_texts }
    }

    /// Bytes that what is remembered for one redactor takes at most.
    #[must_use]
    pub const fn most_bytes(&self) -> usize {
        Known::most_bytes(self.max_known_names).saturating_add(Known::most_bytes(self.max_known_texts))
    }
}

/// What is remembered for one redactor: texts that name things, and others. Apart, because of the others there is no end.
#[derive(Debug)]
struct Memories {
    names: Known,
    texts: Known,
}

/// A redactor.
#[derive(Debug)]
struct Seat {
    hosted: Hosted<dyn Redactor>,
    known: Memories,
    /// For each of its types, the attribute that has the count.
    types: Vec<u16>,
}

/// The redactors in their order.
#[derive(Debug)]
pub struct Redact {
    redactors: Vec<Seat>,
    rules: Rules,
    attributes: Attributes,
    /// Counts that spans bring along, from a filter that redacted before.
    reads: Reads,
    retry_after: Duration,
    metrics: Metrics,
}

impl Redact {
    /// Redactors in their order.
    ///
    /// # Errors
    /// There are more types of finding than attributes can be numbered.
    pub fn new(
        redactors: Vec<Hosted<dyn Redactor>>,
        rules: Rules,
        retry_after: Duration,
        metrics: &Metrics,
    ) -> Result<Self, ReadsError> {
        let attributes = Attributes::of(redactors.iter().flat_map(|hosted| &hosted.plugin().manifest().types));
        let reads = Reads::compile(attributes.names())?;
        let redactors = redactors.into_iter().map(|hosted| {
            let names = Known::new(hosted.name(), Of::Names, rules.max_known_names, metrics);
            let texts = Known::new(hosted.name(), Of::Texts, rules.max_known_texts, metrics);
            let types = attributes.numbers(&hosted.plugin().manifest().types);
            Seat { hosted, known: Memories { names, texts }, types }
        });
        let redactors = redactors.collect();
        Ok(Self { redactors, rules, attributes, reads, retry_after, metrics: metrics.clone() })
    }

    /// A request of spans without what was found in it, and where it changed. It was scanned before, which has counted
    /// the fields that are not known.
    ///
    /// # Errors
    /// A redactor that blocks has failed, or a text is too large and blocks.
    pub fn traces(&self, request: Bytes, unknown: u32) -> Result<(Bytes, Changed), Refusal> {
        self.run::<Traces>(request, unknown)
    }

    /// A request of log records without what was found in it; as [`traces`](Self::traces).
    ///
    /// # Errors
    /// A redactor that blocks has failed, or a text is too large and blocks.
    pub fn logs(&self, request: Bytes, unknown: u32) -> Result<Bytes, Refusal> {
        self.run::<Logs>(request, unknown).map(|(request, _)| request)
    }

    /// A request of metrics without what was found in it; as [`traces`](Self::traces). The counts are in the host's own
    /// metrics only: an attribute more would make another series of a data point.
    ///
    /// # Errors
    /// A redactor that blocks has failed, or a text is too large and blocks.
    pub fn metrics(&self, request: Bytes, unknown: u32) -> Result<Bytes, Refusal> {
        self.run::<Points>(request, unknown).map(|(request, _)| request)
    }

    fn run<S: Signal>(&self, mut request: Bytes, unknown: u32) -> Result<(Bytes, Changed), Refusal> {
        let mut changed = Changed::default();
        if self.redactors.is_empty() {
            return Ok((request, changed));
        }
        if unknown > 0 && self.unknown_go(unknown) {
            request = S::known_only(&request).map_err(super::invalid)?;
        }
        let mut counts = Counts::default();
        let mut texts = None;
        for (place, seat) in (1..).zip(&self.redactors) {
            let scanned = S::read(&request).map_err(super::invalid)?;
            let set = texts.take().unwrap_or_else(|| S::texts(&scanned));
            let mut changes = self.changes(seat, &set)?;
            counts.add(&mut changes.found, &set, &self.attributes, &self.metrics);
            if !counts.is_empty() {
                changed.add_counts();
            }
            if changes.texts.is_empty() {
                texts = Some(set);
                continue;
            }
            changed.add(&set, changes.texts.keys().copied());
            // The counts go in with the texts of the last redactor.
            let last = if place == self.redactors.len() { std::mem::take(&mut counts) } else { Counts::default() };
            let replaced = S::replace(&scanned, &set, &changes.column()?, &self.notes(&last));
            drop(scanned);
            // A text that cannot be replaced must not go on, so neither does the request.
            request = exact(replaced.map_err(|error| Refusal::Invalid(error.to_string()))?);
        }
        if !counts.is_empty() {
            request = self.note::<S>(request, &counts);
        }
        Ok((request, changed))
    }

    fn notes<'n>(&'n self, counts: &'n Counts) -> Notes<'n> {
        Notes { counts, to: &self.attributes, reads: &self.reads }
    }

    /// Writes counts. The texts are clean already, so a request on which they cannot be written goes on.
    fn note<S: Signal>(&self, request: Bytes, counts: &Counts) -> Bytes {
        let noted = S::read(&request)
            .map_err(|error| error.to_string())
            .and_then(|scanned| S::note(&scanned, &self.notes(counts)).map_err(|error| error.to_string()));
        match noted {
            Ok(noted) => exact(noted),
            Err(why) => {
                tracing::error!(why, "counts of redactions could not be written on a request");
                request
            }
        }
    }

    /// Whether fields that no redactor would see are taken out. Counts what happens to them.
    fn unknown_go(&self, unknown: u32) -> bool {
        let go = self.rules.unknown_fields == UnknownFields::Drop;
        self.skipped("unknown_fields", if go { "dropped" } else { "passed" }, u64::from(unknown));
        go
    }

    /// What one redactor changes, with what its failure policy does.
    fn changes(&self, seat: &Seat, texts: &TextSet) -> Result<Changes, Refusal> {
        let Seat { hosted, known, types } = seat;
        let configuration = hosted.plugin().configuration();
        let mut changes = Changes::default();
        let rows = known.unknown(configuration, texts, self.fitting(texts, &mut changes)?);
        if rows.is_empty() {
            return Ok(changes);
        }
        let (portions, split) = portions(texts, rows.clone(), BYTES_A_CALL, self.rules.max_text_size.max(BYTES_A_CALL));
        self.metrics.redaction_split_groups.inc_by(split);
        match hosted.call(self.retry_after, |redactor| ask(redactor, types, &portions)) {
            Ok(Some(found)) => {
                for (reason, count) in &found.skipped {
                    let labels = vec![("reason", reason.clone()), ("plugin", hosted.name().to_owned())];
                    self.metrics.redaction_skipped.with(labels).inc_by(*count);
                }
                let touched: BTreeSet<u32> =
                    found.found.iter().map(|(row, _)| *row).chain(found.texts.keys().copied()).collect();
                let clean = rows.iter().copied().filter(|row| !touched.contains(row));
                known.remember(configuration, texts, clean, found.skipped.is_empty());
                changes.texts.extend(found.texts);
                changes.found.extend(found.found);
            }
            Ok(None) => {
                let masked = hosted.on_error() == OnError::MaskAll;
                let unseen: Vec<u32> =
                    rows.into_iter().filter(|&row| !(texts.is_name(row) && is_usual(text(texts, row)))).collect();
                self.skipped("plugin_failed", if masked { "masked" } else { "passed" }, count(unseen.len()));
                if masked {
                    unseen.into_iter().for_each(|row| changes.mask(texts, row, self.attributes.unscanned()));
                }
            }
            Err(refusal) => {
                self.skipped("plugin_failed", "blocked", count(rows.len()));
                return Err(refusal);
            }
        }
        Ok(changes)
    }

    /// The rows of texts that are not too large for a redactor; what happens to the others is done.
    fn fitting(&self, texts: &TextSet, changes: &mut Changes) -> Result<Vec<u32>, Refusal> {
        let mut rows = Vec::with_capacity(texts.len());
        for row in (0_u32..).take(texts.len()) {
            let text = bytes(texts, row);
            if text.len() <= self.rules.max_text_size {
                rows.push(row);
            } else if texts.is_bytes(row) {
                // An image or a recording, which no redactor reads.
                self.skipped("oversize_bytes", "passed", 1);
            } else {
                match self.rules.on_oversize {
                    OnOversize::Mask => {
                        self.skipped("oversize_texts", "masked", 1);
                        changes.mask(texts, row, self.attributes.unscanned());
                    }
                    OnOversize::Pass => self.skipped("oversize_texts", "passed", 1),
                    OnOversize::Block => {
                        self.skipped("oversize_texts", "blocked", 1);
                        let place = texts.place(row).map_or("", tollgate_otlp::Place::name);
                        let (size, most) = (text.len(), self.rules.max_text_size);
                        return Err(Refusal::Invalid(format!(
                            "a text at {place} has {size} bytes, and redact.max_text_size is {most}; send less of it"
                        )));
                    }
                }
            }
        }
        Ok(rows)
    }

    fn skipped(&self, reason: &str, action: &str, count: u64) {
        let labels = vec![("reason", reason.to_owned()), ("action", action.to_owned())];
        self.metrics.redaction_skipped.with(labels).inc_by(count);
    }
}

/// Asks a redactor about all portions. `types` are the attributes that have the counts of its types.
fn ask(redactor: &dyn Redactor, types: &[u16], portions: &[Portion]) -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    for portion in portions {
        let redaction = redactor.redact(&portion.given)?;
        let row_of = |row: u32| usize::try_from(row).ok().and_then(|row| portion.rows.get(row)).copied();
        for (row, text) in redaction.changed.iter() {
            answer.texts.extend(row_of(row).map(|row| (row, text.to_owned())));
        }
        let found = redaction.findings.iter();
        answer.found.extend(found.filter_map(|(row, kind, ..)| Some((row_of(row)?, *types.get(usize::from(kind))?))));
        for (reason, count) in redaction.skipped {
            let sum = answer.skipped.entry(reason).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    Ok(answer)
}

impl Memories {
    /// The rows without those whose texts are known to be clean.
    fn unknown(&self, configuration: u64, texts: &TextSet, mut rows: Vec<u32>) -> Vec<u32> {
        let mut names = self.names.asked(configuration);
        let mut others = self.texts.asked(configuration);
        // For each name of a place, the last text there: spans of one trace have much in common.
        let mut recent: Vec<Option<(&[u8], bool)>> = Vec::new();
        rows.retain(|&row| {
            let text = bytes(texts, row);
            let place = usize::try_from(texts.name_number(row)).unwrap_or_default();
            if place >= recent.len() {
                recent.resize(place + 1, None);
            }
            let Some(recent) = recent.get_mut(place) else { return true };
            if let Some((last, clean)) = *recent
                && last == text
            {
                return !clean;
            }
            let clean = match (texts.is_name(row), texts.is_bytes(row)) {
                (true, _) => names.is_clean(texts.name(row), text),
                (false, false) => others.is_clean(texts.name(row), text),
                // What stands for bytes is not what they are.
                (false, true) => false,
            };
            *recent = (!texts.is_bytes(row)).then_some((text, clean));
            !clean
        });
        rows
    }

    /// Remembers the texts of rows in which nothing was found. Where a redactor did not look at all of something, only
    /// those that name things are, so that each time is counted.
    fn remember(&self, configuration: u64, texts: &TextSet, rows: impl Iterator<Item = u32>, looked: bool) {
        let (names, others): (Vec<u32>, Vec<u32>) = rows.partition(|&row| texts.is_name(row));
        let placed = |row: u32| (texts.name(row), bytes(texts, row));
        self.names.remember(configuration, names.into_iter().map(placed));
        if looked {
            let others = others.into_iter().filter(|&row| !texts.is_bytes(row));
            self.texts.remember(configuration, others.map(placed));
        }
    }
}

/// What a redactor says of the texts of one request.
#[derive(Debug, Default)]
struct Answer {
    texts: BTreeMap<u32, String>,
    found: Vec<(u32, u16)>,
    skipped: BTreeMap<String, u64>,
}

/// New texts by row, and findings, each with its row and the attribute that has the count.
#[derive(Debug, Default)]
struct Changes {
    texts: BTreeMap<u32, String>,
    found: Vec<(u32, u16)>,
}

impl Changes {
    /// A text that nobody looked at.
    fn mask(&mut self, texts: &TextSet, row: u32, unscanned: u16) {
        let mask = if texts.is_free(row) { MASK } else { "" };
        self.texts.insert(row, mask.to_owned());
        self.found.push((row, unscanned));
    }

    fn column(&self) -> Result<Texts, Refusal> {
        let mut column = Texts::default();
        if self.texts.iter().all(|(row, text)| column.push(*row, text)) {
            Ok(column)
        } else {
            Err(Refusal::Invalid("redacted, the request would be larger than 4 GiB; send smaller batches".to_owned()))
        }
    }
}

fn text(texts: &TextSet, row: u32) -> &str {
    usize::try_from(row).ok().and_then(|row| texts.texts().get(row)).unwrap_or_default()
}

/// The text as bytes, which need no check.
fn bytes(texts: &TextSet, row: u32) -> &[u8] {
    usize::try_from(row).ok().and_then(|row| texts.texts().bytes(row)).unwrap_or_default()
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
