//! A run: sorted index entries packed into rows of a few KiB, and looking them up there.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable as _, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::domain::names::TopicName;
use crate::store::fault::Fault;
use crate::store::indexes::buffer::{Buffer, Life};
use crate::store::indexes::{Digest, Spot};
use crate::store::journal::Position;
use crate::store::segment::{LIVES, NAMES, RUNS};

/// A row is cut once it has this many bytes; with its overhead it fills two pages.
const ROW: usize = 8 * 1024 - 96;
/// Bytes of one packed id or key.
const NAME: usize = 16;

/// One run of a segment.
#[derive(Debug, Clone)]
pub(in crate::store) struct Run {
    pub number: u32,
    /// It and the runs before it cover the log up to this commit.
    pub until: u64,
    pub digest: Digest,
    /// Topics deleted in this stretch: sequence and offset of the record.
    pub deleted: Vec<(TopicName, Position)>,
}

/// The row of a run in the table of runs.
#[derive(Serialize, Deserialize)]
struct Header {
    until: u64,
    digest: Digest,
    deleted: Vec<(TopicName, u64, u32)>,
}

/// A run ready to be written.
#[derive(Debug, Default)]
pub(in crate::store) struct Packed {
    lives: Vec<((u64, u64), Vec<u8>)>,
    names: Vec<(u64, Vec<u8>)>,
    pub(super) digest: Digest,
    pub(super) until: u64,
    pub(super) deleted: Vec<(TopicName, Position)>,
}

impl Packed {
    pub(in crate::store) fn of(buffer: &Buffer) -> Self {
        let mut packed = Self {
            digest: buffer.digest().clone(),
            until: buffer.until(),
            deleted: buffer.deleted().to_vec(),
            ..Self::default()
        };
        let mut lives = LifePacker::default();
        for life in buffer.lives() {
            packed.lives.extend(lives.push(life));
        }
        packed.lives.extend(lives.finish());
        let mut names = NamePacker::default();
        for name in buffer.sorted_names() {
            packed.names.extend(names.push(name));
        }
        packed.names.extend(names.finish());
        packed
    }

    /// Writes the run under `number`.
    pub(in crate::store) fn write(
        &self,
        transaction: &WriteTransaction,
        number: u32,
    ) -> Result<Run, Fault> {
        let mut lives = transaction.open_table(LIVES)?;
        for ((subject, first), row) in &self.lives {
            lives.insert((number, *subject, *first), row.as_slice())?;
        }
        let mut names = transaction.open_table(NAMES)?;
        for (hash, row) in &self.names {
            names.insert((number, *hash), row.as_slice())?;
        }
        let run = Run {
            number,
            until: self.until,
            digest: self.digest.clone(),
            deleted: self.deleted.clone(),
        };
        run.put(transaction)?;
        Ok(run)
    }
}

impl Run {
    pub(super) fn put(&self, transaction: &WriteTransaction) -> Result<(), Fault> {
        let deleted = self.deleted.iter();
        let header = Header {
            until: self.until,
            digest: self.digest.clone(),
            deleted: deleted
                .map(|(topic, at)| (topic.clone(), at.sequence, at.offset))
                .collect(),
        };
        let row = postcard::to_allocvec(&header).map_err(|error| broken(&error))?;
        let mut runs = transaction.open_table(RUNS)?;
        runs.insert(self.number, row.as_slice())?;
        Ok(())
    }
}

fn broken(error: &postcard::Error) -> Fault {
    Fault::Broken(format!("an index cannot be read: {error}"))
}

/// The runs of a segment, oldest first.
pub(super) fn load(transaction: &ReadTransaction) -> Result<Vec<Run>, Fault> {
    let table = transaction.open_table(RUNS)?;
    let mut runs = Vec::new();
    for row in table.iter()? {
        let (number, bytes) = row?;
        let header: Header = postcard::from_bytes(bytes.value()).map_err(|error| broken(&error))?;
        let deleted = header.deleted.into_iter();
        runs.push(Run {
            number: number.value(),
            until: header.until,
            digest: header.digest,
            deleted: deleted
                .map(|(topic, sequence, offset)| (topic, Position { sequence, offset }))
                .collect(),
        });
    }
    Ok(runs)
}

/// Packs sorted lives. An entry is a tag (number delta, new subject?, holds a message?), then where it lies, relative to
/// the entry before. All entries about one message are in one row.
#[derive(Default)]
pub(super) struct LifePacker {
    start: (u64, u64),
    last: Option<Life>,
    row: Vec<u8>,
}

impl LifePacker {
    /// Adds the next life; gives back a row when one is full.
    pub(super) fn push(&mut self, life: Life) -> Option<((u64, u64), Vec<u8>)> {
        let same = self
            .last
            .is_some_and(|last| (last.subject, last.number) == (life.subject, life.number));
        let full = (self.row.len() >= ROW && !same)
            .then(|| self.finish())
            .flatten();
        let before = self.last.filter(|last| last.subject == life.subject);
        if let Some(before) = before {
            let delta = u128::from(life.number - before.number);
            put(&mut self.row, delta << 2 | u128::from(life.holds));
        } else {
            put(&mut self.row, 2 | u128::from(life.holds));
            self.row.extend_from_slice(&life.subject.to_le_bytes());
            put(&mut self.row, u128::from(life.number));
        }
        let base = self.last.map_or(0, |last| last.spot.commit);
        put(&mut self.row, u128::from(zigzag(life.spot.commit, base)));
        put(&mut self.row, u128::from(life.spot.offset));
        if self.last.is_none() {
            self.start = (life.subject, life.number);
        }
        self.last = Some(life);
        full
    }

    pub(super) fn finish(&mut self) -> Option<((u64, u64), Vec<u8>)> {
        self.last.take()?;
        Some((self.start, std::mem::take(&mut self.row)))
    }
}

/// Reads what [`LifePacker`] wrote; ends early on bytes that make no sense.
pub(super) fn lives(row: &[u8]) -> impl Iterator<Item = Life> {
    let mut rest = row;
    let mut last: Option<Life> = None;
    std::iter::from_fn(move || {
        let tag = take(&mut rest)?;
        let (subject, number) = if tag & 2 == 0 {
            let before = last?;
            (
                before.subject,
                before.number.checked_add((tag >> 2) as u64)?,
            )
        } else {
            let (subject, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            (u64::from_le_bytes(*subject), take(&mut rest)? as u64)
        };
        let base = last.map_or(0, |last| last.spot.commit);
        let commit = unzigzag(take(&mut rest)? as u64, base);
        let offset = take(&mut rest)? as u32;
        let life = Life {
            subject,
            number,
            spot: Spot { commit, offset },
            holds: tag & 1 == 1,
        };
        last = Some(life);
        Some(life)
    })
}

fn zigzag(value: u32, base: u32) -> u64 {
    let delta = i64::from(value) - i64::from(base);
    (delta << 1 ^ delta >> 63) as u64
}

fn unzigzag(coded: u64, base: u32) -> u32 {
    let delta = (coded >> 1) as i64 ^ -((coded & 1) as i64);
    i64::from(base).wrapping_add(delta) as u32
}

/// A number, seven bits a byte, low bits first.
fn put(row: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        row.push(number as u8 | 0x80);
        number >>= 7;
    }
    row.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u128> {
    let mut number = 0;
    for (at, byte) in rest.iter().enumerate().take(18) {
        number |= u128::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 1..];
            return Some(number);
        }
    }
    None
}

/// Packs sorted ids and keys, sixteen bytes each, so that a row is searched without reading it through.
#[derive(Default)]
pub(super) struct NamePacker {
    start: u64,
    last: u64,
    row: Vec<u8>,
}

impl NamePacker {
    /// Adds the next name; gives back a row when one is full. Equal hashes are in one row.
    pub(super) fn push(&mut self, (hash, spot): (u64, Spot)) -> Option<(u64, Vec<u8>)> {
        let full = (self.row.len() >= ROW && self.last != hash)
            .then(|| self.finish())
            .flatten();
        if self.row.is_empty() {
            self.start = hash;
        }
        self.last = hash;
        self.row.extend_from_slice(&hash.to_le_bytes());
        self.row.extend_from_slice(&spot.commit.to_le_bytes());
        self.row.extend_from_slice(&spot.offset.to_le_bytes());
        full
    }

    pub(super) fn finish(&mut self) -> Option<(u64, Vec<u8>)> {
        (!self.row.is_empty()).then(|| (self.start, std::mem::take(&mut self.row)))
    }
}

/// Reads what [`NamePacker`] wrote.
pub(super) fn names(row: &[u8]) -> &[[u8; NAME]] {
    row.as_chunks().0
}

pub(super) fn name(packed: &[u8; NAME]) -> (u64, Spot) {
    let whole = u128::from_le_bytes(*packed);
    let spot = Spot {
        commit: (whole >> 64) as u32,
        offset: (whole >> 96) as u32,
    };
    (whole as u64, spot)
}

/// The runs of one segment inside one transaction.
pub(super) struct RunReader {
    lives: ReadOnlyTable<(u32, u64, u64), &'static [u8]>,
    names: ReadOnlyTable<(u32, u64), &'static [u8]>,
    runs: Arc<Vec<Arc<Run>>>,
}

impl RunReader {
    pub(super) fn new(
        transaction: &ReadTransaction,
        runs: Arc<Vec<Arc<Run>>>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            lives: transaction.open_table(LIVES)?,
            names: transaction.open_table(NAMES)?,
            runs,
        })
    }

    /// Adds where messages of `subject` lie that are not found yet; newer runs win.
    pub(super) fn held(
        &self,
        subject: u64,
        from: u64,
        end: u64,
        found: &mut BTreeMap<u64, Spot>,
    ) -> Result<(), Fault> {
        let holding = |run: &&Arc<Run>| run.digest.may_hold(subject, from, end);
        for run in self.runs.iter().rev().filter(holding) {
            // In a run, a number that came again lies behind its former life.
            let mut newest = BTreeMap::new();
            self.scan(run.number, (subject, from), (subject, end), |life| {
                if life.holds {
                    newest.insert(life.number, life.spot);
                }
            })?;
            for (number, spot) in newest {
                found.entry(number).or_insert(spot);
            }
            if found.len() as u64 == end - from {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn told(
        &self,
        subject: u64,
        number: u64,
        found: &mut Vec<Spot>,
    ) -> Result<(), Fault> {
        let end = (subject, number.saturating_add(1));
        for run in self.runs.iter() {
            self.scan(run.number, (subject, number), end, |life| {
                found.push(life.spot);
            })?;
        }
        Ok(())
    }

    /// Visits the lives of one run from `from` to before `end`.
    fn scan(
        &self,
        run: u32,
        from: (u64, u64),
        end: (u64, u64),
        mut visit: impl FnMut(Life),
    ) -> Result<(), Fault> {
        let lowest = (run, 0, 0);
        let mut before = self.lives.range(lowest..=(run, from.0, from.1))?;
        let start = match before.next_back() {
            Some(row) => row?.0.value(),
            None => (run, from.0, from.1),
        };
        for row in self.lives.range(start..(run, end.0, end.1))? {
            let (_, bytes) = row?;
            lives(bytes.value())
                .skip_while(|life| (life.subject, life.number) < from)
                .take_while(|life| (life.subject, life.number) < end)
                .for_each(&mut visit);
        }
        Ok(())
    }

    pub(super) fn named(&self, hash: u64, found: &mut Vec<Spot>) -> Result<(), Fault> {
        for run in self.runs.iter() {
            let mut rows = self.names.range((run.number, 0)..=(run.number, hash))?;
            let Some(row) = rows.next_back() else {
                continue;
            };
            let (_, bytes) = row?;
            let entries = names(bytes.value());
            let start = entries.partition_point(|entry| name(entry).0 < hash);
            let equal = entries.iter().skip(start).map(name);
            found.extend(
                equal
                    .take_while(|(entry, _)| *entry == hash)
                    .map(|(_, spot)| spot),
            );
        }
        Ok(())
    }
}
