//! What the program does with a data directory: one command, the console, `serve`, or a throwaway run.

mod bench;
mod command;
mod console;
mod exec;
mod run;
mod serve;
mod socket;
mod surroundings;

use std::path::PathBuf;
use std::time::Duration;

use tracing_appender::non_blocking::WorkerGuard;

use crate::app::order_audit::order_audit;
use crate::app::program_log;
use crate::app::wiring::EngineOptions;
use crate::cli::args::{Command, ConsoleFlags, Global};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::clock::RealClock;
use crate::config::error::ConfigError;
use crate::config::paths::{DataDir, Paths, Place};
use crate::config::settings::{ConsoleOverrides, Settings};
use crate::control::Control;
use crate::report::{Exit, Report};

/// Real time that running invocations get when the program stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// One run of the program: what it was told, and where it prints.
pub struct Launch {
    settings: Settings,
    instance: Option<String>,
    verbose: u8,
    out: Output,
    real: RealClock,
}

impl Launch {
    pub fn new(global: Global, console: &ConsoleFlags, out: Output) -> Result<Self, Report> {
        let place = Place {
            data_dir: global.data_dir,
            config: global.config,
            folder: current_folder()?,
        };
        let paths = Paths::find(place).map_err(misplaced)?;
        let settings = Settings::load(paths, &console.overrides()).map_err(misplaced)?;
        Ok(Self {
            settings,
            instance: global.instance,
            verbose: global.verbose,
            out,
            real: RealClock::system(),
        })
    }

    /// The surroundings of a console inside another program.
    pub(super) fn embedded(data_dir: Option<PathBuf>) -> Result<Self, Report> {
        let place = Place {
            data_dir,
            config: None,
            folder: current_folder()?,
        };
        let paths = Paths::find(place).map_err(misplaced)?;
        let overrides = ConsoleOverrides::default();
        Ok(Self {
            settings: Settings::load(paths, &overrides).map_err(misplaced)?,
            instance: None,
            verbose: 0,
            out: Output::stdout(false),
            real: RealClock::system(),
        })
    }

    /// Does what was asked; the answer is an exit code.
    pub async fn run(self, command: Option<Command>) -> Result<u8, Report> {
        match command {
            None => self.console().await,
            Some(Command::Demo(demo)) if demo.headless => self.demo_headless().await,
            Some(Command::Demo(_)) => self.demo().await,
            Some(Command::Run(run)) => self.run_file(run).await,
            Some(Command::Serve(serve)) => self.serve(serve).await,
            Some(Command::Exec(exec)) => self.exec(exec).await,
            Some(Command::Bench(bench)) => self.bench(bench).await,
            Some(Command::Keys(keys)) => self.keys(&keys),
            Some(command) => self.command(command).await,
        }
    }

    fn data(&self) -> &DataDir {
        &self.settings.paths.data
    }

    /// The options of an engine on `data`, with the closures this program registers.
    fn engine(&self, data: DataDir) -> Result<EngineOptions, Report> {
        let mut options = EngineOptions::new(data)?;
        options.runs_bytes = self.settings.runs_bytes;
        options.certificate.clone_from(&self.settings.certificate);
        options.real = self.real.clone();
        let audit = order_audit().map_err(crate::cli::session::bad_name)?;
        options.functions.push(audit);
        Ok(options)
    }

    fn session(&self, control: Control) -> Session {
        Session {
            control,
            instance: self.instance.clone(),
            out: self.out.clone(),
        }
    }

    /// The program's own log, for a process that owns `data`.
    fn log(&self, data: &DataDir) -> Option<WorkerGuard> {
        program_log::start(data, self.verbose)
    }
}

fn current_folder() -> Result<PathBuf, Report> {
    std::env::current_dir().map_err(|source| misplaced(ConfigError::NoCurrentFolder(source)))
}

fn misplaced(error: ConfigError) -> Report {
    Report::new(&error, Exit::Usage)
}
