//! UpdateOffset: commits an offset of a pulling group.

use crate::cluster::messaging::UpdateOffset;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{names, route};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::UpdateOffsetRequest,
) -> Result<v2::UpdateOffsetResponse, Refusal> {
    let (topic, queue) = route::queue(request.message_queue.as_ref())?;
    let update = UpdateOffset {
        group: names::group(request.group.as_ref())?,
        topic,
        queue,
        offset: route::offset(request.offset)?,
    };
    gate.messaging
        .update_offset(&context.caller, update)
        .await?;
    Ok(v2::UpdateOffsetResponse {
        status: Some(status::ok()),
    })
}
