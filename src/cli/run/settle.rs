//! Waiting until nothing is due: while something runs, for it; while nothing does, by jumping to what comes next.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::cli::follow::Follower;
use crate::cli::logs::Printer;
use crate::cli::run::Manner;
use crate::cli::run::print::ByRequest;
use crate::cli::session::{Session, failed, refused};
use crate::clock::RealClock;
use crate::control::clock::ClockCommand;
use crate::control::functions::FunctionRow;
use crate::control::logs::LogQuery;
use crate::control::triggers::TriggerRow;
use crate::domain::trigger::TriggerState;
use crate::report::Report;

/// Real time without any news after which a trigger that has messages but starts nothing is taken to wait for broker time:
/// for a full batch, or for messages that others hold.
const QUIET: Duration = Duration::from_millis(100);

/// How the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Nothing is due any more.
    Done,
    /// Triggers stopped with messages before them; a person would have to act.
    Stopped,
    /// Time is up.
    TimedOut,
}

/// What there is to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    /// Only what is stopped is left.
    Stopped,
    /// Something is due at a later broker time.
    Later,
    /// Messages are there, and nothing works on them yet.
    Soon,
    /// Something runs.
    Now,
}

pub(super) struct Settling<'a> {
    session: &'a Session,
    real: &'a RealClock,
    jumps: bool,
    events: watch::Receiver<u64>,
    logs: Follower,
    printer: Printer<'a>,
    lines: ByRequest,
}

impl<'a> Settling<'a> {
    pub(super) fn new(session: &'a Session, real: &'a RealClock, manner: &Manner) -> Self {
        Self {
            session,
            real,
            jumps: !manner.real_time,
            events: session.control.activity.latest(),
            logs: Follower::after(&session.control, 0, LogQuery::default()),
            printer: Printer::new(&session.out),
            lines: ByRequest::default(),
        }
    }

    /// Prints the log as it grows and returns when nothing is due, or at `deadline`.
    pub(super) async fn run(&mut self, deadline: Instant) -> Result<Settled, Report> {
        let settled = loop {
            // Marked before looking, so that what happens meanwhile wakes the next wait.
            self.events.mark_unchanged();
            self.print().await?;
            let need = self.need().await?;
            match need {
                Need::Nothing => break Settled::Done,
                Need::Stopped => break Settled::Stopped,
                _ if self.real.now() >= deadline => break Settled::TimedOut,
                Need::Later if self.jumps => self.jump().await?,
                Need::Soon if self.jumps => {
                    // News is looked at before anything else.
                    if self.is_quiet().await {
                        self.jump().await?;
                    }
                }
                Need::Now | Need::Soon | Need::Later => self.wait(deadline).await,
            }
        };
        self.print().await?;
        self.lines.finish(&mut self.printer)?;
        Ok(settled)
    }

    async fn print(&mut self) -> Result<(), Report> {
        for record in self.logs.added().await.map_err(failed)? {
            self.lines.take(record, &mut self.printer)?;
        }
        Ok(())
    }

    async fn need(&self) -> Result<Need, Report> {
        let control = &self.session.control;
        let triggers = control.triggers.triggers().await.map_err(failed)?;
        let functions = control.functions.functions().await.map_err(failed)?;
        let of_functions = functions.iter().map(need_of_accepted);
        let needs = triggers.iter().map(need_of).chain(of_functions);
        let mut need = needs.max().unwrap_or(Need::Nothing);
        let admin = self.session.cluster().await?.admin;
        if admin.statistics().await.map_err(refused)?.parked > 0 {
            need = need.max(Need::Later);
        }
        Ok(need)
    }

    /// Moves broker time to what comes next; where that is due already, whoever does it gets a moment.
    async fn jump(&mut self) -> Result<(), Report> {
        let clock = &self.session.control.clock;
        let due = clock.clock().await.map_err(failed)?;
        if due.next.is_some_and(|(at, _)| at <= due.now) {
            self.is_quiet().await;
            return Ok(());
        }
        let moved = clock.move_clock(ClockCommand::Next).await;
        moved.map(drop).map_err(failed)
    }

    /// True when nothing happens for a while.
    async fn is_quiet(&mut self) -> bool {
        tokio::select! {
            _ = self.events.changed() => false,
            () = self.real.sleep(QUIET) => true,
        }
    }

    async fn wait(&mut self, deadline: Instant) {
        let news = async {
            tokio::select! {
                _ = self.events.changed() => {}
                _ = self.logs.grows() => {}
            }
        };
        tokio::select! {
            () = news => {}
            () = self.real.sleep_until(deadline) => {}
        }
    }
}

/// What the accepted events of a function need.
fn need_of_accepted(row: &FunctionRow) -> Need {
    match (row.accepted, row.retrying) {
        (0, _) => Need::Nothing,
        (accepted, retrying) if accepted > retrying => Need::Now,
        _ => Need::Later,
    }
}

fn need_of(row: &TriggerRow) -> Need {
    let stopped = matches!(
        row.state,
        TriggerState::Paused | TriggerState::Ready { .. } | TriggerState::StartFailed { .. }
    );
    if row.in_work > 0 || row.state == TriggerState::Starting {
        Need::Now
    } else if stopped {
        let waits = row.lag > 0 || !matches!(row.state, TriggerState::Paused);
        if waits { Need::Stopped } else { Need::Nothing }
    } else if row.retrying > 0 {
        Need::Later
    } else if row.lag > 0 {
        Need::Soon
    } else {
        Need::Nothing
    }
}
