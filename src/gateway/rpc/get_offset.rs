//! GetOffset: where a pulling group goes on.

use crate::cluster::messaging::{OffsetAt, OffsetQuery};
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{names, route};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::GetOffsetRequest,
) -> Result<v2::GetOffsetResponse, Refusal> {
    let (topic, queue) = route::queue(request.message_queue.as_ref())?;
    let query = OffsetQuery {
        topic,
        queue,
        at: OffsetAt::Committed(names::group(request.group.as_ref())?),
    };
    let found = gate.messaging.offset(&context.caller, query).await?;
    let offset = found.offset.ok_or(Refusal::Offset)?;
    Ok(v2::GetOffsetResponse {
        status: Some(status::ok()),
        offset: route::to_offset(offset),
    })
}
