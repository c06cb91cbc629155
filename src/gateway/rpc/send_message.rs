//! SendMessage: one or many messages of one topic, each with its own outcome.

use crate::cluster::messaging::Send;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::draft;
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::SendMessageRequest,
) -> Result<v2::SendMessageResponse, Refusal> {
    let drafts = draft::drafts(request.messages)?;
    let ids: Vec<String> = drafts
        .iter()
        .map(|draft| {
            draft
                .id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default()
        })
        .collect();
    let outcomes = gate
        .messaging
        .send(&context.caller, Send { drafts })
        .await?;
    let entries: Vec<v2::SendResultEntry> = ids
        .iter()
        .zip(&outcomes)
        .map(|(id, outcome)| draft::entry(id, outcome))
        .collect();
    Ok(v2::SendMessageResponse {
        status: Some(status::overall(entries.iter().map(|entry| &entry.status))),
        entries,
    })
}
