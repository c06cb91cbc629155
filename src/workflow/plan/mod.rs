//! What applying a workflow file would do: a comparison with the present set-up. Planning changes nothing.

mod compare;
mod references;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::control::Control;
use crate::domain::function::FunctionDefinition;
use crate::domain::group::GroupDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::TriggerDefinition;
use crate::workflow::entries;
use crate::workflow::error::WorkflowError;
use crate::workflow::file::{AccessKeyDefinition, Placed, Workflow};
use crate::workflow::present::SetUp;

/// The steps from the present set-up to the file's, in the order they are taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The file as the caller named it.
    pub file: String,
    pub instance: InstanceId,
    pub steps: Vec<Step>,
    /// Things that are as the file says already.
    pub unchanged: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    pub mark: Mark,
    pub subject: Subject,
    pub changes: Vec<Change>,
    /// Where the file says so; absent for what the file does not name.
    pub line: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    Create,
    Change,
    Remove,
    /// Not in the file; it stays because removal was not asked for.
    Leave,
}

/// The definition as it will be, or as it is for what goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    Instance(InstanceDefinition),
    Topic(TopicDefinition),
    Group(GroupDefinition),
    Function(Box<FunctionDefinition>),
    Trigger(Box<TriggerDefinition>),
    AccessKey(AccessKeyDefinition),
}

/// One key that differs. Values are those of the file; variables of an environment show by name only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub key: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Compares; `remove` also plans the removal of what the file does not name.
pub async fn plan(
    control: &Control,
    workflow: &Workflow,
    remove: bool,
) -> Result<Plan, WorkflowError> {
    let present = |error| WorkflowError::PresentUnknown(Box::new(error));
    let id = references::instance_of(control, workflow).await?;
    let set_up = SetUp::read(control, &id).await.map_err(present)?;
    references::check(workflow, &set_up)?;
    let now = control.clock.clock().await.map_err(present)?.now;
    let mut planner = compare::Planner::new(now, remove);
    planner.instance(&workflow.instance, id.clone(), set_up.instance.as_ref());
    planner.gone_triggers(&workflow.triggers, &set_up.triggers);
    planner.topics(&workflow.topics, &set_up.topics);
    planner.groups(&workflow.groups, &set_up.groups);
    planner.functions(
        &workflow.functions,
        &set_up.functions,
        &workflow.folder,
        &id,
    );
    planner.triggers(&workflow.triggers, &set_up.triggers, &id);
    if !workflow.access_keys.is_empty() {
        let keys = control.instances.access_keys().await.map_err(present)?;
        planner.access_keys(workflow, &keys)?;
    }
    planner.gone(workflow, &set_up);
    Ok(Plan {
        file: workflow.file.clone(),
        instance: id,
        steps: planner.steps,
        unchanged: planner.unchanged,
    })
}

impl Plan {
    /// True when applying it does nothing.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.mark == Mark::Leave)
    }

    /// Whether it takes anything away.
    pub fn removes(&self) -> bool {
        self.steps.iter().any(|step| step.mark == Mark::Remove)
    }
}

impl Subject {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Instance(_) => "instance",
            Self::Topic(_) => "topic",
            Self::Group(_) => "group",
            Self::Function(_) => "function",
            Self::Trigger(_) => "trigger",
            Self::AccessKey(_) => "access key",
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Instance(instance) => &instance.name,
            Self::Topic(topic) => topic.name.as_str(),
            Self::Group(group) => group.name.as_str(),
            Self::Function(function) => function.name.as_str(),
            Self::Trigger(trigger) => trigger.name.as_str(),
            Self::AccessKey(key) => &key.key,
        }
    }

    fn entries(&self, folder: &Path) -> entries::Entries {
        match self {
            Self::Instance(instance) => entries::instance(instance),
            Self::Topic(topic) => entries::topic(topic),
            Self::Group(group) => entries::group(group),
            Self::Function(function) => entries::function(function, folder),
            Self::Trigger(trigger) => entries::trigger(trigger),
            Self::AccessKey(key) => entries::access_key(key),
        }
    }
}

impl Mark {
    pub const fn sign(self) -> char {
        match self {
            Self::Create => '+',
            Self::Change => '~',
            Self::Remove | Self::Leave => '-',
        }
    }
}

/// One line per step, and one per changed key below it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        let count = |mark| self.steps.iter().filter(|step| step.mark == mark).count();
        write!(
            f,
            "{} to create, {} to change, {} to remove, {} unchanged",
            count(Mark::Create),
            count(Mark::Change),
            count(Mark::Remove),
            self.unchanged
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, kind, name) = (self.mark.sign(), self.subject.kind(), self.subject.name());
        write!(f, "{sign} {kind} {name}")?;
        if self.mark == Mark::Leave {
            f.write_str(" is not in the file; it stays")?;
        }
        for change in &self.changes {
            write!(f, "\n    {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        let (from, to) = (from.unwrap_or("default"), to.unwrap_or("default"));
        write!(f, "{}: {from} -> {to}", self.key)
    }
}

/// The line of the file that a planned thing comes from.
fn lines<T>(rows: &[Placed<T>]) -> impl Iterator<Item = (&T, usize)> {
    rows.iter().map(|row| (&row.value, row.line))
}
