//! What can go wrong, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the file open.
    #[error("{path}: another process uses this store; stop it, or give this one another path")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The file is a database, and not one of ours.
    #[error("{path}: is a database of another program (application id {found}); give the store another path")]
    Foreign {
        /// The database.
        path: PathBuf,
        /// What it says it is.
        found: i64,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "{path}: has schema version {found}, and this program knows versions up to {known}; run the newer program, or \
         move the file away to begin a new one"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The last version that is known here.
        known: i64,
    },
    /// The file is damaged. It is set aside at the next insert.
    #[error("the store is damaged, and is begun anew: {0}")]
    Damaged(#[source] rusqlite::Error),
    /// A question took longer than it may.
    #[error("the question was given up after {0:?}; ask for a shorter time or for less")]
    TooSlow(Duration),
    /// A question is about more calls than can be ranked in memory.
    #[error("the question is about more than {0} calls; ask for a shorter time")]
    TooMany(usize),
    /// There is no room on the disk, or the database is full although all has been removed.
    #[error("there is no room for the store: {0}")]
    Full(#[source] rusqlite::Error),
    /// The disk does not do what it was asked.
    #[error("{path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Anything else that SQLite says.
    #[error("the store: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// What was given is no request of OTLP; it cannot be stored, ever.
    #[error("the request cannot be stored: {0}")]
    Malformed(#[from] tollgate_otlp::ScanError),
    /// An attribute that calls are read of cannot be read.
    #[error(transparent)]
    Reads(#[from] tollgate_otlp::ReadsError),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error),
            Some(DiskFull) => Self::Full(error),
            _ => Self::Sqlite(error),
        }
    }
}
