//! The function host: which functions there are, and a free instance for each invocation.
//!
//! Every task and every process the host starts is gone when [`Host::shutdown`] returns.

mod crash_loop;
mod entry;
mod live;
mod load_failure;
mod options;
mod pool;
mod reclaim;
mod reload;
mod run;
mod statistics;
mod verdict;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::control::functions::FunctionRow;
use crate::domain::function::{FunctionDefinition, Runtime};
use crate::domain::limits::check_function;
use crate::domain::names::FunctionName;
use crate::function::error::HostError;
use crate::function::invocation::{Invocation, Invoker, Outcome};
use crate::function::runtime::closure::Function;
use crate::function::runtime::list::Runtimes;

use entry::Entry;
use live::Live;
use pool::Seat;
use run::Ran;
use watch::CodeWatch;

pub use options::{HostOptions, Random};

/// Real time that pre-stop hooks have together when the host stops.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A handle to the host; cloning gives another.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    options: HostOptions,
    runtimes: Runtimes,
    closures: Mutex<HashMap<FunctionName, Arc<dyn Function>>>,
    entries: RwLock<BTreeMap<FunctionName, Arc<Entry>>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Wakes the reclaim task when an instance became free.
    freed: Notify,
    watch: Mutex<CodeWatch>,
}

impl Host {
    /// A host without functions; call it within a Tokio runtime.
    pub fn new(options: HostOptions) -> Self {
        let (saved, saves) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            runtimes: Runtimes::new(&options),
            options,
            closures: Mutex::default(),
            entries: RwLock::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            freed: Notify::new(),
            watch: Mutex::new(CodeWatch::new(saved)),
        });
        inner.tasks.spawn(reclaim::reclaim_idle(inner.clone()));
        inner
            .tasks
            .spawn(reload::follow_saves(inner.clone(), saves));
        Self(inner)
    }

    pub fn options(&self) -> &HostOptions {
        &self.0.options
    }

    /// Registers the code of a function whose runtime is `rust`; its definition follows with [`Self::put`] (RS-7).
    pub fn register(&self, name: FunctionName, function: Arc<dyn Function>) {
        self.0.closures.lock().insert(name, function);
    }

    /// Makes a function, or replaces its definition: running requests finish on the old instances (LC-9).
    pub fn put(&self, definition: FunctionDefinition) -> Result<FunctionRow, HostError> {
        if let Some(problem) = check_function(&definition).into_iter().next() {
            let function = definition.name;
            return Err(HostError::IllegalDefinition { function, problem });
        }
        self.0.watch_code(&definition);
        let entry = self.0.replace(definition);
        Ok(self.0.row(&entry))
    }

    /// Forgets a function; false when there was none.
    pub fn remove(&self, name: &FunctionName) -> bool {
        self.0.watch.lock().forget(name);
        let removed = self.0.entries.write().remove(name);
        let Some(entry) = removed else { return false };
        self.0.retire(&entry);
        true
    }

    /// Ends idle instances now and busy ones after their request; the next request meets a fresh one.
    pub fn restart(&self, name: &FunctionName) -> Result<(), HostError> {
        let definition = self.0.entry(name)?.definition.as_ref().clone();
        self.0.replace(definition);
        Ok(())
    }

    pub fn rows(&self) -> Vec<FunctionRow> {
        let entries = self.0.entries.read();
        entries.values().map(|entry| self.0.row(entry)).collect()
    }

    pub fn row(&self, name: &FunctionName) -> Result<FunctionRow, HostError> {
        Ok(self.0.row(self.0.entry(name)?.as_ref()))
    }

    /// Lets nothing start any more, ends every instance with all it started, and returns when they are gone.
    pub async fn shutdown(&self) {
        self.0.stopping.cancel();
        let entries = std::mem::take(&mut *self.0.entries.write());
        let ending = entries.values().flat_map(|entry| {
            let idle = entry.retire().into_iter().map(|live| (live, true));
            let busy = entry.pool.lock().drain().into_iter();
            idle.chain(busy.map(|live| (live, false)))
        });
        let ended = futures_util::future::join_all(
            ending.map(|(live, idle)| self.0.end_at_stop(live, idle)),
        );
        self.0.tasks.close();
        tokio::join!(ended, self.0.tasks.wait());
    }
}

#[async_trait]
impl Invoker for Host {
    async fn invoke(&self, invocation: Invocation) -> Result<Outcome, HostError> {
        let real = self.0.options.real.clone();
        let began = real.now();
        loop {
            if self.0.stopping.is_cancelled() {
                return Err(HostError::Stopping);
            }
            let entry = self.0.entry(&invocation.function)?;
            let Some(permit) = entry.permit().await else {
                continue;
            };
            let waited = real.now() - began;
            // A task of its own: a caller that goes away never leaves an instance in the middle of a request.
            let (host, invocation) = (self.0.clone(), invocation.clone());
            let task = self.0.tasks.spawn(async move {
                let _permit = permit;
                run::run(&host, &entry, &invocation, waited).await
            });
            match task.await {
                Ok(Ran::Outcome(outcome)) => return Ok(*outcome),
                Ok(Ran::Retired) => {}
                Ok(Ran::Refused(error)) => return Err(error),
                Err(_) => return Err(HostError::Stopping),
            }
        }
    }
}

impl Inner {
    fn entry(&self, name: &FunctionName) -> Result<Arc<Entry>, HostError> {
        let entry = self.entries.read().get(name).cloned();
        match entry {
            Some(entry) => Ok(entry),
            None if self.stopping.is_cancelled() => Err(HostError::Stopping),
            None => Err(HostError::NotFound(name.clone())),
        }
    }

    fn row(&self, entry: &Entry) -> FunctionRow {
        entry.row(&self.options.clock, &self.options.real)
    }

    /// Puts a fresh version in force and retires the one before; its figures go on.
    fn replace(&self, definition: FunctionDefinition) -> Arc<Entry> {
        let closure = self.closures.lock().get(&definition.name).cloned();
        let runtime = self.runtimes.of(&definition, closure);
        let mut entries = self.entries.write();
        let before = entries.get(&definition.name).cloned();
        let statistics = before.as_ref().map(|entry| entry.statistics.clone());
        let name = definition.name.clone();
        let entry = Arc::new(Entry::new(
            definition,
            runtime,
            statistics.unwrap_or_default(),
        ));
        entries.insert(name, entry.clone());
        drop(entries);
        if let Some(before) = before {
            self.retire(&before);
        }
        entry
    }

    /// Follows the code of a function whose definition asks for it.
    fn watch_code(&self, definition: &FunctionDefinition) {
        let mut watch = self.watch.lock();
        let in_folder = definition.runtime != Runtime::Rust;
        if !definition.watch || !in_folder {
            watch.forget(&definition.name);
        } else if let Err(error) = watch.follow(&definition.name, &definition.code) {
            tracing::warn!(%error, function = %definition.name, "saved code will not restart it");
        }
    }

    /// Puts the same definition in force again because `path` was saved.
    fn reload(&self, name: &FunctionName, path: &Path) {
        let Ok(entry) = self.entry(name) else { return };
        let definition = entry.definition.as_ref().clone();
        let inside = path.strip_prefix(&definition.code).unwrap_or(path);
        let detail = format!("`{}` changed", inside.display());
        self.replace(definition);
        self.options
            .instance_event(name, "PrepareCodeSuccess", detail);
    }

    fn retire(&self, entry: &Arc<Entry>) {
        for live in entry.retire() {
            self.end(entry, live);
        }
    }

    fn give_back(&self, entry: &Entry, seat: &Arc<Seat>, keep: bool) {
        let now = self.options.real.now();
        let leaving = entry.pool.lock().give_back(seat, keep, now);
        match leaving {
            Some(live) => self.end(entry, live),
            None => self.freed.notify_one(),
        }
    }

    /// Ends an instance in the background.
    fn end(&self, entry: &Entry, live: Arc<Live>) {
        let options = self.options.clone();
        let gracefully = !self.stopping.is_cancelled();
        let name = entry.definition.name.clone();
        self.tasks.spawn(async move {
            live.end(gracefully, &options).await;
            tracing::debug!(function = %name, instance = %live.id, "instance ended");
        });
    }

    /// Ends an instance while the host stops; an idle one may run its pre-stop hook, within patience.
    async fn end_at_stop(&self, live: Arc<Live>, idle: bool) {
        if idle {
            tokio::select! {
                () = live.end(true, &self.options) => return,
                () = self.options.real.sleep(STOP_PATIENCE) => {}
            }
        }
        live.end(false, &self.options).await;
    }

    fn next_reclaim(&self) -> Option<std::time::Instant> {
        let entries = self.entries.read();
        let next = |entry: &Arc<Entry>| entry.pool.lock().next_reclaim(entry.idle_timeout());
        entries.values().filter_map(next).min()
    }

    fn idle_instances(&self) -> Vec<(Arc<Entry>, Vec<Arc<Live>>)> {
        let now = self.options.real.now();
        let entries = self.entries.read();
        entries
            .values()
            .map(|entry| {
                let idle = entry.pool.lock().reclaim(entry.idle_timeout(), now);
                (entry.clone(), idle)
            })
            .collect()
    }
}
