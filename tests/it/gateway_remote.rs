//! The behaviour of [`Messaging`], played twice: by the embedded broker, and by the client of clusters elsewhere through an
//! endpoint before that broker. Failures are compared by their code, which is what the wire keeps.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::Messaging;
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{
    Ack, ChangeInvisible, Delivery, EndTransaction, ForwardToDeadLetter, OffsetAt, OffsetQuery,
    Pull, Recall, Receive, Resolution, RouteRequest, Send, SendReceipt, UpdateOffset,
};
use moonport::cluster::session::{Caller, ClientKind, ClientSettings, ServerCommand};
use moonport::domain::message::{Draft, HalfDraft};
use moonport::domain::names::ClientId;
use moonport::domain::subscription::{FilterExpression, Subscription};
use moonport::domain::topic::TopicType;
use moonport::proto::status;
use moonport::proto::v2::Code;
use moonport::remote::{RemoteOptions, connect};
use tokio::net::TcpListener;

use crate::gateway_endpoint::{Endpoint, soon};
use crate::support::broker::{bodies, draft, fifo, group, receive, seconds, settings, topic};

/// A broker, and the way its user takes to it.
struct World {
    messaging: Arc<dyn Messaging>,
    caller: Caller,
    endpoint: Endpoint,
}

impl World {
    async fn embedded() -> Self {
        let endpoint = Endpoint::open().await;
        Self::over(endpoint.cluster.messaging.clone(), endpoint).await
    }

    async fn remote() -> Self {
        let endpoint = Endpoint::open().await;
        let options = RemoteOptions::new(endpoint.gateway.local_addr().to_string());
        let remote = connect(options, endpoint.clock.clone(), endpoint.real.clone()).unwrap();
        Self::over(Arc::new(remote), endpoint).await
    }

    async fn over(messaging: Arc<dyn Messaging>, endpoint: Endpoint) -> Self {
        for (name, topic_type) in [
            ("orders", TopicType::Normal),
            ("steps", TopicType::Fifo),
            ("later", TopicType::Delay),
            ("halves", TopicType::Transaction),
        ] {
            endpoint
                .topic(name, topic_type, &format!("{name}-group"))
                .await;
        }
        Self {
            messaging,
            caller: Caller::local_client(ClientId::new("client").unwrap()),
            endpoint,
        }
    }

    async fn send(&self, draft: Draft) -> Result<SendReceipt, ClusterError> {
        let sent = self.messaging.send(&self.caller, Send::one(draft)).await;
        sent.and_then(|mut outcomes| outcomes.pop().unwrap())
    }

    /// Waits for messages for as long as a test may take.
    async fn await_messages(&self, group: &str, topic: &str) -> Vec<Delivery> {
        let request = Receive {
            poll: seconds(15),
            ..receive(group, topic)
        };
        soon(self.messaging.receive(&self.caller, request))
            .await
            .unwrap()
    }

    async fn receive(&self, request: Receive) -> Vec<Delivery> {
        soon(self.messaging.receive(&self.caller, request))
            .await
            .unwrap()
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), ClusterError> {
        let request = Ack {
            group: delivery.handle.group.clone(),
            topic: delivery.handle.topic.clone(),
            handles: vec![delivery.handle.clone()],
        };
        let outcomes = self.messaging.ack(&self.caller, request).await?;
        outcomes.into_iter().next().unwrap().result
    }

    fn change(delivery: &Delivery, invisible: Duration) -> ChangeInvisible {
        ChangeInvisible {
            group: delivery.handle.group.clone(),
            topic: delivery.handle.topic.clone(),
            handle: delivery.handle.clone(),
            invisible,
            extends: false,
        }
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ClusterError>) -> Code {
    status::code(&outcome.unwrap_err())
}

async fn a_message_arrives_as_it_was_sent(world: World) {
    let sent = Draft {
        tag: Some("created".to_owned()),
        keys: vec!["k1".to_owned(), "k2".to_owned()],
        properties: [("amount", "7")].into_iter().collect(),
        ..draft("orders", "body")
    };
    let receipt = world.send(sent).await.unwrap();

    let received = world.await_messages("orders-group", "orders").await;

    let message = &received[0].message;
    assert_eq!((received.len(), received[0].attempt), (1, 1));
    assert_eq!(message.id, receipt.id);
    assert_eq!(message.tag.as_deref(), Some("created"));
    assert_eq!(message.keys, ["k1", "k2"]);
    assert_eq!(message.properties.get("amount"), Some("7"));
    assert_eq!(bodies(&received), ["body"]);
    world.ack(&received[0]).await.unwrap();
    world.ack(&received[0]).await.unwrap();
    assert!(
        world
            .receive(receive("orders-group", "orders"))
            .await
            .is_empty()
    );
}

async fn message_groups_keep_their_order_f2(world: World) {
    for number in 0..4 {
        world
            .send(fifo("steps", &format!("{number}"), "g"))
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let received = world.await_messages("steps-group", "steps").await;
        seen.extend(bodies(&received));
        for delivery in &received {
            world.ack(delivery).await.unwrap();
        }
    }
    assert_eq!(seen, ["0", "1", "2", "3"]);
}

async fn a_nacked_message_comes_again_with_its_next_attempt_d4(world: World) {
    world.send(draft("orders", "body")).await.unwrap();
    let first = world.await_messages("orders-group", "orders").await;
    let change = World::change(&first[0], seconds(10));
    let handle = world
        .messaging
        .change_invisible(&world.caller, change.clone())
        .await;
    let void = world
        .messaging
        .change_invisible(&world.caller, change)
        .await;
    world.endpoint.clock.step(seconds(10));

    let second = world.await_messages("orders-group", "orders").await;

    assert_ne!(handle.unwrap(), first[0].handle);
    assert_eq!(code(void), Code::InvalidReceiptHandle);
    assert_eq!((second.len(), second[0].attempt), (1, 2));
}

async fn a_forwarded_message_is_a_dead_letter_q2(world: World) {
    world.send(fifo("steps", "poison", "g")).await.unwrap();
    let received = world.await_messages("steps-group", "steps").await;
    let forward = ForwardToDeadLetter {
        group: group("steps-group"),
        topic: topic("steps"),
        handle: received[0].handle.clone(),
        notes: moonport::domain::message::Properties::new(),
    };
    world
        .messaging
        .forward_to_dead_letter(&world.caller, forward)
        .await
        .unwrap();

    let row = world
        .endpoint
        .cluster
        .admin
        .group(group("steps-group"))
        .await
        .unwrap();
    assert_eq!((row.lag(), row.dead_letters), (0, 1));
}

async fn a_delayed_message_is_recalled_or_comes_when_due_l1_l4(world: World) {
    let now = world.endpoint.clock.now();
    let due = |body| Draft {
        deliver_at: Some(now + seconds(60)),
        ..draft("later", body)
    };
    let recalled = world.send(due("never")).await.unwrap();
    world.send(due("in a minute")).await.unwrap();
    let recall = Recall {
        topic: topic("later"),
        handle: recalled.recall_handle.clone().unwrap(),
    };
    let id = world.messaging.recall(&world.caller, recall.clone()).await;
    let again = world.messaging.recall(&world.caller, recall).await;
    world.endpoint.clock.step(seconds(61));

    let received = world.await_messages("later-group", "later").await;

    assert_eq!(id, Ok(recalled.id));
    assert_eq!(code(again), Code::MessageNotFound);
    assert_eq!(bodies(&received), ["in a minute"]);
}

async fn a_half_message_is_asked_about_and_then_committed_x3(world: World) {
    let announced = ClientSettings {
        publishing: vec![topic("halves")],
        ..settings(ClientKind::Producer)
    };
    world
        .messaging
        .open_session(&world.caller, announced)
        .await
        .unwrap();
    let mut commands = world
        .messaging
        .commands(world.caller.client.as_ref().unwrap());
    let half = Draft {
        transaction: Some(HalfDraft::default()),
        ..draft("halves", "half")
    };
    let receipt = world.send(half).await.unwrap();
    world.endpoint.clock.step(seconds(7));

    let command = soon(commands.next()).await.unwrap();

    let ServerCommand::CheckTransaction {
        transaction,
        message_id,
        ..
    } = command
    else {
        panic!("{command:?}");
    };
    assert_eq!(Some(&transaction), receipt.transaction.as_ref());
    let end = EndTransaction {
        topic: Some(topic("halves")),
        transaction,
        message_id: Some(message_id),
        resolution: Resolution::Commit,
        from_check: true,
    };
    world
        .messaging
        .end_transaction(&world.caller, end)
        .await
        .unwrap();
    let received = world.await_messages("halves-group", "halves").await;
    assert_eq!(bodies(&received), ["half"]);
}

async fn filters_choose_by_tag_and_by_sql(world: World) {
    for (tag, amount) in [("a", "5"), ("b", "20"), ("c", "30")] {
        let sent = Draft {
            tag: Some(tag.to_owned()),
            properties: [("amount", amount)].into_iter().collect(),
            ..draft("orders", tag)
        };
        world.send(sent).await.unwrap();
    }
    let chosen = Receive {
        filter: FilterExpression::Sql("amount > 10".to_owned()),
        poll: seconds(5),
        ..receive("orders-group", "orders")
    };
    let mut received = Vec::new();
    while received.len() < 2 {
        received.extend(bodies(&world.receive(chosen.clone()).await));
    }
    received.sort();
    assert_eq!(received, ["b", "c"]);
    let broken = Receive {
        filter: FilterExpression::Sql("amount >".to_owned()),
        ..receive("orders-group", "orders")
    };
    let outcome = world.messaging.receive(&world.caller, broken).await;
    assert_eq!(code(outcome), Code::IllegalFilterExpression);
}

async fn offsets_are_read_and_pulled_d10(world: World) {
    for number in 0..4 {
        world
            .send(draft("orders", &format!("{number}")))
            .await
            .unwrap();
    }
    let query = |at| OffsetQuery {
        topic: topic("orders"),
        queue: 0,
        at,
    };
    let end = world
        .messaging
        .offset(&world.caller, query(OffsetAt::Max))
        .await
        .unwrap();
    let pull = Pull {
        group: Some(group("puller")),
        topic: topic("orders"),
        queue: 0,
        offset: 0,
        max: 10,
        filter: FilterExpression::all(),
        poll: Duration::ZERO,
    };
    let pulled = world.messaging.pull(&world.caller, pull).await.unwrap();
    let update = UpdateOffset {
        group: group("puller"),
        topic: topic("orders"),
        queue: 0,
        offset: pulled.next,
    };
    world
        .messaging
        .update_offset(&world.caller, update)
        .await
        .unwrap();
    let committed = query(OffsetAt::Committed(group("puller")));
    let committed = world
        .messaging
        .offset(&world.caller, committed)
        .await
        .unwrap();

    assert_eq!(Some(pulled.next), end.offset);
    assert_eq!(Ok(pulled.messages.len()), usize::try_from(pulled.next));
    assert_eq!(committed.offset, end.offset);
}

async fn a_session_is_told_its_groups_order_and_retries(world: World) {
    let asked = ClientSettings {
        group: Some(group("steps-group")),
        subscriptions: vec![Subscription {
            topic: topic("steps"),
            filter: FilterExpression::all(),
        }],
        ..settings(ClientKind::PushConsumer)
    };
    let held = world
        .messaging
        .open_session(&world.caller, asked)
        .await
        .unwrap();
    world.messaging.heartbeat(&world.caller).await.unwrap();

    let clients = world
        .endpoint
        .cluster
        .admin
        .clients(Some(group("steps-group")))
        .await;
    assert!(held.fifo);
    assert_eq!(held.max_attempts, 17);
    assert_eq!(clients.unwrap().len(), 1);
    world.messaging.close_session(&world.caller).await.unwrap();
    let clients = world
        .endpoint
        .cluster
        .admin
        .clients(Some(group("steps-group")))
        .await;
    assert!(clients.unwrap().is_empty());
}

async fn what_is_refused_has_the_same_code(world: World) {
    let of = |outcome| code::<SendReceipt>(outcome);
    assert_eq!(
        of(world.send(draft("orders", "")).await),
        Code::MessageBodyEmpty
    );
    let wrong = fifo("orders", "b", "g");
    assert_eq!(
        of(world.send(wrong).await),
        Code::MessagePropertyConflictWithType
    );
    let far = Draft {
        deliver_at: Some(world.endpoint.clock.now() + seconds(41 * 24 * 3600)),
        ..draft("later", "b")
    };
    assert_eq!(of(world.send(far).await), Code::IllegalDeliveryTime);
    let brief = Receive {
        invisible: Some(seconds(1)),
        ..receive("orders-group", "orders")
    };
    let outcome = world.messaging.receive(&world.caller, brief).await;
    assert_eq!(code(outcome), Code::IllegalInvisibleTime);
    let route = RouteRequest {
        topic: topic("orders"),
    };
    let found = world
        .messaging
        .route(&world.caller, route)
        .await
        .unwrap()
        .topic;
    assert_eq!(
        (found.topic_type, found.read_queues),
        (TopicType::Normal, 4)
    );
}

/// A cluster whose answer, head and all, begins only when it has heard the client: it says the settings back.
async fn answer_what_was_heard(listener: TcpListener) {
    let (socket, _) = listener.accept().await.unwrap();
    let service = service_fn(|request: http::Request<Incoming>| async {
        let heard = request.into_body().frame().await.unwrap().unwrap();
        let settings = Full::new(heard.into_data().unwrap());
        let answer = http::Response::builder().header("content-type", "application/grpc");
        Ok::<_, Infallible>(answer.body(settings).unwrap())
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // The client breaks it off when the test ends.
    let _ = server.serve_connection(TokioIo::new(socket), service).await;
}

#[tokio::test]
async fn settings_are_said_before_the_cluster_says_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = RemoteOptions::new(listener.local_addr().unwrap().to_string());
    tokio::spawn(answer_what_was_heard(listener));
    let remote = connect(options, BrokerClock::system(), RealClock::system()).unwrap();
    let caller = Caller::local_client(ClientId::new("c").unwrap());
    let asked = ClientSettings {
        publishing: vec![topic("orders")],
        ..settings(ClientKind::Producer)
    };

    let held = soon(remote.open_session(&caller, asked.clone())).await;

    assert_eq!(held.unwrap().publishing, asked.publishing);
}

macro_rules! twice {
    ($($scenario:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(super::World::embedded().await).await;
            })+
        }
        mod remote {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(super::World::remote().await).await;
            })+
        }
    };
}

twice!(
    a_message_arrives_as_it_was_sent,
    message_groups_keep_their_order_f2,
    a_nacked_message_comes_again_with_its_next_attempt_d4,
    a_forwarded_message_is_a_dead_letter_q2,
    a_delayed_message_is_recalled_or_comes_when_due_l1_l4,
    a_half_message_is_asked_about_and_then_committed_x3,
    filters_choose_by_tag_and_by_sql,
    offsets_are_read_and_pulled_d10,
    a_session_is_told_its_groups_order_and_retries,
    what_is_refused_has_the_same_code,
);
