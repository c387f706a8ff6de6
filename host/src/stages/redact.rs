//! Stage 2b, redact: redactors see every text of a request, and what they change is changed before anything is written
//! or delivered. How much was found stands on the span (`tollgate.redaction.*`), what was found does not.

use super::RESCAN;
use super::plugin::{Failure, Hosted, Redactor};
use crate::metrics::Metrics;
use crate::receivers::Refusal;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_columns::{Attribute, Batch, Edits, Kind, Texts};
use tollgate_otlp::{EditError, LogsRequest, Owner, Reads, ScanError, TextSet, TraceRequest};
use tollgate_semconv::attribute::{TOLLGATE_REDACTION_COUNT, TOLLGATE_REDACTION_PREFIX};

/// Most bytes of text in one call of a redactor; a single text may be larger.
const BYTES_A_CALL: usize = 1 << 20;

/// The redactors in their order.
#[derive(Debug)]
pub struct Redact {
    redactors: Vec<Hosted<dyn Redactor>>,
    /// The counts as attributes: the sum, then one a type, over the types of all redactors.
    writes: Vec<Attribute>,
    /// Counts that spans bring along, from a filter that redacted before.
    reads: Reads,
    retry_after: Duration,
    metrics: Metrics,
}

/// Findings by the item that has them and the attribute that counts them.
type Counts = BTreeMap<(u32, u16), i64>;

impl Redact {
    /// Redactors in their order.
    ///
    /// # Errors
    /// There are more types of finding than attributes can be numbered.
    pub fn new(
        redactors: Vec<Hosted<dyn Redactor>>,
        retry_after: Duration,
        metrics: &Metrics,
    ) -> Result<Self, tollgate_otlp::ReadsError> {
        let types = redactors.iter().flat_map(|hosted| &hosted.plugin().manifest().types);
        let mut names: Vec<String> = types.map(|name| format!("{TOLLGATE_REDACTION_PREFIX}{name}")).collect();
        names.sort_unstable();
        names.dedup();
        names.insert(0, TOLLGATE_REDACTION_COUNT.to_owned());
        let reads = Reads::compile(&names)?;
        let writes = names.iter().map(|name| Attribute::new(name, Kind::Integer)).collect();
        Ok(Self { redactors, writes, reads, retry_after, metrics: metrics.clone() })
    }

    /// A request of spans without what was found in it.
    ///
    /// # Errors
    /// A redactor that blocks has failed.
    pub fn traces(&self, request: Bytes) -> Result<Bytes, Refusal> {
        let (request, counts) = self.run::<TraceRequest<'_>>(request)?;
        if counts.is_empty() {
            return Ok(request);
        }
        self.note(request, |request| {
            let scanned = TraceRequest::scan(request, &RESCAN).ok()?;
            let before = self.reads.project(scanned.spans());
            scanned.apply(&edits(&counts, &before, scanned.len()), &self.writes).ok()
        })
    }

    /// A request of log records without what was found in it.
    ///
    /// # Errors
    /// A redactor that blocks has failed.
    pub fn logs(&self, request: Bytes) -> Result<Bytes, Refusal> {
        let (request, counts) = self.run::<LogsRequest<'_>>(request)?;
        if counts.is_empty() {
            return Ok(request);
        }
        self.note(request, |request| {
            let scanned = LogsRequest::scan(request, &RESCAN).ok()?;
            scanned.apply(&edits(&counts, &Batch::default(), scanned.len()), &self.writes).ok()
        })
    }

    /// Writes the counts. The texts are clean already, so a request on which they cannot be written goes on.
    fn note(&self, request: Bytes, write: impl FnOnce(&Bytes) -> Option<Vec<u8>>) -> Result<Bytes, Refusal> {
        let noted = write(&request).map(Bytes::from);
        if noted.is_none() {
            tracing::error!("counts of redactions could not be written on a request");
        }
        Ok(noted.unwrap_or(request))
    }

    fn run<R: TextRequest>(&self, mut request: Bytes) -> Result<(Bytes, Counts), Refusal> {
        let mut counts = Counts::new();
        for hosted in &self.redactors {
            let redacted =
                hosted.call(self.retry_after, |redactor| self.redact::<R>(redactor, &request, &mut counts))?;
            if let Some(redacted) = redacted.flatten() {
                request = redacted;
            }
        }
        Ok((request, counts))
    }

    /// One redactor over one request. `None` where no text changes.
    fn redact<R: TextRequest>(
        &self,
        redactor: &dyn Redactor,
        request: &Bytes,
        counts: &mut Counts,
    ) -> Result<Option<Bytes>, Failure> {
        let texts = R::texts(request).map_err(unreadable)?;
        let mut changed = Texts::default();
        let mut found: Vec<(u32, u16)> = Vec::new();
        for portion in portions(texts.texts()) {
            let redaction = redactor.redact(&portion.texts)?;
            for (row, text) in redaction.changed.iter() {
                changed.push(portion.first + row, text);
            }
            found.extend(redaction.findings.iter().map(|(row, kind, ..)| (portion.first + row, kind)));
        }
        for (row, kind) in found {
            let Some(name) = redactor.manifest().types.get(usize::from(kind)) else { continue };
            self.metrics.redactions.with(vec![("type", name.clone())]).inc();
            if let (Some(Owner::Item(item)), Some(number)) = (texts.owner(row), self.number(name)) {
                *counts.entry((item, 0)).or_default() += 1;
                *counts.entry((item, number)).or_default() += 1;
            }
        }
        if changed.rows.is_empty() {
            return Ok(None);
        }
        let replaced = R::replace(request, &texts, &changed);
        replaced.map(|redacted| Some(redacted.into())).map_err(|message| Failure { kind: "malformed", message })
    }

    fn number(&self, name: &str) -> Option<u16> {
        let is = |write: &Attribute| write.name.strip_prefix(TOLLGATE_REDACTION_PREFIX) == Some(name);
        // Place 0 is the sum, which has the prefix as well.
        let place = self.writes.iter().skip(1).position(is)? + 1;
        u16::try_from(place).ok()
    }
}

/// Counts as edits, on top of what the items bring along.
fn edits(counts: &Counts, before: &Batch, items: usize) -> Batch {
    let items = u32::try_from(items).unwrap_or(u32::MAX);
    let mut edits = Edits::new(items);
    let rows: Vec<_> = before.rows().collect();
    for (&(item, number), &count) in counts {
        let row = usize::try_from(item).ok().and_then(|item| rows.get(item));
        let known = row.and_then(|row| row.integer(number)).unwrap_or(0).max(0);
        edits.integer(item, number, count.saturating_add(known));
    }
    edits.finish()
}

/// Texts for one call, numbered from 0.
struct Portion {
    /// Row of the first text in the whole.
    first: u32,
    texts: Texts,
}

fn portions(whole: &Texts) -> Vec<Portion> {
    let mut portions: Vec<Portion> = Vec::new();
    for (row, text) in whole.iter() {
        let fits = |portion: &&mut Portion| portion.texts.data.len() + text.len() <= BYTES_A_CALL;
        match portions.last_mut().filter(fits) {
            Some(portion) => {
                portion.texts.push(row - portion.first, text);
            }
            None => {
                let mut texts = Texts::default();
                texts.push(0, text);
                portions.push(Portion { first: row, texts });
            }
        }
    }
    portions
}

/// What requests of spans and of log records have in common: texts.
trait TextRequest {
    fn texts(request: &Bytes) -> Result<TextSet, ScanError>;
    fn replace(request: &Bytes, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, String>;
}

impl TextRequest for TraceRequest<'_> {
    fn texts(request: &Bytes) -> Result<TextSet, ScanError> {
        Ok(TraceRequest::scan(request, &RESCAN)?.texts())
    }

    fn replace(request: &Bytes, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, String> {
        let scanned = TraceRequest::scan(request, &RESCAN).map_err(|error| error.to_string())?;
        scanned.replace(given, changed).map_err(|error: EditError| error.to_string())
    }
}

impl TextRequest for LogsRequest<'_> {
    fn texts(request: &Bytes) -> Result<TextSet, ScanError> {
        Ok(LogsRequest::scan(request, &RESCAN)?.texts())
    }

    fn replace(request: &Bytes, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, String> {
        let scanned = LogsRequest::scan(request, &RESCAN).map_err(|error| error.to_string())?;
        scanned.replace(given, changed).map_err(|error: EditError| error.to_string())
    }
}

fn unreadable(error: ScanError) -> Failure {
    Failure { kind: "unreadable", message: error.to_string() }
}
