//! What a closure knows about its call (RS-2).

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::domain::ids::RequestId;
use crate::function::log::{Prefix, RequestLog};

/// The function as its definition describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    pub name: String,
    pub handler: String,
    /// MB.
    pub memory: u32,
    /// Seconds.
    pub timeout: u32,
}

/// One call's surroundings; cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub request_id: RequestId,
    pub function: Arc<FunctionInfo>,
    pub region: Arc<str>,
    pub account_id: Arc<str>,
    /// Attempts before this one.
    pub retry_count: u32,
    /// Which try, from 1.
    pub attempt: u32,
    /// When the call is given up, in real time.
    pub deadline: Option<Instant>,
    /// Cancelled at the deadline, and when the host stops.
    pub cancelled: CancellationToken,
    pub(crate) log: Arc<RequestLog>,
}

impl Context {
    pub fn logger(&self) -> Logger<'_> {
        Logger(&self.log)
    }
}

/// Writes records into the function's log, in the form of Python's logger (RS-6).
#[derive(Clone, Copy)]
pub struct Logger<'a>(&'a RequestLog);

impl Logger<'_> {
    pub fn debug(&self, message: impl AsRef<str>) {
        self.0.record(Prefix::IsoTime, "DEBUG", message.as_ref());
    }

    pub fn info(&self, message: impl AsRef<str>) {
        self.0.record(Prefix::IsoTime, "INFO", message.as_ref());
    }

    pub fn warning(&self, message: impl AsRef<str>) {
        self.0.record(Prefix::IsoTime, "WARNING", message.as_ref());
    }

    pub fn error(&self, message: impl AsRef<str>) {
        self.0.record(Prefix::IsoTime, "ERROR", message.as_ref());
    }
}
