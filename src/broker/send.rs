//! Storing messages: checks in their order, a queue and an offset, one append for all (section 6 of the rules).

use std::sync::Arc;
use std::time::Duration;

use crate::broker::check;
use crate::broker::core::{Core, Entry, durable};
use crate::broker::delay::RecallHandle;
use crate::broker::quota::{Limited, shares};
use crate::broker::state::Topic;
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Send, SendReceipt};
use crate::cluster::session::Caller;
use crate::domain::ids::TransactionId;
use crate::domain::message::{Draft, HalfDraft, Message, MessageType};
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Until};
use crate::domain::timestamp::Timestamp;

/// Time before a half message's first check unless it says otherwise (X3).
const IMMUNITY: Duration = Duration::from_secs(6);
/// Longest time a sender may ask for before the first check.
const MAX_IMMUNITY: Duration = Duration::from_secs(3600);

/// A draft with an id, and what was found without looking at the state.
struct Prepared {
    draft: Draft,
    /// The sender knows the message by this id, so a refusal can be looked up.
    has_own_id: bool,
    limits: Result<(), ClusterError>,
}

impl Core {
    pub(in crate::broker) async fn send(
        &self,
        caller: &Caller,
        request: Send,
    ) -> Reply<Vec<Reply<SendReceipt>>> {
        self.check_room()?;
        let drafts = request.drafts.into_iter();
        let prepared: Vec<Prepared> = drafts.map(|draft| self.prepare(draft)).collect();
        let mut outcomes = Vec::with_capacity(prepared.len());
        let commit = {
            let mut live = self.live();
            // Read under the lock, so that store times rise with offsets.
            let now = self.now();
            let mut entry = self.entry(&mut live);
            for prepared in prepared {
                outcomes.push(self.admit(&mut entry, caller, prepared, now));
            }
            entry.append()
        };
        if let Err(error) = durable(commit).await {
            let stored = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
            stored.for_each(|outcome| *outcome = Err(error.clone()));
        }
        Ok(outcomes)
    }

    fn prepare(&self, mut draft: Draft) -> Prepared {
        let limits = check::limits(&draft);
        let has_own_id = draft.id.is_some();
        if !has_own_id {
            draft.id = Some(self.ids.next(self.now()));
        }
        Prepared {
            draft,
            has_own_id,
            limits,
        }
    }

    /// The instance's own limit on what it keeps.
    fn check_room(&self) -> Reply<()> {
        let Some(limit) = self.definition.read().max_bytes else {
            return Ok(());
        };
        let bytes = self.journal.statistics().bytes;
        if bytes >= limit {
            return Err(ClusterError::StoreFull(format!(
                "the instance keeps {bytes} bytes, its limit is {limit}"
            )));
        }
        Ok(())
    }

    fn admit(
        &self,
        entry: &mut Entry<'_>,
        caller: &Caller,
        prepared: Prepared,
        now: Timestamp,
    ) -> Reply<SendReceipt> {
        let topic = prepared.draft.topic.clone();
        let own_id = prepared
            .has_own_id
            .then(|| prepared.draft.id.clone())
            .flatten();
        let outcome = self.store(entry, caller, prepared, now);
        if let (Some(id), Err(error)) = (own_id, &outcome)
            && !matches!(error, ClusterError::Throttled { .. })
        {
            entry.push(Record::Refused {
                id,
                topic,
                why: error.to_string(),
                host: caller.host.clone(),
                at: now,
            });
        }
        outcome
    }

    /// The checks in the order of section 6; the first that fails decides.
    fn store(
        &self,
        entry: &mut Entry<'_>,
        caller: &Caller,
        prepared: Prepared,
        now: Timestamp,
    ) -> Reply<SendReceipt> {
        let Prepared { draft, limits, .. } = prepared;
        let name = draft.topic.clone();
        self.throttle_send(entry, &name)?;
        if !caller.principal.may_send(&name) {
            return Err(ClusterError::Forbidden(format!(
                "the caller may not send to topic `{name}`"
            )));
        }
        self.ensure_topic(entry, &name)?;
        let topic = entry.live.state.topic(&name);
        let topic = topic.ok_or_else(|| ClusterError::TopicNotFound(name.clone()))?;
        if !topic.definition.permission.writes() {
            return Err(ClusterError::Forbidden(format!(
                "topic `{name}` takes no messages now"
            )));
        }
        limits?;
        let message_type = check::message_type(&draft, &topic.definition)?;
        if let Some(at) = draft.deliver_at {
            check::delay(at, now)?;
        }
        let half = draft.transaction;
        let wanted = draft.queue;
        let mut message = self.message(caller, draft, message_type, now);
        message.queue = entry.live.state.pick_queue(&message, wanted);
        match (half, message.deliver_at) {
            (Some(half), _) => Ok(Self::park_half(entry, caller, message, half, now)),
            (None, Some(due)) if due > now => Ok(park_delayed(entry, message, due)),
            _ => Ok(store_now(entry, message)),
        }
    }

    fn throttle_send(&self, entry: &mut Entry<'_>, topic: &TopicName) -> Reply<()> {
        let (instance, _) = shares(&self.definition.read());
        let of_topic = entry.live.state.topic(topic);
        let of_topic = of_topic.and_then(|topic| topic.definition.max_send_tps);
        if instance.is_none() && of_topic.is_none() {
            return Ok(());
        }
        let now = self.real.now();
        let quotas = &mut entry.live.quotas;
        quotas.take_one(Limited::InstanceSend, instance, now)?;
        quotas.take_one(Limited::Topic(topic.clone()), of_topic, now)
    }

    /// The draft as it is stored, its place aside.
    fn message(
        &self,
        caller: &Caller,
        draft: Draft,
        message_type: MessageType,
        now: Timestamp,
    ) -> Message {
        let born_host = draft.born_host.or_else(|| caller.host.clone());
        Message {
            id: draft.id.unwrap_or_else(|| self.ids.next(now)),
            topic: draft.topic,
            queue: 0,
            offset: 0,
            message_type,
            body: draft.body,
            encoding: draft.encoding,
            tag: draft.tag,
            keys: draft.keys,
            properties: draft.properties,
            system: draft.system,
            message_group: draft.message_group,
            deliver_at: draft.deliver_at,
            priority: draft.priority,
            transaction_id: None,
            born_at: draft.born_at.unwrap_or(now),
            born_host: born_host.unwrap_or_else(|| self.host_name.clone()),
            stored_at: now,
        }
    }

    /// A half message waits for its producer's word (X1).
    fn park_half(
        entry: &mut Entry<'_>,
        caller: &Caller,
        mut message: Message,
        half: HalfDraft,
        now: Timestamp,
    ) -> SendReceipt {
        let number = entry.live.state.next_number();
        let transaction = TransactionId::new(format!("{number:X}-{}", message.id));
        message.transaction_id = Some(transaction.clone());
        let asked = half.immunity_seconds;
        let immunity = asked.map_or(IMMUNITY, |seconds| Duration::from_secs(seconds.into()));
        let receipt = SendReceipt {
            transaction: Some(transaction.clone()),
            ..receipt(&message)
        };
        entry.push(Record::Parked {
            number,
            message: Arc::new(message),
            until: Until::Ended {
                transaction,
                check: now + immunity.min(MAX_IMMUNITY),
                client: caller.client.clone(),
            },
        });
        receipt
    }
}

/// A delayed message waits for its moment (L3).
fn park_delayed(entry: &mut Entry<'_>, message: Message, due: Timestamp) -> SendReceipt {
    let number = entry.live.state.next_number();
    let handle = RecallHandle {
        topic: message.topic.clone(),
        number,
        id: message.id.clone(),
    };
    let receipt = SendReceipt {
        recall_handle: Some(handle.encode()),
        ..receipt(&message)
    };
    entry.push(Record::Parked {
        number,
        message: Arc::new(message),
        until: Until::Due(due),
    });
    receipt
}

fn store_now(entry: &mut Entry<'_>, mut message: Message) -> SendReceipt {
    message.offset = entry.live.state.next_offset(&message);
    let receipt = receipt(&message);
    entry.push(Record::Stored {
        message: Arc::new(message),
        parked: None,
    });
    receipt
}

fn receipt(message: &Message) -> SendReceipt {
    SendReceipt {
        id: message.id.clone(),
        queue: message.queue,
        offset: message.offset,
        stored_at: message.stored_at,
        transaction: None,
        recall_handle: None,
    }
}

impl crate::broker::state::State {
    /// The queue a message goes to: by message group, by priority, as asked, or the next in turn (O5, T11).
    pub(in crate::broker) fn pick_queue(&mut self, message: &Message, wanted: Option<u32>) -> u32 {
        let Some(topic) = self.topic_mut(&message.topic) else {
            return 0;
        };
        let queues = topic.definition.write_queues.max(1);
        if let Some(group) = &message.message_group {
            crc32fast::hash(group.as_bytes()) % queues
        } else if let Some(priority) = message.priority {
            priority.min(queues - 1)
        } else if let Some(wanted) = wanted.filter(|wanted| *wanted < queues) {
            wanted
        } else {
            turn(topic) % queues
        }
    }

    /// The offset the next message of a queue gets.
    pub(in crate::broker) fn next_offset(&self, message: &Message) -> u64 {
        let topic = self.topic(&message.topic);
        topic
            .and_then(|topic| topic.queues.get(message.queue as usize))
            .map_or(0, |queue| queue.next)
    }
}

fn turn(topic: &mut Topic) -> u32 {
    let turn = topic.turn;
    topic.turn = turn.wrapping_add(1);
    turn
}
