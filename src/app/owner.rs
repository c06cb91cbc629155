//! One process owns a data directory: it holds a lock with its process id. The others find it and talk to it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::Duration;

use crate::app::error::AppError;
use crate::app::socket::client::{Client, ConnectError};
use crate::app::socket::place;
use crate::clock::RealClock;
use crate::config::paths::DataDir;

/// Real time an owner gets to open its socket, or to let go of the lock while it stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// Real time between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The lock of a data directory, held until dropped. The system takes it back when the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// How this process may work on a data directory.
pub enum Access {
    /// Nobody else is there: it owns the directory now.
    Owner(DataLock),
    /// Through the process that owns it.
    Beside(Client),
}

/// Takes the directory, or connects to its owner.
pub async fn reach(data: &DataDir, real: &RealClock) -> Result<Access, AppError> {
    let deadline = real.now() + PATIENCE;
    loop {
        if let Some(lock) = try_lock(data)? {
            return Ok(Access::Owner(lock));
        }
        let source = match connect(data).await {
            Ok(client) => return Ok(Access::Beside(client)),
            Err(error) => error,
        };
        let may_pass = matches!(source, ConnectError::Silent(_));
        if !may_pass || real.now() >= deadline {
            return Err(AppError::OwnerUnreachable {
                path: data.root().to_owned(),
                pid: owner_pid(data),
                source,
            });
        }
        real.sleep(PAUSE).await;
    }
}

/// Takes the directory; fails where somebody owns it.
pub fn take(data: &DataDir) -> Result<DataLock, AppError> {
    try_lock(data)?.ok_or_else(|| AppError::Owned {
        path: data.root().to_owned(),
        pid: owner_pid(data),
    })
}

async fn connect(data: &DataDir) -> Result<Client, ConnectError> {
    let path = place::find(data);
    if path.exists() && !place::is_ours(&path) {
        let problem = format!("`{}` belongs to another user", path.display());
        return Err(ConnectError::Refused(problem));
    }
    Client::connect(&path).await
}

/// `None` when another process holds the lock.
fn try_lock(data: &DataDir) -> Result<Option<DataLock>, AppError> {
    let unusable = |source| AppError::DirectoryUnusable {
        path: data.root().to_owned(),
        source,
    };
    let mut folder = DirBuilder::new();
    folder.recursive(true).mode(0o700);
    folder.create(data.root()).map_err(unusable)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options
        .mode(0o600)
        .open(data.lock_file())
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    write_pid(&mut file).map_err(unusable)?;
    Ok(Some(DataLock { _file: file }))
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// What the lock file says of its holder; `unknown` in the moment before it is written.
fn owner_pid(data: &DataDir) -> String {
    let mut text = String::new();
    let read =
        File::open(data.lock_file()).and_then(|file| file.take(20).read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), pid) if !pid.is_empty() => pid.to_owned(),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_at_a_time_and_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path().join("deep/er")).unwrap();
        let lock = take(&data).unwrap();
        let pid = std::process::id().to_string();
        assert!(matches!(take(&data), Err(AppError::Owned { pid: p, .. }) if p == pid));
        drop(lock);
        take(&data).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        let data = DataDir::new(&path).unwrap();
        assert!(matches!(
            take(&data),
            Err(AppError::DirectoryUnusable { .. })
        ));
    }
}
