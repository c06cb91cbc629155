//! Python functions: the bootstrap, the interpreter and its flags.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::function::{EventAs, FunctionDefinition};
use crate::function::runtime::environment::check_files;
use crate::function::runtime::worker::ground::{Ground, folder_list};
use crate::function::runtime::worker::instance::ApiInstance;
use crate::function::runtime::worker::interpreter;
use crate::function::runtime::worker::process::Spawn;
use crate::function::runtime::worker::running::Worker;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Instance, Launch, Runtime, StartError};

const BOOTSTRAP: &str = include_str!("../../../../assets/runtime/python/bootstrap.py");
const BANNER: &str = "FunctionCompute python3 runtime inited.";

/// Starts Python workers.
pub struct PythonRuntime {
    workshop: Arc<Workshop>,
}

impl PythonRuntime {
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }

    fn spawn(&self, launch: &Launch, ground: &mut Ground) -> Result<Spawn, StartError> {
        let definition = &launch.definition;
        let interpreter = interpreter::python(definition, &self.workshop.search_path)?;
        let bootstrap = ground
            .folder
            .bootstrap("moonport_bootstrap", "py", BOOTSTRAP)?;
        let layers = folder_list(definition.layers.iter().map(PathBuf::as_path))?;
        ground.prefer_folder_of(&interpreter);
        let environment = &mut ground.environment;
        environment.set("PYTHONIOENCODING", "utf-8:surrogateescape");
        environment.set("_FC_EVENT_AS", event_as(definition.event_as));
        environment.set("_FC_LAYERS", layers);
        environment.set("_FC_RUNTIME", definition.runtime.as_str());
        let arguments = arguments(definition, bootstrap);
        ground.spawn(&self.workshop, definition, interpreter.into(), arguments)
    }
}

#[async_trait]
impl Runtime for PythonRuntime {
    fn check(&self, definition: &FunctionDefinition) -> Result<(), StartError> {
        let interpreter = interpreter::python(definition, &self.workshop.search_path)?;
        check_files(definition)?;
        match definition.debug {
            Some(_) => check_debugger(&interpreter),
            None => Ok(()),
        }
    }

    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        self.check(&launch.definition)?;
        let mut ground = Ground::prepare(&self.workshop, &launch).await?;
        let spawn = self.spawn(&launch, &mut ground)?;
        let worker = Worker::start(&self.workshop, launch, spawn, ground.folder).await?;
        ApiInstance::ready(worker, ground.registration, Some(BANNER)).await
    }
}

/// Unbuffered, without byte code in the user's folders, warnings off as in the cloud (PY-3).
fn arguments(definition: &FunctionDefinition, bootstrap: PathBuf) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["-u", "-B", "-W", "ignore"].map(Into::into).into();
    if let Some(port) = definition.debug {
        let listen = format!("127.0.0.1:{port}");
        // Modules frozen into the interpreter have no lines to stop at, as the debugger warns.
        arguments.extend(["-X", "frozen_modules=off"].map(OsString::from));
        arguments.extend(["-m", "debugpy", "--listen", &listen].map(OsString::from));
    }
    arguments.push(bootstrap.into());
    arguments
}

fn check_debugger(interpreter: &Path) -> Result<(), StartError> {
    let found = Command::new(interpreter)
        .args(["-c", "import debugpy"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(StartError::CannotRun {
        reason: "`debug` needs the Python package `debugpy`".to_owned(),
        hint: Some(format!(
            "`{} -m pip install debugpy`, or remove `debug` from its definition",
            interpreter.display()
        )),
    })
}

/// The word by which bootstraps know the form of the event (S-3).
pub(super) const fn event_as(form: EventAs) -> &'static str {
    match form {
        EventAs::Auto => "auto",
        EventAs::Bytes => "bytes",
        EventAs::Object => "object",
    }
}
