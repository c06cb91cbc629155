//! An instance: the namespace that owns topics, groups, messages and an endpoint (I1).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;

/// How long messages stay unless the topic says otherwise (N18).
pub const DEFAULT_RETENTION: Duration = Duration::from_secs(72 * 3600);
/// Longest delay of a DELAY message (N16, L2).
pub const MAX_DELAY: Duration = Duration::from_secs(40 * 24 * 3600);

/// An instance as its owner defined it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceDefinition {
    pub id: InstanceId,
    /// 1-128 characters (N2).
    pub name: String,
    /// Region id stamped on messages, such as `ap-southeast-5`.
    pub region: String,
    /// Address the endpoint asks for; `None` takes the next free port from 8081 and keeps it.
    pub listen: Option<String>,
    /// False: no endpoint at all.
    pub listens: bool,
    /// Missing topics and groups are made on first use (T8, G5).
    pub auto_create: bool,
    pub retention: Duration,
    /// Messages per second, split by `send_receive_ratio` (N19); `None` is unlimited.
    pub max_tps: Option<u32>,
    /// Share of `max_tps` for sending, 0-1 (N19).
    pub send_receive_ratio: f64,
    /// Bytes of messages kept before senders are refused; `None` is unlimited.
    pub max_bytes: Option<u64>,
    pub remark: String,
    pub created_at: Timestamp,
}

impl InstanceDefinition {
    pub fn new(id: InstanceId, name: String, region: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            region,
            listen: None,
            listens: true,
            auto_create: true,
            retention: DEFAULT_RETENTION,
            max_tps: None,
            send_receive_ratio: 0.5,
            max_bytes: None,
            remark: String::new(),
            created_at: now,
        }
    }

    /// The cluster name clients see (N1, S-7).
    pub fn cluster_name(&self) -> String {
        format!("rocketmq-broker-{}", self.id)
    }
}
