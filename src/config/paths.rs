//! Where things lie: the data directory with its parts, the project folder, the configuration file.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::config::error::ConfigError;
use crate::domain::names::InstanceId;

/// The workflow file that makes a folder a project.
pub const PROJECT_FILE: &str = "moonport.toml";
/// The data directory of a project, beside its workflow file.
pub const PROJECT_DATA: &str = ".moonport";

/// A data directory: everything one process owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// `path` is made absolute against the current folder, so that a later change of folder does not move it.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        std::path::absolute(path)
            .map(Self)
            .map_err(ConfigError::NoCurrentFolder)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Held locked by the owner; holds its process id.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join("owner.lock")
    }

    /// The owner's socket, where its path is short enough for the system.
    pub fn socket(&self) -> PathBuf {
        self.0.join("owner.sock")
    }

    /// Holds the path of the socket when it lies elsewhere.
    pub fn socket_pointer(&self) -> PathBuf {
        self.0.join("owner.sock.path")
    }

    /// Definitions and trigger state.
    pub fn console_store(&self) -> PathBuf {
        self.0.join("console.redb")
    }

    /// The broker store of one instance.
    pub fn instance(&self, id: &InstanceId) -> PathBuf {
        self.0.join("instances").join(id.as_str())
    }

    /// Invocation records and log lines.
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// Code created in the console.
    pub fn functions(&self) -> PathBuf {
        self.0.join("functions")
    }

    /// Private folders of function instances; empty between runs.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Certificate and access keys; 0700.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The program's own log.
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }
}

/// What decides which data directory is meant.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `--data-dir` or `MOONPORT_DATA_DIR`.
    pub data_dir: Option<PathBuf>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// The current folder.
    pub folder: PathBuf,
}

/// Where this run of the program lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub data: DataDir,
    /// This folder's workflow file, if there is one.
    pub project: Option<PathBuf>,
    /// The configuration file; it need not exist unless it was named.
    pub config: Option<PathBuf>,
    /// Whether the configuration file was named on the command line.
    pub config_named: bool,
}

impl Paths {
    /// The data directory is the one named, else the one of this folder's project, else the platform's.
    pub fn find(place: Place) -> Result<Self, ConfigError> {
        let platform = ProjectDirs::from("", "", "moonport");
        let project = Some(place.folder.join(PROJECT_FILE)).filter(|file| file.is_file());
        let data = match (place.data_dir, &project, &platform) {
            (Some(named), _, _) => DataDir::new(place.folder.join(named))?,
            (None, Some(_), _) => DataDir::new(place.folder.join(PROJECT_DATA))?,
            (None, None, Some(platform)) => DataDir::new(platform.data_dir())?,
            (None, None, None) => return Err(ConfigError::NoHome),
        };
        let config_named = place.config.is_some();
        let config = match place.config {
            Some(named) => Some(place.folder.join(named)),
            None => platform.map(|platform| platform.config_dir().join("config.toml")),
        };
        Ok(Self {
            data,
            project,
            config,
            config_named,
        })
    }

    /// The folder of themes, key tables and templates.
    pub fn config_folder(&self) -> Option<&Path> {
        self.config.as_deref().and_then(Path::parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path) -> Place {
        Place {
            folder: folder.to_owned(),
            ..Place::default()
        }
    }

    #[test]
    fn a_project_keeps_its_data_beside_its_workflow_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(PROJECT_FILE), "").unwrap();
        let paths = Paths::find(place(folder.path())).unwrap();
        assert_eq!(paths.data.root(), folder.path().join(PROJECT_DATA));
        assert_eq!(paths.project, Some(folder.path().join(PROJECT_FILE)));
    }

    #[test]
    fn a_named_data_directory_wins_over_the_project() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(PROJECT_FILE), "").unwrap();
        let paths = Paths::find(Place {
            data_dir: Some("elsewhere".into()),
            ..place(folder.path())
        })
        .unwrap();
        assert_eq!(paths.data.root(), folder.path().join("elsewhere"));
    }

    #[test]
    fn without_a_project_the_platform_decides() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::find(place(folder.path())).unwrap();
        assert_eq!(paths.project, None);
        assert!(!paths.data.root().starts_with(folder.path()));
    }
}
