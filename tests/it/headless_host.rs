//! A program's own closures behind triggers, without a terminal (RS-7, RS-8).

use std::time::Duration;

use moonport::app::embed::RocketMqTrigger;
use moonport::function::runtime::closure::{Context, FunctionError, RocketMqBatch, batch};
use serde_json::Value;

async fn double(orders: RocketMqBatch<Value>, context: Context) -> Result<i64, FunctionError> {
    context.logger().info("doubling");
    Ok(orders
        .iter()
        .filter_map(|m| m.body["amount"].as_i64())
        .sum::<i64>()
        * 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_message_is_awaited_by_its_invocation_record_rs8() {
    let running = moonport::Host::builder()
        .function("double", batch(double))
        .trigger("double", RocketMqTrigger::topic("orders").group("double"))
        .start()
        .await
        .unwrap();
    let id = running.publish("orders", r#"{"amount":21}"#).await.unwrap();
    let waiting = running.invocation_of(&id);
    let record = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    let record = record.unwrap().unwrap();
    assert_eq!(record.function.as_str(), "double");
    assert_eq!(record.request_id.as_str(), id.as_str());
    assert_eq!((record.result.as_str(), record.error), ("42", None));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_on_a_function_that_is_not_there_is_refused_rs7() {
    let started = moonport::Host::builder()
        .trigger("absent", RocketMqTrigger::topic("orders"))
        .start()
        .await;
    let report = started.err().unwrap();
    assert!(report.headline.contains("no function `absent`"), "{report}");
}
