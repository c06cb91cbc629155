//! How far one group is with one queue: what it was never handed, what it holds, and when that comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::broker::state::fresh::Fresh;
use crate::broker::state::line::Line;
use crate::domain::message::Place;
use crate::domain::timestamp::Timestamp;

/// A message that a group was handed and is not done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::broker) struct Held {
    /// The delivery that is under way, or the one that comes next.
    pub attempt: u32,
    pub stage: Stage,
    /// Its message group, where the group is orderly.
    pub message_group: Option<Arc<str>>,
    /// The dead letter that a person put back; its content is delivered (Q6 c).
    pub letter: Option<Arc<Place>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::broker) enum Stage {
    InFlight {
        lease: u64,
        deadline: Timestamp,
    },
    /// Waits until `due`; from then on it is ready.
    Returning {
        due: Timestamp,
    },
}

impl Held {
    /// When something happens to it by itself.
    pub(in crate::broker) fn due(&self) -> Timestamp {
        match self.stage {
            Stage::InFlight { deadline, .. } => deadline,
            Stage::Returning { due } => due,
        }
    }

    /// A message in retry of a concurrent group stays in retry when offsets are moved past it (Z3).
    pub(in crate::broker) fn outlives_reset(&self) -> bool {
        !self.is_in_flight() && self.message_group.is_none()
    }

    pub(in crate::broker) fn is_in_flight(&self) -> bool {
        matches!(self.stage, Stage::InFlight { .. })
    }
}

/// One group's progress on one queue. Every offset is exactly one of: fresh, held, or consumed.
#[derive(Debug, Clone)]
pub(in crate::broker) struct QueueProgress {
    /// Where the group started, or was last put by a person.
    pub start: u64,
    /// Leases numbered below are void (Z2).
    pub lease_floor: u64,
    fresh: Fresh,
    held: BTreeMap<u64, Held>,
    /// Held messages that are not in flight, by the moment they are ready.
    returning: BTreeSet<(Timestamp, u64)>,
    line: Line,
    /// Ranges that receivers are reading at this moment; nobody else takes them.
    claimed: BTreeMap<u64, u64>,
    /// Somebody else wanted to claim it all.
    contended: bool,
}

impl QueueProgress {
    pub(in crate::broker) fn from(offset: u64) -> Self {
        Self::restore(offset, 0, Fresh::from(offset), BTreeMap::new())
    }

    /// Rebuilds the indexes over what a checkpoint holds.
    pub(in crate::broker) fn restore(
        start: u64,
        lease_floor: u64,
        fresh: Fresh,
        held: BTreeMap<u64, Held>,
    ) -> Self {
        let mut progress = Self {
            start,
            lease_floor,
            fresh,
            held: BTreeMap::new(),
            returning: BTreeSet::new(),
            line: Line::default(),
            claimed: BTreeMap::new(),
            contended: false,
        };
        progress.line.reread_from(progress.fresh.first());
        for (offset, held) in held {
            progress.put(offset, held);
        }
        progress
    }

    pub(in crate::broker) fn fresh(&self) -> &Fresh {
        &self.fresh
    }

    pub(in crate::broker) fn held(&self, offset: u64) -> Option<&Held> {
        self.held.get(&offset)
    }

    pub(in crate::broker) fn all_held(&self) -> &BTreeMap<u64, Held> {
        &self.held
    }

    pub(in crate::broker) fn line(&self) -> &Line {
        &self.line
    }

    pub(in crate::broker) fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    /// The lowest offset the group is not done with.
    pub(in crate::broker) fn committed(&self) -> u64 {
        let fresh = self.fresh.first();
        self.held
            .first_key_value()
            .map_or(fresh, |(offset, _)| fresh.min(*offset))
    }

    /// The next offset to hand out for the first time, above all that were.
    pub(in crate::broker) fn pulled(&self) -> u64 {
        self.fresh.tail()
    }

    pub(in crate::broker) fn in_flight(&self) -> u64 {
        (self.held.len() - self.returning.len()) as u64
    }

    /// Held messages that are ready at `now`, and those that still wait.
    pub(in crate::broker) fn returned(&self, now: Timestamp) -> (u64, u64) {
        let ready = self.returning.range(..=(now, u64::MAX)).count();
        (ready as u64, (self.returning.len() - ready) as u64)
    }

    pub(in crate::broker) fn next_return(&self) -> Option<Timestamp> {
        self.returning.first().map(|(due, _)| *due)
    }

    /// Consumed offsets above [`Self::committed`].
    pub(in crate::broker) fn acked_ahead(&self) -> u64 {
        let committed = self.committed();
        let span = self.pulled().saturating_sub(committed);
        let fresh = self.fresh.count(committed, self.pulled());
        let held = self.held.range(..self.pulled()).count() as u64;
        span.saturating_sub(fresh + held)
    }

    /// Held messages ready at `now` in the order they became so.
    pub(in crate::broker) fn ready_again(&self, now: Timestamp) -> impl Iterator<Item = u64> + '_ {
        self.returning
            .range(..=(now, u64::MAX))
            .map(|(_, offset)| *offset)
    }

    /// Whether anything below `visible` could be handed out at `now`, claims and blocks aside.
    pub(in crate::broker) fn has_ready(&self, visible: u64, now: Timestamp) -> bool {
        self.fresh.first() < visible || self.returning.first().is_some_and(|(due, _)| *due <= now)
    }

    /// Holds a message in a new way; gives back how it was held before.
    pub(in crate::broker) fn hold(&mut self, offset: u64, held: Held) -> Option<Held> {
        self.fresh.take(offset, offset + 1);
        let before = self.release(offset);
        self.put(offset, held);
        before
    }

    fn put(&mut self, offset: u64, held: Held) {
        if let Stage::Returning { due } = held.stage {
            self.returning.insert((due, offset));
        }
        if let Some(group) = &held.message_group {
            self.line.block(group, offset);
        }
        self.held.insert(offset, held);
    }

    /// The group is done with a message; gives back how it was held.
    pub(in crate::broker) fn settle(&mut self, offset: u64) -> Option<Held> {
        self.fresh.take(offset, offset + 1);
        self.release(offset)
    }

    fn release(&mut self, offset: u64) -> Option<Held> {
        let held = self.held.remove(&offset)?;
        if let Stage::Returning { due } = held.stage {
            self.returning.remove(&(due, offset));
        }
        if let Some(group) = &held.message_group {
            self.line.release(group, offset);
        }
        Some(held)
    }

    /// The group is done with the fresh messages of a range.
    pub(in crate::broker) fn skip(&mut self, from: u64, to: u64) -> u64 {
        self.fresh.take(from, to)
    }

    /// Messages before `offset` are gone. Gives back the held ones among them, and how many fresh ones there were.
    pub(in crate::broker) fn trim(&mut self, offset: u64) -> (Vec<(u64, Held)>, u64) {
        let fresh = self.fresh.take(0, offset);
        let gone: Vec<u64> = self
            .held
            .range(..offset)
            .filter(|(_, held)| held.letter.is_none())
            .map(|(offset, _)| *offset)
            .collect();
        let held = gone
            .into_iter()
            .filter_map(|offset| Some((offset, self.release(offset)?)))
            .collect();
        self.line.reread_from(self.fresh.first());
        (held, fresh)
    }

    /// Starts over at `offset`: everything from there on is fresh, and nothing is held but messages before it that wait
    /// for a retry out of order, which a reset does not touch (Z3). Gives back what was held.
    pub(in crate::broker) fn restart(&mut self, offset: u64) -> BTreeMap<u64, Held> {
        let floor = self.lease_floor;
        let (kept, dropped) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(at, held)| *at < offset && held.outlives_reset());
        *self = Self::restore(offset, floor, Fresh::from(offset), kept);
        dropped
    }

    pub(in crate::broker) fn is_claimed(&self, offset: u64) -> bool {
        self.claim_over(offset).is_some()
    }

    /// The end of the claimed range that covers `offset`.
    fn claim_over(&self, offset: u64) -> Option<u64> {
        let (_, to) = self.claimed.range(..=offset).next_back()?;
        (offset < *to).then_some(*to)
    }

    /// Keeps `from..to` for one receiver until [`Self::unclaim`].
    pub(in crate::broker) fn claim(&mut self, from: u64, to: u64) {
        self.claimed.insert(from, to);
    }

    /// Claims the first stretch of at most `most` fresh offsets in `from..to` that nobody else reads.
    pub(in crate::broker) fn claim_fresh(
        &mut self,
        from: u64,
        to: u64,
        most: u64,
    ) -> Option<(u64, u64)> {
        let found = self.fresh.within(from, to).find_map(|(mut first, end)| {
            while let Some(claimed) = self.claim_over(first) {
                first = claimed;
            }
            let next = self.claimed.range(first..).next();
            let end = next.map_or(end, |(claimed, _)| end.min(*claimed));
            (first < end).then(|| (first, end.min(first.saturating_add(most))))
        })?;
        self.claim(found.0, found.1);
        Some(found)
    }

    /// Claims the whole queue, as order needs; false when somebody reads it, who is told that others wait.
    pub(in crate::broker) fn claim_all(&mut self) -> bool {
        if !self.claimed.is_empty() {
            self.contended = true;
            return false;
        }
        self.claim(0, u64::MAX);
        true
    }

    pub(in crate::broker) fn unclaim(&mut self, from: u64) {
        self.claimed.remove(&from);
    }

    /// Whether somebody found the queue claimed since this was last asked.
    pub(in crate::broker) fn take_contended(&mut self) -> bool {
        std::mem::take(&mut self.contended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_flight(lease: u64) -> Held {
        Held {
            attempt: 1,
            stage: Stage::InFlight {
                lease,
                deadline: Timestamp::from_millis(60_000),
            },
            message_group: None,
            letter: None,
        }
    }

    /// The worked example of section 5.1: minimum 40, maximum 100, pulled to 90, acked 40-69 and 75.
    #[test]
    fn worked_example_of_the_rules_5_1() {
        let mut queue = QueueProgress::from(40);
        for offset in 40..90 {
            queue.hold(offset, in_flight(offset));
        }
        for offset in (40..70).chain([75]) {
            queue.settle(offset);
        }
        assert_eq!(queue.committed(), 70);
        assert_eq!(queue.pulled(), 90);
        assert_eq!(queue.in_flight(), 19);
        assert_eq!(queue.acked_ahead(), 1);
        assert_eq!(queue.fresh().count(0, 100), 10);
    }

    #[test]
    fn a_returning_message_is_ready_from_its_moment_on() {
        let mut queue = QueueProgress::from(0);
        let due = Timestamp::from_millis(10_000);
        let held = Held {
            attempt: 2,
            stage: Stage::Returning { due },
            ..in_flight(1)
        };
        queue.hold(0, held);
        assert_eq!(queue.returned(Timestamp::from_millis(9_999)), (0, 1));
        assert_eq!(queue.returned(due), (1, 0));
        assert_eq!(queue.ready_again(due).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_restart_makes_consumed_messages_fresh_again_z2() {
        let mut queue = QueueProgress::from(0);
        for offset in 0..5 {
            queue.hold(offset, in_flight(offset));
        }
        queue.settle(0);
        let dropped = queue.restart(0);
        assert_eq!(dropped.len(), 4);
        assert_eq!(
            (queue.committed(), queue.pulled(), queue.in_flight()),
            (0, 0, 0)
        );
    }
}
