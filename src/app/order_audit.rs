//! The closure this program registers: the second consumer of the order workflow.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::names::{FunctionName, NameError};
use crate::function::runtime::closure::{Context, Function, FunctionError, RocketMqBatch, batch};

/// Name and code of `order_audit`: it writes one line for each order it is told of.
pub fn order_audit() -> Result<(FunctionName, Arc<dyn Function>), NameError> {
    Ok((FunctionName::new("order_audit")?, batch(audit)))
}

async fn audit(orders: RocketMqBatch<Value>, context: Context) -> Result<usize, FunctionError> {
    for message in &orders {
        let text = |key: &str| match message.body.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "unknown".to_owned(),
        };
        context.logger().info(format!(
            "audited {}: order {} of customer {}, {} {}",
            text("eventType"),
            text("orderId"),
            text("customerId"),
            text("amount"),
            text("currency"),
        ));
    }
    Ok(orders.len())
}
