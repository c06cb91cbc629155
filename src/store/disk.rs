//! What the store needs of a file system, as two small traits: the real one, and in tests one that loses what was not synced.

pub mod file;

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// One directory of files, flat.
pub trait Disk: Debug + Send + Sync {
    /// Names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that exists.
    fn open(&self, name: &str) -> io::Result<Arc<dyn Medium>>;

    /// Makes an empty file, replacing one of that name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn Medium>>;

    /// Renames a file; durable on return.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Handles that are open keep working.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// How messages to a person name a file.
    fn path(&self, name: &str) -> PathBuf;
}

/// The bytes of one file. Only what was written before a [`Medium::sync`] that returned is sure to survive a crash.
pub trait Medium: Debug + Send + Sync {
    fn size(&self) -> io::Result<u64>;

    /// Fills `out` from `offset` on; reading past the end is an error.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Cuts the file, or grows it by zeros.
    fn set_size(&self, size: u64) -> io::Result<()>;

    fn sync(&self) -> io::Result<()>;

    /// Gives disk blocks to a bounded part of what the file grew by, ahead of need, without changing what is read; true
    /// when more is left to do. Writes into holes make every sync slower.
    fn fill_holes(&self) -> io::Result<bool> {
        Ok(false)
    }
}
