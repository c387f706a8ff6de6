//! What was decoded last, for matches to refer to.

/// A ring that grows as it is filled, up to the size of the window.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    size: usize,
    /// Where the next byte goes once the ring is full.
    at: usize,
}

impl Window {
    /// Begins anew. The memory stays, as far as the size allows.
    pub(super) fn reset(&mut self, size: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(size);
        (self.size, self.at) = (size.max(1), 0);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        let room = self.grow(piece.len());
        let (grown, mut rest) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.bytes.extend_from_slice(grown);
        while !rest.is_empty() {
            let place = self.bytes.get_mut(self.at..).unwrap_or_default();
            let count = place.len().min(rest.len());
            let (head, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            place.iter_mut().zip(head).for_each(|(place, byte)| *place = *byte);
            self.advance(count);
            rest = tail;
        }
    }

    pub(super) fn fill(&mut self, byte: u8, count: usize) {
        let room = self.grow(count);
        self.bytes.resize(self.bytes.len() + room, byte);
        let mut left = count - room;
        while left > 0 {
            let place = self.bytes.get_mut(self.at..).unwrap_or_default();
            let count = place.len().min(left);
            place.iter_mut().take(count).for_each(|place| *place = byte);
            self.advance(count);
            left -= count;
        }
    }

    /// Repeats what stands `offset` bytes back; `None` where that is before the beginning or out of the window.
    pub(super) fn repeat(&mut self, offset: usize, length: usize) -> Option<()> {
        if offset == 0 || offset > self.bytes.len() {
            return None;
        }
        let (mut distance, mut left) = (offset, length);
        while left > 0 {
            let mut count = left.min(distance);
            let room = self.grow(count);
            if room > 0 {
                count = room;
                let start = self.bytes.len() - distance;
                self.bytes.extend_from_within(start..start + count);
            } else {
                let start = if self.at >= distance { self.at - distance } else { self.at + self.size - distance };
                count = count.min(self.size - self.at).min(self.size - start);
                self.bytes.copy_within(start..start + count, self.at);
                self.advance(count);
            }
            left -= count;
            // The repetition repeats itself, so that ever longer pieces of it can be copied.
            if count == distance && 2 * distance <= self.bytes.len() {
                distance *= 2;
            }
        }
        Some(())
    }

    /// The last `count` bytes, in two pieces.
    pub(super) fn last(&self, count: usize) -> [&[u8]; 2] {
        let (old, new) = if self.bytes.len() < self.size {
            ([].as_slice(), self.bytes.as_slice())
        } else {
            let (new, old) = self.bytes.split_at_checked(self.at).unwrap_or_default();
            (old, new)
        };
        let from_new = count.min(new.len());
        let from_old = (count - from_new).min(old.len());
        [old.get(old.len() - from_old..).unwrap_or_default(), new.get(new.len() - from_new..).unwrap_or_default()]
    }

    /// Makes room for more bytes, up to the size; gives how many of them fit.
    fn grow(&mut self, count: usize) -> usize {
        let room = count.min(self.size - self.bytes.len());
        let needed = self.bytes.len() + room;
        if needed > self.bytes.capacity() {
            let wanted = needed.max(2 * self.bytes.capacity()).min(self.size);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        room
    }

    fn advance(&mut self, count: usize) {
        self.at += count;
        if self.at >= self.size {
            self.at = 0;
        }
    }
}
