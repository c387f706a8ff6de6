//! Files set aside: `<path>.1` is the newest, `<path>.2` the one before it, and so on, compressed where wanted.

use super::compress;
use crate::config::Compression;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The ends of names that a file set aside may have: the compression may have been configured anew.
const SUFFIXES: [&str; 3] = ["", ".gz", ".zst"];

/// Moves `path` out of the way, so that it can be begun anew, and keeps at most `max_files`. The file is written out to
/// the disk by its caller before. Where `path` is not there, it has been set aside already.
///
/// # Errors
/// A file cannot be renamed or removed.
pub(super) fn set_aside(path: &Path, max_files: usize) -> io::Result<()> {
    if !path.try_exists()? {
        return Ok(());
    }
    if max_files == 0 {
        return fs::remove_file(path);
    }
    for suffix in SUFFIXES {
        if_there(fs::remove_file(numbered(path, max_files, suffix)))?;
    }
    for number in (1..max_files).rev() {
        for suffix in SUFFIXES {
            if_there(fs::rename(numbered(path, number, suffix), numbered(path, number + 1, suffix)))?;
        }
    }
    fs::rename(path, numbered(path, 1, ""))?;
    // A rename is on the disk when the folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Compresses the file set aside last. It is replaced when its replacement is whole and on the disk.
///
/// # Errors
/// A file cannot be read or written; the one that is there stays.
pub(super) fn compress(path: &Path, compression: Compression) -> io::Result<()> {
    let plain = numbered(path, 1, "");
    if compression == Compression::None || !plain.try_exists()? {
        return Ok(());
    }
    let packed = numbered(path, 1, compress::suffix(compression));
    let beside = numbered(path, 1, ".new");
    let mut written = compress::copy(compression, &mut File::open(&plain)?, File::create(&beside)?)?;
    written.flush()?;
    written.sync_all()?;
    fs::rename(&beside, &packed)?;
    fs::remove_file(&plain)
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn numbered(path: &Path, number: usize, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}{suffix}"));
    PathBuf::from(name)
}
