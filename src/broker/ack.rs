//! Acking: the group is done with messages. An `Ok` is durable.

use crate::broker::core::{Core, Entry, durable};
use crate::broker::groups::forbidden;
use crate::broker::standing::Standing;
use crate::broker::state::progress::Held;
use crate::broker::state::progress::Stage;
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Ack, AckOutcome};
use crate::cluster::session::Caller;
use crate::domain::receipt::ReceiptHandle;
use crate::domain::record::{Record, Settling};
use crate::domain::timestamp::Timestamp;

impl Core {
    pub(in crate::broker) async fn ack(
        &self,
        caller: &Caller,
        request: Ack,
    ) -> Reply<Vec<AckOutcome>> {
        if !caller.principal.may_receive(&request.group, &request.topic) {
            return Err(forbidden(&request.group, &request.topic));
        }
        let (mut outcomes, commit) = {
            let (now, real) = (self.now(), self.real.now());
            let mut live = self.live();
            live.sessions.touch(caller, real, now);
            let mut entry = self.entry(&mut live);
            let outcomes = settle(&mut entry, request, now, real);
            // Without records this waits for what was decided before, such as an earlier ack of the same message.
            (outcomes, entry.append())
        };
        if let Err(error) = durable(commit).await {
            for outcome in &mut outcomes {
                if outcome.result.is_ok() {
                    outcome.result = Err(error.clone());
                }
            }
        }
        Ok(outcomes)
    }
}

/// Judges each handle and records the good ones, one record per queue.
fn settle(
    entry: &mut Entry<'_>,
    request: Ack,
    now: Timestamp,
    real: std::time::Instant,
) -> Vec<AckOutcome> {
    let Ack {
        group,
        topic,
        handles,
    } = request;
    let mut by_queue: Vec<(u32, Vec<(u64, u32)>)> = Vec::new();
    let mut unblocks = None;
    let mut judge = |handle: &ReceiptHandle| -> Result<(), ClusterError> {
        let (id, standing) = entry.live.standing(&group, &topic, handle, now, real)?;
        if let Standing::Live(held) = standing {
            let delivery = (handle.offset, handle.attempt);
            match by_queue
                .iter_mut()
                .find(|(queue, _)| *queue == handle.queue)
            {
                Some((_, deliveries)) => deliveries.push(delivery),
                None => by_queue.push((handle.queue, vec![delivery])),
            }
            if let Some(held) = held {
                if held.message_group.is_some() {
                    unblocks = Some(id);
                }
                entry.live.forget_renewal(&held);
            }
        }
        Ok(())
    };
    let outcomes = handles.into_iter().map(|handle| AckOutcome {
        result: judge(&handle),
        handle,
    });
    let outcomes = outcomes.collect();
    for (queue, deliveries) in by_queue {
        entry.push(Record::Settled {
            group: group.clone(),
            topic: topic.clone(),
            queue,
            how: Settling::Acked,
            at: now,
            deliveries,
        });
    }
    if let Some(progress) = unblocks {
        entry.live.wake(progress);
    }
    outcomes
}

impl crate::broker::core::Live {
    /// A held message is settled or handed to somebody else: nobody renews its lease.
    pub(in crate::broker) fn forget_renewal(&mut self, held: &Held) {
        if let Stage::InFlight { lease, .. } = held.stage {
            self.renewals.remove(lease);
        }
    }
}
