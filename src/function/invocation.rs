//! One call of a function: what goes in and what comes out.

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::function::{InvocationRecord, InvocationType};
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::names::{FunctionName, TriggerName};
use crate::function::error::HostError;

/// Largest event and largest result of a synchronous call, in bytes (section 6).
pub const MAX_EVENT: usize = 32 * 1024 * 1024;
/// Largest event of an asynchronous call, in bytes.
pub const MAX_ASYNC_EVENT: usize = 128 * 1024;

/// An event for a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub function: FunctionName,
    pub request_id: RequestId,
    /// The exact bytes the handler meets.
    pub event: Bytes,
    pub invocation_type: InvocationType,
    pub trigger: Option<TriggerName>,
    /// Which try of the same batch, from 1.
    pub attempt: u32,
    pub message_ids: Vec<MessageId>,
    /// Where the messages lie.
    pub places: Vec<Place>,
    /// The outcome carries the end of the log.
    pub log_tail: bool,
}

impl Invocation {
    /// A first attempt without a trigger behind it, as a test run makes it.
    pub fn new(function: FunctionName, request_id: RequestId, event: Bytes) -> Self {
        Self {
            function,
            request_id,
            event,
            invocation_type: InvocationType::Sync,
            trigger: None,
            attempt: 1,
            message_ids: Vec::new(),
            places: Vec::new(),
            log_tail: false,
        }
    }

    /// As [`Self::new`], for an event that is accepted and run later.
    pub fn later(function: FunctionName, request_id: RequestId, event: Bytes) -> Self {
        Self {
            invocation_type: InvocationType::Async,
            ..Self::new(function, request_id, event)
        }
    }
}

/// What the function did with it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `error` is `None` when it succeeded.
    pub record: InvocationRecord,
    /// The answer: the handler's result, or the error object as the caller sees it (PY-7, LOG-8, LOG-9).
    pub result: Bytes,
    /// The last 4 KB of the log, when the invocation asked for it (IV-1).
    pub log_tail: Option<String>,
}

impl Outcome {
    pub fn succeeded(&self) -> bool {
        self.record.error.is_none()
    }
}

/// Runs functions. Waits while every instance is busy: throttling is no failed attempt (TR-30).
#[async_trait]
pub trait Invoker: Send + Sync {
    async fn invoke(&self, invocation: Invocation) -> Result<Outcome, HostError>;
}
