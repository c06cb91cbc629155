//! Delayed messages: never early, at most as late as the clock is looked at, and taken back before their moment.

use std::time::Duration;

use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{Recall, SendReceipt};
use moonport::cluster::paging::Page;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _, Reply};
use moonport::domain::ids::MessageId;
use moonport::domain::message::Draft;
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::TopicType;

use crate::support::broker::{START, TestBroker, bodies, draft, seconds, topic};

async fn later() -> TestBroker {
    let test = TestBroker::new()
        .topic("later", TopicType::Delay, 1)
        .await
        .group("g", 16)
        .await;
    test.join("g", "later").await;
    test
}

async fn send_at(test: &TestBroker, body: &str, at: Timestamp) -> SendReceipt {
    let delayed = Draft {
        deliver_at: Some(at),
        ..draft("later", body)
    };
    test.send_draft(delayed).await
}

async fn recall(test: &TestBroker, handle: &str) -> Reply<MessageId> {
    let request = Recall {
        topic: topic("later"),
        handle: handle.to_owned(),
    };
    test.broker.recall(&Caller::local(), request).await
}

#[tokio::test]
async fn a_delayed_message_comes_at_its_moment_and_not_before_l1() {
    let test = later().await;
    let due = START + Duration::from_millis(600_001);
    send_at(&test, "x", due).await;
    test.step(seconds(600)).await;
    assert!(test.receive("g", "later").await.is_empty());
    test.step(Duration::from_millis(1)).await;
    let received = test.receive("g", "later").await;
    assert_eq!(bodies(&received), ["x"]);
    assert_eq!(
        (received[0].message.stored_at, received[0].message.offset),
        (due, 0)
    );
    assert_eq!(received[0].message.deliver_at, Some(due));
}

#[tokio::test]
async fn a_waiting_receiver_gets_the_delayed_message_when_time_jumps() {
    let test = later().await;
    send_at(&test, "x", START + seconds(3600)).await;
    let clock = test.clock.clone();
    let (received, ()) = tokio::join!(test.await_messages("g", "later"), async {
        tokio::task::yield_now().await;
        clock.jump_to(START + seconds(3600));
    });
    assert_eq!(bodies(&received), ["x"]);
}

#[tokio::test]
async fn a_moment_that_has_come_delivers_at_once_l1() {
    let test = later().await;
    let sent = send_at(&test, "x", START - seconds(1)).await;
    assert_eq!(sent.recall_handle, None);
    assert_eq!(bodies(&test.receive("g", "later").await), ["x"]);
}

#[tokio::test]
async fn more_than_forty_days_are_refused_with_the_limit_l2() {
    let test = later().await;
    let far = Draft {
        deliver_at: Some(START + seconds(40 * 86_400) + Duration::from_millis(1)),
        ..draft("later", "x")
    };
    let refused = test.try_send(far).await;
    let limit_ms = 40 * 86_400_000;
    assert!(
        matches!(refused, Err(ClusterError::DelayTooLong { limit_ms: l, .. }) if l == limit_ms)
    );
}

#[tokio::test]
async fn due_messages_are_stored_in_the_order_of_their_moments() {
    let test = later().await;
    for (body, after) in [("third", 30), ("first", 10), ("second", 20)] {
        send_at(&test, body, START + seconds(after)).await;
    }
    let pending = test
        .broker
        .pending(None, Page::first(9))
        .await
        .unwrap()
        .rows;
    let dues: Vec<_> = pending.iter().map(|row| row.due.since(START)).collect();
    assert_eq!(dues, [seconds(10), seconds(20), seconds(30)]);
    test.step(seconds(60)).await;
    assert_eq!(
        bodies(&test.receive("g", "later").await),
        ["first", "second", "third"]
    );
}

#[tokio::test]
async fn a_recalled_message_never_comes_l4() {
    let test = later().await;
    let sent = send_at(&test, "x", START + seconds(60)).await;
    let handle = sent.recall_handle.unwrap();
    assert_eq!(recall(&test, &handle).await, Ok(sent.id.clone()));
    let twice = recall(&test, &handle).await;
    assert!(matches!(twice, Err(ClusterError::NotRecallable(_))));
    test.step(seconds(60)).await;
    assert!(test.receive("g", "later").await.is_empty());
    let trace = test.trace(&sent.id).await;
    assert_eq!(trace[0].steps.last().unwrap().what, "recalled");
}

#[tokio::test]
async fn a_delivered_message_and_a_garbled_handle_cannot_be_recalled_l4() {
    let test = later().await;
    let sent = send_at(&test, "x", START + seconds(60)).await;
    test.step(seconds(60)).await;
    let late = recall(&test, &sent.recall_handle.unwrap()).await;
    assert!(matches!(late, Err(ClusterError::NotRecallable(_))));
    let garbled = recall(&test, "%%%").await;
    assert!(matches!(garbled, Err(ClusterError::IllegalRequest(_))));
}

#[tokio::test]
async fn pending_delays_survive_a_restart() {
    let test = later().await;
    send_at(&test, "x", START + seconds(60)).await;
    let test = test.restart().await;
    test.step(seconds(60)).await;
    assert_eq!(bodies(&test.receive("g", "later").await), ["x"]);
    let test = test.restart().await;
    assert!(
        test.broker
            .pending(None, Page::first(9))
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert_eq!(test.stored("later").await.len(), 1);
}

#[tokio::test]
async fn pending_delays_go_with_their_topic_t9() {
    use moonport::cluster::admin::DeleteTopic;
    let test = later().await;
    send_at(&test, "x", START + seconds(60)).await;
    let delete = |dry_run| DeleteTopic {
        topic: topic("later"),
        dry_run,
    };
    let told = test.broker.delete_topic(delete(true)).await.unwrap();
    assert_eq!((told.pending, told.offsets), (1, 1));
    assert_eq!(test.broker.delete_topic(delete(false)).await.unwrap(), told);
    assert!(
        test.broker
            .pending(None, Page::first(9))
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    test.step(seconds(60)).await;
    assert_eq!(test.broker.statistics().await.unwrap().messages, 0);
}
