//! What a run of load measured.

use std::time::Duration;

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::grouped;

/// Latencies of a run, in microseconds: four bytes each, so percentiles are exact.
#[derive(Debug, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn record(&mut self, latency: Duration) {
        self.0
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Milliseconds below which `share` (0-1) of the latencies lie; 0 without any.
    fn percentile(sorted: &[u32], share: f64) -> f64 {
        let at = (sorted.len() as f64 * share).ceil() as usize;
        let micros = sorted.get(at.saturating_sub(1)).copied().unwrap_or(0);
        f64::from(micros) / 1000.0
    }

    /// Ends a run of `messages` over `span`.
    pub fn measured(mut self, name: &'static str, messages: u64, span: Duration) -> Measured {
        self.0.sort_unstable();
        let percentile = |share| Self::percentile(&self.0, share);
        Measured {
            name,
            messages,
            seconds: span.as_secs_f64(),
            per_second: messages as f64 / span.as_secs_f64().max(f64::EPSILON),
            p50_ms: percentile(0.5),
            p90_ms: percentile(0.9),
            p99_ms: percentile(0.99),
            p999_ms: percentile(0.999),
            max_ms: percentile(1.0),
            is_reference: false,
            of_reference: None,
        }
    }
}

/// A row of the report. Latencies are milliseconds of one operation.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    pub name: &'static str,
    pub messages: u64,
    pub seconds: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
    /// The plain write-ahead file that rates are compared with.
    #[serde(skip)]
    pub is_reference: bool,
    /// Rate as a share of the plain write-ahead file's in the same run.
    pub of_reference: Option<f64>,
}

impl Row for Measured {
    const COLUMNS: &'static [Column] = &[
        left("LOAD"),
        right("MESSAGES"),
        right("SECONDS"),
        right("MSG/S"),
        right("P50 MS"),
        right("P90 MS"),
        right("P99 MS"),
        right("P99.9 MS"),
        right("MAX MS"),
        right("OF PLAIN FILE"),
    ];

    fn cells(&self) -> Vec<String> {
        let ms = |value: f64| format!("{value:.3}");
        vec![
            self.name.to_owned(),
            grouped(self.messages),
            format!("{:.2}", self.seconds),
            grouped(self.per_second as u64),
            ms(self.p50_ms),
            ms(self.p90_ms),
            ms(self.p99_ms),
            ms(self.p999_ms),
            ms(self.max_ms),
            self.of_reference
                .map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact() {
        let mut latencies = Latencies::default();
        for micros in (1..=1000).rev() {
            latencies.record(Duration::from_micros(micros));
        }
        let measured = latencies.measured("x", 1000, Duration::from_secs(2));
        let row = (
            measured.p50_ms,
            measured.p99_ms,
            measured.p999_ms,
            measured.max_ms,
        );
        assert_eq!(row, (0.5, 0.99, 0.999, 1.0));
        assert!((measured.per_second - 500.0).abs() < 1e-9);
    }
}
