//! The order of message groups in one queue, for one orderly group: who blocks, and who stands behind (F2).
//!
//! What stands behind is remembered from reading ahead, so that a blocked message is read once and not at each receive.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// Blocks follow from the records; the rest is what receivers learned since the start.
#[derive(Debug, Clone, Default)]
pub(in crate::broker) struct Line {
    /// Unsettled messages that were handed out, by message group.
    blocks: HashMap<Arc<str>, BTreeSet<u64>>,
    /// Fresh messages below `scanned`, by message group, each in order.
    behind: HashMap<Arc<str>, VecDeque<u64>>,
    /// Message groups in `behind` that nothing blocks, by their first offset.
    free: BTreeMap<u64, Arc<str>>,
    /// Messages before this offset were read.
    scanned: u64,
    waiting: usize,
}

impl Line {
    /// Messages read ahead and kept back; bounds the memory of a long block.
    pub(in crate::broker) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(in crate::broker) fn scanned(&self) -> u64 {
        self.scanned
    }

    pub(in crate::broker) fn blocks(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.blocks
            .iter()
            .filter_map(|(group, offsets)| Some((group, *offsets.first()?)))
    }

    /// The unsettled messages of a message group that were handed out before `offset`.
    pub(in crate::broker) fn ahead_of(
        &self,
        group: &str,
        offset: u64,
    ) -> impl Iterator<Item = u64> + '_ {
        self.blocks
            .get(group)
            .into_iter()
            .flat_map(move |offsets| offsets.range(..offset).copied())
    }

    /// Message groups that may go on, by the offset of their first message.
    pub(in crate::broker) fn free(&self) -> impl Iterator<Item = &Arc<str>> {
        self.free.values()
    }

    pub(in crate::broker) fn behind(&self, group: &str) -> impl Iterator<Item = u64> + '_ {
        self.behind.get(group).into_iter().flatten().copied()
    }

    /// A message was read; it takes its place behind the others of its message group.
    pub(in crate::broker) fn join(&mut self, group: &Arc<str>, offset: u64) {
        if offset < self.scanned {
            return;
        }
        self.scanned = offset + 1;
        let line = self.behind.entry(group.clone()).or_default();
        line.push_back(offset);
        self.waiting += 1;
        if line.len() == 1 && !self.blocks.contains_key(group) {
            self.free.insert(offset, group.clone());
        }
    }

    /// Messages before `offset` were read and none of them stands in line.
    pub(in crate::broker) fn pass(&mut self, offset: u64) {
        self.scanned = self.scanned.max(offset);
    }

    /// A message was handed out.
    pub(in crate::broker) fn block(&mut self, group: &Arc<str>, offset: u64) {
        self.blocks.entry(group.clone()).or_default().insert(offset);
        let Some(line) = self.behind.get_mut(group) else {
            return;
        };
        if let Some(first) = line.front() {
            self.free.remove(first);
        }
        if let Ok(at) = line.binary_search(&offset) {
            line.remove(at);
            self.waiting -= 1;
        }
        if line.is_empty() {
            self.behind.remove(group);
        }
    }

    /// A message that stood in line is not there any more.
    pub(in crate::broker) fn leave(&mut self, group: &Arc<str>, offset: u64) {
        let Some(line) = self.behind.get_mut(group) else {
            return;
        };
        let Ok(at) = line.binary_search(&offset) else {
            return;
        };
        line.remove(at);
        self.waiting -= 1;
        if at == 0
            && self.free.remove(&offset).is_some()
            && let Some(first) = line.front()
        {
            self.free.insert(*first, group.clone());
        }
        if line.is_empty() {
            self.behind.remove(group);
        }
    }

    /// A message that was handed out is settled.
    pub(in crate::broker) fn release(&mut self, group: &Arc<str>, offset: u64) {
        let Some(offsets) = self.blocks.get_mut(group) else {
            return;
        };
        offsets.remove(&offset);
        if !offsets.is_empty() {
            return;
        }
        self.blocks.remove(group);
        if let Some(first) = self.behind.get(group).and_then(VecDeque::front) {
            self.free.insert(*first, group.clone());
        }
    }

    /// Forgets what was read ahead; reading begins at `offset` again.
    pub(in crate::broker) fn reread_from(&mut self, offset: u64) {
        self.behind.clear();
        self.free.clear();
        self.waiting = 0;
        self.scanned = offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Arc<str> {
        name.into()
    }

    fn free(line: &Line) -> Vec<&str> {
        line.free().map(AsRef::as_ref).collect()
    }

    #[test]
    fn a_block_holds_its_own_group_back_and_no_other_f2() {
        let mut line = Line::default();
        for (offset, name) in ["a", "b", "a"].into_iter().enumerate() {
            line.join(&group(name), offset as u64);
        }
        assert_eq!(free(&line), ["a", "b"]);
        line.block(&group("a"), 0);
        assert_eq!(free(&line), ["b"]);
        assert_eq!(line.behind("a").collect::<Vec<_>>(), [2]);
        assert_eq!(line.ahead_of("a", 2).collect::<Vec<_>>(), [0]);
        line.release(&group("a"), 0);
        assert_eq!(free(&line), ["b", "a"]);
        assert_eq!(line.waiting(), 2);
    }

    #[test]
    fn a_group_is_free_again_only_when_all_its_blocks_are_gone() {
        let mut line = Line::default();
        for offset in 0..3 {
            line.join(&group("a"), offset);
        }
        line.block(&group("a"), 0);
        line.block(&group("a"), 1);
        line.release(&group("a"), 1);
        assert!(free(&line).is_empty());
        line.release(&group("a"), 0);
        assert_eq!(free(&line), ["a"]);
    }
}
