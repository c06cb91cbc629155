//! ChangeInvisibleDuration: a nack, or more time (D4). The answer always holds a handle, the old one on failure, because
//! some clients keep it before they look at the code.

use std::time::Duration;

use crate::cluster::messaging::ChangeInvisible;
use crate::domain::receipt::ReceiptHandle;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{names, time};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::ChangeInvisibleDurationRequest,
) -> Result<v2::ChangeInvisibleDurationResponse, Refusal> {
    let (status, receipt_handle) = match change(&gate, &context, &request).await {
        Ok(handle) => (status::ok(), handle.encode()),
        Err(refusal) => (refusal.status(), request.receipt_handle),
    };
    Ok(v2::ChangeInvisibleDurationResponse {
        status: Some(status),
        receipt_handle,
    })
}

async fn change(
    gate: &Gate,
    context: &Context,
    request: &v2::ChangeInvisibleDurationRequest,
) -> Result<ReceiptHandle, Refusal> {
    let change = ChangeInvisible {
        group: names::group(request.group.as_ref())?,
        topic: names::topic(request.topic.as_ref())?,
        handle: names::receipt(&request.receipt_handle)?,
        invisible: request
            .invisible_duration
            .as_ref()
            .map_or(Duration::ZERO, time::duration),
        extends: false,
    };
    let handle = gate.messaging.change_invisible(&context.caller, change);
    Ok(handle.await?)
}
