//! What happened to a plugin, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one handle, readable while a call runs.
#[derive(Debug, Default)]
pub struct Counters {
    calls: AtomicU64,
    traps: AtomicU64,
    deadlines: AtomicU64,
    memory_denials: AtomicU64,
    refused: AtomicU64,
    malformed: AtomicU64,
    instances: AtomicU64,
}

/// The values of [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls begun, those that failed included; configuring is not counted.
    pub calls: u64,
    /// Calls that ended in a trap, or that no instance could be made for.
    pub traps: u64,
    /// Calls stopped at their deadline.
    pub deadlines: u64,
    /// Calls stopped because the plugin wanted more memory than it may have.
    pub memory_denials: u64,
    /// Calls that the plugin refused in words.
    pub refused: u64,
    /// Calls whose result broke the rules and was thrown away.
    pub malformed: u64,
    /// Instances made.
    pub instances: u64,
}

impl Counters {
    /// All values. Each is exact; together they may straddle a call that is under way.
    #[must_use]
    pub fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            calls: read(&self.calls),
            traps: read(&self.traps),
            deadlines: read(&self.deadlines),
            memory_denials: read(&self.memory_denials),
            refused: read(&self.refused),
            malformed: read(&self.malformed),
            instances: read(&self.instances),
        }
    }

    pub(crate) fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn instance(&self) {
        self.instances.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failure(&self, error: &crate::CallError) {
        use crate::CallError;
        let counter = match error {
            CallError::Trapped { .. } | CallError::Unavailable { .. } => &self.traps,
            CallError::Deadline { .. } => &self.deadlines,
            CallError::Memory { .. } => &self.memory_denials,
            CallError::Refused(_) => &self.refused,
            CallError::Malformed(_) | CallError::Unreadable { .. } => &self.malformed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
