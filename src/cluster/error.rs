//! The shared language of failure: variants are what a caller can do something about.

use serde::{Deserialize, Serialize};

use crate::domain::message::MessageType;
use crate::domain::names::{GroupName, NameError, TopicName};
use crate::domain::topic::TopicType;
use crate::report::Hint;

/// Why a request to a cluster failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum ClusterError {
    #[error("no topic `{0}`")]
    TopicNotFound(TopicName),
    #[error("no group `{0}`")]
    GroupNotFound(GroupName),
    #[error("no message: {0}")]
    MessageNotFound(String),
    #[error("topic `{0}` exists with another definition")]
    TopicExists(TopicName),
    #[error("group `{0}` exists with another definition")]
    GroupExists(GroupName),
    #[error("{0}")]
    IllegalName(String),
    #[error("topic `{topic}` takes {takes} messages, this one is {given}")]
    TypeMismatch {
        topic: TopicName,
        takes: TopicType,
        given: MessageType,
    },
    #[error("topic `{0}` takes FIFO messages, and this one has no message group")]
    MessageGroupRequired(TopicName),
    #[error("a message cannot have {0} at once")]
    ConflictingTypes(String),
    #[error("the body is {size} bytes, at most {limit} are allowed")]
    BodyTooLarge { size: u64, limit: u64 },
    #[error("the body is empty")]
    BodyEmpty,
    #[error("the properties are too large: {0}")]
    PropertiesTooLarge(String),
    #[error("the property key `{0}` is reserved or not allowed")]
    IllegalPropertyKey(String),
    #[error("the tag is not allowed: {0}")]
    IllegalTag(String),
    #[error("a message key is not allowed: {0}")]
    IllegalKey(String),
    #[error("the message group is not allowed: {0}")]
    IllegalMessageGroup(String),
    #[error("the message id `{0}` is not allowed")]
    IllegalMessageId(String),
    #[error("the delivery time is {asked_ms} ms ahead, at most {limit_ms} ms are allowed")]
    DelayTooLong { asked_ms: u64, limit_ms: u64 },
    #[error("the invisible duration of {asked_ms} ms is outside {min_ms}-{max_ms} ms")]
    IllegalInvisible {
        asked_ms: u64,
        min_ms: u64,
        max_ms: u64,
    },
    #[error("the offset {offset} is outside {min}-{max}")]
    IllegalOffset { offset: u64, min: u64, max: u64 },
    #[error("the filter cannot be used: {0}")]
    IllegalFilter(String),
    #[error("the receipt handle is expired or was superseded")]
    ReceiptExpired,
    #[error("the receipt handle is not one this broker made")]
    IllegalReceipt,
    #[error("no transaction `{0}` is pending")]
    TransactionNotFound(String),
    #[error("the message is not pending any more: {0}")]
    NotRecallable(String),
    #[error("{0}")]
    Forbidden(String),
    #[error("the caller is not known: {0}")]
    Unauthenticated(String),
    #[error("{what} is over its quota of {limit} per second")]
    Throttled { what: String, limit: u32 },
    #[error("the request is not allowed: {0}")]
    IllegalRequest(String),
    #[error("the store is full: {0}")]
    StoreFull(String),
    #[error("the store failed: {0}")]
    StoreFailed(String),
    #[error("this cluster cannot {0}")]
    Unsupported(String),
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(String),
    /// A cluster elsewhere said so in its own words; `code` is RocketMQ's.
    #[error("{message} (code {code})")]
    Refused { code: i32, message: String },
    #[error("the broker is stopping")]
    Stopping,
}

impl From<NameError> for ClusterError {
    fn from(error: NameError) -> Self {
        Self::IllegalName(error.to_string())
    }
}

impl Hint for ClusterError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TopicNotFound(topic) => format!(
                "create it with `moonport topic create {topic}`, or turn auto-create on for the instance"
            ),
            Self::GroupNotFound(group) => format!(
                "create it with `moonport group create {group}`, or turn auto-create on for the instance"
            ),
            Self::TypeMismatch { takes, .. } => {
                format!("send a {takes} message, or choose a topic of type MIXED")
            }
            Self::MessageGroupRequired(_) => {
                "set a message group, or choose a NORMAL topic".to_owned()
            }
            Self::BodyTooLarge { .. } => {
                "store the payload elsewhere and send a reference".to_owned()
            }
            Self::BodyEmpty => "give the message a body of at least one byte".to_owned(),
            Self::DelayTooLong { .. } => "choose an earlier delivery time".to_owned(),
            Self::ReceiptExpired => {
                "receive the message again, or ask for a longer invisible duration".to_owned()
            }
            Self::Throttled { .. } => "slow down, or raise the limit".to_owned(),
            Self::StoreFull(_) => {
                "free disk space or shorten the retention; nothing was lost".to_owned()
            }
            Self::Unreachable(_) => "check the address, and that the cluster runs".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}
