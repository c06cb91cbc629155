//! Why a workflow file cannot be used or applied.

use std::fmt;
use std::path::PathBuf;

use crate::control::error::ControlError;
use crate::report::Hint;

/// A mistake in a workflow file, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the caller named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong and why, on one line.
    pub what: String,
    pub hint: Option<String>,
}

/// `moonport.toml:12: …`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkflowError {
    #[error("cannot read the workflow file `{}`", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// One line per mistake, in file order; never empty.
    #[error("{}", told(.0))]
    Invalid(Vec<Problem>),
    #[error("cannot read the present set-up")]
    PresentUnknown(#[source] Box<ControlError>),
    /// A step of the plan was refused; those before it are done.
    #[error("{at}: cannot {verb} {subject}")]
    Refused {
        /// `moonport.toml:12`.
        at: String,
        verb: &'static str,
        subject: String,
        #[source]
        source: Box<ControlError>,
    },
}

fn told(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

impl Hint for WorkflowError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => {
                Some("`moonport export` writes one from the present set-up".to_owned())
            }
            Self::Invalid(problems) => problems.iter().find_map(|p| p.hint.clone()),
            Self::PresentUnknown(source) | Self::Refused { source, .. } => source.hint(),
        }
    }
}
