//! The newest calls that cost more than a level.

use crate::entry::{Entry, cut};
use std::collections::VecDeque;
use std::sync::Arc;

/// The level that a call reached by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// That for warnings.
    Warning,
    /// That for alarms.
    Critical,
}

/// A call that cost more than a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// When it counts, in nanoseconds since 1970.
    pub time: u64,
    /// The level.
    pub level: Level,
    /// The model; empty where it is not known.
    pub model: Box<str>,
    /// Who answered; empty where it is not known.
    pub provider: Box<str>,
    /// Trace.
    pub trace_id: [u8; 16],
    /// Span.
    pub span_id: [u8; 8],
    /// Nano-dollars.
    pub cost: Option<u64>,
}

/// The newest alerts, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts {
    most: usize,
    newest: VecDeque<Arc<Alert>>,
}

impl Alerts {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, newest: VecDeque::new() }
    }

    /// Adds an entry where it has a level; at the limit the oldest goes.
    pub(crate) fn add(&mut self, time: u64, entry: &Entry<'_>) {
        let Some(level) = entry.level else { return };
        if self.newest.len() >= self.most {
            self.newest.pop_front();
        }
        if self.most > 0 {
            self.newest.push_back(Arc::new(Alert {
                time,
                level,
                model: cut(entry.model.unwrap_or_default()).into(),
                provider: cut(entry.provider.unwrap_or_default()).into(),
                trace_id: entry.trace_id,
                span_id: entry.span_id,
                cost: entry.cost,
            }));
        }
    }

    /// Those that count at `start` or later, the newest first.
    pub(crate) fn since(&self, start: u64) -> Vec<Arc<Alert>> {
        self.newest.iter().rev().filter(|alert| alert.time >= start).cloned().collect()
    }

    /// Most bytes that they take.
    pub(crate) fn most_bytes(most: usize) -> usize {
        // A count of owners stands beside each; the queue grows by doubling.
        let one = size_of::<Alert>() + 2 * size_of::<usize>() + 2 * crate::entry::LONGEST_VALUE;
        let places = most.checked_next_power_of_two().unwrap_or(usize::MAX).max(4);
        most.saturating_mul(one).saturating_add(places.saturating_mul(size_of::<Arc<Alert>>()))
    }
}
