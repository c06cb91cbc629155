//! Requests and replies of [`crate::control::Clock`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Broker time.
    pub now: Timestamp,
    pub held: bool,
    /// How far broker time is ahead of the wall clock.
    pub ahead: Duration,
    /// The earliest thing that is due: when, and what.
    pub next: Option<(Timestamp, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockCommand {
    Hold,
    Resume,
    Step(Duration),
    /// Jump to the next due thing.
    Next,
}
