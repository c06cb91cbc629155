//! The segments of one journal: the active one and the sealed ones, of which only a few are open at a time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::domain::names::TopicName;
use crate::store::cache::Share;
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::indexes::{self, Digest, Indexes};
use crate::store::journal::Position;
use crate::store::segment::Segment;

/// Sealed segments open at once.
const OPEN: usize = 4;

/// A segment and how to find things in it.
pub(super) struct Volume {
    pub segment: Segment,
    /// Loaded with the first look at a sealed segment.
    indexes: RwLock<Option<Arc<Indexes>>>,
    /// Of a sealed segment; the active one's changes with every commit.
    sealed: RwLock<Option<Arc<Digest>>>,
}

/// All segments of a journal.
pub(super) struct Shelf {
    pub disk: Arc<dyn Disk>,
    /// Memory for redb's caches.
    pub share: Arc<Share>,
    volumes: RwLock<BTreeMap<u64, Arc<Volume>>>,
    /// Sealed segments that are open, the one used last at the back.
    open: Mutex<VecDeque<u64>>,
    /// Where each deleted topic's deletion lies: records before it about its queues are void.
    floors: RwLock<HashMap<TopicName, Position>>,
}

impl Volume {
    /// The one that takes commits.
    pub(super) fn active(segment: Segment, indexes: Arc<Indexes>) -> Self {
        Self {
            segment,
            indexes: RwLock::new(Some(indexes)),
            sealed: RwLock::new(None),
        }
    }

    /// One from before, not open yet.
    pub(super) fn sealed(segment: Segment, digest: Digest) -> Self {
        Self {
            segment,
            indexes: RwLock::new(None),
            sealed: RwLock::new(Some(Arc::new(digest))),
        }
    }

    /// What it holds, in a few numbers.
    pub(super) fn digest(&self) -> Arc<Digest> {
        if let Some(digest) = &*self.sealed.read() {
            return digest.clone();
        }
        let indexes = self.indexes.read().clone();
        Arc::new(indexes.map(|indexes| indexes.digest()).unwrap_or_default())
    }

    /// True when the message of `subject` with this number may be here.
    pub(super) fn may_hold(&self, subject: u64, number: u64) -> bool {
        match &*self.sealed.read() {
            Some(digest) => digest.may_hold(subject, number, number.saturating_add(1)),
            None => true,
        }
    }

    fn shut(&self) {
        self.segment.shut();
        *self.indexes.write() = None;
    }

    /// Fixes its digest: it takes no more commits.
    pub(super) fn seal(&self) {
        let digest = self.digest();
        *self.sealed.write() = Some(digest);
    }
}

impl Shelf {
    pub(super) fn new(disk: Arc<dyn Disk>, share: Arc<Share>) -> Self {
        Self {
            disk,
            share,
            volumes: RwLock::default(),
            open: Mutex::default(),
            floors: RwLock::default(),
        }
    }

    pub(super) fn add(&self, volume: Volume) -> Arc<Volume> {
        let volume = Arc::new(volume);
        let first = volume.segment.first;
        self.volumes.write().insert(first, volume.clone());
        volume
    }

    /// All segments, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Volume>> {
        self.volumes.read().values().cloned().collect()
    }

    /// The segment that a commit is in.
    pub(super) fn holding(&self, sequence: u64) -> Option<Arc<Volume>> {
        let volumes = self.volumes.read();
        let (_, volume) = volumes.range(..=sequence).next_back()?;
        Some(volume.clone())
    }

    /// The indexes of a segment, which is open from here on.
    pub(super) fn indexes(&self, volume: &Volume) -> Result<Arc<Indexes>, StoreError> {
        if volume.sealed.read().is_some() {
            self.keep_open(volume)?;
        }
        if let Some(indexes) = &*volume.indexes.read() {
            return Ok(indexes.clone());
        }
        let runs = volume.segment.view(indexes::load)?;
        let loaded = Arc::new(Indexes::new(volume.segment.first, runs));
        *volume.indexes.write() = Some(loaded.clone());
        Ok(loaded)
    }

    /// Opens a sealed segment if need be, and shuts the one that was used longest ago.
    fn keep_open(&self, volume: &Volume) -> Result<(), StoreError> {
        let first = volume.segment.first;
        let mut open = self.open.lock();
        open.retain(|other| *other != first);
        open.push_back(first);
        volume.segment.open_readable(self.share.sealed())?;
        if open.len() > OPEN
            && let Some(oldest) = open.pop_front()
            && let Some(volume) = self.volumes.read().get(&oldest)
        {
            volume.shut();
        }
        Ok(())
    }

    /// Shuts a sealed segment; the next look at it opens it again.
    pub(super) fn shut(&self, volume: &Volume) {
        self.open
            .lock()
            .retain(|first| *first != volume.segment.first);
        volume.shut();
    }

    /// Takes a segment out and removes its file; look-ups in progress may finish.
    pub(super) fn discard(&self, first: u64) -> Result<(), StoreError> {
        let Some(volume) = self.volumes.write().remove(&first) else {
            return Ok(());
        };
        self.open.lock().retain(|other| *other != first);
        let name = crate::store::segment::name(first);
        drop(volume);
        self.disk
            .remove(&name)
            .map_err(|error| StoreError::from_io("remove", &self.disk.path(&name), error))
    }

    /// Notes that a topic was deleted.
    pub(super) fn delete_topic(&self, topic: &TopicName, at: Position) {
        self.floors.write().insert(topic.clone(), at);
    }

    pub(super) fn floors(&self) -> Vec<(TopicName, Position)> {
        let floors = self.floors.read();
        floors
            .iter()
            .map(|(topic, at)| (topic.clone(), *at))
            .collect()
    }

    /// False for what is told at `at` about a queue of a topic that was deleted since.
    pub(super) fn counts(&self, topic: &TopicName, at: Position) -> bool {
        self.floors
            .read()
            .get(topic)
            .is_none_or(|floor| at > *floor)
    }
}
