//! The `moonport` program: parse, run, tell the one error.

use std::io::Write;
use std::process::ExitCode;

use moonport::cli::args;
use moonport::function::runtime::worker::supervisor::{SUBCOMMAND, supervise};
use moonport::report::Exit;

fn main() -> ExitCode {
    // Started by the function host, for every worker: nothing of the rest is needed.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == SUBCOMMAND) {
        return supervise(words);
    }
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(not_parsed) => {
            let complained = not_parsed.print();
            return ExitCode::from(if complained { Exit::Usage.code() } else { 0 });
        }
    };
    match moonport::app::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(report) => {
            let _ = writeln!(std::io::stderr(), "{report}");
            ExitCode::from(report.exit.code())
        }
    }
}
