//! QueryAssignment: one queue that stands for all, and for orderly groups each queue, so that message groups of different
//! queues are read side by side. Stable, since clients drop the queues that are missing from an answer.

use crate::cluster::error::ClusterError;
use crate::cluster::messaging::RouteRequest;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{names, route};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

/// The id of the queue that stands for all.
const ANY_QUEUE: i32 = -1;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::QueryAssignmentRequest,
) -> Result<v2::QueryAssignmentResponse, Refusal> {
    let topic = names::topic(request.topic.as_ref())?;
    names::group(request.group.as_ref())?;
    let asked = RouteRequest { topic };
    let found = gate.messaging.route(&context.caller, asked).await?.topic;
    if !found.permission.reads() || found.read_queues == 0 {
        let closed = format!("topic `{}` cannot be read", found.name);
        return Err(ClusterError::Forbidden(closed).into());
    }
    let ids = if gate.sessions.is_fifo(&context.client) {
        0..i32::try_from(found.read_queues).unwrap_or(i32::MAX)
    } else {
        ANY_QUEUE..0
    };
    let endpoints = gate.endpoints(request.endpoints);
    let queue = |id| route::to_queue(&found.name, id, v2::Permission::ReadWrite, &endpoints);
    Ok(v2::QueryAssignmentResponse {
        status: Some(status::ok()),
        assignments: ids
            .map(|id| v2::Assignment {
                message_queue: Some(queue(id)),
            })
            .collect(),
    })
}
