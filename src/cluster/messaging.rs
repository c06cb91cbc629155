//! Requests and replies of [`crate::cluster::Messaging`].

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cluster::error::ClusterError;
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{Draft, Message, Properties};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::subscription::FilterExpression;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// Longest invisible duration (N15).
pub const MAX_INVISIBLE: Duration = Duration::from_secs(12 * 3600);
/// Shortest invisible duration of a receive (N15).
pub const MIN_INVISIBLE: Duration = Duration::from_secs(10);
/// Most messages of one receive (N15).
pub const MAX_RECEIVE: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRequest {
    pub topic: TopicName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub topic: TopicDefinition,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    pub drafts: Vec<Draft>,
}

impl Send {
    pub fn one(draft: Draft) -> Self {
        Self {
            drafts: vec![draft],
        }
    }
}

/// Proof that a message is stored (M3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReceipt {
    pub id: MessageId,
    pub queue: u32,
    /// Place in the queue; 0 while the message is parked.
    pub offset: u64,
    pub stored_at: Timestamp,
    pub transaction: Option<TransactionId>,
    /// Takes a delayed message back (L4).
    pub recall_handle: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receive {
    pub group: GroupName,
    pub topic: TopicName,
    /// One queue only; all when absent.
    pub queue: Option<u32>,
    pub filter: FilterExpression,
    /// 1-32.
    pub max: usize,
    /// 10 s-12 h; 60 s when absent.
    pub invisible: Option<Duration>,
    /// The lease is renewed while the caller's session lives (D8).
    pub auto_renew: bool,
    /// Real time to wait for a first message; zero asks once.
    pub poll: Duration,
    /// Same on the client's retry of one receive: gets the same FIFO messages again (F2).
    pub attempt_id: Option<String>,
}

/// A message handed to a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub message: Arc<Message>,
    /// Which delivery to this group, from 1 (D1).
    pub attempt: u32,
    pub handle: ReceiptHandle,
    pub invisible: Duration,
    /// Bounds of the message's queue at this moment (section 4.1 of the rules).
    pub min_offset: u64,
    pub max_offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub group: GroupName,
    pub topic: TopicName,
    pub handles: Vec<ReceiptHandle>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckOutcome {
    pub handle: ReceiptHandle,
    pub result: Result<(), ClusterError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeInvisible {
    pub group: GroupName,
    pub topic: TopicName,
    pub handle: ReceiptHandle,
    /// 0-12 h from now.
    pub invisible: Duration,
    /// True: the work goes on, the attempt does not count as failed. False: a nack, delivered again then (D4).
    pub extends: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardToDeadLetter {
    pub group: GroupName,
    pub topic: TopicName,
    pub handle: ReceiptHandle,
    /// System properties added to the dead letter, such as why it failed (TR-26); they count towards no limit.
    pub notes: Properties,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    Commit,
    Rollback,
    /// Stays pending; the next check asks again.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndTransaction {
    pub topic: Option<TopicName>,
    pub transaction: TransactionId,
    pub message_id: Option<MessageId>,
    pub resolution: Resolution,
    /// Answer to a check rather than the producer's own word (X5).
    pub from_check: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    pub topic: TopicName,
    pub handle: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// For permission and filters; pulling moves no offset.
    pub group: Option<GroupName>,
    pub topic: TopicName,
    pub queue: u32,
    pub offset: u64,
    pub max: usize,
    pub filter: FilterExpression,
    /// Real time to wait for a first message.
    pub poll: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    pub messages: Vec<Arc<Message>>,
    /// Pull from here next.
    pub next: u64,
    pub min_offset: u64,
    pub max_offset: u64,
}

/// Which offset of a queue is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetAt {
    Min,
    Max,
    /// The first message stored at or after this moment (O4).
    Time(Timestamp),
    /// Where this group goes on.
    Committed(GroupName),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetQuery {
    pub topic: TopicName,
    pub queue: u32,
    pub at: OffsetAt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetOf {
    /// Absent: the group has none on this queue.
    pub offset: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateOffset {
    pub group: GroupName,
    pub topic: TopicName,
    pub queue: u32,
    pub offset: u64,
}
