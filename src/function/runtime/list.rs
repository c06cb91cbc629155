//! Which runtime runs which function; a runtime that was left out of the build answers with a hint.

use std::sync::Arc;

use crate::domain::function::{FunctionDefinition, Runtime as Kind};
use crate::function::host::HostOptions;
use crate::function::runtime::closure::{ClosureRuntime, Function};
use crate::function::runtime::js::Scripts;
use crate::function::runtime::worker::list::Workers;
use crate::function::runtime::{Runtime, StartError};

/// The runtimes of one host.
pub struct Runtimes {
    region: String,
    account_id: String,
    scripts: Scripts,
    workers: Workers,
}

impl Runtimes {
    pub fn new(options: &HostOptions) -> Self {
        Self {
            region: options.region.clone(),
            account_id: options.account_id.clone(),
            scripts: Scripts::new(options),
            workers: Workers::new(options),
        }
    }

    /// The runtime for `definition`; an error when it cannot run here at all.
    pub fn of(
        &self,
        definition: &FunctionDefinition,
        closure: Option<Arc<dyn Function>>,
    ) -> Result<Arc<dyn Runtime>, StartError> {
        match definition.runtime {
            Kind::Rust => self.closure(definition, closure),
            Kind::Js => self.scripts.runtime(),
            other => self.workers.of(other),
        }
    }

    fn closure(
        &self,
        definition: &FunctionDefinition,
        closure: Option<Arc<dyn Function>>,
    ) -> Result<Arc<dyn Runtime>, StartError> {
        let Some(function) = closure else {
            return Err(StartError::CannotRun {
                reason: format!("no closure is registered as `{}`", definition.name),
                hint: Some(
                    "register it with `Host::builder().function(…)` in the program that runs it"
                        .to_owned(),
                ),
            });
        };
        let runtime = ClosureRuntime::new(function, &self.region, &self.account_id);
        Ok(Arc::new(runtime))
    }
}

/// What is said of a runtime that is not in this build.
pub(super) fn left_out(kind: Kind) -> StartError {
    StartError::CannotRun {
        reason: format!("moonport was built without the runtime `{}`", kind.as_str()),
        hint: Some("build it with its default features".to_owned()),
    }
}
