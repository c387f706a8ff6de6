//! A record that somebody needs.

use crate::error::ReadError;
use crate::format::{RECORD_HEADER, payload_checksum};
use crate::segment::Segment;
use crate::shared::Shared;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A record that somebody needs. When its last clone is dropped the record is done, unless the journal was frozen before.
///
/// It takes 72 bytes of memory, however long the payload.
#[derive(Clone)]
pub struct Entry {
    record: Arc<Record>,
}

struct Record {
    shared: Arc<Shared>,
    segment: Arc<Segment>,
    offset: u64,
    sequence: u64,
    length: u32,
    kind: u8,
}

impl Entry {
    pub(crate) fn new(
        shared: Arc<Shared>,
        segment: Arc<Segment>,
        offset: u64,
        sequence: u64,
        length: u32,
        kind: u8,
    ) -> Self {
        shared.counters.undone_records.add(1);
        shared.counters.undone_bytes.add(length.into());
        Self { record: Arc::new(Record { shared, segment, offset, sequence, length, kind }) }
    }

    /// What the record was appended as.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.record.kind
    }

    /// Bytes of the payload.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a length in bytes, of a record that may well be empty")]
    pub fn len(&self) -> u32 {
        self.record.length
    }

    /// Number of the record: later appends have higher ones, also after the journal was opened again. Numbers are left out.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.record.sequence
    }

    /// Notes that one of those that the record is owed to has it, by a number that means something to the caller.
    ///
    /// After a crash the record comes back with the parts that were marked, or with some of them. After
    /// [`crate::Journal::freeze`] nothing is noted.
    pub fn mark(&self, part: u32) {
        let Record { shared, segment, sequence, .. } = &*self.record;
        if !shared.frozen() {
            segment.mark(segment.ordinal(*sequence), part, &*shared.disk, &shared.usage, &shared.counters);
        }
    }

    /// The payload, from disk.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be read or is not what was appended.
    pub fn read(&self) -> Result<Vec<u8>, ReadError> {
        let Record { shared, segment, offset, length, sequence, .. } = &*self.record;
        let io = |source: io::Error| ReadError::Io { file: segment.id.segment(), offset: *offset, source };
        let damaged = || ReadError::Damaged { file: segment.id.segment(), offset: *offset };
        let file = shared.disk.open(&segment.id.segment()).map_err(io)?;
        let mut header = [0; RECORD_HEADER as usize];
        file.read_at(*offset, &mut header).map_err(io)?;
        let header = segment.id.parse_record(&header).ok_or_else(damaged)?;
        if (header.sequence, header.length) != (*sequence, *length) {
            return Err(damaged());
        }
        let mut payload = vec![0; *length as usize];
        file.read_at(offset + RECORD_HEADER, &mut payload).map_err(io)?;
        if payload_checksum(&[&payload]) == header.checksum { Ok(payload) } else { Err(damaged()) }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { segment, offset, sequence, length, kind, .. } = &*self.record;
        f.debug_struct("Entry")
            .field("file", &segment.id.segment())
            .field("offset", offset)
            .field("sequence", sequence)
            .field("length", length)
            .field("kind", kind)
            .finish()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.counters.undone_records.subtract(1);
        self.shared.counters.undone_bytes.subtract(self.length.into());
        self.shared.settle(&self.segment, self.sequence);
    }
}
