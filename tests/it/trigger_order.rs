//! Ordering behind an orderly group (TR-28).

use moonport::domain::topic::TopicType;

use crate::support::broker::{TestBroker, fifo, seconds};
use crate::support::triggers::TestTriggers;

async fn world(batch_size: u32) -> TestTriggers {
    let broker = TestBroker::new().topic("orders", TopicType::Fifo, 1).await;
    TestTriggers::over(broker)
        .trigger(|trigger| {
            trigger.batch_size = batch_size;
            trigger.enabled = false;
        })
        .await
}

async fn send(world: &TestTriggers, messages: &[(&str, &str)]) {
    for (message_group, body) in messages {
        world
            .broker
            .send_draft(fifo("orders", body, message_group))
            .await;
    }
    world
        .command(moonport::control::triggers::TriggerCommand::Resume)
        .await
        .unwrap();
}

fn bodies(world: &TestTriggers) -> Vec<Vec<String>> {
    world
        .scripted
        .seen()
        .iter()
        .map(super::support::triggers::Seen::bodies)
        .collect()
}

#[tokio::test]
async fn the_group_of_a_fifo_topic_is_made_orderly() {
    let world = world(1).await;
    let row = world.broker.group_row("g").await;
    assert_eq!(row.definition.order.as_str(), "orderly");
}

#[tokio::test]
async fn a_failing_batch_holds_up_its_own_message_group_only_tr28() {
    let world = world(10).await;
    world.scripted.fail_on("a1");
    send(
        &world,
        &[("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")],
    )
    .await;
    world.wait_calls(2).await;
    world.wait_retry(2).await;
    world.settle().await;
    assert_eq!(
        bodies(&world),
        [["a1", "a2"], ["b1", "b2"]],
        "no batch mixes message groups"
    );

    world.scripted.succeed();
    world.broker.step(seconds(20)).await;
    world.wait_done().await;
    assert_eq!(bodies(&world)[2], ["a1", "a2"]);
}

#[tokio::test]
async fn what_comes_after_a_failing_message_waits_for_it_tr28() {
    let world = world(1).await;
    world.scripted.fail_times(1);
    send(&world, &[("a", "a1"), ("a", "a2"), ("a", "a3")]).await;
    world.wait_retry(2).await;
    world.settle().await;
    assert_eq!(bodies(&world), [["a1"]]);
    world.broker.step(seconds(20)).await;
    world.wait_done().await;
    assert_eq!(bodies(&world), [["a1"], ["a1"], ["a2"], ["a3"]]);
}

#[tokio::test]
async fn a_message_given_up_lets_its_message_group_go_on() {
    let world = world(1).await;
    world.scripted.fail_on("a1");
    send(&world, &[("a", "a1"), ("a", "a2")]).await;
    for next in 2..=4 {
        world.wait_retry(next).await;
        world.broker.step(seconds(20)).await;
    }
    world.wait_done().await;
    assert_eq!(bodies(&world).last().unwrap(), &["a2"]);
    assert_eq!(world.wait_letters(1).await.len(), 1);
}
