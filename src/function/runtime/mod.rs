//! The seam between the host and what runs code. A runtime starts instances; an instance answers calls until it is ended.
//!
//! The host owns permits, timeouts and the Start and End lines; an instance writes what the code says in between.

pub mod closure;
#[cfg(any(feature = "js", feature = "worker"))]
mod environment;
#[cfg_attr(not(feature = "js"), path = "without_js.rs")]
pub mod js;
pub mod list;
#[cfg_attr(not(feature = "worker"), path = "without_worker.rs")]
pub mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::domain::function::{ErrorClass, FunctionDefinition, Hook};
use crate::domain::ids::RequestId;
use crate::function::log::RequestLog;

/// Makes instances of one function.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Looks whether the function could run here, without starting anything.
    fn check(&self, _definition: &FunctionDefinition) -> Result<(), StartError> {
        Ok(())
    }

    /// Returns once the instance can take its first call; hooks are the host's business.
    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError>;
}

/// What an instance is told at its start.
pub struct Launch {
    pub definition: Arc<FunctionDefinition>,
    pub instance_id: String,
    /// Takes what the instance writes before its first call.
    pub log: Arc<RequestLog>,
}

/// One running process, engine or closure.
#[async_trait]
pub trait Instance: Send + Sync {
    /// The line a fresh instance opens its log with (LOG-3).
    fn banner(&self) -> Option<&'static str> {
        None
    }

    /// Runs one call to its end and returns after the last of its output was written to the call's log.
    async fn call(&self, call: Call) -> Answer;

    /// Ends the instance with everything it started. Calls still running return soon after.
    async fn end(&self, why: End);

    /// False once it can take no more calls.
    fn is_alive(&self) -> bool {
        true
    }

    /// Highest memory of the instance so far in MB; 0 when it cannot be told.
    fn peak_memory_mb(&self) -> f64 {
        0.0
    }
}

/// Why an instance is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// No longer needed: idle, replaced, or the host stops.
    Unneeded,
    /// A call ran past its deadline: ask first, then kill (SAFE-2).
    Timeout,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    Invoke,
    Initialize,
    PreStop,
    PreFreeze,
}

impl CallKind {
    /// The hook that such a call runs; `None` for the handler itself.
    pub fn hook(self, definition: &FunctionDefinition) -> Option<&Hook> {
        match self {
            Self::Invoke => None,
            Self::Initialize => definition.initializer.as_ref(),
            Self::PreStop => definition.pre_stop.as_ref(),
            Self::PreFreeze => definition.pre_freeze.as_ref(),
        }
    }
}

/// One call of an instance.
#[derive(Clone)]
pub struct Call {
    pub kind: CallKind,
    pub request_id: RequestId,
    pub event: Bytes,
    /// Which try, from 1.
    pub attempt: u32,
    /// How long it may take; absent while a debugger holds the handler.
    pub timeout: Option<Duration>,
    /// The moment that gives in real time.
    pub deadline: Option<Instant>,
    /// Cancelled when the call is given up.
    pub cancelled: CancellationToken,
    pub log: Arc<RequestLog>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Done(Bytes),
    Failed(Failure),
    /// The process or engine went away inside the call.
    Exited(Exit),
}

/// Code that said it failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub class: ErrorClass,
    /// One line for the record.
    pub message: String,
    /// The error object as the caller sees it.
    pub payload: Bytes,
}

/// How a process or engine went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    /// `SIGKILL`.
    Signal(String),
    /// Ended for passing its memory limit.
    OutOfMemory,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
            Self::OutOfMemory => f.write_str("out of memory"),
        }
    }
}

/// Why no instance could be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It would fail the same way until something outside changes.
    #[error("{reason}")]
    CannotRun {
        reason: String,
        hint: Option<String>,
    },
    /// It started and went away, or did not get ready in time.
    #[error("{reason}")]
    Died { reason: String },
}
