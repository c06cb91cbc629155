//! `moonport clock`: broker time.

use std::time::Duration;

use clap::Subcommand;

use crate::cli::session::{Session, failed};
use crate::cli::value;
use crate::control::clock::{ClockCommand, ClockState};
use crate::report::Report;

#[derive(Debug, Subcommand)]
pub enum ClockArgs {
    /// What time it is for the broker, and what is due next
    Show,
    /// Stop broker time
    Hold,
    /// Move it forward
    Step {
        #[arg(value_name = "SPAN", value_parser = value::span)]
        span: Duration,
    },
    /// Jump to the next thing that is due
    Next,
    /// Let it run again
    Resume,
}

impl ClockArgs {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let clock = &session.control.clock;
        let state = match self.command() {
            None => clock.clock().await,
            Some(command) => clock.move_clock(command).await,
        };
        let state = state.map_err(failed)?;
        session.out.done(&told(&state), &state)
    }

    fn command(&self) -> Option<ClockCommand> {
        match self {
            Self::Show => None,
            Self::Hold => Some(ClockCommand::Hold),
            Self::Step { span } => Some(ClockCommand::Step(*span)),
            Self::Next => Some(ClockCommand::Next),
            Self::Resume => Some(ClockCommand::Resume),
        }
    }
}

fn told(state: &ClockState) -> String {
    let held = if state.held { "held at" } else { "runs, now" };
    let next = match &state.next {
        Some((at, what)) => format!("next: {what} at {at}"),
        None => "nothing is due".to_owned(),
    };
    let ahead = match state.ahead {
        Duration::ZERO => String::new(),
        ahead => format!(", {} ahead of the wall clock", value::told_span(ahead)),
    };
    format!("broker time {held} {}{ahead}; {next}", state.now)
}
