//! Why settings cannot be used.

use std::path::PathBuf;

use crate::report::Hint;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file `{}`", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the configuration file `{}` is not understood, line {line}: {problem}", path.display())]
    Malformed {
        path: PathBuf,
        /// From 1.
        line: usize,
        problem: String,
    },
    #[error("this platform names no folder for data")]
    NoHome,
    #[error("cannot tell the current folder")]
    NoCurrentFolder(#[source] std::io::Error),
}

impl Hint for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => {
                Some("check the path given with `--config` and its permissions".to_owned())
            }
            Self::Malformed { .. } => {
                Some("the README lists what a configuration file may hold".to_owned())
            }
            Self::NoHome => Some("name one with `--data-dir`".to_owned()),
            Self::NoCurrentFolder(_) => None,
        }
    }
}
