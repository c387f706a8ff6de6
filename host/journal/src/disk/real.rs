//! A folder of the file system.

use super::{Disk, DiskFile};
use crate::failpoint::failpoint;
use std::any::Any;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const LOCK: &str = "journal.lock";

/// A folder of the file system.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at this path, which is made when missing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            fs::create_dir_all(path)?;
            if let Some(parent) = path.canonicalize()?.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(Self { path: path.to_owned() })
    }
}

impl Disk for Folder {
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push((name, metadata.len()));
            }
        }
        Ok(files)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        failpoint("journal.create.before");
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(self.path.join(name))?;
        failpoint("journal.create.after");
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(self.path.join(name))?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        failpoint("journal.unlink.before");
        fs::remove_file(self.path.join(name))?;
        failpoint("journal.unlink.after");
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        failpoint("journal.fsync.before");
        File::open(&self.path)?.sync_all()?;
        failpoint("journal.fsync.after");
        Ok(())
    }
}

impl DiskFile for File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        failpoint("journal.write.before");
        self.write_all_at(bytes, offset)?;
        failpoint("journal.write.after");
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        failpoint("journal.fsync.before");
        self.sync_data()?;
        failpoint("journal.fsync.after");
        Ok(())
    }
}
