//! Moving a group's offset by hand, with the consequences told before they happen (Z1-Z5).

use crate::broker::core::{Core, Live, durable};
use crate::broker::pull::illegal_offset;
use crate::broker::state::progress::{Held, QueueProgress};
use crate::broker::state::{ProgressId, Queue};
use crate::cluster::Reply;
use crate::cluster::admin::{ResetOffset, ResetReport, ResetRow, ResetTo};
use crate::cluster::error::ClusterError;
use crate::domain::record::Record;

impl Core {
    pub(in crate::broker) async fn reset_offset(&self, request: ResetOffset) -> Reply<ResetReport> {
        let by_time = match request.to {
            ResetTo::Time(at) => Some(self.offsets_at(&request.topic, at)?),
            ResetTo::Latest | ResetTo::Earliest | ResetTo::Offset(_) => None,
        };
        let (queues, commit) = {
            let mut live = self.live();
            let (id, queues) = live.reset_rows(&request, by_time.as_deref())?;
            if request.dry_run {
                return Ok(ResetReport {
                    queues,
                    applied: false,
                });
            }
            let at = self.now();
            let mut entry = self.entry(&mut live);
            for row in &queues {
                entry.live.renewals.remove_queue(id, row.queue);
                let lease = entry.live.state.next_lease();
                entry.push(Record::OffsetReset {
                    group: request.group.clone(),
                    topic: request.topic.clone(),
                    queue: row.queue,
                    offset: row.new,
                    lease,
                    at,
                });
            }
            entry.live.wake(id);
            (queues, entry.append())
        };
        durable(commit).await?;
        Ok(ResetReport {
            queues,
            applied: true,
        })
    }
}

impl Live {
    fn reset_rows(
        &self,
        request: &ResetOffset,
        by_time: Option<&[u64]>,
    ) -> Reply<(ProgressId, Vec<ResetRow>)> {
        let ResetOffset { group, topic, .. } = request;
        let found = self.state.topic(topic);
        let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
        let id = self.joined(group, topic);
        let id = id.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
        let progress = self.state.progress(id);
        let progress = progress.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
        if let Some(queue) = request.queue {
            self.bounds(topic, queue)?;
        }
        let queues = found.queues.iter().zip(&progress.queues).enumerate();
        let asked =
            queues.filter(|(index, _)| request.queue.is_none_or(|queue| queue as usize == *index));
        let mut rows = Vec::new();
        for (index, (bounds, progress)) in asked {
            let new = match request.to {
                ResetTo::Latest => bounds.next,
                ResetTo::Earliest => bounds.min,
                ResetTo::Time(_) => by_time
                    .and_then(|offsets| offsets.get(index).copied())
                    .unwrap_or(bounds.next),
                ResetTo::Offset(offset) => offset,
            };
            if !(bounds.min..=bounds.next).contains(&new) {
                return Err(illegal_offset(new, *bounds));
            }
            rows.push(row(index as u32, *bounds, progress, new));
        }
        Ok((id, rows))
    }
}

fn row(queue: u32, bounds: Queue, progress: &QueueProgress, new: u64) -> ResetRow {
    let fresh_after = progress.fresh().count(new, bounds.next);
    let held_before = progress.all_held().range(bounds.min..new.max(bounds.min));
    let left = |(_, held): &(&u64, &Held)| !held.outlives_reset();
    let held_left = held_before.filter(left).count() as u64;
    ResetRow {
        queue,
        old: progress.committed().max(bounds.min),
        new,
        redelivered: bounds.next - new - fresh_after,
        skipped: progress.fresh().count(bounds.min, new) + held_left,
    }
}
