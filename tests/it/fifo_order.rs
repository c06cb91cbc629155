//! Order within a message group, and what it does to others.

use std::time::Duration;

use moonport::cluster::messaging::Receive;
use moonport::domain::subscription::FilterExpression;
use moonport::domain::topic::TopicType;

use crate::support::broker::{TestBroker, bodies, fifo, receive, seconds};

async fn steps(messages: &[(&str, &str)]) -> TestBroker {
    let test = TestBroker::new()
        .topic("steps", TopicType::Fifo, 1)
        .await
        .orderly_group("g", 2)
        .await;
    for (body, of) in messages {
        test.send_draft(fifo("steps", body, of)).await;
    }
    test
}

#[tokio::test]
async fn messages_of_one_group_go_one_after_the_other_f1() {
    let test = steps(&[("a1", "a"), ("a2", "a"), ("a3", "a")]).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let received = test.receive_some("g", "steps", 1).await;
        assert!(test.receive_some("g", "steps", 1).await.is_empty());
        seen.extend(bodies(&received));
        test.ack_all(&received).await;
    }
    assert_eq!(seen, ["a1", "a2", "a3"]);
}

#[tokio::test]
async fn one_delivery_may_hold_several_in_order_and_blocks_until_all_are_settled_f2() {
    let test = steps(&[("a1", "a"), ("a2", "a"), ("a3", "a")]).await;
    let batch = test.receive_some("g", "steps", 2).await;
    assert_eq!(bodies(&batch), ["a1", "a2"]);
    test.ack(&batch[0]).await;
    assert!(test.receive("g", "steps").await.is_empty());
    test.ack(&batch[1]).await;
    assert_eq!(bodies(&test.receive("g", "steps").await), ["a3"]);
}

#[tokio::test]
async fn a_failed_message_is_retried_in_place_until_it_is_dead_f3() {
    let test = steps(&[("a1", "a"), ("a2", "a")]).await;
    for attempt in 1..=3 {
        let received = test.receive_some("g", "steps", 1).await;
        assert_eq!(
            (bodies(&received), received[0].attempt),
            (vec!["a1".to_owned()], attempt)
        );
        test.nack(&received[0], seconds(3)).await;
        test.step(seconds(3)).await;
    }
    assert_eq!(bodies(&test.receive("g", "steps").await), ["a2"]);
    assert_eq!(test.group_row("g").await.dead_letters, 1);
}

#[tokio::test]
async fn expired_messages_of_one_delivery_come_back_in_order() {
    let test = steps(&[("a1", "a"), ("a2", "a"), ("b1", "b")]).await;
    assert_eq!(test.receive("g", "steps").await.len(), 3);
    test.step(seconds(60)).await;
    assert_eq!(
        bodies(&test.receive("g", "steps").await),
        ["a1", "a2", "b1"]
    );
}

#[tokio::test]
async fn a_later_message_waits_for_an_earlier_one_in_retry() {
    let test = steps(&[("a1", "a"), ("a2", "a")]).await;
    let batch = test.receive("g", "steps").await;
    test.nack(&batch[0], seconds(30)).await;
    test.nack(&batch[1], Duration::ZERO).await;
    assert!(test.receive("g", "steps").await.is_empty());
    test.step(seconds(30)).await;
    assert_eq!(bodies(&test.receive("g", "steps").await), ["a1", "a2"]);
}

#[tokio::test]
async fn progress_names_the_message_that_blocks_f2() {
    let test = steps(&[("a1", "a"), ("a2", "a"), ("b1", "b")]).await;
    test.receive_some("g", "steps", 1).await;
    let progress = test.progress("g").await;
    assert_eq!(progress[0].queues[0].blocked, [("a".to_owned(), 0)]);
}

#[tokio::test]
async fn a_block_survives_a_restart() {
    let test = steps(&[("a1", "a"), ("a2", "a"), ("b1", "b")]).await;
    let first = test.receive_some("g", "steps", 1).await;
    let test = test.restart().await;
    assert_eq!(bodies(&test.receive("g", "steps").await), ["b1"]);
    test.ack(&first[0]).await;
    assert_eq!(bodies(&test.receive("g", "steps").await), ["a2"]);
}

#[tokio::test]
async fn a_waiting_receiver_wakes_when_the_block_goes() {
    let test = steps(&[("a1", "a"), ("a2", "a")]).await;
    let first = test.receive_some("g", "steps", 1).await;
    let (next, ()) = tokio::join!(test.await_messages("g", "steps"), test.ack(&first[0]));
    assert_eq!(bodies(&next), ["a2"]);
}

#[tokio::test]
async fn the_same_attempt_gets_the_same_messages_again_f2() {
    let test = steps(&[("a1", "a"), ("a2", "a")]).await;
    let attempt = || Receive {
        attempt_id: Some("one".to_owned()),
        max: 1,
        ..receive("g", "steps")
    };
    let first = test.try_receive(attempt()).await.unwrap();
    let again = test.try_receive(attempt()).await.unwrap();
    assert_eq!(first[0].handle, again[0].handle);
    test.ack(&again[0]).await;
    assert_eq!(bodies(&test.try_receive(attempt()).await.unwrap()), ["a2"]);
}

#[tokio::test]
async fn what_the_filter_does_not_want_blocks_nobody() {
    let test = steps(&[]).await;
    for (body, tag) in [("a1", "skip"), ("a2", "take")] {
        let mut draft = fifo("steps", body, "a");
        draft.tag = Some(tag.to_owned());
        test.send_draft(draft).await;
    }
    let taken = test
        .try_receive(Receive {
            filter: FilterExpression::Tag("take".to_owned()),
            ..receive("g", "steps")
        })
        .await
        .unwrap();
    assert_eq!(bodies(&taken), ["a2"]);
}

#[tokio::test]
async fn a_reset_clears_the_blocks_f4() {
    use moonport::cluster::Admin as _;
    use moonport::cluster::admin::{ResetOffset, ResetTo};
    let test = steps(&[("a1", "a"), ("a2", "a")]).await;
    let first = test.receive_some("g", "steps", 1).await;
    test.nack(&first[0], seconds(600)).await;
    let request = ResetOffset {
        group: crate::support::broker::group("g"),
        topic: crate::support::broker::topic("steps"),
        queue: None,
        to: ResetTo::Earliest,
        dry_run: false,
    };
    test.broker.reset_offset(request).await.unwrap();
    let again = test.receive("g", "steps").await;
    assert_eq!(
        (bodies(&again), again[0].attempt),
        (vec!["a1".to_owned(), "a2".to_owned()], 1)
    );
}

#[tokio::test]
async fn a_long_block_keeps_others_going_and_reads_each_message_once() {
    let test = steps(&[]).await;
    for n in 0..600 {
        test.send_draft(fifo("steps", &format!("a{n}"), "a")).await;
    }
    test.send_draft(fifo("steps", "b", "b")).await;
    let first = test.receive_some("g", "steps", 1).await;
    assert_eq!(bodies(&test.receive("g", "steps").await), ["b"]);
    test.ack(&first[0]).await;
    let next = test.receive("g", "steps").await;
    assert_eq!((next.len(), bodies(&next)[0].as_str()), (32, "a1"));
}
