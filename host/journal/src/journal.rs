//! The journal.

use crate::config::{Config, Fsync};
use crate::disk::{Disk, Folder};
use crate::entry::Entry;
use crate::error::{AppendError, OpenError};
use crate::format::{Id, VERSION, payload_checksum};
use crate::interval;
use crate::recovery::{self, Found, Recovery};
use crate::segment::{Segment, most_records};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::sync::lock;
use crate::usage::Usage;
use crate::writer::Writer;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// A log of records that are kept until nobody needs them. Clones are handles of the same log.
///
/// The folder stays locked until the last handle, entry and recovery is dropped.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

impl Journal {
    /// Opens the folder, and finds what is owed from before.
    ///
    /// # Errors
    /// [`OpenError`]. Damage is no error: it is reported by [`Recovery::damage`].
    pub fn open(config: Config) -> Result<(Self, Recovery), OpenError> {
        config.check().map_err(OpenError::Config)?;
        let folder = Folder::new(&config.path).map_err(|source| OpenError::Io {
            doing: "make the folder",
            path: config.path.clone(),
            source,
        })?;
        Self::open_on(Box::new(folder), config)
    }

    /// Opens a journal on another disk. `config.path` only names it in errors.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_on(disk: Box<dyn Disk>, config: Config) -> Result<(Self, Recovery), OpenError> {
        config.check().map_err(OpenError::Config)?;
        let path = config.path.clone();
        let held = disk.lock().map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked { path: path.clone() },
            _ => OpenError::Io { doing: "lock", path: path.clone(), source },
        })?;
        let files = disk.list().map_err(|source| OpenError::Io { doing: "list", path, source })?;
        let named = |extension| -> BTreeMap<Id, u64> {
            files.iter().filter_map(|(name, length)| Some((Id::parse(name, extension)?, *length))).collect()
        };
        let (lengths, mut marks) = (named("segment"), named("marks"));
        check_versions(&*disk, lengths.keys())?;

        let mut found = Vec::new();
        for (&id, &length) in &lengths {
            let last = lengths.keys().next_back() == Some(&id);
            let marks = marks.remove(&id).unwrap_or(0);
            found.push(Found { segment: Arc::new(Segment::found(id, length, marks, !last)), length, marks, last });
        }
        // What is left are marks whose segment was deleted before the crash. When they stay, they do no harm.
        for id in marks.keys() {
            let _ = disk.remove(&id.marks());
        }
        let stored = found.iter().map(|found| found.length + found.marks).sum();
        let segments = found.iter().map(|found| (found.segment.id, found.segment.clone())).collect();
        // How many records the last segment holds is not known yet; more than fit cannot be.
        let next = found.last().map_or(1, |last| last.segment.id.first + most_records(last.length) + 1);
        let writer = Writer::new(next, found.last().map(|last| last.segment.clone()));
        let usage = Usage::new(config.max_bytes, stored);
        let shared = Arc::new(Shared::new(config, disk, usage, writer, segments, held));
        if let Fsync::Interval(every) = shared.config.fsync {
            interval::start(&shared, every).map_err(|source| OpenError::Io {
                doing: "start the thread of",
                path: shared.config.path.clone(),
                source,
            })?;
        }
        let recovery = Recovery::new(shared.clone(), found);
        Ok((Self { shared }, recovery))
    }

    /// Appends a record whose payload is these parts one after the other. When it returns, the record will be given back
    /// after a crash, as far as the fsync policy goes, until its entry is dropped.
    ///
    /// It blocks for the write and, with [`Fsync::Always`], for an fsync.
    ///
    /// # Errors
    /// [`AppendError`]: the record must not be acknowledged.
    pub fn append(&self, kind: u8, payload: &[&[u8]]) -> Result<Entry, AppendError> {
        let shared = &self.shared;
        let max_record_bytes = shared.config.max_record_bytes;
        let bytes: usize = payload.iter().map(|part| part.len()).sum();
        let length = u32::try_from(bytes)
            .ok()
            .filter(|&length| length <= max_record_bytes)
            .ok_or(AppendError::TooLarge { bytes: bytes as u64, max_record_bytes })?;
        let checksum = payload_checksum(payload);
        let place = lock(&shared.writer).write(shared, kind, payload, length, checksum)?;
        if shared.config.fsync == Fsync::Always
            && let Err(source) = shared.commit.wait(shared, &place.segment, place.sequence)
        {
            shared.settle(&place.segment, place.sequence);
            return Err(AppendError::Io { doing: "fsync", file: place.segment.id.segment(), source });
        }
        shared.counters.appended_records.add(1);
        shared.counters.appended_bytes.add(length.into());
        Ok(Entry::new(shared.clone(), place.segment, place.offset, place.sequence, length, kind))
    }

    /// Brings to stable storage what was appended until now, and hands the marks that wait to the operating system. With
    /// [`Fsync::Never`] it does only the latter.
    ///
    /// # Errors
    /// An fsync failed: what was appended since the last one may not survive a power cut, whatever a later call answers.
    pub fn sync(&self) -> Result<(), Arc<io::Error>> {
        if !self.shared.frozen() {
            self.flush();
        }
        if self.shared.config.fsync == Fsync::Never { Ok(()) } else { self.shared.commit.sync(&self.shared) }
    }

    /// Hands the marks that wait to the operating system, so that `kill -9` makes no duplicates of what is done. They are
    /// also written when 64 of a segment have gathered, at every interval of [`Fsync::Interval`], and in the end.
    pub fn flush(&self) {
        if !self.shared.frozen() {
            self.shared.flush();
            self.shared.remove_stuck();
        }
    }

    /// Ends the journal in order: refuses appends, makes what was appended durable as [`Journal::sync`] does, and from
    /// then on marks nothing. Entries that are dropped afterwards are still owed when the journal is next opened.
    ///
    /// # Errors
    /// As [`Journal::sync`].
    pub fn freeze(&self) -> Result<(), Arc<io::Error>> {
        lock(&self.shared.writer).close();
        let synced = self.sync();
        self.shared.freeze();
        // Those that came while the fsync ran.
        self.shared.flush();
        synced
    }

    /// What the journal holds now, and what it has counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            segments: self.shared.segment_count(),
            bytes: self.shared.usage.stored(),
            max_bytes: self.shared.config.max_bytes,
            ..self.shared.counters.read()
        }
    }
}

/// Refuses segments of a later version: what they hold would look like damage.
fn check_versions<'i>(disk: &dyn Disk, ids: impl Iterator<Item = &'i Id>) -> Result<(), OpenError> {
    for id in ids {
        let version = disk.open(&id.segment()).ok().and_then(|file| recovery::version(&*file, *id));
        if let Some(version) = version.filter(|&version| version != VERSION) {
            return Err(OpenError::Version { file: id.segment(), version, known: VERSION });
        }
    }
    Ok(())
}
