//! What all workers of a host share: the runtime API, the supervisor's program, places on disk.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::clock::RealClock;
use crate::domain::function::FunctionDefinition;
use crate::function::host::{HostOptions, Random};
use crate::function::log::RequestLog;
use crate::function::runtime::StartError;
use crate::function::runtime::environment::Place;
use crate::function::runtime::worker::api::{Registration, RuntimeApi};
use crate::function::runtime::worker::folder::{Folder, remove_leftovers};
use crate::function::runtime::worker::ports::Ports;

/// Cheap to share; the API starts with the first worker.
pub struct Workshop {
    pub(super) supervisor: PathBuf,
    pub(super) search_path: OsString,
    pub(super) place: Place,
    pub(super) real: RealClock,
    pub(super) ports: Ports,
    options: HostOptions,
    random: Random,
    work_dir: PathBuf,
    api: OnceCell<RuntimeApi>,
}

impl Workshop {
    /// Takes over the work folder: what an earlier process left there is removed.
    pub fn new(options: &HostOptions) -> Self {
        remove_leftovers(&options.work_dir);
        let somewhere = u16::from_le_bytes(options.random());
        Self {
            supervisor: options.program.clone(),
            search_path: options.search_path.clone(),
            place: Place {
                region: options.region.clone(),
                account_id: options.account_id.clone(),
            },
            real: options.real.clone(),
            ports: Ports::beginning_at(somewhere),
            options: options.clone(),
            random: options.random.clone(),
            work_dir: options.work_dir.clone(),
            api: OnceCell::new(),
        }
    }

    /// A place in the runtime API under a fresh secret.
    pub(super) async fn register(&self) -> Result<Registration, StartError> {
        match self.api.get_or_try_init(RuntimeApi::start).await {
            Ok(api) => Ok(api.register(self.hex::<16>())),
            Err(error) => Err(StartError::CannotRun {
                reason: format!("the runtime API cannot listen on the loopback interface: {error}"),
                hint: None,
            }),
        }
    }

    /// A fresh private folder.
    pub(super) fn folder(&self) -> Result<Folder, StartError> {
        Folder::create(&self.work_dir, &self.hex::<8>()).map_err(|error| StartError::CannotRun {
            reason: format!(
                "no folder can be made below `{}`: {error}",
                self.work_dir.display()
            ),
            hint: Some("free some space, or give another data directory".to_owned()),
        })
    }

    /// A log for what an instance prints while no request runs.
    pub(super) fn idle_log(&self, definition: &FunctionDefinition) -> Arc<RequestLog> {
        Arc::new(self.options.log(&definition.name, None))
    }

    fn hex<const N: usize>(&self) -> String {
        use std::fmt::Write as _;
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
