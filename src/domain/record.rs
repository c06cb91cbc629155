//! What the broker's journal holds. The state of an instance is the fold of its records, live and on replay.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::group::GroupDefinition;
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{Message, Place};
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// One fact about one instance's broker, in the order the facts happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A topic was made or changed.
    TopicPut(TopicDefinition),
    /// A topic is gone with its messages, the parked ones and all progress on it (T9).
    TopicDeleted { topic: TopicName, at: Timestamp },
    /// A group was made or changed.
    GroupPut(GroupDefinition),
    /// A group was deleted; `offsets` says whether its progress went too (G7).
    GroupDeleted {
        group: GroupName,
        offsets: bool,
        at: Timestamp,
    },
    /// A group met a topic for the first time and starts at these offsets, one per queue; queues that come later start at
    /// their minimum (O3).
    Joined {
        group: GroupName,
        topic: TopicName,
        offsets: Vec<u64>,
        at: Timestamp,
    },
    /// A message is in its queue, ready for every group. `parked` names the delayed or half message it was until now.
    Stored {
        message: Arc<Message>,
        parked: Option<u64>,
    },
    /// A delayed or half message waits outside its queue; its `offset` is not yet meant. `number` is never reused.
    Parked {
        number: u64,
        message: Arc<Message>,
        until: Until,
    },
    /// A parked message is gone without reaching its queue.
    Unparked {
        number: u64,
        id: MessageId,
        why: Unparking,
        at: Timestamp,
    },
    /// A half message's producer was asked, for the `times`-th time (X5).
    Checked {
        number: u64,
        times: u32,
        next: Timestamp,
        at: Timestamp,
    },
    /// A half message's producer gave its word (X5); the record that stores or drops the message goes with this one.
    Ended {
        number: u64,
        commit: bool,
        /// The word answered a check.
        from_check: bool,
        at: Timestamp,
    },
    /// A message that its sender gave an id failed the checks and was not stored (section 6 of the rules).
    Refused {
        id: MessageId,
        topic: TopicName,
        why: String,
        host: Option<String>,
        at: Timestamp,
    },
    /// Messages of one queue were handed to a member of a group until `deadline`. Rides in the next commit; receive does
    /// not wait for it. The same attempt again is a renewal.
    Leased {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        client: Option<ClientId>,
        deadline: Timestamp,
        at: Timestamp,
        deliveries: Vec<Leasing>,
    },
    /// A delivery failed or was put back: it is delivered again as `attempt` at `due`.
    Postponed {
        group: GroupName,
        place: Place,
        attempt: u32,
        due: Timestamp,
        at: Timestamp,
        why: Postponing,
        /// Its message group, where the group is orderly.
        message_group: Option<Arc<str>>,
    },
    /// A group is done with these messages of one queue: offsets, each with the attempt that ended it.
    Settled {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        how: Settling,
        at: Timestamp,
        deliveries: Vec<(u64, u32)>,
    },
    /// The group's filter does not want the messages of these ranges, each from its first offset to before its second.
    /// Rides in the next commit as a lease does.
    Skipped {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        ranges: Vec<(u64, u64)>,
        at: Timestamp,
    },
    /// A group moved its offset by pull (section 5.1 of the rules): everything before `offset` is consumed.
    OffsetCommitted {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        offset: u64,
        at: Timestamp,
    },
    /// A person moved a group's offset (Z2): in-flight, waiting and acked messages of that queue are forgotten, and leases
    /// numbered below `lease` are void.
    OffsetReset {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        offset: u64,
        lease: u64,
        at: Timestamp,
    },
    /// Messages before `offset` left the queue by retention.
    Trimmed {
        topic: TopicName,
        queue: u32,
        offset: u64,
        at: Timestamp,
    },
}

/// One message of a [`Record::Leased`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leasing {
    pub offset: u64,
    pub attempt: u32,
    /// Rises with each lease of the instance.
    pub lease: u64,
    /// Its message group, where the group is orderly.
    pub message_group: Option<Arc<str>>,
}

/// What ends the waiting of a parked message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Until {
    /// A DELAY message: this moment.
    Due(Timestamp),
    /// A half message: its producer's word, asked for first at `check` (X3).
    Ended {
        transaction: TransactionId,
        check: Timestamp,
        /// Who sent it and is asked first (X4).
        client: Option<ClientId>,
    },
}

/// Why a parked message never reached its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unparking {
    /// Its sender took it back before it was due (L4).
    Recalled,
    /// Its transaction was rolled back (X2).
    RolledBack,
    /// No word after the last check (X3).
    GaveUp,
}

/// Why a delivery comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Postponing {
    /// The consumer said so (D4).
    Nacked,
    /// Its invisible duration ran out (D5).
    Expired,
    /// Its holder, a trigger, stopped in good order and gave it back; the attempt does not count.
    Released,
    /// A person put the dead letter at this place back for this group only (Q6 c).
    Requeued(Place),
}

/// How a group got done with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settling {
    Acked,
    /// Retries used up; the copy in the dead letter topic has this place.
    Dead(Place),
    /// Retries used up and the group keeps no dead letters (Q4).
    Discarded,
}

/// What a record is about: the keys under which a trace finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A message in its queue.
    Place {
        topic: &'a TopicName,
        queue: u32,
        offset: u64,
    },
    /// A delayed or half message.
    Parked(u64),
    /// A message that was never stored.
    Id(&'a MessageId),
}

impl Record {
    /// Calls `each` with everything this record tells about single messages; none for definitions and offsets.
    pub fn subjects<'a>(&'a self, mut each: impl FnMut(Subject<'a>)) {
        let at = |topic, queue, offset| Subject::Place {
            topic,
            queue,
            offset,
        };
        match self {
            Self::Stored { message, parked } => {
                each(at(&message.topic, message.queue, message.offset));
                if let Some(number) = parked {
                    each(Subject::Parked(*number));
                }
            }
            Self::Parked { number, .. }
            | Self::Unparked { number, .. }
            | Self::Checked { number, .. }
            | Self::Ended { number, .. } => each(Subject::Parked(*number)),
            Self::Refused { id, .. } => each(Subject::Id(id)),
            Self::Leased {
                topic,
                queue,
                deliveries,
                ..
            } => {
                for delivery in deliveries {
                    each(at(topic, *queue, delivery.offset));
                }
            }
            Self::Postponed { place, .. } => each(at(&place.topic, place.queue, place.offset)),
            Self::Settled {
                topic,
                queue,
                deliveries,
                ..
            } => {
                for (offset, _) in deliveries {
                    each(at(topic, *queue, *offset));
                }
            }
            Self::TopicPut(_)
            | Self::TopicDeleted { .. }
            | Self::GroupPut(_)
            | Self::GroupDeleted { .. }
            | Self::Joined { .. }
            | Self::Skipped { .. }
            | Self::OffsetCommitted { .. }
            | Self::OffsetReset { .. }
            | Self::Trimmed { .. } => {}
        }
    }
}
