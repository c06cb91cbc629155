//! Rows of functions and their invocations.

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::{grouped, or_dash};
use crate::control::functions::{FunctionRow, FunctionState};
use crate::domain::function::{InvocationRecord, LATEST, Runtime};
use crate::domain::names::FunctionName;
use crate::domain::timestamp::Timestamp;

/// A function; values of its environment stay in the process, their names are shown.
#[derive(Debug, Serialize)]
pub struct FunctionView {
    pub name: FunctionName,
    pub runtime: Runtime,
    pub state: FunctionState,
    pub code: String,
    pub handler: String,
    pub timeout: u32,
    pub memory: u32,
    /// Kept of the cloud's settings, and nothing here.
    pub not_enforced: String,
    pub environment: Vec<String>,
    pub instances: u32,
    pub busy: u32,
    pub invocations: u64,
    pub errors: u64,
    pub log_lines_dropped: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Accepted events not done with; those that wait for their next try.
    pub accepted: u32,
    pub retrying: u32,
    pub given_up: u64,
    pub last_error: Option<String>,
    pub last_invoked_at: Option<Timestamp>,
}

impl FunctionView {
    pub fn new(row: &FunctionRow) -> Self {
        let definition = &row.definition;
        Self {
            name: definition.name.clone(),
            runtime: definition.runtime,
            state: row.state.clone(),
            code: definition.code.display().to_string(),
            handler: definition.handler.clone(),
            timeout: definition.timeout,
            memory: definition.memory,
            not_enforced: definition.not_enforced(),
            environment: definition.environment.keys().cloned().collect(),
            instances: row.instances,
            busy: row.busy,
            invocations: row.invocations_total,
            errors: row.errors_total,
            log_lines_dropped: row.log_lines_dropped,
            p50_ms: row.p50_ms,
            p99_ms: row.p99_ms,
            accepted: row.accepted,
            retrying: row.retrying,
            given_up: row.given_up_total,
            last_error: row.last_error.clone(),
            last_invoked_at: row.last_invoked_at,
        }
    }

    /// How many events wait to be run later.
    fn accepted(&self) -> String {
        let total = grouped(u64::from(self.accepted));
        match self.retrying {
            0 => total,
            retrying => format!("{total} ({retrying} retrying)"),
        }
    }

    fn limits(&self) -> String {
        let limits = format!("{} s, {} MB", self.timeout, self.memory);
        match self.not_enforced.as_str() {
            "" => limits,
            more => format!("{limits}; {more}"),
        }
    }

    fn state(&self) -> String {
        match &self.state {
            FunctionState::Idle => "idle".to_owned(),
            FunctionState::Running => "running".to_owned(),
            FunctionState::StartFailing { until, reason } => {
                format!("start failing until {until}: {reason}")
            }
            FunctionState::Broken { reason, hint } => match hint {
                Some(hint) => format!("broken: {reason}; {hint}"),
                None => format!("broken: {reason}"),
            },
        }
    }
}

impl Row for FunctionView {
    const COLUMNS: &'static [Column] = &[
        left("NAME"),
        left("RUNTIME"),
        left("STATE"),
        right("INSTANCES"),
        right("BUSY"),
        right("INVOCATIONS"),
        right("ERRORS"),
        right("ACCEPTED"),
        right("P50 MS"),
        right("P99 MS"),
        left("HANDLER"),
        left("LIMITS"),
        left("CODE"),
        left("LAST ERROR"),
    ];

    fn cells(&self) -> Vec<String> {
        let millis = |value: Option<f64>| or_dash(value.map(|ms| format!("{ms:.2}")).as_ref());
        vec![
            self.name.to_string(),
            self.runtime.as_str().to_owned(),
            self.state(),
            self.instances.to_string(),
            self.busy.to_string(),
            grouped(self.invocations),
            grouped(self.errors),
            self.accepted(),
            millis(self.p50_ms),
            millis(self.p99_ms),
            self.handler.clone(),
            self.limits(),
            self.code.clone(),
            or_dash(self.last_error.as_ref()),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct InvocationView {
    #[serde(flatten)]
    record: InvocationRecord,
    qualifier: &'static str,
    version_id: &'static str,
}

impl InvocationView {
    pub fn new(record: &InvocationRecord) -> Self {
        Self {
            record: record.clone(),
            qualifier: LATEST,
            version_id: LATEST,
        }
    }
}

impl Row for InvocationView {
    const COLUMNS: &'static [Column] = &[
        left("STARTED"),
        left("REQUEST"),
        left("TRIGGER"),
        right("ATTEMPT"),
        right("MS"),
        left("COLD"),
        right("MB"),
        left("OUTCOME"),
    ];

    fn cells(&self) -> Vec<String> {
        let record = &self.record;
        let outcome = match (&record.error, &record.error_message) {
            (None, _) => "ok".to_owned(),
            (Some(class), None) => class.as_str().to_owned(),
            (Some(class), Some(message)) => format!("{}: {message}", class.as_str()),
        };
        vec![
            record.started_at.to_string(),
            record.request_id.to_string(),
            or_dash(record.trigger.as_ref()),
            record.attempt.to_string(),
            format!("{:.2}", record.duration_ms),
            if record.cold_start { "cold" } else { "" }.to_owned(),
            format!("{:.1}", record.peak_memory_mb),
            outcome,
        ]
    }
}
