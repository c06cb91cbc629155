//! All triggers of the process: made, changed, commanded, started again after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::cluster::Cluster;
use crate::control::error::ControlError;
use crate::control::instances::InstanceRow;
use crate::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use crate::control::{Reply, Triggers};
use crate::domain::circle::circle;
use crate::domain::names::{FunctionName, TriggerName};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{TriggerDefinition, TriggerState};
use crate::report::{Exit, Report};
use crate::trigger::options::TriggerOptions;
use crate::trigger::prepare::{check_definition, check_function, prepare};
use crate::trigger::running::{Running, store_failed};
use crate::trigger::saved::TriggerStoreError;
use crate::trigger::status::Mode;

/// Real time a changed or deleted trigger's running invocations get to end.
const CHANGE_PATIENCE: Duration = Duration::from_secs(30);

/// A handle to all triggers; cloning gives another.
#[derive(Clone)]
pub struct TriggerSet(Arc<Inner>);

struct Inner {
    options: TriggerOptions,
    slots: Mutex<BTreeMap<TriggerName, Slot>>,
    /// One put, delete or new start at a time.
    changing: tokio::sync::Mutex<()>,
}

/// A trigger that is defined.
#[derive(Clone)]
enum Slot {
    Running(Running),
    Broken(Box<Broken>),
}

/// A trigger that could not be started as things are.
#[derive(Clone)]
struct Broken {
    definition: TriggerDefinition,
    error: String,
    since: Timestamp,
}

impl TriggerSet {
    /// No triggers yet; see [`Self::load`].
    pub fn new(options: TriggerOptions) -> Self {
        Self(Arc::new(Inner {
            options,
            slots: Mutex::default(),
            changing: tokio::sync::Mutex::new(()),
        }))
    }

    /// Starts every trigger the store knows. One that cannot start says so in its state.
    pub async fn load(&self) -> Result<(), TriggerStoreError> {
        let _changing = self.0.changing.lock().await;
        for definition in self.0.options.store.definitions()? {
            if let Err(error) = self.start(definition.clone()).await {
                tracing::error!(trigger = %definition.name, %error, "trigger does not start");
            }
        }
        Ok(())
    }

    /// Stops all: nothing new is received, running invocations get `patience` of real time to end, batches that wait go
    /// back to the broker with their attempts written down.
    pub async fn stop(&self, patience: Duration) {
        let _changing = self.0.changing.lock().await;
        let slots = std::mem::take(&mut *self.0.slots.lock());
        let real = &self.0.options.real;
        let stopped = slots.values().filter_map(Slot::running);
        futures_util::future::join_all(stopped.map(|running| running.stop(real, patience))).await;
    }

    /// True while no batch is in a function and none waits at a moment that has come.
    pub fn is_quiet(&self) -> bool {
        let now = self.0.options.clock.now();
        let slots = self.0.slots.lock();
        slots.values().filter_map(Slot::running).all(|running| {
            let snapshot = running.shared.status.snapshot();
            snapshot.in_work == 0 && snapshot.waiting.iter().all(|waiting| waiting.due > now)
        })
    }

    /// Tries triggers again that could not start for want of this function.
    pub fn function_changed(&self, function: &FunctionName) {
        let slots = self.0.slots.lock();
        for running in slots.values().filter_map(Slot::running) {
            let shared = &running.shared;
            let failed = matches!(shared.orders.borrow().mode, Mode::StartFailed { .. });
            if failed && shared.definition.function == *function {
                shared.set_mode(Mode::Running);
            }
        }
    }

    fn find(&self, name: &TriggerName) -> Reply<Slot> {
        let slots = self.0.slots.lock();
        let found = slots.get(name).cloned();
        found.ok_or_else(|| ControlError::TriggerNotFound(name.clone()))
    }

    /// One group per trigger, so that each gets every message (8.1).
    fn check_group(&self, definition: &TriggerDefinition) -> Reply<()> {
        let slots = self.0.slots.lock();
        let mut others = slots.values().map(Slot::definition);
        let owner = others.find(|other| {
            let same = other.group == definition.group && other.instance == definition.instance;
            same && other.name != definition.name
        });
        match owner {
            None => Ok(()),
            Some(owner) => Err(ControlError::GroupInUse(
                definition.group.clone(),
                owner.name.clone(),
            )),
        }
    }

    /// Refuses a trigger that closes a circle of outcomes (IV-7).
    fn check_circle(&self, definition: &TriggerDefinition) -> Reply<()> {
        let slots = self.0.slots.lock();
        let others = slots.values().map(Slot::definition);
        let others = others.filter(|other| other.name != definition.name);
        let triggers: Vec<_> = others.chain([definition]).cloned().collect();
        drop(slots);
        let settings = |name: &FunctionName| {
            let row = self.0.options.surroundings.function(name)?;
            Some(*row.definition.asynchronous)
        };
        match circle(&definition.function, settings, &triggers) {
            None => Ok(()),
            Some(way) => Err(ControlError::IllegalDefinition {
                what: format!("trigger `{}`", definition.name),
                field: "async".to_owned(),
                problem: format!(
                    "sends outcomes of `{}` in a circle, by way of {way}",
                    definition.function
                ),
            }),
        }
    }

    fn cluster(&self, definition: &TriggerDefinition) -> Reply<(InstanceRow, Cluster)> {
        let instance = &definition.instance;
        let found = self.0.options.surroundings.cluster(instance);
        found.ok_or_else(|| ControlError::InstanceNotFound(instance.to_string()))
    }

    /// Starts a trigger, or notes why it does not start.
    async fn start(&self, definition: TriggerDefinition) -> Reply<()> {
        let name = definition.name.clone();
        let started = self.try_start(definition.clone()).await;
        let now = self.0.options.clock.now();
        let (slot, outcome) = match started {
            Ok(running) => (Slot::Running(running), Ok(())),
            Err(error) => {
                let report = Report::new(&error, Exit::Failed);
                let mut parts = vec![report.headline];
                parts.extend(report.causes);
                let broken = Broken {
                    definition,
                    error: parts.join(": "),
                    since: now,
                };
                (Slot::Broken(Box::new(broken)), Err(error))
            }
        };
        self.0.slots.lock().insert(name, slot);
        outcome
    }

    async fn try_start(&self, definition: TriggerDefinition) -> Reply<Running> {
        let (instance, cluster) = self.cluster(&definition)?;
        prepare(&definition, &cluster, self.0.options.clock.now()).await?;
        Running::start(&self.0.options, definition, instance, cluster).await
    }

    async fn stop_one(&self, name: &TriggerName) {
        let old = self.0.slots.lock().remove(name);
        if let Some(Slot::Running(old)) = old {
            old.stop(&self.0.options.real, CHANGE_PATIENCE).await;
        }
    }
}

impl Slot {
    fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
            Self::Broken(_) => None,
        }
    }

    fn definition(&self) -> &TriggerDefinition {
        match self {
            Self::Running(running) => &running.shared.definition,
            Self::Broken(broken) => &broken.definition,
        }
    }

    async fn row(&self) -> TriggerRow {
        match self {
            Self::Running(running) => running.row().await,
            Self::Broken(broken) => broken.row(),
        }
    }
}

impl Broken {
    fn row(&self) -> TriggerRow {
        let error = self.error.clone();
        TriggerRow {
            definition: self.definition.clone(),
            why_idle: Some(format!("cannot start: {error}")),
            last_error: Some(error.clone()),
            state: TriggerState::StartFailed { error },
            since: self.since,
            in_work: 0,
            retrying: 0,
            next_attempt_at: None,
            lag: 0,
            invoked_total: 0,
            failed_total: 0,
            dead_total: 0,
        }
    }
}

#[async_trait]
impl Triggers for TriggerSet {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>> {
        let slots: Vec<Slot> = self.0.slots.lock().values().cloned().collect();
        let mut rows = Vec::with_capacity(slots.len());
        for slot in &slots {
            rows.push(slot.row().await);
        }
        Ok(rows)
    }

    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow> {
        let _changing = self.0.changing.lock().await;
        let definition = request.definition;
        let name = definition.name.clone();
        check_definition(&definition)?;
        self.check_group(&definition)?;
        let function = self.0.options.surroundings.function(&definition.function);
        let missing = || ControlError::FunctionNotFound(definition.function.clone());
        check_function(&definition, &function.ok_or_else(missing)?)?;
        self.check_circle(&definition)?;
        let (_, cluster) = self.cluster(&definition)?;
        // All that can be refused is refused before the trigger as it was is touched.
        prepare(&definition, &cluster, self.0.options.clock.now()).await?;
        self.stop_one(&name).await;
        let stored = self.0.options.store.put_definition(&definition);
        stored.map_err(store_failed)?;
        self.start(definition).await?;
        Ok(self.find(&name)?.row().await)
    }

    async fn delete_trigger(&self, name: TriggerName) -> Reply<()> {
        let _changing = self.0.changing.lock().await;
        self.find(&name)?;
        self.stop_one(&name).await;
        self.0.options.store.forget(&name).map_err(store_failed)
    }

    async fn command(&self, name: TriggerName, command: TriggerCommand) -> Reply<()> {
        match (self.find(&name)?, command) {
            (Slot::Running(running), command) => running.shared.command(command),
            (Slot::Broken(broken), TriggerCommand::Resume | TriggerCommand::RetryNow) => {
                let _changing = self.0.changing.lock().await;
                self.start(broken.definition).await
            }
            (Slot::Broken(_), TriggerCommand::Pause) => {
                Err(ControlError::NothingTo(name, "pause".to_owned()))
            }
            (Slot::Broken(_), TriggerCommand::Skip) => {
                Err(ControlError::NothingTo(name, "skip".to_owned()))
            }
        }
    }
}
