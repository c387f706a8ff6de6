//! What can go wrong, and what it means for the caller.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why a journal was not opened. Nothing was changed on disk, but for the folder being made.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The configuration contradicts itself.
    #[error("journal: {0}")]
    Config(&'static str),
    /// Another process, or another journal of this one, has the folder.
    #[error("journal: {} is in use by another process; give each its own folder", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A segment was written by a later version. It is left as it is.
    #[error(
        "journal: {file} has format version {version}, and this program knows up to {known}; drain it with the program that wrote it"
    )]
    Version {
        /// The segment.
        file: String,
        /// Its version.
        version: u32,
        /// The latest version that is known here.
        known: u32,
    },
    /// The folder cannot be made, locked or listed, or the thread for it not be started.
    #[error("journal: cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Why a record was not appended. The caller must not acknowledge it; after a crash it may all the same be given back,
/// when the failure was [`AppendError::Io`].
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// The limit of bytes on disk would be passed. Nothing was written; try again when records are done.
    #[error("journal: full: {bytes} more bytes would pass the limit of {max_bytes} on disk")]
    Full {
        /// Bytes of the record and its headers.
        bytes: u64,
        /// The limit in the configuration.
        max_bytes: u64,
    },
    /// The payload is longer than the configuration allows. Trying again does not help.
    #[error("journal: a record of {bytes} bytes is over max_record_bytes, {max_record_bytes}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: u64,
        /// The limit in the configuration.
        max_record_bytes: u32,
    },
    /// The disk failed. The segment is closed, and the next append begins another.
    #[error("journal: cannot {doing} {file}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The segment.
        file: String,
        /// What the operating system says.
        source: Arc<io::Error>,
    },
    /// The journal is frozen.
    #[error("journal: closed: the process is ending")]
    Closed,
}

/// Why a payload could not be read back.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The disk failed.
    #[error("journal: cannot read {file} at {offset}: {source}")]
    Io {
        /// The segment.
        file: String,
        /// Where the record begins.
        offset: u64,
        /// What the operating system says.
        source: io::Error,
    },
    /// The bytes on disk are not those that were appended.
    #[error("journal: the record in {file} at {offset} is damaged")]
    Damaged {
        /// The segment.
        file: String,
        /// Where the record begins.
        offset: u64,
    },
}
