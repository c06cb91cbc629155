//! One trigger at work: its lanes, its session, its figures.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::RealClock;
use crate::cluster::Cluster;
use crate::cluster::session::Caller;
use crate::control::Reply;
use crate::control::error::ControlError;
use crate::control::instances::InstanceRow;
use crate::control::triggers::TriggerRow;
use crate::domain::trigger::TriggerDefinition;
use crate::trigger::batch::Collector;
use crate::trigger::element::ElementFormat;
use crate::trigger::lane::Lane;
use crate::trigger::options::TriggerOptions;
use crate::trigger::prepare;
use crate::trigger::saved::TriggerStoreError;
use crate::trigger::settle::Settler;
use crate::trigger::shared::Shared;
use crate::trigger::status::{Mode, Orders, Status};
use crate::trigger::why::{Evidence, Progress};

/// Real time between signs of life of a trigger's session.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Why nothing happens in a process that lives for one command.
const NOBODY_RUNS: &str = "no console and no `moonport serve` runs on this data directory";

/// A trigger with its lanes.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) shared: Arc<Shared>,
    cluster: Cluster,
    tasks: TaskTracker,
    /// Ends lanes that do not stop in time.
    abort: CancellationToken,
    passed_at_start: u64,
}

impl Running {
    /// Opens the session and starts the lanes of a prepared trigger.
    pub(super) async fn start(
        options: &TriggerOptions,
        definition: TriggerDefinition,
        instance: InstanceRow,
        cluster: Cluster,
    ) -> Reply<Self> {
        let definition = Arc::new(definition);
        let name = &definition.name;
        let saved = options.store.attempts(name).map_err(store_failed)?;
        let mode = match options.store.mode(name).map_err(store_failed)?.into() {
            Mode::Running if !definition.enabled => Mode::Paused,
            mode => mode,
        };
        let caller = prepare::caller(&definition)?;
        let settings = prepare::settings(&definition);
        let session = cluster.messaging.open_session(&caller, settings).await?;
        let passed_at_start = Progress::of(&definition, &cluster).await.passed;
        let status = Status::new(name.clone(), options.clock.clone(), options.feed.clone());
        let status = Arc::new(status);
        let shared = Arc::new(Shared {
            status: status.clone(),
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
                status,
            },
            orderly: session.fifo,
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
        if options.runs {
            running.spawn_lanes(&caller, instance);
            running.spawn_heartbeat(caller);
        }
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
        for _ in 0..definition.concurrency.max(1) {
            let lane = Lane {
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

    /// Keeps the session, and with it the leases of waiting batches, alive. It says all of its settings again each time:
    /// a session that was lost meanwhile is there again.
    fn spawn_heartbeat(&self, caller: Caller) {
        let shared = self.shared.clone();
        let messaging = self.cluster.messaging.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = shared.stopping.cancelled() => return,
                    () = shared.options.real.sleep(HEARTBEAT) => {}
                }
                let settings = prepare::settings(&shared.definition);
                if let Err(error) = messaging.open_session(&caller, settings).await {
                    tracing::warn!(%error, "a trigger's heartbeat failed");
                }
            }
        });
    }

    /// Running invocations get `patience` to end; what waits goes back to the broker.
    pub(super) async fn stop(&self, real: &RealClock, patience: Duration) {
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

    pub(super) async fn row(&self) -> TriggerRow {
        let definition = &*self.shared.definition;
        // In this order a message that is gone from the lag is in the figures of what became of it.
        let progress = Progress::of(definition, &self.cluster).await;
        let snapshot = self.shared.status.snapshot();
        let surroundings = &self.shared.options.surroundings;
        let function = surroundings.function(&definition.function);
        let evidence = Evidence {
            definition,
            snapshot: &snapshot,
            function: function.as_ref(),
            progress,
            passed_at_start: self.passed_at_start,
        };
        TriggerRow {
            definition: definition.clone(),
            why_idle: if self.shared.options.runs {
                evidence.why_idle()
            } else {
                Some(NOBODY_RUNS.to_owned())
            },
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

pub(super) fn store_failed(error: TriggerStoreError) -> ControlError {
    ControlError::StoreFailed(error.0)
}
