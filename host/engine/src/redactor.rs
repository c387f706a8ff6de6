//! Redactors, as the host uses them.

use crate::counters::Counters;
use crate::seat::{Kind, Seat, Weight};
use crate::{CallError, manifest, v0_1_0};
use std::sync::Arc;
use tollgate_columns::{Given, Redaction, RedactorManifest};

/// A configured redactor with its own instance.
pub struct Redactor {
    seat: Seat<v0_1_0::Redactor>,
}

impl Redactor {
    pub(crate) fn new(seat: Seat<v0_1_0::Redactor>) -> Self {
        Self { seat }
    }

    /// What the redactor is and can find.
    #[must_use]
    pub fn manifest(&self) -> &RedactorManifest {
        self.seat.manifest()
    }

    /// What happened so far. Readable from elsewhere while a call runs.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        self.seat.counters()
    }

    /// Findings in texts, and the texts that changed, checked: findings inside their texts, types declared. Each text
    /// has to have a place and a group, and the rows have to be 0, 1, 2, and so on.
    ///
    /// # Errors
    /// The redactor was stopped, refused, or answered against the rules. It can be called again.
    pub fn redact(&mut self, given: &Given) -> Result<Redaction, CallError> {
        given.check()?;
        let items = u32::try_from(given.len()).unwrap_or(u32::MAX);
        let names: usize = given.names.iter().map(String::len).sum();
        let weight = Weight { items, bytes: given.texts.data.len().saturating_add(names) };
        self.seat.call(
            weight,
            |instance, store| instance.redact(store, given.clone()),
            |redaction, declared| redaction.check(&given.texts, declared.types.len()),
        )
    }
}

pub(crate) fn check(declared: &RedactorManifest) -> Result<(), String> {
    manifest::check_plugin(&declared.name, &declared.version)?;
    manifest::check_names("types", declared.types.iter().map(String::as_str))
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(v0_1_0::Redactor::WORLD.name()).field(self.manifest()).finish()
    }
}
