//! Opening a journal: find the newest segment, repair it if need be, rebuild what was in memory, replay the rest.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::record::Record;
use crate::store::cache::{CacheBudget, Share};
use crate::store::checkpoint::{self, Catalogue, FORMAT};
use crate::store::codec;
use crate::store::disk::Disk;
use crate::store::disk::file::Directory;
use crate::store::durable::DurableJournal;
use crate::store::error::StoreError;
use crate::store::format;
use crate::store::indexes::{self, Indexes};
use crate::store::intake::Intake;
use crate::store::journal::{Journal, Located, Observer, Recovery};
use crate::store::keeper::Keeper;
use crate::store::log::Log;
use crate::store::recent::Recent;
use crate::store::segment::{self, LogReader, Segment};
use crate::store::shelf::{Shelf, Volume};
use crate::store::writer::{Progress, Writer};

/// How a journal uses memory, disk and time.
#[derive(Debug, Clone)]
pub struct Options {
    /// Log bytes after which a segment is sealed.
    pub segment_bytes: u64,
    /// Log bytes of one commit, exceeded by a single append only.
    pub commit_bytes: usize,
    /// What it shares with the other journals of the process.
    pub cache: CacheBudget,
    /// How long riders wait for somebody else's commit.
    pub patience: Duration,
    /// Idle time after which the files are made ready for a fast start.
    pub quiet: Duration,
    /// Index entries gathered before they are packed into a run.
    pub run_entries: usize,
    /// Log bytes after which a checkpoint is written between those at the heads of segments.
    pub checkpoint_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 256 * 1024 * 1024,
            commit_bytes: 2 * 1024 * 1024,
            cache: CacheBudget::new(128 * 1024 * 1024),
            patience: Duration::from_millis(20),
            quiet: Duration::from_secs(1),
            run_entries: 32 * 1024,
            checkpoint_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Opens the journal in a directory, making it where it is missing.
pub fn open(path: &Path, options: Options) -> Result<Box<dyn Recovery>, StoreError> {
    let directory = Directory::owned(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::ResourceBusy => StoreError::InUse {
            path: path.to_owned(),
        },
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => {
            StoreError::NotWritable {
                path: path.to_owned(),
                source: Arc::new(error),
            }
        }
        _ => StoreError::from_io("create", path, error),
    })?;
    open_on(Arc::new(directory), options)
}

/// Opens the journal on any disk.
pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Box<dyn Recovery>, StoreError> {
    let names = disk
        .list()
        .map_err(|error| StoreError::from_io("list", &disk.path(""), error))?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|n| segment::first_of(n)).collect();
    firsts.sort_unstable();
    let is_segment = |name: &String| segment::first_of(name).is_some();
    format::check(&*disk, FORMAT, names.iter().any(is_segment))?;
    for name in names.iter().filter(|name| segment::is_unfinished(name)) {
        disk.remove(name)
            .map_err(|error| StoreError::from_io("remove", &disk.path(name), error))?;
    }
    let Some(newest) = firsts.pop() else {
        return Ok(Box::new(Opened::fresh(disk, options)?));
    };
    let opened = Opened::existing(disk.clone(), options.clone(), newest, &firsts)?;
    match firsts.last() {
        Some(before) if opened.sequence < newest && opened.is_overtaken(*before)? => {
            // Making this segment failed in its last step, and the one before went on.
            opened.log.shelf.discard(newest)?;
            drop(opened);
            open_on(disk, options)
        }
        _ => Ok(Box::new(opened)),
    }
}

/// A journal that is open and not started.
struct Opened {
    options: Options,
    log: Arc<Log>,
    active: Arc<Volume>,
    indexes: Arc<Indexes>,
    /// The last commit.
    sequence: u64,
    /// The last commit that the checkpoint covers.
    covered: u64,
    checkpoint: Option<Vec<u8>>,
    /// Bytes in the active segment, and after the checkpoint.
    bytes: u64,
    replayed: u64,
}

impl Opened {
    fn fresh(disk: Arc<dyn Disk>, options: Options) -> Result<Self, StoreError> {
        let share = Arc::new(options.cache.join());
        let segment = Segment::create(&disk, 1, share.active(), |transaction| {
            checkpoint::write_head(transaction, 1, &Catalogue::default())
        })?;
        Self::over(disk, options, share, segment, Catalogue::default(), &[])
    }

    fn existing(
        disk: Arc<dyn Disk>,
        options: Options,
        newest: u64,
        older: &[u64],
    ) -> Result<Self, StoreError> {
        let share = Arc::new(options.cache.join());
        let segment = Segment::closed(&disk, newest);
        segment.open_writable(share.active())?;
        let head = segment.view(checkpoint::read_head)?;
        if head.format > FORMAT {
            return Err(StoreError::NewerFormat {
                path: disk.path(&segment::name(newest)),
                found: head.format,
                known: FORMAT,
            });
        }
        let catalogue = segment.view(checkpoint::read_catalogue)?;
        Self::over(disk, options, share, segment, catalogue, older)
    }

    fn over(
        disk: Arc<dyn Disk>,
        options: Options,
        share: Arc<Share>,
        segment: Segment,
        catalogue: Catalogue,
        older: &[u64],
    ) -> Result<Self, StoreError> {
        let shelf = Shelf::new(disk.clone(), share.clone());
        for (topic, at) in catalogue.deleted() {
            shelf.delete_topic(topic, at);
        }
        for (first, digest) in catalogue.sealed {
            if older.contains(&first) {
                shelf.add(Volume::sealed(Segment::closed(&disk, first), digest));
            }
        }
        let runs = segment.view(indexes::load)?;
        let indexes = Arc::new(Indexes::new(segment.first, runs));
        let active = shelf.add(Volume::active(segment, indexes.clone()));
        let stored = active.segment.view(checkpoint::read_checkpoint)?;
        let (covered, checkpoint) = match stored {
            Some((covered, state)) => (covered, Some(state)),
            None => (active.segment.first - 1, None),
        };
        let log = Arc::new(Log {
            shelf,
            recent: Recent::new(share),
        });
        let mut opened = Self {
            options,
            log,
            sequence: active.segment.first - 1,
            active,
            indexes,
            covered,
            checkpoint,
            bytes: 0,
            replayed: 0,
        };
        opened.gather()?;
        Ok(opened)
    }

    /// Rebuilds the index entries that were in memory only.
    fn gather(&mut self) -> Result<(), StoreError> {
        let runs = self.indexes.runs();
        for (topic, at) in runs.iter().flat_map(|run| &run.deleted) {
            self.log.shelf.delete_topic(topic, *at);
        }
        let until = runs.iter().map(|run| run.until).max();
        let next = until.map_or(self.active.segment.first, |until| until + 1);
        let mut sequence = until.unwrap_or(self.sequence);
        let (log, indexes) = (&self.log, &self.indexes);
        self.active.segment.view(|transaction| {
            LogReader::new(transaction)?.commits(next..=u64::MAX, |at, commit| {
                for frame in codec::frames(at, commit) {
                    let (position, frame) = frame?;
                    let record = frame.record()?;
                    if let Record::TopicDeleted { topic, .. } = &record {
                        log.shelf.delete_topic(topic, position);
                    }
                    indexes.gather(|buffer| buffer.add(position, &record, frame.length));
                }
                sequence = at;
                Ok(true)
            })
        })?;
        self.sequence = sequence;
        self.bytes = self.indexes.digest().bytes;
        Ok(())
    }

    /// True when the segment before the newest holds commits that the newest was to hold.
    fn is_overtaken(&self, before: u64) -> Result<bool, StoreError> {
        let Some(volume) = self.log.shelf.holding(before) else {
            return Ok(false);
        };
        self.log.shelf.indexes(&volume)?;
        let last = volume
            .segment
            .view(|transaction| LogReader::new(transaction)?.last())?;
        Ok(last.is_some_and(|last| last >= self.active.segment.first))
    }
}

impl Recovery for Opened {
    fn checkpoint(&mut self) -> Option<Vec<u8>> {
        self.checkpoint.take()
    }

    fn replay(&mut self, visit: &mut dyn FnMut(&[Located])) -> Result<(), StoreError> {
        let tail = self.covered + 1..=u64::MAX;
        let mut replayed = 0;
        let log = &self.log;
        self.active.segment.view(|transaction| {
            LogReader::new(transaction)?.commits(tail, |sequence, commit| {
                replayed += commit.len() as u64;
                let mut batch = Vec::new();
                for frame in codec::frames(sequence, commit) {
                    let (at, frame) = frame?;
                    if frame.origin.is_none() {
                        batch.push((at, frame.record()?));
                    }
                }
                log.remember(&batch);
                if !batch.is_empty() {
                    visit(&batch);
                }
                Ok(true)
            })
        })?;
        self.replayed = replayed;
        Ok(())
    }

    fn start(self: Box<Self>, observer: Arc<dyn Observer>) -> Result<Arc<dyn Journal>, StoreError> {
        let intake = Arc::new(Intake::new());
        let failed = |error| StoreError::from_io("start", &self.log.shelf.disk.path(""), error);
        let keeper = Keeper::start(self.log.clone(), intake.clone()).map_err(failed)?;
        let tasks = keeper.tasks();
        let writer = Writer {
            log: self.log.clone(),
            intake: intake.clone(),
            observer,
            keeper,
            options: self.options,
            active: self.active,
            indexes: self.indexes,
            sequence: self.sequence,
            progress: Progress::after(self.bytes, self.replayed),
        };
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(failed)?;
        Ok(Arc::new(DurableJournal::new(
            self.log, intake, tasks, thread,
        )))
    }
}
