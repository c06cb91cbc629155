//! Rows of topics and their queues.

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::{grouped, or_dash, told_span};
use crate::cluster::admin::{QueueRow, TopicRow};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicType;

#[derive(Debug, Serialize)]
pub struct TopicView {
    pub name: TopicName,
    #[serde(rename = "type")]
    pub topic_type: TopicType,
    pub queues: u32,
    pub permission: String,
    pub messages: u64,
    pub bytes: Option<u64>,
    /// Delayed and half messages outside the queues.
    pub parked: u64,
    pub groups: Vec<GroupName>,
    pub retention_seconds: Option<u64>,
    pub max_tps: Option<u32>,
    pub auto: bool,
    pub remark: String,
    pub last_stored_at: Option<Timestamp>,
}

impl TopicView {
    pub fn new(row: &TopicRow) -> Self {
        let definition = &row.definition;
        Self {
            name: definition.name.clone(),
            topic_type: definition.topic_type,
            queues: definition.write_queues,
            permission: definition.permission.to_string(),
            messages: row.messages,
            bytes: row.bytes,
            parked: row.parked,
            groups: row.groups.clone(),
            retention_seconds: definition.retention.map(|span| span.as_secs()),
            max_tps: definition.max_send_tps,
            auto: definition.auto,
            remark: definition.remark.clone(),
            last_stored_at: row.last_stored_at,
        }
    }
}

impl Row for TopicView {
    const COLUMNS: &'static [Column] = &[
        left("NAME"),
        left("TYPE"),
        right("QUEUES"),
        left("PERM"),
        right("MESSAGES"),
        right("BYTES"),
        right("PARKED"),
        left("RETENTION"),
        left("LAST STORED"),
        left("GROUPS"),
        left("MADE BY"),
    ];

    fn cells(&self) -> Vec<String> {
        let retention = self.retention_seconds.map(std::time::Duration::from_secs);
        let groups: Vec<&str> = self.groups.iter().map(GroupName::as_str).collect();
        vec![
            self.name.to_string(),
            self.topic_type.to_string(),
            self.queues.to_string(),
            self.permission.clone(),
            grouped(self.messages),
            or_dash(self.bytes.map(grouped).as_ref()),
            grouped(self.parked),
            retention.map_or_else(|| "instance's".to_owned(), told_span),
            or_dash(self.last_stored_at.as_ref()),
            groups.join(","),
            if self.auto { "auto" } else { "hand" }.to_owned(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct QueueView {
    pub queue: u32,
    pub min_offset: u64,
    pub max_offset: u64,
    pub last_stored_at: Option<Timestamp>,
}

impl QueueView {
    pub fn new(row: &QueueRow) -> Self {
        Self {
            queue: row.queue,
            min_offset: row.min_offset,
            max_offset: row.max_offset,
            last_stored_at: row.last_stored_at,
        }
    }
}

impl Row for QueueView {
    const COLUMNS: &'static [Column] = &[
        right("QUEUE"),
        right("MIN OFFSET"),
        right("MAX OFFSET"),
        left("LAST STORED"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.queue.to_string(),
            self.min_offset.to_string(),
            self.max_offset.to_string(),
            or_dash(self.last_stored_at.as_ref()),
        ]
    }
}
