//! What is kept of an accepted event.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::function::InvocationType;
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::names::{FunctionName, TriggerName};
use crate::domain::timestamp::Timestamp;
use crate::function::invocation::Invocation;

/// An event that is to be run; all of it outlives the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedEvent {
    /// Rises with each event.
    pub number: u64,
    pub function: FunctionName,
    /// Kept by every try.
    pub request_id: RequestId,
    #[serde(with = "crate::domain::message::body_text")]
    pub event: Bytes,
    pub trigger: Option<TriggerName>,
    pub message_ids: Vec<MessageId>,
    #[serde(default)]
    pub places: Vec<Place>,
    pub accepted_at: Timestamp,
    /// Tries that failed.
    pub failed: u32,
    /// The next try is not before this moment.
    pub due: Timestamp,
}

impl AcceptedEvent {
    pub(super) fn new(number: u64, invocation: Invocation, now: Timestamp) -> Self {
        Self {
            number,
            function: invocation.function,
            request_id: invocation.request_id,
            event: invocation.event,
            trigger: invocation.trigger,
            message_ids: invocation.message_ids,
            places: invocation.places,
            accepted_at: now,
            failed: 0,
            due: now,
        }
    }

    /// The next try.
    pub(super) fn invocation(&self) -> Invocation {
        Invocation {
            function: self.function.clone(),
            request_id: self.request_id.clone(),
            event: self.event.clone(),
            invocation_type: InvocationType::Async,
            trigger: self.trigger.clone(),
            attempt: self.failed + 1,
            message_ids: self.message_ids.clone(),
            places: self.places.clone(),
            log_tail: false,
        }
    }
}
