//! Handing claimed messages out: what was chosen is leased, what the filter does not want is skipped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::core::Entry;
use crate::broker::delivery::claim::{Claim, Wanted};
use crate::broker::renewal::Renewal;
use crate::broker::state::Queue;
use crate::broker::state::progress::{QueueProgress, Stage};
use crate::cluster::messaging::Delivery;
use crate::domain::message::Message;
use crate::domain::names::{ClientId, GroupName};
use crate::domain::receipt::ReceiptHandle;
use crate::domain::record::{Leasing, Record, Settling};
use crate::domain::timestamp::Timestamp;
use crate::filter::Filter;

/// How a receiver wants its messages.
pub(in crate::broker) struct Terms {
    pub group: GroupName,
    pub filter: Arc<Filter>,
    pub invisible: Duration,
    pub client: Option<ClientId>,
    /// The moment from which leases are renewed while the client lives; absent: they are not.
    pub renewed_from: Option<Instant>,
    pub orderly: bool,
}

/// What becomes of the candidates of one queue.
#[derive(Default)]
pub(in crate::broker) struct Chosen {
    leased: Vec<(Arc<Message>, u32)>,
    skipped: Vec<(u64, u64)>,
    /// Held messages whose content is gone, with their attempt.
    gone: Vec<(u64, u32)>,
}

impl Chosen {
    pub(in crate::broker) fn lease(&mut self, message: Arc<Message>, attempt: u32) {
        self.leased.push((message, attempt));
    }

    pub(in crate::broker) fn has(&self, offset: u64) -> bool {
        self.leased
            .iter()
            .any(|(message, _)| message.offset == offset)
    }

    pub(in crate::broker) fn count(&self) -> usize {
        self.leased.len()
    }

    pub(in crate::broker) fn skip(&mut self, offset: u64) {
        match self.skipped.last_mut() {
            Some((_, to)) if *to == offset => *to += 1,
            _ => self.skipped.push((offset, offset + 1)),
        }
    }

    pub(in crate::broker) fn give_up(&mut self, offset: u64, attempt: u32) {
        self.gone.push((offset, attempt));
    }
}

/// The attempt a held message comes as, if it is ready again.
pub(in crate::broker) fn returning(
    progress: &QueueProgress,
    offset: u64,
    wanted: Wanted,
) -> Option<u32> {
    let held = progress.held(offset)?;
    let ready = matches!(held.stage, Stage::Returning { due } if due <= wanted.now);
    ready.then_some(held.attempt)
}

/// Records what was chosen of one queue and adds it to `deliveries`.
pub(in crate::broker) fn hand_out(
    entry: &mut Entry<'_>,
    terms: &Terms,
    claim: &Claim,
    queue: u32,
    chosen: Chosen,
    now: Timestamp,
    deliveries: &mut Vec<Delivery>,
) {
    let topic = &claim.topic;
    let group = &terms.group;
    if !chosen.skipped.is_empty() {
        entry.push(Record::Skipped {
            group: group.clone(),
            topic: topic.clone(),
            queue,
            ranges: chosen.skipped,
            at: now,
        });
    }
    if !chosen.gone.is_empty() {
        entry.push(Record::Settled {
            group: group.clone(),
            topic: topic.clone(),
            queue,
            how: Settling::Discarded,
            at: now,
            deliveries: chosen.gone,
        });
    }
    if chosen.leased.is_empty() {
        return;
    }
    let deadline = now + terms.invisible;
    let first = entry.live.state.next_lease();
    let leasings = chosen
        .leased
        .iter()
        .zip(first..)
        .map(|((message, attempt), lease)| {
            let message_group = message.message_group.as_deref().filter(|_| terms.orderly);
            Leasing {
                offset: message.offset,
                attempt: *attempt,
                lease,
                message_group: message_group.map(Arc::from),
            }
        });
    let record = Record::Leased {
        group: group.clone(),
        topic: topic.clone(),
        queue,
        client: terms.client.clone(),
        deadline,
        at: now,
        deliveries: leasings.collect(),
    };
    entry.push(record);
    let topic_state = entry.live.state.topic(topic);
    let bounds = topic_state.and_then(|topic| topic.queues.get(queue as usize));
    let bounds = bounds.copied().unwrap_or_default();
    for ((message, attempt), lease) in chosen.leased.into_iter().zip(first..) {
        renew(entry, terms, claim, queue, message.offset, lease);
        deliveries.push(delivery(
            terms,
            claim,
            bounds,
            message,
            (attempt, lease, deadline),
        ));
    }
}

fn renew(entry: &mut Entry<'_>, terms: &Terms, claim: &Claim, queue: u32, offset: u64, lease: u64) {
    if let (Some(since), Some(client)) = (terms.renewed_from, &terms.client) {
        let renewal = Renewal {
            client: client.clone(),
            invisible: terms.invisible,
            since,
            progress: claim.progress,
            queue,
            offset,
        };
        entry.live.renewals.add(lease, renewal);
    }
}

fn delivery(
    terms: &Terms,
    claim: &Claim,
    bounds: Queue,
    message: Arc<Message>,
    (attempt, lease, deadline): (u32, u64, Timestamp),
) -> Delivery {
    Delivery {
        handle: ReceiptHandle {
            group: terms.group.clone(),
            topic: claim.topic.clone(),
            queue: message.queue,
            offset: message.offset,
            attempt,
            lease,
            deadline,
        },
        message,
        attempt,
        invisible: terms.invisible,
        min_offset: bounds.min,
        max_offset: bounds.visible,
    }
}
