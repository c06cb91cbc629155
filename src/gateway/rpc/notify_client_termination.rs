//! NotifyClientTermination: a client says goodbye; what it holds becomes ready again.

use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    _request: v2::NotifyClientTerminationRequest,
) -> Result<v2::NotifyClientTerminationResponse, Refusal> {
    gate.messaging.close_session(&context.caller).await?;
    gate.sessions.remove(&context.client);
    Ok(v2::NotifyClientTerminationResponse {
        status: Some(status::ok()),
    })
}
