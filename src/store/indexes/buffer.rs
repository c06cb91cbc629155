//! Index entries in memory, in the order of the log.

use std::collections::HashMap;

use crate::domain::names::TopicName;
use crate::domain::record::Record;
use crate::store::indexes::{self, Digest, PARKED, Spot, id_hash, key_hash, queue_subject};
use crate::store::journal::Position;

/// The entries of one stretch of the log.
#[derive(Debug)]
pub(in crate::store) struct Buffer {
    /// Sequence of the segment's first commit.
    first: u64,
    /// Per subject the messages it holds, by rising number.
    held: HashMap<u64, Vec<(u64, Spot)>>,
    /// Everything else told: subject, number, where.
    told: Vec<(u64, u64, Spot)>,
    /// Ids and keys.
    names: Vec<(u64, Spot)>,
    /// Topics that were deleted, and where the log says so.
    deleted: Vec<(TopicName, Position)>,
    digest: Digest,
    entries: usize,
    /// The last commit gathered; zero when none is.
    until: u64,
}

impl Buffer {
    pub(in crate::store) fn new(first: u64) -> Self {
        Self {
            first,
            held: HashMap::new(),
            told: Vec::new(),
            names: Vec::new(),
            deleted: Vec::new(),
            digest: Digest::default(),
            entries: 0,
            until: 0,
        }
    }

    pub(in crate::store) fn entries(&self) -> usize {
        self.entries
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.until == 0
    }

    pub(in crate::store) fn until(&self) -> u64 {
        self.until
    }

    pub(in crate::store) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(in crate::store) fn deleted(&self) -> &[(TopicName, Position)] {
        &self.deleted
    }

    /// Adds the record whose frame of `bytes` bytes lies at `position`.
    pub(in crate::store) fn add(&mut self, position: Position, record: &Record, bytes: usize) {
        let spot = Spot::new(position, self.first);
        self.until = self.until.max(position.sequence);
        self.digest.bytes += bytes as u64;
        match record {
            Record::Stored { message, parked } => {
                self.hold(
                    queue_subject(&message.topic, message.queue),
                    message.offset,
                    spot,
                );
                if let Some(number) = parked {
                    self.tell(PARKED, *number, spot);
                }
                self.name(id_hash(&message.id), spot);
                for key in &message.keys {
                    self.name(key_hash(&message.topic, key), spot);
                }
                self.digest.messages += 1;
                self.digest.stored_at(message.stored_at);
            }
            Record::Parked {
                number, message, ..
            } => {
                self.hold(PARKED, *number, spot);
                self.name(id_hash(&message.id), spot);
            }
            Record::Refused { id, .. } => self.name(id_hash(id), spot),
            Record::TopicDeleted { topic, .. } => self.deleted.push((topic.clone(), position)),
            _ => record.subjects(|subject| {
                if let Some((subject, number)) = indexes::told_about(subject) {
                    self.tell(subject, number, spot);
                }
            }),
        }
    }

    fn hold(&mut self, subject: u64, number: u64, spot: Spot) {
        self.entries += 1;
        self.digest.hold(subject, number);
        let held = self.held.entry(subject).or_default();
        if held.last().is_none_or(|(last, _)| *last < number) {
            held.push((number, spot));
            return;
        }
        // Offsets of a queue rise, save for copies of old messages and for a topic that was deleted and made again.
        match held.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => held[at] = (number, spot),
            Err(at) => held.insert(at, (number, spot)),
        }
    }

    fn tell(&mut self, subject: u64, number: u64, spot: Spot) {
        self.entries += 1;
        self.told.push((subject, number, spot));
    }

    fn name(&mut self, hash: u64, spot: Spot) {
        self.entries += 1;
        self.names.push((hash, spot));
    }

    pub(in crate::store) fn held(
        &self,
        subject: u64,
        from: u64,
        end: u64,
    ) -> impl Iterator<Item = (u64, Spot)> {
        let held = self.held.get(&subject).map_or(&[][..], Vec::as_slice);
        let start = held.partition_point(|(number, _)| *number < from);
        held.iter()
            .skip(start)
            .take_while(move |(number, _)| *number < end)
            .copied()
    }

    pub(in crate::store) fn told(&self, subject: u64, number: u64) -> impl Iterator<Item = Spot> {
        let told = self.told.iter();
        let told = told.filter(move |(about, which, _)| (*about, *which) == (subject, number));
        let held = self.held(subject, number, number.saturating_add(1));
        told.map(|(_, _, spot)| *spot)
            .chain(held.map(|(_, spot)| spot))
    }

    pub(in crate::store) fn named(&self, hash: u64) -> impl Iterator<Item = Spot> {
        let names = self.names.iter();
        names
            .filter(move |(name, _)| *name == hash)
            .map(|(_, spot)| *spot)
    }

    /// All that is told, sorted by subject, number and place, with a mark on what holds a message.
    pub(super) fn lives(&self) -> Vec<Life> {
        let told = self.told.iter().map(|(subject, number, spot)| Life {
            subject: *subject,
            number: *number,
            spot: *spot,
            holds: false,
        });
        let held = self.held.iter().flat_map(|(subject, held)| {
            held.iter().map(|(number, spot)| Life {
                subject: *subject,
                number: *number,
                spot: *spot,
                holds: true,
            })
        });
        let mut lives: Vec<Life> = told.chain(held).collect();
        lives.sort_unstable();
        lives
    }

    /// Ids and keys, sorted.
    pub(super) fn sorted_names(&self) -> Vec<(u64, Spot)> {
        let mut names = self.names.clone();
        names.sort_unstable();
        names
    }
}

/// One entry about one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Life {
    pub subject: u64,
    pub number: u64,
    pub spot: Spot,
    /// The record holds the message itself.
    pub holds: bool,
}
