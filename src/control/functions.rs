//! Requests and replies of [`crate::control::Functions`].

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::function::{ErrorClass, FunctionDefinition, InvocationRecord};
use crate::domain::ids::RequestId;
use crate::domain::names::{FunctionName, SampleName};
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutFunction {
    pub definition: Box<FunctionDefinition>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionRow {
    pub definition: FunctionDefinition,
    pub state: FunctionState,
    /// Instances alive, and how many of them serve a request.
    pub instances: u32,
    pub busy: u32,
    pub invocations_total: u64,
    pub errors_total: u64,
    pub log_lines_dropped: u64,
    /// Median and 99th percentile of the last invocations, in milliseconds.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub last_error: Option<String>,
    pub last_invoked_at: Option<Timestamp>,
    /// Accepted events not done with, and how many of them wait for their next try.
    pub accepted: u32,
    pub retrying: u32,
    /// Accepted events that were given up with nobody to tell.
    pub given_up_total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionState {
    /// No instance yet; the next request starts one.
    Idle,
    Running,
    /// Instances die before their first request; when the next start is tried (SAFE-12).
    StartFailing {
        until: Timestamp,
        reason: String,
    },
    /// It cannot run here, or its code cannot be loaded.
    Broken {
        reason: String,
        hint: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoke {
    pub function: FunctionName,
    #[serde(with = "crate::domain::message::body_text")]
    pub event: Bytes,
    /// Enqueue only (IV-1).
    pub asynchronous: bool,
    /// The reply carries the end of the log, as `X-Fc-Log-Type: Tail` asks for (IV-1).
    #[serde(default)]
    pub log_tail: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvokeReply {
    pub request_id: RequestId,
    /// Absent when enqueued.
    pub record: Option<InvocationRecord>,
    #[serde(with = "crate::domain::message::body_text")]
    pub result: Bytes,
    pub error: Option<ErrorClass>,
    /// The last 4 KB of the log, when asked for.
    #[serde(default)]
    pub log_tail: Option<String>,
}

/// Sample events that one function may have.
pub const MAX_SAMPLES: usize = 64;
/// Bytes of one sample event: those of an asynchronous call.
pub const MAX_SAMPLE_BYTES: usize = 128 * 1024;

/// A test event that is kept for a function under a name (IV-9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub function: FunctionName,
    pub name: SampleName,
    #[serde(with = "crate::domain::message::body_text")]
    pub event: Bytes,
}
