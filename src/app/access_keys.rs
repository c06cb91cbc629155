//! Access keys: who may come in through the endpoints. Secrets stay in one file that only the owner can read.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::app::endpoint::KeyTable;
use crate::cluster::session::Grant;
use crate::config::paths::DataDir;
use crate::control::Reply;
use crate::control::error::ControlError;
use crate::control::instances::{AccessKeyRow, PutAccessKey, fingerprint};

/// The keys of a data directory and the table that open endpoints look into.
pub struct Keyring {
    folder: PathBuf,
    keys: Mutex<BTreeMap<String, Kept>>,
    /// In force at every endpoint as soon as it changes.
    pub table: KeyTable,
}

/// What the file holds of a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    pub secret: String,
    pub grants: Vec<Grant>,
}

impl Keyring {
    /// Reads the file; none is an empty ring.
    pub fn open(data: &DataDir) -> io::Result<Self> {
        let folder = data.keys();
        let keys = match std::fs::read(folder.join(FILE)) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let table = KeyTable::default();
        table.replace(&keys);
        Ok(Self {
            folder,
            keys: Mutex::new(keys),
            table,
        })
    }

    pub fn rows(&self) -> Vec<AccessKeyRow> {
        let keys = self.keys.lock();
        let row = |(key, kept): (&String, &Kept)| AccessKeyRow {
            key: key.clone(),
            grants: kept.grants.clone(),
            fingerprint: fingerprint(&kept.secret),
            secret: None,
        };
        keys.iter().map(row).collect()
    }

    /// Makes or changes a key. A key that is there keeps its secret unless another is given; a fresh one is told once.
    pub fn put(&self, request: PutAccessKey) -> Reply<AccessKeyRow> {
        let mut keys = self.keys.lock();
        let key = match request.key {
            Some(key) => key,
            None => random_text(15)?,
        };
        let known = keys.get(&key).map(|kept| kept.secret.clone());
        let fresh = match (&request.secret, &known) {
            (None, None) => Some(random_text(30)?),
            _ => None,
        };
        let secret = request
            .secret
            .or(known)
            .or(fresh.clone())
            .unwrap_or_default();
        let (grants, fingerprint) = (request.grants, fingerprint(&secret));
        let mut changed = keys.clone();
        let kept = Kept {
            secret,
            grants: grants.clone(),
        };
        changed.insert(key.clone(), kept);
        self.write(&mut keys, changed)?;
        Ok(AccessKeyRow {
            key,
            grants,
            fingerprint,
            secret: fresh,
        })
    }

    pub fn delete(&self, key: &str) -> Reply<()> {
        let mut keys = self.keys.lock();
        let mut changed = keys.clone();
        if changed.remove(key).is_none() {
            return Err(ControlError::AccessKeyNotFound(key.to_owned()));
        }
        self.write(&mut keys, changed)
    }

    /// The file first, then what is in force.
    fn write(
        &self,
        keys: &mut BTreeMap<String, Kept>,
        changed: BTreeMap<String, Kept>,
    ) -> Reply<()> {
        self.save(&changed)
            .map_err(|error| ControlError::StoreFailed(error.to_string()))?;
        self.table.replace(&changed);
        *keys = changed;
        Ok(())
    }

    fn save(&self, keys: &BTreeMap<String, Kept>) -> io::Result<()> {
        let mut folder = DirBuilder::new();
        folder.recursive(true).mode(0o700).create(&self.folder)?;
        let beside = self.folder.join(format!("{FILE}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec(keys)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, self.folder.join(FILE))
    }
}

const FILE: &str = "access-keys.json";

fn random_text(bytes: usize) -> Reply<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| ControlError::StoreFailed(format!("no random bytes: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_told_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path()).unwrap();
        let ring = Keyring::open(&data).unwrap();
        let request = PutAccessKey {
            key: Some("k".to_owned()),
            secret: None,
            grants: Vec::new(),
        };
        let made = ring.put(request.clone()).unwrap();
        assert!(made.secret.is_some_and(|secret| secret.len() >= 32));
        assert_eq!(ring.put(request).unwrap().secret, None);
        let again = Keyring::open(&data).unwrap();
        assert_eq!(again.rows(), ring.rows());
        let file = std::fs::metadata(data.keys().join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert!(again.delete("k").is_ok() && again.delete("k").is_err());
    }
}
