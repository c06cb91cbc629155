//! What the functions pane shows of a function's past invocations.

use std::collections::VecDeque;

use crate::domain::function::InvocationRecord;
use crate::domain::timestamp::Timestamp;

/// Invocations that percentiles are taken over.
const WINDOW: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) invocations: u64,
    pub(super) errors: u64,
    pub(super) log_lines_dropped: u64,
    pub(super) last_error: Option<String>,
    pub(super) last_invoked_at: Option<Timestamp>,
    durations: VecDeque<f64>,
}

impl Statistics {
    pub(super) fn count(&mut self, record: &InvocationRecord) {
        self.invocations += 1;
        self.log_lines_dropped += record.log_lines_dropped;
        self.last_invoked_at = Some(record.started_at);
        if let Some(class) = record.error {
            self.errors += 1;
            let message = record.error_message.clone();
            self.last_error = Some(message.unwrap_or_else(|| class.as_str().to_owned()));
        }
        if self.durations.len() == WINDOW {
            self.durations.pop_front();
        }
        self.durations.push_back(record.duration_ms);
    }

    /// The duration that `share` of the last invocations stayed within, in milliseconds; `share` is 0 to 1.
    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        let mut sorted: Vec<f64> = self.durations.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_last_invocations() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.percentile(0.5), None);
        statistics.durations.extend((1..=100).map(f64::from));
        assert_eq!(statistics.percentile(0.5), Some(50.0));
        assert_eq!(statistics.percentile(0.99), Some(99.0));
    }
}
