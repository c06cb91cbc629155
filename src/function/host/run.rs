//! One invocation from a free permit to its record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::activity::Happening;
use crate::domain::function::{ErrorClass, InvocationRecord};
use crate::domain::message::Place;
use crate::domain::timestamp::Timestamp;
use crate::function::error::HostError;
use crate::function::host::Inner;
use crate::function::host::entry::Entry;
use crate::function::host::live::{self, CallRequest, FirstRequest, Live, NotReady};
use crate::function::host::load_failure::trouble_of;
use crate::function::host::pool::Seat;
use crate::function::host::verdict::{Cause, Ended, Verdict, error_object, judge};
use crate::function::invocation::{Invocation, MAX_EVENT, Outcome};
use crate::function::log::{RequestLog, cut};
use crate::function::runtime::{Answer, CallKind, StartError};

/// Bytes of an event and of a result that a record keeps.
const KEPT_BYTES: usize = 4096;
/// Places of messages that a record keeps.
const KEPT_PLACES: usize = 100;

/// What came of an invocation that had its permit.
pub(super) enum Ran {
    Outcome(Box<Outcome>),
    /// The version was replaced before the code ran; try the new one.
    Retired,
    Refused(HostError),
}

/// Runs `invocation` on an instance of `entry`; the caller holds the permit, which it `waited` for.
pub(super) async fn run(
    host: &Inner,
    entry: &Entry,
    invocation: &Invocation,
    waited: Duration,
) -> Ran {
    let running = Running::new(host, entry, invocation, waited);
    if invocation.event.len() > MAX_EVENT {
        return running.too_large();
    }
    let now = host.options.real.now();
    let seat = entry.pool.lock().take(entry.definition.concurrency, now);
    let ran = running.on(&seat).await;
    let (ran, keep) = match ran {
        Ok((ran, keep)) => (ran, keep),
        Err(ran) => (ran, false),
    };
    host.give_back(entry, &seat, keep);
    ran
}

struct Running<'a> {
    host: &'a Inner,
    entry: &'a Entry,
    invocation: &'a Invocation,
    log: Arc<RequestLog>,
    waited: Duration,
}

/// The parts of a record that come from the instance.
#[derive(Default)]
struct Served<'a> {
    live: Option<&'a Live>,
    cold: bool,
    duration_ms: f64,
    peak_memory_mb: f64,
}

impl<'a> Running<'a> {
    fn new(
        host: &'a Inner,
        entry: &'a Entry,
        invocation: &'a Invocation,
        waited: Duration,
    ) -> Self {
        let id = invocation.request_id.clone();
        let log = host.options.log(&invocation.function, Some(id));
        let log = Arc::new(if invocation.log_tail {
            log.with_tail()
        } else {
            log
        });
        Self {
            host,
            entry,
            invocation,
            log,
            waited,
        }
    }

    /// Runs on this seat, starting its instance first when it has none; says whether the instance may be kept.
    async fn on(&self, seat: &Seat) -> Result<(Ran, bool), Ran> {
        let mut cold = false;
        let live = seat
            .live
            .get_or_try_init(|| {
                cold = true;
                self.start()
            })
            .await?
            .clone();
        self.host.options.report(Happening::InvocationStarted {
            function: self.invocation.function.clone(),
            request_id: self.invocation.request_id.clone(),
            attempt: self.invocation.attempt,
            cold_start: cold,
        });
        let id = &self.invocation.request_id;
        let started_at = self.host.options.clock.now();
        self.log
            .platform(format!("FC Invoke Start RequestId: {id}"));
        let ended = self.call(&live).await;
        self.note_trouble(&ended.answer);
        let definition = &self.entry.definition;
        let verdict = judge(&ended, definition.timeout, definition.memory);
        self.log.flush();
        let suffix = &verdict.suffix;
        self.log
            .platform(format!("FC Invoke End RequestId: {id}{suffix}"));
        let served = Served {
            live: Some(&live),
            cold,
            duration_ms: ended.duration_ms,
            peak_memory_mb: ended.peak_memory_mb,
        };
        let outcome = self.finish(served, started_at, verdict);
        if ended.cause == Cause::Stop {
            return Err(Ran::Refused(HostError::Stopping));
        }
        let gone = ended.cause == Cause::Deadline || matches!(ended.answer, Answer::Exited(_));
        if !gone {
            let request = FirstRequest {
                id: id.clone(),
                log: self.log.clone(),
            };
            let host = self.host;
            live.settle_down(&request, &host.options, &host.stopping)
                .await;
        }
        Ok((outcome, !gone && live.is_alive()))
    }

    /// Code that cannot be loaded is the function's trouble, not only this request's.
    fn note_trouble(&self, answer: &Answer) {
        let trouble = match answer {
            Answer::Failed(failure) => trouble_of(&self.entry.definition, failure),
            Answer::Done(_) | Answer::Exited(_) => None,
        };
        *self.entry.trouble.lock() = trouble;
    }

    async fn call(&self, live: &Live) -> Ended {
        let request = CallRequest {
            kind: CallKind::Invoke,
            id: self.invocation.request_id.clone(),
            event: self.invocation.event.clone(),
            attempt: self.invocation.attempt,
            timeout: live.bound(self.entry.definition.timeout),
            log: self.log.clone(),
        };
        live.call(request, &self.host.options, &self.host.stopping)
            .await
    }

    async fn start(&self) -> Result<Arc<Live>, Ran> {
        let runtime = match &self.entry.runtime {
            Ok(runtime) => runtime,
            Err(error) => return Err(Ran::Refused(self.entry.cannot_run(error))),
        };
        self.wait_out_crash_loop().await?;
        let first = FirstRequest {
            id: self.invocation.request_id.clone(),
            log: self.log.clone(),
        };
        let started = live::start(
            runtime.as_ref(),
            self.entry.definition.clone(),
            &self.host.options,
            first,
            &self.host.stopping,
        );
        match started.await {
            Ok(live) => {
                self.entry.crashes.lock().started();
                *self.entry.trouble.lock() = None;
                Ok(Arc::new(live))
            }
            Err(_) if self.host.stopping.is_cancelled() => Err(Ran::Refused(HostError::Stopping)),
            Err(not_ready) => Err(self.not_ready(not_ready)),
        }
    }

    /// Nothing is started while a crash loop's wait lasts (SAFE-12).
    async fn wait_out_crash_loop(&self) -> Result<(), Ran> {
        let real = &self.host.options.real;
        let until = self
            .entry
            .crashes
            .lock()
            .until(real.now())
            .map(|(at, _)| at);
        let Some(until) = until else { return Ok(()) };
        tokio::select! {
            () = real.sleep_until(until) => Ok(()),
            () = self.entry.retired.cancelled() => Err(Ran::Retired),
            () = self.host.stopping.cancelled() => Err(Ran::Refused(HostError::Stopping)),
        }
    }

    fn not_ready(&self, not_ready: NotReady) -> Ran {
        let (class, message, result) = match not_ready {
            NotReady::Start(error @ StartError::CannotRun { .. }) => {
                *self.entry.trouble.lock() = Some(error.clone());
                return Ran::Refused(self.entry.cannot_run(&error));
            }
            NotReady::Start(StartError::Died { reason }) => {
                let now = self.host.options.real.now();
                self.entry.crashes.lock().died(&reason, now);
                let result = error_object(&reason);
                (ErrorClass::FunctionNotStarted, reason, result)
            }
            NotReady::Initializer(ended) => {
                let hook = self.entry.definition.initializer.as_ref();
                let timeout = hook.map_or(0, |hook| hook.timeout);
                let verdict = judge(&ended, timeout, self.entry.definition.memory);
                let message = verdict.message.unwrap_or_default();
                (ErrorClass::InitializationError, message, verdict.result)
            }
        };
        self.failed(class, message, result)
    }

    fn too_large(&self) -> Ran {
        let message = "payload size exceeds maximum allowed size".to_owned();
        let result = error_object(&message);
        self.failed(ErrorClass::EntityTooLarge, message, result)
    }

    /// A failure before the code could run.
    fn failed(&self, class: ErrorClass, message: String, result: Bytes) -> Ran {
        self.log.flush();
        self.log.platform(format!("{}: {message}", class.as_str()));
        let verdict = Verdict {
            error: Some(class),
            message: Some(message),
            result,
            ..Verdict::default()
        };
        let now = self.host.options.clock.now();
        self.finish(Served::default(), now, verdict)
    }

    /// Writes the record, counts it and reports it.
    fn finish(&self, served: Served<'_>, started_at: Timestamp, verdict: Verdict) -> Ran {
        let mut record = self.record(&served, started_at, &verdict);
        record.number = self.host.options.runs.invocation(&record);
        self.entry.statistics.lock().count(&record);
        self.host.options.report(Happening::InvocationEnded {
            function: record.function.clone(),
            trigger: record.trigger.clone(),
            request_id: record.request_id.clone(),
            attempt: record.attempt,
            duration_ms: record.duration_ms,
            error: record.error_message.clone(),
        });
        Ran::Outcome(Box::new(Outcome {
            record,
            result: verdict.result,
            log_tail: self.invocation.log_tail.then(|| self.log.tail()),
        }))
    }

    fn kept_places(&self) -> Vec<Place> {
        let places = self.invocation.places.iter();
        places.take(KEPT_PLACES).cloned().collect()
    }

    fn record(
        &self,
        served: &Served<'_>,
        started_at: Timestamp,
        verdict: &Verdict,
    ) -> InvocationRecord {
        let cold = served.live.filter(|_| served.cold);
        let millis = |span: Option<Duration>| span.map_or(0.0, |span| span.as_secs_f64() * 1000.0);
        InvocationRecord {
            number: 0,
            request_id: self.invocation.request_id.clone(),
            function: self.invocation.function.clone(),
            trigger: self.invocation.trigger.clone(),
            invocation_type: self.invocation.invocation_type,
            attempt: self.invocation.attempt,
            message_ids: self.invocation.message_ids.clone(),
            started_at,
            schedule_ms: self.waited.as_secs_f64() * 1000.0,
            duration_ms: served.duration_ms,
            cold_start: served.cold,
            spawn_ms: millis(cold.map(|live| live.spawn)),
            initializer_ms: millis(cold.map(|live| live.initializer)),
            memory_mb: self.entry.definition.memory,
            peak_memory_mb: served.peak_memory_mb,
            instance_id: served.live.map(|live| live.id.clone()).unwrap_or_default(),
            error: verdict.error,
            error_message: verdict.message.clone(),
            event: kept(&self.invocation.event),
            result: kept(&verdict.result),
            log_lines_dropped: self.log.dropped(),
            exit: verdict.exit.clone(),
            places: self.kept_places(),
        }
    }
}

fn kept(bytes: &Bytes) -> String {
    let head = bytes.get(..KEPT_BYTES).unwrap_or(bytes);
    cut(&String::from_utf8_lossy(head), KEPT_BYTES).to_owned()
}
