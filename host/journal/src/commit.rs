//! Group commit: whoever waits and finds no fsync under way does it, for all that wait.

use crate::config::Fsync;
use crate::disk::DiskFile;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::sync::lock;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What is written and not yet durable.
#[derive(Default)]
pub(crate) struct Commit {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Segments with bytes that no fsync has begun for, in the order of their first record.
    dirty: Vec<Dirty>,
    /// Segments that an fsync is under way for.
    syncing: Option<Vec<Arc<Segment>>>,
}

struct Dirty {
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
}

impl Commit {
    /// A record was written into this file.
    pub(crate) fn note(&self, segment: &Arc<Segment>, file: &Arc<dyn DiskFile>) {
        let mut state = lock(&self.state);
        if !state.dirty.iter().any(|dirty| Arc::ptr_eq(&dirty.segment, segment)) {
            state.dirty.push(Dirty { segment: segment.clone(), file: file.clone() });
        }
    }

    /// Waits until a record is durable.
    pub(crate) fn wait(&self, shared: &Shared, segment: &Segment, sequence: u64) -> Result<(), Arc<io::Error>> {
        let mut state = lock(&self.state);
        loop {
            if segment.durable.load(Ordering::Acquire) >= sequence {
                return Ok(());
            }
            if let Some(error) = segment.failure() {
                return Err(error.clone());
            }
            state = self.advance(shared, state);
        }
    }

    /// Brings to stable storage what was written until now.
    pub(crate) fn sync(&self, shared: &Shared) -> Result<(), Arc<io::Error>> {
        let mut state = lock(&self.state);
        let segments: Vec<_> = state.syncing.iter().flatten().chain(state.dirty.iter().map(|d| &d.segment)).collect();
        let targets: Vec<_> =
            segments.into_iter().map(|segment| (segment.clone(), segment.written.load(Ordering::Acquire))).collect();
        for (segment, target) in targets {
            while segment.durable.load(Ordering::Acquire) < target {
                if let Some(error) = segment.failure() {
                    return Err(error.clone());
                }
                state = self.advance(shared, state);
            }
        }
        Ok(())
    }

    /// Waits for the fsync that is under way, or does one.
    fn advance<'c>(&'c self, shared: &Shared, mut state: MutexGuard<'c, State>) -> MutexGuard<'c, State> {
        if state.syncing.is_some() {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = std::mem::take(&mut state.dirty);
        state.syncing = Some(batch.iter().map(|dirty| dirty.segment.clone()).collect());
        drop(state);
        for dirty in &batch {
            dirty.sync(shared);
        }
        let mut state = lock(&self.state);
        state.syncing = None;
        self.changed.notify_all();
        state
    }
}

impl Dirty {
    fn sync(&self, shared: &Shared) {
        let segment = &*self.segment;
        // Before the fsync: what is written while it runs may miss it.
        let target = segment.written.load(Ordering::Acquire);
        if segment.failure().is_none() {
            match self.sync_file(shared) {
                Ok(()) => {
                    shared.counters.fsyncs.add(1);
                    segment.durable.fetch_max(target, Ordering::Release);
                    return;
                }
                Err(error) => {
                    shared.counters.fsync_errors.add(1);
                    segment.fail(error);
                }
            }
        }
        if shared.config.fsync != Fsync::Always {
            shared.counters.unsynced_records.add(segment.forsake(target));
        }
    }

    fn sync_file(&self, shared: &Shared) -> io::Result<()> {
        self.file.sync()?;
        if !self.segment.listed.load(Ordering::Acquire) {
            shared.disk.sync_directory()?;
            self.segment.listed.store(true, Ordering::Release);
        }
        Ok(())
    }
}
