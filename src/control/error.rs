//! Why a control request failed.

use serde::{Deserialize, Serialize};

use crate::cluster::error::ClusterError;
use crate::domain::names::{FunctionName, GroupName, SampleName, TriggerName};
use crate::report::Hint;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum ControlError {
    #[error("no instance `{0}`")]
    InstanceNotFound(String),
    #[error("no function `{0}`")]
    FunctionNotFound(FunctionName),
    #[error("no trigger `{0}`")]
    TriggerNotFound(TriggerName),
    #[error("function `{0}` has no sample event `{1}`")]
    SampleNotFound(FunctionName, SampleName),
    #[error("no access key `{0}`")]
    AccessKeyNotFound(String),
    /// A field of a definition is out of its range.
    #[error("{what}: `{field}` {problem}")]
    IllegalDefinition {
        /// `function \`order-logger\``.
        what: String,
        field: String,
        problem: String,
    },
    #[error("function `{0}` is used by trigger `{1}`")]
    FunctionInUse(FunctionName, TriggerName),
    #[error("group `{0}` already belongs to trigger `{1}`")]
    GroupInUse(GroupName, TriggerName),
    #[error("the function cannot run: {problem}")]
    CannotRun {
        problem: String,
        hint: Option<String>,
    },
    #[error("the event is {size} bytes, at most {limit} are allowed")]
    EventTooLarge { size: u64, limit: u64 },
    #[error("function `{0}` has {1} sample events, the most it may have")]
    TooManySamples(FunctionName, usize),
    #[error("trigger `{0}` has nothing to {1}")]
    NothingTo(TriggerName, String),
    #[error("the broker refused")]
    Cluster(#[source] ClusterError),
    #[error("the store failed: {0}")]
    StoreFailed(String),
    #[error("the owner of this data directory cannot be reached: {0}")]
    Unreachable(String),
    #[error("moonport was built without {0}")]
    Unsupported(String),
}

impl From<ClusterError> for ControlError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error)
    }
}

impl Hint for ControlError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::InstanceNotFound(_) => Some("`moonport instance list` shows them".to_owned()),
            Self::FunctionNotFound(_) => Some("`moonport function list` shows them".to_owned()),
            Self::TriggerNotFound(_) => Some("`moonport trigger list` shows them".to_owned()),
            Self::SampleNotFound(function, _) => Some(format!(
                "`moonport function sample list {function}` shows them"
            )),
            Self::TooManySamples(function, _) => Some(format!(
                "remove one with `moonport function sample remove {function} NAME`, or keep the event in a file"
            )),
            Self::FunctionInUse(..) => Some("delete the trigger first".to_owned()),
            Self::GroupInUse(..) => Some(
                "give each trigger a group of its own, so that each gets every message".to_owned(),
            ),
            Self::CannotRun { hint, .. } => hint.clone(),
            Self::Cluster(error) => error.hint(),
            _ => None,
        }
    }
}
