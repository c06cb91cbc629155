//! What happens to a batch that fails (TR-21 to TR-32), under broker time that moves by hand.

use std::sync::Arc;

use moonport::control::triggers::TriggerCommand;
use moonport::domain::message::Draft;
use moonport::domain::names::GroupName;
use moonport::domain::topic::TopicType;
use moonport::domain::trigger::{
    Tolerance, TriggerDeadLetter, TriggerDefinition, TriggerRetry, TriggerState,
};

use crate::support::broker::{START, TestBroker, seconds, tagged, topic};
use crate::support::triggers::{RANDOM, TestTriggers};

async fn world(change: impl FnOnce(&mut TriggerDefinition)) -> TestTriggers {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .topic("graveyard", TopicType::Normal, 1)
        .await;
    TestTriggers::over(broker).trigger(change).await
}

/// Goes on with attempts, jumping to each, until the batch is settled or stopped the trigger.
async fn run_out(world: &TestTriggers) {
    loop {
        let row = world
            .wait_row(|row| {
                row.in_work == 0 && (row.retrying > 0 || row.lag == 0 || !row.state.is_at_work())
            })
            .await;
        if row.retrying == 0 {
            return;
        }
        let due = row.next_attempt_at.unwrap();
        let attempts = row.invoked_total;
        world.jump_to(due).await;
        world.wait_row(|row| row.invoked_total > attempts).await;
    }
}

trait AtWork {
    fn is_at_work(&self) -> bool;
}

impl AtWork for TriggerState {
    fn is_at_work(&self) -> bool {
        matches!(self, Self::Running | Self::Retrying { .. } | Self::Starting)
    }
}

#[tokio::test]
async fn backoff_retries_three_times_ten_to_twenty_seconds_apart_then_a_dead_letter_tr23_tr25_u4_u5()
 {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    let wait = 10_000 + i64::try_from(RANDOM).unwrap();
    let sent = world
        .broker
        .send_draft(Draft {
            keys: vec!["k".to_owned()],
            ..tagged("orders", "{\"order\": 1}", "paid")
        })
        .await;
    for failed in 1..=3 {
        let row = world.wait_retry(failed + 1).await;
        let due = row.next_attempt_at.unwrap();
        assert_eq!(
            due.as_millis() - START.as_millis(),
            i64::from(failed) * wait
        );
        assert_eq!(row.state.to_string(), "Retrying");
        world
            .broker
            .step(std::time::Duration::from_millis(wait.unsigned_abs() - 1))
            .await;
        world.settle().await;
        assert_eq!(world.scripted.seen().len(), failed as usize);
        world.broker.step(std::time::Duration::from_millis(1)).await;
        world.wait_calls(failed as usize + 1).await;
    }
    let row = world
        .wait_row(|row| row.dead_total == 1 && row.lag == 0)
        .await;
    assert_eq!((row.invoked_total, row.failed_total), (4, 4));
    assert_eq!(row.last_error.as_deref(), Some("ValueError: no stock"));

    let seen = world.scripted.seen();
    assert_eq!(
        seen.iter().map(|call| call.attempt).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert!(
        seen.iter()
            .all(|call| call.request_id.as_str() == sent.id.as_str()),
        "TR-21"
    );
    assert!(
        seen.iter().all(|call| call.event == seen[0].event),
        "TR-27: the broker counted one delivery"
    );
    let records = world.runs.invocations();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record.trigger.is_some()));
}

#[tokio::test]
async fn a_dead_letter_is_the_original_with_notes_tr26() {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    let sent = world
        .broker
        .send_draft(Draft {
            keys: vec!["k".to_owned()],
            properties: [("amount", "250")].into_iter().collect(),
            ..tagged("orders", "{\"order\": 1}", "paid")
        })
        .await;
    run_out(&world).await;
    let letters = world.wait_letters(1).await;
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert_eq!(&letter.body[..], b"{\"order\": 1}");
    assert_eq!(
        (letter.tag.as_deref(), &letter.keys[..]),
        (Some("paid"), &["k".to_owned()][..])
    );
    assert_eq!(letter.properties.get("amount"), Some("250"));
    for (note, value) in [
        ("TRIGGER", "t"),
        ("ERROR_TYPE", "FunctionUnhandledError"),
        ("ERROR_MESSAGE", "ValueError: no stock"),
        ("ATTEMPTS", "4"),
        ("GROUP", "g"),
        ("ORIGIN_MSG_ID", sent.id.as_str()),
        ("ORIGIN_TOPIC", "orders"),
        ("QUEUE", "0"),
        ("OFFSET", "0"),
    ] {
        let name = format!("MOONPORT_DLQ_{note}");
        assert_eq!(letter.system.get(&name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn dead_letters_go_where_the_trigger_says_tr25_u5() {
    let named =
        world(|trigger| trigger.dead_letter = TriggerDeadLetter::Topic(topic("graveyard"))).await;
    named.scripted.fail_always();
    let sent = named.broker.send("orders", "x").await;
    run_out(&named).await;
    let letter = named.broker.stored("graveyard").await.remove(0).message;
    assert_eq!(
        letter.system.get("MOONPORT_DLQ_ORIGIN_MSG_ID"),
        Some(sent.id.as_str())
    );
    assert_eq!(named.row().await.lag, 0);

    let dropped = world(|trigger| trigger.dead_letter = TriggerDeadLetter::Dropped).await;
    dropped.scripted.fail_always();
    dropped.broker.send("orders", "x").await;
    run_out(&dropped).await;
    assert!(dropped.letters().await.is_empty());
    assert_eq!(dropped.row().await.dead_total, 1);
}

#[tokio::test]
async fn exponential_decay_goes_on_for_a_day_less_385_seconds_and_never_loses_its_lease_tr23_u4() {
    let world = world(|trigger| trigger.retry = TriggerRetry::ExponentialDecay).await;
    world.scripted.fail_always();
    world.broker.send("orders", "x").await;
    run_out(&world).await;
    let seen = world.scripted.seen();
    assert_eq!(seen.len(), 177);
    assert!(
        seen.iter().all(|call| call.event == seen[0].event),
        "one lease for all attempts"
    );
    let passed = world.broker.clock.now().since(START);
    assert_eq!(passed, seconds(86_015));
    assert_eq!(world.wait_letters(1).await.len(), 1);
}

#[tokio::test]
async fn without_tolerance_the_trigger_stops_before_the_batch_tr25_u5() {
    let world = world(|trigger| trigger.tolerance = Tolerance::None).await;
    world.scripted.fail_on("bad");
    world.broker.send("orders", "bad").await;
    world.broker.send("orders", "after").await;
    run_out(&world).await;
    let row = world.row().await;
    assert_eq!(
        row.state,
        TriggerState::Ready {
            error: "ValueError: no stock".to_owned()
        }
    );
    assert_eq!(
        row.why_idle.as_deref(),
        Some("stopped before a batch that failed: ValueError: no stock")
    );
    assert_eq!(
        world.scripted.seen().len(),
        4,
        "nothing after the batch is consumed"
    );
    let progress = world.broker.progress("g").await;
    assert_eq!(
        progress[0].queues[0].committed, 0,
        "the offset stays before it"
    );

    world.scripted.succeed();
    world.command(TriggerCommand::Resume).await.unwrap();
    world.wait_done().await;
    let attempts: Vec<u32> = world
        .scripted
        .seen()
        .iter()
        .map(|call| call.attempt)
        .collect();
    assert_eq!(attempts, [1, 2, 3, 4, 1, 1], "from there, counting anew");
    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn a_stopped_trigger_stays_stopped_over_a_restart_and_its_batch_can_be_skipped_tr32() {
    let world = world(|trigger| trigger.tolerance = Tolerance::None).await;
    world.scripted.fail_on("bad");
    world.broker.send("orders", "bad").await;
    world.broker.send("orders", "after").await;
    run_out(&world).await;

    let world = world.restart().await;
    world.settle().await;
    assert!(matches!(
        world.row().await.state,
        TriggerState::Ready { .. }
    ));
    assert_eq!(world.scripted.seen().len(), 4);

    world.command(TriggerCommand::Skip).await.unwrap();
    world.wait_done().await;
    let seen = world.scripted.seen();
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[4].bodies(), ["after"]);
    assert_eq!(
        world.wait_letters(1).await[0]
            .system
            .get("MOONPORT_DLQ_ATTEMPTS"),
        Some("4")
    );
}

#[tokio::test]
async fn skipping_what_stopped_the_trigger_leaves_batches_that_only_wait() {
    let world = world(|trigger| {
        trigger.tolerance = Tolerance::None;
        trigger.concurrency = 2;
    })
    .await;
    world.scripted.fail_on("bad");
    world.broker.send("orders", "bad").await;
    for next in 2..=4 {
        world.wait_retry(next).await;
        world.broker.step(seconds(20)).await;
    }
    world
        .wait_row(|row| matches!(row.state, TriggerState::Ready { .. }))
        .await;
    world.scripted.fail_times(1);
    // The second lane is idle while the trigger is stopped; it fails once the first batch is skipped.
    world.broker.send("orders", "worse").await;
    world.command(TriggerCommand::Skip).await.unwrap();
    world.wait_retry(2).await;
    assert_eq!(world.wait_letters(1).await.len(), 1);
}

#[tokio::test]
async fn a_restart_between_attempts_goes_on_with_the_count_tr32() {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    world.broker.send("orders", "x").await;
    world.wait_retry(2).await;
    world.broker.step(seconds(20)).await;
    let due = world.wait_retry(3).await.next_attempt_at;

    let world = world.restart().await;
    let row = world.wait_retry(3).await;
    assert_eq!(row.next_attempt_at, due, "the wait goes on where it was");
    run_out(&world).await;
    let seen = world.scripted.seen();
    assert_eq!(
        seen.iter().map(|call| call.attempt).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert!(
        seen.iter()
            .all(|call| call.request_id == seen[0].request_id),
        "TR-21"
    );
    assert!(
        seen.iter()
            .all(|call| call.json()[0]["systemProperties"]["RECONSUME_TIME"] == "0"),
        "what is given back in good order counts as no delivery"
    );
    assert_eq!(world.wait_letters(1).await.len(), 1);
}

#[test]
fn a_crash_between_attempts_goes_on_with_the_count_tr32() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (broker, store, events, scripted) = first.block_on(async {
        let world = world(|trigger| trigger.batch_size = 2).await;
        world.scripted.fail_always();
        world.broker.send("orders", "a").await;
        world.wait_retry(2).await;
        world.broker.settle().await;
        (world.broker, world.store, world.events, world.scripted)
    });
    // Every task ends where it stands: no lease is given back, no session closed.
    first.shutdown_background();

    runtime().block_on(async {
        let broker = broker.after_crash();
        let world = TestTriggers::with(broker, store, events, scripted);
        world.set.load().await.unwrap();
        // The lease of the process before has to run out.
        world.settle().await;
        assert_eq!(world.scripted.seen().len(), 1);
        world.broker.step(seconds(60)).await;
        run_out(&world).await;
        let seen = world.scripted.seen();
        assert_eq!(
            seen.iter().map(|call| call.attempt).collect::<Vec<_>>(),
            [1, 2, 3, 4]
        );
        assert!(
            seen.iter()
                .all(|call| call.request_id == seen[0].request_id)
        );
        assert_eq!(
            seen[1].json()[0]["systemProperties"]["RECONSUME_TIME"],
            "1",
            "TR-27"
        );
        assert_eq!(world.wait_letters(1).await.len(), 1);
    });
}

#[tokio::test]
async fn a_batch_fails_and_is_retried_whole_tr22_u5() {
    let world = world(|trigger| {
        trigger.batch_size = 3;
        trigger.batch_window = seconds(1);
    })
    .await;
    world.scripted.fail_times(1);
    for body in ["a", "b", "c"] {
        world.broker.send("orders", body).await;
    }
    world.wait_retry(2).await;
    world.broker.step(seconds(20)).await;
    world.wait_done().await;
    let seen = world.scripted.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].bodies(), &seen[0].request_id),
        (seen[1].bodies(), &seen[1].request_id)
    );
    assert_eq!(seen[0].bodies().len(), 3);
}

#[tokio::test]
async fn a_message_that_comes_again_under_another_topic_of_the_name_starts_anew() {
    let world =
        world(|trigger| trigger.offset = moonport::domain::group::FirstSeen::Earliest).await;
    world.scripted.fail_always();
    world.broker.send("orders", "old").await;
    world.wait_retry(2).await;
    let world = {
        world.set.stop(seconds(10)).await;
        let gone = moonport::cluster::admin::DeleteTopic {
            topic: topic("orders"),
            dry_run: false,
        };
        moonport::cluster::Admin::delete_topic(&world.broker.broker, gone)
            .await
            .unwrap();
        let broker = world.broker.topic("orders", TopicType::Normal, 1).await;
        TestTriggers::with(broker, world.store, world.events, world.scripted)
    };
    world.set.load().await.unwrap();
    world.broker.send("orders", "new").await;
    let seen = world.wait_calls(2).await;
    assert_eq!(
        (seen[1].bodies(), seen[1].attempt),
        (vec!["new".to_owned()], 1)
    );
}

#[tokio::test]
async fn pausing_holds_a_wait_and_resuming_ends_it_with_the_same_attempt() {
    let world = world(|_| {}).await;
    world.scripted.fail_times(1);
    world.broker.send("orders", "x").await;
    world.wait_retry(2).await;
    world.command(TriggerCommand::Pause).await.unwrap();
    world.broker.send("orders", "y").await;
    world.broker.step(seconds(3600)).await;
    world.settle().await;
    assert_eq!(world.scripted.seen().len(), 1);
    let row = world.row().await;
    assert_eq!(
        (row.state, row.why_idle.as_deref()),
        (TriggerState::Paused, Some("paused"))
    );

    let world = world.restart().await;
    assert_eq!(world.row().await.state, TriggerState::Paused, "TR-32");
    world.command(TriggerCommand::Resume).await.unwrap();
    world.wait_done().await;
    let seen = world.scripted.seen();
    assert_eq!(
        seen.iter().map(|call| call.attempt).collect::<Vec<_>>(),
        [1, 2, 1]
    );
    assert_eq!(seen[1].bodies(), ["x"]);
}

#[tokio::test]
async fn a_person_starts_the_next_attempt_now_or_gives_the_batch_up() {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    world.broker.send("orders", "x").await;
    world.wait_retry(2).await;
    world.command(TriggerCommand::RetryNow).await.unwrap();
    world.wait_retry(3).await;
    assert_eq!(world.broker.clock.now(), START, "no time passed");
    world.command(TriggerCommand::Skip).await.unwrap();
    world.wait_done().await;
    assert_eq!(world.scripted.seen().len(), 2);
    assert_eq!(
        world.wait_letters(1).await[0]
            .system
            .get("MOONPORT_DLQ_ATTEMPTS"),
        Some("2")
    );

    for command in [
        TriggerCommand::RetryNow,
        TriggerCommand::Skip,
        TriggerCommand::Resume,
    ] {
        let error = world.command(command).await.unwrap_err();
        assert!(
            error.to_string().starts_with("trigger `t` has nothing to"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn every_state_is_reported_once_with_its_reason_tr31() {
    let world = world(|_| {}).await;
    world.scripted.fail_times(1);
    world.broker.send("orders", "x").await;
    world.wait_retry(2).await;
    world.broker.step(seconds(20)).await;
    world.wait_done().await;
    world.command(TriggerCommand::Pause).await.unwrap();
    assert_eq!(
        world.reported(),
        [
            "Running",
            "Retrying: attempt 2 at 2026-06-12T13:54:56.733Z, ValueError: no stock",
            "Running",
            "Paused"
        ]
    );
    let row = world.row().await;
    assert_eq!(row.since, START + seconds(20));
    assert_eq!(row.last_error.as_deref(), Some("ValueError: no stock"));
}

#[tokio::test]
async fn two_groups_on_a_topic_are_independent() {
    let world = world(|_| {}).await;
    let mut second = world.definition();
    second.name = crate::support::triggers::trigger("u");
    second.group = GroupName::new("h").unwrap();
    second.function = crate::support::triggers::function("other");
    let other = Arc::new(crate::support::triggers::Scripted::default());
    world.host.register(second.function.clone(), other.clone());
    world
        .host
        .put(crate::support::triggers::closure("other"))
        .unwrap();
    world.put(second).await.unwrap();
    world.scripted.fail_always();
    world.broker.send("orders", "x").await;
    world.wait_retry(2).await;
    assert_eq!(other.seen().len(), 1);
}

#[tokio::test]
async fn attempts_grow_while_the_broker_counts_one_delivery_and_the_offset_stays_tr27_tr29_u7() {
    let world = world(|_| {}).await;
    world.scripted.fail_times(2);
    world.broker.send("orders", "x").await;
    for next in [2, 3] {
        let row = world.wait_retry(next).await;
        assert_eq!(row.lag, 1, "the offset moves with success only");
        world.jump_to(row.next_attempt_at.unwrap()).await;
    }
    let row = world.wait_done().await;
    assert_eq!(row.lag, 0);
    let seen = world.scripted.seen();
    let attempts: Vec<u32> = seen.iter().map(|call| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    for call in &seen {
        let properties = &call.json()[0]["systemProperties"];
        assert_eq!(properties["RECONSUME_TIME"], "0");
        assert_eq!(call.request_id, seen[0].request_id, "TR-21");
    }
}
