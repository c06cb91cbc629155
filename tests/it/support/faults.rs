//! Journals with a planted fault, to show that a test would notice it.

use std::sync::Arc;

use moonport::domain::ids::MessageId;
use moonport::domain::message::{Message, Place};
use moonport::domain::names::TopicName;
use moonport::domain::record::{Record, Subject};
use moonport::domain::timestamp::Timestamp;
use moonport::store::error::StoreError;
use moonport::store::journal::{
    Commit, Journal, JournalStatistics, KeyQuery, Live, Located, Observer, Position, QueueSpan,
    Recovery,
};
use moonport::store::memory::MemoryStore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Appends are answered before they are on disk.
    AnswersEarly,
    /// Replay passes over what groups are done with.
    SkipsSettled,
    /// Replay forgets the message groups of what is out.
    LosesBlocks,
}

pub(crate) fn wrap(inner: Box<dyn Recovery>, fault: Fault) -> Box<dyn Recovery> {
    match fault {
        Fault::None => inner,
        _ => Box::new(Faulty { inner, fault }),
    }
}

struct Faulty {
    inner: Box<dyn Recovery>,
    fault: Fault,
}

impl Recovery for Faulty {
    fn checkpoint(&mut self) -> Option<Vec<u8>> {
        self.inner.checkpoint()
    }

    fn replay(&mut self, visit: &mut dyn FnMut(&[Located])) -> Result<(), StoreError> {
        let fault = self.fault;
        self.inner.replay(&mut |batch| {
            let changed: Vec<Located> = batch.iter().filter_map(|at| spoil(at, fault)).collect();
            visit(&changed);
        })
    }

    fn start(self: Box<Self>, observer: Arc<dyn Observer>) -> Result<Arc<dyn Journal>, StoreError> {
        let journal = self.inner.start(observer)?;
        if self.fault != Fault::AnswersEarly {
            return Ok(journal);
        }
        let answers = MemoryStore::new().open().start(Arc::new(Nobody))?;
        Ok(Arc::new(Hasty { journal, answers }))
    }
}

fn spoil((position, record): &Located, fault: Fault) -> Option<Located> {
    let record = match record {
        Record::Settled { .. } if fault == Fault::SkipsSettled => return None,
        Record::Leased { .. } if fault == Fault::LosesBlocks => {
            let mut record = record.clone();
            if let Record::Leased { deliveries, .. } = &mut record {
                for leased in deliveries {
                    leased.message_group = None;
                }
            }
            record
        }
        record => record.clone(),
    };
    Some((*position, record))
}

/// Answers from another journal, which has nothing to write.
struct Hasty {
    journal: Arc<dyn Journal>,
    answers: Arc<dyn Journal>,
}

impl Journal for Hasty {
    fn append(&self, records: Vec<Record>) -> Commit {
        drop(self.journal.append(records));
        self.answers.append(Vec::new())
    }

    fn ride(&self, records: Vec<Record>) {
        self.journal.ride(records);
    }

    fn read(&self, at: Position) -> Result<Option<Record>, StoreError> {
        self.journal.read(at)
    }

    fn message(&self, place: &Place) -> Result<Option<Arc<Message>>, StoreError> {
        self.journal.message(place)
    }

    fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Result<Vec<Arc<Message>>, StoreError> {
        self.journal.messages(topic, queue, from, most)
    }

    fn parked(&self, number: u64) -> Result<Option<Arc<Message>>, StoreError> {
        self.journal.parked(number)
    }

    fn by_id(&self, id: &MessageId, most: usize) -> Result<Vec<Located>, StoreError> {
        self.journal.by_id(id, most)
    }

    fn by_key(&self, query: &KeyQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        self.journal.by_key(query)
    }

    fn offset_at(&self, span: &QueueSpan, at: Timestamp) -> Result<u64, StoreError> {
        self.journal.offset_at(span, at)
    }

    fn trace(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError> {
        self.journal.trace(subject)
    }

    fn statistics(&self) -> JournalStatistics {
        self.journal.statistics()
    }

    fn trim(&self, live: Live) {
        self.journal.trim(live);
    }

    fn close(&self) {
        self.journal.close();
    }
}

/// Sees nothing and holds nothing.
struct Nobody;

impl Observer for Nobody {
    fn committed(&self, _batch: &[Located]) {}

    fn checkpoint(&self) -> Vec<u8> {
        Vec::new()
    }

    fn failed(&self, _error: &StoreError, resume: &dyn Fn()) {
        resume();
    }
}
