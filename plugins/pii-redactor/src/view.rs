//! A text as the scan should see it, and the way back to the bytes as they were given.

use crate::bytes::slice;

/// Bytes made from other bytes, each with the place it came from.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) bytes: Vec<u8>,
    /// Where the source of each byte starts and ends. Bytes of one source character share its place.
    places: Vec<(u32, u32)>,
}

impl View {
    /// An empty view with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), places: Vec::with_capacity(capacity) }
    }

    /// Appends a byte made from `start..end` of the source.
    pub(crate) fn push(&mut self, byte: u8, (start, end): (u32, u32)) {
        self.bytes.push(byte);
        self.places.push((start, end));
    }

    /// Appends `text[start..end]` as it stands.
    pub(crate) fn copy(&mut self, text: &[u8], start: usize, end: usize) {
        self.bytes.extend_from_slice(slice(text, start, end));
        self.places.extend((start..end).map(|index| (place(index), place(index + 1))));
    }

    /// Where the byte at `index` came from; the end of the source past the last byte.
    pub(crate) fn place(&self, index: usize) -> (u32, u32) {
        let behind = || self.places.last().map_or((0, 0), |&(_, end)| (end, end));
        self.places.get(index).copied().unwrap_or_else(behind)
    }

    /// The source of `start..end`, which is not empty.
    pub(crate) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        let (first, _) = self.place(start);
        let (_, last) = self.place(end.saturating_sub(1));
        (index(first), index(last))
    }
}

/// A stored place as an index.
pub(crate) fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// An index as a stored place. Texts of 4 GiB and more are refused before anything is stored.
pub(crate) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
