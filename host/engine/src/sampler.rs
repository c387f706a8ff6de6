//! Samplers, as the host uses them.

use crate::counters::Counters;
use crate::enricher::bytes_of;
use crate::seat::{Kind, Seat, Weight};
use crate::{CallError, manifest, v0_1_0};
use std::sync::Arc;
use tollgate_columns::{SamplerManifest, Traces, Verdicts};

/// A configured sampler with its own instance.
pub struct Sampler {
    seat: Seat<v0_1_0::Sampler>,
}

impl Sampler {
    pub(crate) fn new(seat: Seat<v0_1_0::Sampler>) -> Self {
        Self { seat }
    }

    /// What the sampler is, reads and decides by.
    #[must_use]
    pub fn manifest(&self) -> &SamplerManifest {
        self.seat.manifest()
    }

    /// What happened so far. Readable from elsewhere while a call runs.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        self.seat.counters()
    }

    /// One verdict a trace, checked: as many as there are traces, in agreement with their thresholds, rules declared.
    ///
    /// The instance is not replaced after a number of calls as others are: it follows the traffic, and a fresh one knows
    /// nothing of it.
    ///
    /// # Errors
    /// The sampler was stopped, refused, or answered against the rules. It can be called again.
    pub fn decide(&mut self, traces: Traces) -> Result<Verdicts, CallError> {
        let randomness = traces.randomness.clone();
        let bytes = bytes_of(&traces.spans).saturating_add(traces.ids.len());
        let weight = Weight { items: traces.spans.items, bytes };
        self.seat.proceed(
            weight,
            |instance, store| instance.decide(store, traces),
            |verdicts, declared| verdicts.check(&randomness, declared.rules.len()),
        )
    }
}

pub(crate) fn check(declared: &SamplerManifest) -> Result<(), String> {
    manifest::check_plugin(&declared.name, &declared.version)?;
    manifest::check_names("read attributes", declared.reads.iter().map(String::as_str))?;
    manifest::check_names("rules", declared.rules.iter().map(String::as_str))
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(v0_1_0::Sampler::WORLD.name()).field(self.manifest()).finish()
    }
}
