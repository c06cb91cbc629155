//! Delayed messages: they wait outside their queue, are stored at their moment, and can be taken back before it (L1-L4).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::broker::core::{Core, cluster_error, durable};
use crate::broker::state::Wait;
use crate::cluster::Reply;
use crate::cluster::admin::ParkedMessage;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::Recall;
use crate::cluster::paging::{Page, Paged};
use crate::cluster::session::Caller;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Unparking};
use crate::domain::timestamp::Timestamp;

/// What takes a delayed message back: opaque text outside this file.
pub(in crate::broker) struct RecallHandle {
    pub topic: TopicName,
    pub number: u64,
    pub id: MessageId,
}

impl RecallHandle {
    pub(in crate::broker) fn encode(&self) -> String {
        let parts = (&self.topic, self.number, &self.id);
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).unwrap_or_default())
    }

    pub(in crate::broker) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (topic, number, id) = serde_json::from_slice(&bytes).ok()?;
        Some(Self { topic, number, id })
    }
}

impl Core {
    pub(in crate::broker) async fn recall(
        &self,
        caller: &Caller,
        request: Recall,
    ) -> Reply<MessageId> {
        let Recall { topic, handle } = request;
        if !caller.principal.may_send(&topic) {
            return Err(ClusterError::Forbidden(format!(
                "the caller may not send to topic `{topic}`"
            )));
        }
        let handle = RecallHandle::parse(&handle).filter(|handle| handle.topic == topic);
        let handle = handle.ok_or_else(|| {
            ClusterError::IllegalRequest("the recall handle is not one of this topic".to_owned())
        })?;
        let commit = {
            let mut live = self.live();
            let at = self.now();
            let parked = live.state.parked().get(&handle.number);
            let waits = parked.is_some_and(|parked| {
                parked.topic == topic && matches!(parked.wait, Wait::Delay { due } if due > at)
            });
            if !waits {
                return Err(ClusterError::NotRecallable(
                    "it was delivered or recalled before".to_owned(),
                ));
            }
            let mut entry = self.entry(&mut live);
            entry.push(Record::Unparked {
                number: handle.number,
                id: handle.id.clone(),
                why: Unparking::Recalled,
                at,
            });
            entry.append()
        };
        durable(commit).await?;
        Ok(handle.id)
    }

    /// Stores parked messages whose time has come: delayed ones that are due, halves that are committed.
    pub(in crate::broker) fn release(&self, messages: Vec<(u64, Arc<Message>)>, now: Timestamp) {
        if messages.is_empty() {
            return;
        }
        let mut live = self.live();
        let now = now.max(self.now());
        let mut entry = self.entry(&mut live);
        for (number, message) in messages {
            if entry.live.state.parked().contains_key(&number) {
                let stored = released(&mut entry.live.state, number, &message, now);
                entry.push(stored);
            }
        }
        drop(entry.append());
    }

    /// Delayed messages in the order of their numbers, which is the order they were sent in (L3).
    pub(in crate::broker) fn pending(
        &self,
        topic: Option<&TopicName>,
        page: &Page,
    ) -> Reply<Paged<ParkedMessage>> {
        let waiting = |wait: &Wait| match wait {
            Wait::Delay { due } => Some(*due),
            Wait::Half { .. } => None,
        };
        let found = self.parked_page(topic, page, waiting)?;
        let (mut rows, scanned, next) = found;
        rows.sort_by_key(|(_, due, _)| *due);
        let complete = next.is_none();
        let rows = rows
            .into_iter()
            .map(|(number, due, message)| ParkedMessage {
                recall_handle: RecallHandle {
                    topic: message.topic.clone(),
                    number,
                    id: message.id.clone(),
                }
                .encode(),
                due,
                message,
            });
        Ok(Paged {
            rows: rows.collect(),
            scanned,
            next,
            complete,
        })
    }

    /// One page of parked messages that `wanted` picks, with their content.
    pub(in crate::broker) fn parked_page<T>(
        &self,
        topic: Option<&TopicName>,
        page: &Page,
        wanted: impl Fn(&Wait) -> Option<T>,
    ) -> Reply<ParkedPage<T>> {
        self.catch_up();
        let from = cursor(page)?;
        let (mut picked, mut scanned, mut next) = (Vec::new(), 0, None);
        {
            let live = self.live();
            for (number, parked) in live.state.parked().range(from..) {
                if picked.len() >= page.rows || scanned >= page.scan as u64 {
                    next = Some(number.to_string());
                    break;
                }
                scanned += 1;
                if topic.is_none_or(|topic| *topic == parked.topic)
                    && let Some(found) = wanted(&parked.wait)
                {
                    picked.push((*number, found));
                }
            }
        }
        let mut rows = Vec::with_capacity(picked.len());
        for (number, found) in picked {
            if let Some(message) = self.journal.parked(number).map_err(cluster_error)? {
                rows.push((number, found, message));
            }
        }
        Ok((rows, scanned, next))
    }
}

/// Rows, entries looked at, and the cursor of the next page.
pub(in crate::broker) type ParkedPage<T> = (Vec<(u64, T, Arc<Message>)>, u64, Option<String>);

fn cursor(page: &Page) -> Reply<u64> {
    let text = page.cursor.as_deref().unwrap_or("0");
    text.parse().map_err(|_| {
        ClusterError::IllegalRequest(format!("the cursor `{text}` is not one of ours"))
    })
}

/// A parked message with its place in the queue; its store time is the moment it became ready (L3, X2).
pub(in crate::broker) fn released(
    state: &mut crate::broker::state::State,
    number: u64,
    parked: &Message,
    now: Timestamp,
) -> Record {
    let mut message = parked.clone();
    message.stored_at = now;
    message.queue = state.pick_queue(&message, Some(message.queue));
    message.offset = state.next_offset(&message);
    Record::Stored {
        message: Arc::new(message),
        parked: Some(number),
    }
}
