//! The embedded broker: the rules of messaging over a journal, behind the seam [`crate::cluster`].
//!
//! A rule file decides under one short lock which records to append; [`state::State::apply`] is the only code that changes
//! delivery state. Nothing is acknowledged before its commit, no lock is held across an await, and receivers wait on a
//! notice instead of asking again.

mod ack;
mod check;
mod core;
mod dead_letter;
mod delay;
mod delivery;
mod groups;
mod invisible;
mod listing;
mod pull;
mod query;
mod quota;
mod receive;
mod renewal;
mod resend;
mod reset;
mod retention;
mod seam;
mod send;
mod sessions;
mod standing;
mod state;
mod timers;
mod topics;
mod trace;
mod transaction;

use std::sync::Arc;

use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::Feed;
use crate::broker::core::{Core, Ledger};
use crate::broker::state::State;
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Cluster;
use crate::domain::ids::MessageIdGenerator;
use crate::domain::instance::InstanceDefinition;
use crate::report::Hint;
use crate::store::error::StoreError;
use crate::store::journal::Recovery;

/// The broker of one instance. Cloning gives another handle to the same broker.
#[derive(Clone)]
pub struct Broker(Arc<Core>);

/// What a broker is made of.
pub struct BrokerOptions {
    pub definition: InstanceDefinition,
    /// The instance's journal, opened and not yet started.
    pub journal: Box<dyn Recovery>,
    pub clock: BrokerClock,
    pub real: RealClock,
    /// Makes the ids of messages whose senders give none, and of dead letters.
    pub ids: Arc<MessageIdGenerator>,
    /// Born host of messages whose senders do not say.
    pub host_name: String,
    pub feed: Feed,
}

/// Why a broker cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store of the instance cannot be opened")]
    Store(#[from] StoreError),
    #[error("the state of the instance cannot be read")]
    Checkpoint(#[from] state::BadCheckpoint),
}

impl Hint for OpenError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Checkpoint(_) => Some(
                "nothing was changed; restore the directory from a copy, or move it away to start afresh"
                    .to_owned(),
            ),
        }
    }
}

impl Broker {
    /// Rebuilds the state from the journal and goes on from there. Runs its timers on the current tokio runtime.
    pub fn open(options: BrokerOptions) -> Result<Self, OpenError> {
        let BrokerOptions {
            definition,
            mut journal,
            clock,
            real,
            ids,
            host_name,
            feed,
        } = options;
        let mut state = match journal.checkpoint() {
            Some(bytes) => State::from_checkpoint(&bytes)?,
            None => State::default(),
        };
        journal.replay(&mut |batch| {
            for (_, record) in batch {
                state.apply(record);
            }
        })?;
        state.reveal_all();
        state.zero_totals();
        state.pass_over_lost_leases();
        let ledger = Ledger::new(state, definition.id.clone(), feed.clone(), real.clone());
        let ledger = Arc::new(ledger);
        let journal = journal.start(ledger.clone())?;
        let core = Arc::new(Core {
            definition: RwLock::new(definition),
            ledger,
            journal,
            clock,
            real,
            ids,
            host_name,
            feed,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        core.tasks.spawn(timers::run(core.clone()));
        core.tasks.spawn(retention::run(core.clone()));
        core.tasks.close();
        Ok(Self(core))
    }

    /// Both halves of the seam over this broker.
    pub fn cluster(&self) -> Cluster {
        Cluster {
            messaging: Arc::new(self.clone()),
            admin: Arc::new(self.clone()),
        }
    }

    pub fn definition(&self) -> InstanceDefinition {
        self.0.definition.read().clone()
    }

    /// Takes a changed definition: quotas, retention, auto-create.
    pub fn redefine(&self, definition: InstanceDefinition) {
        *self.0.definition.write() = definition;
    }

    /// Stops: waiting receivers are answered, timers end, everything decided is made durable.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
        let journal = self.0.journal.clone();
        // Closing waits for the writer thread.
        let closed = tokio::task::spawn_blocking(move || journal.close()).await;
        if let Err(error) = closed {
            tracing::error!(%error, "closing the journal failed");
        }
    }
}
