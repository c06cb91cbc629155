//! How records are found again: what was told about each message, and where an id or a key occurs.
//!
//! Entries gather in a [`buffer::Buffer`] in memory and are written as sorted packed runs, so that no message costs a row
//! of its own. After a crash the part that was not written yet is gathered again from the log.

pub(super) mod buffer;
pub(super) mod merge;
pub(super) mod run;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;
use redb::ReadTransaction;
use serde::{Deserialize, Serialize};

use crate::domain::ids::MessageId;
use crate::domain::names::TopicName;
use crate::domain::record::Subject;
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;
use crate::store::fault::Fault;
use crate::store::indexes::buffer::Buffer;
use crate::store::indexes::run::{Packed, Run, RunReader};
use crate::store::journal::Position;
use crate::store::segment::Segment;

/// Where a record lies inside a segment: commits counted from the segment's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub commit: u32,
    pub offset: u32,
}

impl Spot {
    pub(super) fn new(position: Position, first: u64) -> Self {
        Self {
            commit: (position.sequence - first) as u32,
            offset: position.offset,
        }
    }

    pub(super) fn position(self, first: u64) -> Position {
        Position {
            sequence: first + u64::from(self.commit),
            offset: self.offset,
        }
    }
}

/// The subject of everything parked; its numbers are those of the parked messages.
pub(super) const PARKED: u64 = 0;

/// A queue as a subject; its numbers are offsets. Whoever looks up compares the record found, as hashes may collide.
pub(super) fn queue_subject(topic: &TopicName, queue: u32) -> u64 {
    // Zero is taken.
    hash(&[b"q", topic.as_str().as_bytes(), &queue.to_le_bytes()]).max(1)
}

/// Subject and number of what a record tells about; `None` for what is found by its id alone.
pub(super) fn told_about(subject: Subject<'_>) -> Option<(u64, u64)> {
    match subject {
        Subject::Place {
            topic,
            queue,
            offset,
        } => Some((queue_subject(topic, queue), offset)),
        Subject::Parked(number) => Some((PARKED, number)),
        Subject::Id(_) => None,
    }
}

pub(super) fn id_hash(id: &MessageId) -> u64 {
    hash(&[b"i", id.as_str().as_bytes()])
}

pub(super) fn key_hash(topic: &TopicName, key: &str) -> u64 {
    hash(&[b"k", topic.as_str().as_bytes(), b"\0", key.as_bytes()])
}

/// FNV-1a, then mixed so that sorted hashes spread evenly. It is part of the format.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// What a stretch of the log holds, in a few numbers: enough to pass it by in most look-ups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Digest {
    /// Messages stored in queues.
    pub messages: u64,
    /// Bytes of frames.
    pub bytes: u64,
    /// Earliest and latest store time.
    pub stored: Option<(Timestamp, Timestamp)>,
    /// Per subject the numbers of the messages held.
    pub held: HashMap<u64, Numbers>,
}

/// First, last and count of the numbers of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers {
    pub first: u64,
    pub last: u64,
    pub count: u64,
}

impl Digest {
    pub(super) fn hold(&mut self, subject: u64, number: u64) {
        self.add(
            subject,
            Numbers {
                first: number,
                last: number,
                count: 1,
            },
        );
    }

    fn add(&mut self, subject: u64, numbers: Numbers) {
        let known = self.held.entry(subject).or_insert(Numbers {
            count: 0,
            ..numbers
        });
        known.first = known.first.min(numbers.first);
        known.last = known.last.max(numbers.last);
        known.count += numbers.count;
    }

    pub(super) fn stored_at(&mut self, at: Timestamp) {
        let (first, last) = self.stored.unwrap_or((at, at));
        self.stored = Some((first.min(at), last.max(at)));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        for at in other.stored.iter().flat_map(|(first, last)| [first, last]) {
            self.stored_at(*at);
        }
        for (subject, numbers) in &other.held {
            self.add(*subject, *numbers);
        }
    }

    /// True when a message of `subject` with a number from `from` to before `end` may be here.
    pub(super) fn may_hold(&self, subject: u64, from: u64, end: u64) -> bool {
        self.held
            .get(&subject)
            .is_some_and(|numbers| numbers.first < end && numbers.last >= from)
    }
}

/// The indexes of one segment.
pub(super) struct Indexes {
    /// Sequence of the segment's first commit.
    first: u64,
    state: RwLock<State>,
}

struct State {
    runs: Arc<Vec<Arc<Run>>>,
    /// Being packed into a run, or packed and not yet written.
    packing: Option<Arc<Buffer>>,
    /// The run made of `packing`.
    packed: Option<Arc<Packed>>,
    buffer: Buffer,
}

/// What one look-up works on: memory at one moment, and the runs with the transaction of that moment.
struct View<T> {
    memory: T,
    runs: RunReader,
}

impl Indexes {
    pub(super) fn new(first: u64, runs: Vec<Run>) -> Self {
        Self {
            first,
            state: RwLock::new(State {
                runs: Arc::new(runs.into_iter().map(Arc::new).collect()),
                packing: None,
                packed: None,
                buffer: Buffer::new(first),
            }),
        }
    }

    /// Adds entries to the memory.
    pub(super) fn gather(&self, add: impl FnOnce(&mut Buffer)) {
        add(&mut self.state.write().buffer);
    }

    /// Entries that are not in a run yet and not on their way into one.
    pub(super) fn gathered(&self) -> usize {
        self.state.read().buffer.entries()
    }

    /// Sets the gathered entries aside for packing; `None` while others are, or when there is nothing.
    pub(super) fn set_aside(&self) -> Option<Arc<Buffer>> {
        let mut state = self.state.write();
        if state.packing.is_some() || state.buffer.is_empty() {
            return None;
        }
        let full = std::mem::replace(&mut state.buffer, Buffer::new(self.first));
        let full = Arc::new(full);
        state.packing = Some(full.clone());
        Some(full)
    }

    /// The entries set aside are packed; they go out with the next commit.
    pub(super) fn pack_done(&self, packed: Packed) {
        let mut state = self.state.write();
        if state.packing.is_some() && state.packed.is_none() {
            state.packed = Some(Arc::new(packed));
        }
    }

    /// The run that goes out with the next commit, if one is packed.
    pub(super) fn packed(&self) -> Option<Arc<Packed>> {
        self.state.read().packed.clone()
    }

    /// Everything in memory as runs, packed here and now: for a segment that is sealed or closed.
    pub(super) fn pack_all(&self) -> Vec<Arc<Packed>> {
        let state = self.state.read();
        let mut packed = Vec::new();
        match (&state.packed, &state.packing) {
            (Some(done), _) => packed.push(done.clone()),
            (None, Some(buffer)) => packed.push(Arc::new(Packed::of(buffer))),
            (None, None) => {}
        }
        if !state.buffer.is_empty() {
            packed.push(Arc::new(Packed::of(&state.buffer)));
        }
        packed
    }

    /// What was packed is durable in `runs`: one of [`Self::packed`], or all of [`Self::pack_all`].
    pub(super) fn written(&self, new: Vec<Run>) {
        let mut state = self.state.write();
        let Some(until) = new.last().map(|run| run.until) else {
            return;
        };
        let mut runs = state.runs.as_ref().clone();
        runs.extend(new.into_iter().map(Arc::new));
        state.runs = Arc::new(runs);
        state.packing = None;
        state.packed = None;
        if state.buffer.until() <= until {
            state.buffer = Buffer::new(self.first);
        }
    }

    /// All runs are in `run` now.
    pub(super) fn merged(&self, run: Run) {
        self.state.write().runs = Arc::new(vec![Arc::new(run)]);
    }

    pub(super) fn runs(&self) -> Arc<Vec<Arc<Run>>> {
        self.state.read().runs.clone()
    }

    /// The number of the next run.
    pub(super) fn next_run(&self) -> u32 {
        let runs = self.runs();
        runs.iter().map(|run| run.number + 1).max().unwrap_or(0)
    }

    /// The whole segment in a few numbers.
    pub(super) fn digest(&self) -> Digest {
        let state = self.state.read();
        let mut digest = state.buffer.digest().clone();
        if let Some(packing) = &state.packing {
            digest.merge(packing.digest());
        }
        for run in state.runs.iter() {
            digest.merge(&run.digest);
        }
        digest
    }

    /// Where messages of `subject` lie, number by number from `from` until one is missing or `most` are found.
    pub(super) fn held(
        &self,
        segment: &Segment,
        subject: u64,
        from: u64,
        most: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let end = from.saturating_add(most as u64);
        let mut found = BTreeMap::new();
        let view = self.view(segment, |buffer, found: &mut BTreeMap<u64, Spot>| {
            for (number, spot) in buffer.held(subject, from, end) {
                found.entry(number).or_insert(spot);
            }
        })?;
        found.extend(view.memory);
        if (found.len() as u64) < end - from {
            segment.fenced(|| view.runs.held(subject, from, end, &mut found))?;
        }
        let consecutive = (from..end).zip(found);
        Ok(consecutive
            .take_while(|(expected, (number, _))| expected == number)
            .map(|(_, (_, spot))| spot.position(self.first))
            .collect())
    }

    /// Every record that tells about one number of a subject, in order.
    pub(super) fn told(
        &self,
        segment: &Segment,
        subject: u64,
        number: u64,
    ) -> Result<Vec<Position>, StoreError> {
        let view = self.view(segment, |buffer, found: &mut Vec<Spot>| {
            found.extend(buffer.told(subject, number));
        })?;
        let mut found = view.memory;
        segment.fenced(|| view.runs.told(subject, number, &mut found))?;
        Ok(self.in_order(found))
    }

    /// Where a hash of an id or a key occurs, in order.
    pub(super) fn named(&self, segment: &Segment, hash: u64) -> Result<Vec<Position>, StoreError> {
        let view = self.view(segment, |buffer, found: &mut Vec<Spot>| {
            found.extend(buffer.named(hash));
        })?;
        let mut found = view.memory;
        segment.fenced(|| view.runs.named(hash, &mut found))?;
        Ok(self.in_order(found))
    }

    fn in_order(&self, mut spots: Vec<Spot>) -> Vec<Position> {
        spots.sort_unstable();
        spots.dedup();
        let first = self.first;
        spots.into_iter().map(|spot| spot.position(first)).collect()
    }

    /// Looks into the buffers, newest first, and takes runs and transaction at the same moment: an entry on its way from
    /// memory to a run is seen in at least one of them.
    fn view<T: Default>(
        &self,
        segment: &Segment,
        mut look: impl FnMut(&Buffer, &mut T),
    ) -> Result<View<T>, StoreError> {
        let state = self.state.read();
        let mut memory = T::default();
        look(&state.buffer, &mut memory);
        if let Some(packing) = &state.packing {
            look(packing, &mut memory);
        }
        let transaction = segment.begin_read()?;
        let runs = state.runs.clone();
        drop(state);
        Ok(View {
            memory,
            runs: segment.fenced(|| RunReader::new(&transaction, runs))?,
        })
    }
}

/// Loads what the runs of a segment cover.
pub(super) fn load(transaction: &ReadTransaction) -> Result<Vec<Run>, Fault> {
    run::load(transaction)
}
