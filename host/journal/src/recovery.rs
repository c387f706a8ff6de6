//! What was owed when the journal was opened.

use crate::disk::DiskFile;
use crate::entry::Entry;
use crate::format::{RecordHeader, payload_checksum};
use crate::owed::Marks;
use crate::scan::{Scanner, Step};
use crate::segment::Segment;
use crate::shared::Shared;
use std::io;
use std::sync::Arc;

/// Most places of damage that are described; all are counted.
const MAX_SPANS: usize = 100;

/// A record that was appended before the journal was opened, and is not done.
#[derive(Debug)]
pub struct Recovered {
    /// What the record was appended as.
    pub kind: u8,
    /// What was appended, byte for byte.
    pub payload: Vec<u8>,
    /// The parts that were marked, ascending. Those that were marked last may miss.
    pub parts: Vec<u32>,
    /// The record, to mark further parts, and to let go of.
    pub entry: Entry,
}

/// What was found damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Segments with damage.
    pub segments: u64,
    /// Records that were skipped, at least.
    pub records: u64,
    /// Bytes that were skipped.
    pub bytes: u64,
    /// Bytes that were cut off from the end of the last segment: a write that the crash interrupted.
    pub torn_bytes: u64,
    /// Marks that were skipped. Each may be a duplicate.
    pub marks: u64,
    /// Where the first hundred are.
    pub spans: Vec<Span>,
}

/// A place in a segment that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The segment.
    pub file: String,
    /// Where the damage begins.
    pub offset: u64,
    /// Bytes that were skipped. With `error` they are all that follow.
    pub bytes: u64,
    /// Records that were in it, at least.
    pub records: u64,
    /// Why the bytes could not be read. Such a segment is kept, and tried again when the journal is next opened.
    pub error: Option<String>,
}

/// What is still owed, in the order in which it was appended, one record at a time from disk.
///
/// A segment is deleted only after it has been read to its end: what is not read now is given back the next time. New
/// records can be appended meanwhile.
pub struct Recovery {
    shared: Arc<Shared>,
    segments: std::vec::IntoIter<Found>,
    current: Option<Reading>,
    damage: Damage,
}

/// A segment that was found, with the lengths of its files.
pub(crate) struct Found {
    pub(crate) segment: Arc<Segment>,
    pub(crate) length: u64,
    pub(crate) marks: u64,
    /// Whether it is the last one, whose end a crash may have torn.
    pub(crate) last: bool,
}

struct Reading {
    found: Found,
    scanner: Scanner,
    marks: Marks,
    /// Where the last record ends that is whole.
    whole: u64,
    /// What was skipped since then in the last segment: damage when another record follows, otherwise a torn end.
    tail: Option<Span>,
    damaged: bool,
}

impl Recovery {
    pub(crate) fn new(shared: Arc<Shared>, found: Vec<Found>) -> Self {
        Self { shared, segments: found.into_iter(), current: None, damage: Damage::default() }
    }

    /// What was found damaged until now; all of it, when the iterator has ended.
    #[must_use]
    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// Begins to read the next segment.
    fn begin(&mut self, found: Found) {
        let id = found.segment.id;
        let marks = Marks::read(&*self.shared.disk, id, found.marks, found.length)
            .unwrap_or_else(|_| Marks::unreadable(found.marks));
        self.damage.marks += marks.damaged;
        self.shared.counters.damaged_marks.add(marks.damaged);
        match self.shared.disk.open(&id.segment()) {
            Ok(file) => {
                let scanner = Scanner::new(id, file, found.length);
                self.current = Some(Reading { found, scanner, marks, whole: 0, tail: None, damaged: false });
            }
            Err(error) => self.unreadable(&found, 0, false, &error),
        }
    }

    /// Goes on in a segment until a record is owed. None at its end.
    fn advance(&mut self, reading: &mut Reading) -> io::Result<Option<Recovered>> {
        let segment = reading.found.segment.clone();
        loop {
            match reading.scanner.step()? {
                Step::End => return Ok(None),
                Step::Gap { offset, bytes, records } => {
                    self.skip(reading, offset, bytes, records.unwrap_or(1));
                }
                Step::Record { offset, header } => {
                    let ordinal = segment.ordinal(header.sequence);
                    if reading.marks.done(ordinal) {
                        self.whole(reading, offset, &header);
                        continue;
                    }
                    let payload = reading.scanner.payload(offset, &header)?;
                    if payload_checksum(&[&payload]) != header.checksum {
                        self.skip(reading, offset, header.size(), 1);
                        continue;
                    }
                    self.whole(reading, offset, &header);
                    segment.owe();
                    self.shared.usage.reserve_mark();
                    self.shared.counters.recovered_records.add(1);
                    let RecordHeader { sequence, length, kind, .. } = header;
                    let entry = Entry::new(self.shared.clone(), segment, offset, sequence, length, kind);
                    return Ok(Some(Recovered { kind, payload, parts: reading.marks.parts(ordinal), entry }));
                }
            }
        }
    }

    /// A record is whole, so that what was skipped before it is damage.
    fn whole(&mut self, reading: &mut Reading, offset: u64, header: &RecordHeader) {
        reading.whole = offset + header.size();
        if let Some(span) = reading.tail.take() {
            self.report(&mut reading.damaged, span);
        }
    }

    fn skip(&mut self, reading: &mut Reading, offset: u64, bytes: u64, records: u64) {
        let file = reading.found.segment.id.segment();
        let span = Span { file, offset, bytes, records, error: None };
        if !reading.found.last {
            return self.report(&mut reading.damaged, span);
        }
        match &mut reading.tail {
            Some(tail) => {
                tail.bytes += bytes;
                tail.records += records;
            }
            tail => *tail = Some(span),
        }
    }

    fn report(&mut self, damaged: &mut bool, span: Span) {
        let counters = &self.shared.counters;
        if !std::mem::replace(damaged, true) {
            self.damage.segments += 1;
            counters.damaged_segments.add(1);
        }
        self.damage.records += span.records;
        self.damage.bytes += span.bytes;
        counters.damaged_records.add(span.records);
        counters.damaged_bytes.add(span.bytes);
        if self.damage.spans.len() < MAX_SPANS {
            self.damage.spans.push(span);
        }
    }

    fn unreadable(&mut self, found: &Found, offset: u64, mut damaged: bool, error: &io::Error) {
        let file = found.segment.id.segment();
        let bytes = found.length.saturating_sub(offset);
        self.report(&mut damaged, Span { file, offset, bytes, records: 0, error: Some(error.to_string()) });
    }

    /// A segment was read to its end.
    fn end(&mut self, reading: Reading) {
        let segment = &reading.found.segment;
        if let Some(tail) = reading.tail {
            self.damage.torn_bytes += tail.bytes;
            self.shared.counters.torn_bytes.add(tail.bytes);
            // If it stays, it is reported as damage the next time, which is no harm.
            let cut = self.shared.disk.open(&segment.id.segment()).and_then(|file| file.truncate(reading.whole));
            if cut.is_ok() {
                let less = reading.found.length - reading.whole;
                segment.resize(less, 0);
                self.shared.usage.release(less);
            }
        }
        if segment.scanned() {
            self.shared.remove(segment);
        }
    }
}

impl Iterator for Recovery {
    type Item = Recovered;

    fn next(&mut self) -> Option<Recovered> {
        loop {
            let Some(mut reading) = self.current.take() else {
                let found = self.segments.next()?;
                self.begin(found);
                continue;
            };
            match self.advance(&mut reading) {
                Ok(Some(recovered)) => {
                    self.current = Some(reading);
                    return Some(recovered);
                }
                Ok(None) => self.end(reading),
                Err(error) => self.unreadable(&reading.found, reading.whole, reading.damaged, &error),
            }
        }
    }
}

/// The version of a segment's format, when its header can be read.
pub(crate) fn version(file: &dyn DiskFile, id: crate::format::Id) -> Option<u32> {
    let mut header = [0; crate::format::SEGMENT_HEADER as usize];
    file.read_at(0, &mut header).ok().and_then(|()| id.version(&header))
}
