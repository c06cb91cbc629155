//! SyncLiteSubscription: lite topics are not available, and the answer says so.

use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::refusal::Refusal;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    _gate: Gate,
    _context: Context,
    _request: v2::SyncLiteSubscriptionRequest,
) -> Result<v2::SyncLiteSubscriptionResponse, Refusal> {
    Err(Refusal::Lite)
}
