//! A journal without a disk: for tests of what stands on the journal, and the model the real one is compared with.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place};
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;
use crate::store::intake::{Intake, Job, Taken};
use crate::store::journal::{
    Commit, Journal, JournalStatistics, KeyQuery, Live, Located, Observer, Position, QueueSpan,
    Recovery,
};

/// How long riders wait for company.
const PATIENCE: Duration = Duration::from_millis(10);

/// What would be on disk; journals come and go over it, one at a time.
#[derive(Clone, Default)]
pub struct MemoryStore {
    disk: Arc<RwLock<Disk>>,
    /// Commits fail with this while it is set.
    fault: Arc<Mutex<Option<StoreError>>>,
    /// Where commits happen only by hand: the writer of the journal that is open now.
    hand: Option<Arc<Mutex<Option<Writer>>>>,
}

#[derive(Default)]
struct Disk {
    log: Vec<Located>,
    sequence: u64,
    places: BTreeMap<Place, Arc<Message>>,
    parked: HashMap<u64, Arc<Message>>,
    /// The last commit before each topic was deleted: places of older records are void.
    floors: HashMap<TopicName, Position>,
    /// Written by a clean close, with the number of records it covers.
    checkpoint: Option<(Vec<u8>, usize)>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that commits only when [`Self::commit`] is called, so that a test decides what a crash takes.
    pub fn by_hand() -> Self {
        Self {
            hand: Some(Arc::default()),
            ..Self::default()
        }
    }

    /// Commits everything appended, on this thread. For stores by hand.
    pub fn commit(&self) {
        if let Some(writer) = &*self.hand().lock() {
            while let Taken::Jobs(jobs) = writer.next(usize::MAX) {
                writer.commit(jobs);
            }
        }
    }

    /// The process dies: of what was appended since the last commit the first `kept` appends reached the disk, which
    /// nobody was told. For stores by hand.
    pub fn crash(&self, kept: usize) {
        let Some(writer) = self.hand().lock().take() else {
            return;
        };
        for _ in 0..kept {
            if let Taken::Jobs(jobs) = writer.next(1) {
                let records = jobs.into_iter().flat_map(|job| job.work).collect();
                self.disk.write().append(records);
            }
        }
        drop(writer.intake.refuse(&StoreError::Closed));
        writer.intake.close();
    }

    /// Writes a checkpoint, as at the beginning of a segment: the next open replays only what comes after it. For stores
    /// by hand.
    pub fn roll(&self) {
        self.commit();
        if let Some(writer) = &*self.hand().lock() {
            writer.write_checkpoint();
        }
    }

    fn hand(&self) -> Arc<Mutex<Option<Writer>>> {
        self.hand.clone().unwrap_or_default()
    }

    /// Opens what is there, as after a restart.
    pub fn open(&self) -> Box<dyn Recovery> {
        Box::new(MemoryRecovery(self.clone()))
    }

    /// Lets every commit fail until [`Self::mend`].
    pub fn break_with(&self, error: StoreError) {
        *self.fault.lock() = Some(error);
    }

    /// Commits work again.
    pub fn mend(&self) {
        *self.fault.lock() = None;
    }

    /// All committed records, in order.
    pub fn records(&self) -> Vec<Record> {
        let disk = self.disk.read();
        disk.log.iter().map(|(_, record)| record.clone()).collect()
    }
}

struct MemoryRecovery(MemoryStore);

impl Recovery for MemoryRecovery {
    fn checkpoint(&mut self) -> Option<Vec<u8>> {
        let disk = self.0.disk.read();
        disk.checkpoint.as_ref().map(|(bytes, _)| bytes.clone())
    }

    fn replay(&mut self, visit: &mut dyn FnMut(&[Located])) -> Result<(), StoreError> {
        let disk = self.0.disk.read();
        let covered = disk.checkpoint.as_ref().map_or(0, |(_, covered)| *covered);
        let tail = disk.log.get(covered..).unwrap_or_default();
        tail.chunk_by(|a, b| a.0.sequence == b.0.sequence)
            .for_each(visit);
        Ok(())
    }

    fn start(self: Box<Self>, observer: Arc<dyn Observer>) -> Result<Arc<dyn Journal>, StoreError> {
        let intake = Arc::new(Intake::new());
        let writer = Writer {
            store: self.0.clone(),
            intake: intake.clone(),
            observer,
        };
        let thread = if let Some(hand) = &self.0.hand {
            *hand.lock() = Some(writer);
            None
        } else {
            let thread = std::thread::Builder::new()
                .name("memory-journal".to_owned())
                .spawn(move || writer.run())
                .map_err(|error| StoreError::from_io("start", "memory journal".as_ref(), error))?;
            Some(thread)
        };
        Ok(Arc::new(MemoryJournal {
            store: self.0.clone(),
            disk: self.0.disk,
            intake,
            thread: Mutex::new(thread),
        }))
    }
}

struct Writer {
    store: MemoryStore,
    intake: Arc<Intake<Vec<Record>>>,
    observer: Arc<dyn Observer>,
}

impl Writer {
    fn run(self) {
        loop {
            match self.intake.take(usize::MAX, PATIENCE, Duration::MAX) {
                Taken::Jobs(jobs) => self.commit(jobs),
                Taken::Quiet => {}
                Taken::Closed => break,
            }
        }
        self.write_checkpoint();
    }

    /// At most `most` appends that are there already.
    fn next(&self, most: usize) -> Taken<Vec<Record>> {
        self.intake.take(most, Duration::ZERO, Duration::ZERO)
    }

    fn write_checkpoint(&self) {
        let checkpoint = self.observer.checkpoint();
        let mut disk = self.store.disk.write();
        disk.checkpoint = Some((checkpoint, disk.log.len()));
    }

    fn commit(&self, jobs: Vec<Job<Vec<Record>>>) {
        if let Some(error) = self.store.fault.lock().clone() {
            return self.fail(jobs, &error);
        }
        let (batches, answers): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.work, job.answer)).unzip();
        let batch = self.store.disk.write().append(batches.concat());
        if !batch.is_empty() {
            self.observer.committed(&batch);
        }
        for answer in answers.into_iter().flatten() {
            let _ = answer.send(Ok(()));
        }
    }

    fn fail(&self, jobs: Vec<Job<Vec<Record>>>, error: &StoreError) {
        let behind = self.intake.refuse(error);
        let intake = &self.intake;
        self.observer.failed(error, &|| intake.resume());
        intake.resume();
        for answer in jobs.into_iter().chain(behind).filter_map(|job| job.answer) {
            let _ = answer.send(Err(error.clone()));
        }
    }
}

impl Disk {
    fn append(&mut self, records: Vec<Record>) -> Vec<Located> {
        self.sequence += 1;
        let batch: Vec<Located> = (0..)
            .map(|offset| Position {
                sequence: self.sequence,
                offset,
            })
            .zip(records)
            .collect();
        for (position, record) in &batch {
            self.index(*position, record);
        }
        self.log.extend_from_slice(&batch);
        batch
    }

    fn index(&mut self, position: Position, record: &Record) {
        match record {
            Record::Stored { message, .. } => {
                self.places.insert(message.place(), message.clone());
            }
            Record::Parked {
                number, message, ..
            } => {
                self.parked.insert(*number, message.clone());
            }
            Record::TopicDeleted { topic, .. } => {
                self.places.retain(|place, _| place.topic != *topic);
                self.floors.insert(topic.clone(), position);
            }
            _ => {}
        }
    }

    /// False for records about places of a topic that was deleted since.
    fn counts(&self, topic: &TopicName, position: Position) -> bool {
        self.floors.get(topic).is_none_or(|floor| position > *floor)
    }

    fn about(&self, subject: Subject<'_>) -> Vec<Located> {
        let is_about = |position: Position, record: &Record| {
            let mut found = false;
            record.subjects(|candidate| found |= candidate == subject);
            match subject {
                Subject::Place { topic, .. } => found && self.counts(topic, position),
                Subject::Parked(_) | Subject::Id(_) => found,
            }
        };
        let all = self.log.iter();
        all.filter(|(position, record)| is_about(*position, record))
            .cloned()
            .collect()
    }
}

/// The journal over a [`MemoryStore`].
struct MemoryJournal {
    store: MemoryStore,
    disk: Arc<RwLock<Disk>>,
    intake: Arc<Intake<Vec<Record>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal for MemoryJournal {
    fn append(&self, records: Vec<Record>) -> Commit {
        self.intake.append(records, 1)
    }

    fn ride(&self, records: Vec<Record>) {
        self.intake.ride(records, 1);
    }

    fn read(&self, at: Position) -> Result<Option<Record>, StoreError> {
        let disk = self.disk.read();
        let found = disk
            .log
            .binary_search_by_key(&at, |(position, _)| *position);
        Ok(found
            .ok()
            .and_then(|index| disk.log.get(index))
            .map(|(_, record)| record.clone()))
    }

    fn message(&self, place: &Place) -> Result<Option<Arc<Message>>, StoreError> {
        Ok(self.disk.read().places.get(place).cloned())
    }

    fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Result<Vec<Arc<Message>>, StoreError> {
        let disk = self.disk.read();
        let place = |offset| Place {
            topic: topic.clone(),
            queue,
            offset,
        };
        Ok((from..)
            .take(most)
            .map_while(|offset| disk.places.get(&place(offset)).cloned())
            .collect())
    }

    fn parked(&self, number: u64) -> Result<Option<Arc<Message>>, StoreError> {
        Ok(self.disk.read().parked.get(&number).cloned())
    }

    fn by_id(&self, id: &MessageId, most: usize) -> Result<Vec<Located>, StoreError> {
        let disk = self.disk.read();
        let brings = |(position, record): &&Located| match record {
            Record::Stored { message, .. } => {
                message.id == *id && disk.counts(&message.topic, *position)
            }
            Record::Parked { message, .. } => message.id == *id,
            Record::Refused { id: refused, .. } => refused == id,
            _ => false,
        };
        Ok(disk.log.iter().filter(brings).take(most).cloned().collect())
    }

    fn by_key(&self, query: &KeyQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        let disk = self.disk.read();
        let carries = |(position, record): &Located| match record {
            Record::Stored { message, .. } => (message.topic == query.topic
                && message.keys.contains(&query.key)
                && query.stored.contains(&message.stored_at)
                && disk.counts(&message.topic, *position))
            .then(|| message.clone()),
            _ => None,
        };
        let newest_first = disk.log.iter().rev();
        Ok(newest_first.filter_map(carries).take(query.most).collect())
    }

    fn offset_at(&self, span: &QueueSpan, at: Timestamp) -> Result<u64, StoreError> {
        let disk = self.disk.read();
        let place = |offset| Place {
            topic: span.topic.clone(),
            queue: span.queue,
            offset,
        };
        let mut span_messages = disk.places.range(place(span.first)..place(span.end));
        Ok(span_messages
            .find(|(_, message)| message.stored_at >= at)
            .map_or(span.end, |(place, _)| place.offset))
    }

    fn trace(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError> {
        let disk = self.disk.read();
        let mut records = disk.about(subject);
        let other = records.iter().find_map(|(_, record)| match record {
            Record::Stored {
                message,
                parked: Some(number),
            } => Some(match subject {
                Subject::Parked(_) => disk.about(Subject::Place {
                    topic: &message.topic,
                    queue: message.queue,
                    offset: message.offset,
                }),
                Subject::Place { .. } | Subject::Id(_) => disk.about(Subject::Parked(*number)),
            }),
            _ => None,
        });
        records.extend(other.unwrap_or_default());
        records.sort_by_key(|(position, _)| *position);
        records.dedup_by_key(|(position, _)| *position);
        Ok(records)
    }

    fn statistics(&self) -> JournalStatistics {
        let disk = self.disk.read();
        let weights = disk.places.values().chain(disk.parked.values());
        let bytes = weights.map(|message| message.weight() as u64).sum();
        JournalStatistics {
            messages: disk.places.len() as u64,
            bytes,
            file_bytes: bytes,
            segments: 1,
        }
    }

    fn trim(&self, live: Live) {
        let mut disk = self.disk.write();
        let later = disk.log.iter().rev();
        let later = later.take_while(|(position, _)| position.sequence > live.as_of);
        let (mut places, mut numbers) = (HashSet::new(), HashSet::new());
        for (_, record) in later {
            match record {
                Record::Stored { message, .. } => drop(places.insert(message.place())),
                Record::Parked { number, .. } => drop(numbers.insert(*number)),
                _ => {}
            }
        }
        disk.places.retain(|place, _| {
            live.holds(&place.topic, place.queue, place.offset) || places.contains(place)
        });
        disk.parked
            .retain(|number, _| live.parked.contains(number) || numbers.contains(number));
    }

    fn close(&self) {
        self.intake.close();
        let hand = self.store.hand();
        let is_mine = |writer: &Writer| Arc::ptr_eq(&writer.intake, &self.intake);
        if hand.lock().as_ref().is_some_and(is_mine) {
            self.store.roll();
            hand.lock().take();
        }
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for MemoryJournal {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{BodyEncoding, MessageType, Properties};

    /// Remembers what it was told.
    #[derive(Default)]
    struct Witness {
        seen: Mutex<Vec<Record>>,
        failures: Mutex<u32>,
    }

    impl Observer for Witness {
        fn committed(&self, batch: &[Located]) {
            let records = batch.iter().map(|(_, record)| record.clone());
            self.seen.lock().extend(records);
        }

        fn checkpoint(&self) -> Vec<u8> {
            vec![self.seen.lock().len() as u8]
        }

        fn failed(&self, _error: &StoreError, resume: &dyn Fn()) {
            *self.failures.lock() += 1;
            resume();
        }
    }

    fn stored(offset: u64) -> Record {
        let millis = i64::try_from(offset).unwrap() * 10;
        Record::Stored {
            message: Arc::new(Message {
                id: MessageId::new(&format!("ID{offset}")).unwrap(),
                topic: TopicName::new("orders").unwrap(),
                queue: 0,
                offset,
                message_type: MessageType::Normal,
                body: vec![b'x'; 10].into(),
                encoding: BodyEncoding::Identity,
                tag: None,
                keys: vec!["k".to_owned()],
                properties: Properties::new(),
                system: Properties::new(),
                message_group: None,
                deliver_at: None,
                priority: None,
                transaction_id: None,
                born_at: Timestamp::from_millis(millis),
                born_host: "h".to_owned(),
                stored_at: Timestamp::from_millis(millis),
            }),
            parked: None,
        }
    }

    #[test]
    fn appended_records_are_found_and_survive_a_reopening() {
        let store = MemoryStore::new();
        let witness = Arc::new(Witness::default());
        let journal = store.open().start(witness.clone()).unwrap();
        journal.append((0..5).map(stored).collect()).wait().unwrap();

        let topic = TopicName::new("orders").unwrap();
        assert_eq!(journal.messages(&topic, 0, 2, 10).unwrap().len(), 3);
        let id = MessageId::new("ID3").unwrap();
        assert_eq!(journal.by_id(&id, 9).unwrap().len(), 1);
        let span = QueueSpan {
            topic,
            queue: 0,
            first: 0,
            end: 5,
        };
        let at = |millis| journal.offset_at(&span, Timestamp::from_millis(millis));
        assert_eq!(at(15).unwrap(), 2);
        assert_eq!(at(99).unwrap(), 5);
        journal.close();

        let mut again = store.open();
        assert_eq!(again.checkpoint(), Some(vec![5]));
        let mut tail = 0;
        again.replay(&mut |batch| tail += batch.len()).unwrap();
        assert_eq!(tail, 0);
    }

    #[test]
    fn a_failed_commit_is_told_to_the_observer_and_leaves_nothing() {
        let store = MemoryStore::new();
        let witness = Arc::new(Witness::default());
        let journal = store.open().start(witness.clone()).unwrap();
        store.break_with(StoreError::Full {
            path: "/data".into(),
        });
        let answer = journal.append(vec![stored(0)]).wait();
        assert!(matches!(answer, Err(StoreError::Full { .. })));
        assert_eq!(*witness.failures.lock(), 1);
        store.mend();
        journal.append(vec![stored(0)]).wait().unwrap();
        assert_eq!(store.records().len(), 1);
    }
}
