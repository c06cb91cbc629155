//! Receipt handles: what a consumer shows to settle a delivery.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::names::{GroupName, TopicName};
use crate::domain::timestamp::Timestamp;

/// One delivery of one message to one group. It carries the whole lease, so an ack is good even when the lease record was lost in a crash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReceiptHandle {
    pub group: GroupName,
    pub topic: TopicName,
    pub queue: u32,
    pub offset: u64,
    /// Which delivery, from 1.
    pub attempt: u32,
    /// Rises with each lease of this message; the highest one is live, others are superseded (D4).
    pub lease: u64,
    /// Broker time at which the lease runs out unless renewed.
    pub deadline: Timestamp,
}

/// A receipt handle text that is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the receipt handle is not one this broker made")]
pub struct BadReceiptHandle;

impl ReceiptHandle {
    /// Opaque text for the wire; [`ReceiptHandle::parse`] reads it back.
    pub fn encode(&self) -> String {
        let parts = (
            self.topic.as_str(),
            self.group.as_str(),
            self.queue,
            self.offset,
            self.attempt,
            self.lease,
            self.deadline.as_millis(),
        );
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).unwrap_or_default())
    }

    pub fn parse(text: &str) -> Result<Self, BadReceiptHandle> {
        if text.len() > 1024 {
            return Err(BadReceiptHandle);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadReceiptHandle)?;
        let (topic, group, queue, offset, attempt, lease, deadline): (
            TopicName,
            GroupName,
            u32,
            u64,
            u32,
            u64,
            i64,
        ) = serde_json::from_slice(&bytes).map_err(|_| BadReceiptHandle)?;
        Ok(Self {
            group,
            topic,
            queue,
            offset,
            attempt,
            lease,
            deadline: Timestamp::from_millis(deadline),
        })
    }
}

impl fmt::Display for ReceiptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_encodes_and_refuses_the_rest() {
        let handle = ReceiptHandle {
            group: GroupName::new("g").unwrap(),
            topic: TopicName::new("t").unwrap(),
            queue: 3,
            offset: 17,
            attempt: 2,
            lease: 9,
            deadline: Timestamp::from_millis(60_000),
        };
        assert_eq!(ReceiptHandle::parse(&handle.encode()), Ok(handle));
        for text in ["", "%%%", "AAAA", &"A".repeat(2000)] {
            assert_eq!(ReceiptHandle::parse(text), Err(BadReceiptHandle));
        }
    }
}
