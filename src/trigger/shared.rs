//! What the lanes of one trigger share, and the commands a person gives them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::activity::{Happening, NoticeLevel};
use crate::control::Reply;
use crate::control::error::ControlError;
use crate::control::triggers::TriggerCommand;
use crate::domain::ids::RequestId;
use crate::domain::message::Place;
use crate::domain::trigger::TriggerDefinition;
use crate::trigger::batch::Item;
use crate::trigger::options::TriggerOptions;
use crate::trigger::saved::{Next, SavedAttempt, SavedMode, TriggerStoreError};
use crate::trigger::settle::Settler;
use crate::trigger::status::{Mode, Orders, Status};
use crate::trigger::unit::{Chain, Split, Unit};

pub(super) struct Shared {
    pub(super) definition: Arc<TriggerDefinition>,
    pub(super) options: TriggerOptions,
    pub(super) status: Arc<Status>,
    pub(super) orders: watch::Sender<Orders>,
    /// Failed attempts that are written down, by message.
    pub(super) saved: Mutex<HashMap<Place, SavedAttempt>>,
    pub(super) settler: Settler,
    /// The group keeps order (TR-28).
    pub(super) orderly: bool,
    pub(super) stopping: CancellationToken,
    pub(super) warned_of_bytes: AtomicBool,
}

impl Shared {
    /// Changes the mode, durably where it outlives the process.
    pub(super) fn set_mode(&self, mode: Mode) {
        let saved = match &mode {
            Mode::Running => Some(SavedMode::Running),
            Mode::Paused => Some(SavedMode::Paused),
            Mode::Stopped { error } => Some(SavedMode::Stopped {
                error: error.clone(),
            }),
            // Whether it can start is found out anew each time.
            Mode::StartFailed { .. } => None,
        };
        if let Some(saved) = saved {
            let written = self.options.store.put_mode(&self.definition.name, &saved);
            self.told(written);
        }
        self.status.set_mode(&mode);
        self.orders.send_modify(|orders| orders.mode = mode);
    }

    /// What was received, as units of work.
    pub(super) fn chains(&self, batch: Vec<Item>) -> Vec<Chain> {
        self.warn_of_bytes(&batch);
        let split = Split {
            saved: &self.saved.lock(),
            orderly: self.orderly,
        };
        let options = &self.options;
        split.chains(batch, || {
            RequestId::fresh(options.clock.now(), options.random())
        })
    }

    /// Writes a unit's attempts down before its wait starts.
    pub(super) fn save(&self, unit: &Unit) {
        let attempts = unit.saved();
        let name = &self.definition.name;
        self.told(self.options.store.put_attempts(name, &attempts));
        let mut saved = self.saved.lock();
        for attempt in attempts {
            saved.insert(attempt.place.clone(), attempt);
        }
    }

    pub(super) fn forget(&self, unit: &Unit) {
        let places = unit.places();
        let known = {
            let mut saved = self.saved.lock();
            let removed = places.iter().filter(|place| saved.remove(place).is_some());
            removed.count()
        };
        if known > 0 {
            let name = &self.definition.name;
            self.told(self.options.store.forget_attempts(name, &places));
        }
    }

    /// Whether a person gave the unit up while it stopped the trigger.
    pub(super) fn is_given_up(&self, unit: &Unit) -> bool {
        let saved = self.saved.lock();
        let mut attempts = unit.items.iter().filter_map(|item| {
            let place = item.delivery.message.place();
            saved.get(&place)
        });
        attempts.any(|attempt| attempt.next == Next::Skip)
    }

    /// Carries out what a person asks for.
    pub(super) fn command(&self, command: TriggerCommand) -> Reply<()> {
        let mode = self.orders.borrow().mode.clone();
        let waits = !self.status.snapshot().waiting.is_empty();
        match (command, mode) {
            (TriggerCommand::Pause, Mode::Paused) => return self.nothing_to("pause"),
            (TriggerCommand::Resume, Mode::Running) => return self.nothing_to("resume"),
            (TriggerCommand::Pause, _) => self.set_mode(Mode::Paused),
            (TriggerCommand::Resume, _)
            | (TriggerCommand::RetryNow, Mode::Stopped { .. } | Mode::StartFailed { .. }) => {
                self.set_mode(Mode::Running);
            }
            (TriggerCommand::Skip, Mode::Stopped { .. }) => self.skip_stopped(),
            (TriggerCommand::RetryNow, Mode::Running) if waits => {
                self.orders.send_modify(|orders| orders.retry_now += 1);
            }
            (TriggerCommand::Skip, _) if waits => {
                self.orders.send_modify(|orders| orders.skip += 1);
            }
            (TriggerCommand::RetryNow, _) => return self.nothing_to("retry"),
            (TriggerCommand::Skip, _) => return self.nothing_to("skip"),
        }
        Ok(())
    }

    /// Says that a unit is done with.
    pub(super) fn report_settled(&self, unit: &Unit, given_up: bool) {
        let happening = Happening::BatchSettled {
            trigger: self.definition.name.clone(),
            request_id: unit.request_id.clone(),
            messages: u32::try_from(unit.items.len()).unwrap_or(u32::MAX),
            given_up,
        };
        let now = self.options.clock.now();
        self.options.feed.report(now, happening);
    }

    fn nothing_to(&self, what: &str) -> Reply<()> {
        let name = self.definition.name.clone();
        Err(ControlError::NothingTo(name, what.to_owned()))
    }

    /// Gives the batch up that stopped the trigger, whether a lane holds it or the broker will hand it out again.
    fn skip_stopped(&self) {
        let stopped: Vec<SavedAttempt> = {
            let mut saved = self.saved.lock();
            let stopped = saved
                .values_mut()
                .filter(|attempt| attempt.next == Next::Stopped);
            stopped
                .map(|attempt| {
                    attempt.next = Next::Skip;
                    attempt.clone()
                })
                .collect()
        };
        let name = &self.definition.name;
        self.told(self.options.store.put_attempts(name, &stopped));
        self.set_mode(Mode::Running);
    }

    /// Says once that a body was not the text it should be (TR-13).
    fn warn_of_bytes(&self, batch: &[Item]) {
        let some = batch.iter().any(|item| item.element.not_text);
        if some && !self.warned_of_bytes.swap(true, Ordering::Relaxed) {
            let name = &self.definition.name;
            let text = format!(
                "trigger `{name}`: a body is not UTF-8 text and goes to the function as base64"
            );
            let level = NoticeLevel::Warn;
            let now = self.options.clock.now();
            let feed = &self.options.feed;
            feed.report(now, Happening::Notice { level, text });
        }
    }

    fn told(&self, written: Result<(), TriggerStoreError>) {
        if let Err(error) = written {
            tracing::error!(trigger = %self.definition.name, %error, "trigger state not durable");
            self.status.note_error(error.to_string());
        }
    }
}
