//! Everything that can wake the console, as one closed enum.

use std::sync::Arc;
use std::time::Duration;

use crate::control::clock::ClockState;
use crate::domain::function::InvocationRecord;
use crate::report::Report;
use crate::ui::chord::Chord;
use crate::ui::effect::{Answer, Done, Ticket};
use crate::ui::state::feed::Happened;
use crate::ui::state::overview::Overview;

#[derive(Debug, Clone)]
pub enum Event {
    Key(Chord),
    /// Many characters at once: a paste, or keys that came faster than a hand types.
    Paste(String),
    Mouse(Mouse),
    Resize(u16, u16),
    /// The terminal window got or lost the focus.
    Focus(bool),
    Tick(Moment),
    Overview(Arc<Overview>),
    Clock(ClockState),
    Happened(Vec<Happened>),
    /// Invocations that ended, newest first.
    Invocations(Vec<InvocationRecord>),
    /// The number of the newest log line.
    LogHead(u64),
    Answer(Ticket, Result<Answer, Report>),
    Done(Ticket, Result<Done, Report>),
    /// A thread of the engine panicked.
    WorkerPanicked(String),
}

/// Both times at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Real time since the console started.
    pub uptime: Duration,
    /// Broker time.
    pub now: crate::domain::timestamp::Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    pub kind: MouseKind,
    pub x: u16,
    pub y: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    Press,
    /// Rows up, or down when positive.
    Wheel(i32),
}
