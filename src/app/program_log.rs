//! The program's own log: what a developer of moonport reads, in files of the data directory, never on the terminal.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::config::paths::DataDir;

/// Files kept, one a day.
const FILES: usize = 7;

/// Starts the log; what it returns must live as long as the program works. `verbose` counts `-v`. A directory that takes
/// no log makes none: the program works without.
pub fn start(data: &DataDir, verbose: u8) -> Option<WorkerGuard> {
    // The appender complains on the terminal where its folder is missing.
    std::fs::create_dir_all(data.logs()).ok()?;
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("moonport")
        .filename_suffix("log")
        .max_log_files(FILES)
        .build(data.logs())
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    let level = match verbose {
        0 => "warn,moonport=info",
        1 => "info,moonport=debug",
        _ => "debug,moonport=trace",
    };
    let filter = EnvFilter::try_from_env("MOONPORT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .try_init();
    started.is_ok().then_some(guard)
}
