//! Where the socket lies. Systems allow only about a hundred bytes for its path, so a deep data directory gets its socket
//! in a private folder elsewhere and a pointer file.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::config::paths::DataDir;

/// Longest path that every supported system takes, in bytes.
const MAX_PATH: usize = 100;

/// The listening socket of the owner; its file goes when this is dropped.
pub struct BoundSocket {
    pub listener: UnixListener,
    files: Vec<PathBuf>,
    folder: Option<PathBuf>,
}

/// Opens the owner's socket for this user only. The caller holds the lock of the directory, so what lies there is stale.
pub fn bind(data: &DataDir) -> io::Result<BoundSocket> {
    let usual = data.socket();
    let pointer = data.socket_pointer();
    remove(&usual)?;
    remove(&pointer)?;
    if usual.as_os_str().as_bytes().len() <= MAX_PATH {
        return Ok(BoundSocket {
            listener: listen(&usual)?,
            files: vec![usual],
            folder: None,
        });
    }
    let folder = private_folder()?;
    let socket = folder.join("owner.sock");
    let listener = listen(&socket)?;
    std::fs::write(&pointer, socket.as_os_str().as_bytes())?;
    Ok(BoundSocket {
        listener,
        files: vec![socket, pointer],
        folder: Some(folder),
    })
}

/// Where the socket of this directory's owner is to be found.
pub fn find(data: &DataDir) -> PathBuf {
    match std::fs::read(data.socket_pointer()) {
        Ok(path) => PathBuf::from(std::ffi::OsStr::from_bytes(&path)),
        Err(_) => data.socket(),
    }
}

/// Whether a file belongs to this user, so that what it says can be believed.
pub fn is_ours(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.uid() == nix::unistd::getuid().as_raw())
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn private_folder() -> io::Result<PathBuf> {
    let base = directories::BaseDirs::new()
        .and_then(|dirs| dirs.runtime_dir().map(Path::to_owned))
        .filter(|dir| dir.is_dir())
        .unwrap_or_else(std::env::temp_dir);
    let mut random = [0; 6];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let number = random
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let folder = base.join(format!("moonport-{number:012x}"));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = remove(file);
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path().join("d".repeat(120))).unwrap();
        std::fs::create_dir_all(data.root()).unwrap();
        (folder, data)
    }

    #[tokio::test]
    async fn a_deep_data_directory_is_reached_through_its_pointer() {
        let (_folder, data) = deep();
        let bound = bind(&data).unwrap();
        let socket = find(&data);
        assert_ne!(socket, data.socket());
        tokio::net::UnixStream::connect(&socket).await.unwrap();
        drop(bound);
        assert!(!socket.exists() && !data.socket_pointer().exists());
    }

    #[tokio::test]
    async fn the_socket_is_for_its_user_only_and_replaces_a_stale_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path()).unwrap();
        std::fs::write(data.socket(), "stale").unwrap();
        let _bound = bind(&data).unwrap();
        let mode = std::fs::metadata(data.socket())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
