//! Offsets, lag, pull, reset and deletion: exact figures per queue.

use std::time::Duration;

use moonport::cluster::admin::{DeleteGroup, DeleteTopic, MessageQuery, ResetOffset, ResetTo};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{OffsetAt, OffsetQuery, Pull, Receive, UpdateOffset};
use moonport::cluster::paging::Page;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _, Reply};
use moonport::domain::group::FirstSeen;
use moonport::domain::ids::MessageId;
use moonport::domain::message::Draft;
use moonport::domain::subscription::FilterExpression;
use moonport::domain::topic::TopicType;

use crate::support::broker::{
    START, TestBroker, bodies, draft, group, receive, seconds, tagged, topic,
};

async fn orders(messages: usize) -> TestBroker {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    test.join("g", "orders").await;
    for n in 0..messages {
        test.send("orders", &n.to_string()).await;
    }
    test
}

async fn offset(test: &TestBroker, at: OffsetAt) -> Option<u64> {
    let query = OffsetQuery {
        topic: topic("orders"),
        queue: 0,
        at,
    };
    test.broker
        .offset(&Caller::local(), query)
        .await
        .unwrap()
        .offset
}

async fn pull(test: &TestBroker, from: u64) -> Reply<(Vec<u64>, u64)> {
    let request = Pull {
        group: None,
        topic: topic("orders"),
        queue: 0,
        offset: from,
        max: 3,
        filter: FilterExpression::all(),
        poll: Duration::ZERO,
    };
    let pulled = test.broker.pull(&Caller::local(), request).await?;
    let offsets = pulled.messages.iter().map(|message| message.offset);
    Ok((offsets.collect(), pulled.next))
}

/// The worked example of section 5.1, from minimum 0 instead of 40 on: maximum 60, pulled to 50, acked 0-29 and 35.
#[tokio::test]
async fn the_worked_example_holds_5_1() {
    let test = orders(0).await;
    for n in 0..60 {
        test.clock.step(seconds(1));
        test.send("orders", &n.to_string()).await;
    }
    let mut taken = test.receive("g", "orders").await;
    taken.extend(test.receive_some("g", "orders", 18).await);
    for delivery in &taken {
        if delivery.message.offset < 30 || delivery.message.offset == 35 {
            test.ack(delivery).await;
        }
    }
    let progress = test.progress("g").await;
    let queue = &progress[0].queues[0];
    assert_eq!((queue.min_offset, queue.max_offset), (0, 60));
    assert_eq!((queue.committed, queue.pulled), (30, 50));
    assert_eq!(
        (queue.in_flight, queue.ready, queue.acked_ahead),
        (19, 10, 1)
    );
    // Message n was stored n + 1 seconds after the start; now is 60 seconds after it.
    assert_eq!(
        (queue.delay_time, queue.queueing_time),
        (seconds(29), seconds(9))
    );
    assert_eq!(test.group_row("g").await.lag(), 29);

    let test = test.restart().await;
    let progress = test.progress("g").await;
    assert_eq!(progress[0].queues[0].committed, 30);
    test.step(seconds(120)).await;
    let again = test.receive("g", "orders").await;
    assert!(again.iter().all(|delivery| delivery.message.offset != 35));
}

#[tokio::test]
async fn ready_counts_leave_out_what_the_filter_does_not_want() {
    let test = orders(0).await;
    for n in 0..10 {
        let tag = if n % 2 == 0 { "even" } else { "odd" };
        test.send_draft(tagged("orders", &n.to_string(), tag)).await;
    }
    let even = Receive {
        max: 1,
        filter: FilterExpression::Tag("even".to_owned()),
        ..receive("g", "orders")
    };
    assert_eq!(test.try_receive(even).await.unwrap().len(), 1);
    let row = test.group_row("g").await;
    assert_eq!((row.ready, row.in_flight), (4, 1));
}

#[tokio::test]
async fn offsets_by_time_follow_the_store_times_o4() {
    let test = orders(0).await;
    for n in 0..5 {
        test.send("orders", &n.to_string()).await;
        test.clock.step(seconds(10));
    }
    assert_eq!(offset(&test, OffsetAt::Min).await, Some(0));
    assert_eq!(offset(&test, OffsetAt::Max).await, Some(5));
    assert_eq!(offset(&test, OffsetAt::Time(START)).await, Some(0));
    assert_eq!(
        offset(&test, OffsetAt::Time(START + seconds(11))).await,
        Some(2)
    );
    assert_eq!(
        offset(&test, OffsetAt::Time(START + seconds(99))).await,
        Some(5)
    );
    assert_eq!(
        offset(&test, OffsetAt::Committed(group("nobody"))).await,
        None
    );
}

#[tokio::test]
async fn a_group_may_begin_at_a_moment_o3_o4() {
    let test = orders(0).await;
    test.send("orders", "before").await;
    test.clock.step(seconds(10));
    test.send("orders", "after").await;
    let test = test
        .put_group("late", |group| {
            group.first_seen = FirstSeen::At(START + seconds(5));
        })
        .await;
    assert_eq!(bodies(&test.receive("late", "orders").await), ["after"]);
}

#[tokio::test]
async fn pulling_reads_by_offset_and_moves_nothing_d10() {
    let test = orders(5).await;
    assert_eq!(pull(&test, 0).await, Ok((vec![0, 1, 2], 3)));
    assert_eq!(pull(&test, 3).await, Ok((vec![3, 4], 5)));
    assert_eq!(pull(&test, 5).await, Ok((Vec::new(), 5)));
    assert!(matches!(
        pull(&test, 6).await,
        Err(ClusterError::IllegalOffset { .. })
    ));
    assert_eq!(
        offset(&test, OffsetAt::Committed(group("g"))).await,
        Some(0)
    );
}

#[tokio::test]
async fn a_pulling_group_commits_its_offset_for_good() {
    let test = orders(5).await;
    let commit = |offset| UpdateOffset {
        group: group("g"),
        topic: topic("orders"),
        queue: 0,
        offset,
    };
    let caller = Caller::local();
    test.broker.update_offset(&caller, commit(3)).await.unwrap();
    let refused = test.broker.update_offset(&caller, commit(6)).await;
    assert!(matches!(refused, Err(ClusterError::IllegalOffset { .. })));
    let test = test.restart().await;
    assert_eq!(
        offset(&test, OffsetAt::Committed(group("g"))).await,
        Some(3)
    );
    assert_eq!(test.group_row("g").await.lag(), 2);
}

#[tokio::test]
async fn a_reset_leaves_messages_in_retry_alone_z3() {
    let test = orders(3).await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], seconds(60)).await;
    let request = ResetOffset {
        group: group("g"),
        topic: topic("orders"),
        queue: None,
        to: ResetTo::Latest,
        dry_run: false,
    };
    let report = test.broker.reset_offset(request).await.unwrap();
    assert_eq!((report.queues[0].new, report.queues[0].skipped), (3, 2));
    test.step(seconds(60)).await;
    let again = test.receive("g", "orders").await;
    assert_eq!(
        (bodies(&again), again[0].attempt),
        (vec!["0".to_owned()], 2)
    );
}

#[tokio::test]
async fn a_reset_of_what_is_not_there_or_out_of_bounds_is_refused_z1_z4() {
    let test = orders(3).await;
    let request = |group_name, to| ResetOffset {
        group: group(group_name),
        topic: topic("orders"),
        queue: None,
        to,
        dry_run: true,
    };
    let missing = test
        .broker
        .reset_offset(request("nobody", ResetTo::Latest))
        .await;
    assert_eq!(missing, Err(ClusterError::GroupNotFound(group("nobody"))));
    let beyond = test
        .broker
        .reset_offset(request("g", ResetTo::Offset(4)))
        .await;
    assert!(matches!(
        beyond,
        Err(ClusterError::IllegalOffset { max: 3, .. })
    ));
    assert!(
        test.broker
            .reset_offset(request("g", ResetTo::Offset(3)))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn deleting_a_group_may_keep_its_offsets_g7() {
    let test = orders(4).await;
    let received = test.receive_some("g", "orders", 2).await;
    test.ack_all(&received).await;
    let delete = |with_offsets, dry_run| DeleteGroup {
        group: group("g"),
        with_offsets,
        with_dead_letters: true,
        dry_run,
    };
    let told = test.broker.delete_group(delete(false, true)).await.unwrap();
    assert_eq!((told.offsets, told.in_flight), (1, 0));
    test.broker
        .delete_group(delete(false, false))
        .await
        .unwrap();
    let gone = test.broker.group(group("g")).await;
    assert_eq!(gone, Err(ClusterError::GroupNotFound(group("g"))));

    let test = test.restart().await.group("g", 16).await;
    assert_eq!(bodies(&test.receive_some("g", "orders", 1).await), ["2"]);
    test.broker.delete_group(delete(true, false)).await.unwrap();
    let test = test.group("g", 16).await;
    assert_eq!(bodies(&test.receive_some("g", "orders", 1).await), ["0"]);
}

#[tokio::test]
async fn a_topic_made_again_is_empty_and_old_handles_are_void_t9() {
    let test = orders(2).await;
    let received = test.receive("g", "orders").await;
    let delete = DeleteTopic {
        topic: topic("orders"),
        dry_run: false,
    };
    let report = test.broker.delete_topic(delete).await.unwrap();
    assert_eq!((report.messages, report.in_flight), (2, 2));
    let test = test.topic("orders", TopicType::Normal, 1).await;
    assert_eq!(test.send("orders", "new").await.offset, 0);
    test.join("g", "orders").await;
    let old = test.try_ack(&received[0].handle).await;
    assert_eq!(old, Err(ClusterError::ReceiptExpired));
    let test = test.restart().await;
    assert_eq!(bodies(&test.receive("g", "orders").await), ["new"]);
}

#[tokio::test]
async fn queues_that_are_added_are_read_from_their_start_t3() {
    let test = orders(1).await.topic("orders", TopicType::Normal, 3).await;
    for body in ["a", "b", "c"] {
        test.send("orders", body).await;
    }
    let mut received = bodies(&test.receive("g", "orders").await);
    received.sort();
    assert_eq!(received, ["0", "a", "b", "c"]);
}

#[tokio::test]
async fn queries_page_through_and_say_when_they_are_complete_y1_y2() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 3)
        .await;
    for n in 0..10 {
        let mut order = draft("orders", &n.to_string());
        order.keys = vec![format!("k{}", n % 2)];
        test.send_draft(order).await;
        test.clock.step(seconds(1));
    }
    for newest_first in [false, true] {
        let query = MessageQuery::Time {
            topic: topic("orders"),
            from: Some(START + seconds(2)),
            to: Some(START + seconds(8)),
            newest_first,
        };
        let (mut page, mut seen) = (Page::first(3), Vec::new());
        loop {
            let found = test
                .broker
                .messages(query.clone(), page.clone())
                .await
                .unwrap();
            seen.extend(
                found
                    .rows
                    .iter()
                    .map(|row| String::from_utf8_lossy(&row.message.body).into_owned()),
            );
            page.cursor = found.next;
            if found.complete {
                break;
            }
        }
        if newest_first {
            seen.reverse();
        }
        assert_eq!(seen, ["2", "3", "4", "5", "6", "7", "8"]);
    }
    let by_key = MessageQuery::Key {
        topic: topic("orders"),
        key: "k1".to_owned(),
        from: None,
        to: None,
    };
    let found = test.broker.messages(by_key, Page::first(9)).await.unwrap();
    assert_eq!((found.rows.len(), found.complete), (5, true));
    let between = MessageQuery::Key {
        topic: topic("orders"),
        key: "k1".to_owned(),
        from: Some(START + seconds(3)),
        to: Some(START + seconds(5)),
    };
    let found = test.broker.messages(between, Page::first(9)).await.unwrap();
    let times = found.rows.iter().map(|row| row.message.stored_at);
    assert_eq!(
        times.collect::<Vec<_>>(),
        [5, 3].map(|at| START + seconds(at))
    );
}

#[tokio::test]
async fn a_query_that_stops_at_its_most_is_not_complete_y1() {
    let test = orders(0).await;
    let id = MessageId::new("OFTEN").unwrap();
    for (sent, complete) in [(31, true), (32, false)] {
        while (test.stored("orders").await.len()) < sent {
            let again = Draft {
                id: Some(id.clone()),
                ..draft("orders", "x")
            };
            test.send_draft(again).await;
        }
        let by_id = MessageQuery::Id(id.clone());
        let found = test.broker.messages(by_id, Page::first(99)).await.unwrap();
        assert_eq!((found.rows.len(), found.complete), (sent, complete));
    }
}
