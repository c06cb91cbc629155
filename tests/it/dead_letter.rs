//! Dead letters: when they are made, what they carry, and the ways back.

use std::time::Duration;

use moonport::cluster::admin::{DeadLetterResend, ResendTo};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::ForwardToDeadLetter;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::group::DeadLetterTarget;
use moonport::domain::message::{Place, Properties, key};
use moonport::domain::topic::TopicType;

use crate::support::broker::{
    TestBroker, bodies, draft, fifo, group, seconds, tagged, topic, within,
};

/// A group that gives up at the first failure.
async fn strict() -> TestBroker {
    TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 0)
        .await
}

async fn letters(test: &TestBroker) -> Vec<Place> {
    let stored = test.stored("%DLQ%g").await;
    stored.iter().map(|row| row.message.place()).collect()
}

async fn resend(test: &TestBroker, to: ResendTo) -> Result<(), ClusterError> {
    let request = DeadLetterResend {
        letters: letters(test).await,
        to,
        edited: None,
    };
    let outcomes = test.broker.resend(request).await.unwrap();
    outcomes
        .into_iter()
        .try_for_each(|outcome| outcome.result.map(drop))
}

#[tokio::test]
async fn a_letter_is_made_at_the_failure_and_keeps_the_message_q1_q3() {
    let test = strict().await;
    let mut order = tagged("orders", "x", "created");
    order.keys = vec!["k1".to_owned()];
    order.properties.set("p", "v");
    let sent = test.send_draft(order).await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], seconds(10)).await;

    let stored = test.stored("%DLQ%g").await;
    let letter = &stored[0].message;
    assert_eq!(
        (&letter.body[..], letter.tag.as_deref()),
        (&b"x"[..], Some("created"))
    );
    assert_eq!(
        (letter.keys.as_slice(), letter.properties.get("p")),
        (&["k1".to_owned()][..], Some("v"))
    );
    assert_eq!(letter.system.get(key::DLQ_ORIGIN_TOPIC), Some("orders"));
    assert_eq!(
        letter.system.get(key::DLQ_ORIGIN_MESSAGE_ID),
        Some(sent.id.as_str())
    );
    assert_eq!(letter.system.get("MOONPORT_DLQ_ATTEMPTS"), Some("1"));
    let row = test.group_row("g").await;
    assert_eq!((row.lag(), row.retrying, row.dead_letters), (0, 0, 1));
}

#[tokio::test]
async fn the_last_expiry_makes_a_letter_too_q1() {
    let test = strict().await;
    test.send("orders", "x").await;
    test.receive("g", "orders").await;
    test.step(seconds(60)).await;
    assert_eq!(letters(&test).await.len(), 1);
    assert!(test.receive("g", "orders").await.is_empty());
}

#[tokio::test]
async fn a_group_may_name_another_topic_or_keep_none_q4() {
    let test = strict().await.topic("graveyard", TopicType::Mixed, 1).await;
    let test = test
        .put_group("g", |group| {
            group.max_retries = 0;
            group.dead_letter = DeadLetterTarget::Topic(topic("graveyard"));
        })
        .await;
    test.send("orders", "kept").await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;
    assert_eq!(test.stored("graveyard").await.len(), 1);

    let test = test
        .put_group("g", |group| {
            group.max_retries = 0;
            group.dead_letter = DeadLetterTarget::Discard;
        })
        .await;
    test.send("orders", "thrown away").await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;
    assert_eq!(test.stored("graveyard").await.len(), 1);
    assert_eq!(test.group_row("g").await.lag(), 0);
}

#[tokio::test]
async fn a_consumer_forwards_with_notes_before_the_retries_are_used_up_d14() {
    let test = strict().await.group("g", 16).await;
    test.send("orders", "x").await;
    let received = test.receive("g", "orders").await;
    let forward = ForwardToDeadLetter {
        group: group("g"),
        topic: topic("orders"),
        handle: received[0].handle.clone(),
        notes: Properties::from_iter([("MOONPORT_DLQ_ERROR_TYPE", "Boom")]),
    };
    test.broker
        .forward_to_dead_letter(&Caller::local(), forward)
        .await
        .unwrap();
    let stored = test.stored("%DLQ%g").await;
    assert_eq!(
        stored[0].message.system.get("MOONPORT_DLQ_ERROR_TYPE"),
        Some("Boom")
    );
}

#[tokio::test]
async fn a_letter_goes_back_to_its_topic_as_a_new_message_for_all_q6a() {
    let test = strict().await.group("h", 16).await;
    let sent = test.send("orders", "x").await;
    let to_h = test.receive("h", "orders").await;
    test.ack_all(&to_h).await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;

    resend(&test, ResendTo::Topic).await.unwrap();
    for name in ["g", "h"] {
        let again = test.receive(name, "orders").await;
        assert_eq!(
            (bodies(&again), again[0].attempt),
            (vec!["x".to_owned()], 1)
        );
        assert_ne!(again[0].message.id, sent.id);
        assert_eq!(again[0].message.system.get(key::DLQ_ORIGIN_TOPIC), None);
    }
    assert_eq!(letters(&test).await.len(), 1);
}

#[tokio::test]
async fn a_letter_goes_back_to_its_group_only_as_the_same_message_q6c() {
    let test = strict().await.group("h", 16).await;
    let sent = test.send("orders", "x").await;
    let to_h = test.receive("h", "orders").await;
    test.ack_all(&to_h).await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;

    resend(&test, ResendTo::Group).await.unwrap();
    let again = test.receive("g", "orders").await;
    let delivery = &again[0];
    assert_eq!((delivery.attempt, &delivery.message.id), (1, &sent.id));
    assert_eq!(delivery.message.place(), received[0].message.place());
    assert!(test.receive("h", "orders").await.is_empty());
    let twice = resend(&test, ResendTo::Group).await;
    assert!(matches!(twice, Err(ClusterError::IllegalRequest(_))));

    test.nack(delivery, Duration::ZERO).await;
    assert_eq!(letters(&test).await.len(), 2);
}

#[tokio::test]
async fn a_letter_of_an_orderly_group_takes_its_place_in_order_again() {
    let test = TestBroker::new()
        .topic("steps", TopicType::Fifo, 1)
        .await
        .orderly_group("g", 0)
        .await;
    test.send_draft(fifo("steps", "a1", "a")).await;
    let received = test.receive_some("g", "steps", 1).await;
    test.nack(&received[0], Duration::ZERO).await;
    test.send_draft(fifo("steps", "a2", "a")).await;
    resend(&test, ResendTo::Group).await.unwrap();
    assert_eq!(bodies(&test.receive_some("g", "steps", 1).await), ["a1"]);
    assert!(test.receive_some("g", "steps", 1).await.is_empty());
}

#[tokio::test]
async fn dead_letters_are_read_like_any_topic_q2() {
    let test = strict().await.group("mourners", 16).await;
    test.send("orders", "x").await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;
    let read = test.receive("mourners", "%DLQ%g").await;
    assert_eq!(bodies(&read), ["x"]);
    let refused = test.try_send(draft("%DLQ%nobody", "x")).await;
    assert!(matches!(refused, Err(ClusterError::IllegalName(_))));
}

#[tokio::test]
async fn reading_keeps_a_letter_and_retention_takes_it_q5() {
    let test = strict().await.group("reader", 16).await;
    test.send("orders", "x").await;
    test.step(seconds(3600)).await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], Duration::ZERO).await;
    let read = test.receive("reader", "%DLQ%g").await;
    test.ack_all(&read).await;
    test.clock.step(seconds(72 * 3600 - 1));
    // The message left first: its time began an hour before that of its letter.
    within(async {
        while !test.stored("orders").await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(letters(&test).await.len(), 1);
    test.clock.step(seconds(1));
    within(async {
        while !letters(&test).await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(test.group_row("g").await.dead_letters, 0);
}
