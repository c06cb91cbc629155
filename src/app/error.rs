//! Why the program could not do its part around what was asked.

use std::io;
use std::path::PathBuf;

use crate::app::socket::client::ConnectError;
use crate::control::error::ControlError;
use crate::function::accepted::AcceptedStoreError;
use crate::report::{Exit, Hint, Report};
use crate::store::error::StoreError;
use crate::trigger::saved::TriggerStoreError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    #[error("cannot use the data directory `{}`", path.display())]
    DirectoryUnusable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the data directory `{}` belongs to process {pid}, which cannot be reached", path.display())]
    OwnerUnreachable {
        path: PathBuf,
        pid: String,
        #[source]
        source: ConnectError,
    },
    #[error("the data directory `{}` belongs to process {pid} already", path.display())]
    Owned { path: PathBuf, pid: String },
    #[error("cannot open the owner's socket in `{}`", path.display())]
    SocketUnusable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot make a throwaway directory")]
    NoThrowaway(#[source] io::Error),
    #[error("the console needs a terminal")]
    NoTerminal,
    #[error("the program cannot find itself")]
    NoProgram(#[source] io::Error),
    #[error("the data directory cannot be opened")]
    Store(#[from] StoreError),
    #[error("the triggers cannot be started")]
    Triggers(#[source] TriggerStoreError),
    #[error("the accepted events cannot be started")]
    Accepted(#[source] AcceptedStoreError),
    #[error("the instances cannot be started")]
    Control(#[source] ControlError),
    #[error("the runtime cannot start")]
    NoRuntime(#[source] io::Error),
    #[error("cannot run `{command}`")]
    CommandFailed {
        command: String,
        #[source]
        source: io::Error,
    },
}

impl Hint for AppError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::DirectoryUnusable { .. } => {
                "choose a directory you may write to with `--data-dir`".to_owned()
            }
            Self::OwnerUnreachable { .. } | Self::Owned { .. } => {
                "end that process, or choose another directory with `--data-dir`".to_owned()
            }
            Self::NoTerminal => {
                "without one, use `moonport serve`, `moonport demo --headless`, `moonport run FILE`, \
                 or a command such as `moonport topic list`; `moonport --help` names all"
                    .to_owned()
            }
            Self::NoThrowaway(_) => "set `TMPDIR` to a folder you may write to".to_owned(),
            Self::CommandFailed { .. } => "check that the command exists".to_owned(),
            Self::Store(error) => return error.hint(),
            Self::Control(error) => return error.hint(),
            Self::SocketUnusable { .. }
            | Self::NoRuntime(_)
            | Self::NoProgram(_)
            | Self::Accepted(_)
            | Self::Triggers(_) => return None,
        };
        Some(hint)
    }
}

impl From<AppError> for Report {
    /// All of these are about the environment.
    fn from(error: AppError) -> Self {
        Report::new(&error, Exit::Usage)
    }
}
