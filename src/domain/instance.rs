//! An instance: the namespace that owns topics, groups, messages and an endpoint (I1).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::names::{InstanceId, NameError};
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

impl InstanceId {
    /// The id of an instance that is known by its name only: `rmq-` and what of the name an id may hold.
    pub fn of_name(name: &str) -> Result<Self, NameError> {
        use std::fmt::Write as _;
        let mut slug = String::from("rmq-");
        for c in name.to_lowercase().chars().take(100) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.ends_with('-') {
                slug.push('-');
            }
        }
        if name.is_ascii() && slug.len() > 4 {
            slug.truncate(slug.trim_end_matches('-').len());
        } else {
            // Names in other scripts keep apart by a checksum of all their characters.
            let _ = write!(slug, "{:08x}", crc32fast::hash(name.as_bytes()));
        }
        Self::new(slug)
    }
}

impl InstanceDefinition {
    /// Region of an instance whose maker does not say: what an open source broker stamps on messages.
    pub const DEFAULT_REGION: &str = "DefaultRegion";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_names_and_names_in_other_scripts_keep_apart() {
        let id = |name: &str| InstanceId::of_name(name).unwrap();
        assert_eq!(id("My orders!").as_str(), "rmq-my-orders");
        assert_ne!(id("订单"), id("发票"));
    }
}
