//! The journal on disk, as its callers hold it: appends go to the writer thread, look-ups to the log.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place};
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;
use crate::store::frame;
use crate::store::intake::Intake;
use crate::store::journal::{
    Commit, Journal, JournalStatistics, KeyQuery, Live, Located, Position, QueueSpan,
};
use crate::store::keeper::Task;
use crate::store::log::Log;
use crate::store::writer::Work;

pub(super) struct DurableJournal {
    log: Arc<Log>,
    intake: Arc<Intake<Work>>,
    keeper: Sender<Task>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl DurableJournal {
    pub(super) fn new(
        log: Arc<Log>,
        intake: Arc<Intake<Work>>,
        keeper: Sender<Task>,
        writer: JoinHandle<()>,
    ) -> Self {
        Self {
            log,
            intake,
            keeper,
            writer: Mutex::new(Some(writer)),
        }
    }

    fn refused(&self, fault: &frame::Fault) -> StoreError {
        StoreError::from_io(
            "encode a record for",
            &self.log.shelf.disk.path(""),
            std::io::Error::other(fault.to_string()),
        )
    }
}

impl Journal for DurableJournal {
    fn append(&self, records: Vec<Record>) -> Commit {
        match Work::new(records) {
            Ok(work) => {
                let weight = work.weight();
                self.intake.append(work, weight)
            }
            Err(fault) => Commit::failed(self.refused(&fault)),
        }
    }

    fn ride(&self, records: Vec<Record>) {
        match Work::new(records) {
            Ok(work) => {
                let weight = work.weight();
                self.intake.ride(work, weight);
            }
            Err(fault) => tracing::error!(error = %self.refused(&fault), "records were lost"),
        }
    }

    fn read(&self, at: Position) -> Result<Option<Record>, StoreError> {
        self.log.read(at)
    }

    fn message(&self, place: &Place) -> Result<Option<Arc<Message>>, StoreError> {
        self.log.message(place)
    }

    fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Result<Vec<Arc<Message>>, StoreError> {
        self.log.messages(topic, queue, from, most)
    }

    fn parked(&self, number: u64) -> Result<Option<Arc<Message>>, StoreError> {
        self.log.parked(number)
    }

    fn by_id(&self, id: &MessageId, most: usize) -> Result<Vec<Located>, StoreError> {
        self.log.by_id(id, most)
    }

    fn by_key(&self, query: &KeyQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        self.log.by_key(query)
    }

    fn offset_at(&self, span: &QueueSpan, at: Timestamp) -> Result<u64, StoreError> {
        self.log.offset_at(span, at)
    }

    fn trace(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError> {
        self.log.trace(subject)
    }

    fn statistics(&self) -> JournalStatistics {
        self.log.statistics()
    }

    fn trim(&self, live: Live) {
        // A keeper that is gone belongs to a journal that is closed.
        let _ = self.keeper.send(Task::Trim(live));
    }

    fn close(&self) {
        self.intake.close();
        if let Some(writer) = self.writer.lock().take() {
            let _ = writer.join();
        }
    }
}

impl Drop for DurableJournal {
    fn drop(&mut self) {
        self.close();
    }
}
