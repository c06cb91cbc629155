//! Heartbeat: keeps the session of a client alive.

use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::HeartbeatRequest,
) -> Result<v2::HeartbeatResponse, Refusal> {
    names::optional_group(request.group.as_ref())?;
    gate.messaging.heartbeat(&context.caller).await?;
    Ok(v2::HeartbeatResponse {
        status: Some(status::ok()),
    })
}
