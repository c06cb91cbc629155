//! [`Functions`] over the host of this process; definitions are kept in the documents.

use async_trait::async_trait;
use bytes::Bytes;

use crate::app::documents::Documents;
use crate::control::error::ControlError;
use crate::control::functions::{
    FunctionRow, Invoke, InvokeReply, MAX_SAMPLE_BYTES, MAX_SAMPLES, PutFunction, Sample,
};
use crate::control::{Functions, Reply};
use crate::domain::circle::circle;
use crate::domain::function::FunctionDefinition;
use crate::domain::names::{FunctionName, SampleName};
use crate::function::accepted::Accepted;
use crate::function::error::HostError;
use crate::function::host::Host;
use crate::function::invocation::{Invocation, Invoker, MAX_EVENT};
use crate::report::Hint as _;
use crate::trigger::saved::{TriggerStore, TriggerStoreError};
use crate::trigger::set::TriggerSet;

pub struct OwnFunctions {
    pub host: Host,
    pub documents: Documents,
    pub triggers: TriggerSet,
    pub accepted: Accepted,
}

impl OwnFunctions {
    fn with_standing(&self, row: FunctionRow) -> FunctionRow {
        let standing = self.accepted.standing(&row.definition.name);
        FunctionRow {
            accepted: standing.accepted(),
            retrying: standing.retrying(),
            given_up_total: standing.given_up(),
            ..row
        }
    }

    /// Refuses destinations that lead back to the function (IV-7).
    fn check_destinations(&self, definition: &FunctionDefinition) -> Reply<()> {
        let triggers = self.documents.definitions().map_err(store_failed)?;
        let settings = |name: &FunctionName| {
            if *name == definition.name {
                return Some(definition.asynchronous.as_ref().clone());
            }
            let row = self.host.row(name).ok()?;
            Some(*row.definition.asynchronous)
        };
        match circle(&definition.name, settings, &triggers) {
            None => Ok(()),
            Some(way) => Err(ControlError::IllegalDefinition {
                what: format!("function `{}`", definition.name),
                field: "async".to_owned(),
                problem: format!("sends outcomes in a circle, by way of {way}"),
            }),
        }
    }
}

fn store_failed(error: TriggerStoreError) -> ControlError {
    ControlError::StoreFailed(error.0)
}

#[async_trait]
impl Functions for OwnFunctions {
    async fn functions(&self) -> Reply<Vec<FunctionRow>> {
        let rows = self.host.rows().into_iter();
        Ok(rows.map(|row| self.with_standing(row)).collect())
    }

    /// A definition that is in force but could not be written down is told as a failure; it lasts as long as the process.
    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow> {
        self.check_destinations(&request.definition)?;
        let row = self.host.put(*request.definition).map_err(host_failed)?;
        self.documents.put_function(&row.definition)?;
        self.triggers.function_changed(&row.definition.name);
        Ok(self.with_standing(row))
    }

    async fn delete_function(&self, name: FunctionName) -> Reply<()> {
        let triggers = self.documents.definitions();
        let triggers = triggers.map_err(store_failed)?;
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
        let request_id = self.host.options().fresh_request_id();
        if request.asynchronous {
            let later = Invocation::later(request.function, request_id.clone(), request.event);
            self.accepted.try_accept(later).map_err(host_failed)?;
            return Ok(InvokeReply {
                request_id,
                record: None,
                result: Bytes::new(),
                error: None,
                log_tail: None,
            });
        }
        if request.event.len() > MAX_EVENT {
            return Err(too_large(request.event.len(), MAX_EVENT));
        }
        let invocation = Invocation {
            log_tail: request.log_tail,
            ..Invocation::new(request.function, request_id.clone(), request.event)
        };
        let outcome = self.host.invoke(invocation).await.map_err(host_failed)?;
        Ok(InvokeReply {
            request_id,
            error: outcome.record.error,
            result: outcome.result,
            record: Some(outcome.record),
            log_tail: outcome.log_tail,
        })
    }

    async fn restart(&self, name: FunctionName) -> Reply<()> {
        self.host.restart(&name).map_err(host_failed)
    }

    async fn samples(&self, function: FunctionName) -> Reply<Vec<Sample>> {
        self.host.row(&function).map_err(host_failed)?;
        self.documents.samples(&function)
    }

    async fn put_sample(&self, sample: Sample) -> Reply<()> {
        if sample.event.len() > MAX_SAMPLE_BYTES {
            return Err(too_large(sample.event.len(), MAX_SAMPLE_BYTES));
        }
        let kept = self.samples(sample.function.clone()).await?;
        let is_new = kept.iter().all(|known| known.name != sample.name);
        if is_new && kept.len() >= MAX_SAMPLES {
            return Err(ControlError::TooManySamples(sample.function, kept.len()));
        }
        self.documents.put_sample(&sample)
    }

    async fn delete_sample(&self, function: FunctionName, name: SampleName) -> Reply<()> {
        let kept = self.samples(function.clone()).await?;
        if kept.iter().all(|sample| sample.name != name) {
            return Err(ControlError::SampleNotFound(function, name));
        }
        self.documents.delete_sample(&function, &name)
    }
}

fn too_large(size: usize, limit: usize) -> ControlError {
    ControlError::EventTooLarge {
        size: size as u64,
        limit: limit as u64,
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
        HostError::EventTooLarge { size, limit } => too_large(size, limit),
        HostError::StoreFailed(reason) => ControlError::StoreFailed(reason),
        HostError::NoRoom => ControlError::CannotRun {
            problem: error.to_string(),
            hint: error.hint(),
        },
        other => ControlError::Unreachable(other.to_string()),
    }
}
