//! Embedded JavaScript: a QuickJS engine per instance, on a thread of its own, with a memory cap and an interrupt that no
//! script can catch (SC-1, SC-3, SC-4).

mod engine;
mod handler;
mod instance;
mod natives;
mod settings;
mod thread;

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::clock::RealClock;
use crate::domain::function::{FunctionDefinition, Hook};
use crate::function::host::HostOptions;
use crate::function::runtime::environment::{Place, check_files};
use crate::function::runtime::{Instance, Launch, Runtime, StartError};

use instance::JsInstance;

/// Engines that were given up and still run after which a function starts no more of them.
const MAX_STUCK: usize = 4;

/// Makes the runtimes of script functions.
pub struct Scripts {
    place: Place,
    real: RealClock,
}

impl Scripts {
    pub fn new(options: &HostOptions) -> Self {
        Self {
            place: Place {
                region: options.region.clone(),
                account_id: options.account_id.clone(),
            },
            real: options.real.clone(),
        }
    }

    pub fn runtime(&self) -> Result<Arc<dyn Runtime>, StartError> {
        Ok(Arc::new(JsRuntime {
            place: self.place.clone(),
            real: self.real.clone(),
            stuck: Stuck::default(),
        }))
    }
}

/// Starts engines for one version of a function.
struct JsRuntime {
    place: Place,
    real: RealClock,
    stuck: Stuck,
}

/// The ends still to come of engines that were given up: one long built-in operation cannot be interrupted.
#[derive(Clone, Default)]
struct Stuck(Arc<Mutex<Vec<CancellationToken>>>);

#[async_trait]
impl Runtime for JsRuntime {
    fn check(&self, definition: &FunctionDefinition) -> Result<(), StartError> {
        refuse_commands(definition)?;
        check_files(definition)
    }

    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        self.check(&launch.definition)?;
        let stuck = self.stuck.count();
        if stuck >= MAX_STUCK {
            return Err(StartError::Died {
                reason: format!("{stuck} stuck threads: earlier calls never returned"),
            });
        }
        let started = JsInstance::start(launch, &self.place, &self.real, self.stuck.clone());
        Ok(Arc::new(started.await?))
    }
}

impl Stuck {
    fn add(&self, gone: CancellationToken) {
        self.0.lock().push(gone);
    }

    fn count(&self) -> usize {
        let mut given_up = self.0.lock();
        given_up.retain(|gone| !gone.is_cancelled());
        given_up.len()
    }
}

/// A hook of a script is a function in it; there is no process that a command could run in.
fn refuse_commands(definition: &FunctionDefinition) -> Result<(), StartError> {
    let is_command = |hook: &Option<Hook>| hook.as_ref().is_some_and(|hook| hook.handler.is_none());
    let hooks = [
        &definition.initializer,
        &definition.pre_stop,
        &definition.pre_freeze,
    ];
    if hooks.into_iter().any(is_command) {
        return Err(StartError::CannotRun {
            reason: "the runtime `js` runs no commands as hooks".to_owned(),
            hint: Some("name a handler, such as `index.initialize`".to_owned()),
        });
    }
    Ok(())
}
