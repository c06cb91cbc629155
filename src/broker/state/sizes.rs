//! How many bytes a queue holds, kept in little room: exact for a few dozen messages, close for many.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Runs of neighbouring messages that are told apart; only what leaves from the middle of one is estimated.
const RUNS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::broker) struct Sizes {
    /// Oldest first; each reaches to where the next begins, the last to `end`.
    runs: VecDeque<Run>,
    /// One above the newest message.
    end: u64,
    /// Offsets that a run covers.
    span: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    first: u64,
    bytes: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            runs: VecDeque::new(),
            end: 0,
            span: 1,
        }
    }
}

impl Sizes {
    pub(in crate::broker) fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes).sum()
    }

    /// A message came; offsets rise.
    pub(in crate::broker) fn add(&mut self, offset: u64, bytes: u64) {
        self.end = offset + 1;
        match self.runs.back_mut() {
            Some(run) if offset - run.first < self.span => run.bytes += bytes,
            _ => self.runs.push_back(Run {
                first: offset,
                bytes,
            }),
        }
        if self.runs.len() > RUNS {
            self.join();
        }
    }

    /// Everything below `first` left.
    pub(in crate::broker) fn trim(&mut self, first: u64) {
        while let Some(run) = self.runs.pop_front() {
            let end = self.runs.front().map_or(self.end, |next| next.first);
            if end <= first {
                continue;
            }
            let (left, length) = (end - first.max(run.first), end - run.first);
            let bytes = u128::from(run.bytes) * u128::from(left) / u128::from(length);
            self.runs.push_front(Run {
                first: first.max(run.first),
                bytes: u64::try_from(bytes).unwrap_or(run.bytes),
            });
            return;
        }
        *self = Self::default();
    }

    /// Makes one run of two, so that half as many cover twice as much.
    fn join(&mut self) {
        self.span *= 2;
        let mut joined: VecDeque<Run> = VecDeque::new();
        for run in self.runs.drain(..) {
            match joined.back_mut() {
                Some(last) if run.first - last.first < self.span => last.bytes += run.bytes,
                _ => joined.push_back(run),
            }
        }
        self.runs = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_counted_exactly_whatever_leaves() {
        let mut sizes = Sizes::default();
        for offset in 0..64 {
            sizes.add(10 + offset, offset + 1);
        }
        assert_eq!(sizes.bytes(), 64 * 65 / 2);
        sizes.trim(12);
        assert_eq!(sizes.bytes(), 64 * 65 / 2 - 3);
        sizes.trim(11);
        assert_eq!(sizes.bytes(), 64 * 65 / 2 - 3);
        sizes.trim(73);
        assert_eq!(sizes.bytes(), 64);
        sizes.trim(74);
        assert_eq!(sizes, Sizes::default());
    }

    #[test]
    fn many_messages_take_bounded_room_and_stay_close() {
        let mut sizes = Sizes::default();
        let weight = |offset: u64| 100 + offset % 7 * 50;
        let exact = |from: u64| (from..1_000_000).map(weight).sum::<u64>();
        for offset in 0..1_000_000 {
            sizes.add(offset, weight(offset));
            assert!(sizes.runs.len() <= RUNS);
        }
        assert_eq!(sizes.bytes(), exact(0));
        for first in [1, 123_456, 500_000, 999_000] {
            sizes.trim(first);
            let off = sizes.bytes().abs_diff(exact(first));
            assert!(off < exact(first) / 100, "{off} at {first}");
        }
        sizes.trim(1_000_000);
        assert_eq!(sizes.bytes(), 0);
    }

    #[test]
    fn a_gap_between_offsets_begins_a_run() {
        let mut sizes = Sizes::default();
        sizes.add(0, 5);
        sizes.add(1_000, 7);
        sizes.trim(1);
        assert_eq!(sizes.bytes(), 12 - 5 + 5 * 999 / 1000);
        sizes.trim(1_000);
        assert_eq!(sizes.bytes(), 7);
    }
}
