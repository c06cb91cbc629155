//! Leases that are renewed while their holder's session lives (D8). Known to the process only: after a restart such a
//! lease runs out by itself.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::broker::state::ProgressId;
use crate::domain::names::ClientId;

/// Real time after which a lease is renewed no more, so that a stuck consumer cannot hold a message for good (D8).
pub(in crate::broker) const LONGEST_HOLD: Duration = Duration::from_secs(3 * 3600);

/// Leases under renewal by their number.
#[derive(Debug, Default)]
pub(in crate::broker) struct Renewals(HashMap<u64, Renewal>);

#[derive(Debug, Clone)]
pub(in crate::broker) struct Renewal {
    pub client: ClientId,
    /// How long each renewal lasts.
    pub invisible: Duration,
    /// When the message was handed out.
    pub since: Instant,
    pub progress: ProgressId,
    pub queue: u32,
    pub offset: u64,
}

impl Renewals {
    pub(in crate::broker) fn add(&mut self, lease: u64, renewal: Renewal) {
        self.0.insert(lease, renewal);
    }

    pub(in crate::broker) fn remove(&mut self, lease: u64) -> Option<Renewal> {
        if self.0.is_empty() {
            return None;
        }
        self.0.remove(&lease)
    }

    pub(in crate::broker) fn get(&self, lease: u64) -> Option<&Renewal> {
        self.0.get(&lease)
    }

    /// Nobody renews leases of this queue any more.
    pub(in crate::broker) fn remove_queue(&mut self, progress: ProgressId, queue: u32) {
        self.0
            .retain(|_, renewal| renewal.progress != progress || renewal.queue != queue);
    }

    /// Keeps those that still mean something.
    pub(in crate::broker) fn retain(&mut self, mut keeps: impl FnMut(u64, &Renewal) -> bool) {
        self.0.retain(|lease, renewal| keeps(*lease, renewal));
    }

    /// Takes out all that one client holds.
    pub(in crate::broker) fn remove_client(&mut self, client: &ClientId) -> Vec<(u64, Renewal)> {
        let of_client = |_: &u64, renewal: &mut Renewal| renewal.client == *client;
        self.0.extract_if(of_client).collect()
    }
}
