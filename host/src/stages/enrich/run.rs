//! Enrichers that are asked about one reading of a request, and whose edits go into it together.

use super::Enriched;
use crate::memory::exact;
use crate::receivers::Refusal;
use crate::stages::link::Link;
use crate::stages::plugin::{Enricher, Failure, Hosted};
use std::sync::Arc;
use std::time::Duration;
use tollgate_columns::{Attribute, Batch, Kind};
use tollgate_otlp::{EditSet, Reads, ReadsError, TraceRequest, Writes};

/// Who edits.
#[derive(Debug)]
pub(super) enum Who {
    /// A plugin.
    Plugin(Box<Hosted<dyn Enricher>>),
    /// The marks of calls that are reported twice.
    Link(Arc<Link>),
    /// Nobody: what these names read is given on. It is the last step.
    Observer(Vec<String>),
}

impl Who {
    fn reads(&self) -> Vec<&str> {
        match self {
            Self::Plugin(hosted) => hosted.plugin().manifest().reads.iter().map(String::as_str).collect(),
            Self::Link(_) => Link::READS.to_vec(),
            Self::Observer(reads) => reads.iter().map(String::as_str).collect(),
        }
    }

    fn writes(&self) -> &[Attribute] {
        match self {
            Self::Plugin(hosted) => &hosted.plugin().manifest().writes,
            Self::Link(link) => link.writes(),
            Self::Observer(_) => &[],
        }
    }
}

/// Steps that see the columns of one reading, to which the edits of each are made for those behind it.
#[derive(Debug)]
pub(super) struct Run {
    /// All that any of them reads.
    reads: Reads,
    /// What they write, a list each.
    writes: Writes,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    who: Who,
    /// For each name that it reads, the number among all that are read.
    columns: Vec<u16>,
    /// For each attribute that it writes, its number among all that are read, where one behind it reads it.
    seen: Vec<Option<u16>>,
}

/// The runs of some steps. One ends where the next step would not see in columns what it would see in the request: a
/// family of names that one before it writes to, a composite value, which is read as it was encoded, or an attribute that
/// it writes in another type than one before it.
///
/// # Errors
/// A manifest names something that cannot be read of a span.
pub(super) fn runs(steps: Vec<Who>) -> Result<Vec<Run>, ReadsError> {
    let mut parts: Vec<Vec<Who>> = Vec::new();
    for step in steps {
        match parts.last_mut() {
            Some(part) if part.iter().all(|before| agree(before.writes(), &step)) => part.push(step),
            _ => parts.push(vec![step]),
        }
    }
    parts.into_iter().map(Run::new).collect()
}

/// Whether a step sees in columns what it would see in a request with these attributes written.
fn agree(written: &[Attribute], step: &Who) -> bool {
    let reads = step.reads();
    written.iter().all(|write| {
        let name = write.name.as_str();
        let reads_it = |read: &&str| match read.strip_suffix('*') {
            Some(family) => name.starts_with(family),
            None => write.kind == Kind::Composite && *read == name,
        };
        let same_type = |other: &&Attribute| other.name != write.name || other.kind == write.kind;
        !reads.iter().any(reads_it) && step.writes().iter().all(|other| same_type(&other))
    })
}

/// Whether a name that is read is that of an attribute of the span.
fn is_of_span(name: &str) -> bool {
    !["span:", "scope:", "resource:"].iter().any(|other| name.starts_with(other))
}

impl Run {
    fn new(steps: Vec<Who>) -> Result<Self, ReadsError> {
        let mut names: Vec<String> = Vec::new();
        for name in steps.iter().flat_map(Who::reads) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let reads = Reads::compile(&names)?;
        let number = |name: &str| {
            let place = names.iter().position(|known| known == name);
            place.and_then(|place| u16::try_from(place).ok())
        };
        let lists: Vec<&[Attribute]> = steps.iter().map(Who::writes).collect();
        let writes = Writes::compile(&lists);
        let steps = steps
            .into_iter()
            .map(|who| {
                let columns = who.reads().into_iter().filter_map(number).collect();
                let seen = |write: &Attribute| number(&write.name).filter(|_| is_of_span(&write.name));
                Step { columns, seen: who.writes().iter().map(seen).collect(), who }
            })
            .collect();
        Ok(Self { reads, writes, steps })
    }

    /// The request with the edits of all steps, and what its observer sees, where it has one.
    ///
    /// # Errors
    /// An enricher that blocks has failed.
    pub(super) fn enrich(&self, request: &TraceRequest<'_>, retry_after: Duration) -> Result<Enriched, Refusal> {
        let mut columns = request.project(&self.reads);
        let mut edited = request.edit_set(&self.writes);
        let mut observed = Batch::default();
        for (list, step) in self.steps.iter().enumerate() {
            let given = columns.select(&step.columns);
            let edits = match &step.who {
                Who::Link(link) => link.run(request, &given, |edits| edited.add(list, edits)),
                Who::Plugin(hosted) => {
                    hosted.call(retry_after, |enricher| edits(enricher, given, &mut edited, list))?
                }
                Who::Observer(_) => {
                    observed = given;
                    None
                }
            };
            if let Some(edits) = edits {
                columns.overlay(&edits, &step.seen);
            }
        }
        if edited.is_empty() {
            return Ok(Enriched { request: None, observed });
        }
        let too_large = |error| Refusal::Unavailable { what: format!("the enriched request: {error}"), retry_after };
        let enriched = request.apply_set(edited).map_err(too_large)?;
        Ok(Enriched { request: Some(exact(enriched)), observed })
    }
}

/// The edits of an enricher, which have been added to those of the others.
fn edits(enricher: &dyn Enricher, given: Batch, edited: &mut EditSet<'_>, list: usize) -> Result<Batch, Failure> {
    let edits = enricher.enrich(given)?;
    let malformed = |error: tollgate_otlp::EditError| Failure { kind: "malformed", message: error.to_string() };
    edited.add(list, &edits).map_err(malformed)?;
    Ok(edits)
}
