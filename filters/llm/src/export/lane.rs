//! What waits of one signal.

use super::backoff::Backoff;
use std::collections::VecDeque;
use tollgate_otlp::{Envelope, RequestWriter};

/// Items that travel together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The encoded request.
    pub(super) body: Vec<u8>,
    /// Bytes that its items count for.
    pub(super) held: usize,
    pub(super) items: u64,
    pub(super) attempts: u8,
}

/// What waits of one signal, and how its receiver is.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) open: RequestWriter,
    pub(super) open_held: usize,
    pub(super) ready: VecDeque<Batch>,
    pub(super) in_flight: usize,
    /// Bytes that everything counts for that was pushed and not released.
    pub(super) held: usize,
    pub(super) backoff: Backoff,
}

impl Lane {
    /// Puts an item into the open batch, where it counts for `size` bytes.
    pub(super) fn push(&mut self, envelope: &Envelope, item: &[u8], size: usize) {
        self.open.push(envelope, item);
        self.open_held += size;
        self.held += size;
    }

    /// A batch has reached its end, one way or another.
    pub(super) fn release(&mut self, batch: &Batch) {
        self.held = self.held.saturating_sub(batch.held);
    }

    /// Makes the open batch one that can be sent.
    pub(super) fn close(&mut self) {
        if !self.open.is_empty() {
            let writer = std::mem::take(&mut self.open);
            let (items, held) = (writer.len() as u64, std::mem::take(&mut self.open_held));
            self.ready.push_back(Batch { body: writer.finish(), held, items, attempts: 0 });
        }
    }

    /// A request is not under way any more.
    pub(super) fn came_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Whether another request may be under way now.
    pub(super) fn may_send(&self, now: u64, at_a_time: usize) -> bool {
        self.has_room(at_a_time) && self.backoff.left(now) == 0
    }

    /// Milliseconds until the next batch may go, at least one; `None` where none waits, or an answer has to come first.
    pub(super) fn soon(&self, now: u64, at_a_time: usize) -> Option<u32> {
        let waits = !self.ready.is_empty() && self.has_room(at_a_time);
        let left = self.backoff.left(now).div_ceil(1_000_000).max(1);
        waits.then(|| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Whether fewer requests are under way than may be. One alone finds out whether a receiver that failed is back.
    fn has_room(&self, at_a_time: usize) -> bool {
        self.in_flight < if self.backoff.is_on() { 1 } else { at_a_time }
    }
}
