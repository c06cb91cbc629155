//! One version of one function: its definition, its instances, its permits. A change of definition or code makes a new
//! entry; the old one is retired.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::clock::{BrokerClock, RealClock};
use crate::control::functions::{FunctionRow, FunctionState};
use crate::domain::function::FunctionDefinition;
use crate::function::error::HostError;
use crate::function::host::crash_loop::CrashLoop;
use crate::function::host::live::Live;
use crate::function::host::pool::Pool;
use crate::function::host::statistics::Statistics;
use crate::function::runtime::{Runtime, StartError};

pub(super) struct Entry {
    pub(super) definition: Arc<FunctionDefinition>,
    pub(super) runtime: Result<Arc<dyn Runtime>, StartError>,
    pub(super) pool: Mutex<Pool>,
    pub(super) crashes: Mutex<CrashLoop>,
    /// Why it cannot run here, or its code cannot be loaded, as far as is known.
    pub(super) trouble: Mutex<Option<StartError>>,
    /// Shared with the versions before and after.
    pub(super) statistics: Arc<Mutex<Statistics>>,
    /// Cancelled when a newer version took over.
    pub(super) retired: CancellationToken,
    permits: Arc<Semaphore>,
}

impl Entry {
    pub(super) fn new(
        definition: FunctionDefinition,
        runtime: Result<Arc<dyn Runtime>, StartError>,
        statistics: Arc<Mutex<Statistics>>,
    ) -> Self {
        let trouble = match &runtime {
            Ok(runtime) => runtime.check(&definition).err(),
            Err(error) => Some(error.clone()),
        };
        let requests = instances(&definition) * definition.concurrency;
        Self {
            permits: Arc::new(Semaphore::new(requests as usize)),
            definition: Arc::new(definition),
            runtime,
            pool: Mutex::default(),
            crashes: Mutex::default(),
            trouble: Mutex::new(trouble),
            statistics,
            retired: CancellationToken::new(),
        }
    }

    /// Waits its turn for an instance; `None` when this version was retired meanwhile.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().acquire_owned().await.ok()
    }

    /// Lets no request in any more and gives back the idle instances.
    pub(super) fn retire(&self) -> Vec<Arc<Live>> {
        self.retired.cancel();
        self.permits.close();
        self.pool.lock().retire()
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.definition.idle_timeout))
    }

    pub(super) fn cannot_run(&self, error: &StartError) -> HostError {
        HostError::CannotRun {
            function: self.definition.name.clone(),
            reason: error.to_string(),
            hint: match error {
                StartError::CannotRun { hint, .. } => hint.clone(),
                StartError::Died { .. } => None,
            },
        }
    }

    pub(super) fn row(&self, clock: &BrokerClock, real: &RealClock) -> FunctionRow {
        let (instances, busy) = self.pool.lock().counts();
        let statistics = self.statistics.lock();
        FunctionRow {
            definition: self.definition.as_ref().clone(),
            state: self.state(instances, clock, real),
            instances,
            busy,
            invocations_total: statistics.invocations,
            errors_total: statistics.errors,
            log_lines_dropped: statistics.log_lines_dropped,
            p50_ms: statistics.percentile(0.5),
            p99_ms: statistics.percentile(0.99),
            last_error: statistics.last_error.clone(),
            last_invoked_at: statistics.last_invoked_at,
            accepted: 0,
            retrying: 0,
            given_up_total: 0,
        }
    }

    fn state(&self, instances: u32, clock: &BrokerClock, real: &RealClock) -> FunctionState {
        if let Some(error) = &*self.trouble.lock() {
            return FunctionState::Broken {
                reason: error.to_string(),
                hint: match error {
                    StartError::CannotRun { hint, .. } => hint.clone(),
                    StartError::Died { .. } => None,
                },
            };
        }
        let now = real.now();
        if let Some((until, reason)) = self.crashes.lock().until(now) {
            return FunctionState::StartFailing {
                until: clock.now() + (until - now),
                reason: reason.to_owned(),
            };
        }
        match instances {
            0 => FunctionState::Idle,
            _ => FunctionState::Running,
        }
    }
}

/// A debugger listens on one port, so one instance has to do.
fn instances(definition: &FunctionDefinition) -> u32 {
    match definition.debug {
        Some(_) => 1,
        None => definition.max_instances,
    }
}
