//! Moving a delivery's deadline: more time for the work, or a nack that brings the message back (D4).

use std::sync::Arc;

use crate::broker::core::{Core, Entry, Live, cluster_error, durable};
use crate::broker::dead_letter::Doomed;
use crate::broker::groups::forbidden;
use crate::broker::standing::Standing;
use crate::broker::state::progress::Held;
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{ChangeInvisible, ForwardToDeadLetter, MAX_INVISIBLE};
use crate::cluster::session::Caller;
use crate::domain::group::DeliveryOrder;
use crate::domain::message::{Place, Properties};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::record::{Leasing, Postponing, Record};
use crate::domain::retry_policy::NextDelivery;
use crate::domain::timestamp::Timestamp;

impl Core {
    pub(in crate::broker) async fn change_invisible(
        &self,
        caller: &Caller,
        request: ChangeInvisible,
    ) -> Reply<ReceiptHandle> {
        if request.invisible > MAX_INVISIBLE {
            return Err(ClusterError::IllegalInvisible {
                asked_ms: request.invisible.as_millis() as u64,
                min_ms: 0,
                max_ms: MAX_INVISIBLE.as_millis() as u64,
            });
        }
        let (group, topic) = (&request.group, &request.topic);
        let shown = self.shown(caller, group, topic, &request.handle)?;
        if request.extends {
            return self.extend(&request, shown.message_group);
        }
        if shown.next == NextDelivery::Dead {
            let doomed = Doomed::of(&request.handle, shown.held.as_ref(), Properties::new());
            self.bury(vec![doomed]).await?;
            return Ok(request.handle);
        }
        self.nack(request, shown.message_group).await
    }

    pub(in crate::broker) async fn forward_to_dead_letter(
        &self,
        caller: &Caller,
        request: ForwardToDeadLetter,
    ) -> Reply<()> {
        let shown = self.shown(caller, &request.group, &request.topic, &request.handle);
        let shown = shown?;
        let doomed = Doomed::of(&request.handle, shown.held.as_ref(), request.notes);
        self.bury(vec![doomed]).await
    }

    /// Looks at a handle before anything is decided: what is read from the journal is read without the lock.
    fn shown(
        &self,
        caller: &Caller,
        group: &GroupName,
        topic: &TopicName,
        handle: &ReceiptHandle,
    ) -> Reply<Shown> {
        if !caller.principal.may_receive(group, topic) {
            return Err(forbidden(group, topic));
        }
        let (now, real) = (self.now(), self.real.now());
        let (held, definition) = {
            let mut live = self.live();
            live.sessions.touch(caller, real, now);
            let held = still_held(&live, group, topic, handle, (now, real))?;
            let definition = live.state.group(group).cloned();
            (held, definition)
        };
        let definition = definition.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
        let orderly = definition.order == DeliveryOrder::Orderly;
        let message_group = match &held {
            Some(held) => held.message_group.clone(),
            None if orderly => self.message_group(handle)?,
            None => None,
        };
        Ok(Shown {
            held,
            message_group,
            next: definition
                .retry_policy
                .after_failure(handle.attempt, definition.max_retries),
        })
    }

    fn message_group(&self, handle: &ReceiptHandle) -> Reply<Option<Arc<str>>> {
        let place = place(handle);
        let message = self.journal.message(&place).map_err(cluster_error)?;
        Ok(message.and_then(|message| message.message_group.as_deref().map(Arc::from)))
    }

    /// A longer lease rides in the next commit, as the lease itself did.
    fn extend(
        &self,
        request: &ChangeInvisible,
        message_group: Option<Arc<str>>,
    ) -> Reply<ReceiptHandle> {
        let (now, real) = (self.now(), self.real.now());
        let ChangeInvisible {
            group,
            topic,
            handle,
            ..
        } = request;
        let mut live = self.live();
        let held = still_held(&live, group, topic, handle, (now, real))?;
        if let Some(held) = held {
            live.forget_renewal(&held);
        }
        let mut entry = self.entry(&mut live);
        let lease = entry.live.state.next_lease();
        let deadline = now + request.invisible;
        entry.push(Record::Leased {
            group: group.clone(),
            topic: topic.clone(),
            queue: handle.queue,
            client: None,
            deadline,
            at: now,
            deliveries: vec![Leasing {
                offset: handle.offset,
                attempt: handle.attempt,
                lease,
                message_group,
            }],
        });
        entry.ride();
        Ok(ReceiptHandle {
            lease,
            deadline,
            ..handle.clone()
        })
    }

    async fn nack(
        &self,
        request: ChangeInvisible,
        message_group: Option<Arc<str>>,
    ) -> Reply<ReceiptHandle> {
        let ChangeInvisible {
            group,
            topic,
            handle,
            invisible,
            ..
        } = request;
        let (again, commit) = {
            let (now, real) = (self.now(), self.real.now());
            let mut live = self.live();
            let held = still_held(&live, &group, &topic, &handle, (now, real))?;
            if let Some(held) = held {
                live.forget_renewal(&held);
            }
            let due = now + invisible;
            let mut entry = self.entry(&mut live);
            // Below every lease to come, so that the next delivery supersedes it.
            let lease = entry.live.state.next_lease().saturating_sub(1);
            entry.push(Record::Postponed {
                group: group.clone(),
                place: place(&handle),
                attempt: handle.attempt + 1,
                due,
                at: now,
                why: Postponing::Nacked,
                message_group,
            });
            wake_if_due(&entry, &group, &topic, due, now);
            let again = ReceiptHandle {
                attempt: handle.attempt + 1,
                lease,
                deadline: due,
                ..handle
            };
            (again, entry.append())
        };
        durable(commit).await?;
        Ok(again)
    }
}

/// A handle that counts, and what a failure of its delivery means.
struct Shown {
    held: Option<Held>,
    message_group: Option<Arc<str>>,
    next: NextDelivery,
}

/// How the message of a live handle is held; a message that is done with cannot be moved.
fn still_held(
    live: &Live,
    group: &GroupName,
    topic: &TopicName,
    handle: &ReceiptHandle,
    (now, real): (Timestamp, std::time::Instant),
) -> Reply<Option<Held>> {
    match live.standing(group, topic, handle, now, real)? {
        (_, Standing::Live(held)) => Ok(held),
        (_, Standing::Done) => Err(ClusterError::ReceiptExpired),
    }
}

fn wake_if_due(
    entry: &Entry<'_>,
    group: &GroupName,
    topic: &TopicName,
    due: Timestamp,
    now: Timestamp,
) {
    if due <= now
        && let Some(progress) = entry.live.state.progress_id(group, topic)
    {
        entry.live.wake(progress);
    }
}

pub(in crate::broker) fn place(handle: &ReceiptHandle) -> Place {
    Place {
        topic: handle.topic.clone(),
        queue: handle.queue,
        offset: handle.offset,
    }
}
