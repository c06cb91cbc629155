//! What happens at its moment by itself: leases run out, retries come back, delayed messages are stored, halves are
//! checked. One loop sleeps until the earliest such moment; every receive looks as well, so that nobody sees a state
//! older than its own now.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::core::{Core, Entry, Live, cluster_error};
use crate::broker::dead_letter::Doomed;
use crate::broker::state::progress::{Held, Stage};
use crate::broker::state::{Due, Progress, Wait};
use crate::clock::BrokerClock;
use crate::cluster::Reply;
use crate::domain::message::{Message, Place, Properties};
use crate::domain::record::{Leasing, Postponing, Record};
use crate::domain::retry_policy::NextDelivery;
use crate::domain::timestamp::Timestamp;

/// Things done under one lock.
const BATCH: usize = 256;
/// Real time between two tries while something due cannot be done.
const PAUSE: Duration = Duration::from_secs(1);

/// What came of doing what is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Pass {
    /// Nothing is due any more.
    Done,
    /// There may be more.
    More,
    /// Something due cannot be done now.
    Stuck,
}

/// What is due and needs content that is read without the lock.
#[derive(Default)]
struct Unread {
    doomed: Vec<Doomed>,
    delays: Vec<u64>,
    halves: Vec<u64>,
}

/// Runs until the broker stops.
pub(in crate::broker) async fn run(core: Arc<Core>) {
    loop {
        let pass = core.catch_up();
        let next = core.live().claim_next(&core.clock);
        let moment = async {
            match (pass, next) {
                (Pass::Stuck, _) => core.real.sleep(PAUSE).await,
                (_, Some(at)) => core.clock.reach(at).await,
                (_, None) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = core.ledger.sooner.notified() => {}
            () = moment => {}
        }
    }
}

impl Core {
    /// Does everything that is due now.
    pub(in crate::broker) fn catch_up(&self) -> Pass {
        loop {
            let pass = self.do_due();
            if pass != Pass::More {
                return pass;
            }
        }
    }

    /// One batch. What is done may make something else due at once: a lease that ran out, its message.
    fn do_due(&self) -> Pass {
        let now = self.now();
        let unread = {
            let mut live = self.live();
            let next = live.state.next_due();
            if next.is_none_or(|(at, _)| at > now) {
                return Pass::Done;
            }
            if self.is_recovering(&live) {
                return Pass::Stuck;
            }
            let due: Vec<(Timestamp, Due)> = live.state.due(now).take(BATCH).collect();
            let mut unread = Unread::default();
            let mut entry = self.entry(&mut live);
            for (at, due) in due {
                self.one_due(&mut entry, at, due, now, &mut unread);
            }
            if !entry.is_empty() {
                drop(entry.append());
            }
            unread
        };
        match self.do_unread(unread, now) {
            Ok(0) => Pass::More,
            Ok(_) => Pass::Stuck,
            Err(error) => {
                tracing::error!(%error, "what is due has to wait");
                Pass::Stuck
            }
        }
    }

    fn one_due(
        &self,
        entry: &mut Entry<'_>,
        at: Timestamp,
        due: Due,
        now: Timestamp,
        unread: &mut Unread,
    ) {
        match due {
            Due::Parked(number) => match entry.live.state.parked().get(&number) {
                Some(parked) if matches!(parked.wait, Wait::Delay { .. }) => {
                    unread.delays.push(number);
                }
                Some(_) => unread.halves.push(number),
                None => entry.live.state.forget_due(at, due),
            },
            Due::Delivery {
                progress,
                queue,
                offset,
            } => {
                let held = entry.live.state.queue_progress(progress, queue);
                let held = held.and_then(|queue| queue.held(offset)).cloned();
                match held {
                    Some(held) if held.is_in_flight() => {
                        let place = (progress, queue, offset);
                        self.lease_ended(entry, place, &held, now, unread);
                    }
                    // Ready again from this moment on: receivers find it by themselves.
                    _ => entry.live.state.forget_due(at, due),
                }
                entry.live.wake(progress);
            }
        }
    }

    /// A lease ran out: it is renewed, or the message is ready again at once, or it is dead (D5, D8, Q1).
    fn lease_ended(
        &self,
        entry: &mut Entry<'_>,
        (progress, queue, offset): (u32, u32, u64),
        held: &Held,
        now: Timestamp,
        unread: &mut Unread,
    ) {
        let Stage::InFlight { lease, .. } = held.stage else {
            return;
        };
        let Some(of) = entry.live.state.progress(progress) else {
            return;
        };
        let place = Place {
            topic: of.topic.clone(),
            queue,
            offset,
        };
        let group = of.group.clone();
        let renewal = entry.live.renewals.get(lease).cloned();
        if entry.live.is_renewed(lease, self.real.now())
            && let Some(renewal) = &renewal
        {
            let record = renewed(of, &place, held, lease, now + renewal.invisible, now);
            entry.push(record);
            return;
        }
        let definition = entry.live.state.group(&group);
        let next = definition.map_or(NextDelivery::After(Duration::ZERO), |group| {
            group
                .retry_policy
                .after_failure(held.attempt, group.max_retries)
        });
        // A holder that lives but holds on too long is nacked by the policy; any other message is ready at once.
        let stuck = renewal.is_some_and(|renewal| {
            entry
                .live
                .sessions
                .is_alive(&renewal.client, self.real.now())
        });
        let delay = match next {
            NextDelivery::Dead => {
                unread.doomed.push(Doomed {
                    group,
                    place,
                    attempt: held.attempt,
                    letter: held.letter.clone(),
                    notes: Properties::new(),
                });
                return;
            }
            NextDelivery::After(delay) if stuck => delay,
            NextDelivery::After(_) => Duration::ZERO,
        };
        entry.live.forget_renewal(held);
        entry.push(Record::Postponed {
            group,
            place,
            attempt: held.attempt + 1,
            due: now + delay,
            at: now,
            why: Postponing::Expired,
            message_group: held.message_group.clone(),
        });
    }

    /// Says for how many things the content was not there: they were parked a moment ago and their commit is under way.
    fn do_unread(&self, unread: Unread, now: Timestamp) -> Reply<usize> {
        let wanted = unread.delays.len() + unread.halves.len();
        let delays = self.parked_contents(unread.delays)?;
        let halves = self.parked_contents(unread.halves)?;
        let missing = wanted - delays.len() - halves.len();
        self.release(delays, now);
        self.check_halves(halves, now);
        if !unread.doomed.is_empty() {
            drop(self.bury_now(unread.doomed)?);
        }
        Ok(missing)
    }

    fn parked_contents(&self, numbers: Vec<u64>) -> Reply<Vec<(u64, Arc<Message>)>> {
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            let message = self.journal.parked(number).map_err(cluster_error)?;
            found.extend(message.map(|message| (number, message)));
        }
        Ok(found)
    }
}

impl Live {
    /// Claims the earliest moment something happens, with a name for it.
    pub(in crate::broker) fn claim_next(&mut self, clock: &BrokerClock) -> Option<Timestamp> {
        let (at, due) = self.state.next_due().unzip();
        // The new claim before the old one goes: a jump in between passes neither.
        self.claim = at.zip(due).map(|(at, due)| clock.claim(at, self.name(due)));
        at
    }

    fn name(&self, due: Due) -> &'static str {
        match due {
            Due::Parked(number) => match self.state.parked().get(&number).map(|p| &p.wait) {
                Some(Wait::Half { .. }) => "transaction check",
                _ => "delayed message",
            },
            Due::Delivery {
                progress,
                queue,
                offset,
            } => {
                let queue = self.state.queue_progress(progress, queue);
                let held = queue.and_then(|queue| queue.held(offset));
                if held.is_some_and(Held::is_in_flight) {
                    "invisible duration"
                } else {
                    "retry"
                }
            }
        }
    }
}

/// The same lease with a later end.
fn renewed(
    of: &Progress,
    place: &Place,
    held: &Held,
    lease: u64,
    deadline: Timestamp,
    now: Timestamp,
) -> Record {
    Record::Leased {
        group: of.group.clone(),
        topic: place.topic.clone(),
        queue: place.queue,
        client: None,
        deadline,
        at: now,
        deliveries: vec![Leasing {
            offset: place.offset,
            attempt: held.attempt,
            lease,
            message_group: held.message_group.clone(),
        }],
    }
}
