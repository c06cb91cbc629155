//! What a checked workflow file says.

use std::path::PathBuf;

use serde::Serialize;

use crate::cluster::session::Grant;
use crate::domain::function::FunctionDefinition;
use crate::domain::group::GroupDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::{FunctionName, TriggerName};
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::TriggerDefinition;
use crate::report::counted;

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
    pub access_keys: Vec<Placed<AccessKeyDefinition>>,
    pub expectations: Vec<Placed<Expectation>>,
}

/// A value with the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub line: usize,
    pub value: T,
}

/// Who may come in through the endpoint. The secret itself is never in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessKeyDefinition {
    pub key: String,
    /// The variable of the environment that holds the secret.
    pub secret_env: String,
    pub grants: Vec<Grant>,
}

impl AccessKeyDefinition {
    /// The secret, from this process's environment; the error says why there is none.
    pub fn secret(&self) -> Result<String, String> {
        let name = &self.secret_env;
        match std::env::var(name) {
            Ok(secret) if secret.is_empty() => Err(format!("names `{name}`, which is empty")),
            Ok(secret) => Ok(secret),
            Err(std::env::VarError::NotPresent) => Err(format!("names `{name}`, which is not set")),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(format!("names `{name}`, which holds no text"))
            }
        }
    }
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
            } => {
                let times = counted(*times, "time", "times");
                write!(f, "`{function}` logs `{text}` {times}")
            }
            Self::DeadLetters { trigger, count } => {
                write!(
                    f,
                    "`{trigger}` gives up {}",
                    counted(*count, "message", "messages")
                )
            }
        }
    }
}
