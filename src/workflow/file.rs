//! What a checked workflow file says.

use std::path::PathBuf;

use serde::Serialize;

use crate::domain::function::FunctionDefinition;
use crate::domain::group::GroupDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::{FunctionName, TriggerName};
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::TriggerDefinition;

/// Region of an instance whose file does not say: what an open source broker stamps on messages.
pub const DEFAULT_REGION: &str = "DefaultRegion";

/// A workflow file whose every value is in its range. Moments of making are not part of a file: they stand at the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// The file as the caller named it.
    pub file: String,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    pub instance: Placed<InstanceDefinition>,
    /// Whether the file gives the instance's id; else it is known by its name.
    pub id_given: bool,
    pub topics: Vec<Placed<TopicDefinition>>,
    pub groups: Vec<Placed<GroupDefinition>>,
    pub functions: Vec<Placed<FunctionDefinition>>,
    pub triggers: Vec<Placed<TriggerDefinition>>,
    pub expectations: Vec<Placed<Expectation>>,
}

/// A value with the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub line: usize,
    pub value: T,
}

/// What must hold at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The function's log has records with this text: so many, or at least one.
    Log {
        function: FunctionName,
        text: String,
        times: Option<u64>,
    },
    /// The trigger gave up this many messages.
    DeadLetters { trigger: TriggerName, count: u64 },
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log {
                function,
                text,
                times: None,
            } => write!(f, "`{function}` logs `{text}`"),
            Self::Log {
                function,
                text,
                times: Some(times),
            } => write!(f, "`{function}` logs `{text}` {times} times"),
            Self::DeadLetters { trigger, count } => {
                write!(f, "`{trigger}` gives up {count} messages")
            }
        }
    }
}
