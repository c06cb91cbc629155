//! Consumer groups: their definition.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::names::{GroupName, TopicName};
use crate::domain::retry_policy::{DEFAULT_MAX_RETRIES, RetryPolicy};
use crate::domain::timestamp::Timestamp;

/// Whether a group keeps the order of message groups (G4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryOrder {
    #[default]
    Concurrent,
    Orderly,
}

impl DeliveryOrder {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrent => "concurrent",
            Self::Orderly => "orderly",
        }
    }
}

/// Where a group begins on a topic it has no offset for (O3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstSeen {
    #[default]
    Latest,
    Earliest,
    /// The first message stored at or after this moment (O4).
    At(Timestamp),
}

/// What happens to a message whose retries are used up (Q4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadLetterTarget {
    /// Kept in `%DLQ%<group>`.
    #[default]
    Own,
    /// Kept in a topic the owner names.
    Topic(TopicName),
    /// Thrown away; screens show a badge.
    Discard,
}

/// A consumer group as its owner defined it (G1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDefinition {
    pub name: GroupName,
    pub order: DeliveryOrder,
    pub retry_policy: RetryPolicy,
    /// Deliveries after the first; 0-1000 (G2).
    pub max_retries: u32,
    /// Whether receive is allowed (G5).
    pub consume_enabled: bool,
    pub first_seen: FirstSeen,
    pub dead_letter: DeadLetterTarget,
    /// Messages per second handed out before receivers are throttled (N19); `None` is unlimited.
    pub max_receive_tps: Option<u32>,
    /// Share of priority in choosing the next message, 0-100; 0 ignores priority (T11).
    pub priority_factor: u8,
    pub remark: String,
    /// Made by the first subscription rather than by a person (G5).
    pub auto: bool,
    pub created_at: Timestamp,
}

impl GroupDefinition {
    /// Invisible duration of a receive that does not say (N15).
    pub const DEFAULT_INVISIBLE: Duration = Duration::from_secs(60);

    pub fn new(name: GroupName, order: DeliveryOrder, now: Timestamp) -> Self {
        let retry_policy = match order {
            DeliveryOrder::Concurrent => RetryPolicy::Documented,
            DeliveryOrder::Orderly => RetryPolicy::ORDERLY_DEFAULT,
        };
        Self {
            name,
            order,
            retry_policy,
            max_retries: DEFAULT_MAX_RETRIES,
            consume_enabled: true,
            first_seen: FirstSeen::Latest,
            dead_letter: DeadLetterTarget::Own,
            max_receive_tps: None,
            priority_factor: 100,
            remark: String::new(),
            auto: false,
            created_at: now,
        }
    }
}
