//! [`Functions`] over the host of this process; definitions are kept in the documents.

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::task::TaskTracker;

use crate::app::documents::Documents;
use crate::control::error::ControlError;
use crate::control::functions::{FunctionRow, Invoke, InvokeReply, PutFunction};
use crate::control::{Functions, Reply};
use crate::domain::names::FunctionName;
use crate::function::error::HostError;
use crate::function::host::Host;
use crate::function::invocation::{Invocation, Invoker, MAX_ASYNC_EVENT, MAX_EVENT};
use crate::trigger::saved::TriggerStore;
use crate::trigger::set::TriggerSet;

pub struct OwnFunctions {
    pub host: Host,
    pub documents: Documents,
    pub triggers: TriggerSet,
    /// Enqueued events; the host ends them when it stops.
    pub tasks: TaskTracker,
}

#[async_trait]
impl Functions for OwnFunctions {
    async fn functions(&self) -> Reply<Vec<FunctionRow>> {
        Ok(self.host.rows())
    }

    /// A definition that is in force but could not be written down is told as a failure; it lasts as long as the process.
    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow> {
        let row = self.host.put(request.definition).map_err(host_failed)?;
        self.documents.put_function(&row.definition)?;
        self.triggers.function_changed(&row.definition.name);
        Ok(row)
    }

    async fn delete_function(&self, name: FunctionName) -> Reply<()> {
        let triggers = self.documents.definitions();
        let triggers = triggers.map_err(|error| ControlError::StoreFailed(error.0))?;
        if let Some(user) = triggers.into_iter().find(|t| t.function == name) {
            return Err(ControlError::FunctionInUse(name, user.name));
        }
        self.documents.delete_function(&name)?;
        if self.host.remove(&name) {
            Ok(())
        } else {
            Err(ControlError::FunctionNotFound(name))
        }
    }

    async fn invoke(&self, request: Invoke) -> Reply<InvokeReply> {
        let limit = if request.asynchronous {
            MAX_ASYNC_EVENT
        } else {
            MAX_EVENT
        };
        if request.event.len() > limit {
            return Err(ControlError::EventTooLarge {
                size: request.event.len() as u64,
                limit: limit as u64,
            });
        }
        let request_id = self.host.options().fresh_request_id();
        let invocation = Invocation::new(request.function, request_id.clone(), request.event);
        if request.asynchronous {
            self.host.row(&invocation.function).map_err(host_failed)?;
            let host = self.host.clone();
            // The outcome is in the invocation records.
            self.tasks
                .spawn(async move { host.invoke(invocation).await });
            return Ok(InvokeReply {
                request_id,
                record: None,
                result: Bytes::new(),
                error: None,
            });
        }
        let outcome = self.host.invoke(invocation).await.map_err(host_failed)?;
        Ok(InvokeReply {
            request_id,
            error: outcome.record.error,
            result: outcome.result,
            record: Some(outcome.record),
        })
    }

    async fn restart(&self, name: FunctionName) -> Reply<()> {
        self.host.restart(&name).map_err(host_failed)
    }
}

fn host_failed(error: HostError) -> ControlError {
    match error {
        HostError::NotFound(name) => ControlError::FunctionNotFound(name),
        HostError::CannotRun { reason, hint, .. } => ControlError::CannotRun {
            problem: reason,
            hint,
        },
        HostError::IllegalDefinition { function, problem } => ControlError::IllegalDefinition {
            what: format!("function `{function}`"),
            field: problem.field.to_owned(),
            problem: problem.problem,
        },
        other => ControlError::Unreachable(other.to_string()),
    }
}
