//! The only source of time. Two handles, never mixed:
//!
//! [`BrokerClock`] stamps messages and drives delays, retries, check-backs, invisibility and retention; it is the wall
//! clock plus an offset, can be held, stepped and jumped, and never runs backwards. [`RealClock`] bounds calls, workers,
//! long polls and frames. Tests drive both by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::domain::timestamp::Timestamp;

/// Broker time. Cloning gives another handle to the same clock.
#[derive(Clone)]
pub struct BrokerClock(Arc<BrokerClockInner>);

struct BrokerClockInner {
    wall: Wall,
    state: Mutex<BrokerClockState>,
    /// Bumped by every change that may wake a sleeper.
    changed: watch::Sender<u64>,
}

enum Wall {
    System,
    /// Moves only by hand, as does a held clock over it. In milliseconds.
    Still(AtomicI64),
}

struct BrokerClockState {
    /// Added to the wall clock, in milliseconds.
    offset: i64,
    /// The moment it stands at while held.
    held: Option<Timestamp>,
    /// The latest moment ever shown.
    floor: Timestamp,
    /// What happens when; the number tells equal moments apart.
    claims: BTreeMap<(Timestamp, u64), &'static str>,
    next_claim: u64,
}

/// What must outlive the process so that broker time never runs backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SavedClock {
    /// Milliseconds added to the wall clock.
    pub offset: i64,
    pub held: Option<Timestamp>,
    /// The latest moment known to have been shown.
    pub floor: Timestamp,
}

/// The earliest thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NextDue {
    pub at: Timestamp,
    /// What is due, in a word or two: `retry`, `delayed message`.
    pub what: &'static str,
}

impl BrokerClock {
    /// Follows the wall clock.
    pub fn system() -> Self {
        Self::restore(SavedClock::default())
    }

    /// Goes on where an earlier process left off.
    pub fn restore(saved: SavedClock) -> Self {
        Self::with(Wall::System, saved)
    }

    /// Stands at `at` until moved: the clock of tests.
    pub fn still(at: Timestamp) -> Self {
        Self::with(
            Wall::Still(AtomicI64::new(at.as_millis())),
            SavedClock {
                offset: 0,
                held: Some(at),
                floor: at,
            },
        )
    }

    fn with(wall: Wall, saved: SavedClock) -> Self {
        Self(Arc::new(BrokerClockInner {
            wall,
            state: Mutex::new(BrokerClockState {
                offset: saved.offset,
                held: saved.held,
                floor: saved.floor,
                claims: BTreeMap::new(),
                next_claim: 0,
            }),
            changed: watch::Sender::new(0),
        }))
    }

    pub fn now(&self) -> Timestamp {
        self.0.now(&mut self.0.state.lock())
    }

    pub fn is_held(&self) -> bool {
        self.0.state.lock().held.is_some()
    }

    /// How far it shows a later moment than the wall clock.
    pub fn ahead(&self) -> Duration {
        let now = self.now();
        now.since(Timestamp::from_millis(self.0.wall.millis()))
    }

    /// What to write down; see [`SavedClock`].
    pub fn saved(&self) -> SavedClock {
        let mut state = self.0.state.lock();
        let floor = self.0.now(&mut state);
        SavedClock {
            offset: state.offset,
            held: state.held,
            floor,
        }
    }

    /// Stops at the present moment.
    pub fn hold(&self) {
        self.change(|inner, state| {
            let now = inner.now(state);
            state.held = Some(now);
        });
    }

    /// Runs again from the moment it stands at.
    pub fn resume(&self) {
        self.change(|inner, state| {
            if let Some(at) = state.held.take() {
                state.offset = at.as_millis().saturating_sub(inner.wall.millis());
            }
        });
    }

    /// Moves forward by `span`, held or not.
    pub fn step(&self, span: Duration) {
        self.change(|inner, state| {
            let target = inner.now(state) + span;
            inner.move_to(state, target);
        });
    }

    /// Lets the wall clock under a clock of tests go on by `span`; the system's goes on by itself.
    pub fn pass(&self, span: Duration) {
        self.change(|inner, _| {
            if let Wall::Still(millis) = &inner.wall {
                let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                millis.fetch_add(span, Ordering::Relaxed);
            }
        });
    }

    /// Moves forward to `target`; a moment in the past changes nothing.
    pub fn jump_to(&self, target: Timestamp) {
        self.change(|inner, state| inner.move_to(state, target));
    }

    /// The earliest moment that is claimed.
    pub fn next_due(&self) -> Option<NextDue> {
        let state = self.0.state.lock();
        let ((at, _), what) = state.claims.first_key_value()?;
        Some(NextDue { at: *at, what })
    }

    /// Makes it known to [`Self::next_due`] that something happens at `at`, before anybody sleeps for it: a jump to what
    /// comes next does not pass it.
    pub fn claim(&self, at: Timestamp, what: &'static str) -> Claim {
        let mut state = self.0.state.lock();
        let key = (at, state.next_claim);
        state.next_claim += 1;
        state.claims.insert(key, what);
        let clock = self.clone();
        Claim { clock, key }
    }

    /// Returns once broker time has reached `target`; `what` names it for [`Self::next_due`].
    pub async fn sleep_until(&self, target: Timestamp, what: &'static str) {
        let _claim = self.claim(target, what);
        self.reach(target).await;
    }

    /// As [`Self::sleep_until`], for who holds the claim himself.
    pub async fn reach(&self, target: Timestamp) {
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let wait = {
                let mut state = self.0.state.lock();
                let now = self.0.now(&mut state);
                if now >= target {
                    return;
                }
                state.held.is_none().then(|| target.since(now))
            };
            // The sender lives in `self`, so `changed` cannot fail.
            match wait {
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, changed.changed()).await;
                }
                None => {
                    let _ = changed.changed().await;
                }
            }
        }
    }

    /// Notices of every hold, step, jump and resume.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    fn change(&self, edit: impl FnOnce(&BrokerClockInner, &mut BrokerClockState)) {
        edit(&self.0, &mut self.0.state.lock());
        self.0.changed.send_modify(|count| *count += 1);
    }
}

impl BrokerClockInner {
    fn now(&self, state: &mut BrokerClockState) -> Timestamp {
        let shown = state.held.unwrap_or_else(|| {
            Timestamp::from_millis(self.wall.millis().saturating_add(state.offset))
        });
        state.floor = state.floor.max(shown);
        state.floor
    }

    fn move_to(&self, state: &mut BrokerClockState, target: Timestamp) {
        let now = self.now(state);
        if target <= now {
            return;
        }
        match &mut state.held {
            Some(at) => *at = target,
            None => state.offset = target.as_millis().saturating_sub(self.wall.millis()),
        }
    }
}

impl Wall {
    fn millis(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |span| {
                    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
                }),
            Self::Still(millis) => millis.load(Ordering::Relaxed),
        }
    }
}

/// A moment at which something happens; given up when dropped. See [`BrokerClock::claim`].
#[derive(Debug)]
pub struct Claim {
    clock: BrokerClock,
    key: (Timestamp, u64),
}

impl Claim {
    pub fn at(&self) -> Timestamp {
        self.key.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.clock.0.state.lock().claims.remove(&self.key);
    }
}

impl std::fmt::Debug for BrokerClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrokerClock({})", self.now())
    }
}

/// Real time: monotonic, never held. The manual one of tests moves only by [`RealClock::advance`].
#[derive(Clone, Debug)]
pub struct RealClock(Arc<RealClockInner>);

#[derive(Debug)]
enum RealClockInner {
    System,
    Manual {
        start: Instant,
        passed: watch::Sender<Duration>,
    },
}

impl RealClock {
    pub fn system() -> Self {
        Self(Arc::new(RealClockInner::System))
    }

    /// The clock of tests.
    pub fn manual() -> Self {
        Self(Arc::new(RealClockInner::Manual {
            start: Instant::now(),
            passed: watch::Sender::new(Duration::ZERO),
        }))
    }

    pub fn now(&self) -> Instant {
        match &*self.0 {
            RealClockInner::System => Instant::now(),
            RealClockInner::Manual { start, passed } => *start + *passed.borrow(),
        }
    }

    /// The wall clock in milliseconds since the epoch, for deadlines that other processes keep.
    pub fn wall_millis(&self) -> i64 {
        Wall::System.millis()
    }

    /// Moves a manual clock; the system's clock moves by itself.
    pub fn advance(&self, span: Duration) {
        if let RealClockInner::Manual { passed, .. } = &*self.0 {
            passed.send_modify(|total| *total += span);
        }
    }

    pub async fn sleep(&self, span: Duration) {
        self.sleep_until(self.now() + span).await;
    }

    pub async fn sleep_until(&self, target: Instant) {
        match &*self.0 {
            RealClockInner::System => tokio::time::sleep_until(target.into()).await,
            RealClockInner::Manual { start, passed } => {
                let mut changes = passed.subscribe();
                // The sender lives in `self`, so waiting cannot fail.
                let _ = changes.wait_for(|passed| *start + *passed >= target).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_still_clock_moves_only_by_hand_and_never_back() {
        let clock = BrokerClock::still(at(1000));
        clock.step(Duration::from_millis(500));
        assert_eq!(clock.now(), at(1500));
        clock.jump_to(at(100));
        assert_eq!(clock.now(), at(1500));
    }

    #[test]
    fn a_restored_clock_does_not_fall_below_its_floor() {
        let far = at(i64::MAX / 4);
        let clock = BrokerClock::restore(SavedClock {
            offset: 0,
            held: None,
            floor: far,
        });
        assert_eq!(clock.now(), far);
    }

    #[test]
    fn resume_goes_on_from_the_held_moment() {
        let clock = BrokerClock::system();
        clock.hold();
        clock.step(Duration::from_secs(3600));
        let held = clock.now();
        clock.resume();
        assert!(clock.now() >= held);
        assert!(!clock.is_held());
    }

    #[tokio::test]
    async fn sleepers_wake_when_time_is_stepped_and_name_what_is_due() {
        let clock = BrokerClock::still(at(0));
        let sleeper = clock.clone();
        let mut sleep = std::pin::pin!(sleeper.sleep_until(at(10_000), "retry"));
        assert!(futures_util::poll!(&mut sleep).is_pending());
        assert_eq!(
            clock.next_due(),
            Some(NextDue {
                at: at(10_000),
                what: "retry"
            })
        );
        clock.step(Duration::from_secs(10));
        sleep.as_mut().await;
    }

    #[tokio::test]
    async fn a_manual_real_clock_wakes_by_advance() {
        let clock = RealClock::manual();
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(5)));
        assert!(futures_util::poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_secs(5));
        sleep.await;
    }
}
