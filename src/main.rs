//! The `moonport` program.

use std::process::ExitCode;

use moonport::function::runtime::worker::supervisor::{SUBCOMMAND, supervise};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SUBCOMMAND) {
        return supervise(arguments);
    }
    ExitCode::SUCCESS
}
