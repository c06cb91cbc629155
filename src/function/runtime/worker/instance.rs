//! A worker that polls the runtime API, behind the runtime seam.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;

use crate::domain::function::ErrorClass;
use crate::function::log::cut;
use crate::function::runtime::worker::api::Registration;
use crate::function::runtime::worker::headers::call_headers;
use crate::function::runtime::worker::running::Worker;
use crate::function::runtime::worker::slot::{Pending, Posted};
use crate::function::runtime::{Answer, Call, End, Failure, Instance, StartError};

/// A worker that has not asked for its first call by then is given up (CU-2).
pub(super) const START_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an error's message that a record keeps.
const MESSAGE_BYTES: usize = 1024;

/// A worker and its place in the runtime API.
pub(super) struct ApiInstance {
    worker: Worker,
    registration: Registration,
    banner: Option<&'static str>,
    /// It said that it ends.
    leaving: AtomicBool,
}

impl ApiInstance {
    /// Waits until the worker asks for its first call.
    pub(super) async fn ready(
        worker: Worker,
        registration: Registration,
        banner: Option<&'static str>,
    ) -> Result<Arc<dyn Instance>, StartError> {
        let slot = &registration.slot;
        let failed = tokio::select! {
            () = slot.polled() => None,
            exit = worker.process.exited() => Some(worker.died(exit).await),
            error = slot.init_error() => Some(StartError::Died {
                reason: format!("it could not get ready: {}", String::from_utf8_lossy(&error)),
            }),
            () = worker.workshop.real.sleep(START_PATIENCE) => Some(StartError::Died {
                reason: format!("it was not ready after {} seconds", START_PATIENCE.as_secs()),
            }),
        };
        if let Some(error) = failed {
            worker.end().await;
            return Err(error);
        }
        Ok(Arc::new(Self {
            worker,
            registration,
            banner,
            leaving: AtomicBool::new(false),
        }))
    }
}

#[async_trait]
impl Instance for ApiInstance {
    fn banner(&self) -> Option<&'static str> {
        self.banner
    }

    async fn call(&self, call: Call) -> Answer {
        if let Some(command) = self.worker.hook_command(call.kind) {
            return self.worker.run_command(&call, &command).await;
        }
        let workshop = &self.worker.workshop;
        let headers = call_headers(
            &call,
            &self.worker.definition,
            &workshop.place,
            &workshop.real,
        );
        let pending = Pending {
            id: call.request_id.as_str().to_owned(),
            headers,
            event: call.event.clone(),
        };
        let answer = async {
            match self.registration.slot.call(pending).await {
                Some(posted) => {
                    let leaves = matches!(posted, Posted::Error { leaving: true, .. });
                    self.leaving.fetch_or(leaves, Ordering::Relaxed);
                    answer_of(posted)
                }
                // The other side of the slot lives as long as this one.
                None => std::future::pending().await,
            }
        };
        self.worker.during(&call, answer).await
    }

    async fn end(&self, _why: End) {
        self.worker.end().await;
    }

    fn is_alive(&self) -> bool {
        self.worker.process.is_running() && !self.leaving.load(Ordering::Relaxed)
    }

    fn peak_memory_mb(&self) -> f64 {
        self.worker.process.peak_memory_mb()
    }
}

fn answer_of(posted: Posted) -> Answer {
    match posted {
        Posted::Response(result) => Answer::Done(result),
        Posted::Error {
            payload, handled, ..
        } => Answer::Failed(failure(payload, handled)),
        Posted::TooLarge => Answer::Failed(Failure {
            class: ErrorClass::EntityTooLarge,
            message: "the result exceeds the maximum allowed size".to_owned(),
            payload: Bytes::from_static(
                br#"{"errorMessage":"the result exceeds the maximum allowed size"}"#,
            ),
        }),
    }
}

/// The fields every runtime's error object has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorObject {
    error_message: Option<serde_json::Value>,
    error_type: Option<String>,
}

/// Classifies an error object (LOG-10).
pub(super) fn failure(payload: Bytes, handled: bool) -> Failure {
    let object: Option<ErrorObject> = serde_json::from_slice(&payload).ok();
    let kind = object.as_ref().and_then(|object| object.error_type.clone());
    let text = object.and_then(|object| object.error_message);
    let text = match text {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => "function error".to_owned(),
    };
    let class = match kind.as_deref() {
        _ if handled => ErrorClass::FunctionHandledError,
        Some("MemoryError") => ErrorClass::FunctionOomError,
        _ => ErrorClass::FunctionUnhandledError,
    };
    let message = kind.map_or_else(|| text.clone(), |kind| format!("{kind}: {text}"));
    let first_line = message.lines().next().unwrap_or_default();
    Failure {
        class,
        message: cut(first_line, MESSAGE_BYTES).to_owned(),
        payload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_classed_by_their_object_log10() {
        let class = |text: &'static str, handled| {
            let failure = failure(Bytes::from_static(text.as_bytes()), handled);
            (failure.class, failure.message)
        };
        assert_eq!(
            class(
                r#"{"errorMessage":"no stock","errorType":"ValueError"}"#,
                false
            ),
            (
                ErrorClass::FunctionUnhandledError,
                "ValueError: no stock".to_owned()
            )
        );
        assert_eq!(
            class(r#"{"errorMessage":"","errorType":"MemoryError"}"#, false).0,
            ErrorClass::FunctionOomError
        );
        assert_eq!(
            class(r#"{"errorMessage":{"a":1}}"#, true),
            (ErrorClass::FunctionHandledError, "{\"a\":1}".to_owned())
        );
        assert_eq!(class("not json", false).1, "function error".to_owned());
    }
}
