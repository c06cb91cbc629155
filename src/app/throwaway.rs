//! A directory that goes away with its run.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::app::error::AppError;

/// A private folder, usually under the system's temporary one, removed with all in it when dropped.
#[derive(Debug)]
pub struct Throwaway(PathBuf);

impl Throwaway {
    pub fn new() -> Result<Self, AppError> {
        Self::below(&std::env::temp_dir())
    }

    /// A private folder in `base`, for a run that needs that disk.
    pub fn below(base: &Path) -> Result<Self, AppError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| AppError::NoThrowaway(io::Error::other(error.to_string())))?;
        let name = format!("moonport-{:016x}", u64::from_be_bytes(random));
        let path = base.join(name);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(AppError::NoThrowaway)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a throwaway directory stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_all_that_is_in_it() {
        let throwaway = Throwaway::new().unwrap();
        let path = throwaway.path().to_owned();
        std::fs::create_dir(path.join("a")).unwrap();
        drop(throwaway);
        assert!(!path.exists());
    }
}
