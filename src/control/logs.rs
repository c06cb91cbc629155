//! Requests and replies of [`crate::control::Logs`].

use serde::{Deserialize, Serialize};

use crate::domain::function::{LogLevel, LogRecord};
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::names::FunctionName;

/// Which log records; all conditions hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogQuery {
    pub function: Option<FunctionName>,
    pub request_id: Option<RequestId>,
    pub min_level: Option<LogLevel>,
    /// Text that occurs in the record, ignoring case.
    pub text: Option<String>,
    /// Where to begin and which way to go.
    pub from: LogFrom,
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFrom {
    /// The last records.
    #[default]
    End,
    /// Records with a number above this.
    After(u64),
    /// The last records with a number below this.
    Before(u64),
}

/// Records in rising order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogPage {
    pub records: Vec<LogRecord>,
    /// The oldest and newest number kept.
    pub oldest: u64,
    pub newest: u64,
    /// Records looked at.
    pub scanned: u64,
    /// More that match may follow in the direction asked.
    pub more: bool,
    /// Records dropped so far because a function wrote faster than they could be kept.
    pub dropped: u64,
}

/// Which invocation records, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InvocationQuery {
    pub function: Option<FunctionName>,
    pub request_id: Option<RequestId>,
    pub message_id: Option<MessageId>,
    pub failed_only: bool,
}
