//! redb's view of a file. Until the file has proved good, writes stay in memory: a damaged file is left as it was found.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use redb::StorageBackend;

use crate::store::disk::Medium;

/// One file under redb.
#[derive(Debug, Clone)]
pub(super) struct Port(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    medium: Arc<dyn Medium>,
    /// What redb changed while it opened the file; `None` once accepted.
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    /// The size redb believes in.
    size: u64,
    /// Bytes of the medium that still show through; shrinking and growing again leaves zeros.
    shown: u64,
    /// In the order they were made.
    writes: Vec<(u64, Vec<u8>)>,
}

impl Port {
    /// A new file, written at once.
    pub(super) fn direct(medium: Arc<dyn Medium>) -> Self {
        Self(Arc::new(Inner {
            medium,
            held: Mutex::new(None),
        }))
    }

    /// A file that is looked at first; [`Self::accept`] lets the writes through.
    pub(super) fn guarded(medium: Arc<dyn Medium>) -> io::Result<Self> {
        let size = medium.size()?;
        Ok(Self(Arc::new(Inner {
            medium,
            held: Mutex::new(Some(Held {
                size,
                shown: size,
                writes: Vec::new(),
            })),
        })))
    }

    /// Makes the changes of the opening real. On error they stay in memory, where reads find them.
    pub(super) fn accept(&self) -> io::Result<()> {
        let mut held = self.0.held.lock();
        if let Some(changes) = &*held {
            changes.make(&*self.0.medium)?;
        }
        *held = None;
        Ok(())
    }
}

impl Held {
    fn read(&self, medium: &dyn Medium, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let shown = self.shown.clamp(offset, end);
        let (below, above) = out.split_at_mut((shown - offset) as usize);
        if !below.is_empty() {
            medium.read(offset, below)?;
        }
        above.fill(0);
        for (start, data) in &self.writes {
            overlay(offset, out, *start, data);
        }
        Ok(())
    }

    fn make(&self, medium: &dyn Medium) -> io::Result<()> {
        if self.shown < medium.size()? {
            medium.set_size(self.shown)?;
        }
        if self.size != medium.size()? {
            medium.set_size(self.size)?;
        }
        for (offset, data) in &self.writes {
            medium.write(*offset, data)?;
        }
        if self.writes.is_empty() {
            return Ok(());
        }
        medium.sync()
    }

    fn resize(&mut self, size: u64) {
        self.shown = self.shown.min(size);
        self.size = size;
        self.writes.retain_mut(|(start, data)| {
            data.truncate(size.saturating_sub(*start) as usize);
            !data.is_empty()
        });
    }
}

/// Copies the part of `data`, which lies at `start`, that falls into `out`, which lies at `offset`.
fn overlay(offset: u64, out: &mut [u8], start: u64, data: &[u8]) {
    let first = start.max(offset);
    let last = (start + data.len() as u64).min(offset + out.len() as u64);
    if first >= last {
        return;
    }
    let from = &data[(first - start) as usize..(last - start) as usize];
    out[(first - offset) as usize..(last - offset) as usize].copy_from_slice(from);
}

impl StorageBackend for Port {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.held.lock() {
            Some(held) => Ok(held.size),
            None => self.0.medium.size(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if let Some(held) = &*self.0.held.lock() {
            return held.read(&*self.0.medium, offset, out);
        }
        self.0.medium.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if let Some(held) = &mut *self.0.held.lock() {
            held.resize(len);
            return Ok(());
        }
        self.0.medium.set_size(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.held.lock().is_some() {
            return Ok(());
        }
        self.0.medium.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Some(held) = &mut *self.0.held.lock() {
            held.writes.push((offset, data.to_vec()));
            return Ok(());
        }
        self.0.medium.write(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::Disk as _;
    use crate::store::disk::file::Directory;

    #[test]
    fn changes_reach_the_file_only_when_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Directory::create(directory.path()).unwrap();
        let file = disk.create("a").unwrap();
        file.write(0, b"0123456789").unwrap();

        let port = Port::guarded(file.clone()).unwrap();
        port.write(2, b"ab").unwrap();
        port.set_len(6).unwrap();
        port.set_len(8).unwrap();
        port.write(3, b"c").unwrap();
        let mut seen = [0; 8];
        port.read(0, &mut seen).unwrap();
        assert_eq!(&seen, b"01ac45\0\0");
        let mut before = [0; 10];
        file.read(0, &mut before).unwrap();
        assert_eq!(&before, b"0123456789");

        port.accept().unwrap();
        let mut after = [0; 8];
        file.read(0, &mut after).unwrap();
        assert_eq!(&after, b"01ac45\0\0");
        assert_eq!(file.size().unwrap(), 8);
    }
}
