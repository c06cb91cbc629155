//! A trigger's event in types: the messages of one batch (RS-1, TR-10).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::function::runtime::closure::{Context, Function, FunctionError, json};

/// One message of a batch, its body read as `T`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RocketMqMessage<T> {
    pub msg_id: String,
    pub topic: String,
    pub system_properties: BTreeMap<String, String>,
    pub user_properties: BTreeMap<String, String>,
    pub body: T,
}

/// The messages of one invocation; never empty when a trigger made it.
pub type RocketMqBatch<T> = Vec<RocketMqMessage<T>>;

/// An async closure over the messages of a trigger's event; its result is written as JSON.
pub fn batch<F, Fut, T, R>(closure: F) -> Arc<dyn Function>
where
    F: Fn(RocketMqBatch<T>, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, FunctionError>> + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
{
    json(closure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_event_reads_as_messages_tr10() {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Order {
            order_id: String,
        }
        let event = r#"[{"msgId":"A","topic":"t","systemProperties":{"WAIT":"true"},"userProperties":{},"body":{"orderId":"1"}}]"#;
        let batch: RocketMqBatch<Order> = serde_json::from_str(event).unwrap();
        assert_eq!(batch[0].msg_id, "A");
        assert_eq!(batch[0].body.order_id, "1");
    }
}
