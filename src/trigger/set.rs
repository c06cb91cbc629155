//! All triggers of the process: made, changed, commanded, started again after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::RealClock;
use crate::cluster::Cluster;
use crate::cluster::admin::{PutGroup, PutMode};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::RouteRequest;
use crate::cluster::session::{Caller, ClientKind, ClientSettings};
use crate::control::error::ControlError;
use crate::control::instances::InstanceRow;
use crate::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use crate::control::{Reply, Triggers};
use crate::domain::group::{DeliveryOrder, GroupDefinition};
use crate::domain::limits::check_trigger;
use crate::domain::names::{ClientId, FunctionName, TriggerName};
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::Subscription;
use crate::domain::topic::TopicType;
use crate::domain::trigger::{TriggerDeadLetter, TriggerDefinition};
use crate::trigger::batch::Collector;
use crate::trigger::element::ElementFormat;
use crate::trigger::lane::{Lane, Shared};
use crate::trigger::options::TriggerOptions;
use crate::trigger::saved::{Next, TriggerStoreError};
use crate::trigger::settle::Settler;
use crate::trigger::status::{Mode, Orders, Status};
use crate::trigger::why::{Evidence, Progress};

/// Real time between heartbeats of a trigger's session.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Real time a changed or deleted trigger's running invocations get to end.
const CHANGE_PATIENCE: Duration = Duration::from_secs(30);

/// A handle to all triggers; cloning gives another.
#[derive(Clone)]
pub struct TriggerSet(Arc<Inner>);

struct Inner {
    options: TriggerOptions,
    running: Mutex<BTreeMap<TriggerName, Running>>,
    /// One put or delete at a time.
    changing: tokio::sync::Mutex<()>,
}

/// A trigger with its lanes.
#[derive(Clone)]
struct Running {
    shared: Arc<Shared>,
    cluster: Cluster,
    tasks: TaskTracker,
    /// Ends lanes that do not stop in time.
    abort: CancellationToken,
    passed_at_start: u64,
}

impl TriggerSet {
    /// No triggers yet; see [`Self::load`].
    pub fn new(options: TriggerOptions) -> Self {
        Self(Arc::new(Inner {
            options,
            running: Mutex::default(),
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
        let all: Vec<Running> = std::mem::take(&mut *self.0.running.lock())
            .into_values()
            .collect();
        let real = &self.0.options.real;
        futures_util::future::join_all(all.iter().map(|running| running.stop(real, patience)))
            .await;
    }

    /// True while no batch is in a function and none waits at a moment that has come.
    pub fn is_quiet(&self) -> bool {
        let now = self.0.options.clock.now();
        self.0.running.lock().values().all(|running| {
            let snapshot = running.shared.status.snapshot();
            snapshot.in_work == 0 && snapshot.waiting.iter().all(|waiting| waiting.due > now)
        })
    }

    /// Tries triggers again that could not start for want of this function.
    pub fn function_changed(&self, function: &FunctionName) {
        for running in self.0.running.lock().values() {
            let shared = &running.shared;
            let failed = matches!(shared.orders.borrow().mode, Mode::StartFailed { .. });
            if failed && shared.definition.function == *function {
                shared.set_mode(Mode::Running);
            }
        }
    }

    fn find(&self, name: &TriggerName) -> Reply<Running> {
        let running = self.0.running.lock();
        let found = running.get(name).cloned();
        found.ok_or_else(|| ControlError::TriggerNotFound(name.clone()))
    }

    fn check(&self, definition: &TriggerDefinition) -> Reply<(InstanceRow, Cluster)> {
        if let Some(problem) = check_trigger(definition).into_iter().next() {
            return Err(ControlError::IllegalDefinition {
                what: format!("trigger `{}`", definition.name),
                field: problem.field.to_owned(),
                problem: problem.problem,
            });
        }
        for other in self.0.running.lock().values() {
            let other = &other.shared.definition;
            let same = other.group == definition.group && other.instance == definition.instance;
            if same && other.name != definition.name {
                let group = definition.group.clone();
                return Err(ControlError::GroupInUse(group, other.name.clone()));
            }
        }
        let surroundings = &self.0.options.surroundings;
        if surroundings.function(&definition.function).is_none() {
            return Err(ControlError::FunctionNotFound(definition.function.clone()));
        }
        let instance = &definition.instance;
        surroundings
            .cluster(instance)
            .ok_or_else(|| ControlError::InstanceNotFound(instance.to_string()))
    }

    async fn start(&self, definition: TriggerDefinition) -> Reply<()> {
        let (instance, cluster) = self.check(&definition)?;
        prepare(&definition, &cluster).await?;
        let running = Running::start(&self.0.options, definition, instance, cluster).await?;
        let name = running.shared.definition.name.clone();
        self.0.running.lock().insert(name, running);
        Ok(())
    }

    async fn row(&self, running: &Running) -> TriggerRow {
        let definition = &*running.shared.definition;
        let snapshot = running.shared.status.snapshot();
        let progress = Progress::of(definition, &running.cluster).await;
        let function = self.0.options.surroundings.function(&definition.function);
        let evidence = Evidence {
            definition,
            snapshot: &snapshot,
            function: function.as_ref(),
            progress,
            passed_at_start: running.passed_at_start,
        };
        TriggerRow {
            definition: definition.clone(),
            why_idle: evidence.why_idle(),
            next_attempt_at: snapshot.waiting.iter().map(|w| w.due).min(),
            retrying: u32::try_from(snapshot.waiting.len()).unwrap_or(u32::MAX),
            state: snapshot.state,
            since: snapshot.since,
            last_error: snapshot.last_error,
            in_work: snapshot.in_work,
            lag: progress.ready + progress.in_flight,
            invoked_total: snapshot.counters.invoked,
            failed_total: snapshot.counters.failed,
            dead_total: snapshot.counters.dead,
        }
    }
}

#[async_trait]
impl Triggers for TriggerSet {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>> {
        let all: Vec<Running> = self.0.running.lock().values().cloned().collect();
        let mut rows = Vec::with_capacity(all.len());
        for running in &all {
            rows.push(self.row(running).await);
        }
        Ok(rows)
    }

    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow> {
        let _changing = self.0.changing.lock().await;
        let definition = request.definition;
        let name = definition.name.clone();
        self.check(&definition)?;
        let old = self.0.running.lock().remove(&name);
        if let Some(old) = old {
            old.stop(&self.0.options.real, CHANGE_PATIENCE).await;
        }
        let stored = self.0.options.store.put_definition(&definition);
        stored.map_err(store_failed)?;
        self.start(definition).await?;
        Ok(self.row(&self.find(&name)?).await)
    }

    async fn delete_trigger(&self, name: TriggerName) -> Reply<()> {
        let _changing = self.0.changing.lock().await;
        let running = self.find(&name)?;
        self.0.running.lock().remove(&name);
        running.stop(&self.0.options.real, CHANGE_PATIENCE).await;
        self.0.options.store.forget(&name).map_err(store_failed)
    }

    async fn command(&self, name: TriggerName, command: TriggerCommand) -> Reply<()> {
        let running = self.find(&name)?;
        running.shared.command(command)
    }
}

impl Shared {
    fn command(&self, command: TriggerCommand) -> Reply<()> {
        let mode = self.orders.borrow().mode.clone();
        let waits = !self.status.snapshot().waiting.is_empty();
        let nothing_to = |what: &str| {
            Err(ControlError::NothingTo(
                self.definition.name.clone(),
                what.to_owned(),
            ))
        };
        match (command, mode) {
            (TriggerCommand::Pause, Mode::Paused) => return nothing_to("pause"),
            (TriggerCommand::Resume, Mode::Running) => return nothing_to("resume"),
            (TriggerCommand::Pause, _) => self.set_mode(Mode::Paused),
            (TriggerCommand::Resume, _) | (TriggerCommand::RetryNow, Mode::Stopped { .. }) => {
                self.set_mode(Mode::Running);
            }
            (TriggerCommand::Skip, Mode::Stopped { .. }) => self.skip_stopped(),
            (TriggerCommand::RetryNow, Mode::Running) if waits => {
                self.orders.send_modify(|orders| orders.retry_now += 1);
            }
            (TriggerCommand::Skip, _) if waits => {
                self.orders.send_modify(|orders| orders.skip += 1);
            }
            (TriggerCommand::RetryNow, _) => return nothing_to("retry"),
            (TriggerCommand::Skip, _) => return nothing_to("skip"),
        }
        Ok(())
    }

    /// Gives the batch up that stopped the trigger, whether a lane holds it or the broker will hand it out again.
    fn skip_stopped(&self) {
        let stopped: Vec<_> = {
            let mut saved = self.saved.lock();
            let stopped = saved
                .values_mut()
                .filter(|attempt| attempt.next == Next::Stopped);
            stopped
                .map(|attempt| {
                    attempt.next = Next::Skip;
                    attempt.clone()
                })
                .collect()
        };
        let written = self
            .options
            .store
            .put_attempts(&self.definition.name, &stopped);
        if let Err(error) = written {
            self.status.note_error(error.to_string());
        }
        self.orders.send_modify(|orders| orders.skip += 1);
        self.set_mode(Mode::Running);
    }
}

impl Running {
    async fn start(
        options: &TriggerOptions,
        definition: TriggerDefinition,
        instance: InstanceRow,
        cluster: Cluster,
    ) -> Reply<Self> {
        let definition = Arc::new(definition);
        let caller = open_session(&definition, &cluster).await?;
        let passed_at_start = Progress::of(&definition, &cluster).await.passed;
        let name = &definition.name;
        let saved = options.store.attempts(name).map_err(store_failed)?;
        let mode = match options.store.mode(name).map_err(store_failed)?.into() {
            Mode::Running if !definition.enabled => Mode::Paused,
            mode => mode,
        };
        let shared = Arc::new(Shared {
            status: Status::new(name.clone(), options.clock.clone(), options.feed.clone()),
            orders: watch::Sender::new(Orders {
                mode: mode.clone(),
                retry_now: 0,
                skip: 0,
            }),
            saved: Mutex::new(saved.into_iter().map(|a| (a.place.clone(), a)).collect()),
            settler: Settler {
                messaging: cluster.messaging.clone(),
                caller: caller.clone(),
                definition: definition.clone(),
                real: options.real.clone(),
            },
            definition,
            options: options.clone(),
            stopping: CancellationToken::new(),
            warned_of_bytes: AtomicBool::new(false),
        });
        shared.status.set_mode(&mode);
        let running = Self {
            shared,
            cluster,
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
            passed_at_start,
        };
        running.spawn_lanes(&caller, instance);
        running.spawn_heartbeat(caller);
        running.tasks.close();
        Ok(running)
    }

    fn spawn_lanes(&self, caller: &Caller, instance: InstanceRow) {
        let definition = &self.shared.definition;
        let format = Arc::new(ElementFormat {
            trigger: definition.name.clone(),
            instance: instance.definition,
            account_id: self.shared.options.account_id.clone(),
            schema: definition.event_schema,
            body: definition.body_data_type,
        });
        for number in 0..definition.concurrency.max(1) {
            let lane = Lane {
                number,
                shared: self.shared.clone(),
                collector: Collector::new(
                    self.cluster.messaging.clone(),
                    caller.clone(),
                    definition.clone(),
                    format.clone(),
                    self.shared.options.clock.clone(),
                ),
                orders: self.shared.orders.subscribe(),
            };
            let abort = self.abort.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = lane.run() => {}
                    () = abort.cancelled() => {}
                }
            });
        }
    }

    /// Keeps the session, and with it the leases of waiting batches, alive; ends it when the trigger stops.
    fn spawn_heartbeat(&self, caller: Caller) {
        let (real, messaging) = (
            self.shared.options.real.clone(),
            self.cluster.messaging.clone(),
        );
        let stopping = self.shared.stopping.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = real.sleep(HEARTBEAT) => {}
                }
                if let Err(error) = messaging.heartbeat(&caller).await {
                    tracing::warn!(%error, "a trigger's heartbeat failed");
                }
            }
        });
    }

    async fn stop(&self, real: &RealClock, patience: Duration) {
        self.shared.stopping.cancel();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = real.sleep(patience) => {
                self.abort.cancel();
                self.tasks.wait().await;
            }
        }
        let caller = &self.shared.settler.caller;
        if let Err(error) = self.cluster.messaging.close_session(caller).await {
            tracing::debug!(%error, "a trigger's session was gone already");
        }
    }
}

/// Makes what the trigger needs: its topic exists or is made, its group exists and has joined, durably.
async fn prepare(definition: &TriggerDefinition, cluster: &Cluster) -> Reply<()> {
    let caller = Caller::local();
    let topic = definition.topic.clone();
    let route = cluster
        .messaging
        .route(
            &caller,
            RouteRequest {
                topic: topic.clone(),
            },
        )
        .await?;
    if let TriggerDeadLetter::Topic(target) = &definition.dead_letter {
        cluster.admin.topic(target.clone()).await?;
    }
    let group = match cluster.admin.group(definition.group.clone()).await {
        Ok(row) if row.topics.contains(&topic) => row.definition,
        Ok(row) => GroupDefinition {
            first_seen: definition.offset,
            ..row.definition
        },
        Err(ClusterError::GroupNotFound(name)) => {
            let order = match route.topic.topic_type {
                TopicType::Fifo => DeliveryOrder::Orderly,
                _ => DeliveryOrder::Concurrent,
            };
            let mut group = GroupDefinition::new(name, order, route.topic.created_at);
            group.first_seen = definition.offset;
            group
        }
        Err(error) => return Err(error.into()),
    };
    let request = PutGroup {
        definition: group,
        mode: PutMode::Either,
        join: vec![topic],
    };
    cluster.admin.put_group(request).await?;
    Ok(())
}

async fn open_session(definition: &TriggerDefinition, cluster: &Cluster) -> Reply<Caller> {
    let client = ClientId::new(format!("moonport-trigger-{}", definition.name))
        .map_err(ClusterError::from)?;
    let caller = Caller::local_client(client);
    let settings = ClientSettings {
        kind: ClientKind::Trigger,
        language: "RUST".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        publishing: Vec::new(),
        group: Some(definition.group.clone()),
        subscriptions: vec![Subscription {
            topic: definition.topic.clone(),
            filter: definition.filter.clone(),
        }],
        fifo: false,
        retry_policy: RetryPolicy::default(),
        max_attempts: 1,
        long_poll: Duration::from_secs(20),
    };
    cluster.messaging.open_session(&caller, settings).await?;
    Ok(caller)
}

fn store_failed(error: TriggerStoreError) -> ControlError {
    ControlError::StoreFailed(error.0)
}
