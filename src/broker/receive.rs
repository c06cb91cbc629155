//! Receiving: messages ready for a group are leased to one of its members; when none is, the caller waits for one.

use std::sync::Arc;
use std::time::Duration;

use crate::activity::Happening;
use crate::broker::core::{Core, Live};
use crate::broker::delivery::claim::Wanted;
use crate::broker::delivery::hand::{Terms, hand_out};
use crate::broker::delivery::{concurrent, orderly, parse_filter};
use crate::broker::groups::forbidden;
use crate::broker::quota::{Limited, shares};
use crate::broker::state::ProgressId;
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Delivery, MAX_INVISIBLE, MAX_RECEIVE, MIN_INVISIBLE, Receive};
use crate::cluster::session::Caller;
use crate::domain::group::{DeliveryOrder, GroupDefinition};
use crate::domain::names::TopicName;
use crate::filter::Filter;

/// What one look for messages came to.
enum Round {
    Found(Vec<Delivery>),
    /// Candidates were looked at and none was wanted; there may be more.
    GoOn,
    Empty,
}

impl Core {
    pub(in crate::broker) async fn receive(
        &self,
        caller: &Caller,
        request: Receive,
    ) -> Reply<Vec<Delivery>> {
        let filter = Arc::new(parse_filter(&request.filter)?);
        let invisible = invisible(&request)?;
        if !caller.principal.may_receive(&request.group, &request.topic) {
            return Err(forbidden(&request.group, &request.topic));
        }
        let until = self.real.now() + request.poll;
        loop {
            let progress = self.join(caller, &request.group, &request.topic).await?;
            self.catch_up();
            let arrived = self.live().arrival(progress);
            let mut arrived = std::pin::pin!(arrived.notified());
            // Registered before the look, so that nothing that comes after it is missed.
            arrived.as_mut().enable();
            let terms = self.terms(caller, &request, filter.clone(), invisible)?;
            match self.look(&request, progress, &terms)? {
                Round::Found(deliveries) => return Ok(deliveries),
                Round::GoOn => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Round::Empty if self.real.now() >= until => return Ok(Vec::new()),
                Round::Empty => {}
            }
            tokio::select! {
                () = arrived => {}
                () = self.real.sleep_until(until) => {}
                () = self.stop.cancelled() => return Err(ClusterError::Stopping),
            }
        }
    }

    /// What holds for this receive now; the group may be switched off or changed while the caller waits (G5).
    fn terms(
        &self,
        caller: &Caller,
        request: &Receive,
        filter: Arc<Filter>,
        invisible: Duration,
    ) -> Reply<Terms> {
        let (real, now) = (self.real.now(), self.now());
        let mut live = self.live();
        live.sessions.touch(caller, real, now);
        let group = readable(&live, request)?;
        let client = caller.client.clone();
        let renews = request.auto_renew
            && client
                .as_ref()
                .is_some_and(|client| live.sessions.is_alive(client, real));
        Ok(Terms {
            group: group.name.clone(),
            filter,
            invisible,
            client,
            renewed_from: renews.then_some(real),
            orderly: group.order == DeliveryOrder::Orderly,
        })
    }

    fn look(&self, request: &Receive, progress: ProgressId, terms: &Terms) -> Reply<Round> {
        let now = self.now();
        let mut wanted = Wanted {
            progress,
            queue: request.queue,
            max: request.max.clamp(1, MAX_RECEIVE),
            unfiltered: *terms.filter == Filter::All,
            orderly: terms.orderly,
            now,
        };
        let guard = {
            let mut live = self.live();
            live.filters.insert(progress, terms.filter.clone());
            let again = request.attempt_id.as_deref().filter(|_| terms.orderly);
            let again = again.and_then(|attempt| live.still_held(progress, attempt, now));
            if let Some(handles) = again {
                drop(live);
                return self.same_again(terms, handles).map(Round::Found);
            }
            wanted.max = self.allowed(&mut live, request, wanted.max)?;
            match self.claim(&mut live, wanted) {
                Some(guard) => guard,
                None => return Ok(Round::Empty),
            }
        };
        let contents = self.read_claimed(&guard.claim)?;
        let mut deliveries = Vec::with_capacity(wanted.max);
        {
            let mut live = self.live();
            let mut entry = self.entry(&mut live);
            for (claim, contents) in guard.claim.queues.iter().zip(&contents) {
                let room = wanted.max - deliveries.len();
                let Some(state) = entry.live.state.progress_mut(progress) else {
                    break;
                };
                let Some(queue) = state.queues.get_mut(claim.queue as usize) else {
                    continue;
                };
                let chosen = if terms.orderly {
                    orderly::choose(queue, claim, contents, &terms.filter, wanted, room)
                } else {
                    concurrent::choose(queue, claim, contents, &terms.filter, wanted, room)
                };
                let queue = claim.queue;
                hand_out(
                    &mut entry,
                    terms,
                    &guard.claim,
                    queue,
                    chosen,
                    now,
                    &mut deliveries,
                );
            }
            entry.ride();
            self.handed(&mut live, request, progress, &deliveries);
            guard.release(&mut live);
        }
        if deliveries.is_empty() {
            return Ok(Round::GoOn);
        }
        self.report_deliveries(terms, &deliveries);
        Ok(Round::Found(deliveries))
    }

    /// How many messages the quotas let through (N19).
    fn allowed(&self, live: &mut Live, request: &Receive, max: usize) -> Reply<usize> {
        let (_, instance) = shares(&self.definition.read());
        let group = live.state.group(&request.group);
        let of_group = group.and_then(|group| group.max_receive_tps);
        if instance.is_none() && of_group.is_none() {
            return Ok(max);
        }
        let now = self.real.now();
        let max = live
            .quotas
            .available(&Limited::InstanceReceive, instance, now, max)?;
        let group = Limited::Group(request.group.clone());
        live.quotas.available(&group, of_group, now, max)
    }

    /// Bookkeeping after a delivery: quotas, and the answer to the client's own retry (F2).
    fn handed(
        &self,
        live: &mut Live,
        request: &Receive,
        progress: ProgressId,
        deliveries: &[Delivery],
    ) {
        let (_, instance) = shares(&self.definition.read());
        let group = live.state.group(&request.group);
        let of_group = group.and_then(|group| group.max_receive_tps);
        let count = deliveries.len();
        live.quotas.spend(Limited::InstanceReceive, instance, count);
        let group = Limited::Group(request.group.clone());
        live.quotas.spend(group, of_group, count);
        if let Some(attempt_id) = &request.attempt_id
            && count > 0
        {
            let handles = deliveries.iter().map(|delivery| delivery.handle.clone());
            live.polls.remember(progress, attempt_id, handles.collect());
        }
    }

    fn report_deliveries(&self, terms: &Terms, deliveries: &[Delivery]) {
        let now = self.now();
        self.feed.report_all(deliveries.iter().map(|delivery| {
            let happening = Happening::MessageDelivered {
                instance: self.instance(),
                group: terms.group.clone(),
                id: delivery.message.id.clone(),
                place: delivery.message.place(),
                attempt: delivery.attempt,
            };
            (now, happening)
        }));
    }
}

/// The group of a request, when it and its topic may be read from.
fn readable<'a>(live: &'a Live, request: &Receive) -> Reply<&'a GroupDefinition> {
    let group = live.state.group(&request.group);
    let group = group.ok_or_else(|| ClusterError::GroupNotFound(request.group.clone()))?;
    if !group.consume_enabled {
        return Err(ClusterError::Forbidden(format!(
            "consuming is switched off for group `{}`",
            request.group
        )));
    }
    check_readable(live, &request.topic)?;
    Ok(group)
}

/// A topic whose permission includes reading (T2).
pub(in crate::broker) fn check_readable(live: &Live, topic: &TopicName) -> Reply<()> {
    let found = live.state.topic(topic);
    let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
    if !found.definition.permission.reads() {
        return Err(ClusterError::Forbidden(format!(
            "topic `{topic}` gives no messages now"
        )));
    }
    Ok(())
}

/// The invisible duration asked for, within its bounds; renewed leases take the default (N15, D8).
fn invisible(request: &Receive) -> Reply<Duration> {
    let asked = request.invisible.filter(|_| !request.auto_renew);
    let invisible = asked.unwrap_or(GroupDefinition::DEFAULT_INVISIBLE);
    if (MIN_INVISIBLE..=MAX_INVISIBLE).contains(&invisible) {
        return Ok(invisible);
    }
    Err(ClusterError::IllegalInvisible {
        asked_ms: invisible.as_millis() as u64,
        min_ms: MIN_INVISIBLE.as_millis() as u64,
        max_ms: MAX_INVISIBLE.as_millis() as u64,
    })
}
