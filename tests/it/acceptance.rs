//! The broker's share of the acceptance tests, by their number. Number 11 stands with the filter, number 12 with the events
//! of triggers, each under its number.

use std::time::Duration;

use moonport::activity::Happening;
use moonport::cluster::admin::{ConsumeStatus, MessageQuery, ResetOffset, ResetTo};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{OffsetAt, OffsetQuery};
use moonport::cluster::paging::Page;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::message::{Draft, HalfDraft, MessageType, key};
use moonport::domain::names::ClientId;
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::TopicType;

use crate::support::broker::{
    START, TestBroker, bodies, draft, fifo, group, seconds, topic, within,
};

#[test]
fn acceptance_1_the_seed_id_is_made_again_m4() {
    let ids = MessageIdGenerator::new([0x6A, 0xB7, 0x6B, 0x2B, 0x73, 0xF6], 1, 0);
    let made = ids.next(Timestamp::from_millis(1_781_272_484_388));
    assert_eq!(made.as_str(), "016AB76B2B73F600010A3DA9A400000000");
}

#[tokio::test]
async fn acceptance_2_three_retries_are_four_deliveries_and_a_dead_letter_g3() {
    let test = orders().await.group("g", 3).await;
    let sent = test.send("orders", "bad").await;
    let mut attempts = Vec::new();
    loop {
        let received = test.receive("g", "orders").await;
        let Some(delivery) = received.first() else {
            break;
        };
        attempts.push(delivery.attempt);
        test.nack(delivery, Duration::ZERO).await;
    }
    assert_eq!(attempts, [1, 2, 3, 4]);

    let letters = test.stored("%DLQ%g").await;
    let letter = &letters[0].message;
    let origin = letter.system.get(key::DLQ_ORIGIN_MESSAGE_ID);
    assert_eq!((letters.len(), origin), (1, Some(sent.id.as_str())));
    assert_ne!(letter.id, sent.id);
}

#[tokio::test]
async fn acceptance_3_sixteen_due_times_sum_to_17140_seconds_d11() {
    let test = orders().await.group("g", 16).await;
    test.send("orders", "bad").await;
    let policy = test.group_row("g").await.definition.retry_policy;
    let mut waited = Duration::ZERO;
    for attempt in 1..=16 {
        let received = test.receive("g", "orders").await;
        assert_eq!(received[0].attempt, attempt);
        let delay = policy.delay(attempt);
        test.nack(&received[0], delay).await;
        test.step(delay.saturating_sub(Duration::from_millis(1)))
            .await;
        assert!(
            test.receive("g", "orders").await.is_empty(),
            "retry {attempt} is early"
        );
        test.step(Duration::from_millis(1)).await;
        waited += delay;
    }
    assert_eq!(waited, seconds(17_140));
    let last = test.receive("g", "orders").await;
    assert_eq!(last[0].attempt, 17);
    test.nack(&last[0], seconds(10)).await;
    assert_eq!(test.stored("%DLQ%g").await.len(), 1);
}

#[tokio::test]
async fn acceptance_4_the_old_handle_fails_after_a_nack_d3_d4() {
    let test = orders().await.group("g", 16).await;
    test.send("orders", "x").await;
    let received = test.receive("g", "orders").await;
    let new = test.nack(&received[0], seconds(30)).await;
    let old = test.try_ack(&received[0].handle).await;
    assert_eq!(old, Err(ClusterError::ReceiptExpired));
    assert_eq!(test.try_ack(&new).await, Ok(()));
}

#[tokio::test]
async fn acceptance_5_an_expired_lease_gives_attempt_2_at_once_d5() {
    let test = orders().await.group("g", 16).await;
    test.send("orders", "x").await;
    let first = test.receive("g", "orders").await;
    test.clock.step(seconds(60));
    let second = test.receive("g", "orders").await;
    assert_eq!(
        (bodies(&second), second[0].attempt),
        (vec!["x".to_owned()], 2)
    );
    let old = test.try_ack(&first[0].handle).await;
    assert_eq!(old, Err(ClusterError::ReceiptExpired));
}

#[tokio::test]
async fn acceptance_6_retention_past_the_consumer_offset_reports_the_loss_o2() {
    let test = orders().await.group("g", 16).await;
    test.join("g", "orders").await;
    for body in ["1", "2", "3"] {
        test.send("orders", body).await;
    }
    let seen = *test.feed.latest().borrow();
    test.clock.step(seconds(72 * 3600));
    let lost = |happening: &Happening| match happening {
        Happening::MessagesLost { group, count, .. } => Some((group.to_string(), *count)),
        _ => None,
    };
    let mut latest = test.feed.latest();
    let reported = within(async {
        loop {
            let events = test.feed.since(seen, 1000).events;
            if let Some(found) = events.iter().find_map(|event| lost(&event.happening)) {
                return found;
            }
            latest.changed().await.unwrap();
        }
    });
    assert_eq!(reported.await, ("g".to_owned(), 3));
    assert_eq!(test.group_row("g").await.lost_total, 3);
}

#[tokio::test]
async fn acceptance_7_a_failing_message_group_does_not_stop_another_f2() {
    let test = TestBroker::new()
        .topic("steps", TopicType::Fifo, 1)
        .await
        .orderly_group("g", 16)
        .await;
    for (body, of) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")] {
        test.send_draft(fifo("steps", body, of)).await;
    }
    let one = |delivery: &[_]| bodies(delivery).join(",");
    let a1 = test.receive_some("g", "steps", 1).await;
    assert_eq!(one(&a1), "a1");
    test.nack(&a1[0], seconds(3)).await;
    let mut from_b = Vec::new();
    for _ in 0..2 {
        let received = test.receive_some("g", "steps", 1).await;
        from_b.extend(bodies(&received));
        test.ack_all(&received).await;
    }
    assert_eq!(from_b, ["b1", "b2"]);
    assert!(test.receive_some("g", "steps", 1).await.is_empty());
    test.step(seconds(3)).await;
    let again = test.receive_some("g", "steps", 1).await;
    assert_eq!((one(&again), again[0].attempt), ("a1".to_owned(), 2));
}

#[tokio::test]
async fn acceptance_8_a_pending_delay_shows_in_the_pending_view_and_the_trace_only_l3() {
    let test = TestBroker::new()
        .topic("later", TopicType::Delay, 1)
        .await
        .group("g", 16)
        .await;
    test.join("g", "later").await;
    let due = START + seconds(600);
    let sent = test
        .send_draft(Draft {
            deliver_at: Some(due),
            ..draft("later", "x")
        })
        .await;

    assert!(test.stored("later").await.is_empty());
    let by_id = test
        .broker
        .messages(MessageQuery::Id(sent.id.clone()), Page::first(9))
        .await;
    assert!(by_id.unwrap().rows.is_empty());
    let query = OffsetQuery {
        topic: topic("later"),
        queue: 0,
        at: OffsetAt::Max,
    };
    assert_eq!(
        test.broker.offset(&local(), query).await.unwrap().offset,
        Some(0)
    );
    assert_eq!(test.group_row("g").await.lag(), 0);
    let pending = test
        .broker
        .pending(Some(topic("later")), Page::first(9))
        .await
        .unwrap();
    assert_eq!((pending.rows.len(), pending.rows[0].due), (1, due));
    let trace = test.trace(&sent.id).await;
    assert_eq!(trace[0].place, None);
    assert_eq!(trace[0].steps[0].what, format!("parked until {due}"));
}

#[tokio::test]
async fn acceptance_9_fifteen_checks_and_the_transaction_is_rolled_back_x3() {
    let test = TestBroker::new()
        .topic("pay", TopicType::Transaction, 1)
        .await;
    let half = Draft {
        transaction: Some(HalfDraft::default()),
        ..draft("pay", "x")
    };
    let sent = test.send_draft(half).await;
    test.step(seconds(6)).await;
    for checks in 1..=15 {
        let rows = test.broker.transactions(Page::first(9)).await.unwrap().rows;
        assert_eq!(rows[0].checks, checks);
        test.step(seconds(30)).await;
    }
    assert!(
        test.broker
            .transactions(Page::first(9))
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(test.stored("pay").await.is_empty());
    let trace = test.trace(&sent.id).await;
    let last = trace[0].steps.last().unwrap();
    assert_eq!(last.what, "given up after the last check");
}

#[tokio::test]
async fn acceptance_10_a_dry_run_tells_what_the_reset_does_z2_z5() {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 2)
        .await
        .group("g", 16)
        .await;
    for body in 0..20 {
        test.send("orders", &body.to_string()).await;
    }
    let received = test.receive_some("g", "orders", 7).await;
    test.ack_all(&received[..5]).await;
    for to in [
        ResetTo::Earliest,
        ResetTo::Latest,
        ResetTo::Offset(4),
        ResetTo::Time(START),
    ] {
        let mut request = ResetOffset {
            group: group("g"),
            topic: topic("orders"),
            queue: None,
            to,
            dry_run: true,
        };
        let dry = test.broker.reset_offset(request.clone()).await.unwrap();
        request.dry_run = false;
        let applied = test.broker.reset_offset(request).await.unwrap();
        assert_eq!((dry.applied, applied.applied), (false, true));
        assert_eq!(dry.queues, applied.queues, "{to:?}");
        for (row, now) in applied
            .queues
            .iter()
            .zip(&test.progress("g").await[0].queues)
        {
            assert_eq!((now.committed, now.in_flight), (row.new, 0), "{to:?}");
        }
    }
    let old = test.try_ack(&received[6].handle).await;
    assert_eq!(old, Err(ClusterError::ReceiptExpired));
}

#[tokio::test]
async fn acceptance_13_only_the_topics_own_type_is_stored_t4_t5_t6() {
    let test = TestBroker::new();
    let types = [
        TopicType::Normal,
        TopicType::Fifo,
        TopicType::Delay,
        TopicType::Transaction,
        TopicType::Priority,
    ];
    for takes in types {
        let name = takes.as_str();
        let mut definition =
            moonport::domain::topic::TopicDefinition::new(topic(name), takes, 1, START);
        definition.remark = "all pairs".to_owned();
        test.put_topic(definition).await.unwrap();
        for given in MessageType::ALL {
            let outcome = test.try_send(of_type(name, given)).await;
            let fits = name == given.as_str();
            assert_eq!(outcome.is_ok(), fits, "{given} to {takes}: {outcome:?}");
        }
        let row = test.broker.topic(topic(name)).await.unwrap();
        assert_eq!(row.messages + row.parked, 1, "{takes}");
    }
}

#[tokio::test]
async fn acceptance_14_members_that_subscribe_otherwise_are_named_g6() {
    let test = orders().await.group("g", 16).await;
    assert_eq!(test.group_row("g").await.inconsistent, None);
    for client in ["a", "b"] {
        test.consumer(client, "g", "orders", "created").await;
    }
    assert_eq!(test.group_row("g").await.inconsistent, Some(Vec::new()));
    test.consumer("c", "g", "orders", "*").await;
    let differing = vec![ClientId::new("c").unwrap()];
    assert_eq!(test.group_row("g").await.inconsistent, Some(differing));
}

#[tokio::test]
async fn acceptance_15_a_restart_in_mid_flight_neither_loses_nor_doubles_d7() {
    let test = orders().await.group("g", 16).await;
    let mut ids = Vec::new();
    for body in ["acked", "in flight", "nacked", "fresh"] {
        ids.push(test.send("orders", body).await.id);
    }
    let received = test.receive_some("g", "orders", 3).await;
    test.ack(&received[0]).await;
    test.nack(&received[2], seconds(10)).await;

    let test = test.restart().await;
    assert_eq!(bodies(&test.receive("g", "orders").await), ["fresh"]);
    test.step(seconds(10)).await;
    let again = test.receive("g", "orders").await;
    assert_eq!(
        (bodies(&again), again[0].attempt),
        (vec!["nacked".to_owned()], 2)
    );
    test.ack(&received[1]).await;
    test.step(seconds(3600)).await;
    test.receive("g", "orders").await;
    let trace = test.trace(&ids[1]).await;
    assert_eq!(trace[0].groups[0].status, ConsumeStatus::Consumed);
}

async fn orders() -> TestBroker {
    TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
}

fn local() -> moonport::cluster::session::Caller {
    moonport::cluster::session::Caller::local()
}

fn of_type(name: &str, given: MessageType) -> Draft {
    let mut draft = draft(name, "x");
    match given {
        MessageType::Normal => {}
        MessageType::Fifo => draft.message_group = Some("g".to_owned()),
        MessageType::Delay => draft.deliver_at = Some(START + seconds(60)),
        MessageType::Transaction => draft.transaction = Some(HalfDraft::default()),
        MessageType::Priority => draft.priority = Some(1),
    }
    draft
}
