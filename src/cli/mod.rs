//! The commands: what may be typed, one file per command. They see the seams, never an engine: `app` hands them a
//! [`Control`](crate::control::Control) of this process or of the owner's.

pub mod absent;
pub mod access_key;
pub mod apply;
pub mod args;
pub mod bench;
pub mod clock;
pub mod completions;
pub mod confirm;
pub mod dlq;
pub mod exec;
pub mod export;
pub mod filter;
pub mod follow;
pub mod function;
pub mod group;
pub mod instance;
pub mod invoke;
pub mod keys;
pub mod later;
pub mod logs;
pub mod messages;
pub mod output;
pub mod run;
pub mod sample;
pub mod send;
pub mod serve;
pub mod session;
pub mod topic;
pub mod trace;
pub mod transaction;
pub mod trigger;
pub mod value;
pub mod view;

use crate::cli::args::Command;
use crate::cli::session::Session;
use crate::report::Report;

/// Finds what can be found wrong before anything is opened.
pub fn check(command: &Command) -> Result<(), Report> {
    match command {
        Command::Apply(command) => command.check(),
        _ => Ok(()),
    }
}

/// Carries out a command that needs nothing but the seams; `None` for one that needs more.
pub async fn carry_out(command: Command, session: &Session) -> Option<Result<(), Report>> {
    let done = match command {
        Command::Apply(command) => command.run(session).await,
        Command::Export(command) => command.run(session).await,
        Command::Send(command) => command.run(session).await,
        Command::Topic { command } => command.run(session).await,
        Command::Group { command } => command.run(session).await,
        Command::Function { command } => command.run(session).await,
        Command::Trigger { command } => command.run(session).await,
        Command::Instance { command } => command.run(session).await,
        Command::AccessKey { command } => command.run(session).await,
        Command::Messages(command) => command.run(session).await,
        Command::Trace(command) => command.run(session).await,
        Command::Transaction { command } => command.run(session).await,
        Command::Dlq { command } => command.run(session).await,
        Command::Logs(command) => command.run(session).await,
        Command::Invoke(command) => command.run(session).await,
        Command::Clock { command } => command.run(session).await,
        Command::Demo(_)
        | Command::Run(_)
        | Command::Serve(_)
        | Command::Exec(_)
        | Command::Bench(_)
        | Command::Filter(_)
        | Command::Keys(_)
        | Command::Completions(_) => return None,
    };
    Some(done)
}
