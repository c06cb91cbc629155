//! How a unit leaves the trigger: acked, or as dead letters (TR-20, TR-25, TR-26).

use std::sync::Arc;
use std::time::Duration;

use crate::clock::RealClock;
use crate::cluster::Messaging;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Ack, ForwardToDeadLetter, Send};
use crate::cluster::session::Caller;
use crate::domain::message::{Draft, Message, Properties, key};
use crate::domain::names::TopicName;
use crate::domain::trigger::{TriggerDeadLetter, TriggerDefinition};
use crate::trigger::batch::Item;
use crate::trigger::status::Status;
use crate::trigger::unit::Unit;

/// Longest error text a dead letter carries, in bytes.
const MAX_ERROR: usize = 1024;
/// Real time between tries while the store takes no writes.
const STORE_PATIENCE: Duration = Duration::from_secs(1);

/// Settles the units of one trigger.
pub(super) struct Settler {
    pub(super) messaging: Arc<dyn Messaging>,
    pub(super) caller: Caller,
    pub(super) definition: Arc<TriggerDefinition>,
    pub(super) real: RealClock,
    /// Told why a settlement waits.
    pub(super) status: Arc<Status>,
}

impl Settler {
    /// Acks every message; waits while the store takes no writes. A lease that was lost is no failure here: the message
    /// comes again, and handlers are told to expect that.
    pub(super) async fn ack(&self, items: &[Item]) {
        let mut handles: Vec<_> = items
            .iter()
            .map(|item| item.delivery.handle.clone())
            .collect();
        while !handles.is_empty() {
            let request = Ack {
                group: self.definition.group.clone(),
                topic: self.definition.topic.clone(),
                handles: handles.clone(),
            };
            let mut refusal = None;
            handles = match self.messaging.ack(&self.caller, request).await {
                Err(error) if passes(&error) => {
                    refusal = Some(error);
                    handles
                }
                Err(error) => return lost(&error),
                Ok(outcomes) => outcomes
                    .into_iter()
                    .filter_map(|outcome| match outcome.result {
                        Err(error) if passes(&error) => {
                            refusal = Some(error);
                            Some(outcome.handle)
                        }
                        Err(error) => {
                            lost(&error);
                            None
                        }
                        Ok(()) => None,
                    })
                    .collect(),
            };
            if let Some(error) = refusal {
                self.wait_for_store(&error).await;
            }
        }
    }

    /// Sends every message of a used-up unit where the trigger keeps its dead letters, then settles it.
    pub(super) async fn dead_letter(&self, unit: &Unit) -> Result<(), ClusterError> {
        match &self.definition.dead_letter {
            TriggerDeadLetter::Own => self.forward(unit).await,
            TriggerDeadLetter::Topic(topic) => {
                for item in &unit.items {
                    let draft = self.letter(unit, &item.delivery.message, topic);
                    self.send(draft).await?;
                }
                self.ack(&unit.items).await;
                Ok(())
            }
            TriggerDeadLetter::Dropped => {
                self.ack(&unit.items).await;
                Ok(())
            }
        }
    }

    /// To the group's own dead letter topic: letter and settlement are one step of the broker.
    async fn forward(&self, unit: &Unit) -> Result<(), ClusterError> {
        for item in &unit.items {
            let request = || ForwardToDeadLetter {
                group: self.definition.group.clone(),
                topic: self.definition.topic.clone(),
                handle: item.delivery.handle.clone(),
                notes: self.notes(unit, &item.delivery.message),
            };
            while let Err(error) = self
                .messaging
                .forward_to_dead_letter(&self.caller, request())
                .await
            {
                match error {
                    error if passes(&error) => self.wait_for_store(&error).await,
                    ClusterError::ReceiptExpired => {
                        lost(&error);
                        break;
                    }
                    error => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn send(&self, draft: Draft) -> Result<(), ClusterError> {
        loop {
            let request = Send::one(draft.clone());
            let outcome = self.messaging.send(&self.caller, request).await;
            match outcome.and_then(|mut sent| sent.pop().unwrap_or(Err(ClusterError::Stopping))) {
                Ok(_) => return Ok(()),
                Err(error) if passes(&error) => self.wait_for_store(&error).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// A batch keeps its place in the lane meanwhile, so no more of them wait than the trigger has lanes.
    async fn wait_for_store(&self, error: &ClusterError) {
        self.status
            .note_error(format!("a batch waits to be settled: {error}"));
        self.real.sleep(STORE_PATIENCE).await;
    }

    /// The original, unchanged, with notes in system properties.
    fn letter(&self, unit: &Unit, message: &Message, topic: &TopicName) -> Draft {
        let mut draft = Draft::new(topic.clone(), message.body.clone());
        draft.encoding = message.encoding;
        draft.tag.clone_from(&message.tag);
        draft.keys.clone_from(&message.keys);
        draft.properties = message.properties.clone();
        draft.system = self.notes(unit, message);
        draft
            .system
            .set(key::DLQ_ORIGIN_TOPIC, message.topic.as_str());
        draft
            .system
            .set(key::DLQ_ORIGIN_MESSAGE_ID, message.id.as_str());
        draft
    }

    fn notes(&self, unit: &Unit, message: &Message) -> Properties {
        let notes: [(&str, &str); 9] = [
            ("TRIGGER", self.definition.name.as_str()),
            ("ERROR_TYPE", &unit.error_type),
            ("ERROR_MESSAGE", cut(&unit.error)),
            ("ATTEMPTS", &unit.failed.to_string()),
            ("GROUP", self.definition.group.as_str()),
            ("ORIGIN_MSG_ID", message.id.as_str()),
            ("ORIGIN_TOPIC", message.topic.as_str()),
            ("QUEUE", &message.queue.to_string()),
            ("OFFSET", &message.offset.to_string()),
        ];
        notes
            .into_iter()
            .map(|(name, value)| (format!("{}{name}", key::DEAD_LETTER_NOTE), value))
            .collect()
    }
}

/// True for a failure that goes away by itself: nothing is given up for it.
fn passes(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::StoreFull(_) | ClusterError::StoreFailed(_) | ClusterError::Throttled { .. }
    )
}

fn lost(error: &ClusterError) {
    tracing::warn!(%error, "a message could not be settled and comes again");
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_ERROR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
