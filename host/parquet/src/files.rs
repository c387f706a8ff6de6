//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The folder of what is not whole yet. Engines pass over names that begin with `_`, and its files do not end in
/// `.parquet`.
pub(crate) const TEMPORARY: &str = "_temporary";
/// What a crash left is removed at this age: another process may be writing to the same folder.
const LEFT_BEHIND: Duration = Duration::from_secs(3_600);

/// A file that is on the disk under a name that nobody reads. It is removed where it is not [put in its place](Self::place).
#[derive(Debug)]
pub(crate) struct Finished {
    temporary: PathBuf,
    is_placed: bool,
}

impl Finished {
    /// Writes a file and flushes it to the disk.
    pub(crate) fn write(temporary: PathBuf, bytes: &[u8]) -> io::Result<Self> {
        let finished = Self { temporary, is_placed: false };
        let mut file = File::create(&finished.temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(finished)
    }

    /// Puts the file where readers find it, in the place of one of the same name. The folder is to be [flushed](sync)
    /// after that.
    pub(crate) fn place(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.temporary, path)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        if !self.is_placed {
            // What cannot be removed now is removed when the folder is opened again.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Makes a folder below `root` that lasts: with each folder that is new, the one above it is flushed.
pub(crate) fn make(root: &Path, folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = folder;
    while !at.is_dir() {
        missing.push(at);
        match at.parent() {
            Some(above) if at != root => at = above,
            _ => break,
        }
    }
    fs::create_dir_all(folder)?;
    for new in missing {
        if let Some(above) = new.parent().filter(|above| !above.as_os_str().is_empty()) {
            sync(above)?;
        }
    }
    Ok(())
}

/// Flushes a folder: a rename is on the disk when its folder is.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes what a crash left in the folder of what is not whole.
pub(crate) fn clean(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let age = |modified: SystemTime| modified.elapsed().unwrap_or_default();
        if entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| age(at) > LEFT_BEHIND) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
