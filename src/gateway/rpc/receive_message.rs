//! ReceiveMessage: a long poll answered by frames in a fixed order: status, each message, the moment of delivery.
//! The queue a client names is a hint only; any queue of the topic may answer, and the broker keeps the order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _};
use tonic::Status;

use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{ChangeInvisible, Delivery, MAX_RECEIVE, Receive};
use crate::cluster::session::Caller;
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::gateway::rpc::poll;
use crate::proto::convert::{delivery, names, time};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;
use crate::proto::v2::receive_message_response::Content;

pub(in crate::gateway) async fn call(
    gate: Gate,
    context: Context,
    request: v2::ReceiveMessageRequest,
) -> Result<Frames, Refusal> {
    let queue = request.message_queue.as_ref();
    let receive = Receive {
        group: names::group(request.group.as_ref())?,
        topic: names::topic(queue.and_then(|queue| queue.topic.as_ref()))?,
        queue: None,
        filter: names::filter(request.filter_expression.as_ref()),
        max: usize::try_from(request.batch_size)
            .unwrap_or(1)
            .clamp(1, MAX_RECEIVE),
        invisible: request
            .invisible_duration
            .as_ref()
            .filter(|_| !request.auto_renew)
            .map(time::duration),
        auto_renew: request.auto_renew,
        poll: poll::time_to_wait(&gate, &context, request.long_polling_timeout.as_ref()),
        attempt_id: request.attempt_id.filter(|id| !id.is_empty()),
    };
    let received = tokio::select! {
        received = gate.messaging.receive(&context.caller, receive) => received?,
        () = gate.stopping.cancelled() => Vec::new(),
    };
    if received.is_empty() {
        return Err(ClusterError::MessageNotFound("no new message".to_owned()).into());
    }
    Ok(Frames::new(gate, context.caller, received))
}

/// The answer without messages.
pub(in crate::gateway) fn refused(
    refusal: &Refusal,
) -> BoxStream<'static, Result<v2::ReceiveMessageResponse, Status>> {
    let only = frame(Content::Status(refusal.status()));
    stream::once(async { Ok(only) }).boxed()
}

fn frame(content: Content) -> v2::ReceiveMessageResponse {
    v2::ReceiveMessageResponse {
        content: Some(content),
    }
}

/// The frames of an answer. What a client that went away did not take is put back.
pub(in crate::gateway) struct Frames {
    gate: Gate,
    caller: Caller,
    begun: bool,
    waiting: VecDeque<Delivery>,
    ended: bool,
}

impl Frames {
    fn new(gate: Gate, caller: Caller, received: Vec<Delivery>) -> Self {
        Self {
            gate,
            caller,
            begun: false,
            waiting: received.into(),
            ended: false,
        }
    }

    fn next_frame(&mut self) -> Option<Content> {
        if !self.begun {
            self.begun = true;
            return Some(Content::Status(status::ok()));
        }
        if let Some(next) = self.waiting.pop_front() {
            let store_host = self.gate.address.to_string();
            return Some(Content::Message(delivery::to_delivered(&next, &store_host)));
        }
        if self.ended {
            return None;
        }
        self.ended = true;
        let now = time::to_timestamp(self.gate.broker_clock.now());
        Some(Content::DeliveryTimestamp(now))
    }
}

impl Stream for Frames {
    type Item = Result<v2::ReceiveMessageResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.next_frame().map(|content| Ok(frame(content))))
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let (gate, caller) = (self.gate.clone(), self.caller.clone());
        let untaken = std::mem::take(&mut self.waiting);
        self.gate.tasks.spawn(async move {
            for delivery in untaken {
                put_back(&gate, &caller, delivery).await;
            }
        });
    }
}

async fn put_back(gate: &Gate, caller: &Caller, delivery: Delivery) {
    let change = ChangeInvisible {
        group: delivery.handle.group.clone(),
        topic: delivery.handle.topic.clone(),
        handle: delivery.handle,
        invisible: Duration::ZERO,
        extends: true,
    };
    if let Err(error) = gate.messaging.change_invisible(caller, change).await {
        tracing::debug!(%error, "a message that nobody took waits for its lease to end");
    }
}
