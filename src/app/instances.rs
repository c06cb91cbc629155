//! The instances of this process: each a broker over its own journal, with its own endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::activity::Feed;
use crate::app::documents::Documents;
use crate::app::endpoint::{Doorway, OpenEndpoint};
use crate::app::listening::Listening;
use crate::broker::{Broker, BrokerOptions};
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::config::paths::DataDir;
use crate::control::Reply;
use crate::control::error::ControlError;
use crate::control::instances::{Endpoint, InstanceRow, InstanceStatus};
use crate::domain::ids::MessageIdGenerator;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;
use crate::report::{Exit, Hint, Report};
use crate::store;
use crate::store::cache::CacheBudget;
use crate::store::open::Options;

/// Bytes of memory that all journals together use as caches.
const CACHE_BUDGET: usize = 128 * 1024 * 1024;

/// What every instance is built from.
pub struct InstanceOptions {
    pub data: DataDir,
    pub documents: Documents,
    pub listening: Listening,
    pub doorway: Doorway,
    pub clock: BrokerClock,
    pub real: RealClock,
    pub feed: Feed,
    pub ids: Arc<MessageIdGenerator>,
    pub host_name: String,
}

/// A handle to all instances; cloning gives another.
#[derive(Clone)]
pub struct InstanceSet(Arc<Inner>);

struct Inner {
    options: InstanceOptions,
    cache: CacheBudget,
    entries: RwLock<BTreeMap<InstanceId, Entry>>,
    /// One change of an instance at a time.
    changing: tokio::sync::Mutex<()>,
}

struct Entry {
    definition: InstanceDefinition,
    /// Why it could not be opened, in a sentence.
    broker: Result<Broker, String>,
    endpoint: Endpoint,
    open: Option<OpenEndpoint>,
}

impl InstanceSet {
    /// Opens every instance the documents know, at the same time. One that cannot be opened says so in its status.
    pub async fn open(options: InstanceOptions, known: Vec<InstanceDefinition>) -> Self {
        let cache = CacheBudget::new(CACHE_BUDGET);
        let opening = known.iter().map(|definition| {
            let opened = open_broker(&options, &cache, definition.clone());
            async { (definition.clone(), opened.await) }
        });
        let opened = futures_util::future::join_all(opening).await;
        let entries = opened.into_iter().map(|(definition, broker)| {
            let entry = Entry {
                definition: definition.clone(),
                broker,
                endpoint: Endpoint::Off,
                open: None,
            };
            (definition.id, entry)
        });
        let entries = RwLock::new(entries.collect());
        Self(Arc::new(Inner {
            options,
            cache,
            entries,
            changing: tokio::sync::Mutex::new(()),
        }))
    }

    /// Opens the endpoints of all instances.
    pub async fn listen(&self) -> Reply<()> {
        let _changing = self.0.changing.lock().await;
        let ids: Vec<InstanceId> = self.0.entries.read().keys().cloned().collect();
        for id in ids {
            self.open_endpoint(&id).await?;
        }
        Ok(())
    }

    pub fn rows(&self) -> Vec<InstanceRow> {
        self.0.entries.read().values().map(Entry::row).collect()
    }

    pub fn row(&self, id: &InstanceId) -> Option<InstanceRow> {
        self.0.entries.read().get(id).map(Entry::row)
    }

    pub fn cluster(&self, id: &InstanceId) -> Reply<Cluster> {
        let entries = self.0.entries.read();
        let entry = entries
            .get(id)
            .ok_or_else(|| ControlError::InstanceNotFound(id.to_string()))?;
        match &entry.broker {
            Ok(broker) => Ok(broker.cluster()),
            Err(reason) => Err(ClusterError::StoreFailed(reason.clone()).into()),
        }
    }

    /// Makes or changes an instance.
    pub async fn put(&self, mut definition: InstanceDefinition) -> Reply<InstanceRow> {
        let _changing = self.0.changing.lock().await;
        check(&definition)?;
        let id = definition.id.clone();
        let before = self.row(&id).map(|row| row.definition);
        match &before {
            Some(before) => definition.created_at = before.created_at,
            None if definition.created_at == Timestamp::EPOCH => {
                definition.created_at = self.0.options.clock.now();
            }
            None => {}
        }
        match before {
            Some(before) => self.change(before, definition).await?,
            None => self.make(definition).await?,
        }
        let row = self.row(&id);
        row.ok_or_else(|| ControlError::InstanceNotFound(id.to_string()))
    }

    async fn make(&self, definition: InstanceDefinition) -> Reply<()> {
        let same_name = |row: &InstanceRow| row.definition.name == definition.name;
        if let Some(row) = self.rows().iter().find(|row| same_name(row)) {
            return Err(illegal(
                &definition,
                "name",
                format!("belongs to instance `{}` already", row.definition.id),
            ));
        }
        let broker = open_broker(&self.0.options, &self.0.cache, definition.clone()).await;
        let broker = broker.map_err(ControlError::StoreFailed)?;
        self.0.options.documents.put_instance(&definition)?;
        let id = definition.id.clone();
        let entry = Entry {
            definition,
            broker: Ok(broker),
            endpoint: Endpoint::Off,
            open: None,
        };
        self.0.entries.write().insert(id.clone(), entry);
        self.open_endpoint(&id).await
    }

    async fn change(&self, before: InstanceDefinition, mut after: InstanceDefinition) -> Reply<()> {
        // An address that was chosen stays, unless another is asked for.
        after.listen = after.listen.or(before.listen.clone());
        self.0.options.documents.put_instance(&after)?;
        let id = after.id.clone();
        let moved = before.listen != after.listen || before.listens != after.listens;
        let closing = {
            let mut entries = self.0.entries.write();
            let Some(entry) = entries.get_mut(&id) else {
                return Err(ControlError::InstanceNotFound(id.to_string()));
            };
            entry.definition = after.clone();
            if let Ok(broker) = &entry.broker {
                broker.redefine(after);
            }
            if moved { entry.open.take() } else { None }
        };
        if let Some(endpoint) = closing {
            endpoint.close().await;
        }
        if moved {
            self.open_endpoint(&id).await?;
        }
        Ok(())
    }

    /// Ends an instance and removes its store.
    pub async fn delete(&self, id: &InstanceId) -> Reply<()> {
        let _changing = self.0.changing.lock().await;
        let removed = self.0.entries.write().remove(id);
        let Some(entry) = removed else {
            return Err(ControlError::InstanceNotFound(id.to_string()));
        };
        // First out of the documents: a store without a definition is only litter, the other way round is a loss.
        self.0.options.documents.delete_instance(id)?;
        entry.close().await;
        let folder = self.0.options.data.instance(id);
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let folder = folder.display();
                let problem = format!("cannot remove `{folder}`: {error}");
                Err(ControlError::StoreFailed(problem))
            }
            _ => Ok(()),
        }
    }

    /// Closes the endpoints: first of all that stops.
    pub async fn close_endpoints(&self) {
        let _changing = self.0.changing.lock().await;
        let open: Vec<OpenEndpoint> = {
            let mut entries = self.0.entries.write();
            entries.values_mut().filter_map(|e| e.open.take()).collect()
        };
        futures_util::future::join_all(open.into_iter().map(OpenEndpoint::close)).await;
    }

    /// Closes the brokers with their journals: last of all that stops.
    pub async fn close(&self) {
        let _changing = self.0.changing.lock().await;
        let entries = std::mem::take(&mut *self.0.entries.write());
        futures_util::future::join_all(entries.into_values().map(Entry::close)).await;
    }

    async fn open_endpoint(&self, id: &InstanceId) -> Reply<()> {
        let (definition, cluster) = match (self.row(id), self.cluster(id)) {
            (Some(row), Ok(cluster)) => (row.definition, cluster),
            _ => return Ok(()),
        };
        let options = &self.0.options;
        let opened = options
            .listening
            .open(&options.doorway, &definition, cluster);
        let opened = opened.await;
        if let Some(chosen) = opened.chosen {
            let mut definition = definition;
            definition.listen = Some(chosen);
            options.documents.put_instance(&definition)?;
            if let Some(entry) = self.0.entries.write().get_mut(id) {
                entry.definition = definition;
            }
        }
        if let Some(entry) = self.0.entries.write().get_mut(id) {
            entry.endpoint = opened.state;
            entry.open = opened.endpoint;
        }
        Ok(())
    }
}

impl Entry {
    fn row(&self) -> InstanceRow {
        let status = match &self.broker {
            Ok(_) => InstanceStatus::Running,
            Err(reason) => InstanceStatus::Failed {
                reason: reason.clone(),
            },
        };
        InstanceRow {
            definition: self.definition.clone(),
            status,
            endpoint: self.endpoint.clone(),
        }
    }

    async fn close(self) {
        if let Some(endpoint) = self.open {
            endpoint.close().await;
        }
        if let Ok(broker) = self.broker {
            broker.close().await;
        }
    }
}

/// Opening reads files and replays, so it has a thread of its own.
async fn open_broker(
    options: &InstanceOptions,
    cache: &CacheBudget,
    definition: InstanceDefinition,
) -> Result<Broker, String> {
    let path = options.data.instance(&definition.id);
    let (clock, real) = (options.clock.clone(), options.real.clone());
    let (ids, feed) = (options.ids.clone(), options.feed.clone());
    let host_name = options.host_name.clone();
    let cache = cache.clone();
    let opening = tokio::task::spawn_blocking(move || {
        let journal_options = Options {
            cache,
            ..Options::default()
        };
        let journal = store::open::open(&path, journal_options).map_err(|error| told(&error))?;
        let broker = Broker::open(BrokerOptions {
            definition,
            journal,
            clock,
            real,
            ids,
            host_name,
            feed,
        });
        broker.map_err(|error| told(&error))
    });
    opening
        .await
        .unwrap_or_else(|error| Err(format!("opening the store failed: {error}")))
}

/// Headline, causes and hint on one line.
fn told<E: std::error::Error + Hint>(error: &E) -> String {
    let report = Report::new(error, Exit::Usage);
    let mut parts = vec![report.headline];
    parts.extend(report.causes);
    let told = parts.join(": ");
    match report.hint {
        Some(hint) => format!("{told} ({hint})"),
        None => told,
    }
}

/// Longest name of an instance, in characters (N2).
const MAX_NAME: usize = 128;

fn check(definition: &InstanceDefinition) -> Reply<()> {
    let name = &definition.name;
    let length = name.chars().count();
    if name.trim().is_empty() || length > MAX_NAME || name.chars().any(char::is_control) {
        let problem = format!("must have 1-{MAX_NAME} printable characters");
        return Err(illegal(definition, "name", problem));
    }
    if !(0.0..=1.0).contains(&definition.send_receive_ratio) {
        let problem = "must be between 0 and 1".to_owned();
        return Err(illegal(definition, "send-receive-ratio", problem));
    }
    Ok(())
}

fn illegal(definition: &InstanceDefinition, field: &str, problem: String) -> ControlError {
    ControlError::IllegalDefinition {
        what: format!("instance `{}`", definition.name),
        field: field.to_owned(),
        problem,
    }
}
