//! The calls of the protocol, each handed to its file. A refused call is answered well-formed, with its code in the body;
//! only Telemetry speaks in gRPC statuses.

use std::future::Future;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::gateway::rpc;
use crate::proto::refusal::Refusal;
use crate::proto::v2;
use crate::proto::v2::messaging_service_server::MessagingService;

/// The protocol before a gate.
pub(super) struct MessagingCalls {
    gate: Gate,
}

impl MessagingCalls {
    pub(super) fn new(gate: Gate) -> Self {
        Self { gate }
    }

    async fn answer<Q, A, F>(
        &self,
        request: Request<Q>,
        call: impl FnOnce(Gate, Context, Q) -> F + Send,
    ) -> Result<Response<A>, Status>
    where
        A: Refused,
        Q: Send,
        F: Future<Output = Result<A, Refusal>> + Send,
    {
        let answer = match Context::of(&self.gate, &request) {
            Ok(context) => call(self.gate.clone(), context, request.into_inner()).await,
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(
            answer.unwrap_or_else(|refusal| A::refused(refusal.status())),
        ))
    }
}

/// An answer that says why there is none.
trait Refused {
    fn refused(status: v2::Status) -> Self;
}

macro_rules! refused {
    ($($answer:ident),+ $(,)?) => {
        $(impl Refused for v2::$answer {
            fn refused(status: v2::Status) -> Self {
                let mut answer = Self::default();
                answer.status = Some(status);
                answer
            }
        })+
    };
}

refused!(
    QueryRouteResponse,
    QueryAssignmentResponse,
    HeartbeatResponse,
    NotifyClientTerminationResponse,
    SendMessageResponse,
    AckMessageResponse,
    ChangeInvisibleDurationResponse,
    ForwardMessageToDeadLetterQueueResponse,
    EndTransactionResponse,
    RecallMessageResponse,
    UpdateOffsetResponse,
    GetOffsetResponse,
    QueryOffsetResponse,
    SyncLiteSubscriptionResponse,
);

type Answered<A> = Result<Response<A>, Status>;

#[tonic::async_trait]
impl MessagingService for MessagingCalls {
    type ReceiveMessageStream = BoxStream<'static, Result<v2::ReceiveMessageResponse, Status>>;
    type PullMessageStream = BoxStream<'static, Result<v2::PullMessageResponse, Status>>;
    type TelemetryStream = BoxStream<'static, Result<v2::TelemetryCommand, Status>>;

    async fn query_route(
        &self,
        request: Request<v2::QueryRouteRequest>,
    ) -> Answered<v2::QueryRouteResponse> {
        self.answer(request, rpc::query_route::call).await
    }

    async fn query_assignment(
        &self,
        request: Request<v2::QueryAssignmentRequest>,
    ) -> Answered<v2::QueryAssignmentResponse> {
        self.answer(request, rpc::query_assignment::call).await
    }

    async fn telemetry(
        &self,
        request: Request<Streaming<v2::TelemetryCommand>>,
    ) -> Answered<Self::TelemetryStream> {
        let stream = match Context::of(&self.gate, &request) {
            Ok(context) => rpc::telemetry::open(&self.gate, context, request.into_inner()),
            Err(refusal) => rpc::telemetry::refused(&refusal),
        };
        Ok(Response::new(stream))
    }

    async fn heartbeat(
        &self,
        request: Request<v2::HeartbeatRequest>,
    ) -> Answered<v2::HeartbeatResponse> {
        self.answer(request, rpc::heartbeat::call).await
    }

    async fn notify_client_termination(
        &self,
        request: Request<v2::NotifyClientTerminationRequest>,
    ) -> Answered<v2::NotifyClientTerminationResponse> {
        self.answer(request, rpc::notify_client_termination::call)
            .await
    }

    async fn send_message(
        &self,
        request: Request<v2::SendMessageRequest>,
    ) -> Answered<v2::SendMessageResponse> {
        self.answer(request, rpc::send_message::call).await
    }

    async fn receive_message(
        &self,
        request: Request<v2::ReceiveMessageRequest>,
    ) -> Answered<Self::ReceiveMessageStream> {
        let answer = match Context::of(&self.gate, &request) {
            Ok(context) => {
                rpc::receive_message::call(self.gate.clone(), context, request.into_inner()).await
            }
            Err(refusal) => Err(refusal),
        };
        let frames = match answer {
            Ok(frames) => frames.boxed(),
            Err(refusal) => rpc::receive_message::refused(&refusal),
        };
        Ok(Response::new(frames))
    }

    async fn ack_message(
        &self,
        request: Request<v2::AckMessageRequest>,
    ) -> Answered<v2::AckMessageResponse> {
        self.answer(request, rpc::ack_message::call).await
    }

    async fn change_invisible_duration(
        &self,
        request: Request<v2::ChangeInvisibleDurationRequest>,
    ) -> Answered<v2::ChangeInvisibleDurationResponse> {
        self.answer(request, rpc::change_invisible_duration::call)
            .await
    }

    async fn forward_message_to_dead_letter_queue(
        &self,
        request: Request<v2::ForwardMessageToDeadLetterQueueRequest>,
    ) -> Answered<v2::ForwardMessageToDeadLetterQueueResponse> {
        self.answer(request, rpc::forward_to_dead_letter::call)
            .await
    }

    async fn end_transaction(
        &self,
        request: Request<v2::EndTransactionRequest>,
    ) -> Answered<v2::EndTransactionResponse> {
        self.answer(request, rpc::end_transaction::call).await
    }

    async fn recall_message(
        &self,
        request: Request<v2::RecallMessageRequest>,
    ) -> Answered<v2::RecallMessageResponse> {
        self.answer(request, rpc::recall_message::call).await
    }

    async fn pull_message(
        &self,
        request: Request<v2::PullMessageRequest>,
    ) -> Answered<Self::PullMessageStream> {
        let answer = match Context::of(&self.gate, &request) {
            Ok(context) => {
                rpc::pull_message::call(self.gate.clone(), context, request.into_inner()).await
            }
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(rpc::pull_message::frames(&self.gate, answer)))
    }

    async fn update_offset(
        &self,
        request: Request<v2::UpdateOffsetRequest>,
    ) -> Answered<v2::UpdateOffsetResponse> {
        self.answer(request, rpc::update_offset::call).await
    }

    async fn get_offset(
        &self,
        request: Request<v2::GetOffsetRequest>,
    ) -> Answered<v2::GetOffsetResponse> {
        self.answer(request, rpc::get_offset::call).await
    }

    async fn query_offset(
        &self,
        request: Request<v2::QueryOffsetRequest>,
    ) -> Answered<v2::QueryOffsetResponse> {
        self.answer(request, rpc::query_offset::call).await
    }

    async fn sync_lite_subscription(
        &self,
        request: Request<v2::SyncLiteSubscriptionRequest>,
    ) -> Answered<v2::SyncLiteSubscriptionResponse> {
        self.answer(request, rpc::sync_lite_subscription::call)
            .await
    }
}
