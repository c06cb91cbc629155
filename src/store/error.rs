//! What can go wrong with files, by what a person can do about it. Cloneable, since one failed commit answers many callers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::report::Hint;

/// Why the store cannot do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("the disk is full under `{}`", path.display())]
    Full { path: PathBuf },
    #[error("cannot write in `{}`", path.display())]
    NotWritable {
        path: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// A verb: `read`, `write`, `open`.
        action: &'static str,
        path: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("`{}` is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("`{}` has format {found}, this version knows formats up to {known}", path.display())]
    NewerFormat {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error("`{}` is in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Tells a failure of the file system apart: full, not permitted, or anything else.
    pub fn from_io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable {
                    path,
                    source: Arc::new(source),
                }
            }
            _ => Self::Io {
                action,
                path,
                source: Arc::new(source),
            },
        }
    }
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Full { .. } => {
                "free some space or shorten the retention; what was acknowledged is safe"
            }
            Self::NotWritable { .. } => {
                "check the owner and the permissions of the directory, or choose another with --data-dir"
            }
            Self::Io { .. } => "check the disk; what was acknowledged before is not touched",
            Self::Damaged { .. } => {
                "nothing was changed; restore the directory from a copy, or move it away to start afresh"
            }
            Self::NewerFormat { .. } => {
                "use the version of moonport that wrote it; nothing was changed"
            }
            Self::InUse { .. } => {
                "another moonport owns this directory; use its console, or stop it first"
            }
            Self::Closed => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_missing_permission_are_told_apart_from_other_failures() {
        let path = Path::new("/data");
        let of = |kind: io::ErrorKind| StoreError::from_io("write", path, kind.into());
        assert!(matches!(
            of(io::ErrorKind::StorageFull),
            StoreError::Full { .. }
        ));
        assert!(matches!(
            of(io::ErrorKind::PermissionDenied),
            StoreError::NotWritable { .. }
        ));
        assert!(matches!(
            of(io::ErrorKind::UnexpectedEof),
            StoreError::Io { .. }
        ));
    }
}
