//! What a trigger is doing, for the lanes that do it and the screens that show it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::activity::{Feed, Happening};
use crate::clock::BrokerClock;
use crate::domain::names::TriggerName;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerState;
use crate::trigger::saved::SavedMode;

/// What lanes may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    Running,
    Paused,
    /// Stopped before a batch by this error (TR-25).
    Stopped {
        error: String,
    },
    /// It cannot run as things are.
    StartFailed {
        error: String,
    },
}

impl From<SavedMode> for Mode {
    fn from(saved: SavedMode) -> Self {
        match saved {
            SavedMode::Running => Self::Running,
            SavedMode::Paused => Self::Paused,
            SavedMode::Stopped { error } => Self::Stopped { error },
        }
    }
}

/// What lanes watch: the mode, and counts of the commands that concern waiting batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orders {
    pub mode: Mode,
    pub retry_now: u64,
    pub skip: u64,
}

/// A batch that waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The attempt that comes next.
    pub attempt: u32,
    pub due: Timestamp,
    pub error: String,
}

/// Counters since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub invoked: u64,
    pub failed: u64,
    pub dead: u64,
    /// Messages that reached the function at least once.
    pub messages: u64,
}

/// Figures and state of one trigger.
pub struct Status {
    name: TriggerName,
    clock: BrokerClock,
    feed: Feed,
    inner: Mutex<Inner>,
}

struct Inner {
    mode: Option<Mode>,
    since: Timestamp,
    last_error: Option<String>,
    /// Lanes with a batch in the function.
    in_work: u32,
    waiting: BTreeMap<u32, Waiting>,
    counters: Counters,
}

/// A look at a [`Status`].
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub state: TriggerState,
    pub since: Timestamp,
    pub last_error: Option<String>,
    pub in_work: u32,
    pub waiting: Vec<Waiting>,
    pub counters: Counters,
}

impl Status {
    pub fn new(name: TriggerName, clock: BrokerClock, feed: Feed) -> Self {
        let since = clock.now();
        Self {
            name,
            clock,
            feed,
            inner: Mutex::new(Inner {
                mode: None,
                since,
                last_error: None,
                in_work: 0,
                waiting: BTreeMap::new(),
                counters: Counters::default(),
            }),
        }
    }

    pub fn set_mode(&self, mode: &Mode) {
        self.change(|inner| {
            if let Mode::Stopped { error } | Mode::StartFailed { error } = mode {
                inner.last_error = Some(error.clone());
            }
            inner.mode = Some(mode.clone());
        });
    }

    pub fn attempt_begins(&self, first: bool, messages: usize) {
        self.change(|inner| {
            inner.in_work += 1;
            inner.counters.invoked += 1;
            if first {
                inner.counters.messages += messages as u64;
            }
        });
    }

    /// `error` is the failure, if it was one.
    pub fn attempt_ended(&self, error: Option<&str>) {
        self.change(|inner| {
            inner.in_work = inner.in_work.saturating_sub(1);
            if let Some(error) = error {
                inner.counters.failed += 1;
                inner.last_error = Some(error.to_owned());
            }
        });
    }

    pub fn died(&self, messages: usize) {
        self.change(|inner| inner.counters.dead += messages as u64);
    }

    pub fn note_error(&self, error: String) {
        self.change(|inner| inner.last_error = Some(error));
    }

    /// Sets or ends the wait of a lane's batch.
    pub fn set_waiting(&self, lane: u32, waiting: Option<Waiting>) {
        self.change(|inner| {
            match waiting {
                Some(waiting) => inner.waiting.insert(lane, waiting),
                None => inner.waiting.remove(&lane),
            };
        });
    }

    pub fn snapshot(&self) -> Snapshot {
        let inner = self.inner.lock();
        Snapshot {
            state: inner.state(),
            since: inner.since,
            last_error: inner.last_error.clone(),
            in_work: inner.in_work,
            waiting: inner.waiting.values().cloned().collect(),
            counters: inner.counters,
        }
    }

    fn change(&self, edit: impl FnOnce(&mut Inner)) {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let before = inner.state();
        edit(&mut inner);
        let after = inner.state();
        if before == after {
            return;
        }
        inner.since = now;
        drop(inner);
        self.feed.report(
            now,
            Happening::TriggerChanged {
                trigger: self.name.clone(),
                state: told(&after),
            },
        );
    }
}

impl Inner {
    fn state(&self) -> TriggerState {
        match &self.mode {
            None => TriggerState::Starting,
            Some(Mode::Paused) => TriggerState::Paused,
            Some(Mode::Stopped { error }) => TriggerState::Ready {
                error: error.clone(),
            },
            Some(Mode::StartFailed { error }) => TriggerState::StartFailed {
                error: error.clone(),
            },
            Some(Mode::Running) => match self.waiting.values().min_by_key(|w| w.due) {
                None => TriggerState::Running,
                Some(next) => TriggerState::Retrying {
                    attempt: next.attempt,
                    due: next.due,
                    error: next.error.clone(),
                },
            },
        }
    }
}

/// The state in a word, with its reason.
fn told(state: &TriggerState) -> String {
    match state {
        TriggerState::Retrying {
            attempt,
            due,
            error,
        } => {
            format!("{state}: attempt {attempt} at {due}, {error}")
        }
        TriggerState::Ready { error } | TriggerState::StartFailed { error } => {
            format!("{state}: {error}")
        }
        state => state.to_string(),
    }
}
