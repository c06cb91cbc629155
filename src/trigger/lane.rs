//! One lane of a trigger: a batch at a time, from receive to settlement. A waiting batch keeps its lane (TR-32).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::activity::{Happening, NoticeLevel};
use crate::cluster::error::ClusterError;
use crate::domain::function::ErrorClass;
use crate::domain::ids::RequestId;
use crate::domain::message::Place;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::{Tolerance, TriggerDefinition};
use crate::function::error::HostError;
use crate::function::invocation::{Invocation, Outcome};
use crate::report::Hint;
use crate::trigger::batch::{Collector, Item};
use crate::trigger::options::TriggerOptions;
use crate::trigger::retry::wait_after;
use crate::trigger::saved::{Next, SavedAttempt, SavedMode};
use crate::trigger::settle::Settler;
use crate::trigger::status::{Mode, Orders, Status, Waiting};
use crate::trigger::unit::Unit;

/// Real time before a receive that failed is tried again.
const RECEIVE_PATIENCE: Duration = Duration::from_secs(1);

/// What the lanes of one trigger share.
pub struct Shared {
    pub definition: Arc<TriggerDefinition>,
    pub options: TriggerOptions,
    pub status: Status,
    pub orders: watch::Sender<Orders>,
    /// Failed attempts that are written down, by message.
    pub saved: Mutex<HashMap<Place, SavedAttempt>>,
    pub settler: Settler,
    pub stopping: CancellationToken,
    pub warned_of_bytes: AtomicBool,
}

impl Shared {
    /// Changes the mode, durably where it outlives the process.
    pub fn set_mode(&self, mode: Mode) {
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

    /// Writes a unit's attempts down before its wait starts.
    pub fn save(&self, unit: &Unit) {
        let attempts = unit.saved();
        let written = self
            .options
            .store
            .put_attempts(&self.definition.name, &attempts);
        self.told(written);
        let mut saved = self.saved.lock();
        for attempt in attempts {
            saved.insert(attempt.place.clone(), attempt);
        }
    }

    fn forget(&self, unit: &Unit) {
        let places = unit.places();
        let mut saved = self.saved.lock();
        let known = places
            .iter()
            .filter(|place| saved.remove(place).is_some())
            .count();
        drop(saved);
        if known > 0 {
            let written = self
                .options
                .store
                .forget_attempts(&self.definition.name, &places);
            self.told(written);
        }
    }

    /// Says once that a body was not the text it should be (TR-13).
    fn warn_of_bytes(&self, batch: &[Item]) {
        let some = batch.iter().any(|item| item.element.not_text);
        if some && !self.warned_of_bytes.swap(true, Ordering::Relaxed) {
            let text = format!(
                "trigger `{}`: a body is not UTF-8 text and goes to the function as base64",
                self.definition.name
            );
            let level = NoticeLevel::Warn;
            let now = self.options.clock.now();
            self.options
                .feed
                .report(now, Happening::Notice { level, text });
        }
    }

    fn told(&self, written: Result<(), crate::trigger::saved::TriggerStoreError>) {
        if let Err(error) = written {
            tracing::error!(trigger = %self.definition.name, %error, "trigger state not durable");
            self.status.note_error(error.to_string());
        }
    }
}

pub struct Lane {
    pub number: u32,
    pub shared: Arc<Shared>,
    pub collector: Collector,
    pub orders: watch::Receiver<Orders>,
}

/// Why a wait ended.
enum Woken {
    Go,
    Skip,
    Stopping,
}

/// What became of one attempt.
enum Attempt {
    Done,
    Failed {
        error_type: String,
        error: String,
    },
    /// It did not run and does not count.
    Refused(HostError),
}

impl Lane {
    /// Works until the trigger stops.
    pub async fn run(mut self) {
        let stopping = self.shared.stopping.clone();
        while !stopping.is_cancelled() {
            let Some(batch) = self.collect(&stopping).await else {
                continue;
            };
            let fresh_id = || {
                let options = &self.shared.options;
                RequestId::fresh(options.clock.now(), options.random())
            };
            self.shared.warn_of_bytes(&batch);
            let units = Unit::split(batch, &self.shared.saved.lock(), fresh_id);
            for unit in units {
                self.work(unit).await;
            }
        }
    }

    /// The next batch; `None` when the mode changed, the receive failed or the trigger stops.
    async fn collect(&mut self, stopping: &CancellationToken) -> Option<Vec<Item>> {
        if self.orders.borrow_and_update().mode != Mode::Running {
            tokio::select! {
                () = stopping.cancelled() => {}
                _ = self.orders.changed() => {}
            }
            return None;
        }
        let received = tokio::select! {
            biased;
            () = stopping.cancelled() => return None,
            _ = self.orders.changed() => return None,
            received = self.collector.next() => received,
        };
        match received {
            Ok(batch) => Some(batch),
            Err(error) => {
                self.receive_failed(error, stopping).await;
                None
            }
        }
    }

    async fn receive_failed(&self, error: ClusterError, stopping: &CancellationToken) {
        match error {
            ClusterError::TopicNotFound(_) | ClusterError::GroupNotFound(_) => {
                let error = error.to_string();
                self.shared.set_mode(Mode::StartFailed { error });
            }
            ClusterError::Stopping => stopping.cancelled().await,
            error => {
                self.shared.status.note_error(error.to_string());
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = self.shared.options.real.sleep(RECEIVE_PATIENCE) => {}
                }
            }
        }
    }

    /// Takes a unit to its end: settled, or left to the broker when the trigger stops.
    async fn work(&mut self, mut unit: Unit) {
        loop {
            match self.wait(&mut unit).await {
                Woken::Stopping => return,
                Woken::Skip => {
                    if self.give_up(&mut unit).await {
                        return;
                    }
                    continue;
                }
                Woken::Go => {}
            }
            match self.attempt(&unit).await {
                Attempt::Done => {
                    self.shared.settler.ack(&unit.items).await;
                    return self.shared.forget(&unit);
                }
                Attempt::Refused(HostError::Stopping) => {
                    return self.shared.stopping.cancelled().await;
                }
                Attempt::Refused(error) => self.cannot_start(&error),
                Attempt::Failed { error_type, error } => {
                    unit.failed += 1;
                    unit.error_type = error_type;
                    unit.error = error;
                    if !self.plan_next(&mut unit) && self.give_up(&mut unit).await {
                        return;
                    }
                }
            }
        }
    }

    /// Decides after a failure; false when the unit is to be given up (TR-25).
    fn plan_next(&self, unit: &mut Unit) -> bool {
        let definition = &self.shared.definition;
        let random = u64::from_le_bytes(self.shared.options.random());
        let hopeless = unit.items.iter().any(Item::is_too_large);
        let wait = wait_after(definition.retry, unit.failed, random).filter(|_| !hopeless);
        match (wait, definition.tolerance) {
            (Some(wait), _) => {
                unit.next = Next::Attempt(self.shared.options.clock.now() + wait);
                self.shared.save(unit);
                true
            }
            (None, Tolerance::All) => false,
            (None, Tolerance::None) => {
                unit.next = Next::Stopped;
                self.shared.save(unit);
                let error = unit.error.clone();
                self.shared.set_mode(Mode::Stopped { error });
                true
            }
        }
    }

    fn cannot_start(&self, error: &HostError) {
        let mut told = error.to_string();
        if let Some(hint) = error.hint() {
            told = format!("{told}; {hint}");
        }
        self.shared.set_mode(Mode::StartFailed { error: told });
    }

    /// Waits until the unit may be tried: its time has come and the trigger runs.
    async fn wait(&mut self, unit: &mut Unit) -> Woken {
        let begun = self.orders.borrow_and_update().clone();
        let due = match unit.next {
            Next::Attempt(due) => due,
            Next::Stopped | Next::Skip => Timestamp::EPOCH,
        };
        let is_wait = unit.failed > 0 && unit.next != Next::Stopped;
        if is_wait {
            let waiting = Waiting {
                attempt: unit.failed + 1,
                due,
                error: unit.error.clone(),
            };
            self.shared.status.set_waiting(self.number, Some(waiting));
        }
        let woken = self.wait_for(due, &begun).await;
        self.shared.status.set_waiting(self.number, None);
        match (woken, unit.next) {
            (Woken::Go, Next::Skip) => Woken::Skip,
            (Woken::Go, Next::Stopped) => {
                // A person started the trigger again: from the first attempt on.
                unit.restart();
                self.shared.forget(unit);
                Woken::Go
            }
            (woken, _) => woken,
        }
    }

    async fn wait_for(&mut self, due: Timestamp, begun: &Orders) -> Woken {
        let clock = self.shared.options.clock.clone();
        let mut runs = begun.mode == Mode::Running;
        loop {
            if runs && clock.now() >= due {
                return Woken::Go;
            }
            tokio::select! {
                biased;
                () = self.shared.stopping.cancelled() => return Woken::Stopping,
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        return Woken::Stopping;
                    }
                    let orders = self.orders.borrow_and_update();
                    runs = orders.mode == Mode::Running;
                    if orders.skip != begun.skip {
                        return Woken::Skip;
                    }
                    if runs && orders.retry_now != begun.retry_now {
                        return Woken::Go;
                    }
                }
                () = clock.sleep_until(due, "retry of a trigger"), if runs => {}
            }
        }
    }

    async fn attempt(&self, unit: &Unit) -> Attempt {
        if let Some(item) = unit.items.iter().find(|item| item.is_too_large()) {
            let error = format!(
                "EntityTooLarge: payload size exceeds maximum allowed size ({} bytes)",
                item.element.json.len() + 2
            );
            let error_type = ErrorClass::EntityTooLarge.as_str().to_owned();
            return Attempt::Failed { error_type, error };
        }
        let status = &self.shared.status;
        status.attempt_begins(unit.failed == 0, unit.items.len());
        let definition = &self.shared.definition;
        let invocation = Invocation {
            function: definition.function.clone(),
            request_id: unit.request_id.clone(),
            event: unit.event(),
            trigger: Some(definition.name.clone()),
            attempt: unit.failed + 1,
            message_ids: unit.message_ids(),
        };
        let attempt = match self.shared.options.invoker.invoke(invocation).await {
            Ok(outcome) => judged(&outcome),
            Err(error) => Attempt::Refused(error),
        };
        match &attempt {
            Attempt::Failed { error, .. } => status.attempt_ended(Some(error)),
            Attempt::Done | Attempt::Refused(_) => status.attempt_ended(None),
        }
        attempt
    }

    /// Dead letters, or nothing where none are kept; then the messages are done with. False when the letters found no
    /// place: the unit waits until a person has mended that (TR-25).
    async fn give_up(&self, unit: &mut Unit) -> bool {
        match self.shared.settler.dead_letter(unit).await {
            Ok(()) => {
                self.shared.status.died(unit.items.len());
                self.shared.forget(unit);
                true
            }
            Err(error) => {
                unit.next = Next::Skip;
                self.shared.save(unit);
                let error = format!("a dead letter was refused: {error}");
                self.shared.set_mode(Mode::StartFailed { error });
                false
            }
        }
    }
}

fn judged(outcome: &Outcome) -> Attempt {
    match outcome.record.error {
        None => Attempt::Done,
        Some(class) => Attempt::Failed {
            error_type: class.as_str().to_owned(),
            error: outcome
                .record
                .error_message
                .clone()
                .unwrap_or_else(|| class.as_str().to_owned()),
        },
    }
}
