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
pub(super) enum Mode {
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
pub(super) struct Orders {
    pub(super) mode: Mode,
    pub(super) retry_now: u64,
    pub(super) skip: u64,
}

/// A batch that waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The attempt that comes next.
    pub(super) attempt: u32,
    pub(super) due: Timestamp,
    pub(super) error: String,
}

/// Counters since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) invoked: u64,
    pub(super) failed: u64,
    pub(super) dead: u64,
    /// Messages that reached the function at least once.
    pub(super) messages: u64,
}

/// Figures and state of one trigger.
pub(super) struct Status {
    name: TriggerName,
    clock: BrokerClock,
    feed: Feed,
    inner: Mutex<Inner>,
}

struct Inner {
    mode: Option<Mode>,
    since: Timestamp,
    last_error: Option<String>,
    /// Batches in the function or on their way to be settled.
    in_work: u32,
    /// By ticket.
    waiting: BTreeMap<u64, Waiting>,
    next_ticket: u64,
    counters: Counters,
}

/// A look at a [`Status`].
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) state: TriggerState,
    pub(super) since: Timestamp,
    pub(super) last_error: Option<String>,
    pub(super) in_work: u32,
    pub(super) waiting: Vec<Waiting>,
    pub(super) counters: Counters,
}

impl Status {
    pub(super) fn new(name: TriggerName, clock: BrokerClock, feed: Feed) -> Self {
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
                next_ticket: 0,
                counters: Counters::default(),
            }),
        }
    }

    pub(super) fn set_mode(&self, mode: &Mode) {
        self.change(|inner| {
            if let Mode::Stopped { error } | Mode::StartFailed { error } = mode {
                inner.last_error = Some(error.clone());
            }
            inner.mode = Some(mode.clone());
        });
    }

    /// A batch is in work until the guard goes: in the function, or on its way to be settled.
    pub(super) fn in_work(&self) -> InWork<'_> {
        self.change(|inner| inner.in_work += 1);
        InWork(self)
    }

    pub(super) fn attempt_begins(&self, first: bool, messages: usize) {
        self.change(|inner| {
            inner.counters.invoked += 1;
            if first {
                inner.counters.messages += messages as u64;
            }
        });
    }

    /// `error` is the failure, if it was one.
    pub(super) fn attempt_ended(&self, error: Option<&str>) {
        let Some(error) = error else { return };
        self.change(|inner| {
            inner.counters.failed += 1;
            inner.last_error = Some(error.to_owned());
        });
    }

    /// Dead letters are being written: that is work too.
    pub(super) fn giving_up(&self) {
        self.change(|inner| inner.in_work += 1);
    }

    /// So many messages became dead letters.
    pub(super) fn gave_up(&self, messages: usize) {
        self.change(|inner| {
            inner.in_work = inner.in_work.saturating_sub(1);
            inner.counters.dead += messages as u64;
        });
    }

    pub(super) fn note_error(&self, error: String) {
        self.change(|inner| inner.last_error = Some(error));
    }

    /// A batch waits; the ticket ends its wait.
    pub(super) fn wait_begins(&self, waiting: Waiting) -> u64 {
        self.change(|inner| {
            let ticket = inner.next_ticket;
            inner.next_ticket += 1;
            inner.waiting.insert(ticket, waiting);
            ticket
        })
    }

    pub(super) fn wait_ended(&self, ticket: u64) {
        self.change(|inner| {
            inner.waiting.remove(&ticket);
        });
    }

    pub(super) fn snapshot(&self) -> Snapshot {
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

    fn change<T>(&self, edit: impl FnOnce(&mut Inner) -> T) -> T {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let (before, was_busy) = (inner.state(), inner.in_work > 0);
        let edited = edit(&mut inner);
        let (after, is_busy) = (inner.state(), inner.in_work > 0);
        // A trigger that stopped with a batch in work is at rest once that is put down.
        let stopped = matches!(
            after,
            TriggerState::Ready { .. } | TriggerState::StartFailed { .. }
        );
        if before != after {
            inner.since = now;
        } else if !(stopped && was_busy && !is_busy) {
            return edited;
        }
        drop(inner);
        self.feed.report(
            now,
            Happening::TriggerChanged {
                trigger: self.name.clone(),
                state: told(&after),
            },
        );
        edited
    }
}

/// See [`Status::in_work`].
pub(super) struct InWork<'a>(&'a Status);

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        self.0
            .change(|inner| inner.in_work = inner.in_work.saturating_sub(1));
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
