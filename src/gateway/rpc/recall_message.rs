//! RecallMessage: takes back a delayed message (L4).

use crate::cluster::messaging::Recall;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::RecallMessageRequest,
) -> Result<v2::RecallMessageResponse, Refusal> {
    let recall = Recall {
        topic: names::topic_to_send(request.topic.as_ref())?,
        handle: request.recall_handle,
    };
    let id = gate.messaging.recall(&context.caller, recall).await?;
    Ok(v2::RecallMessageResponse {
        status: Some(status::ok()),
        message_id: id.to_string(),
    })
}
