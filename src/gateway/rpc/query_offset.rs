//! QueryOffset: the first offset of a queue, the next one, or that of a moment.

use crate::cluster::messaging::{OffsetAt, OffsetQuery};
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{route, time};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::QueryOffsetRequest,
) -> Result<v2::QueryOffsetResponse, Refusal> {
    let (topic, queue) = route::queue(request.message_queue.as_ref())?;
    let at = match request.query_offset_policy() {
        v2::QueryOffsetPolicy::Beginning => OffsetAt::Min,
        v2::QueryOffsetPolicy::End => OffsetAt::Max,
        v2::QueryOffsetPolicy::Timestamp => {
            let moment = request.timestamp.as_ref();
            OffsetAt::Time(time::timestamp(
                moment.ok_or(Refusal::Missing("timestamp"))?,
            ))
        }
    };
    let query = OffsetQuery { topic, queue, at };
    let found = gate.messaging.offset(&context.caller, query).await?;
    let offset = found.offset.ok_or(Refusal::Offset)?;
    Ok(v2::QueryOffsetResponse {
        status: Some(status::ok()),
        offset: route::to_offset(offset),
    })
}
