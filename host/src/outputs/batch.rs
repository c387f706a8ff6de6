//! Deliveries of one signal as one: in protobuf, requests that are written one after the other are one request.

use super::Delivery;
use crate::receivers::Signal;
use bytes::{Bytes, BytesMut};

/// A delivery that is being put together from others of its signal. A single one is not copied.
#[derive(Debug)]
pub struct Batch {
    signal: Signal,
    items: u64,
    first: Bytes,
    joined: BytesMut,
}

impl Batch {
    /// Begins with a delivery.
    #[must_use]
    pub fn new(first: Delivery) -> Self {
        Self { signal: first.signal, items: first.items, first: first.bytes, joined: BytesMut::new() }
    }

    /// Adds the delivery that comes next, of the same signal.
    pub fn add(&mut self, next: &Delivery) {
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&self.first);
        }
        self.joined.extend_from_slice(&next.bytes);
        self.items = self.items.saturating_add(next.items);
    }

    /// All of it as one delivery.
    #[must_use]
    pub fn finish(self) -> Delivery {
        let bytes = if self.joined.is_empty() { self.first } else { self.joined.freeze() };
        Delivery { signal: self.signal, bytes, items: self.items }
    }
}
