//! Retention: messages leave their queue when their time is over, consumed or not, and their space goes back (N18, O2).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::activity::Happening;
use crate::broker::core::{Core, cluster_error, durable};
use crate::broker::state::{ProgressId, State};
use crate::cluster::Reply;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::record::Record;
use crate::domain::timestamp::Timestamp;
use crate::store::journal::{Live as Kept, QueueSpan};

/// Real time between two looks. A step or jump of broker time is looked at at once.
const INTERVAL: Duration = Duration::from_secs(60);

/// Runs until the broker stops. It sleeps by real time, so that the clock has no moment "retention" to jump to: nobody
/// waits for messages to go.
pub(in crate::broker) async fn run(core: Arc<Core>) {
    let mut moved = core.clock.changes();
    loop {
        if let Err(error) = core.expire().await {
            tracing::error!(%error, "retention has to wait");
        }
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = core.real.sleep(INTERVAL) => {}
            _ = moved.changed() => {}
        }
    }
}

/// Messages a group was not done with when they left.
struct Loss {
    group: GroupName,
    topic: TopicName,
    count: u64,
}

impl Core {
    /// Lets go of everything whose time is over, and tells the journal what still counts.
    pub(in crate::broker) async fn expire(&self) -> Reply<()> {
        let mut first_kept: Vec<(TopicName, u32, u64)> = Vec::new();
        for (span, retention) in self.spans() {
            let over = self.now() - retention + Duration::from_millis(1);
            let kept = self.journal.offset_at(&span, over).map_err(cluster_error)?;
            if kept > span.first {
                first_kept.push((span.topic, span.queue, kept));
            }
        }
        if !first_kept.is_empty() {
            let (losses, commit) = self.trim(first_kept);
            durable(commit).await?;
            self.report_losses(losses);
        }
        self.journal.trim(self.ledger.durably(kept));
        Ok(())
    }

    /// Every queue that holds something, with how long it is kept.
    fn spans(&self) -> Vec<(QueueSpan, Duration)> {
        let inherited = self.definition.read().retention;
        let live = self.live();
        let topics = live.state.topics().iter();
        topics
            .flat_map(|(name, topic)| {
                let retention = topic.definition.retention.unwrap_or(inherited);
                let queues = topic.queues.iter().enumerate();
                let used = queues.filter(|(_, queue)| queue.min < queue.visible);
                used.map(move |(index, queue)| {
                    let span = QueueSpan {
                        topic: name.clone(),
                        queue: index as u32,
                        first: queue.min,
                        end: queue.visible,
                    };
                    (span, retention)
                })
            })
            .collect()
    }

    fn trim(
        &self,
        first_kept: Vec<(TopicName, u32, u64)>,
    ) -> (Vec<Loss>, crate::store::journal::Commit) {
        let mut live = self.live();
        let at = self.now();
        let before = lost(&live.state);
        let mut entry = self.entry(&mut live);
        for (topic, queue, offset) in first_kept {
            entry.push(Record::Trimmed {
                topic,
                queue,
                offset,
                at,
            });
        }
        let after = lost(&entry.live.state);
        let losses = after.into_iter().filter_map(|(id, count)| {
            let progress = entry.live.state.progress(id)?;
            let count = count - before.get(&id).copied().unwrap_or(0);
            (count > 0).then(|| Loss {
                group: progress.group.clone(),
                topic: progress.topic.clone(),
                count,
            })
        });
        let losses = losses.collect();
        (losses, entry.append())
    }

    fn report_losses(&self, losses: Vec<Loss>) {
        let now: Timestamp = self.now();
        for Loss {
            group,
            topic,
            count,
        } in losses
        {
            let instance = self.instance();
            self.report(
                now,
                Happening::MessagesLost {
                    instance,
                    group,
                    topic,
                    count,
                },
            );
        }
    }
}

/// How many messages each group lost so far on each topic.
fn lost(state: &State) -> HashMap<ProgressId, u64> {
    let members = state.topics().values().flat_map(|topic| &topic.members);
    members
        .filter_map(|id| Some((*id, state.progress(*id)?.lost)))
        .collect()
}

/// What of the journal still counts. Taken from the durable state, so that a failed commit takes nothing along.
fn kept(state: &State, sequence: u64) -> Kept {
    let topics = state.topics().iter();
    Kept {
        as_of: sequence,
        minimums: topics
            .map(|(name, topic)| {
                let queues = topic.queues.iter();
                (name.clone(), queues.map(|queue| queue.min).collect())
            })
            .collect(),
        parked: state.parked().keys().copied().collect(),
    }
}
