//! The seam before a cluster elsewhere: each method one request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;

use crate::clock::{BrokerClock, RealClock};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{
    Ack, AckOutcome, ChangeInvisible, Delivery, EndTransaction, ForwardToDeadLetter, OffsetAt,
    OffsetOf, OffsetQuery, Pull, Pulled, Recall, Receive, Resolution, Route, RouteRequest, Send,
    SendReceipt, UpdateOffset,
};
use crate::cluster::session::{Caller, ClientSettings, ServerCommand};
use crate::cluster::{Messaging, Reply};
use crate::domain::ids::{MessageId, MessageIdGenerator};
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::proto::convert::{draft, names, route, time};
use crate::proto::status::{self, Subject};
use crate::proto::v2;
use crate::remote::channel;
use crate::remote::handles::Handles;
use crate::remote::link::{Link, broken};
use crate::remote::options::RemoteOptions;
use crate::remote::routes::Routes;
use crate::remote::telemetry;

/// A cluster elsewhere. Clones are handles to the same connection.
#[derive(Clone)]
pub struct RemoteMessaging(Arc<Link>);

/// Speaks to the cluster at `options.endpoint`; connects with the first call.
pub fn connect(
    options: RemoteOptions,
    broker_clock: BrokerClock,
    real_clock: RealClock,
) -> Result<RemoteMessaging, ClusterError> {
    let no_random = |error: getrandom::Error| ClusterError::Unreachable(error.to_string());
    let unique = getrandom::u64().map_err(no_random)?;
    let mut mac = [0; 6];
    getrandom::fill(&mut mac).map_err(no_random)?;
    // A locally administered address, as virtual interfaces have.
    mac[0] = (mac[0] & 0xFC) | 0x02;
    let name = format!("moonport@{}@0@{unique:x}", std::process::id());
    Ok(RemoteMessaging(Arc::new(Link {
        channel: channel::open(&options)?,
        options,
        broker_clock,
        real_clock,
        ids: MessageIdGenerator::new(mac, std::process::id() as u16, 0),
        routes: Routes::default(),
        handles: Handles::default(),
        own: ClientId::new(name)?,
        sessions: Mutex::new(HashMap::new()),
    })))
}

/// Makes a unary call and gives its answer, transport errors told.
macro_rules! call {
    ($link:expr, $caller:expr, $method:ident, $message:expr) => {{
        let request = $link.request($caller, $message, Duration::ZERO)?;
        let answer = $link.client().$method(request).await;
        answer.map_err(|error| broken(&error))?.into_inner()
    }};
}

fn about(topic: &TopicName) -> Subject {
    Subject {
        topic: Some(topic.clone()),
        group: None,
    }
}

fn about_both(topic: &TopicName, group: &GroupName) -> Subject {
    Subject {
        topic: Some(topic.clone()),
        group: Some(group.clone()),
    }
}

#[async_trait]
impl Messaging for RemoteMessaging {
    async fn route(&self, caller: &Caller, request: RouteRequest) -> Reply<Route> {
        let found = self.0.query_route(caller, &request.topic).await?;
        Ok(Route {
            topic: route::topic(request.topic, &found.queues),
        })
    }

    async fn send(&self, caller: &Caller, request: Send) -> Reply<Vec<Reply<SendReceipt>>> {
        let link = &self.0;
        let mut drafts = request.drafts;
        for draft in &mut drafts {
            let now = link.broker_clock.now();
            draft.id.get_or_insert_with(|| link.ids.next(now));
            draft.born_at.get_or_insert(now);
        }
        let messages = drafts.iter().map(draft::to_message).collect();
        let answer = call!(
            link,
            caller,
            send_message,
            v2::SendMessageRequest { messages }
        );
        let subject = drafts.first().map(|d| about(&d.topic)).unwrap_or_default();
        if answer.entries.len() != drafts.len() {
            status::outcome(answer.status.as_ref(), &subject)?;
            let short = "the cluster answered for fewer messages than were sent";
            return Err(ClusterError::Unreachable(short.to_owned()));
        }
        let outcome = |(entry, draft): (&v2::SendResultEntry, _)| {
            status::outcome(entry.status.as_ref(), &subject)?;
            draft::receipt(entry, draft)
                .ok_or_else(|| ClusterError::IllegalMessageId(entry.message_id.clone()))
        };
        Ok(answer.entries.iter().zip(&drafts).map(outcome).collect())
    }

    async fn receive(&self, caller: &Caller, request: Receive) -> Reply<Vec<Delivery>> {
        self.0.receive_messages(caller, request).await
    }

    async fn ack(&self, caller: &Caller, request: Ack) -> Reply<Vec<AckOutcome>> {
        let link = &self.0;
        let subject = about_both(&request.topic, &request.group);
        let entry = |handle: &ReceiptHandle| v2::AckMessageEntry {
            receipt_handle: link.handles.text(handle),
            ..Default::default()
        };
        let question = v2::AckMessageRequest {
            group: Some(names::resource(request.group.as_str())),
            topic: Some(names::resource(request.topic.as_str())),
            entries: request.handles.iter().map(entry).collect(),
        };
        let answer = call!(link, caller, ack_message, question);
        if answer.entries.len() != request.handles.len() {
            status::outcome(answer.status.as_ref(), &subject)?;
        }
        let outcomes = request.handles.into_iter().zip(&answer.entries);
        Ok(outcomes
            .map(|(handle, entry)| {
                link.handles.forget(&handle);
                AckOutcome {
                    handle,
                    result: status::outcome(entry.status.as_ref(), &subject),
                }
            })
            .collect())
    }

    async fn change_invisible(
        &self,
        caller: &Caller,
        request: ChangeInvisible,
    ) -> Reply<ReceiptHandle> {
        let link = &self.0;
        let question = v2::ChangeInvisibleDurationRequest {
            group: Some(names::resource(request.group.as_str())),
            topic: Some(names::resource(request.topic.as_str())),
            receipt_handle: link.handles.text(&request.handle),
            invisible_duration: Some(time::to_duration(request.invisible)),
            ..Default::default()
        };
        let answer = call!(link, caller, change_invisible_duration, question);
        let subject = about_both(&request.topic, &request.group);
        status::outcome(answer.status.as_ref(), &subject)?;
        Ok(link
            .handles
            .replace(&request.handle, &answer.receipt_handle))
    }

    async fn forward_to_dead_letter(
        &self,
        caller: &Caller,
        request: ForwardToDeadLetter,
    ) -> Reply<()> {
        let link = &self.0;
        let attempt = i32::try_from(request.handle.attempt).unwrap_or(i32::MAX);
        let question = v2::ForwardMessageToDeadLetterQueueRequest {
            group: Some(names::resource(request.group.as_str())),
            topic: Some(names::resource(request.topic.as_str())),
            receipt_handle: link.handles.text(&request.handle),
            delivery_attempt: attempt,
            max_delivery_attempts: attempt,
            ..Default::default()
        };
        let answer = call!(link, caller, forward_message_to_dead_letter_queue, question);
        link.handles.forget(&request.handle);
        let subject = about_both(&request.topic, &request.group);
        status::outcome(answer.status.as_ref(), &subject)
    }

    async fn end_transaction(&self, caller: &Caller, request: EndTransaction) -> Reply<()> {
        let topic = request.topic.ok_or_else(|| {
            ClusterError::Unsupported("end a transaction without its topic".to_owned())
        })?;
        let resolution = match request.resolution {
            Resolution::Commit => v2::TransactionResolution::Commit,
            Resolution::Rollback => v2::TransactionResolution::Rollback,
            Resolution::Unknown => v2::TransactionResolution::Unspecified,
        };
        let source = if request.from_check {
            v2::TransactionSource::SourceServerCheck
        } else {
            v2::TransactionSource::SourceClient
        };
        let question = v2::EndTransactionRequest {
            topic: Some(names::resource(topic.as_str())),
            message_id: request
                .message_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            transaction_id: request.transaction.to_string(),
            resolution: resolution.into(),
            source: source.into(),
            trace_context: String::new(),
        };
        let answer = call!(self.0, caller, end_transaction, question);
        status::outcome(answer.status.as_ref(), &about(&topic))
    }

    async fn recall(&self, caller: &Caller, request: Recall) -> Reply<MessageId> {
        let question = v2::RecallMessageRequest {
            topic: Some(names::resource(request.topic.as_str())),
            recall_handle: request.handle,
        };
        let answer = call!(self.0, caller, recall_message, question);
        status::outcome(answer.status.as_ref(), &about(&request.topic))?;
        MessageId::new(&answer.message_id).ok_or(ClusterError::IllegalMessageId(answer.message_id))
    }

    async fn pull(&self, caller: &Caller, request: Pull) -> Reply<Pulled> {
        self.0.pull_messages(caller, request).await
    }

    async fn offset(&self, caller: &Caller, request: OffsetQuery) -> Reply<OffsetOf> {
        let link = &self.0;
        let queue = link.route_of(caller, &request.topic).await?;
        let message_queue = queue.numbered(request.queue);
        let subject = about(&request.topic);
        let (said, offset) = match request.at {
            OffsetAt::Committed(group) => {
                let question = v2::GetOffsetRequest {
                    group: Some(names::resource(group.as_str())),
                    message_queue,
                };
                let answer = call!(link, caller, get_offset, question);
                (answer.status, answer.offset)
            }
            at => {
                let answer = call!(link, caller, query_offset, question(&at, message_queue));
                (answer.status, answer.offset)
            }
        };
        let missing = v2::Code::OffsetNotFound as i32;
        if said.as_ref().is_some_and(|said| said.code == missing) {
            return Ok(OffsetOf { offset: None });
        }
        status::outcome(said.as_ref(), &subject)?;
        Ok(OffsetOf {
            offset: u64::try_from(offset).ok(),
        })
    }

    async fn update_offset(&self, caller: &Caller, request: UpdateOffset) -> Reply<()> {
        let link = &self.0;
        let found = link.route_of(caller, &request.topic).await?;
        let question = v2::UpdateOffsetRequest {
            group: Some(names::resource(request.group.as_str())),
            message_queue: found.numbered(request.queue),
            offset: route::to_offset(request.offset),
        };
        let answer = call!(link, caller, update_offset, question);
        let subject = about_both(&request.topic, &request.group);
        status::outcome(answer.status.as_ref(), &subject)
    }

    async fn open_session(
        &self,
        caller: &Caller,
        settings: ClientSettings,
    ) -> Reply<ClientSettings> {
        telemetry::open(&self.0, self.0.client_id(caller), settings).await
    }

    async fn heartbeat(&self, caller: &Caller) -> Reply<()> {
        let question = v2::HeartbeatRequest::default();
        let answer = call!(self.0, caller, heartbeat, question);
        status::outcome(answer.status.as_ref(), &Subject::default())
    }

    async fn close_session(&self, caller: &Caller) -> Reply<()> {
        let link = &self.0;
        let question = v2::NotifyClientTerminationRequest::default();
        let answer = call!(link, caller, notify_client_termination, question);
        link.sessions.lock().remove(&link.client_id(caller));
        status::outcome(answer.status.as_ref(), &Subject::default())
    }

    fn commands(&self, client: &ClientId) -> BoxStream<'static, ServerCommand> {
        telemetry::commands(&self.0, client)
    }
}

fn question(at: &OffsetAt, message_queue: Option<v2::MessageQueue>) -> v2::QueryOffsetRequest {
    let (policy, timestamp) = match at {
        OffsetAt::Time(moment) => (
            v2::QueryOffsetPolicy::Timestamp,
            Some(time::to_timestamp(*moment)),
        ),
        OffsetAt::Max => (v2::QueryOffsetPolicy::End, None),
        OffsetAt::Min | OffsetAt::Committed(_) => (v2::QueryOffsetPolicy::Beginning, None),
    };
    v2::QueryOffsetRequest {
        message_queue,
        query_offset_policy: policy.into(),
        timestamp,
    }
}
