//! What every RocketMQ 5 client relies on, told in the bare protocol.

use std::time::{Duration, Instant};

use moonport::cluster::admin::{PutGroup, PutMode, PutTopic};
use moonport::domain::group::{DeliveryOrder, GroupDefinition};
use moonport::domain::names::{GroupName, TopicName};
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::gateway::{AccessKey, AccessKeys};
use moonport::proto::signature;
use moonport::proto::v2;
use moonport::proto::v2::Code;
use moonport::proto::v2::pull_message_response::Content as Pulled;
use moonport::proto::v2::receive_message_response::Content;
use moonport::proto::v2::telemetry_command::Command;

use crate::gateway_endpoint::{
    Endpoint, code, consumer, message, producer, receive, resource, seconds, soon,
};

#[tokio::test]
async fn settings_are_answered_at_once_with_ok_and_what_the_client_said() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;

    let (answer, _standing) = client.settle(producer("orders")).await;

    assert_eq!(code(&answer.status), Code::Ok);
    let Some(Command::Settings(settings)) = answer.command else {
        panic!("settings were asked for");
    };
    let Some(v2::settings::PubSub::Publishing(publishing)) = settings.pub_sub else {
        panic!("a producer asked");
    };
    assert_eq!(publishing.topics, [resource("orders").unwrap()]);
    assert_eq!(publishing.max_body_size, 4_194_304);
}

#[tokio::test]
async fn a_second_stream_and_second_settings_are_answered_too() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;

    let (_, mut first) = client.settle(consumer("orders", "group")).await;
    first
        .say(Command::Settings(consumer("orders", "group")))
        .await;
    let again = first.hear().await;
    let (second, _standing) = client.settle(consumer("orders", "group")).await;

    assert_eq!(code(&again.status), Code::Ok);
    assert_eq!(code(&second.status), Code::Ok);
}

#[tokio::test]
async fn node_clients_are_told_their_settings_again() {
    let endpoint = Endpoint::open().await;
    let mut client = endpoint.client("c").await;
    let mut settings = producer("orders");
    settings.user_agent = Some(v2::Ua {
        language: v2::Language::NodeJs.into(),
        version: "1.0.8".to_owned(),
        ..Default::default()
    });

    let (_, mut standing) = client.settle(settings).await;

    for _ in 0..2 {
        let again = standing.hear().await;
        assert!(matches!(again.command, Some(Command::Settings(_))));
    }
}

#[tokio::test]
async fn a_route_echoes_the_endpoints_and_makes_a_missing_topic_t8() {
    let endpoint = Endpoint::open().await;
    let mut client = endpoint.client("c").await;
    let used = v2::Endpoints {
        scheme: v2::AddressScheme::DomainName.into(),
        addresses: vec![v2::Address {
            host: "localhost".to_owned(),
            port: 9,
        }],
    };
    let question = v2::QueryRouteRequest {
        topic: resource("orders"),
        endpoints: Some(used.clone()),
    };

    let request = client.request(question);
    let route = soon(client.stub.query_route(request))
        .await
        .unwrap()
        .into_inner();

    assert_eq!(code(&route.status), Code::Ok);
    for (id, queue) in route.message_queues.iter().enumerate() {
        let broker = queue.broker.as_ref().unwrap();
        assert_eq!((queue.id, broker.id), (i32::try_from(id).unwrap(), 0));
        assert_eq!(broker.endpoints.as_ref(), Some(&used));
        assert_eq!(queue.accept_message_types, [1, 2, 3, 4]);
    }
    assert!(!route.message_queues.is_empty());
}

#[tokio::test]
async fn a_receive_is_status_messages_and_moment_in_this_order() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    let sent = client
        .send(vec![
            message("orders", "01AB", "body"),
            message("orders", "01AC", "more"),
        ])
        .await;
    assert_eq!(code(&sent.status), Code::Ok);
    assert_eq!(sent.entries.len(), 2);
    assert_eq!(sent.entries[0].message_id, "01AB");

    let mut asked = receive("orders", "group");
    asked.long_polling_timeout = seconds(5);
    let frames = client.receive(asked).await;

    let [
        Content::Status(first),
        Content::Message(message),
        ..,
        Content::DeliveryTimestamp(_),
    ] = frames.as_slice()
    else {
        panic!("{frames:?}");
    };
    assert_eq!(first.code, Code::Ok as i32);
    let system = message.system_properties.as_ref().unwrap();
    assert_eq!(system.delivery_attempt, Some(1));
    assert!(
        system
            .receipt_handle
            .as_ref()
            .is_some_and(|h| !h.is_empty())
    );
    let digest = system.body_digest.as_ref().unwrap();
    assert_eq!(digest.r#type(), v2::DigestType::Md5);
    assert_eq!(digest.checksum.len(), 32);
}

#[tokio::test]
async fn a_receive_that_finds_nothing_says_so_before_the_clients_deadline() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    let mut question = receive("orders", "group");
    question.long_polling_timeout = seconds(10);
    let mut request = client.request(question);
    request.set_timeout(Duration::from_secs(1));

    let begun = Instant::now();
    let mut stream = client
        .stub
        .receive_message(request)
        .await
        .unwrap()
        .into_inner();
    let first = stream.message().await.unwrap().unwrap().content;
    let second = stream.message().await.unwrap();

    assert!(begun.elapsed() < Duration::from_secs(1));
    let Some(Content::Status(status)) = first else {
        panic!("{first:?}");
    };
    assert_eq!(status.code, Code::MessageNotFound as i32);
    assert_eq!(second, None);
}

#[tokio::test]
async fn a_waiting_receive_wakes_when_a_message_arrives() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let (mut sender, mut reader) = (endpoint.client("s").await, endpoint.client("r").await);
    let mut question = receive("orders", "group");
    question.long_polling_timeout = seconds(15);

    let waiting = tokio::spawn(async move { reader.receive(question).await });
    sender.send(vec![message("orders", "01AB", "body")]).await;

    let frames = soon(waiting).await.unwrap();
    assert!(matches!(frames[1], Content::Message(_)));
}

#[tokio::test]
async fn acks_have_an_outcome_each_in_order_and_a_second_ack_is_fine() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    client.send(vec![message("orders", "01AB", "body")]).await;
    let received = client.messages("orders", "group").await;
    let system = received[0].system_properties.clone().unwrap();
    let entry = |handle: &str| v2::AckMessageEntry {
        message_id: "01AB".to_owned(),
        receipt_handle: handle.to_owned(),
        lite_topic: None,
    };
    let question = v2::AckMessageRequest {
        group: resource("group"),
        topic: resource("orders"),
        entries: vec![entry("garbage"), entry(&system.receipt_handle.unwrap())],
    };

    for _ in 0..2 {
        let request = client.request(question.clone());
        let answer = soon(client.stub.ack_message(request))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(code(&answer.status), Code::MultipleResults);
        let codes: Vec<Code> = answer.entries.iter().map(|e| code(&e.status)).collect();
        assert_eq!(codes, [Code::InvalidReceiptHandle, Code::Ok]);
    }
    assert!(client.messages("orders", "group").await.is_empty());
}

#[tokio::test]
async fn a_nack_gives_a_new_handle_and_the_old_one_is_void_d4() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    client.send(vec![message("orders", "01AB", "body")]).await;
    let received = client.messages("orders", "group").await;
    let old = received[0]
        .system_properties
        .clone()
        .unwrap()
        .receipt_handle
        .unwrap();
    let question = v2::ChangeInvisibleDurationRequest {
        group: resource("group"),
        topic: resource("orders"),
        receipt_handle: old.clone(),
        invisible_duration: seconds(10),
        ..Default::default()
    };

    let request = client.request(question.clone());
    let first = soon(client.stub.change_invisible_duration(request))
        .await
        .unwrap()
        .into_inner();
    let request = client.request(question);
    let second = soon(client.stub.change_invisible_duration(request))
        .await
        .unwrap()
        .into_inner();
    endpoint.clock.step(Duration::from_secs(11));
    let mut asked = receive("orders", "group");
    asked.long_polling_timeout = seconds(5);
    let frames = client.receive(asked).await;

    assert_eq!(code(&first.status), Code::Ok);
    assert_ne!(first.receipt_handle, old);
    assert_eq!(code(&second.status), Code::InvalidReceiptHandle);
    assert_eq!(second.receipt_handle, old);
    let Content::Message(again) = &frames[1] else {
        panic!("{frames:?}");
    };
    let system = again.system_properties.as_ref().unwrap();
    assert_eq!(system.delivery_attempt, Some(2));
}

#[tokio::test]
async fn an_orderly_group_is_assigned_each_queue_and_others_one_for_all() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "plain").await;
    endpoint.topic("steps", TopicType::Fifo, "orderly").await;
    let mut ids = Vec::new();
    for (topic, group) in [("orders", "plain"), ("steps", "orderly")] {
        let mut client = endpoint.client(group).await;
        let (_, _standing) = client.settle(consumer(topic, group)).await;
        let question = v2::QueryAssignmentRequest {
            topic: resource(topic),
            group: resource(group),
            endpoints: None,
        };
        let request = client.request(question);
        let answer = soon(client.stub.query_assignment(request))
            .await
            .unwrap()
            .into_inner();
        let queue = |assignment: &v2::Assignment| assignment.message_queue.as_ref().unwrap().id;
        ids.push(answer.assignments.iter().map(queue).collect::<Vec<i32>>());
    }
    assert_eq!(ids, [vec![-1], vec![0, 1, 2, 3]]);
}

#[tokio::test]
async fn an_orphaned_transaction_is_asked_about_on_the_senders_stream_x4() {
    let endpoint = Endpoint::open().await;
    endpoint
        .topic("orders", TopicType::Transaction, "group")
        .await;
    let mut client = endpoint.client("c").await;
    let (_, mut standing) = client.settle(producer("orders")).await;
    let mut half = message("orders", "01AB", "body");
    let system = half.system_properties.as_mut().unwrap();
    system.message_type = v2::MessageType::Transaction.into();

    let sent = client.send(vec![half]).await;
    endpoint.clock.step(Duration::from_secs(7));
    let asked = standing.hear().await;

    let Some(Command::RecoverOrphanedTransactionCommand(check)) = asked.command else {
        panic!("{asked:?}");
    };
    assert_eq!(check.transaction_id, sent.entries[0].transaction_id);
    let system = check.message.unwrap().system_properties.unwrap();
    assert_eq!(system.message_id, "01AB");
    assert!(system.body_digest.is_some());
    let question = v2::EndTransactionRequest {
        topic: resource("orders"),
        message_id: "01AB".to_owned(),
        transaction_id: check.transaction_id,
        resolution: v2::TransactionResolution::Commit.into(),
        source: v2::TransactionSource::SourceServerCheck.into(),
        trace_context: String::new(),
    };
    let request = client.request(question);
    let ended = soon(client.stub.end_transaction(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(code(&ended.status), Code::Ok);
    assert_eq!(client.messages("orders", "group").await.len(), 1);
}

#[tokio::test]
async fn lite_calls_are_not_implemented_and_say_what_to_use_t10() {
    let endpoint = Endpoint::open().await;
    let mut client = endpoint.client("c").await;
    let mut settings = consumer("orders", "group");
    settings.client_type = Some(v2::ClientType::LitePushConsumer.into());

    let (told, _standing) = client.settle(settings).await;
    let request = client.request(v2::SyncLiteSubscriptionRequest::default());
    let synced = soon(client.stub.sync_lite_subscription(request))
        .await
        .unwrap()
        .into_inner();

    assert_eq!(code(&told.status), Code::NotImplemented);
    assert_eq!(code(&synced.status), Code::NotImplemented);
    assert!(synced.status.unwrap().message.contains("hint:"));
}

#[tokio::test]
async fn pulling_by_offset_has_its_own_frames_and_offsets_d10() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    let sent: Vec<v2::Message> = (0..4)
        .map(|n| message("orders", &format!("0{n}"), "b"))
        .collect();
    client.send(sent).await;
    let queue = Some(v2::MessageQueue {
        topic: resource("orders"),
        id: 0,
        ..Default::default()
    });
    let question = v2::QueryOffsetRequest {
        message_queue: queue.clone(),
        query_offset_policy: v2::QueryOffsetPolicy::End.into(),
        timestamp: None,
    };

    let request = client.request(question);
    let end = soon(client.stub.query_offset(request))
        .await
        .unwrap()
        .into_inner();
    let request = client.request(v2::PullMessageRequest {
        group: resource("puller"),
        message_queue: queue.clone(),
        batch_size: 10,
        ..Default::default()
    });
    let mut stream = soon(client.stub.pull_message(request))
        .await
        .unwrap()
        .into_inner();
    let mut frames = Vec::new();
    while let Some(frame) = soon(stream.message()).await.unwrap() {
        frames.push(frame.content.unwrap());
    }
    let request = client.request(v2::GetOffsetRequest {
        group: resource("stranger"),
        message_queue: queue,
    });
    let committed = soon(client.stub.get_offset(request))
        .await
        .unwrap()
        .into_inner();

    assert_eq!(code(&end.status), Code::Ok);
    assert!(matches!(&frames[0], Pulled::Status(status) if status.code == Code::Ok as i32));
    assert!(matches!(frames.last(), Some(Pulled::NextOffset(next)) if *next == end.offset));
    assert_eq!(frames.len(), usize::try_from(end.offset).unwrap() + 2);
    assert_eq!(code(&committed.status), Code::OffsetNotFound);
}

#[tokio::test]
async fn without_a_client_id_nothing_is_answered_but_why() {
    let endpoint = Endpoint::open().await;
    let mut client = endpoint.client("c").await;

    let request = tonic::Request::new(v2::HeartbeatRequest::default());
    let heartbeat = soon(client.stub.heartbeat(request))
        .await
        .unwrap()
        .into_inner();
    let request = tonic::Request::new(receive("orders", "group"));
    let mut stream = soon(client.stub.receive_message(request))
        .await
        .unwrap()
        .into_inner();
    let frame = soon(stream.message()).await.unwrap().unwrap().content;

    assert_eq!(code(&heartbeat.status), Code::ClientIdRequired);
    let Some(Content::Status(status)) = frame else {
        panic!("{frame:?}");
    };
    assert_eq!(status.code, Code::ClientIdRequired as i32);
}

#[tokio::test]
async fn with_keys_only_signed_requests_come_in() {
    let endpoint = Endpoint::with(|options| {
        options.keys = AccessKeys::new([AccessKey {
            id: "ak".to_owned(),
            secret: "secret".to_owned(),
            grants: Vec::new(),
        }]);
    })
    .await;
    let mut client = endpoint.client("c").await;
    let moment = "20260612T135444Z";
    let mut codes = Vec::new();
    for signed in [
        None,
        Some(signature::header("ak", "wrong", moment)),
        Some(signature::header("", "", moment)),
        Some(signature::header("ak", "secret", moment)),
    ] {
        let mut request = client.request(v2::QueryRouteRequest {
            topic: resource("a b"),
            endpoints: None,
        });
        if let Some(header) = signed {
            let metadata = request.metadata_mut();
            metadata.insert("x-mq-date-time", moment.parse().unwrap());
            metadata.insert("authorization", header.parse().unwrap());
        }
        let answer = soon(client.stub.query_route(request))
            .await
            .unwrap()
            .into_inner();
        codes.push(code(&answer.status));
    }
    let refused = Code::Unauthorized;
    assert_eq!(codes, [refused, refused, refused, Code::IllegalTopic]);
}

#[tokio::test]
async fn closing_answers_waiting_receives_and_loses_nothing() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let (mut sender, mut reader) = (endpoint.client("s").await, endpoint.client("r").await);
    let mut question = receive("orders", "other");
    question.long_polling_timeout = seconds(15);
    let mut entered = tokio::spawn(async move { reader.receive(question).await });
    assert!(futures_util::poll!(&mut entered).is_pending());
    let sent = sender.send(vec![message("orders", "01AB", "body")]).await;
    assert_eq!(code(&sent.status), Code::Ok);

    soon(endpoint.gateway.shutdown()).await;

    let begun = Instant::now();
    drop(soon(entered).await);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(
        sender
            .stub
            .heartbeat(sender.request(v2::HeartbeatRequest::default()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_changed_topic_and_a_changed_group_are_told_to_their_clients() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut sender = endpoint.client("sender").await;
    let mut reader = endpoint.client("reader").await;
    let (_, mut sending) = sender.settle(producer("orders")).await;
    let (_, mut reading) = reader.settle(consumer("orders", "group")).await;

    let now = endpoint.clock.now();
    let orders = TopicName::new("orders").unwrap();
    let definition = TopicDefinition::new(orders, TopicType::Delay, 4, now);
    let mode = PutMode::Update;
    let admin = &endpoint.cluster.admin;
    admin
        .put_topic(PutTopic { definition, mode })
        .await
        .unwrap();
    for standing in [&mut sending, &mut reading] {
        let told = standing.hear().await;
        assert_eq!(code(&told.status), Code::Ok);
        assert!(matches!(told.command, Some(Command::Settings(_))));
    }

    let name = GroupName::new("group").unwrap();
    let mut definition = GroupDefinition::new(name, DeliveryOrder::Concurrent, now);
    definition.max_retries = 4;
    let group = PutGroup {
        definition,
        mode: PutMode::Update,
        join: Vec::new(),
    };
    admin.put_group(group).await.unwrap();
    let Some(Command::Settings(settings)) = reading.hear().await.command else {
        panic!("settings were to come");
    };
    assert_eq!(settings.backoff_policy.unwrap().max_attempts, 5);
}
