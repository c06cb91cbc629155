//! PullMessage: reads by offset, without a lease. Frames: status, each message, the offset to go on from.

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tonic::Status;

use crate::cluster::messaging::{MAX_RECEIVE, Pull, Pulled};
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::gateway::rpc::poll;
use crate::proto::convert::{delivery, names, route};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;
use crate::proto::v2::pull_message_response::Content;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::PullMessageRequest,
) -> Result<Pulled, Refusal> {
    let (topic, queue) = route::queue(request.message_queue.as_ref())?;
    let pull = Pull {
        group: names::optional_group(request.group.as_ref())?,
        topic,
        queue,
        offset: route::offset(request.offset)?,
        max: usize::try_from(request.batch_size)
            .unwrap_or(1)
            .clamp(1, MAX_RECEIVE),
        filter: names::filter(request.filter_expression.as_ref()),
        poll: poll::time_to_wait(&gate, &context, request.long_polling_timeout.as_ref()),
    };
    let (offset, nothing) = (pull.offset, Vec::new());
    tokio::select! {
        pulled = gate.messaging.pull(&context.caller, pull) => Ok(pulled?),
        () = gate.stopping.cancelled() => Ok(Pulled {
            messages: nothing,
            next: offset,
            min_offset: 0,
            max_offset: 0,
        }),
    }
}

pub(in crate::gateway) fn frames(
    gate: &Gate,
    answer: Result<Pulled, Refusal>,
) -> BoxStream<'static, Result<v2::PullMessageResponse, Status>> {
    let frame = |content| {
        Ok(v2::PullMessageResponse {
            content: Some(content),
        })
    };
    match answer {
        Err(refusal) => {
            let only = frame(Content::Status(refusal.status()));
            stream::once(async { only }).boxed()
        }
        Ok(pulled) => {
            let store_host = gate.address.to_string();
            let first = if pulled.messages.is_empty() {
                status::status(v2::Code::MessageNotFound, "no new message")
            } else {
                status::ok()
            };
            let next = Content::NextOffset(route::to_offset(pulled.next));
            let messages = pulled
                .messages
                .into_iter()
                .map(move |message| Content::Message(delivery::to_message(&message, &store_host)));
            let contents = std::iter::once(Content::Status(first))
                .chain(messages)
                .chain(std::iter::once(next));
            stream::iter(contents.map(frame)).boxed()
        }
    }
}
