//! Builds everything one process needs over a data directory it owns. The only place that knows all parts.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::Feed;
use crate::app::access_keys::Keyring;
use crate::app::clock::{OwnActivity, OwnClock};
use crate::app::documents::Documents;
use crate::app::endpoint::Doorway;
use crate::app::error::AppError;
use crate::app::functions::OwnFunctions;
use crate::app::identity::Identity;
use crate::app::instances::{InstanceOptions, InstanceSet};
use crate::app::listening::Listening;
use crate::app::owner::DataLock;
use crate::app::parts::{OwnInstances, OwnOutlet, OwnSurroundings};
use crate::app::runs::OwnRuns;
use crate::clock::{BrokerClock, RealClock};
use crate::config::paths::DataDir;
use crate::config::settings::Certificate;
use crate::control::Control;
use crate::control::error::ControlError;
use crate::domain::names::FunctionName;
use crate::function::accepted::{Accepted, AcceptedOptions};
use crate::function::host::{Host, HostOptions, Random};
use crate::function::runtime::closure::Function;
use crate::store::console::ConsoleStore;
use crate::store::error::StoreError;
use crate::store::runs::Runs;
use crate::trigger::options::TriggerOptions;
use crate::trigger::set::TriggerSet;

/// Events kept for readers that fall behind.
const FEED: usize = 65_536;
/// The account functions see; nobody's.
const ACCOUNT: &str = "0";

/// How the parts are to be built.
pub struct EngineOptions {
    pub data: DataDir,
    /// Bytes of log lines and invocation records kept.
    pub runs_bytes: u64,
    pub listening: Listening,
    /// Beyond loopback, clients come in without credentials.
    pub anonymous: bool,
    /// What clients that speak TLS are shown, instead of a certificate made on first use.
    pub certificate: Option<Certificate>,
    /// Whether triggers run; a single command only looks at them.
    pub triggers_run: bool,
    pub functions: Vec<(FunctionName, Arc<dyn Function>)>,
    /// The executable that supervises workers.
    pub program: PathBuf,
    pub identity: Identity,
    /// Broker time to go by instead of the one kept in the directory.
    pub clock: Option<BrokerClock>,
    pub real: RealClock,
    pub random: Random,
    /// Given to every function instance instead of a fresh id.
    pub function_instance_id: Option<String>,
}

impl EngineOptions {
    /// A running program on `data`: system time, system randomness, the machine's own identity.
    pub fn new(data: DataDir) -> Result<Self, AppError> {
        Ok(Self {
            data,
            runs_bytes: crate::config::settings::DEFAULT_RUNS_BYTES,
            listening: Listening::AsDefined,
            anonymous: false,
            certificate: None,
            triggers_run: true,
            functions: Vec::new(),
            program: std::env::current_exe().map_err(AppError::NoProgram)?,
            identity: Identity::of_system(),
            clock: None,
            real: RealClock::system(),
            random: Arc::new(system_random),
            function_instance_id: None,
        })
    }
}

/// Everything over one data directory, running. [`Engine::stop`] ends it in order.
pub struct Engine {
    pub control: Control,
    pub real: RealClock,
    pub(super) data: DataDir,
    pub(super) instances: InstanceSet,
    pub(super) triggers: TriggerSet,
    pub(super) accepted: Accepted,
    pub(super) host: Host,
    pub(super) clock: BrokerClock,
    pub(super) documents: Documents,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// Given back last.
    pub(super) lock: DataLock,
}

impl Engine {
    /// Opens the stores side by side, then starts what runs on them.
    pub async fn start(options: EngineOptions, lock: DataLock) -> Result<Self, AppError> {
        let feed = Feed::new(FEED);
        let documents = open_documents(&options.data).await?;
        let clock = match &options.clock {
            Some(clock) => clock.clone(),
            None => BrokerClock::restore(documents.clock()?),
        };
        let runs = Runs::open(&options.data.runs(), options.runs_bytes)?;
        let runs = Arc::new(OwnRuns(Arc::new(runs)));
        let keyring = Arc::new(open_keyring(&options.data)?);
        let host = function_host(&options, &clock, &feed, &runs);
        register(&host, &documents, options.functions)?;
        let doorway = Doorway {
            keys: keyring.table.clone(),
            folder: options.data.keys(),
            certificate: options.certificate,
            anonymous: options.anonymous,
            clock: clock.clone(),
            real: options.real.clone(),
        };
        let known = documents.instances()?;
        let instances = InstanceOptions {
            data: options.data.clone(),
            documents: documents.clone(),
            listening: options.listening,
            doorway,
            clock: clock.clone(),
            real: options.real.clone(),
            feed: feed.clone(),
            ids: Arc::new(options.identity.ids()),
            host_name: options.identity.host_name,
        };
        let instances = InstanceSet::open(instances, known).await;
        let accepted = Accepted::new(AcceptedOptions {
            host: host.clone(),
            store: Arc::new(documents.clone()),
            outlet: Arc::new(OwnOutlet(instances.clone())),
            runs: options.triggers_run,
        });
        let triggers = TriggerSet::new(TriggerOptions {
            surroundings: Arc::new(OwnSurroundings {
                instances: instances.clone(),
                host: host.clone(),
            }),
            invoker: Arc::new(host.clone()),
            accepted: accepted.clone(),
            store: Arc::new(documents.clone()),
            clock: clock.clone(),
            real: options.real.clone(),
            feed: feed.clone(),
            random: options.random,
            account_id: ACCOUNT.to_owned(),
            runs: options.triggers_run,
        });
        let tasks = TaskTracker::new();
        let control = Control {
            instances: Arc::new(OwnInstances {
                instances: instances.clone(),
                triggers: triggers.clone(),
                keyring,
            }),
            functions: Arc::new(OwnFunctions {
                host: host.clone(),
                documents: documents.clone(),
                triggers: triggers.clone(),
                accepted: accepted.clone(),
            }),
            triggers: Arc::new(triggers.clone()),
            logs: runs,
            clock: Arc::new(OwnClock {
                clock: clock.clone(),
                documents: documents.clone(),
            }),
            activity: Arc::new(OwnActivity(feed)),
        };
        let engine = Self {
            control,
            real: options.real,
            data: options.data,
            instances,
            triggers,
            accepted,
            host,
            clock,
            documents,
            stopping: CancellationToken::new(),
            tasks,
            lock,
        };
        engine.begin().await?;
        Ok(engine)
    }

    /// Triggers before endpoints: what clients send from the first moment on is read.
    async fn begin(&self) -> Result<(), AppError> {
        self.accepted.load().map_err(AppError::Accepted)?;
        self.triggers.load().await.map_err(AppError::Triggers)?;
        self.instances.listen().await.map_err(AppError::Control)?;
        self.tasks.spawn(super::lifecycle::keep_clock(
            self.documents.clone(),
            self.clock.clone(),
            self.real.clone(),
            self.stopping.clone(),
        ));
        Ok(())
    }
}

fn open_keyring(data: &DataDir) -> Result<Keyring, AppError> {
    Keyring::open(data).map_err(|source| AppError::DirectoryUnusable {
        path: data.keys(),
        source,
    })
}

async fn open_documents(data: &DataDir) -> Result<Documents, AppError> {
    let path = data.console_store();
    let opened = tokio::task::spawn_blocking(move || ConsoleStore::open(&path)).await;
    match opened {
        Ok(store) => Ok(Documents(Arc::new(store?))),
        Err(_) => Err(AppError::Store(StoreError::Closed)),
    }
}

fn function_host(
    options: &EngineOptions,
    clock: &BrokerClock,
    feed: &Feed,
    runs: &Arc<OwnRuns>,
) -> Host {
    let work = options.data.work();
    let given = HostOptions::new(feed.clone(), runs.clone(), options.program.clone(), work);
    Host::new(HostOptions {
        clock: clock.clone(),
        real: options.real.clone(),
        random: options.random.clone(),
        instance_id: options.function_instance_id.clone(),
        account_id: ACCOUNT.to_owned(),
        ..given
    })
}

/// Closures first, so that a kept definition finds its code.
fn register(
    host: &Host,
    documents: &Documents,
    closures: Vec<(FunctionName, Arc<dyn Function>)>,
) -> Result<(), AppError> {
    for (name, function) in closures {
        host.register(name, function);
    }
    for definition in documents.functions()? {
        let name = definition.name.clone();
        if let Err(error) = host.put(definition) {
            tracing::error!(function = %name, %error, "a kept function is not usable");
        }
    }
    Ok(())
}

pub(super) fn store_failed(error: StoreError) -> ControlError {
    ControlError::StoreFailed(error.to_string())
}

/// Falls back to a generator seeded by the process when the system gives nothing.
fn system_random(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        fastrand::fill(bytes);
    }
}
