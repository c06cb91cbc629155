//! Why the host could not run a function; code that ran and failed is an outcome instead.

use crate::domain::limits::FieldProblem;
use crate::domain::names::FunctionName;
use crate::report::Hint;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    #[error("no function `{0}`")]
    NotFound(FunctionName),
    /// The host is going down; the invocation did not count as an attempt.
    #[error("the function host is stopping")]
    Stopping,
    /// Nothing can be started until something outside changes, such as a missing interpreter.
    #[error("function `{function}` cannot run: {reason}")]
    CannotRun {
        function: FunctionName,
        reason: String,
        hint: Option<String>,
    },
    /// Too many events are accepted and not run yet.
    #[error("there is no room for another accepted event")]
    NoRoom,
    #[error("{0}")]
    StoreFailed(String),
    #[error("the event is {size} bytes, at most {limit} are allowed")]
    EventTooLarge { size: usize, limit: usize },
    #[error("function `{function}`: `{}` {}", .problem.field, .problem.problem)]
    IllegalDefinition {
        function: FunctionName,
        problem: FieldProblem,
    },
}

impl Hint for HostError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("`moonport function list` shows them".to_owned()),
            Self::CannotRun { hint, .. } => hint.clone(),
            Self::NoRoom => Some("wait until some of them have run".to_owned()),
            Self::StoreFailed(_)
            | Self::Stopping
            | Self::EventTooLarge { .. }
            | Self::IllegalDefinition { .. } => None,
        }
    }
}
