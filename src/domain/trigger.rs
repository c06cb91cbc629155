//! Triggers: a topic bound to a function through a consumer group.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::group::FirstSeen;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::domain::subscription::FilterExpression;
use crate::domain::timestamp::Timestamp;

/// How a trigger spaces its retries (TR-23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerRetry {
    /// At most 3 retries, each after a random 10-20 s.
    #[default]
    Backoff,
    /// 176 retries after 1, 2, 4 … 256 s, then 512 s each.
    ExponentialDecay,
}

/// What happens when retries are used up (TR-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tolerance {
    /// Dead letter, go on. The cloud's default is `none`.
    #[default]
    All,
    /// Stop before the batch until a person starts the trigger again.
    None,
}

/// Where a trigger's dead letters go.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerDeadLetter {
    /// `%DLQ%<group>`.
    #[default]
    Own,
    Topic(TopicName),
    /// Dropped; screens show a badge.
    Dropped,
}

/// Form of each element of the event (8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum EventSchema {
    #[default]
    RawData,
    CloudEvents,
}

/// How the body is put into the event (TR-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BodyDataType {
    /// The parsed value when it is JSON, else text.
    #[default]
    #[serde(rename = "JSON")]
    Json,
    Text,
    /// Base64.
    Binary,
}

/// A RocketMQ trigger as its owner defined it (8.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerDefinition {
    pub name: TriggerName,
    pub instance: InstanceId,
    pub function: FunctionName,
    pub topic: TopicName,
    pub group: GroupName,
    pub filter: FilterExpression,
    /// Applies only while the group has no stored offset.
    pub offset: FirstSeen,
    /// Messages per batch, 1-10000.
    pub batch_size: u32,
    /// Longest wait for a full batch, 0-15 s; zero pushes at once.
    pub batch_window: Duration,
    pub retry: TriggerRetry,
    pub tolerance: Tolerance,
    pub dead_letter: TriggerDeadLetter,
    /// Batches in work at once, at least 1.
    pub concurrency: u32,
    pub event_schema: EventSchema,
    pub body_data_type: BodyDataType,
    /// Events are accepted and acked at once, then run and tried again by the function's own settings (TR-20).
    #[serde(default)]
    pub asynchronous: bool,
    pub enabled: bool,
}

impl TriggerDefinition {
    pub fn new(
        name: TriggerName,
        instance: InstanceId,
        function: FunctionName,
        topic: TopicName,
        group: GroupName,
    ) -> Self {
        Self {
            name,
            instance,
            function,
            topic,
            group,
            filter: FilterExpression::all(),
            offset: FirstSeen::Latest,
            batch_size: 1,
            batch_window: Duration::ZERO,
            retry: TriggerRetry::Backoff,
            tolerance: Tolerance::All,
            dead_letter: TriggerDeadLetter::Own,
            concurrency: 1,
            event_schema: EventSchema::RawData,
            body_data_type: BodyDataType::Json,
            asynchronous: false,
            enabled: true,
        }
    }
}

/// What a trigger is doing (TR-31).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerState {
    Starting,
    Running,
    Paused,
    /// A batch failed and waits for its next attempt.
    Retrying {
        /// The attempt that comes next, from 2.
        attempt: u32,
        due: Timestamp,
        error: String,
    },
    /// Stopped by an error under tolerance `none`; a person starts it again.
    Ready {
        error: String,
    },
    /// It cannot run as defined; no retries.
    StartFailed {
        error: String,
    },
}

impl fmt::Display for TriggerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Retrying { .. } => "Retrying",
            Self::Ready { .. } => "Ready",
            Self::StartFailed { .. } => "Start Failed",
        })
    }
}
