//! The state as bytes: everything that does not follow from the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::broker::state::fresh::Fresh;
use crate::broker::state::progress::{Held, QueueProgress};
use crate::broker::state::sizes::Sizes;
use crate::broker::state::{Group, Parked, Progress, Queue, State, Topic};
use crate::domain::group::GroupDefinition;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// A checkpoint that cannot be read back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the checkpoint cannot be read: {0}")]
pub struct BadCheckpoint(String);

/// What a checkpoint holds; written from the state without copying it.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    topics: Vec<(Cow<'a, TopicDefinition>, Cow<'a, [Queue]>)>,
    groups: Vec<(Cow<'a, GroupName>, Cow<'a, Option<GroupDefinition>>)>,
    progresses: Vec<SavedProgress<'a>>,
    parked: Cow<'a, BTreeMap<u64, Parked>>,
    next_lease: u64,
    next_number: u64,
    /// In the order of the topics. Last, so that a checkpoint without it can be read.
    sizes: Vec<Cow<'a, Option<Vec<Sizes>>>>,
}

impl Saved<'_> {
    fn read(bytes: &[u8]) -> Result<Self, postcard::Error> {
        // A checkpoint that was written without sizes ends where they would begin: it has none.
        let without = |_| postcard::from_bytes(&[bytes, &[0]].concat());
        postcard::from_bytes(bytes).or_else(without)
    }
}

#[derive(Serialize, Deserialize)]
struct SavedProgress<'a> {
    group: Cow<'a, GroupName>,
    topic: Cow<'a, TopicName>,
    queues: Vec<SavedQueue<'a>>,
    lost: u64,
    pulls: bool,
    last_consumed_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct SavedQueue<'a> {
    start: u64,
    lease_floor: u64,
    fresh: Cow<'a, Fresh>,
    held: Cow<'a, BTreeMap<u64, Held>>,
}

impl State {
    pub(in crate::broker) fn to_checkpoint(&self) -> Vec<u8> {
        let topics = self.topics.values();
        let groups = self.groups.iter();
        let saved = Saved {
            topics: topics
                .map(|topic| {
                    let queues = Cow::Borrowed(topic.queues.as_slice());
                    (Cow::Borrowed(&topic.definition), queues)
                })
                .collect(),
            groups: groups
                .map(|(name, group)| (Cow::Borrowed(name), Cow::Borrowed(&group.definition)))
                .collect(),
            progresses: self.progresses().map(SavedProgress::of).collect(),
            parked: Cow::Borrowed(&self.parked),
            next_lease: self.next_lease,
            next_number: self.next_number,
            sizes: self
                .topics
                .values()
                .map(|topic| Cow::Borrowed(&topic.sizes))
                .collect(),
        };
        postcard::to_allocvec(&saved).unwrap_or_default()
    }

    pub(in crate::broker) fn from_checkpoint(bytes: &[u8]) -> Result<Self, BadCheckpoint> {
        let saved = Saved::read(bytes).map_err(|error| BadCheckpoint(error.to_string()))?;
        let mut state = Self {
            next_lease: saved.next_lease,
            next_number: saved.next_number,
            ..Self::default()
        };
        let mut sizes = saved.sizes.into_iter();
        for (definition, queues) in saved.topics {
            let topic = Topic {
                definition: definition.into_owned(),
                queues: queues.into_owned(),
                sizes: sizes.next().and_then(Cow::into_owned),
                members: Vec::new(),
                parked: 0,
                stored_total: 0,
                turn: 0,
            };
            state.topics.insert(topic.definition.name.clone(), topic);
        }
        for (name, definition) in saved.groups {
            let group = Group {
                definition: definition.into_owned(),
                ..Group::default()
            };
            state.groups.insert(name.into_owned(), group);
        }
        for progress in saved.progresses {
            state.add_progress(progress.restore());
        }
        for (number, parked) in saved.parked.into_owned() {
            if let Some(topic) = state.topics.get_mut(&parked.topic) {
                topic.parked += 1;
            }
            state.add_parked(number, parked);
        }
        Ok(state)
    }
}

impl<'a> SavedProgress<'a> {
    fn of(progress: &'a Progress) -> Self {
        let queue = |queue: &'a QueueProgress| SavedQueue {
            start: queue.start,
            lease_floor: queue.lease_floor,
            fresh: Cow::Borrowed(queue.fresh()),
            held: Cow::Borrowed(queue.all_held()),
        };
        Self {
            group: Cow::Borrowed(&progress.group),
            topic: Cow::Borrowed(&progress.topic),
            queues: progress.queues.iter().map(queue).collect(),
            lost: progress.lost,
            pulls: progress.pulls,
            last_consumed_at: progress.last_consumed_at,
        }
    }

    fn restore(self) -> Progress {
        let queues = self.queues.into_iter().map(|queue| {
            let (fresh, held) = (queue.fresh.into_owned(), queue.held.into_owned());
            QueueProgress::restore(queue.start, queue.lease_floor, fresh, held)
        });
        Progress {
            group: self.group.into_owned(),
            topic: self.topic.into_owned(),
            queues: queues.collect(),
            lost: self.lost,
            pulls: self.pulls,
            last_consumed_at: self.last_consumed_at,
            consumed_total: 0,
            turn: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Record;
    use crate::domain::topic::TopicType;

    #[test]
    fn a_checkpoint_without_sizes_is_read_and_tells_no_bytes() {
        let name = TopicName::new("orders").unwrap();
        let topic = TopicDefinition::new(name.clone(), TopicType::Normal, 1, Timestamp::EPOCH);
        let mut state = State::default();
        state.apply(&Record::TopicPut(topic));
        let whole = state.to_checkpoint();
        let sizes = postcard::to_allocvec(&[&state.topics[&name].sizes]).unwrap();
        let without = &whole[..whole.len() - sizes.len() - 1];
        let known = State::from_checkpoint(&whole).unwrap();
        assert_eq!(known.topics[&name].sizes, Some(vec![Sizes::default()]));
        let older = State::from_checkpoint(without).unwrap();
        assert_eq!(older.topics[&name].sizes, None);
        assert_eq!(older.topics[&name].queues, known.topics[&name].queues);
        assert!(State::from_checkpoint(&whole[..10]).is_err());
    }
}
