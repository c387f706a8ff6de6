//! Stage 2a, enrich: enrichers add attributes to spans, each seeing what the ones before it wrote.
//!
//! A request is read once for all of them and written once, where that gives the same as one after the other: see
//! [`Run`].

mod run;

use super::link::Link;
use super::plugin::{Enricher, Hosted};
use crate::receivers::Refusal;
use bytes::Bytes;
use run::{Run, Who, runs};
use std::sync::Arc;
use std::time::Duration;
use tollgate_columns::Batch;
use tollgate_otlp::{ReadsError, TraceRequest};
use tollgate_semconv::attribute::TOLLGATE_CALL_ROLE;

/// The enrichers in their order.
#[derive(Debug)]
pub struct Enrich {
    runs: Vec<Run>,
    retry_after: Duration,
}

/// A request after enrichment.
#[derive(Debug)]
pub struct Enriched {
    /// The request with the edits of every enricher; `None` where nothing changed.
    pub request: Option<Bytes>,
    /// What was asked for of each span, as it is then.
    pub observed: Batch,
}

impl Enrich {
    /// Enrichers in their order. Calls are linked before the first that reads their role, behind all where none does.
    /// `observed` are the names of what is [asked for](Enriched::observed) of each span in the end.
    ///
    /// # Errors
    /// A manifest names something that cannot be read of a span.
    pub fn new(
        enrichers: Vec<Hosted<dyn Enricher>>,
        link: Arc<Link>,
        observed: &[String],
        retry_after: Duration,
    ) -> Result<Self, ReadsError> {
        let reads_role = |hosted: &Hosted<dyn Enricher>| {
            let manifest = hosted.plugin().manifest();
            let is_role = |name: &str| name == TOLLGATE_CALL_ROLE;
            // Whoever writes the role reads it only to see whether it is there.
            manifest.reads.iter().any(|name| is_role(name)) && !manifest.writes.iter().any(|write| is_role(&write.name))
        };
        let link_before = enrichers.iter().position(reads_role).unwrap_or(enrichers.len());
        let mut steps: Vec<Who> = enrichers.into_iter().map(|hosted| Who::Plugin(Box::new(hosted))).collect();
        steps.insert(link_before, Who::Link(link));
        steps.push(Who::Observer(observed.to_vec()));
        Ok(Self { runs: runs(steps)?, retry_after })
    }

    /// Asks every enricher.
    ///
    /// # Errors
    /// An enricher that blocks has failed.
    pub fn run(&self, request: &TraceRequest<'_>) -> Result<Enriched, Refusal> {
        let mut enriched = Enriched { request: None, observed: Batch::default() };
        for run in &self.runs {
            let now = match &enriched.request {
                None => run.enrich(request, self.retry_after)?,
                Some(bytes) => {
                    let unreadable = |error| Refusal::Unavailable {
                        what: format!("an enricher made a request that cannot be read: {error}"),
                        retry_after: self.retry_after,
                    };
                    run.enrich(&TraceRequest::rescan(bytes).map_err(unreadable)?, self.retry_after)?
                }
            };
            enriched = Enriched { request: now.request.or(enriched.request), observed: now.observed };
        }
        Ok(enriched)
    }
}
