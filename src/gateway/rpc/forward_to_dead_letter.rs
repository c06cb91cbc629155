//! ForwardMessageToDeadLetterQueue: an orderly consumer gives a message up.

use crate::cluster::messaging::ForwardToDeadLetter;
use crate::domain::message::Properties;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::ForwardMessageToDeadLetterQueueRequest,
) -> Result<v2::ForwardMessageToDeadLetterQueueResponse, Refusal> {
    let forward = ForwardToDeadLetter {
        group: names::group(request.group.as_ref())?,
        topic: names::topic(request.topic.as_ref())?,
        handle: names::receipt(&request.receipt_handle)?,
        notes: Properties::new(),
    };
    gate.messaging
        .forward_to_dead_letter(&context.caller, forward)
        .await?;
    Ok(v2::ForwardMessageToDeadLetterQueueResponse {
        status: Some(status::ok()),
    })
}
