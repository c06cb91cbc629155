//! THE SEAM between whoever uses messages and whoever keeps them.
//!
//! [`Messaging`] is what producers and consumers do, [`Admin`] what their keeper does. The embedded broker implements
//! both, a remote RocketMQ cluster may implement one. Every method takes the caller and one request struct; no handles and
//! closures cross the seam, so the same structs travel over a socket.

pub mod admin;
pub mod error;
pub mod messaging;
pub mod paging;
pub mod session;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::cluster::admin::{
    ClientRow, DeadLetterResend, DeleteGroup, DeleteReport, DeleteTopic, GroupProgress, GroupRow,
    InstanceStatistics, MessageQuery, MessageTrace, ParkedMessage, PutGroup, PutTopic,
    ResendOutcome, ResetOffset, ResetReport, StoredMessage, TopicRow, TransactionRow,
};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{
    Ack, AckOutcome, ChangeInvisible, Delivery, EndTransaction, ForwardToDeadLetter, OffsetOf,
    OffsetQuery, Pull, Pulled, Recall, Receive, Route, RouteRequest, Send, SendReceipt,
    UpdateOffset,
};
use crate::cluster::paging::{Page, Paged};
use crate::cluster::session::{Caller, ClientSettings, ServerCommand};
use crate::domain::ids::MessageId;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use futures_util::stream::BoxStream;

pub type Reply<T> = Result<T, ClusterError>;

/// What producers and consumers do.
#[async_trait]
pub trait Messaging: std::marker::Send + Sync {
    /// Queues of a topic; makes the topic where auto-create is on.
    async fn route(&self, caller: &Caller, request: RouteRequest) -> Reply<Route>;

    /// Stores messages; each has its own outcome, in the order of the request. An `Ok` is durable.
    async fn send(&self, caller: &Caller, request: Send) -> Reply<Vec<Reply<SendReceipt>>>;

    /// Leases up to `max` messages, waiting for the first until the poll deadline; empty when none came.
    async fn receive(&self, caller: &Caller, request: Receive) -> Reply<Vec<Delivery>>;

    /// Settles deliveries; each has its own outcome, in the order of the request. An `Ok` is durable.
    async fn ack(&self, caller: &Caller, request: Ack) -> Reply<Vec<AckOutcome>>;

    /// Moves a delivery's deadline: a longer lease, or a retry at that moment (D4). Returns the new handle.
    async fn change_invisible(
        &self,
        caller: &Caller,
        request: ChangeInvisible,
    ) -> Reply<ReceiptHandle>;

    async fn forward_to_dead_letter(
        &self,
        caller: &Caller,
        request: ForwardToDeadLetter,
    ) -> Reply<()>;

    /// Commits or rolls back a half message (X2); a second end has no effect.
    async fn end_transaction(&self, caller: &Caller, request: EndTransaction) -> Reply<()>;

    /// Takes back a delayed message that is not yet due (L4).
    async fn recall(&self, caller: &Caller, request: Recall) -> Reply<MessageId>;

    /// Reads by offset without a lease (D10).
    async fn pull(&self, caller: &Caller, request: Pull) -> Reply<Pulled>;

    /// Finds an offset: minimum, maximum, by time, or committed.
    async fn offset(&self, caller: &Caller, request: OffsetQuery) -> Reply<OffsetOf>;

    /// Commits an offset of a pulling group.
    async fn update_offset(&self, caller: &Caller, request: UpdateOffset) -> Reply<()>;

    /// Opens or renews a client's session with what it is and wants; returns what holds for it.
    async fn open_session(
        &self,
        caller: &Caller,
        settings: ClientSettings,
    ) -> Reply<ClientSettings>;

    /// Keeps a session alive; without one for 120 s it ends (W2).
    async fn heartbeat(&self, caller: &Caller) -> Reply<()>;

    /// Ends a session; what it holds becomes ready within 1 s (W2).
    async fn close_session(&self, caller: &Caller) -> Reply<()>;

    /// What the broker wants of the client `client`: transaction checks (X4).
    fn commands(&self, client: &ClientId) -> BoxStream<'static, ServerCommand>;
}

/// What the keeper of a cluster does.
#[async_trait]
pub trait Admin: std::marker::Send + Sync {
    fn capabilities(&self) -> Capabilities;

    async fn topics(&self, page: Page) -> Reply<Paged<TopicRow>>;
    async fn topic(&self, topic: TopicName) -> Reply<TopicRow>;
    async fn put_topic(&self, request: PutTopic) -> Reply<TopicRow>;
    async fn delete_topic(&self, request: DeleteTopic) -> Reply<DeleteReport>;

    async fn groups(&self, page: Page) -> Reply<Paged<GroupRow>>;
    async fn group(&self, group: GroupName) -> Reply<GroupRow>;
    async fn put_group(&self, request: PutGroup) -> Reply<GroupRow>;
    async fn delete_group(&self, request: DeleteGroup) -> Reply<DeleteReport>;

    /// Offsets and lag per queue (section 5.1 of the rules).
    async fn progress(&self, group: GroupName) -> Reply<Vec<GroupProgress>>;
    async fn reset_offset(&self, request: ResetOffset) -> Reply<ResetReport>;

    /// Stored messages by id, key, or topic and time (Y1, Y2); bodies included.
    async fn messages(&self, query: MessageQuery, page: Page) -> Reply<Paged<StoredMessage>>;
    /// Delayed messages that are not yet due (L3).
    async fn pending(&self, topic: Option<TopicName>, page: Page) -> Reply<Paged<ParkedMessage>>;
    /// Half messages that wait for their producer.
    async fn transactions(&self, page: Page) -> Reply<Paged<TransactionRow>>;
    async fn trace(&self, id: MessageId) -> Reply<Vec<MessageTrace>>;

    /// Re-sends dead letters (Q6); each has its own outcome.
    async fn resend(&self, request: DeadLetterResend) -> Reply<Vec<ResendOutcome>>;

    async fn clients(&self, group: Option<GroupName>) -> Reply<Vec<ClientRow>>;
    async fn statistics(&self) -> Reply<InstanceStatistics>;
}

/// One cluster behind the seam.
#[derive(Clone)]
pub struct Cluster {
    pub messaging: Arc<dyn Messaging>,
    pub admin: Arc<dyn Admin>,
}

/// A thing a cluster may be able to do; screens grey out what it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    EditTopics,
    EditGroups,
    ResetOffsets,
    QueryMessages,
    PendingDelays,
    Transactions,
    Traces,
    ResendDeadLetters,
    ResendToGroup,
    Clients,
    ExactLag,
}

impl Capability {
    pub const ALL: [Self; 11] = [
        Self::EditTopics,
        Self::EditGroups,
        Self::ResetOffsets,
        Self::QueryMessages,
        Self::PendingDelays,
        Self::Transactions,
        Self::Traces,
        Self::ResendDeadLetters,
        Self::ResendToGroup,
        Self::Clients,
        Self::ExactLag,
    ];
}

/// What this cluster can do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities(pub BTreeSet<Capability>);

impl Capabilities {
    pub fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }
}
