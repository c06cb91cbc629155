//! Failed deliveries come back: at once after an expiry, later after a nack, and how long a lease holds.

use std::time::Duration;

use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::Receive;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::topic::TopicType;

use crate::support::broker::{TestBroker, bodies, receive, seconds};

async fn one_order() -> TestBroker {
    let test = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 16)
        .await;
    test.send("orders", "x").await;
    test
}

fn renewed() -> Receive {
    Receive {
        auto_renew: true,
        ..receive("g", "orders")
    }
}

#[tokio::test]
async fn a_nacked_message_is_retrying_until_its_moment() {
    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], seconds(10)).await;
    let row = test.group_row("g").await;
    assert_eq!((row.ready, row.in_flight, row.retrying), (0, 0, 1));
    assert_eq!(row.next_retry_at, Some(test.clock.now() + seconds(10)));
    test.step(seconds(10)).await;
    let row = test.group_row("g").await;
    assert_eq!((row.ready, row.in_flight, row.retrying), (1, 0, 0));
}

#[tokio::test]
async fn a_waiting_receiver_wakes_when_the_retry_is_due() {
    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    test.nack(&received[0], seconds(10)).await;
    let clock = test.clock.clone();
    let (again, ()) = tokio::join!(test.await_messages("g", "orders"), async {
        while clock.next_due().is_none_or(|due| due.what != "retry") {
            tokio::task::yield_now().await;
        }
        clock.jump_to(clock.next_due().unwrap().at);
    });
    assert_eq!(again[0].attempt, 2);
}

#[tokio::test]
async fn the_clock_names_the_next_due_thing_while_it_is_due() {
    let test = one_order().await;
    let next = || test.clock.next_due().map(|next| (next.at, next.what));
    let received = test.receive("g", "orders").await;
    let lease = (test.clock.now() + seconds(60), "invisible duration");
    assert_eq!(next(), Some(lease));
    test.nack(&received[0], seconds(10)).await;
    let retry = (test.clock.now() + seconds(10), "retry");
    assert_eq!(next(), Some(retry));
    test.step(seconds(10)).await;
    let again = test.receive("g", "orders").await;
    test.ack(&again[0]).await;
    assert_eq!(next(), None);
}

#[tokio::test]
async fn a_longer_lease_takes_a_new_handle_and_keeps_the_attempt_d4() {
    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    let longer = test
        .extend(&received[0].handle, seconds(600))
        .await
        .unwrap();
    test.step(seconds(599)).await;
    assert!(test.receive("g", "orders").await.is_empty());
    let old = test.try_ack(&received[0].handle).await;
    assert_eq!(old, Err(ClusterError::ReceiptExpired));
    assert_eq!(longer.attempt, 1);
    assert_eq!(test.try_ack(&longer).await, Ok(()));
}

#[tokio::test]
async fn an_invisible_duration_is_changed_by_at_most_twelve_hours_n15() {
    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    let refused = test
        .extend(&received[0].handle, seconds(12 * 3600 + 1))
        .await;
    assert!(matches!(
        refused,
        Err(ClusterError::IllegalInvisible { .. })
    ));
}

#[tokio::test]
async fn a_jump_renews_the_leases_of_living_sessions_and_ends_others_d8() {
    let test = one_order().await;
    test.send("orders", "y").await;
    let push = test.consumer("push", "g", "orders", "*").await;
    let mut renewing = renewed();
    renewing.max = 1;
    let held = test.receive_as(&push, renewing).await.unwrap();
    let simple = test.receive("g", "orders").await;
    assert_eq!(
        (bodies(&held), bodies(&simple)),
        (vec!["x".to_owned()], vec!["y".to_owned()])
    );

    test.step(seconds(86_400)).await;
    let again = test.receive("g", "orders").await;
    assert_eq!(
        (bodies(&again), again[0].attempt),
        (vec!["y".to_owned()], 2)
    );
    assert_eq!(test.try_ack(&held[0].handle).await, Ok(()));
}

#[tokio::test]
async fn a_silent_session_loses_its_leases_w2() {
    let test = one_order().await;
    let push = test.consumer("push", "g", "orders", "*").await;
    test.receive_as(&push, renewed()).await.unwrap();
    test.real.advance(seconds(119));
    test.broker.heartbeat(&push).await.unwrap();
    test.real.advance(seconds(119));
    test.step(seconds(60)).await;
    assert!(test.receive("g", "orders").await.is_empty());
    test.real.advance(seconds(1));
    test.step(seconds(60)).await;
    assert_eq!(test.receive("g", "orders").await[0].attempt, 2);
    assert!(test.broker.clients(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_leaving_client_holds_is_ready_after_a_second_w2() {
    let test = one_order().await;
    let push = test.consumer("push", "g", "orders", "*").await;
    test.receive_as(&push, renewed()).await.unwrap();
    test.broker.close_session(&push).await.unwrap();
    test.step(Duration::from_millis(999)).await;
    assert!(test.receive("g", "orders").await.is_empty());
    test.step(Duration::from_millis(1)).await;
    assert_eq!(test.receive("g", "orders").await[0].attempt, 2);
}

#[tokio::test]
async fn a_message_held_for_three_hours_is_nacked_by_the_policy_d8() {
    let test = one_order().await;
    let push = test.consumer("push", "g", "orders", "*").await;
    test.receive_as(&push, renewed()).await.unwrap();
    for _ in 0..(3 * 60) {
        test.real.advance(seconds(60));
        test.broker.heartbeat(&push).await.unwrap();
        test.step(seconds(60)).await;
    }
    let row = test.group_row("g").await;
    assert_eq!((row.in_flight, row.retrying), (0, 1));
    assert_eq!(row.next_retry_at, Some(test.clock.now() + seconds(10)));
}

#[tokio::test]
async fn a_lost_lease_still_acks_until_somebody_else_has_the_message() {
    use moonport::domain::receipt::ReceiptHandle;
    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    // The lease of a crashed broker: its number was given out, and no record of it remained.
    let lost = ReceiptHandle {
        lease: received[0].handle.lease + 1000,
        ..received[0].handle.clone()
    };
    assert_eq!(test.try_ack(&lost).await, Ok(()));

    let test = one_order().await;
    let received = test.receive("g", "orders").await;
    test.step(seconds(60)).await;
    test.receive("g", "orders").await;
    let superseded = test.try_ack(&received[0].handle).await;
    assert_eq!(superseded, Err(ClusterError::ReceiptExpired));
}
