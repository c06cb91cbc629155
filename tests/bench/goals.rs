//! What the program is to reach on a quiet machine with two cores and a fast disk, beside what it reached.
#![allow(dead_code, reason = "each bench uses its part")]

use moonport::cli::bench::measure::Measured;
use moonport::cli::output::{Column, Output, Row, left, right};
use serde::Serialize;

/// One figure and its bound.
#[derive(Serialize)]
pub(crate) struct Goal {
    what: &'static str,
    measured: f64,
    unit: &'static str,
    bound: f64,
    /// A rate to reach; else a cost to stay under.
    is_floor: bool,
}

impl Goal {
    pub(crate) fn at_most(
        what: &'static str,
        measured: f64,
        bound: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            what,
            measured,
            unit,
            bound,
            is_floor: false,
        }
    }

    pub(crate) fn at_least(
        what: &'static str,
        measured: f64,
        bound: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            is_floor: true,
            ..Self::at_most(what, measured, bound, unit)
        }
    }

    fn is_met(&self) -> bool {
        if self.is_floor {
            self.measured >= self.bound
        } else {
            self.measured <= self.bound
        }
    }
}

impl Row for Goal {
    const COLUMNS: &'static [Column] = &[
        left("GOAL"),
        right("MEASURED"),
        right("BOUND"),
        left("UNIT"),
        left(""),
    ];

    fn cells(&self) -> Vec<String> {
        let figure = |value: f64| match value {
            1000.0.. => format!("{value:.0}"),
            _ => format!("{value:.2}"),
        };
        let sign = if self.is_floor { ">=" } else { "<=" };
        vec![
            self.what.to_owned(),
            figure(self.measured),
            format!("{sign} {}", figure(self.bound)),
            self.unit.to_owned(),
            if self.is_met() { "met" } else { "MISSED" }.to_owned(),
        ]
    }
}

/// Prints the loads, each as a share of the reference among them, and the goals.
pub(crate) fn print(mut rows: Vec<Measured>, goals: &[Goal]) {
    let reference = rows.iter().find(|row| row.is_reference);
    if let Some(reference) = reference.map(|row| row.per_second) {
        for row in &mut rows {
            row.of_reference = Some(row.per_second / reference);
        }
    }
    let out = Output::stdout(false);
    out.list(&rows).ok();
    out.line("").ok();
    out.list(goals).ok();
}

/// Bytes of memory a process has in RAM, in MB.
pub(crate) fn resident(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|n| n.parse().ok());
    pages.unwrap_or(0.0) * 4096.0 / 1_000_000.0
}

/// Empties the page cache of the machine, where the user may.
pub(crate) fn drop_page_cache() -> &'static str {
    // What is not on disk yet stays cached.
    let synced = std::process::Command::new("sync").status();
    match synced.and_then(|_| std::fs::write("/proc/sys/vm/drop_caches", "1")) {
        Ok(()) => "page cache dropped",
        Err(_) => "page cache warm: dropping it needs root",
    }
}
