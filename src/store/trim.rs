//! Letting sealed segments go: one that holds nothing live is dropped; where little is left, that is carried forward first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::record::{Record, Subject};
use crate::store::codec::{self, Frame};
use crate::store::error::StoreError;
use crate::store::frame;
use crate::store::indexes::{Digest, PARKED, queue_subject};
use crate::store::intake::Intake;
use crate::store::journal::{Live, Position};
use crate::store::log::Log;
use crate::store::segment::LogReader;
use crate::store::shelf::Volume;
use crate::store::writer::Work;

/// Live share, in percent, up to which a segment's leftovers are carried forward.
const CARRY_PERCENT: u64 = 25;
/// Bytes carried forward in one commit.
const BATCH: usize = 256 * 1024;

/// Goes through the sealed segments, oldest first.
pub(super) fn trim(
    log: &Log,
    intake: &Intake<Work>,
    live: &Live,
    stopping: &AtomicBool,
) -> Result<(), StoreError> {
    let volumes = log.shelf.all();
    let minimums = Minimums::new(live);
    let mut oldest = true;
    // The newest is the active one.
    for (volume, newer) in volumes.iter().zip(volumes.iter().skip(1)) {
        if newer.segment.first > live.as_of.saturating_add(1) {
            return Ok(());
        }
        if stopping.load(Ordering::Relaxed) {
            return Ok(());
        }
        let share = minimums.live_percent(&volume.digest());
        if share > CARRY_PERCENT {
            oldest = false;
            continue;
        }
        // What a segment tells about live messages of an older one that stays is carried forward too.
        if share > 0 || !oldest {
            Carrier {
                log,
                intake,
                live,
                stopping,
            }
            .carry(volume)?;
        }
        log.shelf.discard(volume.segment.first)?;
    }
    Ok(())
}

/// Minimum offsets by subject.
struct Minimums<'a> {
    queues: HashMap<u64, u64>,
    live: &'a Live,
}

impl<'a> Minimums<'a> {
    fn new(live: &'a Live) -> Self {
        let mut queues = HashMap::new();
        for (topic, minimums) in &live.minimums {
            for (queue, minimum) in (0..).zip(minimums) {
                queues.insert(queue_subject(topic, queue), *minimum);
            }
        }
        Self { queues, live }
    }

    /// How much of what a segment holds is live, rounded up: zero means nothing.
    fn live_percent(&self, digest: &Digest) -> u64 {
        let total: u64 = digest.held.values().map(|numbers| numbers.count).sum();
        let mut alive = 0;
        for (subject, numbers) in &digest.held {
            let span = numbers.first..=numbers.last;
            alive += if *subject == PARKED {
                let parked = self.live.parked.iter();
                parked.filter(|number| span.contains(number)).count() as u64
            } else {
                let minimum = self.queues.get(subject).copied().unwrap_or(u64::MAX);
                let left = (numbers.last + 1).saturating_sub(minimum.max(numbers.first));
                // Offsets are nearly dense, so the span tells the share.
                let length = numbers.last - numbers.first + 1;
                (u128::from(left) * u128::from(numbers.count)).div_ceil(u128::from(length)) as u64
            };
        }
        (alive * 100).div_ceil(total.max(1))
    }
}

struct Carrier<'a> {
    log: &'a Log,
    intake: &'a Intake<Work>,
    live: &'a Live,
    stopping: &'a AtomicBool,
}

/// Copies on their way.
#[derive(Default)]
struct Load {
    bytes: Vec<u8>,
    records: Vec<(Record, u32)>,
}

impl Carrier<'_> {
    /// Appends copies of everything live in `volume` to the log.
    fn carry(&self, volume: &Volume) -> Result<(), StoreError> {
        self.log.shelf.indexes(volume)?;
        let mut next = volume.segment.first;
        loop {
            let (load, reached) = self.load(volume, next)?;
            if !load.records.is_empty() {
                let weight = load.bytes.len();
                let work = Work::copies(load.bytes, load.records);
                self.intake.append(work, weight).wait()?;
            }
            match reached {
                Some(sequence) => next = sequence + 1,
                None => return Ok(()),
            }
            if self.stopping.load(Ordering::Relaxed) {
                return Err(StoreError::Closed);
            }
        }
    }

    /// Collects one batch from commit `next` on; the second value is the last commit looked at, `None` at the end.
    fn load(&self, volume: &Volume, next: u64) -> Result<(Load, Option<u64>), StoreError> {
        let mut load = Load::default();
        let mut reached = None;
        self.log.shelf.indexes(volume)?;
        volume.segment.view(|transaction| {
            let reader = LogReader::new(transaction)?;
            reader.commits(next..=u64::MAX, |sequence, commit| {
                for frame in codec::frames(sequence, commit) {
                    let (at, frame) = frame?;
                    let record = frame.record()?;
                    if self.is_live(volume, at, &frame, &record) {
                        load.add(at, &frame, record)?;
                    }
                }
                reached = Some(sequence);
                Ok(load.bytes.len() < BATCH)
            })
        })?;
        let reached = reached.filter(|_| load.bytes.len() >= BATCH);
        Ok((load, reached))
    }

    fn is_live(&self, volume: &Volume, at: Position, frame: &Frame<'_>, record: &Record) -> bool {
        match record {
            Record::Stored { message, .. } => {
                let subject = queue_subject(&message.topic, message.queue);
                self.live
                    .holds(&message.topic, message.queue, message.offset)
                    && self.log.shelf.counts(&message.topic, at)
                    && !self.is_newer(volume, subject, message.offset)
            }
            Record::Parked { number, .. } => {
                self.live.parked.contains(number) && !self.is_newer(volume, PARKED, *number)
            }
            _ => self.is_told_about_live(frame.origin.unwrap_or(at).min(at), record),
        }
    }

    fn is_told_about_live(&self, at: Position, record: &Record) -> bool {
        let mut found = false;
        record.subjects(|subject| {
            found |= match subject {
                Subject::Place {
                    topic,
                    queue,
                    offset,
                } => self.live.holds(topic, queue, offset) && self.log.shelf.counts(topic, at),
                Subject::Parked(number) => self.live.parked.contains(&number),
                Subject::Id(_) => false,
            }
        });
        found
    }

    /// True when a newer segment holds the message already: an earlier attempt to carry it got that far.
    fn is_newer(&self, volume: &Volume, subject: u64, number: u64) -> bool {
        let newer = self.log.shelf.all().into_iter();
        newer
            .filter(|other| other.segment.first > volume.segment.first)
            .filter(|other| other.may_hold(subject, number))
            .any(|other| {
                let indexes = self.log.shelf.indexes(&other);
                let held =
                    indexes.and_then(|indexes| indexes.held(&other.segment, subject, number, 1));
                held.is_ok_and(|held| !held.is_empty())
            })
    }
}

impl Load {
    fn add(&mut self, at: Position, frame: &Frame<'_>, record: Record) -> Result<(), frame::Fault> {
        let start = self.bytes.len();
        codec::copy(frame, at, &mut self.bytes)?;
        self.records
            .push((record, (self.bytes.len() - start) as u32));
        Ok(())
    }
}
