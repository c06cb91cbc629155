//! Topics: their definition, message types and permissions.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;

/// What kind of messages a topic takes (T4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TopicType {
    #[default]
    Normal,
    Fifo,
    Delay,
    Transaction,
    Priority,
    Mixed,
}

impl TopicType {
    pub const ALL: [Self; 6] = [
        Self::Normal,
        Self::Fifo,
        Self::Delay,
        Self::Transaction,
        Self::Priority,
        Self::Mixed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Fifo => "FIFO",
            Self::Delay => "DELAY",
            Self::Transaction => "TRANSACTION",
            Self::Priority => "PRIORITY",
            Self::Mixed => "MIXED",
        }
    }
}

impl fmt::Display for TopicType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A bit set: 4 read, 2 write (T2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(u8);

impl Permission {
    pub const READ_WRITE: Self = Self(6);
    pub const READ_ONLY: Self = Self(4);
    pub const WRITE_ONLY: Self = Self(2);
    pub const NONE: Self = Self(0);

    pub const fn reads(self) -> bool {
        self.0 & 4 != 0
    }

    pub const fn writes(self) -> bool {
        self.0 & 2 != 0
    }
}

impl Default for Permission {
    fn default() -> Self {
        Self::READ_WRITE
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let r = if self.reads() { 'R' } else { '-' };
        let w = if self.writes() { 'W' } else { '-' };
        write!(f, "{r}{w}-")
    }
}

/// Queue count of a topic whose definition does not say (T3).
pub const DEFAULT_QUEUES: u32 = 8;
/// Most queues a topic may have.
pub const MAX_QUEUES: u32 = 1024;

/// A topic as its owner defined it (T1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDefinition {
    pub name: TopicName,
    pub topic_type: TopicType,
    /// Queues that can be read; at least `write_queues` unless it is shrinking (T3). 1-1024.
    pub read_queues: u32,
    /// Queues that take new messages. 1-1024.
    pub write_queues: u32,
    pub permission: Permission,
    /// How long messages stay; `None` inherits the instance's.
    pub retention: Option<Duration>,
    /// Messages per second taken before senders are throttled (N19); `None` is unlimited.
    pub max_send_tps: Option<u32>,
    pub remark: String,
    /// Made by the first send or subscription rather than by a person (T8).
    pub auto: bool,
    pub created_at: Timestamp,
}

impl TopicDefinition {
    pub fn new(name: TopicName, topic_type: TopicType, queues: u32, now: Timestamp) -> Self {
        Self {
            name,
            topic_type,
            read_queues: queues,
            write_queues: queues,
            permission: Permission::READ_WRITE,
            retention: None,
            max_send_tps: None,
            remark: String::new(),
            auto: false,
            created_at: now,
        }
    }
}
