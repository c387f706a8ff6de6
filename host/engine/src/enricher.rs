//! Enrichers, as the host uses them.

use crate::counters::Counters;
use crate::seat::{Kind, Seat, Weight};
use crate::{CallError, manifest, v0_1_0};
use std::sync::Arc;
use tollgate_columns::{Batch, EnricherManifest};

/// A configured enricher with its own instance.
pub struct Enricher {
    seat: Seat<v0_1_0::Enricher>,
}

impl Enricher {
    pub(crate) fn new(seat: Seat<v0_1_0::Enricher>) -> Self {
        Self { seat }
    }

    /// What the enricher is, reads and writes. Column `n` of a batch is about the `n`th attribute read; column `n` of
    /// the edits is about the `n`th attribute written.
    #[must_use]
    pub fn manifest(&self) -> &EnricherManifest {
        self.seat.manifest()
    }

    /// What happened so far. Readable from elsewhere while a call runs.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        self.seat.counters()
    }

    /// Edits for a batch of spans, checked: every column whole, of a declared attribute and of its kind.
    ///
    /// # Errors
    /// The enricher was stopped, refused, or answered against the rules. It can be called again.
    pub fn enrich(&mut self, spans: Batch) -> Result<Batch, CallError> {
        let items = spans.items;
        let weight = Weight { items, bytes: bytes_of(&spans) };
        self.seat.call(
            weight,
            |instance, store| instance.enrich(store, spans),
            |edits, declared| manifest::check_edits(edits, items, &declared.writes),
        )
    }
}

/// The bytes of a batch that cross the boundary.
pub(crate) fn bytes_of(batch: &Batch) -> usize {
    let texts = batch.texts.iter().map(|column| column.data.len().saturating_add(column.rows.len() * 8));
    let integers = batch.integers.iter().map(|column| column.rows.len() * 12);
    let reals = batch.reals.iter().map(|column| column.rows.len() * 12);
    texts.chain(integers).chain(reals).fold(0, usize::saturating_add)
}

pub(crate) fn check(declared: &EnricherManifest) -> Result<(), String> {
    manifest::check_plugin(&declared.name, &declared.version)?;
    manifest::check_names("read attributes", declared.reads.iter().map(String::as_str))?;
    manifest::check_writes(&declared.writes)
}

impl std::fmt::Debug for Enricher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(v0_1_0::Enricher::WORLD.name()).field(self.manifest()).finish()
    }
}
