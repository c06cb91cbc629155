//! What of a trigger outlives the process: failed attempts per message, and whether it was paused or stopped.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::names::TriggerName;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerDefinition;

/// Attempts already failed for one message. All messages of a batch are written together and share everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAttempt {
    pub place: Place,
    /// Tells the message from one of a later topic at the same place.
    pub message_id: MessageId,
    /// Kept by every retry of the batch (TR-21).
    pub request_id: RequestId,
    /// Attempts that failed, from 1.
    pub failed: u32,
    pub next: Next,
    pub error_type: String,
    pub error: String,
}

/// What comes next for a batch that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Another attempt, not before this moment.
    Attempt(Timestamp),
    /// Retries are used up and the trigger stopped before the batch (TR-25, tolerance `none`).
    Stopped,
    /// A person gave the batch up: its dead letters are due.
    Skip,
}

/// How a person, or an error, left the trigger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedMode {
    #[default]
    Running,
    Paused,
    /// Stopped by this error under tolerance `none`.
    Stopped {
        error: String,
    },
}

/// The trigger store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the trigger's state cannot be written: {0}")]
pub struct TriggerStoreError(pub String);

/// Durable on return, all or nothing per call.
pub trait TriggerStore: Send + Sync {
    fn put_definition(&self, definition: &TriggerDefinition) -> Result<(), TriggerStoreError>;
    fn definitions(&self) -> Result<Vec<TriggerDefinition>, TriggerStoreError>;
    fn put_attempts(
        &self,
        trigger: &TriggerName,
        attempts: &[SavedAttempt],
    ) -> Result<(), TriggerStoreError>;
    fn forget_attempts(
        &self,
        trigger: &TriggerName,
        places: &[Place],
    ) -> Result<(), TriggerStoreError>;
    fn attempts(&self, trigger: &TriggerName) -> Result<Vec<SavedAttempt>, TriggerStoreError>;
    fn put_mode(&self, trigger: &TriggerName, mode: &SavedMode) -> Result<(), TriggerStoreError>;
    fn mode(&self, trigger: &TriggerName) -> Result<SavedMode, TriggerStoreError>;
    /// Forgets all of a trigger, its definition included.
    fn forget(&self, trigger: &TriggerName) -> Result<(), TriggerStoreError>;
}
