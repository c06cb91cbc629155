//! A broker over a journal in memory, with clocks that move only by hand.

use std::sync::Arc;
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::admin::{
    GroupProgress, GroupRow, MessageQuery, MessageTrace, PutGroup, PutMode, PutTopic, StoredMessage,
};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{Ack, ChangeInvisible, Delivery, Receive, Send, SendReceipt};
use moonport::cluster::paging::Page;
use moonport::cluster::session::{Caller, ClientKind, ClientSettings};
use moonport::cluster::{Admin as _, Messaging as _, Reply};
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::ids::{MessageId, MessageIdGenerator};
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::Draft;
use moonport::domain::names::{ClientId, GroupName, InstanceId, TopicName};
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::retry_policy::RetryPolicy;
use moonport::domain::subscription::{FilterExpression, Subscription};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::store::memory::MemoryStore;

/// The moment every test begins at: 2026-06-12T13:54:44.388Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_781_272_484_388);

/// Real time after which something that never comes fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A broker with everything around it. Groups made here start at the earliest message.
pub(crate) struct TestBroker {
    pub(crate) broker: Broker,
    pub(crate) clock: BrokerClock,
    pub(crate) real: RealClock,
    pub(crate) store: MemoryStore,
    pub(crate) feed: Feed,
    pub(crate) definition: InstanceDefinition,
}

impl TestBroker {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A broker of an instance with a changed definition.
    pub(crate) fn with(change: impl FnOnce(&mut InstanceDefinition)) -> Self {
        let mut definition = Self::instance();
        change(&mut definition);
        let clock = BrokerClock::still(START);
        Self::over(MemoryStore::new(), clock, definition)
    }

    /// A broker on a certain machine: its message ids and its host name.
    pub(crate) fn on_machine(ids: MessageIdGenerator, host_name: &str) -> Self {
        let clock = BrokerClock::still(START);
        Self::open(MemoryStore::new(), clock, Self::instance(), |options| {
            options.ids = Arc::new(ids);
            host_name.clone_into(&mut options.host_name);
        })
    }

    fn instance() -> InstanceDefinition {
        let id = InstanceId::new("rmq-sg-ycx4tph7q02").unwrap();
        let region = "ap-southeast-5".to_owned();
        InstanceDefinition::new(id, "orders".to_owned(), region, START)
    }

    fn over(store: MemoryStore, clock: BrokerClock, definition: InstanceDefinition) -> Self {
        Self::open(store, clock, definition, |_| {})
    }

    fn open(
        store: MemoryStore,
        clock: BrokerClock,
        definition: InstanceDefinition,
        change: impl FnOnce(&mut BrokerOptions),
    ) -> Self {
        let real = RealClock::manual();
        let feed = Feed::new(1000);
        let mut options = BrokerOptions {
            definition: definition.clone(),
            journal: store.open(),
            clock: clock.clone(),
            real: real.clone(),
            ids: Arc::new(MessageIdGenerator::new([2, 0, 0, 0, 0, 1], 1, 0)),
            host_name: "test-host".to_owned(),
            feed: feed.clone(),
        };
        change(&mut options);
        Self {
            broker: Broker::open(options).unwrap(),
            clock,
            real,
            store,
            feed,
            definition,
        }
    }

    /// Stops the broker and opens another one over what it left.
    pub(crate) async fn restart(self) -> Self {
        self.broker.close().await;
        Self::over(self.store, self.clock, self.definition)
    }

    /// Another broker over what one left that ended without a word.
    pub(crate) fn after_crash(self) -> Self {
        let Self {
            broker,
            store,
            clock,
            definition,
            ..
        } = self;
        drop(broker);
        Self::over(store, clock, definition)
    }

    pub(crate) async fn topic(self, name: &str, topic_type: TopicType, queues: u32) -> Self {
        let definition = TopicDefinition::new(topic(name), topic_type, queues, START);
        self.put_topic(definition).await.unwrap();
        self
    }

    pub(crate) async fn put_topic(&self, definition: TopicDefinition) -> Reply<()> {
        let mode = PutMode::Either;
        let request = PutTopic { definition, mode };
        self.broker.put_topic(request).await.map(drop)
    }

    /// A concurrent group with so many retries of the documented table.
    pub(crate) async fn group(self, name: &str, max_retries: u32) -> Self {
        self.put_group(name, |group| group.max_retries = max_retries)
            .await
    }

    pub(crate) async fn orderly_group(self, name: &str, max_retries: u32) -> Self {
        self.put_group(name, |group| {
            group.order = DeliveryOrder::Orderly;
            group.retry_policy = RetryPolicy::ORDERLY_DEFAULT;
            group.max_retries = max_retries;
        })
        .await
    }

    pub(crate) async fn put_group(
        self,
        name: &str,
        change: impl FnOnce(&mut GroupDefinition),
    ) -> Self {
        let mut definition = GroupDefinition::new(group(name), DeliveryOrder::Concurrent, START);
        definition.first_seen = FirstSeen::Earliest;
        change(&mut definition);
        let request = PutGroup {
            definition,
            mode: PutMode::Either,
            join: Vec::new(),
        };
        self.broker.put_group(request).await.unwrap();
        self
    }

    /// Lets a group begin on a topic now.
    pub(crate) async fn join(&self, group_name: &str, topic_name: &str) {
        let row = self.broker.group(group(group_name)).await.unwrap();
        let request = PutGroup {
            definition: row.definition,
            mode: PutMode::Either,
            join: vec![topic(topic_name)],
        };
        self.broker.put_group(request).await.unwrap();
    }

    pub(crate) async fn try_send(&self, draft: Draft) -> Reply<SendReceipt> {
        let mut outcomes = self
            .broker
            .send(&Caller::local(), Send::one(draft))
            .await
            .unwrap();
        outcomes.pop().unwrap()
    }

    pub(crate) async fn send_draft(&self, draft: Draft) -> SendReceipt {
        self.try_send(draft).await.unwrap()
    }

    pub(crate) async fn send(&self, topic_name: &str, body: &str) -> SendReceipt {
        self.send_draft(draft(topic_name, body)).await
    }

    /// What is ready now, at most 32 messages.
    pub(crate) async fn receive(&self, group: &str, topic: &str) -> Vec<Delivery> {
        self.try_receive(receive(group, topic)).await.unwrap()
    }

    pub(crate) async fn receive_some(&self, group: &str, topic: &str, max: usize) -> Vec<Delivery> {
        let request = Receive {
            max,
            ..receive(group, topic)
        };
        self.try_receive(request).await.unwrap()
    }

    pub(crate) async fn try_receive(&self, request: Receive) -> Reply<Vec<Delivery>> {
        self.receive_as(&Caller::local(), request).await
    }

    pub(crate) async fn receive_as(
        &self,
        caller: &Caller,
        request: Receive,
    ) -> Reply<Vec<Delivery>> {
        within(self.broker.receive(caller, request)).await
    }

    /// Waits for at least one message; time does not pass meanwhile.
    pub(crate) async fn await_messages(&self, group: &str, topic: &str) -> Vec<Delivery> {
        let request = Receive {
            poll: seconds(3600),
            ..receive(group, topic)
        };
        self.try_receive(request).await.unwrap()
    }

    pub(crate) async fn try_ack(&self, handle: &ReceiptHandle) -> Result<(), ClusterError> {
        let request = Ack {
            group: handle.group.clone(),
            topic: handle.topic.clone(),
            handles: vec![handle.clone()],
        };
        let outcomes = self.broker.ack(&Caller::local(), request).await?;
        outcomes.into_iter().next().unwrap().result
    }

    pub(crate) async fn ack(&self, delivery: &Delivery) {
        self.try_ack(&delivery.handle).await.unwrap();
    }

    pub(crate) async fn ack_all(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            self.ack(delivery).await;
        }
    }

    /// The message comes again after `delay`.
    pub(crate) async fn nack(&self, delivery: &Delivery, delay: Duration) -> ReceiptHandle {
        let request = change(&delivery.handle, delay, false);
        let caller = Caller::local();
        self.broker
            .change_invisible(&caller, request)
            .await
            .unwrap()
    }

    pub(crate) async fn extend(
        &self,
        handle: &ReceiptHandle,
        span: Duration,
    ) -> Reply<ReceiptHandle> {
        let request = change(handle, span, true);
        self.broker
            .change_invisible(&Caller::local(), request)
            .await
    }

    /// Does what is due now and waits until it is durable.
    pub(crate) async fn settle(&self) {
        self.broker.statistics().await.unwrap();
        let nothing = Ack {
            group: group("nobody"),
            topic: topic("nothing"),
            handles: Vec::new(),
        };
        self.broker.ack(&Caller::local(), nothing).await.unwrap();
        self.broker.statistics().await.unwrap();
    }

    pub(crate) async fn step(&self, span: Duration) {
        self.clock.step(span);
        self.settle().await;
    }

    pub(crate) async fn progress(&self, name: &str) -> Vec<GroupProgress> {
        self.broker.progress(group(name)).await.unwrap()
    }

    pub(crate) async fn group_row(&self, name: &str) -> GroupRow {
        self.broker.group(group(name)).await.unwrap()
    }

    pub(crate) async fn stored(&self, topic_name: &str) -> Vec<StoredMessage> {
        let query = MessageQuery::Time {
            topic: topic(topic_name),
            from: None,
            to: None,
            newest_first: false,
        };
        let page = self.broker.messages(query, Page::first(1000)).await;
        page.unwrap().rows
    }

    pub(crate) async fn trace(&self, id: &MessageId) -> Vec<MessageTrace> {
        self.broker.trace(id.clone()).await.unwrap()
    }

    /// Opens a session for a consumer that subscribes to one topic.
    pub(crate) async fn consumer(
        &self,
        client: &str,
        group_name: &str,
        topic_name: &str,
        tag: &str,
    ) -> Caller {
        let caller = Caller::local_client(ClientId::new(client).unwrap());
        let settings = ClientSettings {
            group: Some(group(group_name)),
            subscriptions: vec![Subscription {
                topic: topic(topic_name),
                filter: FilterExpression::Tag(tag.to_owned()),
            }],
            ..settings(ClientKind::PushConsumer)
        };
        self.broker.open_session(&caller, settings).await.unwrap();
        caller
    }
}

pub(crate) fn settings(kind: ClientKind) -> ClientSettings {
    ClientSettings {
        kind,
        language: "rust".to_owned(),
        version: "1".to_owned(),
        publishing: Vec::new(),
        group: None,
        subscriptions: Vec::new(),
        fifo: false,
        retry_policy: RetryPolicy::Documented,
        max_attempts: 0,
        long_poll: seconds(20),
    }
}

pub(crate) fn draft(topic_name: &str, body: &str) -> Draft {
    Draft::new(topic(topic_name), body.to_owned())
}

pub(crate) fn tagged(topic_name: &str, body: &str, tag: &str) -> Draft {
    Draft {
        tag: Some(tag.to_owned()),
        ..draft(topic_name, body)
    }
}

pub(crate) fn fifo(topic_name: &str, body: &str, message_group: &str) -> Draft {
    Draft {
        message_group: Some(message_group.to_owned()),
        ..draft(topic_name, body)
    }
}

/// Everything ready now, for a minute.
pub(crate) fn receive(group_name: &str, topic_name: &str) -> Receive {
    Receive {
        group: group(group_name),
        topic: topic(topic_name),
        queue: None,
        filter: FilterExpression::all(),
        max: 32,
        invisible: None,
        auto_renew: false,
        poll: Duration::ZERO,
        attempt_id: None,
    }
}

pub(crate) fn bodies(deliveries: &[Delivery]) -> Vec<String> {
    let bodies = deliveries.iter().map(|delivery| &delivery.message.body);
    bodies
        .map(|body| String::from_utf8_lossy(body).into_owned())
        .collect()
}

/// Fails instead of waiting for good.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("nothing came in time")
}

fn change(handle: &ReceiptHandle, invisible: Duration, extends: bool) -> ChangeInvisible {
    ChangeInvisible {
        group: handle.group.clone(),
        topic: handle.topic.clone(),
        handle: handle.clone(),
        invisible,
        extends,
    }
}
