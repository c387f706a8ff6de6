//! What a journal is told when it is opened.

use crate::format::{MARK, RECORD_HEADER, SEGMENT_HEADER};
use std::path::PathBuf;
use std::time::Duration;

/// When what was appended is brought to stable storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before `append` returns; one fsync serves all that wait for it.
    Always,
    /// Every so often, by a thread of the journal.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// Where the journal is and what it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder; made when missing. It belongs to the journal and to one process at a time.
    pub path: PathBuf,
    /// Most bytes on disk, of segments and marks together. What does not fit is refused.
    pub max_bytes: u64,
    /// Bytes after which a segment is closed and the next begun. A longer record has a segment to itself.
    pub segment_bytes: u64,
    /// When records are brought to stable storage.
    pub fsync: Fsync,
    /// Most bytes of a payload. Longer records that are on disk already are still given back.
    pub max_record_bytes: u32,
}

impl Config {
    /// Segments of 64 MiB, 1 GiB in all, records of up to 16 MiB, fsync before every acknowledgement.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: 1 << 30,
            segment_bytes: 64 << 20,
            fsync: Fsync::Always,
            max_record_bytes: 16 << 20,
        }
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        // The header of the segment, the header of the one that follows, the record, and the mark that ends it.
        let least = 2 * SEGMENT_HEADER + RECORD_HEADER + u64::from(self.max_record_bytes) + MARK;
        if self.max_record_bytes == 0 {
            return Err("max_record_bytes must be more than 0");
        }
        if self.max_bytes < least {
            return Err("max_bytes must be at least max_record_bytes and 76 bytes more");
        }
        if self.segment_bytes == 0 || self.segment_bytes > u64::from(u32::MAX) {
            return Err("segment_bytes must be between 1 and 4294967295");
        }
        if self.fsync == Fsync::Interval(Duration::ZERO) {
            return Err("the interval of fsync must be more than 0; use Always to wait for every fsync");
        }
        Ok(())
    }
}
