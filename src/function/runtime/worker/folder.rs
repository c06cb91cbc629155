//! The private folder of an instance: its bootstrap, its `HOME` and `TMPDIR`. Gone with the instance.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::function::runtime::StartError;

const PREFIX: &str = "worker-";

/// A folder only this user can enter.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes `worker-<name>` below `work_dir`.
    pub(super) fn create(work_dir: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(work_dir)?;
        let path = work_dir.join(format!("{PREFIX}{name}"));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a bootstrap under a name no user module has: its own hash is part of it (WK-6).
    pub(super) fn bootstrap(
        &self,
        name: &str,
        extension: &str,
        text: &str,
    ) -> Result<PathBuf, StartError> {
        let hash = crc32fast::hash(text.as_bytes());
        let path = self.0.join(format!("{name}_{hash:08x}.{extension}"));
        match fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(error) => Err(StartError::CannotRun {
                reason: format!("`{}` cannot be written: {error}", path.display()),
                hint: Some("free some space, or give another data directory".to_owned()),
            }),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A function may have left a great deal in it; nobody waits for that to go.
        let path = self.0.clone();
        std::thread::spawn(move || {
            let _ = fs::remove_dir_all(path);
        });
    }
}

/// Removes what an earlier process left when it was killed.
pub(super) fn remove_leftovers(work_dir: &Path) {
    let Ok(entries) = fs::read_dir(work_dir) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
