//! Offsets of one queue that a group was never handed: everything from `tail` on, and the gaps that were passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Gaps are apart from each other, not empty, and below the tail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::broker) struct Fresh {
    /// From the first offset of a gap to the one after its last.
    gaps: BTreeMap<u64, u64>,
    tail: u64,
}

impl Fresh {
    pub(in crate::broker) fn from(offset: u64) -> Self {
        Self {
            gaps: BTreeMap::new(),
            tail: offset,
        }
    }

    /// The lowest offset above everything handed out.
    pub(in crate::broker) fn tail(&self) -> u64 {
        self.tail
    }

    /// The lowest fresh offset.
    pub(in crate::broker) fn first(&self) -> u64 {
        self.gaps
            .first_key_value()
            .map_or(self.tail, |(from, _)| *from)
    }

    pub(in crate::broker) fn contains(&self, offset: u64) -> bool {
        offset >= self.tail
            || self
                .gaps
                .range(..=offset)
                .next_back()
                .is_some_and(|(_, to)| offset < *to)
    }

    /// Fresh ranges that overlap `from..to`, cut to it, in order.
    pub(in crate::broker) fn within(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
        let lowest = self
            .gaps
            .range(..=from)
            .next_back()
            .map_or(from, |(first, _)| *first);
        self.gaps
            .range(lowest..to.max(lowest))
            .map(|(first, end)| (*first, *end))
            .chain(std::iter::once((self.tail, u64::MAX)))
            .map(move |(first, end)| (first.max(from), end.min(to)))
            .filter(|(first, end)| first < end)
    }

    /// How many offsets of `from..to` are fresh.
    pub(in crate::broker) fn count(&self, from: u64, to: u64) -> u64 {
        self.within(from, to).map(|(first, end)| end - first).sum()
    }

    /// Takes `from..to` out; says how many offsets were fresh until now.
    pub(in crate::broker) fn take(&mut self, from: u64, to: u64) -> u64 {
        if from >= to {
            return 0;
        }
        if from >= self.tail {
            if from > self.tail {
                self.gaps.insert(self.tail, from);
            }
            self.tail = to;
            return to - from;
        }
        let taken = self.count(from, to);
        if taken > 0 {
            self.cut(from, to);
        }
        taken
    }

    fn cut(&mut self, from: u64, to: u64) {
        if let Some((&first, &end)) = self.gaps.range(..from).next_back()
            && end > from
        {
            self.gaps.insert(first, from);
            if end > to {
                self.gaps.insert(to, end);
            }
        }
        while let Some((&first, &end)) = self.gaps.range(from..to).next() {
            self.gaps.remove(&first);
            if end > to {
                self.gaps.insert(to, end);
            }
        }
        self.tail = self.tail.max(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(fresh: &Fresh) -> Vec<(u64, u64)> {
        fresh.within(0, 100).collect()
    }

    #[test]
    fn taking_in_order_leaves_only_a_tail() {
        let mut fresh = Fresh::from(40);
        assert_eq!(fresh.take(40, 50), 10);
        assert_eq!((fresh.first(), fresh.tail()), (50, 50));
    }

    #[test]
    fn taking_ahead_leaves_a_gap_that_can_be_cut_anywhere() {
        let mut fresh = Fresh::from(0);
        fresh.take(10, 11);
        assert_eq!(ranges(&fresh), [(0, 10), (11, 100)]);
        fresh.take(3, 5);
        assert_eq!(ranges(&fresh), [(0, 3), (5, 10), (11, 100)]);
        assert_eq!(fresh.take(4, 7), 2);
        assert_eq!(ranges(&fresh), [(0, 3), (7, 10), (11, 100)]);
        assert_eq!(fresh.take(2, 20), 1 + 3 + 9);
        assert_eq!(ranges(&fresh), [(0, 2), (20, 100)]);
        assert_eq!(fresh.take(2, 20), 0);
        assert!(fresh.contains(1) && !fresh.contains(2) && fresh.contains(20));
    }

    #[test]
    fn agrees_with_a_plain_list_of_offsets() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut fresh = Fresh::from(0);
            let mut plain = [true; 64];
            for _ in 0..20 {
                let from = random.u64(0..60);
                let to = from + random.u64(0..5);
                let expected = plain[from as usize..to as usize]
                    .iter()
                    .filter(|f| **f)
                    .count();
                plain[from as usize..to as usize].fill(false);
                assert_eq!(fresh.take(from, to), expected as u64);
                for (offset, is_fresh) in plain.iter().enumerate() {
                    assert_eq!(fresh.contains(offset as u64), *is_fresh);
                }
                assert_eq!(
                    fresh.first(),
                    plain.iter().position(|f| *f).unwrap_or(64) as u64
                );
            }
        }
    }
}
