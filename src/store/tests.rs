//! The journal on disk against what it promises, and against the journal in memory as its model.

mod damage;
mod model;
mod trim;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::cache::CacheBudget;
use crate::store::error::StoreError;
use crate::store::journal::{Journal, KeyQuery, QueueSpan};
use crate::store::open::{Options, open};
use crate::store::samples::{self, Witness};

/// Small enough that a few hundred records fill many runs and segments; nothing happens by time.
fn small() -> Options {
    Options {
        segment_bytes: 8 * 1024,
        run_entries: 20,
        checkpoint_bytes: 5000,
        patience: Duration::MAX,
        quiet: Duration::MAX,
        ..Options::default()
    }
}

fn start(path: &Path, options: Options) -> (Arc<Witness>, Arc<dyn Journal>) {
    let mut opened = open(path, options).unwrap();
    let witness = Witness::recover(&mut *opened);
    let journal = opened.start(witness.clone()).unwrap();
    (witness, journal)
}

fn append(journal: &dyn Journal, records: Vec<Record>) {
    journal.append(records).wait().unwrap();
}

#[test]
fn every_kind_of_record_survives_a_clean_stop_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (witness, journal) = start(directory.path(), Options::default());
    for record in samples::every_record() {
        append(&*journal, vec![record]);
    }
    assert_eq!(witness.records(), samples::every_record());
    journal.close();
    drop(journal);

    let (again, _journal) = start(directory.path(), Options::default());
    assert_eq!(again.records(), samples::every_record());
}

#[test]
fn records_are_in_the_order_of_the_appends_whoever_waits() {
    let directory = tempfile::tempdir().unwrap();
    let (witness, journal) = start(directory.path(), small());
    let records: Vec<Record> = (0..400)
        .map(|at| samples::stored("orders", 0, at))
        .collect();
    for (at, record) in records.iter().enumerate() {
        match at % 20 {
            19 => append(&*journal, vec![record.clone()]),
            odd if odd % 2 == 1 => journal.ride(vec![record.clone()]),
            _ => drop(journal.append(vec![record.clone()])),
        }
    }
    journal.append(Vec::new()).wait().unwrap();
    assert_eq!(witness.records(), records);
    assert!(journal.statistics().segments > 1);
}

#[test]
fn messages_larger_than_any_page_are_read_back_whole() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        cache: CacheBudget::new(0),
        ..small()
    };
    let (_witness, journal) = start(directory.path(), options);
    let sizes = [10, 3000, 5000, 70_000, 1_000_000, 4_200_000, 1];
    for (offset, size) in (0..).zip(sizes) {
        let mut message = samples::message("orders", 0, offset);
        message.body = vec![offset as u8; size].into();
        let record = Record::Stored {
            message: Arc::new(message),
            parked: None,
        };
        append(&*journal, vec![samples::settled("other", 0, 1), record]);
    }
    for (offset, size) in (0..).zip(sizes) {
        let found = journal
            .message(&samples::place("orders", 0, offset))
            .unwrap();
        assert_eq!(found.unwrap().body, vec![offset as u8; size]);
    }
}

#[test]
fn a_closed_journal_refuses_and_a_second_opening_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    let second = open(directory.path(), small()).err().unwrap();
    assert!(matches!(second, StoreError::InUse { .. }));
    journal.close();
    let late = journal.append(vec![samples::stored("orders", 0, 0)]).wait();
    assert!(matches!(late, Err(StoreError::Closed)));
}

#[test]
fn a_topic_made_again_shows_nothing_of_its_former_life() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    let fill = |count| {
        for offset in 0..count {
            append(&*journal, vec![samples::stored("orders", 0, offset)]);
        }
    };
    fill(200);
    append(
        &*journal,
        vec![Record::TopicDeleted {
            topic: samples::topic("orders"),
            at: Timestamp::from_millis(1),
        }],
    );
    fill(3);
    let topic = samples::topic("orders");
    assert_eq!(journal.messages(&topic, 0, 0, 10).unwrap().len(), 3);
    assert!(journal.messages(&topic, 0, 5, 10).unwrap().is_empty());
    let old = samples::id("orders-0-150");
    assert!(journal.by_id(&old, 9).unwrap().is_empty());
    let trace = journal
        .trace(Subject::Place {
            topic: &topic,
            queue: 0,
            offset: 1,
        })
        .unwrap();
    assert_eq!(trace.len(), 1);
}

#[test]
fn keys_are_found_newest_first_within_a_time_range() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    for offset in 0..300 {
        append(&*journal, vec![samples::stored("orders", 0, offset)]);
    }
    let query = |from: i64, to: i64, most| KeyQuery {
        topic: samples::topic("orders"),
        key: "key3".to_owned(),
        stored: Timestamp::from_millis(from)..=Timestamp::from_millis(to),
        most,
    };
    let offsets = |query: KeyQuery| -> Vec<u64> {
        let found = journal.by_key(&query).unwrap();
        found.iter().map(|message| message.offset).collect()
    };
    assert_eq!(offsets(query(0, 1_000_000, 3)), [293, 283, 273]);
    assert_eq!(offsets(query(100, 500, 9)), [43, 33, 23, 13]);
}

#[test]
fn the_offset_of_a_moment_is_the_first_at_or_after_it_o4() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    for offset in 0..300 {
        append(&*journal, vec![samples::stored("orders", 0, offset)]);
    }
    let span = QueueSpan {
        topic: samples::topic("orders"),
        queue: 0,
        first: 0,
        end: 300,
    };
    let at = |millis| {
        journal
            .offset_at(&span, Timestamp::from_millis(millis))
            .unwrap()
    };
    assert_eq!(at(-5), 0);
    assert_eq!(at(100), 10);
    assert_eq!(at(101), 11);
    assert_eq!(at(2990), 299);
    assert_eq!(at(2991), 300);
}
