//! EndTransaction: a producer's word on a half message, its own or in answer to a check. No decision is one, too.

use crate::cluster::messaging::{EndTransaction, Resolution};
use crate::domain::ids::{MessageId, TransactionId};
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::EndTransactionRequest,
) -> Result<v2::EndTransactionResponse, Refusal> {
    if request.transaction_id.trim().is_empty() {
        return Err(Refusal::TransactionId);
    }
    let end = EndTransaction {
        topic: Some(names::topic(request.topic.as_ref())?),
        transaction: TransactionId::new(request.transaction_id.as_str()),
        message_id: MessageId::new(&request.message_id),
        resolution: match request.resolution() {
            v2::TransactionResolution::Commit => Resolution::Commit,
            v2::TransactionResolution::Rollback => Resolution::Rollback,
            v2::TransactionResolution::Unspecified => Resolution::Unknown,
        },
        from_check: request.source() == v2::TransactionSource::SourceServerCheck,
    };
    gate.messaging.end_transaction(&context.caller, end).await?;
    Ok(v2::EndTransactionResponse {
        status: Some(status::ok()),
    })
}
