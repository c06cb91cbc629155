//! Dead letters: decided at the failure that used up the retries, kept in a topic of the group, sent again by hand
//! (Q1-Q6).

use std::sync::Arc;

use crate::broker::core::{Core, Entry, cluster_error, durable};
use crate::broker::invisible::place as place_of;
use crate::broker::state::progress::Held;
use crate::broker::topics::DEAD_LETTER_QUEUES;
use crate::cluster::Reply;
use crate::domain::group::DeadLetterTarget;
use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place, Properties, key};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::record::{Record, Settling};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{TopicDefinition, TopicType};
use crate::store::journal::Commit;

/// A delivery after which a group gives a message up.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Doomed {
    pub group: GroupName,
    pub place: Place,
    /// The attempt that failed last.
    pub attempt: u32,
    /// Whose content it has, when it was put back before.
    pub letter: Option<Arc<Place>>,
    /// System properties that the letter gets besides the broker's.
    pub notes: Properties,
}

/// What a dead letter notes of its origin, as names of system properties.
mod note {
    pub(super) const GROUP: &str = "MOONPORT_DLQ_GROUP";
    pub(super) const ATTEMPTS: &str = "MOONPORT_DLQ_ATTEMPTS";
    pub(super) const ORIGIN_ID: &str = "MOONPORT_DLQ_ORIGIN_MSG_ID";
    pub(super) const ORIGIN_TOPIC: &str = "MOONPORT_DLQ_ORIGIN_TOPIC";
    pub(super) const QUEUE: &str = "MOONPORT_DLQ_QUEUE";
    pub(super) const OFFSET: &str = "MOONPORT_DLQ_OFFSET";
}

impl Core {
    pub(in crate::broker) async fn bury(&self, doomed: Vec<Doomed>) -> Reply<()> {
        let commit = self.bury_now(doomed)?;
        durable(commit).await
    }

    /// Settles doomed deliveries as dead, each with its letter in the same append.
    pub(in crate::broker) fn bury_now(&self, doomed: Vec<Doomed>) -> Reply<Commit> {
        let mut bodies = Vec::with_capacity(doomed.len());
        for Doomed { place, letter, .. } in &doomed {
            bodies.push(self.content(
                &place.topic,
                place.queue,
                place.offset,
                letter.as_deref(),
            )?);
        }
        let mut live = self.live();
        let now = self.now();
        let mut entry = self.entry(&mut live);
        for (doomed, body) in doomed.into_iter().zip(bodies) {
            self.settle_dead(&mut entry, doomed, body, now);
        }
        Ok(entry.append())
    }

    fn settle_dead(
        &self,
        entry: &mut Entry<'_>,
        doomed: Doomed,
        body: Option<Arc<Message>>,
        now: Timestamp,
    ) {
        let Doomed {
            group,
            place,
            attempt,
            notes,
            ..
        } = doomed;
        let Some(id) = entry.live.state.progress_id(&group, &place.topic) else {
            return;
        };
        let held = entry.live.state.queue_progress(id, place.queue);
        let held: Option<Held> = held.and_then(|queue| queue.held(place.offset).cloned());
        if held.as_ref().is_some_and(|held| held.attempt != attempt) {
            return;
        }
        if let Some(held) = &held {
            entry.live.forget_renewal(held);
        }
        let letter = body.and_then(|message| {
            let topic = Self::letter_topic(entry, &group, now)?;
            let letter = self.letter(
                entry,
                &message,
                topic,
                (&group, &place, attempt, notes),
                now,
            );
            let lies_at = letter.place();
            entry.push(Record::Stored {
                message: Arc::new(letter),
                parked: None,
            });
            Some(lies_at)
        });
        entry.push(Record::Settled {
            group,
            topic: place.topic,
            queue: place.queue,
            how: letter.map_or(Settling::Discarded, Settling::Dead),
            at: now,
            deliveries: vec![(place.offset, attempt)],
        });
        entry.live.wake(id);
    }

    /// The topic that keeps a group's dead letters, made at the first one; `None` when the group keeps none (Q2, Q4).
    fn letter_topic(entry: &mut Entry<'_>, group: &GroupName, now: Timestamp) -> Option<TopicName> {
        let target = entry.live.state.group(group);
        let target = target.map_or(DeadLetterTarget::Own, |group| group.dead_letter.clone());
        let named = match target {
            DeadLetterTarget::Discard => return None,
            DeadLetterTarget::Topic(topic) => Some(topic),
            DeadLetterTarget::Own => None,
        };
        let topic = named
            .filter(|topic| entry.live.state.topic(topic).is_some())
            .unwrap_or_else(|| TopicName::dead_letter_of(group));
        if entry.live.state.topic(&topic).is_none() {
            let kind = TopicType::Mixed;
            let mut definition = TopicDefinition::new(topic.clone(), kind, DEAD_LETTER_QUEUES, now);
            definition.auto = true;
            entry.push(Record::TopicPut(definition));
        }
        Some(topic)
    }

    /// A copy under a new id that knows where it came from (Q3).
    fn letter(
        &self,
        entry: &mut Entry<'_>,
        message: &Message,
        topic: TopicName,
        (group, place, attempt, added): (&GroupName, &Place, u32, Properties),
        now: Timestamp,
    ) -> Message {
        let mut letter = message.clone();
        let notes = [
            (key::DLQ_ORIGIN_TOPIC, place.topic.to_string()),
            (key::DLQ_ORIGIN_MESSAGE_ID, message.id.to_string()),
            (note::GROUP, group.to_string()),
            (note::ATTEMPTS, attempt.to_string()),
            (note::ORIGIN_ID, message.id.to_string()),
            (note::ORIGIN_TOPIC, place.topic.to_string()),
            (note::QUEUE, place.queue.to_string()),
            (note::OFFSET, place.offset.to_string()),
        ];
        for (name, value) in notes {
            letter.system.set(name, value);
        }
        for (name, value) in added.iter() {
            letter.system.set(name, value);
        }
        letter.id = self.ids.next(now);
        letter.topic = topic;
        letter.stored_at = now;
        letter.queue = entry.live.state.pick_queue(&letter, None);
        letter.offset = entry.live.state.next_offset(&letter);
        letter
    }

    /// The content delivered for a place: the message there, or the letter that a person put back for it.
    pub(in crate::broker) fn content(
        &self,
        topic: &TopicName,
        queue: u32,
        offset: u64,
        letter: Option<&Place>,
    ) -> Reply<Option<Arc<Message>>> {
        let place = Place {
            topic: topic.clone(),
            queue,
            offset,
        };
        let found = self
            .journal
            .message(letter.unwrap_or(&place))
            .map_err(cluster_error)?;
        Ok(match (found, letter) {
            (Some(message), Some(_)) => Some(Arc::new(restored(&message, place))),
            (found, _) => found,
        })
    }
}

/// The message a letter was made of, at its old place.
fn restored(letter: &Message, place: Place) -> Message {
    let origin = Origin::of(letter);
    let mut message = letter.clone();
    if let Some(id) = origin.and_then(|origin| origin.id) {
        message.id = id;
    }
    message.topic = place.topic;
    message.queue = place.queue;
    message.offset = place.offset;
    message.system = without_notes(&letter.system);
    message
}

/// Where a dead letter comes from, as far as it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::broker) struct Origin {
    pub group: Option<GroupName>,
    pub topic: TopicName,
    pub id: Option<MessageId>,
    /// Queue and offset.
    pub at: Option<(u32, u64)>,
}

impl Origin {
    /// Reads the notes of a letter, the broker's and a trigger's alike (TR-26).
    pub(in crate::broker) fn of(letter: &Message) -> Option<Self> {
        let get = |name| letter.system.get(name);
        let topic = get(note::ORIGIN_TOPIC).or_else(|| get(key::DLQ_ORIGIN_TOPIC))?;
        let id = get(note::ORIGIN_ID).or_else(|| get(key::DLQ_ORIGIN_MESSAGE_ID));
        let group = get(note::GROUP).and_then(|group| GroupName::new(group).ok());
        let queue = get(note::QUEUE).and_then(|queue| queue.parse().ok());
        let offset = get(note::OFFSET).and_then(|offset| offset.parse().ok());
        Some(Self {
            group: group.or_else(|| letter.topic.dead_letter_group()),
            topic: TopicName::new(topic).ok()?,
            id: id.and_then(MessageId::new),
            at: queue.zip(offset),
        })
    }
}

/// System properties without what only a letter has.
pub(in crate::broker) fn without_notes(system: &Properties) -> Properties {
    let own = |name: &str| {
        !name.starts_with(key::DEAD_LETTER_NOTE)
            && name != key::DLQ_ORIGIN_TOPIC
            && name != key::DLQ_ORIGIN_MESSAGE_ID
    };
    system.iter().filter(|(name, _)| own(name)).collect()
}

impl Doomed {
    pub(in crate::broker) fn of(
        handle: &ReceiptHandle,
        held: Option<&Held>,
        notes: Properties,
    ) -> Self {
        Self {
            group: handle.group.clone(),
            place: place_of(handle),
            attempt: handle.attempt,
            letter: held.and_then(|held| held.letter.clone()),
            notes,
        }
    }
}
