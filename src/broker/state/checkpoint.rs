//! The state as bytes: everything that does not follow from the rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::broker::state::fresh::Fresh;
use crate::broker::state::progress::{Held, QueueProgress};
use crate::broker::state::{Group, Parked, Progress, Queue, State, Topic};
use crate::domain::group::GroupDefinition;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// A checkpoint that cannot be read back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the checkpoint cannot be read: {0}")]
pub struct BadCheckpoint(String);

#[derive(Serialize, Deserialize)]
struct Saved {
    topics: Vec<(TopicDefinition, Vec<Queue>)>,
    groups: Vec<(GroupName, Option<GroupDefinition>)>,
    progresses: Vec<SavedProgress>,
    parked: Vec<(u64, Parked)>,
    next_lease: u64,
    next_number: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedProgress {
    group: GroupName,
    topic: TopicName,
    queues: Vec<SavedQueue>,
    lost: u64,
    pulls: bool,
    last_consumed_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct SavedQueue {
    start: u64,
    lease_floor: u64,
    fresh: Fresh,
    held: BTreeMap<u64, Held>,
}

impl State {
    pub(in crate::broker) fn to_checkpoint(&self) -> Vec<u8> {
        let topics = self.topics.values();
        let groups = self.groups.iter();
        let saved = Saved {
            topics: topics
                .map(|topic| (topic.definition.clone(), topic.queues.clone()))
                .collect(),
            groups: groups
                .map(|(name, group)| (name.clone(), group.definition.clone()))
                .collect(),
            progresses: self.progresses().map(SavedProgress::of).collect(),
            parked: self
                .parked
                .iter()
                .map(|(number, parked)| (*number, parked.clone()))
                .collect(),
            next_lease: self.next_lease,
            next_number: self.next_number,
        };
        serde_json::to_vec(&saved).unwrap_or_default()
    }

    pub(in crate::broker) fn from_checkpoint(bytes: &[u8]) -> Result<Self, BadCheckpoint> {
        let saved: Saved =
            serde_json::from_slice(bytes).map_err(|error| BadCheckpoint(error.to_string()))?;
        let mut state = Self {
            next_lease: saved.next_lease,
            next_number: saved.next_number,
            ..Self::default()
        };
        for (definition, queues) in saved.topics {
            let topic = Topic {
                definition,
                queues,
                members: Vec::new(),
                parked: 0,
                stored_total: 0,
                turn: 0,
            };
            state.topics.insert(topic.definition.name.clone(), topic);
        }
        for (name, definition) in saved.groups {
            let group = Group {
                definition,
                ..Group::default()
            };
            state.groups.insert(name, group);
        }
        for progress in saved.progresses {
            state.add_progress(progress.restore());
        }
        for (number, parked) in saved.parked {
            if let Some(topic) = state.topics.get_mut(&parked.topic) {
                topic.parked += 1;
            }
            state.add_parked(number, parked);
        }
        Ok(state)
    }
}

impl SavedProgress {
    fn of(progress: &Progress) -> Self {
        let queue = |queue: &QueueProgress| SavedQueue {
            start: queue.start,
            lease_floor: queue.lease_floor,
            fresh: queue.fresh().clone(),
            held: queue.all_held().clone(),
        };
        Self {
            group: progress.group.clone(),
            topic: progress.topic.clone(),
            queues: progress.queues.iter().map(queue).collect(),
            lost: progress.lost,
            pulls: progress.pulls,
            last_consumed_at: progress.last_consumed_at,
        }
    }

    fn restore(self) -> Progress {
        let queues = self.queues.into_iter().map(|queue| {
            QueueProgress::restore(queue.start, queue.lease_floor, queue.fresh, queue.held)
        });
        Progress {
            group: self.group,
            topic: self.topic,
            queues: queues.collect(),
            lost: self.lost,
            pulls: self.pulls,
            last_consumed_at: self.last_consumed_at,
            consumed_total: 0,
            turn: 0,
        }
    }
}
