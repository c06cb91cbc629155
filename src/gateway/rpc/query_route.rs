//! QueryRoute: the first call of every client.

use crate::cluster::messaging::RouteRequest;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{names, route};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::QueryRouteRequest,
) -> Result<v2::QueryRouteResponse, Refusal> {
    let topic = names::topic(request.topic.as_ref())?;
    let asked = RouteRequest { topic };
    let found = gate.messaging.route(&context.caller, asked).await?;
    let endpoints = gate.endpoints(request.endpoints);
    Ok(v2::QueryRouteResponse {
        status: Some(status::ok()),
        message_queues: route::to_queues(&found.topic, &endpoints),
    })
}
