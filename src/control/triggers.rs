//! Requests and replies of [`crate::control::Triggers`].

use serde::{Deserialize, Serialize};

use crate::domain::names::TriggerName;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{TriggerDefinition, TriggerState};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutTrigger {
    pub definition: TriggerDefinition,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerRow {
    pub definition: TriggerDefinition,
    pub state: TriggerState,
    pub since: Timestamp,
    pub last_error: Option<String>,
    /// Batches in work and batches that wait for their next attempt.
    pub in_work: u32,
    pub retrying: u32,
    /// The earliest next attempt.
    pub next_attempt_at: Option<Timestamp>,
    /// Ready and in flight messages of its group on its topic.
    pub lag: u64,
    pub invoked_total: u64,
    pub failed_total: u64,
    pub dead_total: u64,
    /// Why nothing runs now, in a sentence; absent while something does or nothing has to.
    pub why_idle: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerCommand {
    Pause,
    Resume,
    /// Gives up the batch that waits or stopped the trigger: dead letter, ack, go on.
    Skip,
    /// Starts the next attempt of waiting batches now.
    RetryNow,
}

/// A trigger with the batch it is at, for the `why` of screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingBatch {
    pub trigger: TriggerName,
    pub attempt: u32,
    pub due: Timestamp,
    pub error: String,
}
