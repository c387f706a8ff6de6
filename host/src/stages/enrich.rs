//! Stage 2a, enrich: enrichers add attributes to spans, each seeing what the ones before it wrote.

use super::RESCAN;
use super::plugin::{Enricher, Failure, Hosted};
use crate::receivers::Refusal;
use bytes::Bytes;
use std::time::Duration;
use tollgate_otlp::{Reads, ReadsError, TraceRequest};

/// The enrichers in their order.
#[derive(Debug, Default)]
pub struct Enrich {
    enrichers: Vec<(Hosted<dyn Enricher>, Reads)>,
    retry_after: Duration,
}

impl Enrich {
    /// Enrichers in their order.
    ///
    /// # Errors
    /// A manifest names something that cannot be read of a span.
    pub fn new(enrichers: Vec<Hosted<dyn Enricher>>, retry_after: Duration) -> Result<Self, ReadsError> {
        let compiled = enrichers.into_iter().map(|hosted| {
            let reads = Reads::compile(&hosted.plugin().manifest().reads)?;
            Ok((hosted, reads))
        });
        Ok(Self { enrichers: compiled.collect::<Result<_, _>>()?, retry_after })
    }

    /// The request with the edits of every enricher.
    ///
    /// # Errors
    /// An enricher that blocks has failed.
    pub fn run(&self, mut request: Bytes) -> Result<Bytes, Refusal> {
        for (hosted, reads) in &self.enrichers {
            if let Some(edited) = hosted.call(self.retry_after, |enricher| edit(enricher, reads, &request))? {
                request = edited;
            }
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
