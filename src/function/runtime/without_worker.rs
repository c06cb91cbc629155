//! Stands in for the worker runtimes in a build without them.

/// The runtimes whose code runs in processes: none.
pub mod list {
    use std::sync::Arc;

    use crate::domain::function::Runtime as Kind;
    use crate::function::host::HostOptions;
    use crate::function::runtime::list::left_out;
    use crate::function::runtime::{Runtime, StartError};

    pub struct Workers;

    impl Workers {
        pub fn new(_options: &HostOptions) -> Self {
            Self
        }

        pub fn of(&self, kind: Kind) -> Result<Arc<dyn Runtime>, StartError> {
            Err(left_out(kind))
        }
    }
}

/// Nothing to supervise.
pub mod supervisor {
    use std::ffi::OsString;
    use std::process::ExitCode;

    pub const SUBCOMMAND: &str = "__supervise";

    pub fn supervise(_arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        ExitCode::from(2)
    }
}
