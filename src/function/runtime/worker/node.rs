//! Node.js functions: the bootstrap, the interpreter and its flags.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::function::FunctionDefinition;
use crate::function::runtime::environment::check_files;
use crate::function::runtime::worker::ground::{Ground, folder_list};
use crate::function::runtime::worker::instance::ApiInstance;
use crate::function::runtime::worker::interpreter;
use crate::function::runtime::worker::process::Spawn;
use crate::function::runtime::worker::python::event_as;
use crate::function::runtime::worker::running::Worker;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Instance, Launch, Runtime, StartError};

const BOOTSTRAP: &str = include_str!("../../../../assets/runtime/node/bootstrap.cjs");

/// Starts Node.js workers.
pub struct NodeRuntime {
    workshop: Arc<Workshop>,
}

impl NodeRuntime {
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }

    fn spawn(&self, launch: &Launch, ground: &mut Ground) -> Result<Spawn, StartError> {
        let definition = &launch.definition;
        let interpreter = interpreter::node(definition, &self.workshop.search_path)?;
        let bootstrap = ground
            .folder
            .bootstrap("moonport-bootstrap", "cjs", BOOTSTRAP)?;
        let layers: Vec<PathBuf> = definition
            .layers
            .iter()
            .flat_map(|layer| {
                let inside = |below| layer.join(below);
                // A layer may be laid out as in the cloud.
                [
                    inside("nodejs/node_modules"),
                    inside("node_modules"),
                    inside(""),
                ]
            })
            .collect();
        ground.prefer_folder_of(&interpreter);
        let environment = &mut ground.environment;
        environment.set(
            "NODE_PATH",
            folder_list(layers.iter().map(PathBuf::as_path))?,
        );
        environment.set("_FC_EVENT_AS", event_as(definition.event_as));
        let arguments = arguments(definition, bootstrap);
        ground.spawn(&self.workshop, definition, interpreter.into(), arguments)
    }
}

#[async_trait]
impl Runtime for NodeRuntime {
    fn check(&self, definition: &FunctionDefinition) -> Result<(), StartError> {
        interpreter::node(definition, &self.workshop.search_path)?;
        check_files(definition)
    }

    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        self.check(&launch.definition)?;
        let mut ground = Ground::prepare(&self.workshop, &launch).await?;
        let spawn = self.spawn(&launch, &mut ground)?;
        let worker = Worker::start(&self.workshop, launch, spawn, ground.folder).await?;
        ApiInstance::ready(worker, ground.registration, None).await
    }
}

/// The flags of the cloud (ND-12), and the inspector when a debugger is to attach.
fn arguments(definition: &FunctionDefinition, bootstrap: PathBuf) -> Vec<OsString> {
    let heap = definition.memory * 9 / 10;
    let mut arguments: Vec<OsString> = vec![
        format!("--max-old-space-size={heap}").into(),
        "--max-http-header-size=16384".into(),
        "--expose-gc".into(),
    ];
    if let Some(port) = definition.debug {
        arguments.push(format!("--inspect=127.0.0.1:{port}").into());
    }
    arguments.push(bootstrap.into());
    arguments
}
