//! Rows of messages. Bodies are text where they are text, else base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::or_dash;
use crate::cluster::admin::{ParkedMessage, TransactionRow};
use crate::domain::ids::MessageId;
use crate::domain::message::{BodyEncoding, Message, MessageType, Properties};
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;

/// Characters of a body that a table shows.
const SHOWN_BODY: usize = 60;

#[derive(Debug, Serialize)]
pub struct MessageView {
    pub message_id: MessageId,
    pub topic: TopicName,
    pub queue: u32,
    pub offset: u64,
    #[serde(rename = "type")]
    pub message_type: MessageType,
    pub tag: Option<String>,
    pub keys: Vec<String>,
    pub message_group: Option<String>,
    pub priority: Option<u32>,
    pub properties: Object,
    pub system_properties: Object,
    pub born_at: Timestamp,
    pub born_host: String,
    pub stored_at: Timestamp,
    pub body_encoding: BodyEncoding,
    pub body_size: usize,
    #[serde(flatten)]
    pub body: BodyView,
}

/// Exactly one of the two is there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyView {
    Body(String),
    BodyBase64(String),
}

/// Properties as a JSON object, in their order.
#[derive(Debug)]
pub struct Object(Properties);

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl BodyView {
    fn new(body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self::Body(text.to_owned()),
            Err(_) => Self::BodyBase64(STANDARD.encode(body)),
        }
    }

    fn start(&self) -> String {
        let (text, mark) = match self {
            Self::Body(text) => (text, ""),
            Self::BodyBase64(text) => (text, "base64 "),
        };
        let mut start: String = text.chars().take(SHOWN_BODY).collect();
        if start.len() < text.len() {
            start.push('…');
        }
        format!("{mark}{start}")
    }
}

impl MessageView {
    pub fn new(message: &Message) -> Self {
        Self {
            message_id: message.id.clone(),
            topic: message.topic.clone(),
            queue: message.queue,
            offset: message.offset,
            message_type: message.message_type,
            tag: message.tag.clone(),
            keys: message.keys.clone(),
            message_group: message.message_group.clone(),
            priority: message.priority,
            properties: Object(message.properties.clone()),
            system_properties: Object(message.system.clone()),
            born_at: message.born_at,
            born_host: message.born_host.clone(),
            stored_at: message.stored_at,
            body_encoding: message.encoding,
            body_size: message.body.len(),
            body: BodyView::new(&message.body),
        }
    }

    /// Every field on a line of its own, the body last.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("message   {}", self.message_id),
            format!(
                "place     {} queue {} offset {}",
                self.topic, self.queue, self.offset
            ),
            format!("type      {}", self.message_type),
            format!("tag       {}", or_dash(self.tag.as_ref())),
            format!("keys      {}", self.keys.join(" ")),
            format!("born      {} at {}", self.born_at, self.born_host),
            format!("stored    {}", self.stored_at),
            format!("size      {} bytes", self.body_size),
        ];
        for (name, value) in self
            .properties
            .0
            .iter()
            .chain(self.system_properties.0.iter())
        {
            lines.push(format!("property  {name}={value}"));
        }
        let (BodyView::Body(body) | BodyView::BodyBase64(body)) = &self.body;
        lines.push(format!("body      {body}"));
        lines
    }
}

impl Row for MessageView {
    const COLUMNS: &'static [Column] = &[
        left("STORED"),
        left("MESSAGE"),
        left("TYPE"),
        right("QUEUE"),
        right("OFFSET"),
        left("TAG"),
        left("KEYS"),
        left("BODY"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.stored_at.to_string(),
            self.message_id.to_string(),
            self.message_type.to_string(),
            self.queue.to_string(),
            self.offset.to_string(),
            or_dash(self.tag.as_ref()),
            self.keys.join(" "),
            self.body.start(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct ParkedView {
    pub due: Timestamp,
    pub recall_handle: String,
    #[serde(flatten)]
    pub message: MessageView,
}

impl ParkedView {
    pub fn new(row: &ParkedMessage) -> Self {
        Self {
            due: row.due,
            recall_handle: row.recall_handle.clone(),
            message: MessageView::new(&row.message),
        }
    }
}

impl Row for ParkedView {
    const COLUMNS: &'static [Column] = &[
        left("DUE"),
        left("MESSAGE"),
        left("TOPIC"),
        left("KEYS"),
        left("BODY"),
        left("RECALL HANDLE"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.due.to_string(),
            self.message.message_id.to_string(),
            self.message.topic.to_string(),
            self.message.keys.join(" "),
            self.message.body.start(),
            self.recall_handle.clone(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct TransactionView {
    pub transaction: String,
    pub checks: u32,
    pub next_check_at: Timestamp,
    #[serde(flatten)]
    pub message: MessageView,
}

impl TransactionView {
    pub fn new(row: &TransactionRow) -> Self {
        Self {
            transaction: row.transaction.to_string(),
            checks: row.checks,
            next_check_at: row.next_check_at,
            message: MessageView::new(&row.message),
        }
    }
}

impl Row for TransactionView {
    const COLUMNS: &'static [Column] = &[
        left("TRANSACTION"),
        left("MESSAGE"),
        left("TOPIC"),
        right("CHECKS"),
        left("NEXT CHECK"),
        left("BODY"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.transaction.clone(),
            self.message.message_id.to_string(),
            self.message.topic.to_string(),
            self.checks.to_string(),
            self.next_check_at.to_string(),
            self.message.body.start(),
        ]
    }
}
