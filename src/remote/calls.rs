//! Calls that are more than one request and one answer: routes, and receiving as a stream.

use std::sync::Arc;
use std::time::Duration;

use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Delivery, Pull, Pulled, Receive};
use crate::cluster::session::Caller;
use crate::domain::group::GroupDefinition;
use crate::domain::names::{GroupName, TopicName};
use crate::proto::convert::{delivery, names, route, time};
use crate::proto::status::{self, Subject};
use crate::proto::v2;
use crate::proto::v2::pull_message_response::Content as Pulling;
use crate::proto::v2::receive_message_response::Content as Receiving;
use crate::remote::link::{Link, broken};
use crate::remote::routes::TopicRoute;

impl Link {
    /// Asks for a topic's route.
    pub(super) async fn query_route(
        &self,
        caller: &Caller,
        topic: &TopicName,
    ) -> Result<Arc<TopicRoute>, ClusterError> {
        let question = v2::QueryRouteRequest {
            topic: Some(names::resource(topic.as_str())),
            endpoints: Some(self.access_point()),
        };
        let request = self.request(caller, question, Duration::ZERO)?;
        let answer = self.client().query_route(request).await;
        let answer = answer.map_err(|error| broken(&error))?.into_inner();
        let subject = Subject {
            topic: Some(topic.clone()),
            group: None,
        };
        let outcome = status::outcome(answer.status.as_ref(), &subject);
        if outcome.is_err() {
            self.routes.forget(topic);
        }
        outcome?;
        Ok(self.routes.put(topic.clone(), answer.message_queues))
    }

    /// A topic's route, asked for if need be.
    pub(super) async fn route_of(
        &self,
        caller: &Caller,
        topic: &TopicName,
    ) -> Result<Arc<TopicRoute>, ClusterError> {
        match self.routes.get(topic) {
            Some(route) => Ok(route),
            None => self.query_route(caller, topic).await,
        }
    }

    async fn queue_of(
        &self,
        caller: &Caller,
        topic: &TopicName,
        number: Option<u32>,
    ) -> Result<v2::MessageQueue, ClusterError> {
        let route = self.route_of(caller, topic).await?;
        let queue = match number {
            Some(number) => route.numbered(number),
            None => route.readable(),
        };
        queue.ok_or_else(|| ClusterError::Forbidden(format!("no queue of `{topic}` can be read")))
    }

    pub(super) async fn receive_messages(
        &self,
        caller: &Caller,
        receive: Receive,
    ) -> Result<Vec<Delivery>, ClusterError> {
        let subject = Subject {
            topic: Some(receive.topic.clone()),
            group: Some(receive.group.clone()),
        };
        let queue = self.queue_of(caller, &receive.topic, receive.queue).await?;
        // Always said: other brokers refuse a receive of a simple consumer without it.
        let invisible = receive
            .invisible
            .unwrap_or(GroupDefinition::DEFAULT_INVISIBLE);
        let question = v2::ReceiveMessageRequest {
            group: Some(names::resource(receive.group.as_str())),
            message_queue: Some(queue),
            filter_expression: Some(names::to_filter(&receive.filter)),
            batch_size: i32::try_from(receive.max).unwrap_or(i32::MAX),
            invisible_duration: Some(time::to_duration(invisible)),
            auto_renew: receive.auto_renew,
            long_polling_timeout: Some(time::to_duration(receive.poll)),
            attempt_id: receive.attempt_id.clone(),
        };
        let request = self.request(caller, question, receive.poll)?;
        let frames = self.client().receive_message(request).await;
        let mut frames = frames.map_err(|error| broken(&error))?.into_inner();
        let mut received = Vec::new();
        while let Some(frame) = frames.message().await.map_err(|error| broken(&error))? {
            match frame.content {
                Some(Receiving::Status(said)) => match status::outcome(Some(&said), &subject) {
                    Ok(()) | Err(ClusterError::MessageNotFound(_)) => {}
                    Err(error) => return Err(error),
                },
                Some(Receiving::Message(message)) => {
                    received.extend(self.delivered(&receive.group, invisible, message));
                }
                Some(Receiving::DeliveryTimestamp(_)) | None => {}
            }
        }
        Ok(received)
    }

    fn delivered(
        &self,
        group: &GroupName,
        invisible: Duration,
        message: v2::Message,
    ) -> Option<Delivery> {
        delivery::delivered(message, |text, message, attempt| {
            let deadline = self.broker_clock.now() + invisible;
            self.handles.keep(text, group, message, attempt, deadline)
        })
    }

    pub(super) async fn pull_messages(
        &self,
        caller: &Caller,
        pull: Pull,
    ) -> Result<Pulled, ClusterError> {
        let subject = Subject {
            topic: Some(pull.topic.clone()),
            group: pull.group.clone(),
        };
        let queue = self.queue_of(caller, &pull.topic, Some(pull.queue)).await?;
        let question = v2::PullMessageRequest {
            group: pull.group.as_ref().map(|g| names::resource(g.as_str())),
            message_queue: Some(queue),
            offset: route::to_offset(pull.offset),
            batch_size: i32::try_from(pull.max).unwrap_or(i32::MAX),
            filter_expression: Some(names::to_filter(&pull.filter)),
            long_polling_timeout: Some(time::to_duration(pull.poll)),
        };
        let request = self.request(caller, question, pull.poll)?;
        let frames = self.client().pull_message(request).await;
        let mut frames = frames.map_err(|error| broken(&error))?.into_inner();
        let mut pulled = Pulled {
            messages: Vec::new(),
            next: pull.offset,
            min_offset: 0,
            max_offset: 0,
        };
        while let Some(frame) = frames.message().await.map_err(|error| broken(&error))? {
            match frame.content {
                Some(Pulling::Status(said)) => match status::outcome(Some(&said), &subject) {
                    Ok(()) | Err(ClusterError::MessageNotFound(_)) => {}
                    Err(error) => return Err(error),
                },
                Some(Pulling::Message(message)) => {
                    pulled
                        .messages
                        .extend(delivery::stored(message).map(Arc::new));
                }
                Some(Pulling::NextOffset(next)) => {
                    pulled.next = u64::try_from(next).unwrap_or(pull.offset);
                }
                None => {}
            }
        }
        Ok(pulled)
    }
}
