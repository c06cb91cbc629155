//! One lane of a trigger: a batch at a time, from receive to settlement. A waiting batch keeps its lane (TR-32).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::cluster::error::ClusterError;
use crate::trigger::batch::{Collector, Item};
use crate::trigger::shared::Shared;
use crate::trigger::status::{Mode, Orders};
use crate::trigger::work::Worker;

/// Real time before a receive that failed is tried again.
const RECEIVE_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) collector: Collector,
    pub(super) orders: watch::Receiver<Orders>,
}

impl Lane {
    /// Works until the trigger stops.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        while !shared.stopping.is_cancelled() {
            let Some(batch) = self.collect().await else {
                continue;
            };
            // Messages that cannot be one unit take turns in the function, so that one that waits holds up no other.
            let turn = tokio::sync::Mutex::new(());
            let chains = shared.chains(batch).into_iter();
            let work = chains.map(|chain| Worker::new(&shared, &turn).chain(chain));
            futures_util::future::join_all(work).await;
        }
    }

    /// The next batch; `None` when the mode changed, the receive failed or the trigger stops.
    async fn collect(&mut self) -> Option<Vec<Item>> {
        let stopping = self.shared.stopping.clone();
        if self.orders.borrow_and_update().mode != Mode::Running {
            tokio::select! {
                () = stopping.cancelled() => {}
                _ = self.orders.changed() => {}
            }
            return None;
        }
        let received = tokio::select! {
            biased;
            () = stopping.cancelled() => return None,
            _ = self.orders.changed() => return None,
            received = self.collector.next() => received,
        };
        match received {
            Ok(batch) => Some(batch),
            Err(error) => {
                self.receive_failed(error).await;
                None
            }
        }
    }

    async fn receive_failed(&self, error: ClusterError) {
        let stopping = &self.shared.stopping;
        match error {
            ClusterError::TopicNotFound(_) | ClusterError::GroupNotFound(_) => {
                let error = error.to_string();
                self.shared.set_mode(Mode::StartFailed { error });
            }
            ClusterError::Stopping => stopping.cancelled().await,
            error => {
                self.shared.status.note_error(error.to_string());
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = self.shared.options.real.sleep(RECEIVE_PATIENCE) => {}
                }
            }
        }
    }
}
