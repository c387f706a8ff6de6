//! One file of records, with the sidecar that says which of them are done.

use crate::disk::Disk;
use crate::format::{Id, MARK, Mark, RECORD_HEADER, SEGMENT_HEADER};
use crate::stats::Counters;
use crate::sync::lock;
use crate::usage::Usage;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Marks that are gathered before they are written: as many records may be given back twice after a crash.
const PENDING: usize = 64;

/// One file of records. In memory it holds counts only, never anything for each record.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) id: Id,
    /// Whether the folder's entry for the file is durable.
    pub(crate) listed: AtomicBool,
    /// Sequence number of the last record that was written, or 0.
    pub(crate) written: AtomicU64,
    /// Sequence number of the last record that is durable, or 0.
    pub(crate) durable: AtomicU64,
    /// Sequence number of the last record that was counted as never durable, or 0.
    pub(crate) forsaken: AtomicU64,
    /// Why an fsync failed. No later one of this segment counts.
    failure: OnceLock<Arc<io::Error>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes of the file and the sidecar, pending marks included.
    stored: u64,
    /// Bytes of the sidecar that are valid. The next marks are written there.
    marks: u64,
    pending: Vec<u8>,
    undone: u64,
    /// Whether a later segment exists: only then may this one go, since the last one keeps the sequence numbers rising.
    succeeded: bool,
    /// Whether all its records are known.
    scanned: bool,
    removed: bool,
}

impl State {
    /// Whether nobody needs the segment. True once.
    fn finished(&mut self) -> bool {
        let finished = self.undone == 0 && self.succeeded && self.scanned && !self.removed;
        self.removed |= finished;
        finished
    }
}

impl Segment {
    /// A segment that begins now.
    pub(crate) fn new(id: Id) -> Self {
        Self::with(id, State { stored: SEGMENT_HEADER, scanned: true, ..State::default() })
    }

    /// A segment that was found, with the lengths of its files.
    pub(crate) fn found(id: Id, file: u64, marks: u64, succeeded: bool) -> Self {
        let state = State { stored: file + marks, marks: marks - marks % MARK, succeeded, ..State::default() };
        Self::with(id, state)
    }

    fn with(id: Id, state: State) -> Self {
        Self {
            id,
            listed: AtomicBool::new(false),
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            forsaken: AtomicU64::new(0),
            failure: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn failure(&self) -> Option<&Arc<io::Error>> {
        self.failure.get()
    }

    pub(crate) fn fail(&self, error: io::Error) {
        // The first failure stays.
        let _ = self.failure.set(Arc::new(error));
    }

    /// Place of a record among those of the segment.
    pub(crate) fn ordinal(&self, sequence: u64) -> u32 {
        u32::try_from(sequence.saturating_sub(self.id.first)).unwrap_or(u32::MAX)
    }

    /// A record of `size` bytes is in the file.
    pub(crate) fn begin(&self, size: u64) {
        let mut state = lock(&self.state);
        state.stored += size;
        state.undone += 1;
    }

    /// A record that was in the file before is owed.
    pub(crate) fn owe(&self) {
        lock(&self.state).undone += 1;
    }

    /// Bytes that were cut off the file, or that a failed write may have left in it.
    pub(crate) fn resize(&self, less: u64, more: u64) {
        let mut state = lock(&self.state);
        state.stored = (state.stored + more).saturating_sub(less);
    }

    /// A later segment has begun. Whether this one can go.
    pub(crate) fn succeed(&self) -> bool {
        let mut state = lock(&self.state);
        state.succeeded = true;
        state.finished()
    }

    /// All records of the segment are known. Whether it can go.
    pub(crate) fn scanned(&self) -> bool {
        let mut state = lock(&self.state);
        state.scanned = true;
        state.finished()
    }

    /// Whether only a successor is missing for the segment to go.
    pub(crate) fn idle(&self) -> bool {
        let state = lock(&self.state);
        state.undone == 0 && state.scanned
    }

    /// Nobody needs a record any more. Whether the segment can go.
    pub(crate) fn finish(&self, ordinal: u32, disk: &dyn Disk, usage: &Usage, counters: &Counters) -> bool {
        let mut state = lock(&self.state);
        state.undone = state.undone.saturating_sub(1);
        if state.finished() {
            usage.release_mark();
            return true;
        }
        if usage.take_reserved_mark() {
            self.push(&mut state, ordinal, Mark::Done, disk, counters);
        } else {
            counters.lost_marks.add(1);
        }
        false
    }

    /// One of those that a record is owed to has it.
    pub(crate) fn mark(&self, ordinal: u32, part: u32, disk: &dyn Disk, usage: &Usage, counters: &Counters) {
        let mut state = lock(&self.state);
        if usage.take_mark() {
            self.push(&mut state, ordinal, Mark::Part(part), disk, counters);
        } else {
            counters.lost_marks.add(1);
        }
    }

    /// Writes the marks that wait.
    pub(crate) fn flush(&self, disk: &dyn Disk, counters: &Counters) {
        self.write_pending(&mut lock(&self.state), disk, counters);
    }

    /// Bytes on disk, for the files that were deleted.
    pub(crate) fn take_stored(&self) -> u64 {
        std::mem::take(&mut lock(&self.state).stored)
    }

    fn push(&self, state: &mut State, ordinal: u32, mark: Mark, disk: &dyn Disk, counters: &Counters) {
        state.stored += MARK;
        state.pending.extend_from_slice(&self.id.mark(ordinal, mark));
        if state.pending.len() >= PENDING * MARK as usize {
            self.write_pending(state, disk, counters);
        }
    }

    fn write_pending(&self, state: &mut State, disk: &dyn Disk, counters: &Counters) {
        if state.pending.is_empty() || state.removed {
            return;
        }
        let name = self.id.marks();
        let file = match disk.open(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(&name),
            opened => opened,
        };
        // A failed write leaves its place to the next one; the bytes it may have taken stay counted.
        let length = state.pending.len() as u64;
        match file.and_then(|file| file.write_at(state.marks, &state.pending)) {
            Ok(()) => state.marks += length,
            Err(_) => counters.lost_marks.add(length / MARK),
        }
        state.pending.clear();
    }
}

/// Most records that a file of this length can hold.
pub(crate) fn most_records(length: u64) -> u64 {
    length / RECORD_HEADER
}

impl Segment {
    /// Counts records up to this one as never durable, once each.
    pub(crate) fn forsake(&self, upto: u64) -> u64 {
        let from = self.forsaken.fetch_max(upto, Ordering::Relaxed).max(self.durable.load(Ordering::Relaxed));
        upto.saturating_sub(from.max(self.id.first.saturating_sub(1)))
    }
}
