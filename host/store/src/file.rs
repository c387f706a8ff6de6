//! The file: opened, locked against other processes, set aside where it is damaged.

use crate::error::StoreError;
use crate::options::{Bounds, PAGE};
use crate::schema;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest that one connection waits for another of this process.
const BUSY: Duration = Duration::from_secs(5);

/// KiB of pages that the connection which writes holds. Most of them are of the index by ids, whose keys come in no order.
const WRITER_CACHE_KIB: i64 = 16 << 10;

/// KiB of pages that a connection which reads holds.
const READER_CACHE_KIB: i64 = 4 << 10;

/// Bytes of memory that a store takes at most, besides what is on its way in and out.
pub const MOST_MEMORY: u64 = ((WRITER_CACHE_KIB + READER_CACHE_KIB * crate::store::IDLE_READERS as i64) as u64) << 10;

/// A path beside that of the database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes sure that this process is the only one with the database; the lock is let go when the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |error| StoreError::Disk { path, error }
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(disk(folder))?;
    }
    let name = beside(path, ".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(disk(&name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(disk(&name)(error)),
    }
}

/// Opens the database for writing, makes it where it is not there, and brings its tables up to date.
pub(crate) fn open_writer(path: &Path, bounds: &Bounds) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    // These two are for a database that has no tables yet; one that has keeps its own.
    connection.pragma_update(None, "page_size", i64::try_from(PAGE).unwrap_or(4096))?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was committed survives the end of the process; the disk is made to hold it when the log goes into the file.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", i64::try_from(bounds.wal / 2 / PAGE).unwrap_or(1000))?;
    connection.pragma_update(None, "journal_size_limit", i64::try_from(bounds.wal / 2).unwrap_or(i64::MAX))?;
    connection.pragma_update(None, "max_page_count", i64::try_from(bounds.pages).unwrap_or(i64::MAX))?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(32);
    schema::migrate(&mut connection, path, schema::MIGRATIONS)?;
    probe(&connection)?;
    Ok(connection)
}

/// Reads a little of each table, so that a file whose pages are not what they should be is found at the start.
fn probe(connection: &Connection) -> Result<(), rusqlite::Error> {
    for question in [
        "SELECT count(*), max(length(body)) FROM (SELECT body FROM spans ORDER BY id LIMIT 16)",
        "SELECT count(*), max(length(body)) FROM (SELECT body FROM spans ORDER BY id DESC LIMIT 16)",
        "SELECT count(*), max(time) FROM (SELECT * FROM calls ORDER BY time DESC LIMIT 16)",
        "SELECT count(*), max(last) FROM (SELECT * FROM envelopes ORDER BY last LIMIT 16)",
    ] {
        connection.query_row(question, [], |_| Ok(()))?;
    }
    Ok(())
}

/// Opens the database for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Renames a damaged database to `<path>.damaged`, with its write-ahead log, in the place of one that was set aside before.
/// So there is one such file at most, and the disk holds twice `max_bytes` at most.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = beside(path, ".damaged");
    let rename = |from: PathBuf, to: PathBuf| match fs::rename(&from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Disk { path: from, error }),
        _ => Ok(()),
    };
    let _ = fs::remove_file(beside(&aside, "-wal"));
    rename(path.to_owned(), aside.clone())?;
    rename(beside(path, "-wal"), beside(&aside, "-wal"))?;
    let _ = fs::remove_file(beside(path, "-shm"));
    Ok(aside)
}

/// Bytes on disk of the database and of its write-ahead log.
pub(crate) fn sizes(path: &Path) -> (u64, u64) {
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    (size(path), size(&beside(path, "-wal")))
}
