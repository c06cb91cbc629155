//! What the broker's journal holds. The state of an instance is the fold of its records, live and on replay.

use serde::{Deserialize, Serialize};

use crate::domain::group::GroupDefinition;
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{Message, Place};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// One fact about one instance's broker, in the order the facts happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A topic was made or changed.
    TopicPut(TopicDefinition),
    TopicDeleted {
        topic: TopicName,
    },
    /// A group was made or changed.
    GroupPut(GroupDefinition),
    /// A group was deleted; `offsets` says whether its progress went too (G7).
    GroupDeleted {
        group: GroupName,
        offsets: bool,
    },
    /// A group met a topic for the first time and starts at these offsets, one per queue (O3).
    Joined {
        group: GroupName,
        topic: TopicName,
        offsets: Vec<u64>,
    },
    /// A message is in its queue, ready for every group. `parked` names the delayed or half message it was until now.
    Stored {
        message: Message,
        parked: Option<u64>,
    },
    /// A delayed or half message waits outside its queue; its `queue` and `offset` are not yet meant.
    Parked {
        number: u64,
        message: Message,
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
    /// A message was handed to a group's member until `deadline`. Rides in the next commit; receive does not wait for it.
    Leased {
        group: GroupName,
        place: Place,
        attempt: u32,
        lease: u64,
        deadline: Timestamp,
        at: Timestamp,
    },
    /// A delivery failed or was put back: it is delivered again as `attempt` at `due`.
    Postponed {
        group: GroupName,
        place: Place,
        attempt: u32,
        due: Timestamp,
        at: Timestamp,
        why: Postponing,
    },
    /// A group is done with a message.
    Settled {
        group: GroupName,
        place: Place,
        attempt: u32,
        how: Settling,
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
    /// A person moved a group's offset (Z2): in-flight, waiting and acked messages of that queue are forgotten.
    OffsetReset {
        group: GroupName,
        topic: TopicName,
        queue: u32,
        offset: u64,
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

/// What ends the waiting of a parked message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Until {
    /// A DELAY message: this moment.
    Due(Timestamp),
    /// A half message: its producer's word, asked for first at `check` (X3).
    Ended {
        transaction: TransactionId,
        check: Timestamp,
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
    /// Its topic was deleted.
    TopicDeleted,
}

/// Why a delivery comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Postponing {
    /// The consumer said so (D4).
    Nacked,
    /// Its invisible duration ran out (D5).
    Expired,
    /// A person put a dead letter back for this group only (Q6 c).
    Requeued,
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
    /// The group's filter does not want it.
    Filtered,
}
