//! What the handles of one journal have in common.

use crate::commit::Commit;
use crate::config::Config;
use crate::disk::Disk;
use crate::error::AppendError;
use crate::format::Id;
use crate::interval::Interval;
use crate::segment::Segment;
use crate::stats::Counters;
use crate::sync::lock;
use crate::usage::Usage;
use crate::writer::Writer;
use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What the handles of one journal have in common.
///
/// Locks are taken in the order writer, segment, usage; that of `commit` alone or inside the writer's; those of the two
/// lists of segments last.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) usage: Usage,
    pub(crate) counters: Counters,
    pub(crate) commit: Commit,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) interval: Interval,
    /// All segments on disk.
    segments: Mutex<BTreeMap<Id, Arc<Segment>>>,
    /// Those of them that could not be deleted.
    stuck: Mutex<Vec<Arc<Segment>>>,
    frozen: AtomicBool,
    /// The last field, so that it is dropped last.
    _lock: Box<dyn Any + Send + Sync>,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        disk: Box<dyn Disk>,
        usage: Usage,
        writer: Writer,
        segments: BTreeMap<Id, Arc<Segment>>,
        held: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self {
            config,
            disk,
            usage,
            counters: Counters::default(),
            commit: Commit::default(),
            writer: Mutex::new(writer),
            interval: Interval::default(),
            segments: Mutex::new(segments),
            stuck: Mutex::default(),
            frozen: AtomicBool::new(false),
            _lock: held,
        }
    }

    pub(crate) fn frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }

    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    pub(crate) fn full(&self, bytes: u64) -> AppendError {
        self.counters.refused_records.add(1);
        AppendError::Full { bytes, max_bytes: self.config.max_bytes }
    }

    pub(crate) fn register(&self, segment: Arc<Segment>) {
        lock(&self.segments).insert(segment.id, segment);
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        lock(&self.segments).values().cloned().collect()
    }

    pub(crate) fn segment_count(&self) -> u64 {
        lock(&self.segments).len() as u64
    }

    /// Nobody needs the record of this number any more.
    pub(crate) fn settle(&self, segment: &Arc<Segment>, sequence: u64) {
        let ordinal = segment.ordinal(sequence);
        if !self.frozen() && segment.finish(ordinal, &*self.disk, &self.usage, &self.counters) {
            self.remove(segment);
        }
    }

    /// Writes the marks that wait.
    pub(crate) fn flush(&self) {
        for segment in self.segments() {
            segment.flush(&*self.disk, &self.counters);
        }
    }

    /// Deletes a segment that nobody needs: the records first, so that marks never miss while records are there.
    pub(crate) fn remove(&self, segment: &Arc<Segment>) {
        let gone = |name: &str| match self.disk.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        if gone(&segment.id.segment()).and_then(|()| gone(&segment.id.marks())).is_err() {
            self.counters.delete_errors.add(1);
            return lock(&self.stuck).push(segment.clone());
        }
        self.counters.deleted_segments.add(1);
        self.usage.release(segment.take_stored());
        lock(&self.segments).remove(&segment.id);
    }

    /// Tries again to delete what could not be deleted.
    pub(crate) fn remove_stuck(&self) {
        for segment in std::mem::take(&mut *lock(&self.stuck)) {
            self.remove(&segment);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.frozen() {
            self.flush();
        }
    }
}
