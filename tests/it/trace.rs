//! What is told of one message: its own life, and what each group did with it.

use std::time::Duration;

use moonport::cluster::admin::{ConsumeStatus, GroupTrace};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::Receive;
use moonport::domain::group::FirstSeen;
use moonport::domain::ids::MessageId;
use moonport::domain::message::{Draft, Place};
use moonport::domain::subscription::FilterExpression;
use moonport::domain::topic::TopicType;

use crate::support::broker::{
    START, TestBroker, draft, fifo, receive, seconds, tagged, topic, within,
};

async fn orders() -> TestBroker {
    TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .group("g", 1)
        .await
}

async fn of(test: &TestBroker, id: &MessageId, group: &str) -> GroupTrace {
    let trace = test.trace(id).await;
    let mut groups = trace.into_iter().next().unwrap().groups.into_iter();
    groups.find(|trace| trace.group.as_str() == group).unwrap()
}

fn outcomes(trace: &GroupTrace) -> Vec<(u32, &str)> {
    let attempts = trace.attempts.iter();
    attempts
        .map(|attempt| (attempt.attempt, attempt.outcome.as_str()))
        .collect()
}

#[tokio::test]
async fn each_delivery_is_told_with_its_end_k1_k3() {
    let test = orders().await;
    let sent = test.send("orders", "x").await;
    let first = test.receive("g", "orders").await;
    let status = of(&test, &sent.id, "g").await.status;
    assert_eq!(
        status,
        ConsumeStatus::InFlight {
            until: START + seconds(60)
        }
    );
    test.nack(&first[0], seconds(10)).await;
    let status = of(&test, &sent.id, "g").await.status;
    let due = START + seconds(10);
    assert_eq!(status, ConsumeStatus::Retrying { attempt: 2, due });
    test.step(seconds(10)).await;
    let second = test.receive("g", "orders").await;
    test.ack_all(&second).await;
    let trace = of(&test, &sent.id, "g").await;
    assert_eq!(outcomes(&trace), [(1, "nacked"), (2, "acked")]);
    assert_eq!(trace.status, ConsumeStatus::Consumed);
    assert_eq!(trace.attempts[0].delivered_at, Some(START));
    assert_eq!(trace.attempts[1].ended_at, Some(due));
}

#[tokio::test]
async fn a_dead_message_names_the_place_of_its_letter_k4() {
    let test = orders().await;
    let sent = test.send("orders", "x").await;
    for _ in 0..2 {
        let received = test.receive("g", "orders").await;
        test.nack(&received[0], Duration::ZERO).await;
    }
    let trace = of(&test, &sent.id, "g").await;
    let place = Place {
        topic: topic("%DLQ%g"),
        queue: 0,
        offset: 0,
    };
    assert_eq!(trace.status, ConsumeStatus::Dead { place });
    assert_eq!(outcomes(&trace), [(1, "nacked"), (2, "dead")]);
}

#[tokio::test]
async fn consumed_is_never_inferred_from_offsets_k4() {
    let test = orders().await;
    test.join("g", "orders").await;
    let before = test.send("orders", "before").await;
    let test = test
        .put_group("late", |group| group.first_seen = FirstSeen::Latest)
        .await;
    test.join("late", "orders").await;
    let unwanted = test.send_draft(tagged("orders", "unwanted", "b")).await;
    let wanted = test.send_draft(tagged("orders", "wanted", "a")).await;
    let fresh = test.send("orders", "fresh").await;
    let only_a = Receive {
        filter: FilterExpression::Tag("a".to_owned()),
        max: 1,
        ..receive("late", "orders")
    };
    let received = test.try_receive(only_a).await.unwrap();
    test.ack_all(&received).await;

    let status = async |id: &MessageId| of(&test, id, "late").await.status;
    assert_eq!(status(&before.id).await, ConsumeStatus::NotSubscribed);
    assert_eq!(status(&unwanted.id).await, ConsumeStatus::FilteredOut);
    assert_eq!(status(&wanted.id).await, ConsumeStatus::Consumed);
    assert_eq!(status(&fresh.id).await, ConsumeStatus::FilteredOut);
    assert_eq!(
        of(&test, &fresh.id, "g").await.status,
        ConsumeStatus::NotConsumed
    );
}

#[tokio::test]
async fn a_blocked_message_names_the_one_before_it_f2() {
    let test = TestBroker::new()
        .topic("steps", TopicType::Fifo, 1)
        .await
        .orderly_group("g", 16)
        .await;
    test.send_draft(fifo("steps", "a1", "a")).await;
    let second = test.send_draft(fifo("steps", "a2", "a")).await;
    test.receive_some("g", "steps", 1).await;
    let status = of(&test, &second.id, "g").await.status;
    assert_eq!(status, ConsumeStatus::Blocked { by: 0 });
}

#[tokio::test]
async fn a_refused_message_is_told_by_its_senders_id() {
    let test = orders().await;
    let id = MessageId::new("MINE").unwrap();
    let bad = Draft {
        id: Some(id.clone()),
        ..draft("orders", "")
    };
    assert_eq!(test.try_send(bad).await, Err(ClusterError::BodyEmpty));
    test.settle().await;
    let trace = test.trace(&id).await;
    assert_eq!(trace[0].steps[0].what, "refused: the body is empty");
    assert!(test.stored("orders").await.is_empty());
}

#[tokio::test]
async fn two_messages_under_one_id_have_a_trace_each_m2_m6() {
    let test = orders().await;
    let id = MessageId::new("TWICE").unwrap();
    for _ in 0..2 {
        let again = Draft {
            id: Some(id.clone()),
            ..draft("orders", "x")
        };
        test.send_draft(again).await;
    }
    let traces = test.trace(&id).await;
    let offsets: Vec<_> = traces
        .iter()
        .map(|t| t.place.as_ref().unwrap().offset)
        .collect();
    assert_eq!(offsets, [0, 1]);
}

#[tokio::test]
async fn a_delayed_message_has_both_its_lives_in_one_trace() {
    let test = TestBroker::new().topic("later", TopicType::Delay, 1).await;
    let due = START + seconds(60);
    let delayed = Draft {
        deliver_at: Some(due),
        ..draft("later", "x")
    };
    let sent = test.send_draft(delayed).await;
    test.step(seconds(60)).await;
    let traces = test.trace(&sent.id).await;
    let steps: Vec<_> = traces[0]
        .steps
        .iter()
        .map(|step| (step.at, step.what.clone()))
        .collect();
    let parked = (START, format!("parked until {due}"));
    let delivered = (due, "delivered to later queue 0 offset 0".to_owned());
    assert_eq!((traces.len(), steps), (1, vec![parked, delivered]));
}

#[tokio::test]
async fn a_renewed_lease_is_one_delivery() {
    let test = orders().await;
    let sent = test.send("orders", "x").await;
    let received = test.receive("g", "orders").await;
    let longer = test
        .extend(&received[0].handle, seconds(600))
        .await
        .unwrap();
    test.try_ack(&longer).await.unwrap();
    let trace = of(&test, &sent.id, "g").await;
    assert_eq!(outcomes(&trace), [(1, "acked")]);
}

#[tokio::test]
async fn what_left_by_retention_says_so_and_is_traced_whenever_it_came_k5_y4() {
    let test = orders().await;
    let sent = test.send("orders", "x").await;
    test.clock.step(seconds(71 * 3600));
    assert_eq!(test.trace(&sent.id).await[0].steps.len(), 1);
    test.clock.step(seconds(3600));
    within(async {
        while !test.stored("orders").await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let trace = test.trace(&sent.id).await;
    let last = trace[0].steps.last().unwrap();
    assert_eq!(
        (last.what.as_str(), last.at),
        ("left by retention", START + seconds(72 * 3600))
    );
}
