//! When a batch is pushed (TR-1 to TR-4).

use std::io::Write as _;
use std::time::Duration;

use moonport::domain::message::{BodyEncoding, Draft};
use moonport::domain::topic::TopicType;
use moonport::domain::trigger::{BodyDataType, TriggerDefinition};

use crate::support::broker::{TestBroker, draft, seconds, topic};
use crate::support::triggers::TestTriggers;

async fn world(change: impl FnOnce(&mut TriggerDefinition)) -> TestTriggers {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 4)
        .await;
    TestTriggers::over(broker).trigger(change).await
}

fn hundred_in_fifteen_seconds(trigger: &mut TriggerDefinition) {
    trigger.batch_size = 100;
    trigger.batch_window = seconds(15);
}

async fn send(world: &TestTriggers, count: usize) {
    for number in 0..count {
        let body = format!("m{number:>1023}");
        world.broker.send("orders", &body).await;
    }
}

#[tokio::test]
async fn a_full_batch_is_pushed_at_once_tr2_u3() {
    let world = world(hundred_in_fifteen_seconds).await;
    send(&world, 60).await;
    world.broker.step(seconds(10)).await;
    world.settle().await;
    assert!(world.scripted.seen().is_empty());
    send(&world, 40).await;
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].bodies().len(), 100);
    assert!(seen[0].request_id.as_str().starts_with("1-6a2c"), "TR-21");
    world.wait_done().await;
}

#[tokio::test]
async fn a_batch_that_does_not_fill_is_pushed_when_its_window_ends_tr2_u3() {
    let world = world(hundred_in_fifteen_seconds).await;
    send(&world, 50).await;
    world.wait_row(|row| row.lag == 50).await;
    world.settle().await;
    world.broker.step(Duration::from_millis(14_999)).await;
    world.settle().await;
    assert!(world.scripted.seen().is_empty());
    world.broker.step(Duration::from_millis(1)).await;
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].bodies().len(), 50);
    world.wait_done().await;
}

#[tokio::test]
async fn without_a_window_what_is_there_goes_at_once_as_an_array_tr1_tr3() {
    let world = world(|trigger| trigger.batch_size = 100).await;
    world.broker.send("orders", "alone").await;
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].bodies(), ["alone"]);
    assert_eq!(world.broker.clock.now(), crate::support::broker::START);
}

#[tokio::test]
async fn a_batch_stays_below_the_largest_event_tr1() {
    let world = world(|trigger| {
        trigger.batch_size = 6;
        trigger.batch_window = seconds(15);
        trigger.body_data_type = BodyDataType::Binary;
    })
    .await;
    // Five and a third MiB each in base64: with what goes around them, five fit into 32 MiB.
    let body = bytes::Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
    for _ in 0..6 {
        world
            .broker
            .send_draft(Draft::new(topic("orders"), body.clone()))
            .await;
    }
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].bodies().len(), 5);
    assert!(seen[0].event.len() <= 32 * 1024 * 1024);
    world.wait_row(|row| row.lag == 1 && row.in_work == 0).await;
    world.settle().await;
    world.broker.step(seconds(15)).await;
    assert_eq!(world.wait_calls(2).await[1].bodies().len(), 1);
}

#[tokio::test]
async fn a_message_too_large_for_any_event_is_a_dead_letter_at_once_tr4() {
    let world = world(|trigger| trigger.batch_size = 10).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&vec![b'a'; 32 * 1024 * 1024]).unwrap();
    world
        .broker
        .send_draft(Draft {
            encoding: BodyEncoding::Gzip,
            ..Draft::new(topic("orders"), packed.finish().unwrap())
        })
        .await;
    world.broker.send_draft(draft("orders", "small")).await;
    let row = world.wait_row(|row| row.dead_total == 1).await;
    assert!(
        row.last_error
            .unwrap()
            .starts_with("EntityTooLarge: payload size exceeds maximum")
    );
    let letters = world.wait_letters(1).await;
    assert_eq!(
        letters[0].system.get("MOONPORT_DLQ_ERROR_TYPE"),
        Some("EntityTooLarge")
    );
    assert_eq!(world.wait_calls(1).await[0].bodies(), ["small"]);
}

#[tokio::test]
async fn lanes_work_side_by_side_up_to_the_concurrency() {
    let world = world(|trigger| trigger.concurrency = 3).await;
    world.scripted.close_gate();
    send(&world, 5).await;
    world.wait_calls(3).await;
    world.settle().await;
    assert_eq!(world.scripted.seen().len(), 3);
    assert_eq!(world.row().await.in_work, 3);
    world.scripted.open_gate();
    world.wait_calls(5).await;
    world.wait_done().await;
}
