//! Why a trigger runs nothing now, in a sentence a person can act on.

use crate::cluster::Cluster;
use crate::cluster::admin::QueueProgress;
use crate::control::functions::{FunctionRow, FunctionState};
use crate::domain::trigger::{TriggerDefinition, TriggerState};
use crate::trigger::status::Snapshot;

/// Offsets of a trigger's group on its topic, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub ready: u64,
    pub in_flight: u64,
    /// Messages before the next one to consume.
    pub passed: u64,
}

impl Progress {
    pub(super) async fn of(definition: &TriggerDefinition, cluster: &Cluster) -> Self {
        let topics = cluster.admin.progress(definition.group.clone()).await;
        let topics = topics.unwrap_or_default();
        let queues = topics
            .iter()
            .filter(|progress| progress.topic == definition.topic)
            .flat_map(|progress| &progress.queues);
        queues.fold(Self::default(), Self::plus)
    }

    fn plus(self, queue: &QueueProgress) -> Self {
        Self {
            ready: self.ready + queue.ready,
            in_flight: self.in_flight + queue.in_flight,
            passed: self.passed + queue.committed.saturating_sub(queue.min_offset),
        }
    }
}

/// What the sentence is found from.
pub(super) struct Evidence<'a> {
    pub definition: &'a TriggerDefinition,
    pub snapshot: &'a Snapshot,
    pub function: Option<&'a FunctionRow>,
    pub progress: Progress,
    /// Messages passed when the trigger started in this process.
    pub passed_at_start: u64,
}

impl Evidence<'_> {
    /// `None` while something runs, or has run and nothing is left to do.
    pub(super) fn why_idle(&self) -> Option<String> {
        match &self.snapshot.state {
            TriggerState::Starting => return Some("starting".to_owned()),
            TriggerState::Paused => return Some("paused".to_owned()),
            TriggerState::Ready { error } => {
                return Some(format!("stopped before a batch that failed: {error}"));
            }
            TriggerState::StartFailed { error } => return Some(format!("cannot start: {error}")),
            TriggerState::Retrying {
                attempt,
                due,
                error,
            } if self.snapshot.in_work == 0 => {
                return Some(format!("attempt {attempt} waits until {due}: {error}"));
            }
            TriggerState::Retrying { .. } | TriggerState::Running => {}
        }
        self.function_in_the_way().or_else(|| self.nothing_came())
    }

    fn function_in_the_way(&self) -> Option<String> {
        let name = &self.definition.function;
        let Some(function) = self.function else {
            return Some(format!("function `{name}` does not exist"));
        };
        match &function.state {
            FunctionState::StartFailing { until, reason } => Some(format!(
                "function `{name}` is failing to start: {reason}; next try at {until}"
            )),
            FunctionState::Broken { reason, .. } => {
                Some(format!("function `{name}` cannot run: {reason}"))
            }
            FunctionState::Idle | FunctionState::Running => {
                let full = function.busy >= function.definition.max_instances;
                // As many busy instances as batches in work are busy with those.
                let with_others = function.busy > self.snapshot.in_work;
                let waits = self.snapshot.in_work > 0 && full && with_others;
                waits.then(|| format!("all {} instances of `{name}` are busy", function.busy))
            }
        }
    }

    fn nothing_came(&self) -> Option<String> {
        let started = self.snapshot.counters.messages > 0;
        if started || self.progress.ready + self.progress.in_flight > 0 {
            return None;
        }
        let since_start = self.progress.passed.saturating_sub(self.passed_at_start);
        if since_start > 0 && !self.definition.filter.is_all() {
            return Some(format!(
                "the filter ({}) matched 0 of {since_start} messages",
                self.definition.filter
            ));
        }
        match self.passed_at_start {
            0 => Some("no message yet".to_owned()),
            before => Some(format!(
                "no message since it started; {before} earlier ones lie before its offset"
            )),
        }
    }
}
