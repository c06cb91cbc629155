//! The real file system. Files that grow are filled with zeros in the background, since a sync that has to allocate
//! blocks costs about a third of the throughput.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::store::disk::{Disk, Medium};

/// Bytes of zeros per write of the filler.
const STEP: u64 = 256 * 1024;
/// The filler keeps this far ahead of what was written: a file that ends early wastes no more than that.
const AHEAD: u64 = 32 * 1024 * 1024;
/// The filler writes a step only where the file itself wrote none of these blocks.
const BLOCK: u64 = 4096;

/// The file that shows that a directory has an owner; it stays empty.
const LOCK: &str = "lock";

/// A directory of the real file system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Held by the owner of the whole directory.
    _lock: Option<File>,
}

impl Directory {
    /// Makes the directory, readable by its owner only, where it is missing.
    pub fn create(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: None,
        })
    }

    /// The same for this process alone; [`io::ErrorKind::ResourceBusy`] when another one owns it.
    pub fn owned(path: &Path) -> io::Result<Self> {
        let directory = Self::create(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let lock = locked(options.open(path.join(LOCK))?)?;
        Ok(Self {
            _lock: Some(lock),
            ..directory
        })
    }

    /// Opens or makes one file for this process alone.
    pub fn owned_file(path: &Path) -> io::Result<Arc<dyn Medium>> {
        if let Some(parent) = path.parent() {
            Self::create(parent)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = locked(options.open(path)?)?;
        Ok(Arc::new(PlainFile::new(file)?))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn locked(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        std::fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Medium>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = options.open(self.path.join(name))?;
        Ok(Arc::new(PlainFile::new(file)?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Medium>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.open(self.path.join(name))?;
        Ok(Arc::new(PlainFile::new(file)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))?;
        self.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))?;
        self.sync()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// A file with a filler for its holes.
#[derive(Debug)]
struct PlainFile {
    file: File,
    holes: Mutex<Holes>,
}

/// The part of the file that grew since it was opened and which of its blocks were written.
#[derive(Debug, Default)]
struct Holes {
    /// Where the filler stands; everything before needs no filling.
    next: u64,
    /// Size of the file.
    end: u64,
    /// Everything written lies before.
    reached: u64,
    /// One bit per block, set once written.
    written: Vec<u64>,
}

impl PlainFile {
    fn new(file: File) -> io::Result<Self> {
        let end = file.metadata()?.len();
        Ok(Self {
            file,
            holes: Mutex::new(Holes {
                next: end,
                end,
                reached: end,
                written: Vec::new(),
            }),
        })
    }
}

impl Medium for PlainFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.holes.lock().mark(offset, data.len() as u64);
        self.file.write_all_at(data, offset)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        let mut holes = self.holes.lock();
        self.file.set_len(size)?;
        holes.resize(size);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn fill_holes(&self) -> io::Result<bool> {
        // The lock keeps writers out: a block is marked before it is written, so zeros never land on data.
        let mut holes = self.holes.lock();
        let Some((start, length)) = holes.take() else {
            return Ok(false);
        };
        let zeros = vec![0; length as usize];
        self.file.write_all_at(&zeros, start)?;
        drop(holes);
        self.file.sync_data()?;
        Ok(true)
    }
}

impl Holes {
    fn mark(&mut self, offset: u64, length: u64) {
        self.reached = self.reached.max(offset + length);
        if offset + length <= self.next {
            return;
        }
        for block in offset / BLOCK..(offset + length).div_ceil(BLOCK) {
            let (word, bit) = ((block / 64) as usize, block % 64);
            if self.written.len() <= word {
                self.written.resize(word + 1, 0);
            }
            self.written[word] |= 1 << bit;
        }
        self.end = self.end.max(offset + length);
    }

    fn is_written(&self, block: u64) -> bool {
        let word = self.written.get((block / 64) as usize).copied();
        word.unwrap_or(0) & (1 << (block % 64)) != 0
    }

    fn resize(&mut self, size: u64) {
        if size < self.end {
            // What was cut off reads as zeros when the file grows again, and has no blocks then.
            self.next = self.next.min(size);
            self.reached = self.reached.min(size);
            let blocks = size.div_ceil(BLOCK);
            self.written.truncate(blocks.div_ceil(64) as usize);
            if let Some(last) = self.written.get_mut((blocks / 64) as usize) {
                *last &= (1 << (blocks % 64)) - 1;
            }
        }
        self.end = size;
    }

    /// The next run of blocks without data, at most [`STEP`] bytes of it.
    fn take(&mut self) -> Option<(u64, u64)> {
        let last = self.end.min(self.reached + AHEAD) / BLOCK;
        let mut first = self.next.div_ceil(BLOCK);
        while first < last && self.is_written(first) {
            first += 1;
        }
        let mut end = first;
        while end < last && end - first < STEP / BLOCK && !self.is_written(end) {
            end += 1;
        }
        self.next = end * BLOCK;
        (end > first).then(|| (first * BLOCK, (end - first) * BLOCK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(directory: &tempfile::TempDir) -> Arc<dyn Medium> {
        let disk = Directory::create(&directory.path().join("store")).unwrap();
        disk.create("a").unwrap()
    }

    #[test]
    fn filling_holes_leaves_written_blocks_alone_and_ends() {
        let directory = tempfile::tempdir().unwrap();
        let file = fresh(&directory);
        file.set_size(1024 * 1024).unwrap();
        file.write(300 * 1024, b"here").unwrap();
        let mut steps = 0;
        while file.fill_holes().unwrap() {
            steps += 1;
            if steps == 2 {
                file.write(900 * 1024 + 5, b"there").unwrap();
            }
        }
        assert!(steps >= 4);
        let mut found = [0; 4];
        file.read(300 * 1024, &mut found).unwrap();
        assert_eq!(&found, b"here");
        let mut found = [0; 5];
        file.read(900 * 1024 + 5, &mut found).unwrap();
        assert_eq!(&found, b"there");
        assert_eq!(file.size().unwrap(), 1024 * 1024);
    }

    #[test]
    fn a_file_that_was_cut_and_grew_again_is_filled_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = fresh(&directory);
        file.set_size(64 * 1024).unwrap();
        file.write(0, &vec![7; 64 * 1024]).unwrap();
        file.set_size(8 * 1024).unwrap();
        file.set_size(64 * 1024).unwrap();
        assert!(file.fill_holes().unwrap());
        assert!(!file.fill_holes().unwrap());
        let mut found = [1; 8];
        file.read(4 * 1024, &mut found).unwrap();
        assert_eq!(found, [7; 8]);
        file.read(40 * 1024, &mut found).unwrap();
        assert_eq!(found, [0; 8]);
    }

    #[test]
    fn the_filler_stays_near_what_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = fresh(&directory);
        file.set_size(4 * AHEAD).unwrap();
        let mut steps = 0;
        while file.fill_holes().unwrap() {
            steps += 1;
        }
        assert_eq!(steps, AHEAD / STEP);
        file.write(2 * STEP, b"here").unwrap();
        file.write(AHEAD, b"there").unwrap();
        assert!(file.fill_holes().unwrap());
    }

    #[test]
    fn a_second_owner_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Directory::owned(directory.path()).unwrap();
        let second = Directory::owned(directory.path()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
    }
}
