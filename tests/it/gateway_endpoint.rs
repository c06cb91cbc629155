//! A broker behind an endpoint on loopback, and a client that speaks the bare protocol to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::Cluster;
use moonport::cluster::admin::{PutGroup, PutMode, PutTopic};
use moonport::domain::group::{DeliveryOrder, GroupDefinition};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::names::{GroupName, InstanceId, TopicName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::gateway::{Gateway, GatewayOptions, serve};
use moonport::proto::v2;
use moonport::proto::v2::messaging_service_client::MessagingServiceClient;
use moonport::proto::v2::receive_message_response::Content;
use moonport::proto::v2::telemetry_command::Command;
use moonport::store::memory::MemoryStore;
use tonic::Streaming;
use tonic::transport::Channel;

/// Real time that anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What comes of `future`, unless it takes too long.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

/// 2026-06-12T12:00:00Z, where broker time of these tests stands.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_781_265_600_000);

/// A broker over a journal in memory.
pub(crate) fn broker(
    store: &MemoryStore,
    clock: &BrokerClock,
    real: &RealClock,
    auto_create: bool,
) -> Broker {
    let id = InstanceId::new("rmq-test").unwrap();
    let mut definition = InstanceDefinition::new(id, "test".into(), "local".into(), clock.now());
    definition.auto_create = auto_create;
    Broker::open(BrokerOptions {
        definition,
        journal: store.open(),
        clock: clock.clone(),
        real: real.clone(),
        ids: Arc::new(MessageIdGenerator::new([2, 0, 0, 0, 0, 1], 1, 0)),
        host_name: "test-host".to_owned(),
        feed: Feed::new(1000),
    })
    .unwrap()
}

/// A broker with an open endpoint.
pub(crate) struct Endpoint {
    pub(crate) cluster: Cluster,
    pub(crate) gateway: Gateway,
    pub(crate) clock: BrokerClock,
    pub(crate) real: RealClock,
}

impl Endpoint {
    /// Broker time stands still.
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(edit: impl FnOnce(&mut GatewayOptions)) -> Self {
        Self::on(RealClock::system(), edit).await
    }

    pub(crate) async fn on(real: RealClock, edit: impl FnOnce(&mut GatewayOptions)) -> Self {
        let clock = BrokerClock::still(NOON);
        let cluster = broker(&MemoryStore::new(), &clock, &real, true).cluster();
        let mut options = GatewayOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        edit(&mut options);
        let messaging = cluster.messaging.clone();
        let gateway = serve(options, messaging, clock.clone(), real.clone());
        Self {
            gateway: gateway.await.unwrap(),
            cluster,
            clock,
            real,
        }
    }

    /// Makes a topic, and a group that starts on it now.
    pub(crate) async fn topic(&self, topic: &str, topic_type: TopicType, group: &str) {
        let topic = TopicName::new(topic).unwrap();
        let now = self.clock.now();
        let definition = TopicDefinition::new(topic.clone(), topic_type, 4, now);
        let put = PutTopic {
            definition,
            mode: PutMode::Either,
        };
        self.cluster.admin.put_topic(put).await.unwrap();
        let order = match topic_type {
            TopicType::Fifo => DeliveryOrder::Orderly,
            _ => DeliveryOrder::Concurrent,
        };
        let put = PutGroup {
            definition: GroupDefinition::new(GroupName::new(group).unwrap(), order, now),
            mode: PutMode::Either,
            join: vec![topic],
        };
        self.cluster.admin.put_group(put).await.unwrap();
    }

    /// A client of its own connection.
    pub(crate) async fn client(&self, id: &str) -> Client {
        let address = format!("http://{}", self.gateway.local_addr());
        let endpoint = Channel::from_shared(address).unwrap();
        let channel = soon(endpoint.connect()).await.unwrap();
        Client {
            stub: MessagingServiceClient::new(channel).max_decoding_message_size(16 * 1024 * 1024),
            id: id.to_owned(),
        }
    }
}

/// A client that says no more than it is told to.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) stub: MessagingServiceClient<Channel>,
    pub(crate) id: String,
}

impl Client {
    pub(crate) fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let id = self.id.parse().unwrap();
        request.metadata_mut().insert("x-mq-client-id", id);
        request
    }

    pub(crate) async fn send(&mut self, messages: Vec<v2::Message>) -> v2::SendMessageResponse {
        let request = self.request(v2::SendMessageRequest { messages });
        soon(self.stub.send_message(request))
            .await
            .unwrap()
            .into_inner()
    }

    /// The frames of one receive.
    pub(crate) async fn receive(&mut self, request: v2::ReceiveMessageRequest) -> Vec<Content> {
        let request = self.request(request);
        let stream = soon(self.stub.receive_message(request)).await.unwrap();
        let mut stream = stream.into_inner();
        let mut frames = Vec::new();
        while let Some(frame) = soon(stream.message()).await.unwrap() {
            frames.push(frame.content.expect("a frame without content"));
        }
        frames
    }

    /// The messages of one receive.
    pub(crate) async fn messages(&mut self, topic: &str, group: &str) -> Vec<v2::Message> {
        let frames = self.receive(receive(topic, group)).await;
        let message = |frame| match frame {
            Content::Message(message) => Some(message),
            _ => None,
        };
        frames.into_iter().filter_map(message).collect()
    }

    /// Opens the standing stream with settings, and reads their answer.
    pub(crate) async fn settle(
        &mut self,
        settings: v2::Settings,
    ) -> (v2::TelemetryCommand, Standing) {
        let (said, heard) = tokio::sync::mpsc::channel(8);
        let outbound = futures_util::stream::unfold(heard, |mut heard| async {
            heard.recv().await.map(|command| (command, heard))
        });
        let request = self.request(outbound);
        let inbound = soon(self.stub.telemetry(request))
            .await
            .unwrap()
            .into_inner();
        let mut standing = Standing { said, inbound };
        standing.say(Command::Settings(settings)).await;
        let answer = standing.hear().await;
        (answer, standing)
    }
}

/// A client's standing stream.
pub(crate) struct Standing {
    said: tokio::sync::mpsc::Sender<v2::TelemetryCommand>,
    inbound: Streaming<v2::TelemetryCommand>,
}

impl Standing {
    pub(crate) async fn say(&mut self, command: Command) {
        let command = v2::TelemetryCommand {
            status: None,
            command: Some(command),
        };
        self.said.send(command).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> v2::TelemetryCommand {
        soon(self.inbound.message())
            .await
            .unwrap()
            .expect("the stream ended")
    }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of the wire are optional")]
pub(crate) fn resource(name: &str) -> Option<v2::Resource> {
    Some(v2::Resource {
        resource_namespace: String::new(),
        name: name.to_owned(),
    })
}

/// A plain message with an id and a body.
pub(crate) fn message(topic: &str, id: &str, body: &str) -> v2::Message {
    v2::Message {
        topic: resource(topic),
        body: body.to_owned().into(),
        system_properties: Some(v2::SystemProperties {
            message_id: id.to_owned(),
            body_encoding: v2::Encoding::Identity.into(),
            message_type: v2::MessageType::Normal.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A receive that does not wait.
pub(crate) fn receive(topic: &str, group: &str) -> v2::ReceiveMessageRequest {
    v2::ReceiveMessageRequest {
        group: resource(group),
        message_queue: Some(v2::MessageQueue {
            topic: resource(topic),
            id: -1,
            ..Default::default()
        }),
        batch_size: 32,
        invisible_duration: seconds(30),
        long_polling_timeout: seconds(0),
        ..Default::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of the wire are optional")]
pub(crate) fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

pub(crate) fn producer(topic: &str) -> v2::Settings {
    v2::Settings {
        client_type: Some(v2::ClientType::Producer.into()),
        pub_sub: Some(v2::settings::PubSub::Publishing(v2::Publishing {
            topics: resource(topic).into_iter().collect(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

pub(crate) fn consumer(topic: &str, group: &str) -> v2::Settings {
    v2::Settings {
        client_type: Some(v2::ClientType::PushConsumer.into()),
        pub_sub: Some(v2::settings::PubSub::Subscription(v2::Subscription {
            group: resource(group),
            subscriptions: vec![v2::SubscriptionEntry {
                topic: resource(topic),
                expression: None,
            }],
            ..Default::default()
        })),
        ..Default::default()
    }
}

pub(crate) fn code<'a>(status: impl Into<Option<&'a v2::Status>>) -> v2::Code {
    let number = status.into().expect("an answer without status").code;
    v2::Code::try_from(number).expect("a code that the protocol does not know")
}
