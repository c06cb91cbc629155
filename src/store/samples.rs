//! Records for the tests of this room.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::group::{DeliveryOrder, GroupDefinition};
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{BodyEncoding, Message, MessageType, Place, Properties};
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::record::{Leasing, Postponing, Record, Settling, Unparking, Until};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{TopicDefinition, TopicType};
use crate::store::error::StoreError;
use crate::store::journal::{Located, Observer, Recovery};

pub(super) fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

pub(super) fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn place(name: &str, queue: u32, offset: u64) -> Place {
    Place {
        topic: topic(name),
        queue,
        offset,
    }
}

/// A message stored 10 ms after the one before it, with an id of its own and a key shared by every tenth.
pub(super) fn message(name: &str, queue: u32, offset: u64) -> Message {
    let moment = at(i64::try_from(offset).unwrap() * 10);
    Message {
        id: id(&format!("{name}-{queue}-{offset}")),
        topic: topic(name),
        queue,
        offset,
        message_type: MessageType::Normal,
        body: format!("body of {offset}").into(),
        encoding: BodyEncoding::Identity,
        tag: Some("created".to_owned()),
        keys: vec![format!("key{}", offset % 10)],
        properties: [("region", "eu")].into_iter().collect(),
        system: Properties::new(),
        message_group: None,
        deliver_at: None,
        priority: None,
        transaction_id: None,
        born_at: moment,
        born_host: "host".to_owned(),
        stored_at: moment,
    }
}

pub(super) fn stored(name: &str, queue: u32, offset: u64) -> Record {
    Record::Stored {
        message: Arc::new(message(name, queue, offset)),
        parked: None,
    }
}

pub(super) fn parked(number: u64) -> Record {
    Record::Parked {
        number,
        message: Arc::new(message("later", 0, number)),
        until: Until::Due(at(5000)),
    }
}

pub(super) fn settled(name: &str, queue: u32, offset: u64) -> Record {
    Record::Settled {
        group: group(),
        topic: topic(name),
        queue,
        how: Settling::Acked,
        at: at(77),
        deliveries: vec![(offset, 1)],
    }
}

fn client() -> ClientId {
    ClientId::new("client@1").unwrap()
}

fn group() -> GroupName {
    GroupName::new("workers").unwrap()
}

/// One record of every kind, fields filled.
pub(super) fn every_record() -> Vec<Record> {
    let mut records = definitions();
    records.extend(arrivals());
    records.extend(deliveries());
    records
}

fn definitions() -> Vec<Record> {
    let mut definition = TopicDefinition::new(topic("orders"), TopicType::Mixed, 8, at(1));
    definition.retention = Some(Duration::from_secs(60));
    vec![
        Record::TopicPut(definition),
        Record::TopicDeleted {
            topic: topic("orders"),
            at: at(2),
        },
        Record::GroupPut(GroupDefinition::new(group(), DeliveryOrder::Orderly, at(3))),
        Record::GroupDeleted {
            group: group(),
            offsets: true,
            at: at(4),
        },
        Record::Joined {
            group: group(),
            topic: topic("orders"),
            offsets: vec![0, 5, 1 << 40],
            at: at(5),
        },
    ]
}

fn arrivals() -> Vec<Record> {
    let mut full = message("orders", 1, 2);
    full.message_group = Some("g".to_owned());
    full.deliver_at = Some(at(9));
    full.priority = Some(3);
    full.transaction_id = Some(TransactionId::new("tx"));
    full.encoding = BodyEncoding::Gzip;
    let full = Arc::new(full);
    vec![
        Record::Stored {
            message: full.clone(),
            parked: Some(11),
        },
        Record::Parked {
            number: 11,
            message: full,
            until: Until::Ended {
                transaction: TransactionId::new("tx"),
                check: at(6),
                client: Some(client()),
            },
        },
        Record::Unparked {
            number: 11,
            id: id("M1"),
            why: Unparking::Recalled,
            at: at(7),
        },
        Record::Checked {
            number: 11,
            times: 2,
            next: at(8),
            at: at(9),
        },
        Record::Refused {
            id: id("M2"),
            topic: topic("orders"),
            why: "too large".to_owned(),
            host: Some("host".to_owned()),
            at: at(10),
        },
        Record::Trimmed {
            topic: topic("orders"),
            queue: 1,
            offset: 1,
            at: at(18),
        },
    ]
}

/// A lease of messages of one queue.
pub(super) fn leased(name: &str, queue: u32, offsets: impl Iterator<Item = u64>) -> Record {
    Record::Leased {
        group: group(),
        topic: topic(name),
        queue,
        client: Some(client()),
        deadline: at(60_000),
        at: at(11),
        deliveries: offsets
            .map(|offset| Leasing {
                offset,
                attempt: 1,
                lease: 5,
                message_group: Some("g".into()),
            })
            .collect(),
    }
}

fn deliveries() -> Vec<Record> {
    vec![
        leased("orders", 1, 2..4),
        Record::Postponed {
            group: group(),
            place: place("orders", 1, 2),
            attempt: 2,
            due: at(12),
            at: at(13),
            why: Postponing::Requeued(place("%DLQ%workers", 0, 0)),
            message_group: None,
        },
        Record::Settled {
            group: group(),
            topic: topic("orders"),
            queue: 1,
            how: Settling::Dead(place("%DLQ%workers", 0, 1)),
            at: at(14),
            deliveries: vec![(2, 2), (3, 1)],
        },
        Record::Skipped {
            group: group(),
            topic: topic("orders"),
            queue: 1,
            ranges: vec![(4, 9)],
            at: at(15),
        },
        Record::OffsetCommitted {
            group: group(),
            topic: topic("orders"),
            queue: 1,
            offset: 9,
            at: at(16),
        },
        Record::OffsetReset {
            group: group(),
            topic: topic("orders"),
            queue: 1,
            offset: 0,
            lease: 6,
            at: at(17),
        },
    ]
}

/// An observer whose whole state is the list of records it saw.
#[derive(Default)]
pub(super) struct Witness {
    pub seen: Mutex<Vec<Record>>,
    pub failures: Mutex<Vec<StoreError>>,
}

impl Witness {
    /// The state that an opened store tells.
    pub(super) fn recover(opened: &mut dyn Recovery) -> Arc<Self> {
        let mut seen: Vec<Record> = opened
            .checkpoint()
            .map(|state| postcard::from_bytes(&state).unwrap())
            .unwrap_or_default();
        opened
            .replay(&mut |batch| seen.extend(batch.iter().map(|(_, record)| record.clone())))
            .unwrap();
        Arc::new(Self {
            seen: Mutex::new(seen),
            failures: Mutex::default(),
        })
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.seen.lock().clone()
    }
}

impl Observer for Witness {
    fn committed(&self, batch: &[Located]) {
        let records = batch.iter().map(|(_, record)| record.clone());
        self.seen.lock().extend(records);
    }

    fn checkpoint(&self) -> Vec<u8> {
        postcard::to_allocvec(&*self.seen.lock()).unwrap()
    }

    fn failed(&self, error: &StoreError, resume: &dyn Fn()) {
        self.failures.lock().push(error.clone());
        resume();
    }
}
