//! Asynchronous invocation (section 9): accepted at once, retried by the function's own settings, its outcome told.

use std::time::Duration;

use moonport::activity::Happening;
use moonport::domain::function::{AsyncSettings, Destination, FunctionDefinition, InvocationType};
use moonport::domain::ids::RequestId;
use moonport::domain::topic::TopicType;
use moonport::domain::trigger::TriggerDefinition;
use moonport::function::accepted::AcceptedStore as _;
use moonport::function::error::HostError;
use moonport::function::invocation::{Invocation, MAX_ASYNC_EVENT};
use serde_json::Value;

use crate::support::broker::{TestBroker, seconds, topic, within};
use crate::support::triggers::{TestTriggers, closure, function};

/// The topics `orders` and `outcomes`, and the function `f` with these settings.
async fn world(edit: impl FnOnce(&mut AsyncSettings)) -> TestTriggers {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
        .topic("outcomes", TopicType::Normal, 1)
        .await;
    let world = TestTriggers::over(broker);
    let mut settings = AsyncSettings::default();
    edit(&mut settings);
    put(&world, "f", settings);
    world
}

fn put(world: &TestTriggers, name: &str, settings: AsyncSettings) {
    let definition = FunctionDefinition {
        asynchronous: Box::new(settings),
        ..closure(name)
    };
    world.host.register(function(name), world.scripted.clone());
    world.host.put(definition).unwrap();
}

fn to_topic(world: &TestTriggers) -> Destination {
    Destination::Topic {
        instance: world.broker.definition.id.clone(),
        topic: topic("outcomes"),
    }
}

fn event(id: &str, text: &str) -> Invocation {
    Invocation::later(function("f"), RequestId::new(id), text.to_owned().into())
}

/// Returns once nothing accepted is left; waits for retries by jumping to them.
async fn run_out(world: &TestTriggers) {
    within(async {
        loop {
            let standing = world.accepted.standing(&function("f"));
            match (standing.accepted(), standing.retrying()) {
                (0, _) => return,
                (all, waiting) if all == waiting => {
                    let clock = &world.broker.clock;
                    if let Some(next) = clock.next_due() {
                        clock.jump_to(next.at);
                    }
                }
                _ => {}
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// What the topic `outcomes` was told, once there are so many.
async fn outcomes(world: &TestTriggers, count: usize) -> Vec<Value> {
    within(async {
        loop {
            let stored = world.broker.stored("outcomes").await;
            if stored.len() == count {
                let bodies = stored.iter().map(|row| row.message.body.clone());
                return bodies
                    .map(|body| serde_json::from_slice(&body).unwrap())
                    .collect();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

fn statuses(world: &TestTriggers) -> Vec<String> {
    let events = world.feed.since(0, usize::MAX).events;
    let statuses = events
        .into_iter()
        .filter_map(|event| match event.happening {
            Happening::AsyncChanged { status, .. } => Some(status),
            _ => None,
        });
    statuses.collect()
}

#[tokio::test]
async fn an_accepted_event_is_run_and_leaves_nothing_behind_iv1() {
    let world = world(|_| {}).await;
    world.accepted.try_accept(event("A", "{}")).unwrap();
    run_out(&world).await;
    let record = &world.runs.invocations()[0];
    assert_eq!(record.request_id.as_str(), "A");
    assert_eq!(record.invocation_type, InvocationType::Async);
    assert_eq!(statuses(&world), ["Succeeded", "Done"], "IV-6");
    assert_eq!(world.events.all().unwrap(), []);
}

#[tokio::test]
async fn a_failed_event_is_tried_again_after_one_two_and_four_seconds_then_given_up_iv4() {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    let began = world.broker.clock.now();
    world.accepted.try_accept(event("A", "{}")).unwrap();
    run_out(&world).await;
    let seen = world.scripted.seen();
    let attempts: Vec<u32> = seen.iter().map(|call| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    assert!(seen.iter().all(|call| call.request_id.as_str() == "A"));
    assert_eq!(world.broker.clock.now().since(began), seconds(1 + 2 + 4));
    assert_eq!(world.accepted.standing(&function("f")).given_up(), 1);
    assert!(
        world
            .runs
            .texts()
            .contains(&"Async Failed RequestId: A, 4 failed tries".to_owned())
    );
}

#[tokio::test]
async fn without_retries_one_failure_is_the_end_iv4() {
    let world = world(|settings| settings.retries = 0).await;
    world.scripted.fail_always();
    world.accepted.try_accept(event("A", "{}")).unwrap();
    run_out(&world).await;
    assert_eq!(world.scripted.seen().len(), 1);
}

#[tokio::test]
async fn an_event_that_is_too_old_is_not_run_any_more_iv5() {
    let world = world(|settings| {
        settings.max_age = 2;
        settings.retries = 8;
    })
    .await;
    world.scripted.fail_always();
    world.accepted.try_accept(event("A", "{}")).unwrap();
    run_out(&world).await;
    assert_eq!(
        world.scripted.seen().len(),
        2,
        "at 0 s and at 1 s, not at 3 s"
    );
    assert!(statuses(&world).contains(&"Expired".to_owned()));
}

#[tokio::test]
async fn the_outcome_goes_to_a_topic_iv7() {
    let world = world(|_| {}).await;
    let destination = to_topic(&world);
    put(
        &world,
        "f",
        AsyncSettings {
            retries: 1,
            on_success: Some(destination.clone()),
            on_failure: Some(destination),
            ..AsyncSettings::default()
        },
    );
    world.accepted.try_accept(event("A", "{\"n\":1}")).unwrap();
    let told = outcomes(&world, 1).await;
    assert_eq!(told[0]["requestContext"]["requestId"], "A");
    assert_eq!(
        told[0]["requestContext"]["functionArn"],
        "acs:fc:local:0:functions/f"
    );
    assert_eq!(told[0]["requestContext"]["condition"], "Success");
    assert_eq!(told[0]["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(told[0]["requestPayload"], "{\"n\":1}");
    assert_eq!(told[0]["responseContext"]["functionError"], "");
    assert_eq!(told[0]["responsePayload"], "OK");
    run_out(&world).await;

    world.scripted.fail_always();
    world.accepted.try_accept(event("B", "{}")).unwrap();
    run_out(&world).await;
    let told = outcomes(&world, 2).await;
    assert_eq!(told[1]["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(told[1]["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(
        told[1]["responseContext"]["functionError"],
        "FunctionUnhandledError"
    );
    assert!(
        told[1]["responsePayload"]
            .as_str()
            .unwrap()
            .contains("no stock")
    );
    assert_eq!(
        world.accepted.standing(&function("f")).given_up(),
        0,
        "somebody was told"
    );
}

#[tokio::test]
async fn the_outcome_goes_to_another_function_iv7() {
    let world = world(|settings| {
        settings.on_success = Some(Destination::Function(function("next")));
    })
    .await;
    put(&world, "next", AsyncSettings::default());
    world.accepted.try_accept(event("A", "1")).unwrap();
    let seen = world.wait_calls(2).await;
    assert_eq!(seen[1].json()["requestContext"]["requestId"], "A");
    assert!(seen[1].request_id.as_str().starts_with("1-"));
}

#[tokio::test]
async fn a_destination_that_is_gone_is_told_and_holds_nothing_up_iv7() {
    let world = world(|settings| {
        settings.on_success = Some(Destination::Function(function("nobody")));
    })
    .await;
    world.accepted.try_accept(event("A", "1")).unwrap();
    run_out(&world).await;
    let told = world.reported();
    let text = "the outcome of `f` (A) did not reach function `nobody`: no function `nobody`";
    assert!(told.contains(&text.to_owned()), "{told:?}");
}

#[tokio::test]
async fn what_was_accepted_goes_on_after_a_restart_with_its_count() {
    let world = world(|_| {}).await;
    world.scripted.fail_always();
    world.accepted.try_accept(event("A", "{}")).unwrap();
    world.wait_calls(1).await;
    within(async {
        while world.accepted.standing(&function("f")).retrying() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let world = world.restart().await;
    world.scripted.succeed();
    run_out(&world).await;
    let attempts: Vec<u32> = world.scripted.seen().iter().map(|c| c.attempt).collect();
    assert_eq!(attempts, [1, 2]);
}

#[tokio::test]
async fn a_large_event_an_unknown_function_and_a_full_room_are_refused() {
    let world = world(|_| {}).await;
    let largest = "x".repeat(MAX_ASYNC_EVENT);
    assert!(matches!(
        world
            .accepted
            .try_accept(event("A", &(largest.clone() + "x"))),
        Err(HostError::EventTooLarge {
            limit: MAX_ASYNC_EVENT,
            ..
        })
    ));
    let mut nobody = event("A", "1");
    nobody.function = function("nobody");
    assert!(matches!(
        world.accepted.try_accept(nobody),
        Err(HostError::NotFound(_))
    ));
    world.scripted.close_gate();
    let fits = 64 * 1024 * 1024 / MAX_ASYNC_EVENT;
    for _ in 0..fits {
        world.accepted.try_accept(event("A", &largest)).unwrap();
    }
    assert_eq!(
        world.accepted.try_accept(event("A", "1")),
        Err(HostError::NoRoom)
    );
    world.scripted.open_gate();
    run_out(&world).await;
    assert_eq!(world.scripted.seen().len(), fits);
}

fn asynchronous(trigger: &mut TriggerDefinition) {
    trigger.asynchronous = true;
}

#[tokio::test]
async fn an_asynchronous_trigger_is_done_when_its_event_is_accepted_tr20() {
    let world = world(|settings| settings.retries = 1)
        .await
        .trigger(asynchronous)
        .await;
    world.scripted.fail_always();
    let sent = world.broker.send("orders", "x").await;
    world.wait_calls(1).await;
    let row = world.wait_done().await;
    assert_eq!((row.failed_total, row.dead_total), (0, 0));
    run_out(&world).await;
    let seen = world.scripted.seen();
    assert_eq!(seen.len(), 2, "the function's retries, not the trigger's");
    assert!(
        seen.iter()
            .all(|call| call.request_id.as_str() == sent.id.as_str())
    );
}

#[tokio::test]
async fn an_asynchronous_batch_stays_below_128_kib_tr2_u3() {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await;
    let world = TestTriggers::over(broker)
        .trigger(|trigger| {
            trigger.asynchronous = true;
            trigger.batch_size = 100;
            trigger.batch_window = seconds(15);
        })
        .await;
    // With what goes around it each is 2 KB less the bytes between two elements.
    world.broker.send("orders", "probe").await;
    world.wait_row(|row| row.lag == 1).await;
    world.settle().await;
    world.broker.step(seconds(15)).await;
    let probe = world.wait_calls(1).await[0].event.len() - 2;
    world.wait_done().await;
    let around = probe - "probe".len();
    for _ in 0..100 {
        let body = "m".repeat(2048 - 4 - around);
        world.broker.send("orders", &body).await;
    }
    let seen = world.wait_calls(2).await;
    assert_eq!(seen[1].bodies().len(), 64);
    assert!(seen[1].event.len() <= MAX_ASYNC_EVENT);
    world.settle().await;
    world.broker.step(seconds(15)).await;
    assert_eq!(world.wait_calls(3).await[2].bodies().len(), 36);
    world.wait_done().await;
}

#[tokio::test]
async fn an_asynchronous_trigger_waits_for_room_without_counting_tr30() {
    let world = world(|_| {}).await;
    world.scripted.close_gate();
    let largest = "x".repeat(MAX_ASYNC_EVENT);
    for _ in 0..64 * 1024 * 1024 / MAX_ASYNC_EVENT {
        world.accepted.try_accept(event("A", &largest)).unwrap();
    }
    let world = world.trigger(asynchronous).await;
    world.broker.send("orders", "x").await;
    let row = world.wait_row(|row| row.in_work == 1).await;
    world.broker.step(Duration::from_secs(3600)).await;
    assert_eq!((row.failed_total, row.retrying), (0, 0));
    world.scripted.open_gate();
    world.wait_done().await;
}
