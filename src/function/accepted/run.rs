//! One accepted event on its way to its end.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::activity::{Happening, NoticeLevel};
use crate::cluster::error::ClusterError;
use crate::domain::function::{AsyncSettings, Destination, ErrorClass};
use crate::function::accepted::outcome::{Ended, Runner, Status, record};
use crate::function::accepted::{Accepted, AcceptedEvent, AcceptedStoreError, STORE_PATIENCE};
use crate::function::error::HostError;
use crate::function::invocation::{Invocation, Invoker, Outcome};

/// Broker time before the first retry; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The work on one event.
pub(super) struct Work<'a> {
    accepted: &'a Accepted,
    event: AcceptedEvent,
    room: Option<OwnedSemaphorePermit>,
}

/// What came of all tries.
enum Tried {
    Ended(Ended),
    /// The function was deleted.
    NoFunction,
    /// The host stops; the event goes on after the next start.
    Left,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        accepted: &'a Accepted,
        event: AcceptedEvent,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            accepted,
            event,
            room,
        }
    }

    /// Tries until it succeeds or is given up, tells its destination, and forgets it; left as it is when the host stops.
    pub(super) async fn finish(mut self) {
        let ended = match self.tries().await {
            Tried::Ended(ended) => ended,
            Tried::NoFunction => return self.forget(true),
            Tried::Left => return,
        };
        let settings = self.settings();
        let destination = match ended.status {
            Status::Succeeded => settings.on_success,
            Status::Failed | Status::Expired => settings.on_failure,
        };
        self.say(ended.status);
        // Whoever takes the outcome may need the room that this event has.
        self.room = None;
        let told = match &destination {
            Some(destination) => self.deliver(destination, &ended).await,
            None => true,
        };
        if told {
            self.forget(ended.status != Status::Succeeded && destination.is_none());
        }
    }

    async fn tries(&mut self) -> Tried {
        let inner = self.accepted.0.clone();
        let clock = &inner.host.options().clock;
        let mut last = None;
        loop {
            if clock.now() < self.event.due {
                inner.note(&self.event, Some(self.event.due));
                let wait = clock.sleep_until(self.event.due, "asynchronous retry");
                inner.stopping.run_until_cancelled(wait).await;
                inner.note(&self.event, None);
            }
            if inner.stopping.is_cancelled() {
                return Tried::Left;
            }
            let settings = self.settings();
            let max_age = Duration::from_secs(u64::from(settings.max_age));
            if clock.now().since(self.event.accepted_at) > max_age {
                return Tried::Ended(ended(Status::Expired, last.as_ref()));
            }
            let failure = match inner.host.invoke(self.event.invocation()).await {
                Ok(outcome) if outcome.succeeded() => {
                    return Tried::Ended(ended(Status::Succeeded, Some(&outcome)));
                }
                Ok(outcome) => ended(Status::Failed, Some(last.insert(outcome))),
                Err(HostError::NotFound(_)) => return Tried::NoFunction,
                Err(HostError::Stopping) => return Tried::Left,
                Err(error) => cannot_run(&error),
            };
            self.event.failed += 1;
            if self.event.failed > settings.retries {
                return Tried::Ended(failure);
            }
            self.plan_next();
        }
    }

    /// Writes the failed try down before its wait.
    fn plan_next(&mut self) {
        let clock = &self.accepted.0.host.options().clock;
        let doubled = 1_u32 << (self.event.failed - 1).min(16);
        self.event.due = clock.now() + FIRST_WAIT * doubled;
        self.kept(self.accepted.0.store.put(&self.event));
        self.accepted.0.note(&self.event, Some(self.event.due));
        self.report("Retrying");
    }

    /// False when the host stops before the outcome is on its way.
    async fn deliver(&self, destination: &Destination, ended: &Ended) -> bool {
        let inner = &self.accepted.0;
        let options = inner.host.options();
        let runner = Runner {
            region: &options.region,
            account_id: &options.account_id,
        };
        let body = record(&self.event, ended, &runner, options.clock.now());
        let told = match destination {
            Destination::Function(function) => {
                let id = options.fresh_request_id();
                let next = Invocation::later(function.clone(), id, body);
                match self.accepted.accept(next).await {
                    Err(HostError::Stopping) => return false,
                    accepted => accepted.map_err(|error| error.to_string()),
                }
            }
            Destination::Topic { instance, topic } => loop {
                match inner.outlet.send(instance, topic, body.clone()).await {
                    Err(ClusterError::Stopping) => return false,
                    Err(error) if passes(&error) => options.real.sleep(STORE_PATIENCE).await,
                    sent => break sent.map_err(|error| error.to_string()),
                }
            },
        };
        if let Err(error) = told {
            let text = format!(
                "the outcome of `{}` ({}) did not reach {destination}: {error}",
                self.event.function, self.event.request_id
            );
            let level = NoticeLevel::Error;
            options.report(Happening::Notice { level, text });
        }
        true
    }

    fn forget(&self, given_up: bool) {
        self.kept(self.accepted.0.store.remove(self.event.number));
        self.accepted.0.note_end(&self.event, given_up);
        self.report("Done");
    }

    /// The end of an event that did not just succeed is in its log.
    fn say(&self, status: Status) {
        if status != Status::Succeeded {
            let options = self.accepted.0.host.options();
            let id = &self.event.request_id;
            let log = options.log(&self.event.function, Some(id.clone()));
            let tries = self.event.failed;
            log.platform(format!(
                "Async {} RequestId: {id}, {tries} failed tries",
                status.as_str()
            ));
        }
        self.report(status.as_str());
    }

    fn report(&self, status: &str) {
        let options = self.accepted.0.host.options();
        options.report(Happening::AsyncChanged {
            function: self.event.function.clone(),
            request_id: self.event.request_id.clone(),
            status: status.to_owned(),
        });
    }

    fn settings(&self) -> AsyncSettings {
        let row = self.accepted.0.host.row(&self.event.function);
        row.map(|row| *row.definition.asynchronous)
            .unwrap_or_default()
    }

    fn kept(&self, written: Result<(), AcceptedStoreError>) {
        if let Err(error) = written {
            tracing::error!(id = %self.event.request_id, %error, "an accepted event is not durable");
        }
    }
}

fn ended(status: Status, last: Option<&Outcome>) -> Ended {
    Ended {
        status,
        error: last
            .and_then(|outcome| outcome.record.error)
            .map(ErrorClass::as_str),
        response: last
            .map(|outcome| outcome.result.clone())
            .unwrap_or_default(),
    }
}

fn cannot_run(error: &HostError) -> Ended {
    Ended {
        status: Status::Failed,
        error: Some(ErrorClass::FunctionNotStarted.as_str()),
        response: Bytes::from(error.to_string()),
    }
}

/// True for a failure that goes away by itself.
fn passes(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::StoreFull(_) | ClusterError::StoreFailed(_) | ClusterError::Throttled { .. }
    )
}
