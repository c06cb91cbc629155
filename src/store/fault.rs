//! What goes wrong inside a redb transaction, before it is told with a path.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::store::error::StoreError;
use crate::store::frame;

/// A failed transaction.
#[derive(Debug)]
pub(super) enum Fault {
    Redb(redb::Error),
    /// The file is readable but does not hold what it should.
    Broken(String),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl From<frame::Fault> for Fault {
    fn from(fault: frame::Fault) -> Self {
        Self::Broken(fault.to_string())
    }
}

/// Runs what touches redb, which trusts a cleanly closed file and may panic over one that was changed from outside.
pub(super) fn fenced<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Broken("its pages contradict each other".to_owned())))
}

impl Fault {
    /// What a caller is told about the file at `path`.
    pub(super) fn about(self, path: &Path) -> StoreError {
        let damaged = |detail: String| StoreError::Damaged {
            path: path.to_owned(),
            detail,
        };
        match self {
            Self::Broken(detail) => damaged(detail),
            Self::Redb(redb::Error::Io(error)) => match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    damaged(error.to_string())
                }
                _ => StoreError::from_io("use", path, error),
            },
            Self::Redb(redb::Error::DatabaseClosed) => StoreError::Closed,
            Self::Redb(redb::Error::DatabaseAlreadyOpen) => StoreError::InUse {
                path: path.to_owned(),
            },
            Self::Redb(redb::Error::PreviousIo) => {
                StoreError::from_io("use", path, io::Error::other("an earlier operation failed"))
            }
            Self::Redb(error) => damaged(error.to_string()),
        }
    }
}
