//! A disk that keeps only what was synced: at a crash, unsynced writes are dropped, torn or kept in any combination.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use moonport::store::disk::{Disk, Medium};
use parking_lot::Mutex;

/// Writes are torn into pieces of this size, any of which may survive.
const SECTOR: usize = 512;

/// A directory in memory with a crash in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeDisk(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    files: HashMap<String, Arc<Mutex<Bytes>>>,
    /// Changes made so far, and how many there may be before the power goes.
    changes: u64,
    last_change: Option<u64>,
    full: bool,
}

/// The bytes of one file.
#[derive(Debug, Default)]
struct Bytes {
    synced: Vec<u8>,
    current: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Size(u64),
}

impl FakeDisk {
    /// A disk whose power goes after this many changes: later ones fail and never happened.
    pub(crate) fn dying_after(changes: u64) -> Self {
        let disk = Self::default();
        disk.0.lock().last_change = Some(changes);
        disk
    }

    /// The power goes now: no change happens any more.
    pub(crate) fn die(&self) {
        self.0.lock().last_change = Some(0);
    }

    /// Writes, size changes, syncs, renames and removals so far.
    pub(crate) fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// No space is left, or there is again.
    pub(crate) fn set_full(&self, full: bool) {
        self.0.lock().full = full;
    }

    /// The disk as it is found after the power went: chance decides about everything that was not synced.
    pub(crate) fn crashed(&self, chance: &mut fastrand::Rng) -> Self {
        let world = self.0.lock();
        let files = world.files.iter().map(|(name, bytes)| {
            let survived = bytes.lock().survivors(chance);
            let bytes = Bytes {
                synced: survived.clone(),
                current: survived,
                pending: Vec::new(),
            };
            (name.clone(), Arc::new(Mutex::new(bytes)))
        });
        Self(Arc::new(Mutex::new(World {
            files: files.collect(),
            ..World::default()
        })))
    }

    /// Begins with the files of another disk.
    pub(crate) fn take_over(&self, other: &Self) {
        let files = other.0.lock().files.clone();
        self.0.lock().files = files;
    }

    fn change(&self) -> io::Result<()> {
        let mut world = self.0.lock();
        if world.last_change.is_some_and(|last| world.changes >= last) {
            return Err(io::Error::other("the power is gone"));
        }
        world.changes += 1;
        Ok(())
    }

    fn file(&self, bytes: Arc<Mutex<Bytes>>) -> Arc<dyn Medium> {
        Arc::new(FakeFile {
            disk: self.clone(),
            bytes,
        })
    }
}

impl Bytes {
    fn apply(target: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write(offset, data) => {
                let (start, end) = (*offset as usize, *offset as usize + data.len());
                if target.len() < end {
                    target.resize(end, 0);
                }
                target[start..end].copy_from_slice(data);
            }
            Change::Size(size) => target.resize(*size as usize, 0),
        }
    }

    fn survivors(&self, chance: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.pending {
            match (chance.u8(0..4), change) {
                (0, _) => {}
                (1, Change::Write(offset, data)) => {
                    for (at, sector) in (*offset..).step_by(SECTOR).zip(data.chunks(SECTOR)) {
                        if chance.bool() {
                            Self::apply(&mut bytes, &Change::Write(at, sector.to_vec()));
                        }
                    }
                }
                (_, change) => Self::apply(&mut bytes, change),
            }
        }
        bytes
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    bytes: Arc<Mutex<Bytes>>,
}

impl FakeFile {
    fn make(&self, change: Change) -> io::Result<()> {
        if self.disk.0.lock().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.disk.change()?;
        let mut bytes = self.bytes.lock();
        Bytes::apply(&mut bytes.current, &change);
        bytes.pending.push(change);
        Ok(())
    }
}

impl Medium for FakeFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock();
        let start = offset as usize;
        let found = bytes.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.make(Change::Write(offset, data.to_vec()))
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.make(Change::Size(size))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.change()?;
        let bytes = &mut *self.bytes.lock();
        bytes.synced.clone_from(&bytes.current);
        bytes.pending.clear();
        Ok(())
    }
}

impl Disk for FakeDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().files.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Medium>> {
        let found = self.0.lock().files.get(name).cloned();
        Ok(self.file(found.ok_or(io::ErrorKind::NotFound)?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Medium>> {
        self.change()?;
        let bytes = Arc::new(Mutex::default());
        let mut world = self.0.lock();
        world.files.insert(name.to_owned(), Arc::clone(&bytes));
        drop(world);
        Ok(self.file(bytes))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change()?;
        let mut world = self.0.lock();
        let file = world.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change()?;
        let gone = self.0.lock().files.remove(name);
        gone.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/fake").join(name)
    }
}
