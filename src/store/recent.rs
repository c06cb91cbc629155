//! Recent messages in memory, queue by queue, so that consuming what was just stored never touches the disk.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::message::Message;
use crate::domain::names::TopicName;
use crate::store::cache::Share;

/// Memory of a message beyond what [`Message::weight`] counts: the struct, its texts' allocations, its places in here.
const FIXED: usize = 400;

/// The newest messages of an instance within a budget of bytes; the oldest leave first.
pub(super) struct Recent {
    share: Arc<Share>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Lane numbers by topic, then queue.
    topics: HashMap<TopicName, Vec<Option<usize>>>,
    lanes: Vec<Lane>,
    /// The lane of each message kept, in the order they came.
    order: VecDeque<usize>,
    bytes: usize,
}

/// Consecutive messages of one queue.
#[derive(Default)]
struct Lane {
    base: u64,
    messages: VecDeque<Arc<Message>>,
}

impl Recent {
    pub(super) fn new(share: Arc<Share>) -> Self {
        Self {
            share,
            state: Mutex::default(),
        }
    }

    pub(super) fn insert<'a>(&self, messages: impl Iterator<Item = &'a Arc<Message>>) {
        let mut state = self.state.lock();
        for message in messages {
            state.insert(message);
        }
        state.shrink(self.share.recent());
    }

    /// Consecutive messages from `from` on; empty when the first is not here.
    pub(super) fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Vec<Arc<Message>> {
        let state = self.state.lock();
        let Some(lane) = state.lane(topic, queue) else {
            return Vec::new();
        };
        let Some(skip) = from.checked_sub(lane.base) else {
            return Vec::new();
        };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let found = lane.messages.iter().skip(skip).take(most);
        found.cloned().collect()
    }

    /// Forgets a topic: its offsets may come again.
    pub(super) fn forget(&self, topic: &TopicName) {
        let mut state = self.state.lock();
        let lanes = state.topics.remove(topic).unwrap_or_default();
        for lane in lanes.into_iter().flatten() {
            state.clear(lane);
        }
    }
}

impl State {
    fn lane(&self, topic: &TopicName, queue: u32) -> Option<&Lane> {
        let lane = *self.topics.get(topic)?.get(queue as usize)?;
        self.lanes.get(lane?)
    }

    fn insert(&mut self, message: &Arc<Message>) {
        let number = self.lane_number(&message.topic, message.queue as usize);
        let follows = self.lanes.get(number).is_some_and(|lane| {
            lane.messages.is_empty() || lane.base + lane.messages.len() as u64 == message.offset
        });
        if !follows {
            self.clear(number);
        }
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        if lane.messages.is_empty() {
            lane.base = message.offset;
        }
        self.bytes += weight(message);
        lane.messages.push_back(message.clone());
        self.order.push_back(number);
    }

    fn lane_number(&mut self, topic: &TopicName, queue: usize) -> usize {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.clone(), Vec::new());
        }
        let Some(queues) = self.topics.get_mut(topic) else {
            return 0;
        };
        if queues.len() <= queue {
            queues.resize(queue + 1, None);
        }
        *queues[queue].get_or_insert_with(|| {
            self.lanes.push(Lane::default());
            self.lanes.len() - 1
        })
    }

    fn clear(&mut self, number: usize) {
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        let gone: usize = lane.messages.iter().map(|message| weight(message)).sum();
        lane.messages.clear();
        self.bytes -= gone;
    }

    /// Lets the oldest go; entries of a lane that was cleared since stand for nothing.
    fn shrink(&mut self, budget: usize) {
        while self.bytes > budget {
            let Some(number) = self.order.pop_front() else {
                return;
            };
            let Some(lane) = self.lanes.get_mut(number) else {
                continue;
            };
            if let Some(message) = lane.messages.pop_front() {
                lane.base += 1;
                self.bytes -= weight(&message);
            }
        }
    }
}

fn weight(message: &Message) -> usize {
    message.weight() + FIXED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cache::CacheBudget;
    use crate::store::samples;

    fn within(bytes: usize) -> Recent {
        Recent::new(Arc::new(CacheBudget::new(2 * bytes).join()))
    }

    fn keep(recent: &Recent, name: &str, offsets: std::ops::Range<u64>) {
        let messages: Vec<_> = offsets
            .map(|offset| Arc::new(samples::message(name, 0, offset)))
            .collect();
        recent.insert(messages.iter());
    }

    fn offsets(recent: &Recent, name: &str, from: u64) -> Vec<u64> {
        let found = recent.messages(&samples::topic(name), 0, from, 100);
        found.iter().map(|message| message.offset).collect()
    }

    #[test]
    fn consecutive_messages_are_found_from_any_offset() {
        let recent = within(1 << 20);
        keep(&recent, "a", 5..9);
        assert_eq!(offsets(&recent, "a", 6), [6, 7, 8]);
        assert!(offsets(&recent, "a", 4).is_empty());
        assert!(offsets(&recent, "a", 9).is_empty());
        assert!(offsets(&recent, "b", 5).is_empty());
    }

    #[test]
    fn the_oldest_of_all_queues_leave_first_when_the_budget_is_used() {
        let recent = within(10 * 600);
        keep(&recent, "a", 0..8);
        keep(&recent, "b", 0..8);
        assert_eq!(offsets(&recent, "b", 0).len(), 8);
        assert!(offsets(&recent, "a", 0).is_empty());
        assert!(!offsets(&recent, "a", 7).is_empty());
    }

    #[test]
    fn a_topic_that_begins_again_shows_nothing_old() {
        let recent = within(1 << 20);
        keep(&recent, "a", 0..8);
        recent.forget(&samples::topic("a"));
        keep(&recent, "a", 0..2);
        assert_eq!(offsets(&recent, "a", 0), [0, 1]);
        keep(&recent, "a", 7..8);
        assert_eq!(offsets(&recent, "a", 7), [7]);
        assert!(offsets(&recent, "a", 1).is_empty());
    }
}
