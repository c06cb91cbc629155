//! Messages: as a sender drafts them and as the broker stores them.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;

/// Largest body, in bytes (N11).
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Most user properties of a message (N12).
pub const MAX_PROPERTIES: usize = 128;
/// Most bytes of all user properties, tag and keys together (N12).
pub const MAX_PROPERTY_BYTES: usize = 16 * 1024;
/// A message group is shorter than this, in bytes (N13).
pub const MESSAGE_GROUP_LIMIT: usize = 64;

/// The type a message has by what it carries (T5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageType {
    #[default]
    Normal,
    Fifo,
    Delay,
    Transaction,
    Priority,
}

impl MessageType {
    pub const ALL: [Self; 5] = [
        Self::Normal,
        Self::Fifo,
        Self::Delay,
        Self::Transaction,
        Self::Priority,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Fifo => "FIFO",
            Self::Delay => "DELAY",
            Self::Transaction => "TRANSACTION",
            Self::Priority => "PRIORITY",
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the body bytes are encoded on the wire and in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BodyEncoding {
    #[default]
    Identity,
    Gzip,
}

/// Named text values in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets a value; a known name keeps its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut properties = Self::new();
        for (name, value) in entries {
            properties.set(name, value);
        }
        properties
    }
}

/// A message as its sender asks for it; the broker checks and completes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub topic: TopicName,
    /// The sender's id; the broker makes one when absent (M3).
    pub id: Option<MessageId>,
    #[serde(with = "body_text")]
    pub body: Bytes,
    pub encoding: BodyEncoding,
    pub tag: Option<String>,
    pub keys: Vec<String>,
    pub properties: Properties,
    /// System properties the sender may carry along, such as a trace context or the notes of a dead letter (TR-26).
    pub system: Properties,
    /// Makes it FIFO.
    pub message_group: Option<String>,
    /// Makes it DELAY: not before this moment (L1).
    pub deliver_at: Option<Timestamp>,
    /// Makes it PRIORITY; higher first (T11).
    pub priority: Option<u32>,
    /// Makes it a half message of a transaction (X1).
    pub transaction: Option<HalfDraft>,
    /// Queue asked for; the broker picks when absent (O5).
    pub queue: Option<u32>,
    /// The sender's clock right before the send; broker time when absent.
    pub born_at: Option<Timestamp>,
    /// The sender's host name; the broker's own when absent.
    pub born_host: Option<String>,
}

/// What a half message says about its check-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HalfDraft {
    /// Time before the first check, in seconds; the broker's 6 s when absent (X3).
    pub immunity_seconds: Option<u32>,
}

impl Draft {
    /// A plain message.
    pub fn new(topic: TopicName, body: impl Into<Bytes>) -> Self {
        Self {
            topic,
            id: None,
            body: body.into(),
            encoding: BodyEncoding::Identity,
            tag: None,
            keys: Vec::new(),
            properties: Properties::new(),
            system: Properties::new(),
            message_group: None,
            deliver_at: None,
            priority: None,
            transaction: None,
            queue: None,
            born_at: None,
            born_host: None,
        }
    }

    /// The type by what it carries, first match wins (T5).
    pub fn message_type(&self) -> MessageType {
        if self.transaction.is_some() {
            MessageType::Transaction
        } else if self.deliver_at.is_some() {
            MessageType::Delay
        } else if self.message_group.is_some() {
            MessageType::Fifo
        } else if self.priority.is_some() {
            MessageType::Priority
        } else {
            MessageType::Normal
        }
    }
}

/// A message at its place in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub topic: TopicName,
    pub queue: u32,
    /// Place in the queue, from 0, never reused (O1).
    pub offset: u64,
    pub message_type: MessageType,
    #[serde(with = "body_text")]
    pub body: Bytes,
    pub encoding: BodyEncoding,
    pub tag: Option<String>,
    pub keys: Vec<String>,
    pub properties: Properties,
    /// Stored system properties beyond the fields of this struct: trace context, dead letter notes.
    pub system: Properties,
    pub message_group: Option<String>,
    /// When a DELAY message was asked for.
    pub deliver_at: Option<Timestamp>,
    pub priority: Option<u32>,
    pub transaction_id: Option<TransactionId>,
    pub born_at: Timestamp,
    pub born_host: String,
    /// Broker time at which it became ready: stored, due, or committed.
    pub stored_at: Timestamp,
}

impl Message {
    /// Where it lies.
    pub fn place(&self) -> Place {
        Place {
            topic: self.topic.clone(),
            queue: self.queue,
            offset: self.offset,
        }
    }

    /// Bytes counted against quotas: body, properties, names.
    pub fn weight(&self) -> usize {
        let properties: usize = self
            .properties
            .iter()
            .chain(self.system.iter())
            .map(|(k, v)| k.len() + v.len())
            .sum();
        self.body.len() + properties + self.id.as_str().len() + 64
    }
}

/// The place of a message: topic, queue, offset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub topic: TopicName,
    pub queue: u32,
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} queue {} offset {}",
            self.topic, self.queue, self.offset
        )
    }
}

/// Bodies are base64 in text formats and plain bytes in binary ones.
pub mod body_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(body))
        } else {
            body.serialize(serializer)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            STANDARD
                .decode(text)
                .map(Bytes::from)
                .map_err(D::Error::custom)
        } else {
            Bytes::deserialize(deserializer)
        }
    }
}

/// Names of system properties as consumers see them (section 4.1 of the rules; S-6).
pub mod key {
    pub const MSG_REGION: &str = "MSG_REGION";
    pub const MIN_OFFSET: &str = "MIN_OFFSET";
    pub const UNIQ_KEY: &str = "UNIQ_KEY";
    pub const TRACE_ON: &str = "TRACE_ON";
    pub const PGROUP: &str = "PGROUP";
    pub const CLUSTER: &str = "CLUSTER";
    pub const BORN_HOST: &str = "__BORNHOST";
    pub const WAIT: &str = "WAIT";
    pub const BORN_TIMESTAMP: &str = "BORN_TIMESTAMP";
    pub const INSTANCE_ID: &str = "INSTANCE_ID";
    pub const RECONSUME_TIME: &str = "RECONSUME_TIME";
    pub const MAX_OFFSET: &str = "MAX_OFFSET";
    pub const TAGS: &str = "TAGS";
    pub const KEYS: &str = "KEYS";
    pub const TRACE_CONTEXT: &str = "TRACE_CONTEXT";
    pub const DLQ_ORIGIN_TOPIC: &str = "DLQ_ORIGIN_TOPIC";
    pub const DLQ_ORIGIN_MESSAGE_ID: &str = "DLQ_ORIGIN_MESSAGE_ID";
    /// Prefix of the notes a dead letter carries (TR-26).
    pub const DEAD_LETTER_NOTE: &str = "MOONPORT_DLQ_";
}

/// Keys a user property may not have (section 4.2 of the rules); using one is refused.
pub const RESERVED_KEYS: &[&str] = &[
    "KEYS",
    "TAGS",
    "WAIT",
    "DELAY",
    "RETRY_TOPIC",
    "REAL_TOPIC",
    "REAL_QID",
    "TRAN_MSG",
    "PGROUP",
    "MIN_OFFSET",
    "MAX_OFFSET",
    "BUYER_ID",
    "ORIGIN_MESSAGE_ID",
    "TRANSFER_FLAG",
    "CORRECTION_FLAG",
    "MQ2_FLAG",
    "RECONSUME_TIME",
    "MSG_REGION",
    "TRACE_ON",
    "UNIQ_KEY",
    "MAX_RECONSUME_TIMES",
    "CONSUME_START_TIME",
    "POP_CK",
    "POP_CK_OFFSET",
    "1ST_POP_TIME",
    "TRAN_PREPARED_QUEUE_OFFSET",
    "DUP_INFO",
    "EXTEND_UNIQ_INFO",
    "INSTANCE_ID",
    "CORRELATION_ID",
    "REPLY_TO_CLIENT",
    "TTL",
    "ARRIVE_TIME",
    "PUSH_REPLY_TIME",
    "CLUSTER",
    "MSG_TYPE",
    "INNER_MULTI_QUEUE_OFFSET",
    "TIMER_DELAY_MS",
    "TIMER_DELAY_SEC",
    "TIMER_DELIVER_MS",
    "TIMER_ENQUEUE_MS",
    "TIMER_DEQUEUE_MS",
    "TIMER_ROLL_TIMES",
    "TIMER_OUT_MS",
    "TIMER_DEL_UNIQKEY",
    "TIMER_DELAY_LEVEL",
    "DLQ_ORIGIN_TOPIC",
    "DLQ_ORIGIN_MESSAGE_ID",
    "__BORNHOST",
    "BORN_TIMESTAMP",
    "__CRC32#",
    "__SHARDINGKEY",
    "CHECK_IMMUNITY_TIME_IN_SECONDS",
    "__transactionId__",
    "TRANSACTION_CHECK_TIMES",
    "TRACE_CONTEXT",
];

/// True for a key that user properties may not have, prefixes included.
pub fn is_reserved_key(name: &str) -> bool {
    RESERVED_KEYS.contains(&name)
        || name.starts_with("__RMQ.TRANSIENT.")
        || name.starts_with(key::DEAD_LETTER_NOTE)
}
