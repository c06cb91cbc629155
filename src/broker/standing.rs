//! Whether a receipt handle still counts (D2, D3, D4).

use std::time::Instant;

use crate::broker::core::Live;
use crate::broker::renewal::LONGEST_HOLD;
use crate::broker::state::ProgressId;
use crate::broker::state::progress::{Held, QueueProgress, Stage};
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::timestamp::Timestamp;

/// What a handle is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::broker) enum Standing {
    /// Its holder may settle the message; how it is held, if the lease itself is on record.
    Live(Option<Held>),
    /// The group is done with the message.
    Done,
}

impl Live {
    /// Judges a handle that a caller shows for `group` and `topic`.
    ///
    /// A lease that a crash took from the log left its message ready under the same attempt: its handle is good until
    /// somebody else is handed the message.
    pub(in crate::broker) fn standing(
        &self,
        group: &GroupName,
        topic: &TopicName,
        handle: &ReceiptHandle,
        now: Timestamp,
        real: Instant,
    ) -> Reply<(ProgressId, Standing)> {
        if handle.group != *group || handle.topic != *topic {
            return Err(ClusterError::IllegalReceipt);
        }
        let found = self.state.topic(topic);
        let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
        let bounds = found.queues.get(handle.queue as usize);
        let bounds = bounds.ok_or(ClusterError::IllegalReceipt)?;
        let id = self.state.progress_id(group, topic);
        let id = id.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
        let queue = self.state.queue_progress(id, handle.queue);
        let queue = queue.ok_or(ClusterError::IllegalReceipt)?;
        if handle.offset >= bounds.next {
            return Err(ClusterError::MessageNotFound(format!(
                "offset {} is above the queue's maximum {}",
                handle.offset, bounds.next
            )));
        }
        if handle.lease < queue.lease_floor {
            return Err(ClusterError::ReceiptExpired);
        }
        let standing = match queue.held(handle.offset) {
            Some(held) if self.is_good(held, handle, now, real) => {
                Standing::Live(Some(held.clone()))
            }
            Some(_) => return Err(ClusterError::ReceiptExpired),
            None => Self::unheld(queue, handle, bounds.min, now)?,
        };
        Ok((id, standing))
    }

    fn unheld(
        queue: &QueueProgress,
        handle: &ReceiptHandle,
        min: u64,
        now: Timestamp,
    ) -> Reply<Standing> {
        if !queue.fresh().contains(handle.offset) {
            return if handle.offset < min {
                Err(ClusterError::MessageNotFound(
                    "it left its queue by retention".to_owned(),
                ))
            } else {
                Ok(Standing::Done)
            };
        }
        if handle.attempt == 1 && now < handle.deadline {
            Ok(Standing::Live(None))
        } else {
            Err(ClusterError::ReceiptExpired)
        }
    }

    fn is_good(&self, held: &Held, handle: &ReceiptHandle, now: Timestamp, real: Instant) -> bool {
        if held.attempt != handle.attempt {
            return false;
        }
        match held.stage {
            Stage::InFlight { lease, deadline } if lease == handle.lease => {
                now < deadline || self.is_renewed(lease, real)
            }
            // A higher number than the one on record is a renewal that got lost.
            Stage::InFlight { lease, .. } => handle.lease > lease && now < handle.deadline,
            Stage::Returning { .. } => now < handle.deadline,
        }
    }

    /// Whether a lease goes on past its deadline, because its holder lives (D8).
    pub(in crate::broker) fn is_renewed(&self, lease: u64, real: Instant) -> bool {
        self.renewals.get(lease).is_some_and(|renewal| {
            let held_for = real.saturating_duration_since(renewal.since);
            self.sessions.is_alive(&renewal.client, real)
                && (held_for < LONGEST_HOLD || self.sessions.is_trigger(&renewal.client))
        })
    }
}
