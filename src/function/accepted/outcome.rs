//! What a destination is told of an event's end (IV-7); the only place that knows this shape.

use bytes::Bytes;
use serde_json::json;

use crate::domain::timestamp::Timestamp;
use crate::function::accepted::AcceptedEvent;
use crate::function::log::cut;

/// Bytes of the answer that are passed on: with the event it stays below the largest message.
const MAX_RESPONSE: usize = 1024 * 1024;

/// How an event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) status: Status,
    /// The class of the last error.
    pub(super) error: Option<&'static str>,
    /// The answer of the last try.
    pub(super) response: Bytes,
}

/// Its last status (IV-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Succeeded,
    /// Out of tries.
    Failed,
    /// Too old to be run.
    Expired,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Expired => "Expired",
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Succeeded => "Success",
            Self::Failed => "RetriesExhausted",
            Self::Expired => "EventAgeExceeded",
        }
    }
}

/// Who ran the event.
pub(super) struct Runner<'a> {
    pub(super) region: &'a str,
    pub(super) account_id: &'a str,
}

/// One JSON object.
pub(super) fn record(
    event: &AcceptedEvent,
    ended: &Ended,
    runner: &Runner<'_>,
    now: Timestamp,
) -> Bytes {
    let Runner { region, account_id } = runner;
    let response = String::from_utf8_lossy(&ended.response);
    let tries = event.failed + u32::from(ended.status == Status::Succeeded);
    let record = json!({
        "timestamp": now.as_millis(),
        "requestContext": {
            "requestId": event.request_id.as_str(),
            "functionArn": format!("acs:fc:{region}:{account_id}:functions/{}", event.function),
            "condition": ended.status.condition(),
            "approximateInvokeCount": tries,
        },
        "requestPayload": String::from_utf8_lossy(&event.event),
        "responseContext": {
            "statusCode": 200,
            "functionError": ended.error.unwrap_or_default(),
        },
        "responsePayload": cut(&response, MAX_RESPONSE),
    });
    record.to_string().into()
}
