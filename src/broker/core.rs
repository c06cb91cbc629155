//! What all rules share: the state twice, as decided and as durable, the journal, the clocks.
//!
//! Under one short lock a rule decides, appends and applies, so that the order of decisions is the order of the log; it
//! awaits the commit after the lock is gone. The durable state follows commit by commit and is what a failed commit goes
//! back to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::{Feed, Happening};
use crate::broker::delivery::polls::Polls;
use crate::broker::quota::Quotas;
use crate::broker::renewal::Renewals;
use crate::broker::sessions::Sessions;
use crate::broker::state::{ProgressId, State};
use crate::clock::{BrokerClock, Claim, RealClock};
use crate::cluster::error::ClusterError;
use crate::domain::ids::MessageIdGenerator;
use crate::domain::instance::InstanceDefinition;
use crate::domain::message::Place;
use crate::domain::names::{InstanceId, TopicName};
use crate::domain::record::{Record, Settling, Until};
use crate::domain::timestamp::Timestamp;
use crate::filter::Filter;
use crate::store::error::StoreError;
use crate::store::journal::{Commit, Journal, Located, Observer};

/// The parts of one broker.
pub(in crate::broker) struct Core {
    pub definition: RwLock<InstanceDefinition>,
    pub ledger: Arc<Ledger>,
    pub journal: Arc<dyn Journal>,
    pub clock: BrokerClock,
    pub real: RealClock,
    pub ids: Arc<MessageIdGenerator>,
    pub host_name: String,
    pub feed: Feed,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

/// What the journal's writer thread feeds.
pub(in crate::broker) struct Ledger {
    live: Mutex<Live>,
    durable: Mutex<Durable>,
    /// Wakes the timers: something is due earlier than they think.
    pub sooner: Notify,
    instance: InstanceId,
    feed: Feed,
    real: RealClock,
}

/// The state as it is on disk.
struct Durable {
    state: State,
    /// The last commit in it; 0 before the first of this process.
    sequence: u64,
}

/// The state as decided, and what is known only while the process lives.
pub(in crate::broker) struct Live {
    pub state: State,
    pub sessions: Sessions,
    pub quotas: Quotas,
    pub renewals: Renewals,
    pub polls: Polls,
    /// Who waits for messages of a group on a topic.
    arrivals: HashMap<ProgressId, Arc<Notify>>,
    /// Who waits for messages of a topic without a group.
    readers: HashMap<TopicName, Arc<Notify>>,
    /// The filter a group last used on a topic, for exact counts.
    pub filters: HashMap<ProgressId, Arc<Filter>>,
    /// When a commit last failed.
    failed_at: Option<Instant>,
    /// Why commits fail, while they do.
    pub failure: Option<StoreError>,
    /// The moment the timers sleep for, or are about to.
    pub claim: Option<Claim>,
}

impl Live {
    /// Wakes everybody who waits for messages of one group on one topic.
    pub(in crate::broker) fn wake(&self, progress: ProgressId) {
        if let Some(arrived) = self.arrivals.get(&progress) {
            arrived.notify_waiters();
        }
    }

    pub(in crate::broker) fn arrival(&mut self, progress: ProgressId) -> Arc<Notify> {
        self.arrivals.entry(progress).or_default().clone()
    }

    pub(in crate::broker) fn reader(&mut self, topic: &TopicName) -> Arc<Notify> {
        self.readers.entry(topic.clone()).or_default().clone()
    }

    /// Lets receivers see the messages of a commit and wakes those who wait for them.
    fn reveal(&mut self, batch: &[Located]) {
        self.failure = None;
        let mut awake: Vec<ProgressId> = Vec::new();
        for (_, record) in batch {
            let Record::Stored { message, .. } = record else {
                continue;
            };
            let Some(topic) = self.state.reveal(message) else {
                continue;
            };
            let members = topic.members.iter();
            let new: Vec<ProgressId> = members
                .filter(|member| !awake.contains(member))
                .copied()
                .collect();
            awake.extend(new);
            if let Some(readers) = self.readers.get(&message.topic) {
                readers.notify_waiters();
            }
        }
        for progress in awake {
            self.wake(progress);
        }
    }

    fn wake_all(&self) {
        for waiting in self.arrivals.values().chain(self.readers.values()) {
            waiting.notify_waiters();
        }
    }
}

impl Ledger {
    pub(in crate::broker) fn new(
        durable: State,
        instance: InstanceId,
        feed: Feed,
        real: RealClock,
    ) -> Self {
        let live = Live {
            state: durable.clone(),
            sessions: Sessions::default(),
            quotas: Quotas::default(),
            renewals: Renewals::default(),
            polls: Polls::default(),
            arrivals: HashMap::new(),
            readers: HashMap::new(),
            filters: HashMap::new(),
            failed_at: None,
            failure: None,
            claim: None,
        };
        Self {
            live: Mutex::new(live),
            durable: Mutex::new(Durable {
                state: durable,
                sequence: 0,
            }),
            sooner: Notify::new(),
            instance,
            feed,
            real,
        }
    }

    /// Looks at what is on disk, with the last commit that is in it.
    pub(in crate::broker) fn durably<T>(&self, look: impl FnOnce(&State, u64) -> T) -> T {
        let durable = self.durable.lock();
        look(&durable.state, durable.sequence)
    }

    /// What a record is to somebody who watches.
    fn happenings(&self, record: &Record, told: &mut Vec<(Timestamp, Happening)>) {
        let instance = self.instance.clone();
        match record {
            Record::Stored { message, .. } => told.push((
                message.stored_at,
                Happening::MessageStored {
                    instance,
                    id: message.id.clone(),
                    place: message.place(),
                },
            )),
            Record::Parked { message, until, .. } => told.push((
                message.stored_at,
                Happening::MessageParked {
                    instance,
                    id: message.id.clone(),
                    topic: message.topic.clone(),
                    due: match until {
                        Until::Due(due) => Some(*due),
                        Until::Ended { .. } => None,
                    },
                },
            )),
            Record::Postponed {
                group,
                place,
                attempt,
                due,
                at,
                ..
            } => told.push((
                *at,
                Happening::MessageRetrying {
                    instance,
                    group: group.clone(),
                    place: place.clone(),
                    attempt: *attempt,
                    due: *due,
                },
            )),
            Record::Settled {
                group,
                topic,
                queue,
                how,
                at,
                deliveries,
            } => told.extend(deliveries.iter().map(|(offset, _)| {
                let (instance, group) = (instance.clone(), group.clone());
                let place = Place {
                    topic: topic.clone(),
                    queue: *queue,
                    offset: *offset,
                };
                let happening = match how {
                    Settling::Acked => Happening::MessageAcked {
                        instance,
                        group,
                        place,
                    },
                    Settling::Dead(_) | Settling::Discarded => Happening::MessageDead {
                        instance,
                        group,
                        place,
                    },
                };
                (*at, happening)
            })),
            _ => {}
        }
    }
}

impl Observer for Ledger {
    fn committed(&self, batch: &[Located]) {
        {
            let mut durable = self.durable.lock();
            for (position, record) in batch {
                durable.state.apply(record);
                durable.sequence = position.sequence;
            }
        }
        self.live.lock().reveal(batch);
        // What was parked for a moment that has come can be read now.
        let parks = |(_, record): &Located| matches!(record, Record::Parked { .. });
        if batch.iter().any(parks) {
            self.sooner.notify_one();
        }
        let mut told = Vec::with_capacity(batch.len());
        for (_, record) in batch {
            self.happenings(record, &mut told);
        }
        self.feed.report_all(told);
    }

    fn checkpoint(&self) -> Vec<u8> {
        self.durable.lock().state.to_checkpoint()
    }

    fn failed(&self, error: &StoreError, resume: &dyn Fn()) {
        let mut live = self.live.lock();
        let mut state = self.durable.lock().state.clone();
        state.reveal_all();
        live.state = state;
        live.failed_at = Some(self.real.now());
        live.failure = Some(error.clone());
        live.wake_all();
        resume();
    }
}

impl Core {
    pub(in crate::broker) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(in crate::broker) fn live(&self) -> MutexGuard<'_, Live> {
        self.ledger.live.lock()
    }

    /// Opens an entry in the log; what is pushed into it is decided.
    pub(in crate::broker) fn entry<'a>(&'a self, live: &'a mut Live) -> Entry<'a> {
        Entry {
            core: self,
            live,
            records: Vec::new(),
        }
    }

    /// Waits until everything decided so far is on disk.
    pub(in crate::broker) fn barrier(&self) -> Commit {
        self.journal.append(Vec::new())
    }

    /// Whether a commit failed so recently that nothing is tried by itself.
    pub(in crate::broker) fn is_recovering(&self, live: &Live) -> bool {
        /// Between two tries of the timers on a failing disk.
        const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
        live.failed_at
            .is_some_and(|at| self.real.now().saturating_duration_since(at) < PAUSE)
    }

    pub(in crate::broker) fn report(&self, at: Timestamp, happening: Happening) {
        self.feed.report(at, happening);
    }

    pub(in crate::broker) fn instance(&self) -> InstanceId {
        self.ledger.instance.clone()
    }
}

/// Records decided together under the lock: each is applied when pushed, all go to the journal in one piece.
pub(in crate::broker) struct Entry<'a> {
    core: &'a Core,
    pub live: &'a mut Live,
    records: Vec<Record>,
}

impl Entry<'_> {
    pub(in crate::broker) fn push(&mut self, record: Record) {
        self.live.state.apply(&record);
        self.records.push(record);
    }

    pub(in crate::broker) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// To be waited for: the answer is the commit's.
    pub(in crate::broker) fn append(mut self) -> Commit {
        self.hurry_timers();
        self.core.journal.append(std::mem::take(&mut self.records))
    }

    /// Not to be waited for: goes out with the next commit.
    pub(in crate::broker) fn ride(mut self) {
        self.flush();
    }

    fn flush(&mut self) {
        if !self.records.is_empty() {
            self.hurry_timers();
            self.core.journal.ride(std::mem::take(&mut self.records));
        }
    }

    fn hurry_timers(&mut self) {
        let next = self.live.state.next_due().map(|(at, _)| at);
        let claimed = self.live.claim.as_ref().map(Claim::at);
        if next == claimed {
            return;
        }
        // Also when it comes later or not at all: nobody shall jump to a moment at which nothing happens any more.
        self.live.claim_next(&self.core.clock);
        if next.is_some_and(|next| claimed.is_none_or(|claimed| next < claimed)) {
            self.core.ledger.sooner.notify_one();
        }
    }
}

/// What was applied goes to the log in any case, also when the rule ends early.
impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Waits until what was appended is on disk.
pub(in crate::broker) async fn durable(commit: Commit) -> Result<(), ClusterError> {
    commit.await.map_err(cluster_error)
}

/// What a failure of the store means to a caller.
pub(in crate::broker) fn cluster_error(error: StoreError) -> ClusterError {
    match error {
        StoreError::Full { .. } => ClusterError::StoreFull(error.to_string()),
        StoreError::Closed => ClusterError::Stopping,
        other => ClusterError::StoreFailed(other.to_string()),
    }
}
