//! What every worker stands on: a private folder, a place in the runtime API, an environment.

use std::ffi::OsString;
use std::path::Path;

use crate::domain::function::FunctionDefinition;
use crate::function::runtime::environment::Environment;
use crate::function::runtime::worker::api::Registration;
use crate::function::runtime::worker::folder::Folder;
use crate::function::runtime::worker::process::Spawn;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Launch, StartError};

/// Where programs are looked for, behind the interpreter's own folder.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The ground of one instance.
pub(super) struct Ground {
    pub(super) folder: Folder,
    pub(super) registration: Registration,
    pub(super) environment: Environment,
}

impl Ground {
    pub(super) async fn prepare(workshop: &Workshop, launch: &Launch) -> Result<Self, StartError> {
        let folder = workshop.folder()?;
        let registration = workshop.register().await?;
        let mut environment =
            Environment::of(&launch.definition, &launch.instance_id, &workshop.place);
        environment.set("PATH", SYSTEM_PATH);
        environment.set("HOME", folder.path());
        environment.set("TMPDIR", folder.path());
        environment.set("FC_RUNTIME_API", registration.address());
        Ok(Self {
            folder,
            registration,
            environment,
        })
    }

    /// Puts the folder of an interpreter in front of the path.
    pub(super) fn prefer_folder_of(&mut self, interpreter: &Path) {
        if let Some(folder) = interpreter.parent() {
            let mut path = folder.as_os_str().to_owned();
            path.push(":");
            path.push(SYSTEM_PATH);
            self.environment.set("PATH", path);
        }
    }

    /// The process to start, with the user's variables on top of everything else.
    pub(super) fn spawn(
        &mut self,
        workshop: &Workshop,
        definition: &FunctionDefinition,
        program: OsString,
        arguments: Vec<OsString>,
    ) -> Result<Spawn, StartError> {
        self.environment.add_user(definition)?;
        Ok(Spawn {
            supervisor: workshop.supervisor.clone(),
            program,
            arguments,
            folder: definition.code.clone(),
            environment: self.environment.pairs(),
            memory_mb: definition.memory,
            home: self.folder.path().to_owned(),
        })
    }
}

/// Folders as one list, as `PATH` has them.
pub(super) fn folder_list<'a>(
    folders: impl IntoIterator<Item = &'a Path>,
) -> Result<OsString, StartError> {
    std::env::join_paths(folders).map_err(|error| StartError::CannotRun {
        reason: format!("its layers cannot be listed: {error}"),
        hint: None,
    })
}
