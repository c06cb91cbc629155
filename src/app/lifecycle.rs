//! Stopping in order: endpoints, triggers, workers, brokers with their timers and journals, the lock.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::documents::Documents;
use crate::app::wiring::Engine;
use crate::clock::{BrokerClock, RealClock};

/// Real time between two notes of the latest moment shown, for the case that the wall clock is set back.
const NOTE_EVERY: Duration = Duration::from_secs(60);

impl Engine {
    /// Ends everything: nothing new comes in, running invocations get `patience`, what is left over is delivered again
    /// after the next start.
    pub async fn stop(self, patience: Duration) {
        self.instances.close_endpoints().await;
        self.triggers.stop(patience).await;
        self.accepted.stop(patience).await;
        self.host.shutdown().await;
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.instances.close().await;
        if let Err(error) = self.documents.put_clock(&self.clock) {
            tracing::warn!(%error, "the clock cannot be saved");
        }
        drop(self.lock);
    }
}

/// Notes the latest moment shown now and then until `stopping`.
pub(super) async fn keep_clock(
    documents: Documents,
    clock: BrokerClock,
    real: RealClock,
    stopping: CancellationToken,
) {
    let wait = || stopping.run_until_cancelled(real.sleep(NOTE_EVERY));
    while wait().await.is_some() {
        if let Err(error) = documents.put_clock(&clock) {
            tracing::warn!(%error, "the clock cannot be saved");
        }
    }
}
