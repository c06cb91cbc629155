//! Takes a unit to its end: attempts and waits, then acked, given up, or left to the broker when the trigger stops.

use tokio::sync::{Mutex, MutexGuard, watch};

use crate::domain::function::{ErrorClass, InvocationType};
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::Tolerance;
use crate::function::error::HostError;
use crate::function::invocation::{Invocation, Outcome};
use crate::report::Hint;
use crate::trigger::batch::largest_event;
use crate::trigger::retry::wait_after;
use crate::trigger::saved::Next;
use crate::trigger::shared::Shared;
use crate::trigger::status::{Mode, Orders, Waiting};
use crate::trigger::unit::{Chain, Unit};

/// What the clock is told that a waiting unit is due for.
const RETRY: &str = "retry of a trigger";

/// Works on one chain of units.
pub(super) struct Worker<'a> {
    shared: &'a Shared,
    /// Held while the lane's function runs.
    turn: &'a Mutex<()>,
    orders: watch::Receiver<Orders>,
}

/// How the work on a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Acked,
    GivenUp,
    /// Its messages go back to the broker.
    Left,
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

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Shared, turn: &'a Mutex<()>) -> Self {
        Self {
            shared,
            turn,
            orders: shared.orders.subscribe(),
        }
    }

    /// Unit after unit; what follows one that is left is left too.
    pub(super) async fn chain(mut self, chain: Chain) {
        for mut unit in chain {
            let end = self.work(&mut unit).await;
            if end == End::Left {
                return;
            }
            self.shared.report_settled(&unit, end == End::GivenUp);
        }
    }

    async fn work(&mut self, unit: &mut Unit) -> End {
        loop {
            match self.wait(unit).await {
                Woken::Stopping => return End::Left,
                Woken::Skip => {
                    let _in_work = self.shared.status.in_work();
                    if self.give_up(unit).await {
                        return End::GivenUp;
                    }
                    continue;
                }
                Woken::Go => {}
            }
            let Some(_turn) = self.take_turn().await else {
                continue;
            };
            let _in_work = self.shared.status.in_work();
            match self.attempt(unit).await {
                Attempt::Done => {
                    self.shared.settler.ack(&unit.items).await;
                    self.shared.forget(unit);
                    return End::Acked;
                }
                Attempt::Refused(HostError::Stopping) => {
                    self.shared.stopping.cancelled().await;
                    return End::Left;
                }
                Attempt::Refused(error) => self.cannot_start(&error),
                Attempt::Failed { error_type, error } => {
                    unit.failed += 1;
                    unit.error_type = error_type;
                    unit.error = error;
                    if !self.plan_next(unit) && self.give_up(unit).await {
                        return End::GivenUp;
                    }
                }
            }
        }
    }

    /// `None` when the trigger stopped running while others had their turn.
    async fn take_turn(&self) -> Option<MutexGuard<'a, ()>> {
        let turn = self.turn.lock().await;
        let runs = self.orders.borrow().mode == Mode::Running;
        (runs && !self.shared.stopping.is_cancelled()).then_some(turn)
    }

    /// Decides after a failure; false when the unit is to be given up (TR-25).
    fn plan_next(&self, unit: &mut Unit) -> bool {
        let definition = &self.shared.definition;
        let random = u64::from_le_bytes(self.shared.options.random());
        let limit = largest_event(definition);
        let hopeless = unit.items.iter().any(|item| item.is_too_large(limit));
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
        let waiting = (unit.failed > 0 && unit.next != Next::Stopped).then(|| Waiting {
            attempt: unit.failed + 1,
            due,
            error: unit.error.clone(),
        });
        // Claimed before the wait shows, so that nobody who sees it jumps past its end.
        let runs = begun.mode == Mode::Running;
        let _claim = runs.then(|| self.shared.options.clock.claim(due, RETRY));
        let ticket = waiting.map(|waiting| self.shared.status.wait_begins(waiting));
        let woken = self.wait_for(due, &begun).await;
        if let Some(ticket) = ticket {
            self.shared.status.wait_ended(ticket);
        }
        match (woken, unit.next) {
            (Woken::Go, Next::Skip) => Woken::Skip,
            (Woken::Go, Next::Stopped) if self.shared.is_given_up(unit) => Woken::Skip,
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
            if self.shared.stopping.is_cancelled() {
                return Woken::Stopping;
            }
            if runs && clock.now() >= due {
                return Woken::Go;
            }
            tokio::select! {
                biased;
                () = self.shared.stopping.cancelled() => {}
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
                () = clock.sleep_until(due, RETRY), if runs => {}
            }
        }
    }

    async fn attempt(&self, unit: &Unit) -> Attempt {
        let limit = largest_event(&self.shared.definition);
        if let Some(item) = unit.items.iter().find(|item| item.is_too_large(limit)) {
            let error = format!(
                "EntityTooLarge: payload size exceeds maximum allowed size ({} bytes)",
                item.element.json.len() + 2
            );
            let error_type = ErrorClass::EntityTooLarge.as_str().to_owned();
            self.shared.status.attempt_ended(Some(&error));
            return Attempt::Failed { error_type, error };
        }
        let status = &self.shared.status;
        status.attempt_begins(unit.failed == 0, unit.items.len());
        let definition = &self.shared.definition;
        let invocation = Invocation {
            function: definition.function.clone(),
            request_id: unit.request_id.clone(),
            event: unit.event(),
            invocation_type: if definition.asynchronous {
                InvocationType::Async
            } else {
                InvocationType::Sync
            },
            trigger: Some(definition.name.clone()),
            attempt: unit.failed + 1,
            message_ids: unit.message_ids(),
            places: unit.places(),
            log_tail: false,
        };
        let options = &self.shared.options;
        let attempt = if definition.asynchronous {
            // Accepted is done: what comes of it is told to the function's destinations (TR-20).
            let accepted = options.accepted.accept(invocation).await;
            accepted.map_or_else(Attempt::Refused, |()| Attempt::Done)
        } else {
            let invoked = options.invoker.invoke(invocation).await;
            invoked.map_or_else(Attempt::Refused, |outcome| judged(&outcome))
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
        self.shared.status.giving_up();
        let settled = self.shared.settler.dead_letter(unit).await;
        let died = if settled.is_ok() { unit.items.len() } else { 0 };
        self.shared.status.gave_up(died);
        match settled {
            Ok(()) => {
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
