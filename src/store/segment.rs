//! One segment of a journal: a redb file with a stretch of the log, the indexes of that stretch, and at its head a
//! checkpoint of everything before.

mod rows;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase as _, TableDefinition,
    WriteTransaction,
};

use crate::store::disk::{Disk, Medium};
use crate::store::error::StoreError;
use crate::store::fault::{self, Fault};
use crate::store::port::Port;

pub(super) use crate::store::segment::rows::{LogReader, append, cut};

/// Pieces of commits: the key is the sequence and the byte offset of the piece in its commit.
pub(super) const LOG: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("log");
/// Packed runs about single messages: run, subject, number.
pub(super) const LIVES: TableDefinition<'_, (u32, u64, u64), &[u8]> = TableDefinition::new("lives");
/// Packed runs of ids and keys: run, hash.
pub(super) const NAMES: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("names");
/// What each run covers.
pub(super) const RUNS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("runs");
/// The few rows there is one of.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Suffix of a segment file that is being made.
const UNFINISHED: &str = ".new";
const SUFFIX: &str = ".redb";
const PREFIX: &str = "segment-";

/// The name of the segment whose first commit is `first`.
pub(super) fn name(first: u64) -> String {
    format!("{PREFIX}{first:020}{SUFFIX}")
}

/// The first commit of the segment file of that name.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    digits.parse().ok()
}

/// True for a file that a crash left half made.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(UNFINISHED)
}

/// How a segment is open.
enum Store {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
    /// Opened, but the disk did not take what the opening writes: good for reading only.
    Stuck(Database),
    Shut,
}

/// One segment file. Reads may come from any thread, commits from one at a time.
pub(super) struct Segment {
    /// Sequence of its first commit.
    pub first: u64,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    store: RwLock<Store>,
    /// The file of a writable segment, for filling its holes.
    medium: RwLock<Option<Arc<dyn Medium>>>,
}

impl Segment {
    /// Makes the segment that begins with commit `first`; `head` writes what it opens with. Durable on return.
    pub(super) fn create(
        disk: &Arc<dyn Disk>,
        first: u64,
        cache: usize,
        head: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
    ) -> Result<Self, StoreError> {
        let (name, draft) = (name(first), format!("{}{UNFINISHED}", name(first)));
        let failed = |error| StoreError::from_io("create", &disk.path(&name), error);
        let medium = disk.create(&draft).map_err(failed)?;
        let port = Port::direct(medium.clone());
        let segment = Self::closed(disk, first);
        let database = segment.fenced(|| {
            Ok(Builder::new()
                .set_cache_size(cache)
                .create_with_backend(port)?)
        })?;
        *segment.store.write() = Store::Writable(database);
        *segment.medium.write() = Some(medium);
        segment.commit(false, |transaction| {
            transaction.open_table(LOG)?;
            transaction.open_table(LIVES)?;
            transaction.open_table(NAMES)?;
            transaction.open_table(RUNS)?;
            head(transaction)
        })?;
        disk.rename(&draft, &name).map_err(failed)?;
        Ok(segment)
    }

    /// A segment that is not open yet; the first look at it opens it for reading.
    pub(super) fn closed(disk: &Arc<dyn Disk>, first: u64) -> Self {
        Self {
            first,
            path: disk.path(&name(first)),
            disk: disk.clone(),
            store: RwLock::new(Store::Shut),
            medium: RwLock::new(None),
        }
    }

    /// Opens the file for reading and writing, repairing it after a crash. A file that cannot be opened stays as it is.
    pub(super) fn open_writable(&self, cache: usize) -> Result<(), StoreError> {
        let mut store = self.store.write();
        *store = Store::Shut;
        let failed = |error| StoreError::from_io("open", &self.path, error);
        let medium = self.disk.open(&name(self.first)).map_err(failed)?;
        let port = Port::guarded(medium.clone()).map_err(failed)?;
        let guard = port.clone();
        let database = self.fenced(|| {
            if medium.size().map_err(redb::Error::Io)? == 0 {
                return Err(Fault::Broken("the file is empty".to_owned()));
            }
            Ok(Builder::new()
                .set_cache_size(cache)
                .create_with_backend(port)?)
        })?;
        if let Err(error) = guard.accept() {
            *store = Store::Stuck(database);
            return Err(failed(error));
        }
        *store = Store::Writable(database);
        *self.medium.write() = Some(medium);
        Ok(())
    }

    /// Opens the file for reading unless it is open; one that a crash left unclean is repaired first.
    pub(super) fn open_readable(&self, cache: usize) -> Result<(), StoreError> {
        if !matches!(*self.store.read(), Store::Shut) {
            return Ok(());
        }
        let opened = self.read_only(cache);
        if matches!(&opened, Err(Fault::Redb(redb::Error::RepairAborted))) {
            if let Err(error) = self.open_writable(cache) {
                // A repair that finds no room stays in memory, where reads find it.
                let stuck = matches!(*self.store.read(), Store::Stuck(_));
                return if stuck { Ok(()) } else { Err(error) };
            }
            self.shut();
            let again = self.read_only(cache).map_err(|fault| self.error(fault))?;
            *self.store.write() = Store::ReadOnly(again);
            return Ok(());
        }
        let database = opened.map_err(|fault| self.error(fault))?;
        *self.store.write() = Store::ReadOnly(database);
        Ok(())
    }

    fn read_only(&self, cache: usize) -> Result<ReadOnlyDatabase, Fault> {
        let medium = self.disk.open(&name(self.first)).map_err(redb::Error::Io)?;
        let port = Port::direct(medium);
        let open = || {
            Ok(Builder::new()
                .set_cache_size(cache)
                .open_read_only_with_backend(port)?)
        };
        fault::fenced(open)
    }

    /// Closes the file; readers of this moment finish first.
    pub(super) fn shut(&self) {
        *self.store.write() = Store::Shut;
        *self.medium.write() = None;
    }

    /// A reading transaction; keep it short, since it holds pages.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        let store = self.store.read();
        self.fenced(|| match &*store {
            Store::Writable(database) | Store::Stuck(database) => Ok(database.begin_read()?),
            Store::ReadOnly(database) => Ok(database.begin_read()?),
            Store::Shut => Err(redb::Error::DatabaseClosed.into()),
        })
    }

    /// Reads in a transaction of its own.
    pub(super) fn view<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let transaction = self.begin_read()?;
        self.fenced(|| look(&transaction))
    }

    /// Writes in one transaction and syncs. `quick` also records what makes the next opening fast after a crash.
    pub(super) fn commit<T>(
        &self,
        quick: bool,
        write: impl FnOnce(&WriteTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let store = self.store.read();
        self.fenced(|| {
            let Store::Writable(database) = &*store else {
                return Err(redb::Error::DatabaseClosed.into());
            };
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(quick);
            let done = write(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// Fills some holes of a writable file; true when more are left.
    pub(super) fn fill_holes(&self) -> bool {
        let medium = self.medium.read().clone();
        // Filling is a favour: when it fails, the writes themselves will tell.
        medium.is_some_and(|medium| medium.fill_holes().unwrap_or(false))
    }

    /// Bytes the file occupies; zero when it is gone.
    pub(super) fn file_bytes(&self) -> u64 {
        let known = self.medium.read().clone();
        let size = match known {
            Some(medium) => medium.size().ok(),
            None => std::fs::metadata(&self.path).ok().map(|data| data.len()),
        };
        size.unwrap_or(0)
    }

    /// Runs what touches redb and tells what went wrong with this segment's path.
    pub(super) fn fenced<T>(
        &self,
        work: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        fault::fenced(work).map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> StoreError {
        fault.about(&self.path)
    }
}
