//! AckMessage: settles deliveries, each with its own outcome. Push clients give up on an ack only when they are told
//! INVALID_RECEIPT_HANDLE.

use crate::cluster::error::ClusterError;
use crate::cluster::messaging::Ack;
use crate::domain::receipt::ReceiptHandle;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::AckMessageRequest,
) -> Result<v2::AckMessageResponse, Refusal> {
    let group = names::group(request.group.as_ref())?;
    let topic = names::topic(request.topic.as_ref())?;
    if request.entries.is_empty() {
        return Err(Refusal::Missing("receipt handle"));
    }
    let parsed: Vec<Option<ReceiptHandle>> = request
        .entries
        .iter()
        .map(|entry| ReceiptHandle::parse(&entry.receipt_handle).ok())
        .collect();
    let handles: Vec<ReceiptHandle> = parsed.iter().flatten().cloned().collect();
    let mut outcomes = Vec::new();
    if !handles.is_empty() {
        let ack = Ack {
            group,
            topic,
            handles,
        };
        outcomes = gate.messaging.ack(&context.caller, ack).await?;
    }
    let mut outcomes = outcomes.into_iter().map(|outcome| outcome.result);
    let entries: Vec<v2::AckMessageResultEntry> = request
        .entries
        .into_iter()
        .zip(parsed)
        .map(|(entry, handle)| {
            let outcome = match handle {
                Some(_) => outcomes.next(),
                None => None,
            };
            result(entry, outcome.unwrap_or(Err(ClusterError::IllegalReceipt)))
        })
        .collect();
    Ok(v2::AckMessageResponse {
        status: Some(status::overall(entries.iter().map(|entry| &entry.status))),
        entries,
    })
}

fn result(
    entry: v2::AckMessageEntry,
    outcome: Result<(), ClusterError>,
) -> v2::AckMessageResultEntry {
    v2::AckMessageResultEntry {
        message_id: entry.message_id,
        receipt_handle: entry.receipt_handle,
        status: Some(match outcome {
            Ok(()) => status::ok(),
            Err(error) => status::refusal(&error),
        }),
    }
}
