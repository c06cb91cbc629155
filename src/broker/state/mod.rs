//! The state of one instance's broker: the fold of its records, live and on replay.
//!
//! [`State::apply`] is the only code that changes it; rule files decide which records to append. Indexes in it follow
//! from the rest and are not in a checkpoint.

mod apply;
mod checkpoint;
pub(in crate::broker) mod fresh;
pub(in crate::broker) mod line;
pub(in crate::broker) mod progress;
pub(in crate::broker) mod sizes;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::broker::state::progress::QueueProgress;
use crate::broker::state::sizes::Sizes;
use crate::domain::group::GroupDefinition;
use crate::domain::ids::TransactionId;
use crate::domain::message::Message;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

pub(in crate::broker) use checkpoint::BadCheckpoint;

/// Names a [`Progress`] for the life of the process.
pub(in crate::broker) type ProgressId = u32;

#[derive(Debug, Clone, Default)]
pub(in crate::broker) struct State {
    topics: BTreeMap<TopicName, Topic>,
    groups: BTreeMap<GroupName, Group>,
    progresses: Vec<Option<Progress>>,
    parked: BTreeMap<u64, Parked>,
    halves: HashMap<TransactionId, u64>,
    due: BTreeSet<(Timestamp, Due)>,
    next_lease: u64,
    next_number: u64,
    totals: Totals,
}

/// Counted since the process began; not in a checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::broker) struct Totals {
    pub stored: u64,
    pub delivered: u64,
    pub acked: u64,
    pub retried: u64,
    pub dead: u64,
}

#[derive(Debug, Clone)]
pub(in crate::broker) struct Topic {
    pub definition: TopicDefinition,
    pub queues: Vec<Queue>,
    /// Bytes of each queue; unknown where an older checkpoint did not tell.
    pub sizes: Option<Vec<Sizes>>,
    /// Groups that read it.
    pub members: Vec<ProgressId>,
    /// Delayed and half messages meant for it.
    pub parked: u64,
    /// Since the process began.
    pub stored_total: u64,
    /// Where the next message without a queue goes (O5).
    pub turn: u32,
}

impl Topic {
    fn sizes_of(&mut self, queue: u32) -> Option<&mut Sizes> {
        self.sizes.as_mut()?.get_mut(queue as usize)
    }
}

/// Bounds of one queue (O1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::broker) struct Queue {
    pub min: u64,
    /// One above the highest offset given out.
    pub next: u64,
    /// One above the highest offset on disk: receivers see no further, so that no offset is ever handed out that a crash
    /// could give to another message.
    #[serde(skip)]
    pub visible: u64,
    pub last_stored_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::broker) struct Group {
    /// Absent: deleted, with its offsets kept (G7).
    pub definition: Option<GroupDefinition>,
    pub topics: BTreeMap<TopicName, ProgressId>,
}

/// One group on one topic.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Progress {
    pub group: GroupName,
    pub topic: TopicName,
    pub queues: Vec<QueueProgress>,
    /// Messages that left by retention before the group was done with them (O2).
    pub lost: u64,
    /// Its offsets move by commits of a pulling client.
    pub pulls: bool,
    pub last_consumed_at: Option<Timestamp>,
    /// Since the process began.
    pub consumed_total: u64,
    /// The queue the next receive looks at first (O6).
    pub turn: u32,
}

/// A delayed or half message outside its queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::broker) struct Parked {
    pub topic: TopicName,
    pub wait: Wait,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::broker) enum Wait {
    Delay {
        due: Timestamp,
    },
    Half {
        transaction: TransactionId,
        /// How often its producer was asked.
        checks: u32,
        next_check: Timestamp,
        client: Option<ClientId>,
    },
}

impl Wait {
    pub(in crate::broker) fn due(&self) -> Timestamp {
        match self {
            Self::Delay { due } => *due,
            Self::Half { next_check, .. } => *next_check,
        }
    }
}

/// Something that happens at a moment by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::broker) enum Due {
    /// A lease runs out, or a held message is ready again.
    Delivery {
        progress: ProgressId,
        queue: u32,
        offset: u64,
    },
    /// A delayed message is due, or a half message is checked.
    Parked(u64),
}

impl State {
    pub(in crate::broker) fn topic(&self, name: &TopicName) -> Option<&Topic> {
        self.topics.get(name)
    }

    pub(in crate::broker) fn topics(&self) -> &BTreeMap<TopicName, Topic> {
        &self.topics
    }

    /// A group that was not deleted.
    pub(in crate::broker) fn group(&self, name: &GroupName) -> Option<&GroupDefinition> {
        self.groups.get(name)?.definition.as_ref()
    }

    /// Groups with their topics, deleted ones with kept offsets among them.
    pub(in crate::broker) fn groups(&self) -> &BTreeMap<GroupName, Group> {
        &self.groups
    }

    pub(in crate::broker) fn progress_id(
        &self,
        group: &GroupName,
        topic: &TopicName,
    ) -> Option<ProgressId> {
        self.groups.get(group)?.topics.get(topic).copied()
    }

    pub(in crate::broker) fn progress(&self, id: ProgressId) -> Option<&Progress> {
        self.progresses.get(id as usize)?.as_ref()
    }

    pub(in crate::broker) fn progress_mut(&mut self, id: ProgressId) -> Option<&mut Progress> {
        self.progresses.get_mut(id as usize)?.as_mut()
    }

    pub(in crate::broker) fn progresses(&self) -> impl Iterator<Item = &Progress> {
        self.progresses.iter().flatten()
    }

    pub(in crate::broker) fn queue_progress(
        &self,
        id: ProgressId,
        queue: u32,
    ) -> Option<&QueueProgress> {
        self.progress(id)?.queues.get(queue as usize)
    }

    pub(in crate::broker) fn parked(&self) -> &BTreeMap<u64, Parked> {
        &self.parked
    }

    pub(in crate::broker) fn half(&self, transaction: &TransactionId) -> Option<u64> {
        self.halves.get(transaction).copied()
    }

    pub(in crate::broker) fn totals(&self) -> Totals {
        self.totals
    }

    /// The number of the next lease.
    pub(in crate::broker) fn next_lease(&self) -> u64 {
        self.next_lease
    }

    /// The number of the next parked message.
    pub(in crate::broker) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Leases of the process before may have got lost on their way to the disk; their numbers are not given out again.
    pub(in crate::broker) fn pass_over_lost_leases(&mut self) {
        /// More than could wait for one commit.
        const MOST_LOST: u64 = 1 << 20;
        self.next_lease += MOST_LOST;
    }

    /// Everything in the state is on disk.
    pub(in crate::broker) fn reveal_all(&mut self) {
        let queues = self.topics.values_mut().flat_map(|topic| &mut topic.queues);
        queues.for_each(|queue| queue.visible = queue.next);
    }

    /// A message is on disk.
    pub(in crate::broker) fn reveal(&mut self, message: &Message) -> Option<&Topic> {
        let topic = self.topics.get_mut(&message.topic)?;
        let queue = topic.queues.get_mut(message.queue as usize)?;
        queue.visible = queue.visible.max(message.offset + 1).min(queue.next);
        Some(topic)
    }

    pub(in crate::broker) fn topic_mut(&mut self, name: &TopicName) -> Option<&mut Topic> {
        self.topics.get_mut(name)
    }

    /// Counters begin at zero in each process.
    pub(in crate::broker) fn zero_totals(&mut self) {
        self.totals = Totals::default();
        for topic in self.topics.values_mut() {
            topic.stored_total = 0;
        }
        for progress in self.progresses.iter_mut().flatten() {
            progress.consumed_total = 0;
        }
    }

    /// The earliest thing that happens by itself.
    pub(in crate::broker) fn next_due(&self) -> Option<(Timestamp, Due)> {
        self.due.first().copied()
    }

    /// Things due at `now`, earliest first.
    pub(in crate::broker) fn due(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Due)> + '_ {
        let upto = (now + std::time::Duration::from_millis(1), Due::MIN);
        self.due.range(..upto).copied()
    }

    /// Nobody needs to be woken for this any more.
    pub(in crate::broker) fn forget_due(&mut self, at: Timestamp, due: Due) {
        self.due.remove(&(at, due));
    }
}

impl Due {
    /// Sorts before all others of its moment.
    const MIN: Self = Self::Delivery {
        progress: 0,
        queue: 0,
        offset: 0,
    };
}
