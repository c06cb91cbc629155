//! Requests and replies of [`crate::cluster::Admin`]. Figures a remote cluster cannot give are `Option`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cluster::error::ClusterError;
use crate::cluster::session::ClientKind;
use crate::domain::group::GroupDefinition;
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{Draft, Message, Place};
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::subscription::Subscription;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

/// Whether a put may make, change, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PutMode {
    /// Fails when it exists with another definition.
    Create,
    /// Fails when it does not exist.
    Update,
    #[default]
    Either,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutTopic {
    pub definition: TopicDefinition,
    pub mode: PutMode,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutGroup {
    pub definition: GroupDefinition,
    pub mode: PutMode,
    /// Topics the group joins now, so that its start offsets are durable before any message comes.
    pub join: Vec<TopicName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTopic {
    pub topic: TopicName,
    /// Only count what would go (T9).
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteGroup {
    pub group: GroupName,
    /// Offsets, retries and the dead letter topic go too (G7).
    pub with_offsets: bool,
    pub with_dead_letters: bool,
    pub dry_run: bool,
}

/// What a deletion takes along.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeleteReport {
    pub messages: u64,
    pub pending: u64,
    pub offsets: u64,
    pub in_flight: u64,
    pub retrying: u64,
    pub dead_letters: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRow {
    pub definition: TopicDefinition,
    pub queues: Vec<QueueRow>,
    pub messages: u64,
    /// Bodies, properties and names of the messages in its queues; within a few percent once some of very many left.
    pub bytes: Option<u64>,
    /// Delayed and half messages that wait outside the queues.
    pub parked: u64,
    /// Messages ever stored since this process began; rates are differences of it.
    pub stored_total: u64,
    pub groups: Vec<GroupName>,
    pub last_stored_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    pub queue: u32,
    pub min_offset: u64,
    pub max_offset: u64,
    pub last_stored_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    pub definition: GroupDefinition,
    pub topics: Vec<TopicName>,
    pub ready: u64,
    pub in_flight: u64,
    /// Waiting for their backoff.
    pub retrying: u64,
    pub next_retry_at: Option<Timestamp>,
    pub dead_letters: u64,
    /// Now minus the ready time of the oldest unacked message; zero if none.
    pub delay_time: Duration,
    pub last_consumed_at: Option<Timestamp>,
    /// Messages acked since this process began.
    pub consumed_total: u64,
    /// Messages that left by retention before this group was done with them (O2).
    pub lost_total: u64,
    pub clients: Vec<ClientId>,
    /// `None` while no member is there; else members whose subscription differs from the others' (G6).
    pub inconsistent: Option<Vec<ClientId>>,
}

impl GroupRow {
    /// Ready plus in flight.
    pub fn lag(&self) -> u64 {
        self.ready + self.in_flight
    }
}

/// A group on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupProgress {
    pub topic: TopicName,
    pub queues: Vec<QueueProgress>,
}

/// Section 5.1 of the rules, for one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueProgress {
    pub queue: u32,
    pub min_offset: u64,
    pub max_offset: u64,
    /// The lowest offset that is not consumed.
    pub committed: u64,
    /// The next one to hand out.
    pub pulled: u64,
    pub ready: u64,
    pub in_flight: u64,
    pub retrying: u64,
    /// Acked messages above `committed`.
    pub acked_ahead: u64,
    pub delay_time: Duration,
    pub queueing_time: Duration,
    /// Message groups that block behind an unacked message, with its offset (F2).
    pub blocked: Vec<(String, u64)>,
}

/// Where a reset goes (Z1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResetTo {
    Latest,
    Earliest,
    Time(Timestamp),
    /// Must lie between minimum and maximum.
    Offset(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetOffset {
    pub group: GroupName,
    pub topic: TopicName,
    /// One queue only; all when absent.
    pub queue: Option<u32>,
    pub to: ResetTo,
    pub dry_run: bool,
}

/// Per queue what a reset does or would do (Z5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetReport {
    pub queues: Vec<ResetRow>,
    pub applied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetRow {
    pub queue: u32,
    pub old: u64,
    pub new: u64,
    /// Messages that will be delivered again.
    pub redelivered: u64,
    /// Messages that will never be delivered.
    pub skipped: u64,
}

/// Which stored messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageQuery {
    /// By id; at most 32 (Y1).
    Id(MessageId),
    /// By topic and key, newest first, stored between two moments, both included; at most 64 (Y1).
    Key {
        topic: TopicName,
        key: String,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    },
    /// By topic and store time, in order of store time, both ends included (Y2).
    Time {
        topic: TopicName,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        /// Newest first.
        newest_first: bool,
    },
    /// One queue from an offset on.
    Offset {
        topic: TopicName,
        queue: u32,
        offset: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    pub message: Arc<Message>,
}

/// A delayed message that is not yet due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedMessage {
    pub message: Arc<Message>,
    pub due: Timestamp,
    pub recall_handle: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRow {
    pub transaction: TransactionId,
    pub message: Arc<Message>,
    pub checks: u32,
    pub next_check_at: Timestamp,
}

/// One message's life (K1-K4). Messages sent twice under one id have a trace each (M2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTrace {
    pub id: MessageId,
    pub topic: TopicName,
    /// Absent while parked, and when it never reached its queue.
    pub place: Option<Place>,
    pub message: Option<Arc<Message>>,
    pub steps: Vec<TraceStep>,
    pub groups: Vec<GroupTrace>,
}

/// What happened to a message before any group saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    pub at: Timestamp,
    /// In a few words: `stored`, `parked until …`, `recalled`, `checked 2 times`.
    pub what: String,
}

/// A message and one group (K4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTrace {
    pub group: GroupName,
    pub status: ConsumeStatus,
    pub attempts: Vec<AttemptTrace>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumeStatus {
    /// Before the group's start offset.
    NotSubscribed,
    FilteredOut,
    /// Ready, nobody took it yet.
    NotConsumed,
    /// Behind an unacked message of its message group (F2).
    Blocked {
        by: u64,
    },
    InFlight {
        until: Timestamp,
    },
    Retrying {
        attempt: u32,
        due: Timestamp,
    },
    Consumed,
    Dead {
        place: Place,
    },
    Discarded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptTrace {
    pub attempt: u32,
    pub delivered_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// `acked`, `nacked`, `expired`, `dead`, or `in flight`.
    pub outcome: String,
    pub client: Option<ClientId>,
}

/// Where a dead letter goes (Q6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResendTo {
    /// A new message in its origin topic: all groups receive it again.
    Topic,
    /// The failing group only, attempts from 1.
    Group,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterResend {
    /// Places in dead letter topics.
    pub letters: Vec<Place>,
    pub to: ResendTo,
    /// Replaces the letter's content: for a single edited letter to its topic.
    pub edited: Option<Draft>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResendOutcome {
    pub letter: Place,
    /// The id of the new message, or of the one put back.
    pub result: Result<MessageId, ClusterError>,
}

/// A connected client (W1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRow {
    pub id: ClientId,
    pub kind: ClientKind,
    pub host: Option<String>,
    pub language: String,
    pub version: String,
    pub group: Option<GroupName>,
    pub subscriptions: Vec<Subscription>,
    pub publishing: Vec<TopicName>,
    pub connected_at: Timestamp,
    pub last_heartbeat_at: Timestamp,
}

/// Counters since this process began, and sizes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InstanceStatistics {
    pub topics: u64,
    pub groups: u64,
    pub messages: u64,
    pub bytes: u64,
    /// Bytes the store's files occupy.
    pub file_bytes: u64,
    pub stored_total: u64,
    pub delivered_total: u64,
    pub acked_total: u64,
    pub retried_total: u64,
    pub dead_total: u64,
    pub dead_letters: u64,
    pub ready: u64,
    pub in_flight: u64,
    pub retrying: u64,
    pub parked: u64,
    pub clients: u64,
    /// The store refuses writes; why is in the status of the instance.
    pub read_only: bool,
}
