//! The instances of one function: who is busy, who is idle since when. Decisions only; starting and ending is done
//! elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use crate::function::host::live::Live;

/// A place in the pool. The first request that takes it starts the instance; requests that join meanwhile wait for that.
#[derive(Default)]
pub(super) struct Seat {
    pub(super) live: OnceCell<Arc<Live>>,
}

struct Place {
    seat: Arc<Seat>,
    busy: u32,
    /// When it last became free.
    idle_since: Instant,
}

/// The seats of one version of a function.
#[derive(Default)]
pub(super) struct Pool {
    /// Most recently used last.
    places: Vec<Place>,
    /// A retired pool takes no new seats and lets its instances go as they become free (LC-9).
    retired: bool,
}

impl Pool {
    /// A seat for one more request: the most recently used that has room, else a new one.
    pub(super) fn take(&mut self, concurrency: u32, now: Instant) -> Arc<Seat> {
        let with_room = self
            .places
            .iter()
            .rposition(|place| place.busy < concurrency && place.is_usable());
        let mut place = match with_room {
            Some(at) => self.places.remove(at),
            None => Place {
                seat: Arc::default(),
                busy: 0,
                idle_since: now,
            },
        };
        place.busy += 1;
        let seat = place.seat.clone();
        self.places.push(place);
        seat
    }

    /// Takes a request's seat back. Returns the instance when it has to be ended now.
    pub(super) fn give_back(
        &mut self,
        seat: &Arc<Seat>,
        keep: bool,
        now: Instant,
    ) -> Option<Arc<Live>> {
        let at = self.position(seat)?;
        let place = self.places.get_mut(at)?;
        place.busy = place.busy.saturating_sub(1);
        place.idle_since = now;
        let started = seat.live.initialized();
        let leaves = !keep || (place.busy == 0 && (self.retired || !started));
        if !leaves {
            return None;
        }
        self.places.remove(at);
        seat.live.get().cloned()
    }

    /// Takes no more requests; returns the idle instances to end.
    pub(super) fn retire(&mut self) -> Vec<Arc<Live>> {
        self.retired = true;
        self.remove_idle(|_| true)
    }

    /// Removes instances idle for `span` and returns them.
    pub(super) fn reclaim(&mut self, span: Duration, now: Instant) -> Vec<Arc<Live>> {
        self.remove_idle(|since| since + span <= now)
    }

    /// When the next instance will have been idle for `span`.
    pub(super) fn next_reclaim(&self, span: Duration) -> Option<Instant> {
        let idle = self.places.iter().filter(|place| place.busy == 0);
        idle.map(|place| place.idle_since + span).min()
    }

    /// Started instances, and how many requests they serve.
    pub(super) fn counts(&self) -> (u32, u32) {
        let started = self.places.iter().filter(|p| p.seat.live.initialized());
        (
            started.count() as u32,
            self.places.iter().map(|place| place.busy).sum(),
        )
    }

    /// Every started instance, for the end of the host.
    pub(super) fn drain(&mut self) -> Vec<Arc<Live>> {
        self.retired = true;
        let places = self.places.drain(..);
        places
            .filter_map(|place| place.seat.live.get().cloned())
            .collect()
    }

    fn position(&self, seat: &Arc<Seat>) -> Option<usize> {
        self.places.iter().position(|p| Arc::ptr_eq(&p.seat, seat))
    }

    fn remove_idle(&mut self, goes: impl Fn(Instant) -> bool) -> Vec<Arc<Live>> {
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.places)
            .into_iter()
            .partition(|place| place.busy == 0 && goes(place.idle_since));
        self.places = kept;
        gone.into_iter()
            .filter_map(|place| place.seat.live.get().cloned())
            .collect()
    }
}

impl Place {
    fn is_usable(&self) -> bool {
        self.seat.live.get().is_none_or(|live| live.is_alive())
    }
}
