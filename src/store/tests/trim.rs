//! Segments go when nothing live is in them, and leftovers are carried forward.

use crate::store::cache::CacheBudget;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{append, small, start};
use crate::clock::RealClock;
use crate::domain::record::{Record, Subject};
use crate::store::journal::{Journal, Live};
use crate::store::open::Options;
use crate::store::samples;

fn live(minimums: &[(&str, Vec<u64>)], parked: &[u64]) -> Live {
    let minimums: HashMap<_, _> = minimums
        .iter()
        .map(|(name, minimums)| (samples::topic(name), minimums.clone()))
        .collect();
    Live {
        as_of: u64::MAX,
        minimums,
        parked: parked.iter().copied().collect::<HashSet<_>>(),
    }
}

/// Waits until the keeper is through with what was asked before: it is done when the journal is closed.
fn reopened(
    path: &std::path::Path,
    journal: Arc<dyn Journal>,
    options: Options,
) -> Arc<dyn Journal> {
    journal.close();
    drop(journal);
    start(path, options).1
}

/// Lets the keeper work: it is asked after everything that was asked before.
fn trimmed(journal: &dyn Journal, live: &Live, until: impl Fn(&dyn Journal) -> bool) {
    journal.trim(live.clone());
    let clock = RealClock::system();
    let deadline = clock.now() + Duration::from_secs(20);
    while !until(journal) {
        assert!(clock.now() < deadline, "trimming does not end");
        std::thread::yield_now();
    }
}

#[test]
fn segments_without_live_messages_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    for offset in 0..500 {
        append(&*journal, vec![samples::stored("orders", 0, offset)]);
    }
    let before = journal.statistics();
    assert!(before.segments > 3);
    trimmed(&*journal, &live(&[("orders", vec![500])], &[]), |journal| {
        journal.statistics().segments == 1
    });
    assert!(journal.statistics().bytes < before.bytes / 3);
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 3, "the active segment, the format and the lock");
}

#[test]
fn leftovers_are_carried_forward_with_their_traces() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        cache: CacheBudget::new(0),
        ..small()
    };
    let (witness, journal) = start(directory.path(), options.clone());
    append(&*journal, vec![samples::parked(1), samples::parked(2)]);
    append(&*journal, vec![samples::stored("dead", 0, 0)]);
    append(&*journal, vec![samples::settled("dead", 0, 0)]);
    for offset in 0..600 {
        append(&*journal, vec![samples::stored("orders", 0, offset)]);
    }
    let keep = live(&[("orders", vec![590]), ("dead", vec![0])], &[2]);
    trimmed(&*journal, &keep, |journal| {
        journal.statistics().segments <= 2
    });
    let told = witness.records().len();
    let journal = reopened(directory.path(), journal, options);

    assert!(journal.parked(2).unwrap().is_some());
    assert!(journal.parked(1).unwrap().is_none());
    let dead = samples::topic("dead");
    assert_eq!(journal.messages(&dead, 0, 0, 5).unwrap().len(), 1);
    let subject = Subject::Place {
        topic: &dead,
        queue: 0,
        offset: 0,
    };
    assert_eq!(journal.trace(subject).unwrap().len(), 2);
    let id = samples::id("dead-0-0");
    assert_eq!(journal.by_id(&id, 9).unwrap().len(), 1);
    let orders = samples::topic("orders");
    assert_eq!(journal.messages(&orders, 0, 590, 20).unwrap().len(), 10);
    // A copy is no news: the state is told once.
    assert_eq!(told, 3 + 600 + 1);
}

#[test]
fn nothing_live_is_lost_when_trimming_is_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let (_witness, journal) = start(directory.path(), small());
    for round in 0..5_u64 {
        append(
            &*journal,
            vec![samples::stored("kept", 0, round), samples::parked(round)],
        );
        for offset in 0..200 {
            append(
                &*journal,
                vec![samples::stored("orders", 1, round * 200 + offset)],
            );
        }
        let parked: Vec<u64> = (0..=round).collect();
        let minimums = [("kept", vec![0]), ("orders", vec![0, (round + 1) * 200])];
        trimmed(&*journal, &live(&minimums, &parked), |journal| {
            journal.statistics().segments <= 2
        });
        for number in parked {
            assert!(journal.parked(number).unwrap().is_some());
        }
    }
    let found = journal.messages(&samples::topic("kept"), 0, 0, 9).unwrap();
    let found: Vec<Record> = found
        .into_iter()
        .map(|message| Record::Stored {
            message,
            parked: None,
        })
        .collect();
    let kept: Vec<Record> = (0..5).map(|at| samples::stored("kept", 0, at)).collect();
    assert_eq!(found, kept);
}
