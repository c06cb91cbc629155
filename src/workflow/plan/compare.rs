//! Compares what the file says with what is there, key by key.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use crate::control::instances::{AccessKeyRow, fingerprint};
use crate::domain::function::FunctionDefinition;
use crate::domain::group::GroupDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::TriggerDefinition;
use crate::workflow::error::{Problem, WorkflowError};
use crate::workflow::file::{AccessKeyDefinition, Placed, Workflow};
use crate::workflow::plan::{Change, Mark, Step, Subject, lines};
use crate::workflow::present::SetUp;

/// Collects steps.
pub(super) struct Planner {
    now: Timestamp,
    remove: bool,
    pub(super) steps: Vec<Step>,
    pub(super) unchanged: usize,
}

impl Planner {
    pub(super) fn new(now: Timestamp, remove: bool) -> Self {
        Self {
            now,
            remove,
            steps: Vec::new(),
            unchanged: 0,
        }
    }

    pub(super) fn instance(
        &mut self,
        wanted: &Placed<InstanceDefinition>,
        id: InstanceId,
        present: Option<&InstanceDefinition>,
    ) {
        let mut definition = wanted.value.clone();
        definition.id = id;
        definition.created_at = present.map_or(self.now, |present| present.created_at);
        if let Some(present) = present
            && definition.listens
            && definition.listen.is_none()
        {
            // The endpoint keeps the port it found.
            definition.listens = present.listens;
            definition.listen.clone_from(&present.listen);
        }
        let present = present.cloned().map(Subject::Instance);
        self.compare(
            Subject::Instance(definition),
            present,
            wanted.line,
            Path::new(""),
        );
    }

    pub(super) fn topics(&mut self, wanted: &[Placed<TopicDefinition>], there: &[TopicDefinition]) {
        for (topic, line) in lines(wanted) {
            let present = there.iter().find(|present| present.name == topic.name);
            let mut topic = topic.clone();
            topic.created_at = present.map_or(self.now, |present| present.created_at);
            let present = present.cloned().map(Subject::Topic);
            self.compare(Subject::Topic(topic), present, line, Path::new(""));
        }
    }

    pub(super) fn groups(&mut self, wanted: &[Placed<GroupDefinition>], there: &[GroupDefinition]) {
        for (group, line) in lines(wanted) {
            let present = there.iter().find(|present| present.name == group.name);
            let mut group = group.clone();
            group.created_at = present.map_or(self.now, |present| present.created_at);
            let present = present.cloned().map(Subject::Group);
            self.compare(Subject::Group(group), present, line, Path::new(""));
        }
    }

    pub(super) fn functions(
        &mut self,
        wanted: &[Placed<FunctionDefinition>],
        there: &[FunctionDefinition],
        folder: &Path,
        id: &InstanceId,
    ) {
        let subject = |function: &FunctionDefinition| Subject::Function(Box::new(function.clone()));
        for (function, line) in lines(wanted) {
            let present = there.iter().find(|present| present.name == function.name);
            let mut function = function.clone();
            function.asynchronous.move_to(id);
            self.compare(subject(&function), present.map(subject), line, folder);
        }
    }

    pub(super) fn triggers(
        &mut self,
        wanted: &[Placed<TriggerDefinition>],
        there: &[TriggerDefinition],
        id: &InstanceId,
    ) {
        let subject = |trigger: &TriggerDefinition| Subject::Trigger(Box::new(trigger.clone()));
        for (trigger, line) in lines(wanted) {
            let present = there.iter().find(|present| present.name == trigger.name);
            let mut trigger = trigger.clone();
            trigger.instance = id.clone();
            self.compare(subject(&trigger), present.map(subject), line, Path::new(""));
        }
    }

    /// A key that is there keeps no name of a variable, so its secret is compared by fingerprint.
    pub(super) fn access_keys(
        &mut self,
        workflow: &Workflow,
        there: &[AccessKeyRow],
    ) -> Result<(), WorkflowError> {
        for (key, line) in lines(&workflow.access_keys) {
            let secret = key.secret();
            let secret = secret.map_err(|problem| no_secret(workflow, line, &problem))?;
            let there = there.iter().find(|row| row.key == key.key);
            let present = there.map(|row| {
                Subject::AccessKey(AccessKeyDefinition {
                    grants: row.grants.clone(),
                    ..key.clone()
                })
            });
            let fresh = fingerprint(&secret);
            let kept = there.map_or(&fresh, |row| &row.fingerprint).clone();
            let secret_change = (kept != fresh).then(|| Change {
                key: "secret".to_owned(),
                from: Some(kept),
                to: Some(fresh),
            });
            let wanted = Subject::AccessKey(key.clone());
            self.compare_with(wanted, present, line, Path::new(""), secret_change);
        }
        Ok(())
    }

    /// Triggers go before anything is made, so that their groups are free for others.
    pub(super) fn gone_triggers(
        &mut self,
        wanted: &[Placed<TriggerDefinition>],
        there: &[TriggerDefinition],
    ) {
        for trigger in there {
            if !lines(wanted).any(|(row, _)| row.name == trigger.name) {
                self.leave(Subject::Trigger(Box::new(trigger.clone())));
            }
        }
    }

    /// What else the file does not name, users before what they use.
    pub(super) fn gone(&mut self, wanted: &Workflow, there: &SetUp) {
        for function in &there.functions {
            if !lines(&wanted.functions).any(|(row, _)| row.name == function.name) {
                self.leave(Subject::Function(Box::new(function.clone())));
            }
        }
        for group in &there.groups {
            let named = lines(&wanted.groups).any(|(row, _)| row.name == group.name);
            let used = lines(&wanted.triggers).any(|(row, _)| row.group == group.name);
            if !named && !used {
                self.leave(Subject::Group(group.clone()));
            }
        }
        for topic in &there.topics {
            let named = lines(&wanted.topics).any(|(row, _)| row.name == topic.name);
            let used = lines(&wanted.triggers).any(|(row, _)| row.topic == topic.name);
            if !named && !used {
                self.leave(Subject::Topic(topic.clone()));
            }
        }
    }

    fn leave(&mut self, subject: Subject) {
        let mark = if self.remove {
            Mark::Remove
        } else {
            Mark::Leave
        };
        self.steps.push(Step {
            mark,
            subject,
            changes: Vec::new(),
            line: None,
        });
    }

    fn compare(&mut self, wanted: Subject, present: Option<Subject>, line: usize, folder: &Path) {
        self.compare_with(wanted, present, line, folder, None);
    }

    fn compare_with(
        &mut self,
        wanted: Subject,
        present: Option<Subject>,
        line: usize,
        folder: &Path,
        beside: Option<Change>,
    ) {
        let Some(present) = present else {
            self.steps.push(Step {
                mark: Mark::Create,
                subject: wanted,
                changes: Vec::new(),
                line: Some(line),
            });
            return;
        };
        let mut changes = changes(&present, &wanted, folder);
        changes.extend(beside);
        if changes.is_empty() {
            self.unchanged += 1;
        } else {
            self.steps.push(Step {
                mark: Mark::Change,
                subject: wanted,
                changes,
                line: Some(line),
            });
        }
    }
}

fn changes(present: &Subject, wanted: &Subject, folder: &Path) -> Vec<Change> {
    let (from, to) = (present.entries(folder), wanted.entries(folder));
    let mut changes = Vec::new();
    // Both lists come from one table: the same keys in the same order.
    for (from, to) in from.0.iter().zip(&to.0) {
        if from.value == to.value {
            continue;
        }
        if from.key == "environment" {
            environment(from.value.as_ref(), to.value.as_ref(), &mut changes);
        } else {
            changes.push(Change {
                key: from.key.to_owned(),
                from: from.value.as_ref().map(Value::to_string),
                to: to.value.as_ref().map(Value::to_string),
            });
        }
    }
    if is_auto(present) && !is_auto(wanted) {
        changes.push(Change {
            key: "made by".to_owned(),
            from: Some("auto-create".to_owned()),
            to: Some("the file".to_owned()),
        });
    }
    changes
}

fn is_auto(subject: &Subject) -> bool {
    match subject {
        Subject::Topic(topic) => topic.auto,
        Subject::Group(group) => group.auto,
        _ => false,
    }
}

fn no_secret(workflow: &Workflow, line: usize, problem: &str) -> WorkflowError {
    WorkflowError::Invalid(vec![Problem {
        file: workflow.file.clone(),
        line,
        what: format!("`secret-env` {problem}"),
        hint: Some("put the secret into the environment; it is never written in a file".to_owned()),
    }])
}

/// Variables that differ, without their values: they may be secret.
fn environment(from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<Change>) {
    let empty = Table::new();
    let from = from.and_then(Value::as_table).unwrap_or(&empty);
    let to = to.and_then(Value::as_table).unwrap_or(&empty);
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for name in names {
        if from.get(name) == to.get(name) {
            continue;
        }
        let masked = |value: Option<&Value>, as_what: &str| {
            Some(value.map_or("unset", |_| as_what).to_owned())
        };
        changes.push(Change {
            key: format!("environment.{name}"),
            from: masked(from.get(name), "set"),
            to: masked(to.get(name), "set anew"),
        });
    }
}
