//! The console's own documents: definitions, trigger state, the saved clock. A few MiB in one redb file, durable per call.

use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use redb::{Builder, Database, ReadableDatabase as _, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::disk::file::Directory;
use crate::store::error::StoreError;
use crate::store::fault::{Fault, fenced};
use crate::store::port::Port;

/// The version of the documents' file. A file with a higher one is refused.
const FORMAT: u64 = 1;
/// redb's cache of this file.
const CACHE: usize = 4 * 1024 * 1024;

/// Kind and key to JSON.
const DOCUMENTS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("documents");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// What a document is about. Keys are unique within a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Instance,
    Function,
    /// A test event kept for a function.
    Sample,
    Trigger,
    /// How a trigger was left: running, paused, stopped.
    TriggerMode,
    /// A failed attempt that waits for the next one.
    TriggerAttempt,
    /// An event that was accepted for a function and is not done with.
    AcceptedEvent,
    /// The saved broker clock.
    Clock,
    /// What is known of an access key, never its secret.
    AccessKey,
}

impl Kind {
    /// The name in the file.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Function => "function",
            Self::Sample => "sample",
            Self::Trigger => "trigger",
            Self::TriggerMode => "trigger-mode",
            Self::TriggerAttempt => "trigger-attempt",
            Self::AcceptedEvent => "accepted-event",
            Self::Clock => "clock",
            Self::AccessKey => "access-key",
        }
    }
}

/// The documents of one data directory. Calls block for a commit, well under a millisecond on a good disk.
pub struct ConsoleStore {
    path: PathBuf,
    /// `None` after a failed write, until the next call opens the file again.
    database: RwLock<Option<Database>>,
}

/// Changes that are made together or not at all.
#[derive(Debug, Default)]
pub struct Edits(Vec<Edit>);

#[derive(Debug)]
struct Edit {
    kind: Kind,
    key: String,
    /// `None` deletes.
    document: Option<Vec<u8>>,
}

impl Edits {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn put(mut self, kind: Kind, key: &str, document: &impl Serialize) -> Self {
        // Definitions are plain structs with text keys; what cannot be written as JSON would be a broken one.
        let written = serde_json::to_vec(document);
        debug_assert!(written.is_ok(), "a document is plain data");
        self.0.push(Edit {
            kind,
            key: key.to_owned(),
            document: Some(written.unwrap_or_default()),
        });
        self
    }

    #[must_use]
    pub fn delete(mut self, kind: Kind, key: &str) -> Self {
        self.0.push(Edit {
            kind,
            key: key.to_owned(),
            document: None,
        });
        self
    }
}

impl ConsoleStore {
    /// Opens the file, making it where it is missing. One that is damaged or newer stays as it is.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            database: RwLock::new(Some(open_file(path)?)),
        })
    }

    pub fn put(&self, kind: Kind, key: &str, document: &impl Serialize) -> Result<(), StoreError> {
        self.apply(&Edits::new().put(kind, key, document))
    }

    /// Deletes a document; one that is missing is fine.
    pub fn delete(&self, kind: Kind, key: &str) -> Result<(), StoreError> {
        self.apply(&Edits::new().delete(kind, key))
    }

    /// Makes all changes at once; durable on return.
    pub fn apply(&self, edits: &Edits) -> Result<(), StoreError> {
        let done = self.with(|database| {
            let transaction = database.begin_write()?;
            write(&transaction, edits)?;
            transaction.commit()?;
            Ok(())
        });
        if done.is_err() {
            // redb takes no more writes after a failure until the file is opened again.
            *self.database.write() = None;
        }
        done
    }

    pub fn get<T: DeserializeOwned>(&self, kind: Kind, key: &str) -> Result<Option<T>, StoreError> {
        let found = self.with(|database| {
            let documents = database.begin_read()?.open_table(DOCUMENTS)?;
            let row = documents.get((kind.as_str(), key))?;
            Ok(row.map(|row| row.value().to_vec()))
        })?;
        found
            .map(|document| self.read(kind, key, &document))
            .transpose()
    }

    /// Documents of a kind whose keys begin with `prefix`, by key.
    pub fn list<T: DeserializeOwned>(
        &self,
        kind: Kind,
        prefix: &str,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let rows = self.with(|database| {
            let documents = database.begin_read()?.open_table(DOCUMENTS)?;
            let mut rows = Vec::new();
            for row in documents.range((kind.as_str(), prefix)..)? {
                let (key, document) = row?;
                let (found, key) = key.value();
                if found != kind.as_str() || !key.starts_with(prefix) {
                    break;
                }
                rows.push((key.to_owned(), document.value().to_vec()));
            }
            Ok(rows)
        })?;
        rows.into_iter()
            .map(|(key, document)| {
                let document = self.read(kind, &key, &document)?;
                Ok((key, document))
            })
            .collect()
    }

    fn read<T: DeserializeOwned>(
        &self,
        kind: Kind,
        key: &str,
        document: &[u8],
    ) -> Result<T, StoreError> {
        serde_json::from_slice(document).map_err(|error| StoreError::Damaged {
            path: self.path.clone(),
            detail: format!("the {} `{key}` cannot be read: {error}", kind.as_str()),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        if self.database.read().is_none() {
            let mut database = self.database.write();
            if database.is_none() {
                *database = Some(open_file(&self.path)?);
            }
        }
        let database = self.database.read();
        let database = database.as_ref().ok_or(StoreError::Closed)?;
        fenced(|| work(database)).map_err(|fault| fault.about(&self.path))
    }
}

fn write(transaction: &WriteTransaction, edits: &Edits) -> Result<(), Fault> {
    let mut documents = transaction.open_table(DOCUMENTS)?;
    for edit in &edits.0 {
        let key = (edit.kind.as_str(), edit.key.as_str());
        match &edit.document {
            Some(document) => documents.insert(key, document.as_slice())?,
            None => documents.remove(key)?,
        };
    }
    Ok(())
}

fn open_file(path: &Path) -> Result<Database, StoreError> {
    let failed = |error| StoreError::from_io("open", path, error);
    let medium = Directory::owned_file(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::ResourceBusy => StoreError::InUse {
            path: path.to_owned(),
        },
        _ => failed(error),
    })?;
    let port = Port::guarded(medium).map_err(failed)?;
    let guard = port.clone();
    let opened = fenced(|| {
        // The file is small, so that every page can be checked.
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(port)?;
        let found = format_of(&database)?;
        Ok((database, found))
    });
    let (database, found) = opened.map_err(|fault| fault.about(path))?;
    if let Some(found) = found.filter(|found| *found > FORMAT) {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known: FORMAT as u32,
        });
    }
    guard.accept().map_err(failed)?;
    if found.is_none() {
        fenced(|| begin(&database)).map_err(|fault| fault.about(path))?;
    }
    Ok(database)
}

fn format_of(database: &Database) -> Result<Option<u64>, Fault> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(meta.get("format")?.map(|row| row.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables of a new file.
fn begin(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

impl std::fmt::Debug for ConsoleStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConsoleStore({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn file(directory: &tempfile::TempDir) -> PathBuf {
        directory.path().join("console.redb")
    }

    #[test]
    fn documents_are_kept_by_kind_and_key_across_openings() {
        let directory = tempfile::tempdir().unwrap();
        let store = ConsoleStore::open(&file(&directory)).unwrap();
        store.put(Kind::Function, "b", &2).unwrap();
        store.put(Kind::Function, "a", &1).unwrap();
        store.put(Kind::Trigger, "a", &"other").unwrap();
        drop(store);

        let store = ConsoleStore::open(&file(&directory)).unwrap();
        let listed: Vec<(String, i32)> = store.list(Kind::Function, "").unwrap();
        assert_eq!(listed, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
        store.delete(Kind::Function, "a").unwrap();
        assert_eq!(store.get::<i32>(Kind::Function, "a").unwrap(), None);
        let other: Option<String> = store.get(Kind::Trigger, "a").unwrap();
        assert_eq!(other.as_deref(), Some("other"));
    }

    #[test]
    fn a_listing_by_prefix_stays_within_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = ConsoleStore::open(&file(&directory)).unwrap();
        let edits = Edits::new()
            .put(Kind::TriggerAttempt, "t1/0001", &1)
            .put(Kind::TriggerAttempt, "t1/0002", &2)
            .put(Kind::TriggerAttempt, "t2/0001", &3)
            .delete(Kind::TriggerAttempt, "t1/0001");
        store.apply(&edits).unwrap();
        let listed: Vec<(String, i32)> = store.list(Kind::TriggerAttempt, "t1/").unwrap();
        assert_eq!(listed, [("t1/0002".to_owned(), 2)]);
    }

    #[test]
    fn a_newer_or_damaged_file_is_refused_and_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(&directory);
        let store = ConsoleStore::open(&path).unwrap();
        store
            .with(|database| {
                let transaction = database.begin_write()?;
                transaction.open_table(META)?.insert("format", FORMAT + 1)?;
                transaction.commit()?;
                Ok(())
            })
            .unwrap();
        drop(store);
        let newer = std::fs::read(&path).unwrap();
        let refused = ConsoleStore::open(&path).err().unwrap();
        assert!(matches!(refused, StoreError::NewerFormat { found: 2, .. }));
        assert_eq!(std::fs::read(&path).unwrap(), newer);

        let mut damaged = newer;
        damaged[4096..8192].fill(0xaa);
        std::fs::write(&path, &damaged).unwrap();
        let refused = ConsoleStore::open(&path).err().unwrap();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
    }

    #[test]
    fn a_second_owner_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let _first = ConsoleStore::open(&file(&directory)).unwrap();
        let second = ConsoleStore::open(&file(&directory)).err().unwrap();
        assert!(matches!(second, StoreError::InUse { .. }));
    }

    #[test]
    fn a_handle_is_shared_between_threads() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(ConsoleStore::open(&file(&directory)).unwrap());
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = store.clone();
                std::thread::spawn(move || {
                    for at in 0..10 {
                        store
                            .put(Kind::Instance, &format!("{writer}-{at}"), &at)
                            .unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        let all: Vec<(String, i32)> = store.list(Kind::Instance, "").unwrap();
        assert_eq!(all.len(), 40);
    }
}
