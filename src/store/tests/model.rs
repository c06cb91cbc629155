//! Random histories: every look-up answers as the model does, before and after a restart.

use crate::store::cache::CacheBudget;
use std::sync::Arc;

use proptest::prelude::*;

use super::small;
use crate::domain::message::Place;
use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::journal::{Journal, KeyQuery, Located, QueueSpan};
use crate::store::memory::MemoryStore;
use crate::store::open::{Options, open};
use crate::store::samples::{self, Witness};

const TOPICS: [&str; 3] = ["orders", "later", "audit"];

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    /// Stores messages in a queue, in one append.
    Store {
        topic: usize,
        queue: u32,
        count: u8,
    },
    /// Tells that a message was taken and settled.
    Consume {
        topic: usize,
        queue: u32,
        back: u8,
    },
    Park,
    /// The oldest parked message becomes ready.
    Ready {
        queue: u32,
    },
    Delete {
        topic: usize,
    },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_usize, 0..3_u32, 1..40_u8)
            .prop_map(|(topic, queue, count)| Step::Store { topic, queue, count }),
        6 => (0..3_usize, 0..3_u32, 0..60_u8)
            .prop_map(|(topic, queue, back)| Step::Consume { topic, queue, back }),
        2 => Just(Step::Park),
        2 => (0..3_u32).prop_map(|queue| Step::Ready { queue }),
        1 => (0..3_usize).prop_map(|topic| Step::Delete { topic }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

/// Turns steps into records and remembers what exists.
#[derive(Default)]
struct History {
    next: [[u64; 3]; 3],
    parked: Vec<u64>,
    next_parked: u64,
}

impl History {
    fn records(&mut self, step: &Step) -> Vec<Record> {
        match step {
            Step::Store {
                topic,
                queue,
                count,
            } => (0..*count)
                .map(|_| self.store(*topic, *queue, None))
                .collect(),
            Step::Consume { topic, queue, back } => self.consume(*topic, *queue, *back),
            Step::Park => {
                self.next_parked += 1;
                self.parked.push(self.next_parked);
                vec![samples::parked(self.next_parked)]
            }
            Step::Ready { queue } => {
                if self.parked.is_empty() {
                    return Vec::new();
                }
                let number = self.parked.remove(0);
                vec![self.store(1, *queue, Some(number))]
            }
            Step::Delete { topic } => {
                self.next[*topic] = [0; 3];
                vec![Record::TopicDeleted {
                    topic: samples::topic(TOPICS[*topic]),
                    at: Timestamp::EPOCH,
                }]
            }
            Step::Restart => Vec::new(),
        }
    }

    fn store(&mut self, topic: usize, queue: u32, parked: Option<u64>) -> Record {
        let offset = &mut self.next[topic][queue as usize];
        *offset += 1;
        Record::Stored {
            message: Arc::new(samples::message(TOPICS[topic], queue, *offset - 1)),
            parked,
        }
    }

    fn consume(&self, topic: usize, queue: u32, back: u8) -> Vec<Record> {
        let Some(offset) = self.next[topic][queue as usize].checked_sub(u64::from(back) + 1) else {
            return Vec::new();
        };
        let name = TOPICS[topic];
        let taken = (offset.saturating_sub(2)..=offset).rev();
        vec![
            samples::leased(name, queue, taken),
            samples::settled(name, queue, offset),
        ]
    }
}

fn told(records: Vec<Located>) -> Vec<Record> {
    records.into_iter().map(|(_, record)| record).collect()
}

/// Asks both journals everything that the history can answer.
fn compare(journal: &dyn Journal, model: &dyn Journal, history: &History) {
    for (topic, queues) in TOPICS.iter().zip(history.next) {
        let topic = samples::topic(topic);
        for (queue, end) in (0..).zip(queues) {
            for from in [0, 1, end / 2, end.saturating_sub(1)] {
                let most = (end - from.min(end)) as usize;
                assert_eq!(
                    journal.messages(&topic, queue, from, most.min(7)).unwrap(),
                    model.messages(&topic, queue, from, most.min(7)).unwrap(),
                );
                compare_place(
                    journal,
                    model,
                    &Place {
                        topic: topic.clone(),
                        queue,
                        offset: from,
                    },
                );
            }
            let span = QueueSpan {
                topic: topic.clone(),
                queue,
                first: 0,
                end,
            };
            let at = Timestamp::from_millis(end as i64 * 4);
            assert_eq!(
                journal.offset_at(&span, at).unwrap(),
                model.offset_at(&span, at).unwrap()
            );
        }
        let query = KeyQuery {
            topic,
            key: "key4".to_owned(),
            stored: Timestamp::from_millis(50)..=Timestamp::MAX,
            most: 1000,
        };
        let (mut found, mut expected) = (
            journal.by_key(&query).unwrap(),
            model.by_key(&query).unwrap(),
        );
        let order =
            |message: &Arc<crate::domain::message::Message>| (message.queue, message.offset);
        found.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(found, expected);
    }
    for number in 1..=history.next_parked {
        assert_eq!(
            journal.parked(number).unwrap(),
            model.parked(number).unwrap()
        );
        let subject = Subject::Parked(number);
        assert_eq!(
            told(journal.trace(subject).unwrap()),
            told(model.trace(subject).unwrap())
        );
    }
}

fn compare_place(journal: &dyn Journal, model: &dyn Journal, place: &Place) {
    let subject = Subject::Place {
        topic: &place.topic,
        queue: place.queue,
        offset: place.offset,
    };
    assert_eq!(
        told(journal.trace(subject).unwrap()),
        told(model.trace(subject).unwrap())
    );
    let id = samples::message(place.topic.as_str(), place.queue, place.offset).id;
    assert_eq!(
        told(journal.by_id(&id, 32).unwrap()),
        told(model.by_id(&id, 32).unwrap())
    );
}

fn run(history_steps: Vec<Step>, options: &Options) {
    let directory = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let model = store.open().start(Arc::new(Witness::default())).unwrap();
    let mut opened = open(directory.path(), options.clone()).unwrap();
    let mut witness = Witness::recover(&mut *opened);
    let mut journal = opened.start(witness.clone()).unwrap();
    let mut history = History::default();
    for step in history_steps {
        if matches!(step, Step::Restart) {
            drop(journal);
            let mut opened = open(directory.path(), options.clone()).unwrap();
            witness = Witness::recover(&mut *opened);
            journal = opened.start(witness.clone()).unwrap();
        }
        let records = history.records(&step);
        model.append(records.clone()).wait().unwrap();
        journal.append(records).wait().unwrap();
    }
    assert_eq!(witness.records(), store.records());
    compare(&*journal, &*model, &history);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn look_ups_answer_as_the_model_does(history in steps()) {
        run(history.clone(), &Options { cache: CacheBudget::new(0), ..small() });
    }

    #[test]
    fn look_ups_through_the_cache_answer_as_the_model_does(history in steps()) {
        run(history, &Options { cache: CacheBudget::new(200_000), ..small() });
    }
}
