//! Stage 2a, enrich: enrichers add attributes to spans, each seeing what the ones before it wrote.

use super::link::Link;
use super::plugin::{Enricher, Failure, Hosted};
use crate::memory::exact;
use crate::receivers::Refusal;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tollgate_otlp::{Reads, ReadsError, TraceRequest};
use tollgate_semconv::attribute::TOLLGATE_CALL_ROLE;

/// The enrichers in their order.
#[derive(Debug)]
pub struct Enrich {
    enrichers: Vec<(Hosted<dyn Enricher>, Reads)>,
    link: Arc<Link>,
    /// The enricher before which calls are linked; the number of enrichers where none reads the role.
    link_before: usize,
    retry_after: Duration,
}

impl Enrich {
    /// Enrichers in their order.
    ///
    /// # Errors
    /// A manifest names something that cannot be read of a span.
    pub fn new(
        enrichers: Vec<Hosted<dyn Enricher>>,
        link: Arc<Link>,
        retry_after: Duration,
    ) -> Result<Self, ReadsError> {
        let reads_role = |hosted: &Hosted<dyn Enricher>| {
            let manifest = hosted.plugin().manifest();
            let is_role = |name: &str| name == TOLLGATE_CALL_ROLE;
            // Whoever writes the role reads it only to see whether it is there.
            manifest.reads.iter().any(|name| is_role(name)) && !manifest.writes.iter().any(|write| is_role(&write.name))
        };
        let link_before = enrichers.iter().position(reads_role).unwrap_or(enrichers.len());
        let compiled = enrichers.into_iter().map(|hosted| {
            let reads = Reads::compile(&hosted.plugin().manifest().reads)?;
            Ok((hosted, reads))
        });
        Ok(Self { enrichers: compiled.collect::<Result<_, _>>()?, link, link_before, retry_after })
    }

    /// The request with the edits of every enricher; `None` where nothing changes.
    ///
    /// # Errors
    /// An enricher that blocks has failed.
    pub fn run(&self, request: &TraceRequest<'_>) -> Result<Option<Bytes>, Refusal> {
        self.from(0, request, false)
    }

    /// The request with the edits of the enrichers from `place` on. A request is scanned anew only where it changed.
    fn from(&self, mut place: usize, request: &TraceRequest<'_>, mut linked: bool) -> Result<Option<Bytes>, Refusal> {
        loop {
            let changed = if place == self.link_before && !linked {
                linked = true;
                self.link.run(request)
            } else if let Some((hosted, reads)) = self.enrichers.get(place) {
                place += 1;
                hosted.call(self.retry_after, |enricher| edit(enricher, reads, request))?.flatten()
            } else {
                return Ok(None);
            };
            let Some(changed) = changed else { continue };
            let further = match TraceRequest::rescan(&changed) {
                Ok(request) => self.from(place, &request, linked)?,
                Err(error) => {
                    let what = format!("an enricher made a request that cannot be read: {error}");
                    return Err(Refusal::Unavailable { what, retry_after: self.retry_after });
                }
            };
            return Ok(Some(further.unwrap_or(changed)));
        }
    }
}

fn edit(enricher: &dyn Enricher, reads: &Reads, request: &TraceRequest<'_>) -> Result<Option<Bytes>, Failure> {
    let edits = enricher.enrich(request.project(reads))?;
    if edits.texts.is_empty() && edits.integers.is_empty() && edits.reals.is_empty() {
        return Ok(None);
    }
    let edited = request.apply(&edits, &enricher.manifest().writes);
    edited.map(|edited| Some(exact(edited))).map_err(|error| Failure { kind: "malformed", message: error.to_string() })
}
