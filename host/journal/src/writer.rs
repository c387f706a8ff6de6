//! Where records are written, one at a time.

use crate::config::Fsync;
use crate::disk::DiskFile;
use crate::error::AppendError;
use crate::format::{Id, RecordHeader, SEGMENT_HEADER};
use crate::segment::Segment;
use crate::shared::Shared;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Records up to this size are written with their header in one operation, from a buffer that is kept.
const GATHERED: usize = 64 << 10;

/// Where records are written.
pub(crate) struct Writer {
    active: Option<Active>,
    /// The last segment there is, when it may still be needed: it goes when the next one begins.
    last: Option<Arc<Segment>>,
    /// Sequence number of the next record.
    next: u64,
    closed: bool,
    buffer: Vec<u8>,
}

struct Active {
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    length: u64,
}

/// Where a record is.
pub(crate) struct Place {
    pub(crate) segment: Arc<Segment>,
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
}

impl Writer {
    pub(crate) fn new(next: u64, last: Option<Arc<Segment>>) -> Self {
        Self { active: None, last, next, closed: false, buffer: Vec::new() }
    }

    /// No record is written from now on.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.active = None;
    }

    /// Writes one record. It is in the file when this returns, not on stable storage.
    pub(crate) fn write(
        &mut self,
        shared: &Shared,
        kind: u8,
        payload: &[&[u8]],
        length: u32,
        checksum: u32,
    ) -> Result<Place, AppendError> {
        if self.closed {
            return Err(AppendError::Closed);
        }
        let header = RecordHeader { length, sequence: self.next, kind, checksum };
        let size = header.size();
        self.make_room(shared, size)?;
        let Some(active) = self.active.as_mut() else { return Err(AppendError::Closed) };
        if !shared.usage.take_record(size) {
            return Err(shared.full(size));
        }
        self.next += 1;
        active.segment.begin(size);
        let encoded = active.segment.id.record_header(&header);
        if let Err(error) = write_parts(&mut self.buffer, &*active.file, active.length, &encoded, payload) {
            shared.counters.write_errors.add(1);
            let Active { segment, file, length } = active;
            if file.truncate(*length).is_ok() {
                shared.usage.release(size);
                segment.resize(size, 0);
            }
            let segment = segment.clone();
            self.active = None;
            shared.settle(&segment, header.sequence);
            return Err(AppendError::Io { doing: "write", file: segment.id.segment(), source: Arc::new(error) });
        }
        let place = Place { segment: active.segment.clone(), offset: active.length, sequence: header.sequence };
        active.length += size;
        active.segment.written.store(header.sequence, Ordering::Release);
        if shared.config.fsync != Fsync::Never {
            shared.commit.note(&active.segment, &active.file);
        }
        Ok(place)
    }

    /// Begins a segment when there is none that the record may go into.
    fn make_room(&mut self, shared: &Shared, size: u64) -> Result<(), AppendError> {
        if let Some(active) = &self.active {
            let length = active.length;
            let full = length > SEGMENT_HEADER && length + size > shared.config.segment_bytes;
            if active.segment.failure().is_none() && !full {
                return Ok(());
            }
        }
        // A last segment that waits only for its successor makes room by going.
        let goes = self.last.as_ref().is_some_and(|last| last.idle());
        if !goes && !shared.usage.fits(SEGMENT_HEADER + size) {
            return Err(shared.full(size));
        }
        self.active = None;
        let id = Id { first: self.next, salt: RandomState::new().hash_one(self.next) };
        let name = id.segment();
        let file = begin(shared, id, &name).map_err(|source| {
            shared.counters.write_errors.add(1);
            AppendError::Io { doing: "begin", file: name, source: Arc::new(source) }
        })?;
        let segment = Arc::new(Segment::new(id));
        shared.usage.take_header();
        shared.register(segment.clone());
        if let Some(last) = self.last.replace(segment.clone())
            && last.succeed()
        {
            shared.remove(&last);
        }
        shared.remove_stuck();
        self.active = Some(Active { segment, file, length: SEGMENT_HEADER });
        Ok(())
    }
}

fn begin(shared: &Shared, id: Id, name: &str) -> io::Result<Arc<dyn DiskFile>> {
    let file = shared.disk.create(name)?;
    if let Err(error) = file.write_at(0, &id.segment_header()) {
        // What stays behind is a segment without records, which the next start removes.
        let _ = shared.disk.remove(name);
        return Err(error);
    }
    Ok(file.into())
}

fn write_parts(
    buffer: &mut Vec<u8>,
    file: &dyn DiskFile,
    mut offset: u64,
    header: &[u8],
    payload: &[&[u8]],
) -> io::Result<()> {
    buffer.clear();
    buffer.extend_from_slice(header);
    for part in payload {
        if buffer.len() + part.len() <= GATHERED {
            buffer.extend_from_slice(part);
            continue;
        }
        file.write_at(offset, buffer)?;
        offset += buffer.len() as u64;
        buffer.clear();
        file.write_at(offset, part)?;
        offset += part.len() as u64;
    }
    if buffer.is_empty() { Ok(()) } else { file.write_at(offset, buffer) }
}
