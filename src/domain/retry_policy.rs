//! When a failed delivery comes back, or that it never does; pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Delays before retry 1..=16, in seconds; later ones repeat the last (section 7.3 of the rules, D11).
pub const DOCUMENTED_SECONDS: [u64; 16] = [
    10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
];

/// The raw 18 level list that 5.x gRPC clients index by attempt (D11).
pub const GRPC_RAW_SECONDS: [u64; 18] = [
    1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
];

/// Retries after which a message is dead, unless the group says otherwise (G2).
pub const DEFAULT_MAX_RETRIES: u32 = 16;
/// Most retries a group may ask for (G2).
pub const MAX_RETRIES: u32 = 1000;

/// How a consumer group spaces its retries (G2, D11, D12, D13).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryPolicy {
    /// The documented table.
    #[default]
    Documented,
    /// The raw list, as 5.x gRPC clients read it.
    GrpcRaw,
    /// Initial delay doubled each time up to a maximum (D12).
    Exponential { initial: Duration, max: Duration },
    /// A constant interval; the policy of orderly groups (D13).
    Fixed(Duration),
}

/// What becomes of a message whose delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextDelivery {
    /// Deliver again after this delay.
    After(Duration),
    /// Retries are used up: it is a dead letter.
    Dead,
}

impl RetryPolicy {
    /// Interval of orderly groups whose definition does not say (D13).
    pub const ORDERLY_DEFAULT: Self = Self::Fixed(Duration::from_secs(3));

    /// Delay before retry `retry`, counted from 1.
    pub fn delay(&self, retry: u32) -> Duration {
        let at = |table: &[u64]| {
            let index = (retry.max(1) as usize - 1).min(table.len() - 1);
            Duration::from_secs(table.get(index).copied().unwrap_or(7200))
        };
        match self {
            Self::Documented => at(&DOCUMENTED_SECONDS),
            Self::GrpcRaw => at(&GRPC_RAW_SECONDS),
            Self::Exponential { initial, max } => {
                let exponent = (retry.max(1) - 1).min(31);
                initial.saturating_mul(1 << exponent).min(*max)
            }
            Self::Fixed(interval) => *interval,
        }
    }

    /// Decides after delivery `attempt` (from 1) failed: deliveries = `max_retries` + 1 (G3).
    pub fn after_failure(&self, attempt: u32, max_retries: u32) -> NextDelivery {
        if attempt > max_retries {
            NextDelivery::Dead
        } else {
            NextDelivery::After(self.delay(attempt))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_documented_delays_sum_to_17140_seconds_d11() {
        let sum: u64 = (1..=16)
            .map(|retry| RetryPolicy::Documented.delay(retry).as_secs())
            .sum();
        assert_eq!(sum, 17_140);
        assert_eq!(RetryPolicy::Documented.delay(99).as_secs(), 7200);
    }

    #[test]
    fn three_retries_are_four_deliveries_g3() {
        let policy = RetryPolicy::Documented;
        assert_eq!(
            policy.after_failure(3, 3),
            NextDelivery::After(Duration::from_secs(60))
        );
        assert_eq!(policy.after_failure(4, 3), NextDelivery::Dead);
        assert_eq!(policy.after_failure(1, 0), NextDelivery::Dead);
    }

    #[test]
    fn exponential_doubles_from_five_seconds_to_two_hours_d12() {
        let policy = RetryPolicy::Exponential {
            initial: Duration::from_secs(5),
            max: Duration::from_secs(7200),
        };
        let seconds: Vec<u64> = (1..=12).map(|n| policy.delay(n).as_secs()).collect();
        assert_eq!(
            seconds,
            [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 7200]
        );
    }
}
