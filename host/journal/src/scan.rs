//! Reading a segment whose bytes may be anything.
//!
//! A record whose header is damaged has lost its length, so the next header is looked for byte by byte: its magic number,
//! a checksum that covers the salt in the file's name, a sequence number that can be, and an end within the file. A record
//! whose payload is damaged has kept its length, and costs itself only.

use crate::disk::DiskFile;
use crate::format::{Id, RECORD_HEADER, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER};
use crate::segment::most_records;
use std::io;

/// Bytes that are read ahead.
const WINDOW: usize = 64 << 10;

/// Reads the records of a segment.
pub(crate) struct Scanner {
    id: Id,
    file: Box<dyn DiskFile>,
    length: u64,
    /// Where the next header should be.
    offset: u64,
    /// Sequence number that it should have.
    expected: u64,
    window: Vec<u8>,
    window_start: u64,
}

/// What is next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Record {
        offset: u64,
        header: RecordHeader,
    },
    /// Bytes without a record, and how many records are missing there when the next one tells.
    Gap {
        offset: u64,
        bytes: u64,
        records: Option<u64>,
    },
    End,
}

impl Scanner {
    /// Begins to read a segment of this length.
    pub(crate) fn new(id: Id, file: Box<dyn DiskFile>, length: u64) -> Self {
        Self { id, file, length, offset: 0, expected: id.first, window: Vec::new(), window_start: 0 }
    }

    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if self.offset == 0 {
            self.offset = SEGMENT_HEADER.min(self.length);
            let id = self.id;
            if id.version(self.peek(0, SEGMENT_HEADER as usize)?).is_none() {
                return Ok(Step::Gap { offset: 0, bytes: self.offset, records: Some(0) });
            }
        }
        if self.offset >= self.length {
            return Ok(Step::End);
        }
        if let Some(header) = self.header(self.offset)?
            && header.sequence == self.expected
        {
            let offset = self.offset;
            self.offset += header.size();
            self.expected += 1;
            return Ok(Step::Record { offset, header });
        }
        // Either the bytes here are no header, or records are missing before it.
        let start = self.offset;
        let found = self.search()?;
        let records = found.map(|header| header.sequence - self.expected);
        self.expected += records.unwrap_or(0);
        Ok(Step::Gap { offset: start, bytes: self.offset - start, records })
    }

    /// The payload of a record.
    pub(crate) fn payload(&self, offset: u64, header: &RecordHeader) -> io::Result<Vec<u8>> {
        let mut payload = vec![0; header.length as usize];
        let start = offset + RECORD_HEADER;
        match start.checked_sub(self.window_start).and_then(|at| self.window.get(usize::try_from(at).ok()?..)) {
            Some(rest) if rest.len() >= payload.len() => {
                payload.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            }
            _ => self.file.read_at(start, &mut payload)?,
        }
        Ok(payload)
    }

    /// The header at an offset, when it is one that can be.
    fn header(&mut self, offset: u64) -> io::Result<Option<RecordHeader>> {
        let (id, expected, length) = (self.id, self.expected, self.length);
        let limit = id.first.saturating_add(most_records(length));
        let bytes = self.peek(offset, RECORD_HEADER as usize)?;
        Ok(id
            .parse_record(bytes)
            .filter(|header| (expected..limit).contains(&header.sequence) && header.size() <= length - offset))
    }

    /// Goes to the next header at or after where we are, or to the end.
    fn search(&mut self) -> io::Result<Option<RecordHeader>> {
        while self.offset < self.length {
            let here = self.offset;
            let bytes = self.ahead(here)?;
            let length = bytes.len();
            let Some(at) = bytes.windows(RECORD_MAGIC.len()).position(|window| *window == RECORD_MAGIC) else {
                // The last bytes may be the beginning of the magic number.
                let last = here + length as u64 >= self.length;
                self.offset = if last { self.length } else { here + (length - (RECORD_MAGIC.len() - 1)) as u64 };
                continue;
            };
            self.offset = here + at as u64;
            if let Some(header) = self.header(self.offset)? {
                return Ok(Some(header));
            }
            self.offset += 1;
        }
        Ok(None)
    }

    /// As many bytes at an offset, or as there are to the end. At most a record header.
    fn peek(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let bytes = self.ahead(offset)?;
        Ok(bytes.get(..count).unwrap_or(bytes))
    }

    /// Bytes of the file from an offset: at least a record header, unless the file ends.
    fn ahead(&mut self, offset: u64) -> io::Result<&[u8]> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let place = |start: u64| offset.checked_sub(start).and_then(|at| usize::try_from(at).ok());
        let have = place(self.window_start).map_or(0, |at| self.window.len().saturating_sub(at));
        if have < left.min(RECORD_HEADER as usize) {
            self.window.resize(left.min(WINDOW), 0);
            self.window_start = offset;
            if let Err(error) = self.file.read_at(offset, &mut self.window) {
                self.window.clear();
                return Err(error);
            }
        }
        Ok(place(self.window_start).and_then(|at| self.window.get(at..)).unwrap_or_default())
    }
}
