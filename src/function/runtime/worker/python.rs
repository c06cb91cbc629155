//! Python functions: the bootstrap, the interpreter and its flags.

use std::ffi::OsString;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::function::EventAs;
use crate::function::log::Prefix;
use crate::function::runtime::worker::environment::Environment;
use crate::function::runtime::worker::instance::{ApiInstance, Style, Worker};
use crate::function::runtime::worker::interpreter;
use crate::function::runtime::worker::process::Spawn;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Instance, Launch, Runtime, StartError};

const BOOTSTRAP: &str = include_str!("../../../../assets/runtime/python/bootstrap.py");

const STYLE: Style = Style {
    prefix: Prefix::IsoTime,
    banner: Some("FunctionCompute python3 runtime inited."),
};

/// Starts Python workers.
pub struct PythonRuntime {
    workshop: Arc<Workshop>,
}

impl PythonRuntime {
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }
}

#[async_trait]
impl Runtime for PythonRuntime {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        let definition = launch.definition.clone();
        let interpreter = interpreter::python(&definition, &self.workshop.search_path)?;
        let folder = self.workshop.folder()?;
        let registration = self.workshop.register().await?;
        let bootstrap = folder.bootstrap("moonport_bootstrap", "py", BOOTSTRAP)?;

        let mut environment = Environment::of(
            &definition,
            &launch.instance_id,
            &self.workshop.place,
            folder.path(),
        );
        if let Some(home) = interpreter.parent() {
            environment.prefer(home);
        }
        environment.set("PYTHONIOENCODING", "utf-8:surrogateescape");
        environment.set("FC_RUNTIME_API", registration.address());
        environment.set("_FC_EVENT_AS", event_as(definition.event_as));
        environment.set("_FC_LAYERS", layers(&definition.layers)?);
        environment.add_user(&definition)?;

        let mut arguments: Vec<OsString> = ["-u", "-B", "-W", "ignore"].map(Into::into).into();
        if let Some(port) = definition.debug {
            let listen = format!("127.0.0.1:{port}");
            arguments.extend(["-m", "debugpy", "--listen"].map(OsString::from));
            arguments.push(listen.into());
        }
        arguments.push(bootstrap.into());
        let spawn = Spawn {
            supervisor: self.workshop.supervisor.clone(),
            program: interpreter.into(),
            arguments,
            folder: definition.code.clone(),
            environment: environment.into_pairs(),
            memory_mb: definition.memory,
            home: folder.path().to_owned(),
        };
        let worker = Worker::start(&self.workshop, launch, &spawn, folder, STYLE.prefix).await?;
        ApiInstance::ready(worker, registration, STYLE).await
    }
}

const fn event_as(form: EventAs) -> &'static str {
    match form {
        EventAs::Auto => "auto",
        EventAs::Bytes => "bytes",
        EventAs::Object => "object",
    }
}

/// The folders of layers as one list (PY-3).
fn layers(folders: &[std::path::PathBuf]) -> Result<OsString, StartError> {
    std::env::join_paths(folders).map_err(|error| StartError::CannotRun {
        reason: format!("its layers cannot be listed: {error}"),
        hint: None,
    })
}
