//! Stage 2a, enrich: enrichers add attributes to spans, each seeing what the ones before it wrote.

use super::RESCAN;
use super::link::Link;
use super::plugin::{Enricher, Failure, Hosted};
use crate::receivers::Refusal;
use bytes::Bytes;
use std::time::Duration;
use tollgate_otlp::{Reads, ReadsError, TraceRequest};
use tollgate_semconv::attribute::TOLLGATE_CALL_ROLE;

/// The enrichers in their order.
#[derive(Debug)]
pub struct Enrich {
    enrichers: Vec<(Hosted<dyn Enricher>, Reads)>,
    link: Link,
    /// The enricher before which calls are linked; the number of enrichers where none reads the role.
    link_before: usize,
    retry_after: Duration,
}

impl Enrich {
    /// Enrichers in their order.
    ///
    /// # Errors
    /// A manifest names something that cannot be read of a span.
    pub fn new(enrichers: Vec<Hosted<dyn Enricher>>, link: Link, retry_after: Duration) -> Result<Self, ReadsError> {
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

    /// The request with the edits of every enricher.
    ///
    /// # Errors
    /// An enricher that blocks has failed.
    pub fn run(&self, mut request: Bytes) -> Result<Bytes, Refusal> {
        for (place, (hosted, reads)) in self.enrichers.iter().enumerate() {
            if place == self.link_before {
                request = self.link.run(request);
            }
            if let Some(edited) = hosted.call(self.retry_after, |enricher| edit(enricher, reads, &request))? {
                request = edited;
            }
        }
        if self.link_before == self.enrichers.len() {
            request = self.link.run(request);
        }
        Ok(request)
    }
}

fn edit(enricher: &dyn Enricher, reads: &Reads, request: &Bytes) -> Result<Bytes, Failure> {
    let scanned = TraceRequest::scan(request, &RESCAN)
        .map_err(|error| Failure { kind: "unreadable", message: error.to_string() })?;
    let edits = enricher.enrich(reads.project(scanned.spans()))?;
    if edits.texts.is_empty() && edits.integers.is_empty() && edits.reals.is_empty() {
        return Ok(request.clone());
    }
    scanned
        .apply(&edits, &enricher.manifest().writes)
        .map(Bytes::from)
        .map_err(|error| Failure { kind: "malformed", message: error.to_string() })
}
