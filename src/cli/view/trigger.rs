//! Rows of triggers.

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::{grouped, or_dash};
use crate::control::triggers::TriggerRow;
use crate::domain::names::{FunctionName, GroupName, TopicName, TriggerName};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerState;

#[derive(Debug, Serialize)]
pub struct TriggerView {
    pub name: TriggerName,
    pub function: FunctionName,
    pub topic: TopicName,
    pub group: GroupName,
    pub filter: String,
    #[serde(rename = "async")]
    pub asynchronous: bool,
    pub state: TriggerState,
    pub since: Timestamp,
    pub why_idle: Option<String>,
    pub lag: u64,
    pub in_work: u32,
    pub retrying: u32,
    pub next_attempt_at: Option<Timestamp>,
    pub invoked: u64,
    pub failed: u64,
    pub dead: u64,
    pub last_error: Option<String>,
}

impl TriggerView {
    pub fn new(row: &TriggerRow) -> Self {
        let definition = &row.definition;
        Self {
            name: definition.name.clone(),
            function: definition.function.clone(),
            topic: definition.topic.clone(),
            group: definition.group.clone(),
            filter: definition.filter.to_string(),
            asynchronous: definition.asynchronous,
            state: row.state.clone(),
            since: row.since,
            why_idle: row.why_idle.clone(),
            lag: row.lag,
            in_work: row.in_work,
            retrying: row.retrying,
            next_attempt_at: row.next_attempt_at,
            invoked: row.invoked_total,
            failed: row.failed_total,
            dead: row.dead_total,
            last_error: row.last_error.clone(),
        }
    }
}

impl Row for TriggerView {
    const COLUMNS: &'static [Column] = &[
        left("NAME"),
        left("TOPIC"),
        left("GROUP"),
        left("FUNCTION"),
        left("FILTER"),
        left("STATE"),
        right("LAG"),
        right("IN WORK"),
        right("RETRYING"),
        right("INVOKED"),
        right("FAILED"),
        right("DEAD"),
        left("NEXT ATTEMPT"),
        left("WHY IDLE"),
        left("LAST ERROR"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.topic.to_string(),
            self.group.to_string(),
            self.function.to_string(),
            self.filter.clone(),
            self.state.to_string(),
            grouped(self.lag),
            self.in_work.to_string(),
            self.retrying.to_string(),
            grouped(self.invoked),
            grouped(self.failed),
            grouped(self.dead),
            or_dash(self.next_attempt_at.as_ref()),
            or_dash(self.why_idle.as_ref()),
            or_dash(self.last_error.as_ref()),
        ]
    }
}
