//! What happened, for eyes only: the engine reports after commit and never listens.
//!
//! A reader that falls behind loses the oldest events and learns how many.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::domain::timestamp::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Happening {
    MessageStored {
        instance: InstanceId,
        id: MessageId,
        place: Place,
    },
    MessageParked {
        instance: InstanceId,
        id: MessageId,
        topic: TopicName,
        due: Option<Timestamp>,
    },
    MessageDelivered {
        instance: InstanceId,
        group: GroupName,
        id: MessageId,
        place: Place,
        attempt: u32,
    },
    MessageAcked {
        instance: InstanceId,
        group: GroupName,
        place: Place,
    },
    MessageRetrying {
        instance: InstanceId,
        group: GroupName,
        place: Place,
        attempt: u32,
        due: Timestamp,
    },
    MessageDead {
        instance: InstanceId,
        group: GroupName,
        place: Place,
    },
    MessagesLost {
        instance: InstanceId,
        group: GroupName,
        topic: TopicName,
        count: u64,
    },
    InvocationStarted {
        function: FunctionName,
        request_id: RequestId,
        attempt: u32,
        cold_start: bool,
    },
    InvocationEnded {
        function: FunctionName,
        trigger: Option<TriggerName>,
        request_id: RequestId,
        attempt: u32,
        duration_ms: f64,
        /// One line; absent when it succeeded.
        error: Option<String>,
    },
    InstanceEvent {
        function: FunctionName,
        /// Function Compute's event name, such as `fc:Instance:Creating` (LC-7).
        name: String,
        detail: String,
    },
    /// A trigger is done with a batch: acked, or given up. Its figures count it before this is reported.
    BatchSettled {
        trigger: TriggerName,
        request_id: RequestId,
        messages: u32,
        given_up: bool,
    },
    /// An event that was accepted for a function came a step further (IV-6). The function's figures know it before.
    AsyncChanged {
        function: FunctionName,
        request_id: RequestId,
        /// `Retrying`, `Succeeded`, `Failed`, `Expired`; `Done` when nothing is left of it.
        status: String,
    },
    TriggerChanged {
        trigger: TriggerName,
        /// The new state in a word, with its reason.
        state: String,
    },
    Notice {
        level: NoticeLevel,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    Info,
    Warn,
    Error,
}

/// An event with its place in the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Rises by one with each event of this process, from 1.
    pub sequence: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub happening: Happening,
}

/// Events after a sequence number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Events between the asked number and the first one here that are gone.
    pub lost: u64,
    /// Ask with this next.
    pub next: u64,
}

/// The feed: a bounded ring that any number of readers resume by number.
#[derive(Clone)]
pub struct Feed(Arc<FeedInner>);

struct FeedInner {
    ring: Mutex<Ring>,
    latest: watch::Sender<u64>,
    capacity: usize,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Event>,
    last: u64,
}

impl Ring {
    fn add(&mut self, at: Timestamp, happening: Happening, capacity: usize) {
        self.last += 1;
        if self.events.len() == capacity {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            sequence: self.last,
            at,
            happening,
        });
    }
}

impl Feed {
    /// Keeps the last `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(FeedInner {
            ring: Mutex::new(Ring::default()),
            latest: watch::Sender::new(0),
            capacity: capacity.max(1),
        }))
    }

    /// Reports what happened; never waits.
    pub fn report(&self, at: Timestamp, happening: Happening) {
        self.report_all([(at, happening)]);
    }

    /// Reports things that happened together, in their order: readers are woken once.
    pub fn report_all(&self, happened: impl IntoIterator<Item = (Timestamp, Happening)>) {
        let last = {
            let mut ring = self.0.ring.lock();
            for (at, happening) in happened {
                ring.add(at, happening, self.0.capacity);
            }
            ring.last
        };
        let is_news = |latest: &mut u64| {
            let rises = last > *latest;
            *latest = last.max(*latest);
            rises
        };
        self.0.latest.send_if_modified(is_news);
    }

    /// Events after `since`, at most `limit`.
    pub fn since(&self, since: u64, limit: usize) -> EventPage {
        let ring = self.0.ring.lock();
        let first = ring.events.front().map_or(ring.last + 1, |e| e.sequence);
        let skip = usize::try_from((since + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        let events: Vec<Event> = ring.events.iter().skip(skip).take(limit).cloned().collect();
        EventPage {
            lost: first.saturating_sub(since + 1),
            next: events.last().map_or(since.max(first - 1), |e| e.sequence),
            events,
        }
    }

    /// The number of the latest event; wakes when one is added.
    pub fn latest(&self) -> watch::Receiver<u64> {
        self.0.latest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(text: &str) -> Happening {
        Happening::Notice {
            level: NoticeLevel::Info,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_slow_reader_learns_how_much_it_lost() {
        let feed = Feed::new(2);
        for text in ["a", "b", "c"] {
            feed.report(Timestamp::EPOCH, notice(text));
        }
        let page = feed.since(0, 10);
        assert_eq!((page.lost, page.next, page.events.len()), (1, 3, 2));
        let page = feed.since(page.next, 10);
        assert_eq!((page.lost, page.next, page.events.len()), (0, 3, 0));
    }

    #[test]
    fn pages_resume_where_the_last_ended() {
        let feed = Feed::new(10);
        for text in ["a", "b", "c"] {
            feed.report(Timestamp::EPOCH, notice(text));
        }
        let page = feed.since(0, 2);
        assert_eq!(page.next, 2);
        assert_eq!(feed.since(page.next, 2).events.len(), 1);
    }
}
