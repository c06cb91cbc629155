//! Messages per second: a bucket of tokens for each limited thing (N19, E1). Quotas follow real time.

use std::collections::HashMap;
use std::time::Instant;

use crate::cluster::error::ClusterError;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::{GroupName, TopicName};

#[derive(Debug, Default)]
pub(in crate::broker) struct Quotas(HashMap<Limited, Bucket>);

/// A thing with a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::broker) enum Limited {
    InstanceSend,
    InstanceReceive,
    Topic(TopicName),
    Group(GroupName),
}

impl Limited {
    fn name(&self) -> String {
        match self {
            Self::InstanceSend => "sending to the instance".to_owned(),
            Self::InstanceReceive => "receiving from the instance".to_owned(),
            Self::Topic(topic) => format!("topic `{topic}`"),
            Self::Group(group) => format!("group `{group}`"),
        }
    }
}

/// A full bucket holds what one second allows.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Quotas {
    /// Takes one token where there is a limit.
    pub(in crate::broker) fn take_one(
        &mut self,
        what: Limited,
        limit: Option<u32>,
        now: Instant,
    ) -> Result<(), ClusterError> {
        let taken = self.available(&what, limit, now, 1)?;
        self.spend(what, limit, taken);
        Ok(())
    }

    /// How many of `wanted` messages the limit lets through now; none is an error.
    pub(in crate::broker) fn available(
        &mut self,
        what: &Limited,
        limit: Option<u32>,
        now: Instant,
        wanted: usize,
    ) -> Result<usize, ClusterError> {
        let Some(limit) = limit else {
            return Ok(wanted);
        };
        let full = f64::from(limit);
        let bucket = self.0.entry(what.clone()).or_insert(Bucket {
            tokens: full,
            filled_at: now,
        });
        let passed = now.saturating_duration_since(bucket.filled_at);
        bucket.tokens = (bucket.tokens + full * passed.as_secs_f64()).min(full);
        bucket.filled_at = now;
        match (bucket.tokens as usize).min(wanted) {
            0 => Err(ClusterError::Throttled {
                what: what.name(),
                limit,
            }),
            allowed => Ok(allowed),
        }
    }

    /// Takes tokens that [`Self::available`] offered.
    pub(in crate::broker) fn spend(&mut self, what: Limited, limit: Option<u32>, count: usize) {
        if limit.is_some()
            && let Some(bucket) = self.0.get_mut(&what)
        {
            bucket.tokens -= count as f64;
        }
    }
}

/// The instance's limits for sending and for receiving (N19).
pub(in crate::broker) fn shares(instance: &InstanceDefinition) -> (Option<u32>, Option<u32>) {
    let Some(total) = instance.max_tps else {
        return (None, None);
    };
    let ratio = instance.send_receive_ratio.clamp(0.0, 1.0);
    let send = (f64::from(total) * ratio).round() as u32;
    (Some(send), Some(total - send.min(total)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_limit_lets_one_second_through_and_refills_n19() {
        let mut quotas = Quotas::default();
        let start = crate::clock::RealClock::manual().now();
        let mut take = |after: u64| {
            quotas.take_one(
                Limited::InstanceSend,
                Some(2),
                start + Duration::from_millis(after),
            )
        };
        assert!(take(0).is_ok() && take(0).is_ok());
        assert!(matches!(
            take(0),
            Err(ClusterError::Throttled { limit: 2, .. })
        ));
        assert!(take(500).is_ok());
        assert!(take(500).is_err());
    }

    #[test]
    fn the_instance_limit_is_split_by_its_ratio_n19() {
        use crate::domain::names::InstanceId;
        use crate::domain::timestamp::Timestamp;
        let id = InstanceId::new("rmq-a").unwrap();
        let mut instance =
            InstanceDefinition::new(id, "a".to_owned(), "r".to_owned(), Timestamp::EPOCH);
        assert_eq!(shares(&instance), (None, None));
        instance.max_tps = Some(1000);
        instance.send_receive_ratio = 0.3;
        assert_eq!(shares(&instance), (Some(300), Some(700)));
    }
}
