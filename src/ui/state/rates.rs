//! What went by in the last ten minutes, a value a second, worked out from counters.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::ui::state::overview::Overview;

/// Seconds kept.
pub const KEPT: usize = 600;

/// What is measured; names are those of the row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    In,
    Out,
    Failed,
    Lag,
    TopicIn(String),
    TopicLag(String),
    GroupOut(String),
    GroupLag(String),
    FunctionRuns(String),
    FunctionErrors(String),
    FunctionP99(String),
    TriggerRuns(String),
    TriggerFailed(String),
    TriggerLag(String),
}

/// Values a second, newest last; not-a-number where nothing was measured.
#[derive(Debug, Clone, Default)]
struct Series {
    values: VecDeque<f32>,
    /// The counter at the last sample.
    last: Option<u64>,
}

impl Series {
    fn push(&mut self, value: Option<f64>, cells: usize) {
        for _ in 0..cells.clamp(1, KEPT) {
            if self.values.len() == KEPT {
                self.values.pop_front();
            }
            self.values
                .push_back(value.map_or(f32::NAN, |value| value as f32));
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Rates {
    series: HashMap<Measure, Series>,
    sampled_at: Option<Duration>,
    seen: HashSet<Measure>,
}

impl Rates {
    /// Takes a sample when a second has passed since the last.
    pub fn sample(&mut self, overview: &Overview) {
        let passed = match self.sampled_at {
            None => None,
            Some(at) => {
                let passed = overview.at.saturating_sub(at);
                if passed < Duration::from_millis(900) {
                    return;
                }
                Some(passed)
            }
        };
        self.sampled_at = Some(overview.at);
        self.seen.clear();
        self.sample_instance(overview, passed);
        self.sample_rows(overview, passed);
        let seen = std::mem::take(&mut self.seen);
        self.series.retain(|measure, _| seen.contains(measure));
    }

    fn sample_instance(&mut self, overview: &Overview, passed: Option<Duration>) {
        let counters = overview.counters();
        self.counter(Measure::In, counters.stored_total, passed);
        self.counter(Measure::Out, counters.acked_total, passed);
        self.counter(
            Measure::Failed,
            counters.retried_total + counters.dead_total,
            passed,
        );
        self.gauge(
            Measure::Lag,
            Some((counters.ready + counters.in_flight) as f64),
            passed,
        );
    }

    fn sample_rows(&mut self, overview: &Overview, passed: Option<Duration>) {
        for row in &overview.topics.rows {
            let name = row.definition.name.to_string();
            self.counter(Measure::TopicIn(name.clone()), row.stored_total, passed);
            let lag = overview.lag_of_topic(&row.definition.name);
            self.gauge(Measure::TopicLag(name), Some(lag as f64), passed);
        }
        for row in &overview.groups.rows {
            let name = row.definition.name.to_string();
            self.counter(Measure::GroupOut(name.clone()), row.consumed_total, passed);
            self.gauge(Measure::GroupLag(name), Some(row.lag() as f64), passed);
        }
        for row in &overview.functions.rows {
            let name = row.definition.name.to_string();
            self.counter(
                Measure::FunctionRuns(name.clone()),
                row.invocations_total,
                passed,
            );
            self.counter(
                Measure::FunctionErrors(name.clone()),
                row.errors_total,
                passed,
            );
            self.gauge(Measure::FunctionP99(name), row.p99_ms, passed);
        }
        for row in &overview.triggers.rows {
            let name = row.definition.name.to_string();
            self.counter(
                Measure::TriggerRuns(name.clone()),
                row.invoked_total,
                passed,
            );
            self.counter(
                Measure::TriggerFailed(name.clone()),
                row.failed_total,
                passed,
            );
            self.gauge(Measure::TriggerLag(name), Some(row.lag as f64), passed);
        }
    }

    fn counter(&mut self, measure: Measure, total: u64, passed: Option<Duration>) {
        self.seen.insert(measure.clone());
        let series = self.series.entry(measure).or_default();
        let rate = match (series.last, passed) {
            // A counter that fell belongs to a process that started anew.
            (Some(last), Some(passed)) if total >= last => {
                Some((total - last) as f64 / passed.as_secs_f64())
            }
            _ => None,
        };
        series.last = Some(total);
        series.push(rate, cells(passed));
    }

    fn gauge(&mut self, measure: Measure, value: Option<f64>, passed: Option<Duration>) {
        self.seen.insert(measure.clone());
        self.series
            .entry(measure)
            .or_default()
            .push(value, cells(passed));
    }

    /// The newest value.
    pub fn now(&self, measure: &Measure) -> Option<f64> {
        let value = *self.series.get(measure)?.values.back()?;
        (!value.is_nan()).then_some(f64::from(value))
    }

    /// The last `seconds` values, oldest first, padded with gaps.
    pub fn last(&self, measure: &Measure, seconds: usize) -> Vec<Option<f64>> {
        let mut out = vec![None; seconds];
        if let Some(series) = self.series.get(measure) {
            let newest = series.values.iter().rev();
            for (slot, value) in out.iter_mut().rev().zip(newest) {
                *slot = (!value.is_nan()).then_some(f64::from(*value));
            }
        }
        out
    }

    /// The last `cells` stretches of `seconds` each, as the mean of what was measured.
    pub fn means(&self, measure: &Measure, cells: usize, seconds: usize) -> Vec<Option<f64>> {
        self.last(measure, cells * seconds)
            .chunks(seconds.max(1))
            .map(|chunk| {
                let known: Vec<f64> = chunk.iter().flatten().copied().collect();
                (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
            })
            .collect()
    }
}

fn cells(passed: Option<Duration>) -> usize {
    passed.map_or(1, |passed| passed.as_secs_f64().round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::admin::InstanceStatistics;
    use crate::domain::names::InstanceId;

    fn overview(at_ms: u64, stored: u64) -> Overview {
        let id = InstanceId::new("i").unwrap();
        let statistics = InstanceStatistics {
            stored_total: stored,
            ..InstanceStatistics::default()
        };
        Overview {
            at: Duration::from_millis(at_ms),
            instance: Some(id.clone()),
            statistics: [(id, statistics)].into(),
            ..Overview::default()
        }
    }

    #[test]
    fn rates_are_differences_over_time_and_gaps_stay_gaps() {
        let mut rates = Rates::default();
        rates.sample(&overview(0, 100));
        assert_eq!(rates.now(&Measure::In), None);
        rates.sample(&overview(500, 110));
        rates.sample(&overview(1000, 142));
        assert_eq!(rates.now(&Measure::In), Some(42.0));
        rates.sample(&overview(3000, 142));
        assert_eq!(
            rates.last(&Measure::In, 4),
            [None, Some(42.0), Some(0.0), Some(0.0)]
        );
        rates.sample(&overview(4000, 7));
        assert_eq!(rates.now(&Measure::In), None, "the counter began anew");
    }
}
