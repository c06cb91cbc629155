//! The one thread that commits: everything queued since the last commit becomes one row and one fsync.

mod failure;

use std::sync::Arc;

use crate::domain::record::Record;
use crate::store::checkpoint::{self, Catalogue};
use crate::store::codec;
use crate::store::error::StoreError;
use crate::store::fault::Fault;
use crate::store::frame;
use crate::store::indexes::run::{Packed, Run};
use crate::store::indexes::{Indexes, merge};
use crate::store::intake::{Intake, Job, Taken};
use crate::store::journal::{Observer, Position};
use crate::store::keeper::{Keeper, Task};
use crate::store::log::Log;
use crate::store::open::Options;
use crate::store::segment::{self, Segment};
use crate::store::shelf::Volume;

/// Log bytes after which a quiet moment is used for a checkpoint; less is replayed in no time.
const WORTH_A_CHECKPOINT: u64 = 1024 * 1024;
/// Log bytes after which the file may have grown, so that it is looked at for holes.
const FILL_AFTER: u64 = 1024 * 1024;

/// Runs of the active segment that are merged when the journal closes.
const MANY_RUNS: usize = 32;

/// One caller's records, encoded on the caller's thread.
pub(super) struct Work {
    /// The frames, one after the other.
    bytes: Vec<u8>,
    /// Each record with the length of its frame.
    records: Vec<(Record, u32)>,
    /// Carried forward from an older segment: indexed, but no news to the observer.
    copied: bool,
}

impl Work {
    pub(super) fn new(records: Vec<Record>) -> Result<Self, frame::Fault> {
        let mut bytes = Vec::with_capacity(records.iter().map(size).sum());
        let mut framed = Vec::with_capacity(records.len());
        for record in records {
            let start = bytes.len();
            codec::encode(&record, &mut bytes)?;
            framed.push((record, (bytes.len() - start) as u32));
        }
        Ok(Self {
            bytes,
            records: framed,
            copied: false,
        })
    }

    pub(super) fn copies(bytes: Vec<u8>, records: Vec<(Record, u32)>) -> Self {
        Self {
            bytes,
            records,
            copied: true,
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.bytes.len()
    }
}

/// About as many bytes as a record takes, so that encoding it need not grow its buffer again and again.
fn size(record: &Record) -> usize {
    /// More than a frame without a message takes, save for long lists.
    const SMALL: usize = 192;
    match record {
        Record::Stored { message, .. } | Record::Parked { message, .. } => SMALL + message.weight(),
        _ => SMALL,
    }
}

/// The state of the writer thread.
pub(super) struct Writer {
    pub log: Arc<Log>,
    pub intake: Arc<Intake<Work>>,
    pub observer: Arc<dyn Observer>,
    pub keeper: Keeper,
    pub options: Options,
    pub active: Arc<Volume>,
    pub indexes: Arc<Indexes>,
    /// The last commit.
    pub sequence: u64,
    pub progress: Progress,
}

/// What was done since when.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes in the active segment.
    pub segment: u64,
    /// Bytes since the last checkpoint.
    pub unchecked: u64,
    /// Bytes since the file was last looked at for holes.
    unfilled: u64,
    /// Something was committed since the last quiet moment.
    busy: bool,
    /// The active segment must be opened again before it takes a commit.
    broken: bool,
}

impl Progress {
    /// Goes on in a segment that holds `segment` bytes, of which `unchecked` come after the checkpoint.
    pub(super) fn after(segment: u64, unchecked: u64) -> Self {
        Self {
            segment,
            unchecked,
            busy: unchecked > 0,
            ..Self::default()
        }
    }
}

/// A commit on its way.
struct Batch {
    bytes: Vec<u8>,
    work: Vec<Work>,
}

impl Writer {
    pub(super) fn run(mut self) {
        loop {
            let taken = self.intake.take(
                self.options.commit_bytes,
                self.options.patience,
                self.options.quiet,
            );
            match taken {
                Taken::Jobs(jobs) => self.serve(jobs),
                Taken::Quiet => self.settle(),
                Taken::Closed => break,
            }
        }
        self.finish();
    }

    fn serve(&mut self, jobs: Vec<Job<Work>>) {
        let mut answers = Vec::with_capacity(jobs.len());
        let mut batch = Batch {
            bytes: Vec::with_capacity(jobs.iter().map(|job| job.weight).sum()),
            work: Vec::with_capacity(jobs.len()),
        };
        for job in jobs {
            batch.bytes.extend_from_slice(&job.work.bytes);
            batch.work.push(job.work);
            answers.extend(job.answer);
        }
        match self.commit(batch) {
            Ok(()) => {
                for answer in answers {
                    let _ = answer.send(Ok(()));
                }
            }
            Err(error) => self.fail(&error, answers),
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        if batch.bytes.is_empty() {
            return Ok(());
        }
        self.mend()?;
        if self.progress.segment >= self.options.segment_bytes {
            self.roll()?;
        }
        let sequence = self.sequence + 1;
        let packed: Vec<Arc<Packed>> = self.indexes.packed().into_iter().collect();
        let checkpoint = self.checkpoint_after(self.options.checkpoint_bytes);
        let runs = self.active.segment.commit(false, |transaction| {
            segment::append(transaction, sequence, &batch.bytes)?;
            if let Some(state) = &checkpoint {
                checkpoint::write_checkpoint(transaction, self.sequence, state)?;
            }
            write_runs(transaction, &packed, self.indexes.next_run())
        });
        let runs = runs.inspect_err(|_| self.progress.broken = true)?;
        self.indexes.written(runs);
        self.count(batch.bytes.len() as u64, checkpoint.is_some());
        self.sequence = sequence;
        self.publish(batch.work);
        Ok(())
    }

    fn count(&mut self, bytes: u64, checkpoint: bool) {
        let progress = &mut self.progress;
        if checkpoint {
            progress.unchecked = 0;
        }
        progress.busy = true;
        progress.segment += bytes;
        progress.unchecked += bytes;
        progress.unfilled += bytes;
        if progress.unfilled >= FILL_AFTER {
            progress.unfilled = 0;
            self.keeper.ask(Task::Fill(self.active.clone()));
        }
    }

    /// The observer's state, when at least `bytes` were written since the last checkpoint.
    fn checkpoint_after(&self, bytes: u64) -> Option<Vec<u8>> {
        (self.progress.unchecked >= bytes).then(|| self.observer.checkpoint())
    }

    /// Makes a durable commit visible: indexes and recent messages first, then the observer.
    fn publish(&mut self, work: Vec<Work>) {
        let mut offset = 0;
        let mut news = Vec::new();
        self.indexes.gather(|buffer| {
            for work in work {
                for (record, length) in work.records {
                    let at = Position {
                        sequence: self.sequence,
                        offset,
                    };
                    offset += length;
                    buffer.add(at, &record, length as usize);
                    if !work.copied {
                        news.push((at, record));
                    }
                }
            }
        });
        self.log.remember(&news);
        if self.indexes.gathered() >= self.options.run_entries
            && let Some(buffer) = self.indexes.set_aside()
        {
            self.keeper.ask(Task::Pack(self.indexes.clone(), buffer));
        }
        if !news.is_empty() {
            self.observer.committed(&news);
        }
    }

    /// Seals the active segment and begins the next, which opens with a checkpoint of everything so far.
    fn roll(&mut self) -> Result<(), StoreError> {
        self.write_all_runs()?;
        let sealed = self.log.shelf.all();
        let digests = sealed
            .iter()
            .map(|volume| (volume.segment.first, volume.digest().as_ref().clone()));
        let catalogue = Catalogue::new(digests.collect(), self.log.shelf.floors());
        let state = self.observer.checkpoint();
        let first = self.sequence + 1;
        let segment = Segment::create(
            &self.log.shelf.disk,
            first,
            self.log.shelf.share.active(),
            |transaction| {
                checkpoint::write_head(transaction, first, &catalogue)?;
                checkpoint::write_checkpoint(transaction, self.sequence, &state)
            },
        )?;
        self.active.seal();
        self.keeper.ask(Task::Merge(self.active.clone()));
        let indexes = Arc::new(Indexes::new(first, Vec::new()));
        self.indexes = indexes.clone();
        self.active = self.log.shelf.add(Volume::active(segment, indexes));
        self.progress = Progress::default();
        Ok(())
    }

    /// Writes all indexes in memory and a checkpoint.
    fn write_all_runs(&mut self) -> Result<(), StoreError> {
        let packed = self.indexes.pack_all();
        let state = (self.progress.unchecked > 0).then(|| self.observer.checkpoint());
        let runs = self.active.segment.commit(false, |transaction| {
            if let Some(state) = &state {
                checkpoint::write_checkpoint(transaction, self.sequence, state)?;
            }
            write_runs(transaction, &packed, self.indexes.next_run())
        });
        let runs = runs.inspect_err(|_| self.progress.broken = true)?;
        self.indexes.written(runs);
        if state.is_some() {
            self.progress.unchecked = 0;
        }
        Ok(())
    }

    /// Many short sessions leave many small runs.
    fn merge_many(&self) -> Result<(), StoreError> {
        if self.indexes.runs().len() < MANY_RUNS {
            return Ok(());
        }
        merge::merge(&self.active.segment, &self.indexes)
    }

    /// Uses a quiet moment to make the next start fast, whatever ends this process.
    fn settle(&mut self) {
        if !self.progress.busy || self.progress.broken {
            return;
        }
        self.progress.busy = false;
        let packed: Vec<Arc<Packed>> = self.indexes.packed().into_iter().collect();
        let checkpoint = self.checkpoint_after(WORTH_A_CHECKPOINT);
        let runs = self.active.segment.commit(true, |transaction| {
            if let Some(state) = &checkpoint {
                checkpoint::write_checkpoint(transaction, self.sequence, state)?;
            }
            write_runs(transaction, &packed, self.indexes.next_run())
        });
        match runs {
            Ok(runs) => {
                self.indexes.written(runs);
                if checkpoint.is_some() {
                    self.progress.unchecked = 0;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a quiet commit failed; nothing was lost");
                self.progress.broken = true;
            }
        }
    }

    /// Closes the files so that the next start finds everything in place.
    fn finish(mut self) {
        let written = self.mend().and_then(|()| self.write_all_runs());
        let tidied = written.and_then(|()| self.merge_many());
        if let Err(error) = tidied {
            tracing::warn!(%error, "the last checkpoint failed; the next start replays more");
        }
        self.keeper.stop();
        for volume in self.log.shelf.all() {
            volume.segment.shut();
        }
    }
}

/// Writes packed runs under numbers from `number` on.
fn write_runs(
    transaction: &redb::WriteTransaction,
    packed: &[Arc<Packed>],
    number: u32,
) -> Result<Vec<Run>, Fault> {
    let numbered = (number..).zip(packed);
    numbered
        .map(|(number, packed)| packed.write(transaction, number))
        .collect()
}
