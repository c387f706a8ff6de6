//! What a journal holds and what it has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a journal holds now, and what it has counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Segments on disk.
    pub segments: u64,
    /// Bytes on disk, of segments and marks.
    pub bytes: u64,
    /// The limit of them in the configuration.
    pub max_bytes: u64,
    /// Records that an [`crate::Entry`] exists for. What recovery has not reached yet is not among them.
    pub undone_records: u64,
    /// Bytes of their payloads.
    pub undone_bytes: u64,
    /// Records that were appended.
    pub appended_records: u64,
    /// Bytes of their payloads.
    pub appended_bytes: u64,
    /// Records that recovery gave back.
    pub recovered_records: u64,
    /// Records that were refused because the disk limit was reached.
    pub refused_records: u64,
    /// Fsyncs of segments that succeeded. With [`crate::Fsync::Always`], appended records by fsyncs is the size of a group.
    pub fsyncs: u64,
    /// Fsyncs of a segment or the folder that failed.
    pub fsync_errors: u64,
    /// Records that were acknowledged before an fsync of their segment failed, so that they may not survive a power cut.
    /// Always 0 with [`crate::Fsync::Always`].
    pub unsynced_records: u64,
    /// Failures to make a segment or write a record.
    pub write_errors: u64,
    /// Marks that could not be written, for a failure or the disk limit. Each may become a duplicate after a crash.
    pub lost_marks: u64,
    /// Segments that were deleted, all their records being done.
    pub deleted_segments: u64,
    /// Failures to delete a file. It is tried again when the next segment begins.
    pub delete_errors: u64,
    /// Segments with damage.
    pub damaged_segments: u64,
    /// Records that were skipped for damage, at least.
    pub damaged_records: u64,
    /// Bytes that were skipped for damage.
    pub damaged_bytes: u64,
    /// Bytes that were cut off from the end of the last segment: a write that the crash interrupted.
    pub torn_bytes: u64,
    /// Marks that were skipped for damage.
    pub damaged_marks: u64,
}

macro_rules! counters {
    ($($name:ident)*) => {
        /// The counters behind [`Stats`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            /// The counters, with what is not a counter left at 0.
            pub(crate) fn read(&self) -> Stats {
                Stats { $($name: self.$name.get(),)* ..Stats::default() }
            }
        }
    };
}

counters! {
    undone_records undone_bytes appended_records appended_bytes recovered_records refused_records fsyncs fsync_errors
    unsynced_records write_errors lost_marks deleted_segments delete_errors damaged_segments damaged_records
    damaged_bytes torn_bytes damaged_marks
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
