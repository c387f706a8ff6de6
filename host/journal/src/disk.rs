//! The file operations that the journal needs, all of them, so that a test can fail or crash at each.

mod real;

pub use real::Folder;

use std::any::Any;
use std::io;

/// A folder of files.
pub trait Disk: Send + Sync {
    /// Takes the folder for one process. The lock lasts until the value is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another has it.
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// Names and lengths of all files.
    ///
    /// # Errors
    /// What the operating system says.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// Makes a file that was not there.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or what the operating system says.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to read and write.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the operating system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the operating system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes durable which files there are.
    ///
    /// # Errors
    /// What the operating system says; what was not durable before may never be.
    fn sync_directory(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Writes all bytes at an offset.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills the buffer from an offset.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`], or what the operating system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Cuts the file off.
    ///
    /// # Errors
    /// What the operating system says.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes durable what was written.
    ///
    /// # Errors
    /// What the operating system says; what was not durable before may never be, whatever a later call answers.
    fn sync(&self) -> io::Result<()>;
}
