//! When a failed batch is tried again (TR-23); pure.

use std::time::Duration;

use crate::domain::trigger::TriggerRetry;

/// Retries of [`TriggerRetry::Backoff`].
const BACKOFF_RETRIES: u32 = 3;
/// Retries of [`TriggerRetry::ExponentialDecay`].
const DECAY_RETRIES: u32 = 176;
/// Longest wait of [`TriggerRetry::ExponentialDecay`], in seconds.
const DECAY_CEILING: u64 = 512;

/// The wait before the next attempt after attempt `failed` (from 1) failed; `None` when retries are used up. `random`
/// is any number; it spreads the waits of [`TriggerRetry::Backoff`] over 10-20 s.
pub fn wait_after(retry: TriggerRetry, failed: u32, random: u64) -> Option<Duration> {
    let retry_number = failed.max(1);
    match retry {
        TriggerRetry::Backoff => (retry_number <= BACKOFF_RETRIES)
            .then(|| Duration::from_millis(10_000 + random % 10_001)),
        TriggerRetry::ExponentialDecay => (retry_number <= DECAY_RETRIES).then(|| {
            let doubled = 1_u64 << (retry_number - 1).min(9);
            Duration::from_secs(doubled.min(DECAY_CEILING))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_retries_three_times_within_ten_to_twenty_seconds_tr23() {
        for random in [0, 1, 10_000, 10_001, u64::MAX] {
            let wait = wait_after(TriggerRetry::Backoff, 3, random).unwrap();
            assert!((10_000..=20_000).contains(&wait.as_millis()), "{wait:?}");
        }
        assert_eq!(wait_after(TriggerRetry::Backoff, 4, 0), None);
    }

    #[test]
    fn exponential_decay_waits_86015_seconds_in_176_retries_tr23() {
        let waits: Vec<u64> = (1..)
            .map_while(|failed| wait_after(TriggerRetry::ExponentialDecay, failed, 0))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits.len(), 176);
        assert_eq!(&waits[..11], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512]);
        assert_eq!(waits.iter().sum::<u64>(), 86_015);
    }
}
