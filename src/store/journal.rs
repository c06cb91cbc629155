//! The journal of one instance as its broker sees it: append records, find them again, replay them after a start.
//!
//! One rule holds everywhere: the order of [`Journal::append`] calls is the order of the log, of the observer's batches
//! and of every replay.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place};
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;

/// Where a record lies. Positions rise in the order of the log; they are not dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The commit; counted from 1 over the life of the instance.
    pub sequence: u64,
    /// Place inside the commit, rising.
    pub offset: u32,
}

/// A record and where it lies.
pub type Located = (Position, Record);

/// The durable log of one instance and its indexes.
///
/// Look-ups see committed records only, and see a commit before [`Observer::committed`] does. They do not know which
/// messages are trimmed: the caller keeps within the bounds of its queues.
pub trait Journal: Send + Sync {
    /// Queues records for the next commit and never waits. The answer comes after the fsync and after the observer saw
    /// the records; dropping it is fine. No records: answers when everything queued before is durable.
    fn append(&self, records: Vec<Record>) -> Commit;

    /// Queues records that ride in the next commit without causing one; a commit follows soon in any case.
    fn ride(&self, records: Vec<Record>);

    /// The record at a position; `None` when it left with its segment.
    fn read(&self, at: Position) -> Result<Option<Record>, StoreError>;

    /// The message stored at a place.
    fn message(&self, place: &Place) -> Result<Option<Arc<Message>>, StoreError>;

    /// Messages of one queue from offset `from` on, offset by offset until one is missing, `most` are found, or a few MiB
    /// of bodies are read. Recent ones come from memory.
    fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Result<Vec<Arc<Message>>, StoreError>;

    /// The message parked under a number.
    fn parked(&self, number: u64) -> Result<Option<Arc<Message>>, StoreError>;

    /// What brought a message under this id, oldest first: [`Record::Stored`], [`Record::Parked`], [`Record::Refused`].
    fn by_id(&self, id: &MessageId, most: usize) -> Result<Vec<Located>, StoreError>;

    /// Messages of a topic that carry a key, newest first.
    fn by_key(&self, query: &KeyQuery) -> Result<Vec<Arc<Message>>, StoreError>;

    /// The smallest offset of a span of a queue whose message was stored at or after `at`; the span's end when all are
    /// older (O4).
    fn offset_at(&self, span: &QueueSpan, at: Timestamp) -> Result<u64, StoreError>;

    /// All records about one message, in the order they happened; a message that was parked first has both its lives.
    fn trace(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError>;

    fn statistics(&self) -> JournalStatistics;

    /// Tells what still counts, so that segments which hold nothing of it can go. Works in the background.
    fn trim(&self, live: Live);

    /// Makes everything queued durable and closes the files; later appends answer [`StoreError::Closed`].
    fn close(&self);
}

/// The broker's state, fed by the journal on its writer thread. It must not wait for a [`Commit`].
pub trait Observer: Send + Sync {
    /// Called once per commit, in log order, after the fsync and before the appends are answered.
    fn committed(&self, batch: &[Located]);

    /// The whole state after the last committed batch, as [`Recovery::checkpoint`] gives it back.
    fn checkpoint(&self) -> Vec<u8>;

    /// A commit failed. It and everything queued behind it will never be in the log, and further appends are refused until
    /// `resume` is called or this returns: call it in the same critical section that takes back what was handed out for
    /// the lost records, such as queue offsets.
    fn failed(&self, error: &StoreError, resume: &dyn Fn());
}

/// An opened store before it is started: what was, then go on.
pub trait Recovery: Send {
    /// The newest checkpoint; `None` in a store that has none yet, whose replay begins with an empty state.
    fn checkpoint(&mut self) -> Option<Vec<u8>>;

    /// Visits the records after the checkpoint, commit by commit, in order.
    fn replay(&mut self, visit: &mut dyn FnMut(&[Located])) -> Result<(), StoreError>;

    /// Begins to take appends; `observer` must hold the state that checkpoint and replay told.
    fn start(self: Box<Self>, observer: Arc<dyn Observer>) -> Result<Arc<dyn Journal>, StoreError>;
}

/// The answer to one append.
#[derive(Debug)]
pub struct Commit(oneshot::Receiver<Result<(), StoreError>>);

/// The writer's end of a [`Commit`].
pub(in crate::store) type CommitSender = oneshot::Sender<Result<(), StoreError>>;

impl Commit {
    pub(in crate::store) fn pair() -> (CommitSender, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// An answer that is known already.
    pub(in crate::store) fn failed(error: StoreError) -> Self {
        let (sender, commit) = Self::pair();
        // The receiver is held right here.
        let _ = sender.send(Err(error));
        commit
    }

    /// Waits on this thread; not for use inside an async task.
    pub fn wait(self) -> Result<(), StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Future for Commit {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}

/// Messages of one topic by key.
#[derive(Debug, Clone)]
pub struct KeyQuery {
    pub topic: TopicName,
    pub key: String,
    /// Store times, both ends included.
    pub stored: RangeInclusive<Timestamp>,
    pub most: usize,
}

/// Offsets of one queue, from `first` to before `end`.
#[derive(Debug, Clone)]
pub struct QueueSpan {
    pub topic: TopicName,
    pub queue: u32,
    pub first: u64,
    pub end: u64,
}

/// What still counts; everything else may go with its segment.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The last commit this knows of; what was committed later counts whatever is said here.
    pub as_of: u64,
    /// The minimum offset of every queue that exists; a queue that is absent holds nothing.
    pub minimums: HashMap<TopicName, Vec<u64>>,
    /// Numbers of the messages that wait outside their queues.
    pub parked: HashSet<u64>,
}

impl Live {
    /// True when the message at that place is kept.
    pub fn holds(&self, topic: &TopicName, queue: u32, offset: u64) -> bool {
        self.minimums
            .get(topic)
            .and_then(|queues| queues.get(queue as usize))
            .is_some_and(|minimum| offset >= *minimum)
    }
}

/// Sizes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalStatistics {
    /// Messages stored in queues, those trimmed but not yet gone with their segment included.
    pub messages: u64,
    /// Own bytes of all records and indexes.
    pub bytes: u64,
    /// Bytes the files occupy; more than `bytes`, since files grow ahead of need.
    pub file_bytes: u64,
    pub segments: u64,
}
