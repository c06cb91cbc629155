//! The place of wiring: builds the parts, starts and stops them in order, owns the data directory.

pub mod access_keys;
pub mod clock;
pub mod documents;
#[cfg_attr(not(feature = "remote"), path = "no_elsewhere.rs")]
pub mod elsewhere;
pub mod embed;
#[cfg_attr(not(feature = "gateway"), path = "no_endpoint.rs")]
pub mod endpoint;
pub mod error;
pub mod functions;
pub mod guide;
pub mod identity;
pub mod instances;
pub mod lifecycle;
pub mod listening;
pub mod mode;
pub mod order_audit;
pub mod order_workflow;
pub mod owner;
pub mod parts;
pub mod program_log;
pub mod runs;
pub mod signals;
pub mod socket;
pub mod throwaway;
pub mod wiring;

use std::time::Duration;

use crate::app::error::AppError;
use crate::app::mode::Launch;
use crate::cli::args::{Cli, Command};
use crate::cli::output::Output;
use crate::report::Report;

/// Real time that threads get to end after everything was stopped; those that wait for a terminal's input never do.
const LAST_PATIENCE: Duration = Duration::from_millis(100);

/// Does what the command line says; the answer is the exit code of a success, or of a command run by `exec`.
pub fn run(cli: Cli) -> Result<u8, Report> {
    let out = Output::stdout(cli.global.json);
    match cli.command {
        Some(Command::Filter(filter)) => filter.run(&out).map(|()| 0),
        Some(Command::Completions(completions)) => completions.run(&out).map(|()| 0),
        command => {
            let launch = Launch::new(cli.global, &cli.console, out)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(AppError::NoRuntime)?;
            let done = runtime.block_on(launch.run(command));
            runtime.shutdown_timeout(LAST_PATIENCE);
            done
        }
    }
}
