//! Rows of consumer groups: state, offsets, clients, offset resets.

use std::time::Duration;

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::{grouped, or_dash, told_span};
use crate::cluster::admin::{ClientRow, GroupProgress, GroupRow, QueueProgress, ResetRow};
use crate::cluster::session::ClientKind;
use crate::domain::group::DeliveryOrder;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Serialize)]
pub struct GroupView {
    pub name: GroupName,
    pub order: DeliveryOrder,
    pub topics: Vec<TopicName>,
    pub lag: u64,
    pub ready: u64,
    pub in_flight: u64,
    pub retrying: u64,
    pub dead_letters: u64,
    pub lost: u64,
    pub delay_seconds: f64,
    pub clients: usize,
    /// Members whose subscription differs from the others'; absent without members.
    pub inconsistent: Option<Vec<ClientId>>,
    pub max_retries: u32,
    pub consume_enabled: bool,
    pub auto: bool,
    pub next_retry_at: Option<Timestamp>,
    pub last_consumed_at: Option<Timestamp>,
}

impl GroupView {
    pub fn new(row: &GroupRow) -> Self {
        let definition = &row.definition;
        Self {
            name: definition.name.clone(),
            order: definition.order,
            topics: row.topics.clone(),
            lag: row.lag(),
            ready: row.ready,
            in_flight: row.in_flight,
            retrying: row.retrying,
            dead_letters: row.dead_letters,
            lost: row.lost_total,
            delay_seconds: row.delay_time.as_secs_f64(),
            clients: row.clients.len(),
            inconsistent: row.inconsistent.clone(),
            max_retries: definition.max_retries,
            consume_enabled: definition.consume_enabled,
            auto: definition.auto,
            next_retry_at: row.next_retry_at,
            last_consumed_at: row.last_consumed_at,
        }
    }
}

impl Row for GroupView {
    const COLUMNS: &'static [Column] = &[
        left("NAME"),
        left("ORDER"),
        right("LAG"),
        right("READY"),
        right("IN FLIGHT"),
        right("RETRYING"),
        right("DEAD"),
        right("DELAY"),
        right("CLIENTS"),
        right("MAX RETRIES"),
        left("CONSUMES"),
        left("TOPICS"),
        left("MADE BY"),
    ];

    fn cells(&self) -> Vec<String> {
        let topics: Vec<&str> = self.topics.iter().map(TopicName::as_str).collect();
        vec![
            self.name.to_string(),
            self.order.as_str().to_owned(),
            grouped(self.lag),
            grouped(self.ready),
            grouped(self.in_flight),
            grouped(self.retrying),
            grouped(self.dead_letters),
            told_span(Duration::from_secs_f64(self.delay_seconds)),
            self.clients.to_string(),
            self.max_retries.to_string(),
            if self.consume_enabled { "yes" } else { "no" }.to_owned(),
            topics.join(","),
            if self.auto { "auto" } else { "hand" }.to_owned(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct ProgressView {
    pub topic: TopicName,
    #[serde(flatten)]
    pub queue: QueueProgress,
}

impl ProgressView {
    pub fn of(progress: &GroupProgress) -> Vec<Self> {
        let row = |queue: &QueueProgress| Self {
            topic: progress.topic.clone(),
            queue: queue.clone(),
        };
        progress.queues.iter().map(row).collect()
    }
}

impl Row for ProgressView {
    const COLUMNS: &'static [Column] = &[
        left("TOPIC"),
        right("QUEUE"),
        right("COMMITTED"),
        right("PULLED"),
        right("MAX OFFSET"),
        right("READY"),
        right("IN FLIGHT"),
        right("RETRYING"),
        right("DELAY"),
        left("BLOCKED"),
    ];

    fn cells(&self) -> Vec<String> {
        let queue = &self.queue;
        let blocked = |(group, offset): &(String, u64)| format!("{group} behind {offset}");
        let blocked: Vec<String> = queue.blocked.iter().map(blocked).collect();
        vec![
            self.topic.to_string(),
            queue.queue.to_string(),
            queue.committed.to_string(),
            queue.pulled.to_string(),
            queue.max_offset.to_string(),
            grouped(queue.ready),
            grouped(queue.in_flight),
            grouped(queue.retrying),
            told_span(queue.delay_time),
            blocked.join(", "),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct ClientView {
    pub id: ClientId,
    pub kind: ClientKind,
    pub host: Option<String>,
    pub language: String,
    pub version: String,
    pub subscriptions: Vec<String>,
    pub last_heartbeat_at: Timestamp,
}

impl ClientView {
    pub fn new(row: &ClientRow) -> Self {
        let subscriptions = row.subscriptions.iter();
        Self {
            id: row.id.clone(),
            kind: row.kind,
            host: row.host.clone(),
            language: row.language.clone(),
            version: row.version.clone(),
            subscriptions: subscriptions
                .map(|s| format!("{} {}", s.topic, s.filter))
                .collect(),
            last_heartbeat_at: row.last_heartbeat_at,
        }
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            ClientKind::Producer => "producer",
            ClientKind::PushConsumer => "push consumer",
            ClientKind::SimpleConsumer => "simple consumer",
            ClientKind::PullConsumer => "pull consumer",
            ClientKind::Trigger => "trigger",
        }
    }
}

impl Row for ClientView {
    const COLUMNS: &'static [Column] = &[
        left("CLIENT"),
        left("KIND"),
        left("HOST"),
        left("LANGUAGE"),
        left("VERSION"),
        left("LAST HEARTBEAT"),
        left("SUBSCRIPTIONS"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.kind().to_owned(),
            or_dash(self.host.as_ref()),
            self.language.clone(),
            self.version.clone(),
            self.last_heartbeat_at.to_string(),
            self.subscriptions.join(", "),
        ]
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ResetView(ResetRow);

impl ResetView {
    pub fn new(row: &ResetRow) -> Self {
        Self(*row)
    }
}

impl Row for ResetView {
    const COLUMNS: &'static [Column] = &[
        right("QUEUE"),
        right("OLD"),
        right("NEW"),
        right("DELIVERED AGAIN"),
        right("NEVER DELIVERED"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.0.queue.to_string(),
            self.0.old.to_string(),
            self.0.new.to_string(),
            grouped(self.0.redelivered),
            grouped(self.0.skipped),
        ]
    }
}
