//! Bytes on disk against the limit.

use crate::format::{MARK, SEGMENT_HEADER};
use crate::sync::lock;
use std::sync::Mutex;

/// What the journal has on disk and what it has promised to write.
///
/// With every record the mark that ends it is reserved, so that a full journal can still be emptied; and the header of
/// the next segment is kept free always, so that the last segment can be let go of.
#[derive(Debug)]
pub(crate) struct Usage {
    max: u64,
    bytes: Mutex<Bytes>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bytes {
    stored: u64,
    reserved: u64,
}

impl Usage {
    pub(crate) fn new(max: u64, stored: u64) -> Self {
        Self { max, bytes: Mutex::new(Bytes { stored, reserved: 0 }) }
    }

    /// Bytes on disk, and in buffers that are about to be written.
    pub(crate) fn stored(&self) -> u64 {
        lock(&self.bytes).stored
    }

    /// Whether a record and a mark would find room.
    pub(crate) fn fits(&self, record: u64) -> bool {
        lock(&self.bytes).fit(record + MARK, self.max)
    }

    /// Takes room for a record, and reserves the mark that ends it.
    pub(crate) fn take_record(&self, record: u64) -> bool {
        let mut bytes = lock(&self.bytes);
        let fits = bytes.fit(record + MARK, self.max);
        if fits {
            bytes.stored += record;
            bytes.reserved += MARK;
        }
        fits
    }

    /// Takes what has been found on disk to need a mark. It was reserved by the process that wrote it.
    pub(crate) fn reserve_mark(&self) {
        lock(&self.bytes).reserved += MARK;
    }

    /// Gives up a reserved mark.
    pub(crate) fn release_mark(&self) {
        let mut bytes = lock(&self.bytes);
        bytes.reserved = bytes.reserved.saturating_sub(MARK);
    }

    /// Takes room for a mark that was reserved.
    pub(crate) fn take_reserved_mark(&self) -> bool {
        let mut bytes = lock(&self.bytes);
        bytes.reserved = bytes.reserved.saturating_sub(MARK);
        let fits = bytes.stored + MARK + SEGMENT_HEADER <= self.max;
        bytes.stored += if fits { MARK } else { 0 };
        fits
    }

    /// Takes room for a mark that was not reserved.
    pub(crate) fn take_mark(&self) -> bool {
        let mut bytes = lock(&self.bytes);
        let fits = bytes.fit(MARK, self.max);
        bytes.stored += if fits { MARK } else { 0 };
        fits
    }

    /// Takes the header of a segment, for which there is room always.
    pub(crate) fn take_header(&self) {
        lock(&self.bytes).stored += SEGMENT_HEADER;
    }

    /// Gives back bytes that are no longer on disk.
    pub(crate) fn release(&self, stored: u64) {
        let mut bytes = lock(&self.bytes);
        bytes.stored = bytes.stored.saturating_sub(stored);
    }
}

impl Bytes {
    fn fit(self, more: u64, max: u64) -> bool {
        self.stored + self.reserved + more + SEGMENT_HEADER <= max
    }
}
