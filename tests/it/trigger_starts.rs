//! How a trigger begins, what it refuses, and what it says while nothing runs (TR-31).

use moonport::control::Triggers as _;
use moonport::control::error::ControlError;
use moonport::control::triggers::TriggerCommand;
use moonport::domain::group::FirstSeen;
use moonport::domain::subscription::FilterExpression;
use moonport::domain::topic::TopicType;
use moonport::domain::trigger::{TriggerDeadLetter, TriggerDefinition, TriggerState};
use moonport::report::Hint as _;

use crate::support::broker::{START, TestBroker, group, seconds, tagged, topic};
use crate::support::triggers::{TestTriggers, closure, function, trigger};

async fn broker() -> TestBroker {
    TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await
}

async fn world(change: impl FnOnce(&mut TriggerDefinition)) -> TestTriggers {
    TestTriggers::over(broker().await).trigger(change).await
}

#[tokio::test]
async fn a_new_group_begins_where_the_trigger_says_and_durably_u1() {
    for (offset, expected) in [
        (FirstSeen::Latest, vec!["after"]),
        (FirstSeen::Earliest, vec!["one", "two", "after"]),
        (FirstSeen::At(START + seconds(10)), vec!["two", "after"]),
    ] {
        let broker = broker().await;
        broker.send("orders", "one").await;
        broker.step(seconds(10)).await;
        broker.send("orders", "two").await;
        let world = TestTriggers::over(broker)
            .trigger(|t| t.offset = offset)
            .await;
        world.broker.send("orders", "after").await;
        let seen = world.wait_calls(expected.len()).await;
        let bodies: Vec<String> = seen
            .iter()
            .flat_map(super::support::triggers::Seen::bodies)
            .collect();
        assert_eq!(bodies, expected, "{offset:?}");
    }
}

#[tokio::test]
async fn a_group_with_an_offset_keeps_it_and_its_definition() {
    let broker = broker().await.group("g", 3).await;
    broker.send("orders", "one").await;
    broker.join("g", "orders").await;
    let before = broker.group_row("g").await.definition;
    let world = TestTriggers::over(broker)
        .trigger(|t| t.offset = FirstSeen::Latest)
        .await;
    assert_eq!(world.wait_calls(1).await[0].bodies(), ["one"]);
    assert_eq!(world.broker.group_row("g").await.definition, before);
}

#[tokio::test]
async fn a_group_that_joins_keeps_its_own_beginning_for_other_topics() {
    let broker = broker().await.group("g", 3).await;
    broker.send("orders", "one").await;
    let before = broker.group_row("g").await.definition;
    assert_eq!(before.first_seen, FirstSeen::Earliest);
    let world = TestTriggers::over(broker)
        .trigger(|t| t.offset = FirstSeen::Latest)
        .await;
    world.broker.send("orders", "two").await;
    assert_eq!(world.wait_calls(1).await[0].bodies(), ["two"]);
    assert_eq!(world.broker.group_row("g").await.definition, before);
}

#[tokio::test]
async fn what_cannot_run_is_refused_with_its_field_and_leaves_the_trigger_as_it_was() {
    let world = world(|_| {}).await;
    let refused = async |change: &dyn Fn(&mut TriggerDefinition)| {
        let mut definition = world.definition();
        change(&mut definition);
        world.put(definition).await.unwrap_err().to_string()
    };
    let told = refused(&|t| t.batch_size = 0).await;
    assert_eq!(told, "trigger `t`: `batch.size` is 0, allowed are 1-10000");
    let told = refused(&|t| t.filter = FilterExpression::Sql("amount >".to_owned())).await;
    assert!(
        told.starts_with("trigger `t`: `filter` cannot be used: "),
        "{told}"
    );
    assert!(told.ends_with('^'), "{told}");
    let told = refused(&|t| t.function = function("nobody")).await;
    assert_eq!(told, "no function `nobody`");
    let told = refused(&|t| t.dead_letter = TriggerDeadLetter::Topic(topic("nowhere"))).await;
    assert_eq!(told, "the broker refused");
    let mut slow = closure("slow");
    slow.timeout = 301;
    world.host.put(slow).unwrap();
    let told = refused(&|t| t.function = function("slow")).await;
    assert!(
        told.ends_with("at most 300 s are allowed behind a trigger"),
        "{told}"
    );

    world.broker.send("orders", "still works").await;
    world.wait_calls(1).await;
}

#[tokio::test]
async fn a_group_belongs_to_one_trigger() {
    let world = world(|_| {}).await;
    let mut second = world.definition();
    second.name = trigger("u");
    let error = world.put(second).await.unwrap_err();
    assert_eq!(error, ControlError::GroupInUse(group("g"), trigger("t")));
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn dead_letters_do_not_go_to_a_topic_that_orders_messages() {
    let broker = broker().await.topic("dead", TopicType::Fifo, 1).await;
    let world = TestTriggers::over(broker);
    let mut definition = world.definition();
    definition.dead_letter = TriggerDeadLetter::Topic(topic("dead"));
    let error = world.put(definition).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "trigger `t`: `dead-letter-topic` `dead` takes FIFO messages; dead letters need a NORMAL or MIXED topic"
    );
}

#[tokio::test]
async fn only_what_the_filter_wants_reaches_the_function_u1() {
    let world = world(|t| t.filter = FilterExpression::Tag("paid".to_owned())).await;
    for number in 0..12 {
        world
            .broker
            .send_draft(tagged("orders", &number.to_string(), "open"))
            .await;
    }
    let row = world
        .wait_row(|row| {
            row.why_idle
                .as_deref()
                .is_some_and(|why| why.contains("0 of 12"))
        })
        .await;
    assert_eq!(
        row.why_idle.as_deref(),
        Some("the filter (tag paid) matched 0 of 12 messages")
    );
    world
        .broker
        .send_draft(tagged("orders", "yes", "paid"))
        .await;
    assert_eq!(world.wait_calls(1).await[0].bodies(), ["yes"]);
    let row = world.wait_done().await;
    assert_eq!(row.why_idle, None);
}

#[tokio::test]
async fn messages_before_the_start_are_the_reason_while_none_came_after() {
    let broker = broker().await;
    for body in ["1", "2", "3"] {
        broker.send("orders", body).await;
    }
    let world = TestTriggers::over(broker)
        .trigger(|t| t.offset = FirstSeen::Latest)
        .await;
    let why = world.row().await.why_idle.unwrap();
    assert_eq!(
        why,
        "no message since it started; 3 earlier ones lie before its offset"
    );
}

#[tokio::test]
async fn a_function_that_went_away_stops_the_trigger_until_it_is_back() {
    let world = world(|_| {}).await;
    world.host.remove(&function("f"));
    world.broker.send("orders", "x").await;
    let row = world
        .wait_row(|row| matches!(row.state, TriggerState::StartFailed { .. }))
        .await;
    assert!(
        row.why_idle
            .unwrap()
            .starts_with("cannot start: no function `f`")
    );
    world.host.put(closure("f")).unwrap();
    world.set.function_changed(&function("f"));
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].attempt, 1, "what did not run does not count");
    world.wait_done().await;
}

#[tokio::test]
async fn a_handler_that_is_held_keeps_its_lease_however_long() {
    let world = world(|_| {}).await;
    let mut held = closure("f");
    held.timeout = 300;
    world.host.put(held).unwrap();
    world.scripted.close_gate();
    world.broker.send("orders", "x").await;
    world.wait_calls(1).await;
    for _ in 0..24 {
        world.broker.step(seconds(3600)).await;
        world.settle().await;
    }
    assert_eq!(world.row().await.in_work, 1);
    world.scripted.open_gate();
    world.wait_done().await;
    assert_eq!(world.scripted.seen().len(), 1, "it never came again");
}

#[tokio::test]
async fn busy_instances_are_the_reason_while_others_hold_them() {
    let world = world(|_| {}).await;
    let mut one = closure("f");
    one.max_instances = 1;
    world.host.put(one).unwrap();
    let mut second = world.definition();
    second.name = trigger("u");
    second.group = group("h");
    second.concurrency = 2;
    world.put(second).await.unwrap();
    world.scripted.close_gate();
    world.broker.send("orders", "x").await;
    world.wait_row(|row| row.in_work == 1).await;
    world.wait_calls(1).await;
    world.scripted.open_gate();
    world.wait_calls(2).await;
    world.wait_done().await;
}

#[tokio::test]
async fn a_trigger_that_cannot_start_is_listed_with_the_reason_and_started_by_hand() {
    let world = world(|t| t.dead_letter = TriggerDeadLetter::Own).await;
    world.set.stop(seconds(10)).await;
    let gone = moonport::cluster::admin::DeleteTopic {
        topic: topic("orders"),
        dry_run: false,
    };
    moonport::cluster::Admin::delete_topic(&world.broker.broker, gone)
        .await
        .unwrap();
    let mut definition = world.broker.definition.clone();
    definition.auto_create = false;
    world.broker.broker.redefine(definition);
    world.set.load().await.unwrap();
    let row = world.row().await;
    let TriggerState::StartFailed { error } = row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(error, "the broker refused: no topic `orders`");
    assert!(world.command(TriggerCommand::Skip).await.is_err());
    assert!(world.command(TriggerCommand::Resume).await.is_err());

    let world = TestTriggers {
        broker: world.broker.topic("orders", TopicType::Normal, 1).await,
        ..world
    };
    world.command(TriggerCommand::Resume).await.unwrap();
    assert_eq!(world.row().await.state, TriggerState::Running);
}

#[tokio::test]
async fn a_deleted_trigger_is_gone_for_good() {
    let world = world(|_| {}).await;
    world.set.delete_trigger(trigger("t")).await.unwrap();
    assert!(world.set.triggers().await.unwrap().is_empty());
    let error = world.command(TriggerCommand::Pause).await.unwrap_err();
    assert_eq!(error, ControlError::TriggerNotFound(trigger("t")));
    world.set.load().await.unwrap();
    assert!(world.set.triggers().await.unwrap().is_empty());
    world.broker.send("orders", "x").await;
    world.settle().await;
    assert!(world.scripted.seen().is_empty());
}

#[tokio::test]
async fn a_disabled_trigger_waits_for_a_person_u1() {
    let world = world(|t| t.enabled = false).await;
    world.broker.send("orders", "x").await;
    world.settle().await;
    assert_eq!(world.row().await.state, TriggerState::Paused);
    world.command(TriggerCommand::Resume).await.unwrap();
    world.wait_calls(1).await;
}
