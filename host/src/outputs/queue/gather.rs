//! Deliveries that wait for others to come, because their output writes few large things rather than many small ones.
//!
//! What waits here is not taken: it is still in the log, and is handed on when the process ends or the output is
//! configured anew.

use super::{Limits, Queued};
use crate::receivers::Signal;
use std::time::Duration;
use tokio::time::Instant;

/// Deliveries by signal: those of several cannot be joined.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    signal: Signal,
    bytes: u64,
    items: u64,
    /// When its first has waited for long enough.
    due: Instant,
    taken: Vec<Queued>,
}

impl Group {
    fn is_full(&self, limits: Limits) -> bool {
        self.bytes >= most(limits) || self.items >= limits.max_items
    }
}

fn most(limits: Limits) -> u64 {
    u64::try_from(limits.max_bytes).unwrap_or(u64::MAX)
}

impl Gathering {
    /// Adds a delivery. Where it would be too much with those that wait, these are given, and it waits for the next.
    pub(super) fn add(&mut self, queued: Queued, limits: Limits, linger: Duration) -> Option<Vec<Queued>> {
        let (bytes, items) = (queued.size, queued.items);
        let due = Instant::now() + linger;
        let Some(group) = self.groups.iter_mut().find(|group| group.signal == queued.signal) else {
            self.groups.push(Group { signal: queued.signal, bytes, items, due, taken: vec![queued] });
            return None;
        };
        let (all_bytes, all_items) = (group.bytes.saturating_add(bytes), group.items.saturating_add(items));
        if all_bytes > most(limits) || all_items > limits.max_items {
            (group.bytes, group.items, group.due) = (bytes, items, due);
            return Some(std::mem::replace(&mut group.taken, vec![queued]));
        }
        (group.bytes, group.items) = (all_bytes, all_items);
        group.taken.push(queued);
        None
    }

    /// Deliveries that are not to wait any longer: they are as many as can be joined, or have waited for long enough.
    pub(super) fn ready(&mut self, limits: Limits) -> Option<Vec<Queued>> {
        let now = Instant::now();
        let place = self.groups.iter().position(|group| group.due <= now || group.is_full(limits))?;
        Some(self.groups.remove(place).taken)
    }

    /// When the next have waited for long enough; `None` where none wait.
    pub(super) fn due(&self) -> Option<Instant> {
        self.groups.iter().map(|group| group.due).min()
    }

    /// The largest of what waits, ready or not.
    pub(super) fn largest(&mut self) -> Option<Vec<Queued>> {
        let (place, _) = self.groups.iter().enumerate().max_by_key(|(_, group)| group.bytes)?;
        Some(self.groups.remove(place).taken)
    }

    /// All that waits, in the order in which it came, signal by signal.
    pub(super) fn take_all(&mut self) -> Vec<Queued> {
        self.groups.drain(..).flat_map(|group| group.taken).collect()
    }
}
