//! [`Clock`] and [`Activity`] over the handles of this process.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::activity::{EventPage, Feed};
use crate::app::documents::Documents;
use crate::app::wiring::store_failed;
use crate::clock::BrokerClock;
use crate::control::clock::{ClockCommand, ClockState};
use crate::control::{Activity, Clock, Reply};

/// Broker time, written down with every move.
pub struct OwnClock {
    pub clock: BrokerClock,
    pub documents: Documents,
}

#[async_trait]
impl Clock for OwnClock {
    async fn clock(&self) -> Reply<ClockState> {
        let due = self.clock.next_due();
        Ok(ClockState {
            now: self.clock.now(),
            held: self.clock.is_held(),
            ahead: self.clock.ahead(),
            next: due.map(|due| (due.at, due.what.to_owned())),
        })
    }

    async fn move_clock(&self, command: ClockCommand) -> Reply<ClockState> {
        match command {
            ClockCommand::Hold => self.clock.hold(),
            ClockCommand::Resume => self.clock.resume(),
            ClockCommand::Step(span) => self.clock.step(span),
            ClockCommand::Next => {
                if let Some(due) = self.clock.next_due() {
                    self.clock.jump_to(due.at);
                }
            }
        }
        self.documents
            .put_clock(&self.clock)
            .map_err(store_failed)?;
        self.clock().await
    }
}

/// What happened in this process.
pub struct OwnActivity(pub Feed);

#[async_trait]
impl Activity for OwnActivity {
    async fn since(&self, since: u64, limit: usize) -> Reply<EventPage> {
        Ok(self.0.since(since, limit))
    }

    fn latest(&self) -> watch::Receiver<u64> {
        self.0.latest()
    }
}
