//! Half messages: the producer's word, the broker's questions, and what happens without an answer.

use futures_util::StreamExt as _;
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{EndTransaction, Resolution, Send, SendReceipt};
use moonport::cluster::paging::Page;
use moonport::cluster::session::{Caller, ClientKind, ClientSettings, ServerCommand};
use moonport::cluster::{Admin as _, Messaging as _, Reply};
use moonport::domain::message::{Draft, HalfDraft};
use moonport::domain::names::ClientId;
use moonport::domain::topic::TopicType;

use crate::support::broker::{START, TestBroker, bodies, draft, seconds, settings, topic, within};

async fn pay() -> TestBroker {
    let test = TestBroker::new()
        .topic("pay", TopicType::Transaction, 1)
        .await
        .group("g", 16)
        .await;
    test.join("g", "pay").await;
    test
}

fn half(immunity_seconds: Option<u32>) -> Draft {
    Draft {
        transaction: Some(HalfDraft { immunity_seconds }),
        ..draft("pay", "x")
    }
}

async fn end(test: &TestBroker, sent: &SendReceipt, resolution: Resolution) -> Reply<()> {
    let request = EndTransaction {
        topic: Some(topic("pay")),
        transaction: sent.transaction.clone().unwrap(),
        message_id: Some(sent.id.clone()),
        resolution,
        from_check: false,
    };
    test.broker.end_transaction(&Caller::local(), request).await
}

async fn producer(test: &TestBroker, name: &str) -> Caller {
    let caller = Caller::local_client(ClientId::new(name).unwrap());
    let settings = ClientSettings {
        publishing: vec![topic("pay")],
        ..settings(ClientKind::Producer)
    };
    test.broker.open_session(&caller, settings).await.unwrap();
    caller
}

#[tokio::test]
async fn a_half_message_is_seen_by_nobody_until_it_is_committed_x1_x2() {
    let test = pay().await;
    let sent = test.send_draft(half(None)).await;
    assert!(test.receive("g", "pay").await.is_empty());
    assert!(test.stored("pay").await.is_empty());
    end(&test, &sent, Resolution::Unknown).await.unwrap();
    assert!(test.receive("g", "pay").await.is_empty());

    end(&test, &sent, Resolution::Commit).await.unwrap();
    let received = test.receive("g", "pay").await;
    assert_eq!(bodies(&received), ["x"]);
    assert_eq!(received[0].message.id, sent.id);
}

#[tokio::test]
async fn a_rolled_back_message_is_gone_x2() {
    let test = pay().await;
    let sent = test.send_draft(half(None)).await;
    end(&test, &sent, Resolution::Rollback).await.unwrap();
    end(&test, &sent, Resolution::Commit).await.unwrap();
    assert!(test.receive("g", "pay").await.is_empty());
    let trace = test.trace(&sent.id).await;
    assert_eq!(
        trace[0].steps.last().unwrap().what,
        "rolled back by its producer"
    );
}

#[tokio::test]
async fn a_second_end_has_no_effect_and_an_unknown_one_is_an_error_x4() {
    let test = pay().await;
    let sent = test.send_draft(half(None)).await;
    end(&test, &sent, Resolution::Commit).await.unwrap();
    end(&test, &sent, Resolution::Rollback).await.unwrap();
    assert_eq!(test.receive("g", "pay").await.len(), 1);
    let mut strange = sent.clone();
    strange.transaction = Some(moonport::domain::ids::TransactionId::new("FFFF-x"));
    let refused = end(&test, &strange, Resolution::Commit).await;
    assert!(matches!(refused, Err(ClusterError::TransactionNotFound(_))));
}

#[tokio::test]
async fn an_end_for_another_message_is_refused_x4() {
    let test = pay().await;
    let sent = test.send_draft(half(None)).await;
    let other = test.send_draft(half(None)).await;
    let mixed = SendReceipt {
        id: other.id,
        ..sent
    };
    let refused = end(&test, &mixed, Resolution::Commit).await;
    assert!(matches!(refused, Err(ClusterError::IllegalRequest(_))));
}

#[tokio::test]
async fn the_sender_is_asked_first_and_another_producer_when_it_is_gone_x4_x5() {
    let test = pay().await;
    let sender = producer(&test, "sender").await;
    let other = producer(&test, "other").await;
    let mut asked_sender = test.broker.commands(sender.client.as_ref().unwrap());
    let mut asked_other = test.broker.commands(other.client.as_ref().unwrap());
    let outcomes = test
        .broker
        .send(&sender, Send::one(half(None)))
        .await
        .unwrap();
    let sent = outcomes.into_iter().next().unwrap().unwrap();

    test.step(seconds(6)).await;
    let question = within(asked_sender.next()).await.unwrap();
    let ServerCommand::CheckTransaction {
        transaction,
        message,
        message_id,
    } = question
    else {
        panic!("not a check");
    };
    assert_eq!(Some(&transaction), sent.transaction.as_ref());
    assert_eq!((&message.body[..], &message_id), (&b"x"[..], &sent.id));

    test.broker.close_session(&sender).await.unwrap();
    test.step(seconds(30)).await;
    assert!(matches!(
        within(asked_other.next()).await,
        Some(ServerCommand::CheckTransaction { .. })
    ));
    let request = EndTransaction {
        topic: None,
        transaction,
        message_id: None,
        resolution: Resolution::Commit,
        from_check: true,
    };
    test.broker.end_transaction(&other, request).await.unwrap();
    let trace = test.trace(&sent.id).await;
    let steps: Vec<_> = trace[0]
        .steps
        .iter()
        .map(|step| step.what.as_str())
        .collect();
    assert!(steps.contains(&"checked 2 times"));
    assert!(steps.contains(&"committed in answer to a check"));
}

#[tokio::test]
async fn a_message_may_ask_for_a_later_first_check_x3() {
    let test = pay().await;
    test.send_draft(half(Some(60))).await;
    let next = |rows: &[moonport::cluster::admin::TransactionRow]| rows[0].next_check_at;
    let rows = test.broker.transactions(Page::first(9)).await.unwrap().rows;
    assert_eq!(next(&rows), START + seconds(60));
    test.step(seconds(60)).await;
    let rows = test.broker.transactions(Page::first(9)).await.unwrap().rows;
    assert_eq!((rows[0].checks, next(&rows)), (1, START + seconds(90)));
}

#[tokio::test]
async fn halves_survive_a_restart_with_their_checks() {
    let test = pay().await;
    let sent = test.send_draft(half(None)).await;
    test.step(seconds(6)).await;
    let test = test.restart().await;
    let rows = test.broker.transactions(Page::first(9)).await.unwrap().rows;
    assert_eq!(rows[0].checks, 1);
    end(&test, &sent, Resolution::Commit).await.unwrap();
    assert_eq!(bodies(&test.receive("g", "pay").await), ["x"]);
}
