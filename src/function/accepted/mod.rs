//! Asynchronous invocation (section 9): an event is accepted durably and answered at once; it is run when there is room,
//! tried again when it failed, and its outcome goes to a destination.
//!
//! A failed try is written down before its wait begins, so a crash never restarts the count; a crash within a try runs the
//! event again.

mod event;
mod memory;
mod outcome;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::error::ClusterError;
use crate::domain::names::{FunctionName, InstanceId, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::function::error::HostError;
use crate::function::host::Host;
use crate::function::invocation::{Invocation, MAX_ASYNC_EVENT};

pub use event::AcceptedEvent;
pub use memory::MemoryAcceptedStore;

/// Real time between tries while the store takes no writes.
const STORE_PATIENCE: Duration = Duration::from_secs(1);
/// KiB of all accepted events together.
const ROOM: u32 = 64 * 1024;
/// An event takes at least this much of it, so that there are never more than 8192.
const LEAST: u32 = 8;

/// Accepted events could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("accepted events cannot be written: {0}")]
pub struct AcceptedStoreError(pub String);

/// Durable on return.
pub trait AcceptedStore: Send + Sync {
    /// Writes an event, or what has changed of it.
    fn put(&self, event: &AcceptedEvent) -> Result<(), AcceptedStoreError>;
    fn remove(&self, number: u64) -> Result<(), AcceptedStoreError>;
    /// All of them, in the order in which they were accepted.
    fn all(&self) -> Result<Vec<AcceptedEvent>, AcceptedStoreError>;
}

/// The way to a topic that outcomes are sent to.
#[async_trait]
pub trait Outlet: Send + Sync {
    async fn send(
        &self,
        instance: &InstanceId,
        topic: &TopicName,
        body: Bytes,
    ) -> Result<(), ClusterError>;
}

/// What accepted events need around them.
pub struct AcceptedOptions {
    pub host: Host,
    pub store: Arc<dyn AcceptedStore>,
    pub outlet: Arc<dyn Outlet>,
    /// False in a process that lives for one command: events are kept for the next one that runs them.
    pub runs: bool,
}

/// A handle to the accepted events of a host; cloning gives another.
#[derive(Clone)]
pub struct Accepted(Arc<Inner>);

struct Inner {
    host: Host,
    store: Arc<dyn AcceptedStore>,
    outlet: Arc<dyn Outlet>,
    runs: bool,
    room: Arc<Semaphore>,
    /// The number of the last event.
    last: AtomicU64,
    standing: Mutex<BTreeMap<FunctionName, Standing>>,
    /// No try begins any more.
    stopping: CancellationToken,
    /// Tries that run are given up.
    abort: CancellationToken,
    tasks: TaskTracker,
}

/// How the accepted events of one function stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Events that are not done with, by number; a moment for those that wait for their next try.
    events: BTreeMap<u64, Option<Timestamp>>,
    /// Events given up since the process began: out of tries, or too old.
    given_up: u64,
}

impl Standing {
    pub fn accepted(&self) -> u32 {
        u32::try_from(self.events.len()).unwrap_or(u32::MAX)
    }

    /// Those of them that wait for their next try.
    pub fn retrying(&self) -> u32 {
        let waiting = self.events.values().filter(|due| due.is_some());
        u32::try_from(waiting.count()).unwrap_or(u32::MAX)
    }

    pub fn given_up(&self) -> u64 {
        self.given_up
    }
}

impl Accepted {
    /// Nothing is run before [`Self::load`] or the first event.
    pub fn new(options: AcceptedOptions) -> Self {
        let AcceptedOptions {
            host,
            store,
            outlet,
            runs,
        } = options;
        Self(Arc::new(Inner {
            host,
            store,
            outlet,
            runs,
            room: Arc::new(Semaphore::new(ROOM as usize)),
            last: AtomicU64::new(0),
            standing: Mutex::default(),
            stopping: CancellationToken::new(),
            abort: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// Goes on with what an earlier process accepted.
    pub fn load(&self) -> Result<(), AcceptedStoreError> {
        for event in self.0.store.all()? {
            self.0.last.fetch_max(event.number, Ordering::Relaxed);
            // Older limits may have been wider; what was accepted is run in any case.
            let room = self
                .0
                .room
                .clone()
                .try_acquire_many_owned(cost(&event.event));
            self.start(event, room.ok());
        }
        Ok(())
    }

    /// Accepts an event, which is durable when this returns; refused when there is no room for it.
    pub fn try_accept(&self, invocation: Invocation) -> Result<(), HostError> {
        self.check(&invocation)?;
        let room = self.0.room.clone();
        let room = room.try_acquire_many_owned(cost(&invocation.event));
        self.keep(invocation, room.map_err(|_| HostError::NoRoom)?)
    }

    /// As [`Self::try_accept`], but waits for room, and while the store takes no writes: neither is a failure (TR-30).
    pub async fn accept(&self, invocation: Invocation) -> Result<(), HostError> {
        self.check(&invocation)?;
        let stopping = &self.0.stopping;
        loop {
            let room = self.0.room.clone();
            let wait = room.acquire_many_owned(cost(&invocation.event));
            let Some(Ok(room)) = stopping.run_until_cancelled(wait).await else {
                return Err(HostError::Stopping);
            };
            match self.keep(invocation.clone(), room) {
                Err(HostError::StoreFailed(_)) => {
                    let patience = self.0.host.options().real.sleep(STORE_PATIENCE);
                    stopping.run_until_cancelled(patience).await;
                }
                kept => return kept,
            }
        }
    }

    /// How the accepted events of a function stand.
    pub fn standing(&self, function: &FunctionName) -> Standing {
        let standing = self.0.standing.lock();
        standing.get(function).cloned().unwrap_or_default()
    }

    /// No try begins any more; those that run get `patience` of real time. What is left goes on after the next start.
    pub async fn stop(&self, patience: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        tokio::select! {
            () = self.0.tasks.wait() => {}
            () = self.0.host.options().real.sleep(patience) => {
                self.0.abort.cancel();
                self.0.tasks.wait().await;
            }
        }
    }

    fn check(&self, invocation: &Invocation) -> Result<(), HostError> {
        let size = invocation.event.len();
        if size > MAX_ASYNC_EVENT {
            return Err(HostError::EventTooLarge {
                size,
                limit: MAX_ASYNC_EVENT,
            });
        }
        self.0.host.row(&invocation.function).map(drop)
    }

    fn keep(&self, invocation: Invocation, room: OwnedSemaphorePermit) -> Result<(), HostError> {
        let number = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
        let event = AcceptedEvent::new(number, invocation, self.0.host.options().clock.now());
        let kept = self.0.store.put(&event);
        kept.map_err(|error| HostError::StoreFailed(error.to_string()))?;
        self.start(event, Some(room));
        Ok(())
    }

    fn start(&self, event: AcceptedEvent, room: Option<OwnedSemaphorePermit>) {
        self.0.note(&event, None);
        if !self.0.runs {
            return;
        }
        let (accepted, abort) = (self.clone(), self.0.abort.clone());
        self.0.tasks.spawn(async move {
            let work = run::Work::new(&accepted, event, room);
            abort.run_until_cancelled(work.finish()).await;
        });
    }
}

impl Inner {
    /// Notes that an event is at work, or waits until `due`.
    fn note(&self, event: &AcceptedEvent, due: Option<Timestamp>) {
        let mut standing = self.standing.lock();
        let standing = standing.entry(event.function.clone()).or_default();
        standing.events.insert(event.number, due);
    }

    fn note_end(&self, event: &AcceptedEvent, given_up: bool) {
        let mut standing = self.standing.lock();
        let standing = standing.entry(event.function.clone()).or_default();
        standing.events.remove(&event.number);
        standing.given_up += u64::from(given_up);
    }
}

/// KiB of room that an event takes.
fn cost(event: &Bytes) -> u32 {
    let kib = u32::try_from(event.len().div_ceil(1024)).unwrap_or(ROOM);
    kib.clamp(LEAST, ROOM)
}
