//! The power goes at any moment, or the disk is full: what was acknowledged is there, in order, unchanged.

use std::sync::Arc;
use std::time::Duration;

use moonport::domain::ids::MessageId;
use moonport::domain::message::{BodyEncoding, Message, MessageType, Place, Properties};
use moonport::domain::names::TopicName;
use moonport::domain::record::Record;
use moonport::domain::timestamp::Timestamp;
use moonport::store::cache::CacheBudget;
use moonport::store::error::StoreError;
use moonport::store::journal::{Journal, Located, Observer};
use moonport::store::open::{Options, open_on};
use parking_lot::Mutex;

use crate::support::fake_disk::FakeDisk;

/// Records written in each history.
const RECORDS: u64 = 60;

/// Segments, runs and checkpoints come every few records; nothing happens by time.
fn options() -> Options {
    Options {
        segment_bytes: 3000,
        run_entries: 8,
        checkpoint_bytes: 1000,
        cache: CacheBudget::new(0),
        patience: Duration::MAX,
        quiet: Duration::MAX,
        ..Options::default()
    }
}

fn topic() -> TopicName {
    TopicName::new("orders").unwrap()
}

fn stored(offset: u64) -> Record {
    let at = Timestamp::from_millis(offset as i64);
    Record::Stored {
        message: Arc::new(Message {
            id: MessageId::new(&format!("ID{offset}")).unwrap(),
            topic: topic(),
            queue: 0,
            offset,
            message_type: MessageType::Normal,
            body: vec![offset as u8; 100 + offset as usize * 7 % 900].into(),
            encoding: BodyEncoding::Identity,
            tag: None,
            keys: vec!["key".to_owned()],
            properties: Properties::new(),
            system: Properties::new(),
            message_group: None,
            deliver_at: None,
            priority: None,
            transaction_id: None,
            born_at: at,
            born_host: "host".to_owned(),
            stored_at: at,
        }),
        parked: None,
    }
}

/// A state that is the list of all records.
#[derive(Default)]
struct Ledger {
    seen: Mutex<Vec<Record>>,
    failures: Mutex<u32>,
}

impl Observer for Ledger {
    fn committed(&self, batch: &[Located]) {
        let records = batch.iter().map(|(_, record)| record.clone());
        self.seen.lock().extend(records);
    }

    fn checkpoint(&self) -> Vec<u8> {
        serde_json::to_vec(&*self.seen.lock()).unwrap()
    }

    fn failed(&self, _error: &StoreError, resume: &dyn Fn()) {
        *self.failures.lock() += 1;
        resume();
    }
}

fn start(disk: &FakeDisk) -> Result<(Arc<Ledger>, Arc<dyn Journal>), StoreError> {
    let mut opened = open_on(Arc::new(disk.clone()), options())?;
    let checkpoint = opened.checkpoint();
    let mut seen: Vec<Record> =
        checkpoint.map_or_else(Vec::new, |state| serde_json::from_slice(&state).unwrap());
    opened.replay(&mut |batch| seen.extend(batch.iter().map(|(_, record)| record.clone())))?;
    let ledger = Arc::new(Ledger {
        seen: Mutex::new(seen),
        ..Ledger::default()
    });
    let journal = opened.start(ledger.clone())?;
    Ok((ledger, journal))
}

/// Appends until the power goes; returns how many records were acknowledged.
fn write_until_dark(disk: &FakeDisk) -> u64 {
    let Ok((_ledger, journal)) = start(disk) else {
        return 0;
    };
    let acknowledged = (0..RECORDS).take_while(|offset| {
        let answer = journal.append(vec![stored(*offset)]);
        answer.wait().is_ok()
    });
    acknowledged.count() as u64
}

fn check(disk: &FakeDisk, acknowledged: u64, case: &str) {
    let (ledger, journal) = start(disk).unwrap_or_else(|error| panic!("{case}: {error}"));
    let seen = ledger.seen.lock().clone();
    assert!(
        seen.len() as u64 >= acknowledged,
        "{case}: records are lost"
    );
    for (offset, record) in (0..).zip(&seen) {
        assert!(*record == stored(offset), "{case}: record {offset} changed");
    }
    for offset in 0..acknowledged {
        let place = Place {
            topic: topic(),
            queue: 0,
            offset,
        };
        let message = journal.message(&place).unwrap();
        let parked = None;
        let record = message.map(|message| Record::Stored { message, parked });
        assert!(record == Some(stored(offset)), "{case}: message {offset}");
    }
    let next = seen.len() as u64;
    journal.append(vec![stored(next)]).wait().unwrap();
}

#[test]
fn what_was_acknowledged_survives_a_crash_at_any_change_to_the_disk() {
    let whole = FakeDisk::default();
    assert_eq!(write_until_dark(&whole), RECORDS);
    let changes = whole.changes();
    assert!(changes > 500);
    let mut chance = fastrand::Rng::with_seed(7);
    let mut last = 0;
    while last < changes {
        let disk = FakeDisk::dying_after(last);
        let acknowledged = write_until_dark(&disk);
        for _ in 0..2 {
            let case = format!("power gone after change {last} of {changes}");
            check(&disk.crashed(&mut chance), acknowledged, &case);
        }
        last += chance.u64(1..50);
    }
}

#[test]
fn a_crash_during_recovery_loses_nothing_either() {
    let mut chance = fastrand::Rng::with_seed(8);
    for round in 0..12 {
        let disk = FakeDisk::dying_after(300 + chance.u64(0..400));
        let acknowledged = write_until_dark(&disk);
        let found = disk.crashed(&mut chance);
        let darker = found.crashed(&mut chance);
        // The second start dies as well, a few changes in.
        let dying = FakeDisk::dying_after(chance.u64(0..12));
        dying.take_over(&darker);
        drop(start(&dying));
        let case = format!("round {round}");
        check(&dying.crashed(&mut chance), acknowledged, &case);
    }
}

#[test]
fn a_full_disk_is_told_reads_go_on_and_writes_come_back_with_the_space() {
    let disk = FakeDisk::default();
    let (ledger, journal) = start(&disk).unwrap();
    for offset in 0..20 {
        journal.append(vec![stored(offset)]).wait().unwrap();
    }
    disk.set_full(true);
    for _ in 0..3 {
        let answer = journal.append(vec![stored(20)]).wait();
        assert!(matches!(answer, Err(StoreError::Full { .. })), "{answer:?}");
    }
    assert_eq!(*ledger.failures.lock(), 3);
    let found = journal.messages(&topic(), 0, 0, 100).unwrap();
    assert!(!found.is_empty());

    disk.set_full(false);
    for offset in 20..40 {
        journal.append(vec![stored(offset)]).wait().unwrap();
    }
    assert_eq!(journal.messages(&topic(), 0, 0, 100).unwrap().len(), 40);
    journal.close();
    drop(journal);
    let (again, _journal) = start(&disk).unwrap();
    let expected: Vec<Record> = (0..40).map(stored).collect();
    assert!(*again.seen.lock() == expected);
}
