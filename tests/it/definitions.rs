//! What owners define of topics and groups is kept whole, and what clients say of themselves is listed.

use moonport::cluster::admin::ClientRow;
use moonport::cluster::error::ClusterError;
use moonport::cluster::paging::Page;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::group::{DeadLetterTarget, DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::retry_policy::RetryPolicy;
use moonport::domain::topic::{Permission, TopicDefinition, TopicType};

use crate::support::broker::{START, TestBroker, group, seconds, topic};

#[tokio::test]
async fn every_field_of_a_topic_survives_a_restart_t1() {
    let definition = TopicDefinition {
        write_queues: 2,
        permission: Permission::READ_ONLY,
        retention: Some(seconds(3600)),
        max_send_tps: Some(5),
        remark: "mine".to_owned(),
        ..TopicDefinition::new(topic("orders"), TopicType::Delay, 3, START)
    };
    let test = TestBroker::new();
    test.put_topic(definition.clone()).await.unwrap();
    let test = test.restart().await;
    let row = test.broker.topic(topic("orders")).await.unwrap();
    assert_eq!(row.definition, definition);
}

#[tokio::test]
async fn every_field_of_a_group_survives_a_restart_and_has_its_default_g1() {
    let plain = GroupDefinition::new(group("g"), DeliveryOrder::Concurrent, START);
    assert_eq!((plain.max_retries, plain.consume_enabled), (16, true));
    assert_eq!(plain.retry_policy, RetryPolicy::Documented);

    let test = TestBroker::new()
        .topic("graveyard", TopicType::Mixed, 1)
        .await;
    let change = |group: &mut GroupDefinition| {
        group.order = DeliveryOrder::Orderly;
        group.retry_policy = RetryPolicy::ORDERLY_DEFAULT;
        group.max_retries = 3;
        group.consume_enabled = false;
        group.first_seen = FirstSeen::At(START);
        group.dead_letter = DeadLetterTarget::Topic(topic("graveyard"));
        group.max_receive_tps = Some(7);
        group.priority_factor = 50;
        group.remark = "mine".to_owned();
    };
    let test = test.put_group("g", change).await.restart().await;
    let mut expected = plain;
    change(&mut expected);
    assert_eq!(test.group_row("g").await.definition, expected);
}

#[tokio::test]
async fn the_type_of_a_topic_stays_once_it_holds_messages_t4() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Fifo, 1)
        .await
        .topic("orders", TopicType::Normal, 1)
        .await;
    test.send("orders", "x").await;
    let fifo = TopicDefinition::new(topic("orders"), TopicType::Fifo, 1, START);
    let refused = test.put_topic(fifo).await;
    assert!(matches!(refused, Err(ClusterError::IllegalRequest(_))));
    let row = test.broker.topic(topic("orders")).await.unwrap();
    assert_eq!(row.definition.topic_type, TopicType::Normal);
}

#[tokio::test]
async fn messages_in_retry_lie_in_no_topic_a_user_sees_d6() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    test.send("orders", "x").await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], seconds(10)).await;
    assert_eq!(test.group_row("g").await.retrying, 1);
    let topics = test.broker.topics(Page::first(9)).await.unwrap().rows;
    let names: Vec<_> = topics
        .iter()
        .map(|row| row.definition.name.as_str())
        .collect();
    assert_eq!(names, ["orders"]);
    assert_eq!(test.stored("orders").await.len(), 1);
}

#[tokio::test]
async fn a_connected_client_is_listed_with_what_it_said_w1() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    let client = test
        .consumer("host@1#2#abc", "g", "orders", "created")
        .await;
    test.clock.step(seconds(5));
    test.broker.heartbeat(&client).await.unwrap();
    let rows = test.broker.clients(Some(group("g"))).await.unwrap();
    let [
        ClientRow {
            id,
            language,
            version,
            group: of,
            subscriptions,
            connected_at,
            last_heartbeat_at,
            ..
        },
    ] = &rows[..]
    else {
        panic!("not one client: {rows:?}");
    };
    assert_eq!(
        (id.as_str(), language.as_str(), version.as_str()),
        ("host@1#2#abc", "rust", "1")
    );
    assert_eq!(of.as_ref(), Some(&group("g")));
    assert_eq!(subscriptions[0].topic, topic("orders"));
    assert_eq!(
        (*connected_at, *last_heartbeat_at),
        (START, START + seconds(5))
    );
    assert!(
        test.broker
            .clients(Some(group("other")))
            .await
            .unwrap()
            .is_empty()
    );
}
