//! `log:`, where what was accepted is kept until every output has it.

use super::section::Section;
use super::units;
use std::path::PathBuf;
use std::time::Duration;

/// Where what was accepted is kept until every output has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// On disk, or in memory only.
    pub storage: Storage,
    /// The folder.
    pub path: PathBuf,
    /// Most bytes on disk; what comes after is refused with a retryable status.
    pub max_bytes: u64,
    /// Size at which a file is closed and the next one begun.
    pub segment_bytes: u64,
    /// When the disk is made to hold what was written.
    pub fsync: Fsync,
}

/// Where the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In files. What was accepted survives the process.
    Disk,
    /// Nowhere: what was accepted lives in memory until it is delivered, and is lost with the process.
    Memory,
}

/// When the disk is made to hold what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before each acknowledgement: what was accepted survives a power cut.
    Always,
    /// Every so often: a power cut may cost as much as that; the end of the process costs nothing.
    Interval(Duration),
    /// When the system does.
    Never,
}

impl Log {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut log = Self {
            storage: Storage::Disk,
            path: PathBuf::from("tollgate-log"),
            max_bytes: 4 << 30,
            segment_bytes: 64 << 20,
            fsync: Fsync::Always,
        };
        if let Some(mut section) = root.section("log") {
            let words = [("disk", Storage::Disk), ("memory", Storage::Memory)];
            log.storage = section.word("storage", log.storage, &words);
            if let Some(path) = section.text("path") {
                log.path = PathBuf::from(path);
            }
            log.max_bytes = section.size("max_bytes", log.max_bytes, (1 << 20)..=(1 << 50));
            let segment_bytes = log.segment_bytes.min(log.max_bytes / 4);
            log.segment_bytes = section.size("segment_bytes", segment_bytes, (64 << 10)..=(1 << 30));
            if log.segment_bytes > log.max_bytes / 2 {
                section.problem("segment_bytes", "is more than half of max_bytes; only whole files are freed");
            }
            log.fsync = fsync(&mut section).unwrap_or(log.fsync);
            section.finish();
        }
        log
    }
}

fn fsync(section: &mut Section<'_>) -> Option<Fsync> {
    let text = section.text("fsync")?;
    let range = Duration::from_millis(1)..=Duration::from_secs(60);
    match (text.as_str(), units::duration(&text)) {
        ("always", _) => Some(Fsync::Always),
        ("never", _) => Some(Fsync::Never),
        (_, Some(interval)) if range.contains(&interval) => Some(Fsync::Interval(interval)),
        _ => {
            section.problem("fsync", format!("{text:?} is not always, never, or a duration from 1ms to 60s"));
            None
        }
    }
}
