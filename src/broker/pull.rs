//! Reading by offset without leases, and the offsets of groups that read so (D10).

use crate::broker::core::{Core, Live, cluster_error, durable};
use crate::broker::delivery::{admits, parse_filter};
use crate::broker::groups::forbidden;
use crate::broker::receive::check_readable;
use crate::broker::state::Queue;
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{OffsetAt, OffsetOf, OffsetQuery, Pull, Pulled, UpdateOffset};
use crate::cluster::session::Caller;
use crate::domain::names::TopicName;
use crate::domain::record::Record;
use crate::filter::Filter;
use crate::store::journal::QueueSpan;

/// Most messages of one pull.
const MOST: usize = 1024;

impl Core {
    pub(in crate::broker) async fn pull(&self, caller: &Caller, request: Pull) -> Reply<Pulled> {
        let filter = parse_filter(&request.filter)?;
        if let Some(group) = &request.group {
            if !caller.principal.may_receive(group, &request.topic) {
                return Err(forbidden(group, &request.topic));
            }
            self.join(caller, group, &request.topic).await?;
        }
        let until = self.real.now() + request.poll;
        loop {
            let arrived = self.live().reader(&request.topic);
            let mut arrived = std::pin::pin!(arrived.notified());
            arrived.as_mut().enable();
            let pulled = self.read_from(&request, &filter)?;
            let moved = pulled.next > request.offset;
            if moved || self.real.now() >= until {
                return Ok(pulled);
            }
            tokio::select! {
                () = arrived => {}
                () = self.real.sleep_until(until) => {}
                () = self.stop.cancelled() => return Err(ClusterError::Stopping),
            }
        }
    }

    fn read_from(&self, request: &Pull, filter: &Filter) -> Reply<Pulled> {
        let bounds = {
            let live = self.live();
            check_readable(&live, &request.topic)?;
            live.bounds(&request.topic, request.queue)?
        };
        if request.offset > bounds.visible {
            return Err(illegal_offset(request.offset, bounds));
        }
        let from = request.offset.max(bounds.min);
        let room = usize::try_from(bounds.visible - from).unwrap_or(usize::MAX);
        let most = request.max.clamp(1, MOST).min(room);
        let mut messages = Vec::new();
        if most > 0 {
            let (topic, queue) = (&request.topic, request.queue);
            let read = self.journal.messages(topic, queue, from, most);
            messages = read.map_err(cluster_error)?;
        }
        let next = messages.last().map_or(from, |last| last.offset + 1);
        messages.retain(|message| admits(filter, message));
        Ok(Pulled {
            messages,
            next,
            min_offset: bounds.min,
            max_offset: bounds.visible,
        })
    }

    pub(in crate::broker) fn offset(&self, request: OffsetQuery) -> Reply<OffsetOf> {
        let (topic, queue) = (request.topic, request.queue);
        let bounds = self.live().bounds(&topic, queue)?;
        let offset = match request.at {
            OffsetAt::Min => Some(bounds.min),
            OffsetAt::Max => Some(bounds.visible),
            OffsetAt::Time(at) => {
                let span = QueueSpan {
                    topic,
                    queue,
                    first: bounds.min,
                    end: bounds.visible,
                };
                Some(self.journal.offset_at(&span, at).map_err(cluster_error)?)
            }
            OffsetAt::Committed(group) => {
                let live = self.live();
                let progress = live.joined(&group, &topic);
                let progress = progress.and_then(|id| live.state.queue_progress(id, queue));
                progress.map(|progress| progress.committed().max(bounds.min))
            }
        };
        Ok(OffsetOf { offset })
    }

    pub(in crate::broker) async fn update_offset(
        &self,
        caller: &Caller,
        request: UpdateOffset,
    ) -> Reply<()> {
        let UpdateOffset {
            group,
            topic,
            queue,
            offset,
        } = request;
        if !caller.principal.may_receive(&group, &topic) {
            return Err(forbidden(&group, &topic));
        }
        self.join(caller, &group, &topic).await?;
        let commit = {
            let mut live = self.live();
            let bounds = live.bounds(&topic, queue)?;
            if !(bounds.min..=bounds.next).contains(&offset) {
                return Err(illegal_offset(offset, bounds));
            }
            let at = self.now();
            let mut entry = self.entry(&mut live);
            entry.push(Record::OffsetCommitted {
                group,
                topic,
                queue,
                offset,
                at,
            });
            entry.append()
        };
        durable(commit).await
    }
}

impl Live {
    /// The bounds of a queue that exists.
    pub(in crate::broker) fn bounds(&self, topic: &TopicName, queue: u32) -> Reply<Queue> {
        let found = self.state.topic(topic);
        let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
        found.queues.get(queue as usize).copied().ok_or_else(|| {
            ClusterError::IllegalRequest(format!(
                "topic `{topic}` has {} queues, no queue {queue}",
                found.queues.len()
            ))
        })
    }
}

pub(in crate::broker) fn illegal_offset(offset: u64, bounds: Queue) -> ClusterError {
    ClusterError::IllegalOffset {
        offset,
        min: bounds.min,
        max: bounds.next,
    }
}
