//! Counters and gauges.

use crate::exemplar::{Exemplar, Origin};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A sum that only grows.
#[derive(Debug, Default)]
pub struct Sum {
    value: AtomicU64,
    /// The last span that was counted, of those that came with one.
    exemplar: Mutex<Option<Exemplar>>,
}

impl Sum {
    pub(crate) fn add(&self, by: u64, origin: Option<&Origin>) {
        self.value.fetch_add(by, Ordering::Relaxed);
        let Some(origin) = origin else { return };
        // Any of the spans will do, so nobody waits to be the one.
        if let Ok(mut exemplar) = self.exemplar.try_lock() {
            *exemplar = Some(Exemplar { value: by, origin: *origin });
        }
    }

    pub(crate) fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    pub(crate) fn exemplar(&self) -> Option<Exemplar> {
        *self.exemplar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that goes up and down.
#[derive(Debug, Default)]
pub struct Level(AtomicI64);

impl Level {
    pub(crate) fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
