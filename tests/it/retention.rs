//! Messages leave when their time is over, and nothing else does.

use moonport::activity::Happening;
use moonport::cluster::Admin as _;
use moonport::cluster::admin::MessageQuery;
use moonport::cluster::error::ClusterError;
use moonport::cluster::paging::Page;
use moonport::domain::topic::{TopicDefinition, TopicType};

use crate::support::broker::{START, TestBroker, bodies, seconds, topic, within};

const HOUR: u64 = 3600;

/// Waits until a loss of this group is reported.
async fn lost(test: &TestBroker, group: &str) -> u64 {
    let mut latest = test.feed.latest();
    within(async {
        loop {
            for event in test.feed.since(0, 10_000).events {
                match event.happening {
                    Happening::MessagesLost {
                        group: of, count, ..
                    } if of.as_str() == group => {
                        return count;
                    }
                    _ => {}
                }
            }
            latest.changed().await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn messages_go_by_their_own_age_and_the_offsets_stay_o1_e2() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    test.join("g", "orders").await;
    let old = test.send("orders", "old").await;
    test.clock.step(seconds(HOUR));
    test.send("orders", "young").await;
    test.clock.step(seconds(71 * HOUR));

    assert_eq!(lost(&test, "g").await, 1);
    let row = test.broker.topic(topic("orders")).await.unwrap();
    assert_eq!((row.queues[0].min_offset, row.queues[0].max_offset), (1, 2));
    assert_eq!(bodies(&test.receive("g", "orders").await), ["young"]);
    let by_id = test
        .broker
        .messages(MessageQuery::Id(old.id), Page::first(9))
        .await;
    assert!(by_id.unwrap().rows.is_empty());
    let test = test.restart().await;
    assert_eq!(test.send("orders", "next").await.offset, 2);
}

#[tokio::test]
async fn a_topic_may_keep_its_messages_shorter_than_the_instance_n18() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    let mut short = TopicDefinition::new(topic("short"), TopicType::Normal, 1, START);
    short.retention = Some(seconds(HOUR));
    test.put_topic(short).await.unwrap();
    test.join("g", "short").await;
    for name in ["orders", "short"] {
        test.send(name, "x").await;
    }
    test.clock.step(seconds(HOUR));
    assert_eq!(lost(&test, "g").await, 1);
    assert!(test.stored("short").await.is_empty());
    assert_eq!(test.stored("orders").await.len(), 1);
}

#[tokio::test]
async fn what_a_group_acked_is_not_lost_to_it_o2() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await
        .group("slow", 16)
        .await;
    test.join("slow", "orders").await;
    for body in ["1", "2"] {
        test.send("orders", body).await;
    }
    let received = test.receive("g", "orders").await;
    test.ack_all(&received).await;
    test.clock.step(seconds(72 * HOUR));
    assert_eq!(lost(&test, "slow").await, 2);
    assert_eq!(test.group_row("g").await.lost_total, 0);
    let gone = test.try_ack(&received[0].handle).await;
    assert!(matches!(gone, Err(ClusterError::MessageNotFound(_))));
}

#[tokio::test]
async fn the_bytes_of_a_topic_rise_with_messages_and_fall_with_retention() {
    let bytes = async |test: &TestBroker| {
        let row = test.broker.topic(topic("orders")).await.unwrap();
        row.bytes.unwrap()
    };
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 2)
        .await;
    assert_eq!(bytes(&test).await, 0);
    test.send("orders", &"x".repeat(10_000)).await;
    let old = bytes(&test).await;
    assert!((10_000..10_500).contains(&old), "{old}");
    test.clock.step(seconds(HOUR));
    test.send("orders", "young").await;
    test.send("orders", "young").await;
    let all = bytes(&test).await;
    let young = all - old;
    assert!((10..1000).contains(&young), "{young}");

    let test = test.restart().await;
    assert_eq!(bytes(&test).await, all, "from a checkpoint");
    test.send("orders", "young").await;
    let more = bytes(&test).await;
    let test = test.after_crash();
    assert_eq!(bytes(&test).await, more, "from the records after it");

    test.clock.step(seconds(71 * HOUR));
    within(async {
        while bytes(&test).await == more {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(bytes(&test).await, more - old);
    let test = test.restart().await;
    assert_eq!(bytes(&test).await, more - old);
}
