//! A cluster with topics and groups and no messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use moonport::cluster::admin::{
    ClientRow, DeadLetterResend, DeleteGroup, DeleteReport, DeleteTopic, GroupProgress, GroupRow,
    InstanceStatistics, MessageQuery, MessageTrace, ParkedMessage, PutGroup, PutTopic,
    ResendOutcome, ResetOffset, ResetReport, StoredMessage, TopicRow, TransactionRow,
};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{
    Ack, AckOutcome, ChangeInvisible, Delivery, EndTransaction, ForwardToDeadLetter, OffsetOf,
    OffsetQuery, Pull, Pulled, Recall, Receive, Route, RouteRequest, Send, SendReceipt,
    UpdateOffset,
};
use moonport::cluster::paging::{Page, Paged};
use moonport::cluster::session::{Caller, ClientSettings, ServerCommand};
use moonport::cluster::{Admin, Capabilities, Cluster, Messaging, Reply};
use moonport::domain::group::GroupDefinition;
use moonport::domain::ids::MessageId;
use moonport::domain::names::{ClientId, GroupName, TopicName};
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::topic::TopicDefinition;
use parking_lot::Mutex;

pub(super) struct FakeAdmin {
    pub(super) topics: Mutex<BTreeMap<TopicName, TopicDefinition>>,
    pub(super) groups: Mutex<BTreeMap<GroupName, GroupDefinition>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl FakeAdmin {
    pub(super) fn new(calls: Arc<Mutex<Vec<String>>>) -> Self {
        Self {
            topics: Mutex::default(),
            groups: Mutex::default(),
            calls,
        }
    }

    pub(super) fn cluster(self: Arc<Self>) -> Cluster {
        Cluster {
            messaging: Arc::new(Silent),
            admin: self,
        }
    }

    fn note(&self, call: String) {
        self.calls.lock().push(call);
    }
}

fn unsupported<T>() -> Reply<T> {
    Err(ClusterError::Unsupported(
        "do this, in this world".to_owned(),
    ))
}

#[async_trait]
impl Admin for FakeAdmin {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn topics(&self, _: Page) -> Reply<Paged<TopicRow>> {
        let topics = self.topics.lock();
        Ok(Paged::whole(
            topics.values().cloned().map(topic_row).collect(),
        ))
    }

    async fn topic(&self, topic: TopicName) -> Reply<TopicRow> {
        let found = self.topics.lock().get(&topic).cloned();
        found
            .map(topic_row)
            .ok_or(ClusterError::TopicNotFound(topic))
    }

    async fn put_topic(&self, request: PutTopic) -> Reply<TopicRow> {
        let definition = request.definition;
        self.note(format!("put topic {}", definition.name));
        let mut topics = self.topics.lock();
        topics.insert(definition.name.clone(), definition.clone());
        Ok(topic_row(definition))
    }

    async fn delete_topic(&self, request: DeleteTopic) -> Reply<DeleteReport> {
        self.note(format!("delete topic {}", request.topic));
        self.topics.lock().remove(&request.topic);
        Ok(DeleteReport::default())
    }

    async fn groups(&self, _: Page) -> Reply<Paged<GroupRow>> {
        let groups = self.groups.lock();
        Ok(Paged::whole(
            groups.values().cloned().map(group_row).collect(),
        ))
    }

    async fn group(&self, group: GroupName) -> Reply<GroupRow> {
        let found = self.groups.lock().get(&group).cloned();
        found
            .map(group_row)
            .ok_or(ClusterError::GroupNotFound(group))
    }

    async fn put_group(&self, request: PutGroup) -> Reply<GroupRow> {
        let definition = request.definition;
        self.note(format!("put group {}", definition.name));
        let mut groups = self.groups.lock();
        groups.insert(definition.name.clone(), definition.clone());
        Ok(group_row(definition))
    }

    async fn delete_group(&self, request: DeleteGroup) -> Reply<DeleteReport> {
        self.note(format!("delete group {}", request.group));
        self.groups.lock().remove(&request.group);
        Ok(DeleteReport::default())
    }

    async fn progress(&self, _: GroupName) -> Reply<Vec<GroupProgress>> {
        unsupported()
    }

    async fn reset_offset(&self, _: ResetOffset) -> Reply<ResetReport> {
        unsupported()
    }

    async fn messages(&self, _: MessageQuery, _: Page) -> Reply<Paged<StoredMessage>> {
        unsupported()
    }

    async fn pending(&self, _: Option<TopicName>, _: Page) -> Reply<Paged<ParkedMessage>> {
        unsupported()
    }

    async fn transactions(&self, _: Page) -> Reply<Paged<TransactionRow>> {
        unsupported()
    }

    async fn trace(&self, _: MessageId) -> Reply<Vec<MessageTrace>> {
        unsupported()
    }

    async fn resend(&self, _: DeadLetterResend) -> Reply<Vec<ResendOutcome>> {
        unsupported()
    }

    async fn clients(&self, _: Option<GroupName>) -> Reply<Vec<ClientRow>> {
        unsupported()
    }

    async fn statistics(&self) -> Reply<InstanceStatistics> {
        unsupported()
    }
}

fn topic_row(definition: TopicDefinition) -> TopicRow {
    TopicRow {
        definition,
        queues: Vec::new(),
        messages: 0,
        bytes: None,
        parked: 0,
        stored_total: 0,
        groups: Vec::new(),
        last_stored_at: None,
    }
}

fn group_row(definition: GroupDefinition) -> GroupRow {
    GroupRow {
        definition,
        topics: Vec::new(),
        ready: 0,
        in_flight: 0,
        retrying: 0,
        next_retry_at: None,
        dead_letters: 0,
        delay_time: Duration::ZERO,
        last_consumed_at: None,
        consumed_total: 0,
        lost_total: 0,
        clients: Vec::new(),
        inconsistent: None,
    }
}

/// Messaging that does nothing: files hold no messages.
struct Silent;

#[async_trait]
impl Messaging for Silent {
    async fn route(&self, _: &Caller, _: RouteRequest) -> Reply<Route> {
        unsupported()
    }

    async fn send(&self, _: &Caller, _: Send) -> Reply<Vec<Reply<SendReceipt>>> {
        unsupported()
    }

    async fn receive(&self, _: &Caller, _: Receive) -> Reply<Vec<Delivery>> {
        unsupported()
    }

    async fn ack(&self, _: &Caller, _: Ack) -> Reply<Vec<AckOutcome>> {
        unsupported()
    }

    async fn change_invisible(&self, _: &Caller, _: ChangeInvisible) -> Reply<ReceiptHandle> {
        unsupported()
    }

    async fn forward_to_dead_letter(&self, _: &Caller, _: ForwardToDeadLetter) -> Reply<()> {
        unsupported()
    }

    async fn end_transaction(&self, _: &Caller, _: EndTransaction) -> Reply<()> {
        unsupported()
    }

    async fn recall(&self, _: &Caller, _: Recall) -> Reply<MessageId> {
        unsupported()
    }

    async fn pull(&self, _: &Caller, _: Pull) -> Reply<Pulled> {
        unsupported()
    }

    async fn offset(&self, _: &Caller, _: OffsetQuery) -> Reply<OffsetOf> {
        unsupported()
    }

    async fn update_offset(&self, _: &Caller, _: UpdateOffset) -> Reply<()> {
        unsupported()
    }

    async fn open_session(&self, _: &Caller, _: ClientSettings) -> Reply<ClientSettings> {
        unsupported()
    }

    async fn heartbeat(&self, _: &Caller) -> Reply<()> {
        unsupported()
    }

    async fn close_session(&self, _: &Caller) -> Reply<()> {
        unsupported()
    }

    fn commands(&self, _: &ClientId) -> BoxStream<'static, ServerCommand> {
        stream::empty().boxed()
    }
}
