//! Claiming candidates: what one receiver reads while others look elsewhere.

use std::sync::Arc;

use crate::broker::core::{Core, Live};
use crate::broker::state::progress::{Held, QueueProgress};
use crate::broker::state::{ProgressId, Queue};
use crate::domain::message::Place;
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicType;

/// Messages read at most for one round of a filtered or an orderly receive.
const READ_AHEAD: u64 = 256;
/// Messages of one queue kept back behind blocks; past that the queue is not read further until some go (F2).
const MOST_BEHIND: usize = 100_000;

/// What a receive asks for, resolved.
#[derive(Debug, Clone, Copy)]
pub(in crate::broker) struct Wanted {
    pub progress: ProgressId,
    pub queue: Option<u32>,
    pub max: usize,
    /// Every message is wanted, so as many are read as are handed out.
    pub unfiltered: bool,
    pub orderly: bool,
    pub now: Timestamp,
}

/// Candidates of one receiver; nobody else takes them until they are given back.
pub(in crate::broker) struct Claim {
    pub topic: TopicName,
    pub progress: ProgressId,
    pub queues: Vec<QueueClaim>,
}

pub(in crate::broker) struct QueueClaim {
    pub queue: u32,
    /// Fresh offsets.
    pub ranges: Vec<(u64, u64)>,
    /// Messages read by themselves: held ones that are ready again, and orderly ones that stand in line. A letter
    /// replaces the content of what a person put back.
    pub single: Vec<(u64, Option<Arc<Place>>)>,
}

impl QueueClaim {
    pub(in crate::broker) fn size(&self) -> usize {
        let ranges: u64 = self.ranges.iter().map(|(from, to)| to - from).sum();
        self.single.len() + ranges as usize
    }
}

/// Gives a claim back when its receiver is done, however that ends.
pub(in crate::broker) struct ClaimGuard<'a> {
    core: &'a Core,
    pub claim: Claim,
    orderly: bool,
}

impl ClaimGuard<'_> {
    /// Gives the claim back under a lock that is held already.
    pub(in crate::broker) fn release(mut self, live: &mut Live) {
        self.give_back(live);
    }

    fn give_back(&mut self, live: &mut Live) {
        let mut contended = false;
        let claims = std::mem::take(&mut self.claim.queues);
        if let Some(progress) = live.state.progress_mut(self.claim.progress) {
            for claim in claims {
                let Some(queue) = progress.queues.get_mut(claim.queue as usize) else {
                    continue;
                };
                if self.orderly {
                    queue.unclaim(0);
                    contended |= queue.take_contended();
                } else {
                    let ranges = claim.ranges.iter().map(|(from, _)| *from);
                    let single = claim.single.iter().map(|(offset, _)| *offset);
                    ranges.chain(single).for_each(|from| queue.unclaim(from));
                }
            }
        }
        if contended {
            live.wake(self.claim.progress);
        }
    }
}

impl Drop for ClaimGuard<'_> {
    fn drop(&mut self) {
        if !self.claim.queues.is_empty() {
            let core = self.core;
            self.give_back(&mut core.live());
        }
    }
}

impl Core {
    /// Claims candidates, if there are any.
    pub(in crate::broker) fn claim(
        &self,
        live: &mut Live,
        wanted: Wanted,
    ) -> Option<ClaimGuard<'_>> {
        let order = queue_order(live, wanted)?;
        let topic = live.state.progress(wanted.progress)?.topic.clone();
        let mut queues = Vec::new();
        let mut room = wanted.max as u64;
        for queue in order {
            if room == 0 {
                break;
            }
            let bounds = live
                .state
                .topic(&topic)?
                .queues
                .get(queue as usize)
                .copied();
            let progress = live.state.progress_mut(wanted.progress)?;
            let progress = progress.queues.get_mut(queue as usize);
            let Some((bounds, progress)) = bounds.zip(progress) else {
                continue;
            };
            let claimed = if wanted.orderly {
                claim_whole(progress, queue, bounds, wanted.now, room)
            } else {
                claim_part(progress, queue, bounds, wanted, room)
            };
            if let Some(claimed) = claimed {
                room = room.saturating_sub(claimed.size() as u64);
                queues.push(claimed);
            }
        }
        (!queues.is_empty()).then_some(ClaimGuard {
            core: self,
            claim: Claim {
                topic,
                progress: wanted.progress,
                queues,
            },
            orderly: wanted.orderly,
        })
    }
}

/// Queues with something ready, in the order to look at them: as asked, by priority, or from the next in turn (O6, T11).
fn queue_order(live: &mut Live, wanted: Wanted) -> Option<Vec<u32>> {
    let progress = live.state.progress(wanted.progress)?;
    let topic = live.state.topic(&progress.topic)?;
    let count = topic
        .definition
        .read_queues
        .min(progress.queues.len() as u32);
    let ready = |queue: &u32| {
        let pair = topic
            .queues
            .get(*queue as usize)
            .zip(progress.queues.get(*queue as usize));
        pair.is_some_and(|(queue, progress)| progress.has_ready(queue.visible, wanted.now))
    };
    let group = live.state.group(&progress.group)?;
    let by_priority = topic.definition.topic_type == TopicType::Priority
        && fastrand::u8(0..100) < group.priority_factor;
    let order = match wanted.queue {
        Some(queue) => (queue..count.min(queue.saturating_add(1))).collect(),
        None if by_priority => (0..count).rev().filter(ready).collect(),
        None => {
            let turn = progress.turn % count.max(1);
            (turn..count).chain(0..turn).filter(ready).collect()
        }
    };
    let progress = live.state.progress_mut(wanted.progress)?;
    progress.turn = progress.turn.wrapping_add(1);
    Some(order)
}

/// Some messages of a queue: those ready again first, then fresh ones.
fn claim_part(
    progress: &mut QueueProgress,
    queue: u32,
    bounds: Queue,
    wanted: Wanted,
    room: u64,
) -> Option<QueueClaim> {
    let again = progress
        .ready_again(wanted.now)
        .filter(|offset| !progress.is_claimed(*offset))
        .take(room as usize);
    let single: Vec<_> = again
        .map(|offset| (offset, letter(progress.held(offset))))
        .collect();
    for (offset, _) in &single {
        progress.claim(*offset, offset + 1);
    }
    let mut left = if wanted.unfiltered {
        room - single.len() as u64
    } else {
        READ_AHEAD
    };
    let mut ranges = Vec::new();
    while left > 0
        && let Some((from, to)) = progress.claim_fresh(bounds.min, bounds.visible, left)
    {
        left -= to - from;
        ranges.push((from, to));
    }
    let claim = QueueClaim {
        queue,
        ranges,
        single,
    };
    (claim.size() > 0).then_some(claim)
}

/// A whole queue, since only one receiver at a time can keep order: what may be handed out, and what to read ahead.
fn claim_whole(
    progress: &mut QueueProgress,
    queue: u32,
    bounds: Queue,
    now: Timestamp,
    room: u64,
) -> Option<QueueClaim> {
    let mut single: Vec<(u64, Option<Arc<Place>>)> = Vec::new();
    let mut again: Vec<u64> = progress.ready_again(now).collect();
    again.sort_unstable();
    for offset in again {
        if single.len() as u64 == room {
            break;
        }
        let held = progress.held(offset);
        let group = held.and_then(|held| held.message_group.as_deref());
        let picked = |ahead| single.iter().any(|(offset, _)| *offset == ahead);
        if group.is_none_or(|group| progress.line().ahead_of(group, offset).all(picked)) {
            single.push((offset, letter(held)));
        }
    }
    progress.line_mut().pass(bounds.min);
    let line = progress.line();
    let left = room as usize - single.len();
    let in_line = line.free().flat_map(|group| line.behind(group));
    single.extend(in_line.take(left).map(|offset| (offset, None)));
    let from = line.scanned();
    let to = bounds.visible.min(from.saturating_add(READ_AHEAD));
    let reads_on = from < to && line.waiting() < MOST_BEHIND && (single.len() as u64) < room;
    let ranges = if reads_on {
        vec![(from, to)]
    } else {
        Vec::new()
    };
    let claim = QueueClaim {
        queue,
        ranges,
        single,
    };
    (claim.size() > 0 && progress.claim_all()).then_some(claim)
}

fn letter(held: Option<&Held>) -> Option<Arc<Place>> {
    held.and_then(|held| held.letter.clone())
}
