//! A started instance with its hooks, and one bounded call of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::domain::function::{FunctionDefinition, Hook};
use crate::domain::ids::RequestId;
use crate::function::host::options::HostOptions;
use crate::function::host::verdict::{Cause, Ended};
use crate::function::log::RequestLog;
use crate::function::runtime::{
    Answer, Call, CallKind, End, Exit, Instance, Launch, Runtime, StartError,
};

/// Real time an instance has to go away after it was told to, before it is given up.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// An instance that is ready for requests.
pub(super) struct Live {
    pub(super) id: String,
    pub(super) definition: Arc<FunctionDefinition>,
    pub(super) spawn: Duration,
    pub(super) initializer: Duration,
    instance: Arc<dyn Instance>,
}

/// Why an instance did not get ready.
#[derive(Debug)]
pub(super) enum NotReady {
    Start(StartError),
    /// The initializer ended like this (LC-2).
    Initializer(Box<Ended>),
}

/// What a fresh instance serves first.
pub(super) struct FirstRequest {
    pub(super) id: RequestId,
    pub(super) log: Arc<RequestLog>,
}

/// Starts an instance, writes its opening line and runs its initializer.
pub(super) async fn start(
    runtime: &dyn Runtime,
    definition: Arc<FunctionDefinition>,
    options: &HostOptions,
    first: FirstRequest,
    stopping: &CancellationToken,
) -> Result<Live, NotReady> {
    let id = options.fresh_instance_id();
    let name = &definition.name;
    options.instance_event(name, "Creating", id.clone());
    let began = options.real.now();
    let launch = Launch {
        definition: definition.clone(),
        instance_id: id.clone(),
        log: first.log.clone(),
    };
    let started = tokio::select! {
        started = runtime.start(launch) => started,
        () = stopping.cancelled() => Err(StartError::Died { reason: "the host is stopping".to_owned() }),
    };
    let instance = started.map_err(|error| {
        options.instance_event(name, "RuntimeInitializationFailed", error.to_string());
        NotReady::Start(error)
    })?;
    options.instance_event(name, "RuntimeInitializationSuccess", id.clone());
    if let Some(banner) = instance.banner() {
        first.log.platform(banner);
    }
    let mut live = Live {
        id,
        definition: definition.clone(),
        spawn: options.real.now() - began,
        initializer: Duration::ZERO,
        instance,
    };
    if let Some(hook) = &definition.initializer {
        let began = options.real.now();
        let ended = live
            .hook(hook, CallKind::Initialize, &first, options, stopping)
            .await;
        live.initializer = options.real.now() - began;
        if let Some(ended) = ended {
            options.instance_event(name, "InitializationFailed", live.id.clone());
            live.instance.end(End::Unneeded).await;
            return Err(NotReady::Initializer(Box::new(ended)));
        }
        options.instance_event(name, "InitializationSuccess", live.id.clone());
    }
    options.instance_event(name, "CreateSuccess", live.id.clone());
    Ok(live)
}

impl Live {
    pub(super) fn is_alive(&self) -> bool {
        self.instance.is_alive()
    }

    /// Runs a call until it is over, its deadline passes, or the host stops. After a deadline the instance is gone.
    pub(super) async fn call(
        &self,
        request: CallRequest,
        options: &HostOptions,
        stopping: &CancellationToken,
    ) -> Ended {
        let began = options.real.now();
        let deadline = request.timeout.map(|span| began + span);
        let cancelled = CancellationToken::new();
        let call = Call {
            kind: request.kind,
            request_id: request.id,
            event: request.event,
            attempt: request.attempt,
            timeout: request.timeout,
            deadline,
            cancelled: cancelled.clone(),
            log: request.log,
        };
        let mut running = std::pin::pin!(self.instance.call(call));
        let cause = tokio::select! {
            biased;
            answer = &mut running => {
                let stopped = matches!(answer, Answer::Exited(_)) && stopping.is_cancelled();
                let cause = if stopped { Cause::Stop } else { Cause::Code };
                return self.ended(answer, cause, began, options);
            }
            () = until(options, deadline) => Cause::Deadline,
            () = stopping.cancelled() => Cause::Stop,
        };
        cancelled.cancel();
        let why = match cause {
            Cause::Deadline => End::Timeout,
            Cause::Code | Cause::Stop => End::Unneeded,
        };
        let last = async {
            let ((), answer) = tokio::join!(self.instance.end(why), &mut running);
            answer
        };
        let answer = tokio::select! {
            answer = last => answer,
            () = options.real.sleep(LAST_WAIT) => Answer::Exited(Exit::Signal("SIGKILL".to_owned())),
        };
        self.ended(answer, cause, began, options)
    }

    fn ended(&self, answer: Answer, cause: Cause, began: Instant, options: &HostOptions) -> Ended {
        Ended {
            answer,
            cause,
            duration_ms: (options.real.now() - began).as_secs_f64() * 1000.0,
            peak_memory_mb: self.instance.peak_memory_mb(),
        }
    }

    /// Runs a hook between its own log lines (LC-3); returns how it ended when it failed.
    async fn hook(
        &self,
        hook: &Hook,
        kind: CallKind,
        request: &FirstRequest,
        options: &HostOptions,
        stopping: &CancellationToken,
    ) -> Option<Ended> {
        let label = match kind {
            CallKind::PreStop => "PreStop",
            CallKind::PreFreeze => "PreFreeze",
            CallKind::Initialize | CallKind::Invoke => "Initialize",
        };
        let (id, log) = (&request.id, &request.log);
        log.platform(format!("FC {label} Start RequestId: {id}"));
        let call = CallRequest {
            kind,
            id: id.clone(),
            event: Bytes::new(),
            attempt: 1,
            timeout: self.bound(hook.timeout),
            log: log.clone(),
        };
        let ended = self.call(call, options, stopping).await;
        let failed = !matches!((&ended.answer, ended.cause), (Answer::Done(_), Cause::Code));
        let suffix = if failed {
            ", Error: Unhandled function error"
        } else {
            ""
        };
        log.platform(format!("FC {label} End RequestId: {id}{suffix}"));
        failed.then_some(ended)
    }

    /// Runs what is to run after each request, when there is such a hook (LC-1).
    pub(super) async fn settle_down(
        &self,
        request: &FirstRequest,
        options: &HostOptions,
        stopping: &CancellationToken,
    ) {
        if let Some(hook) = &self.definition.pre_freeze
            && self.is_alive()
        {
            self.hook(hook, CallKind::PreFreeze, request, options, stopping)
                .await;
        }
    }

    /// A timeout of so many seconds; none while a debugger may hold the code.
    pub(super) fn bound(&self, seconds: u32) -> Option<Duration> {
        let debugged = self.definition.debug.is_some();
        (!debugged).then(|| Duration::from_secs(u64::from(seconds)))
    }

    /// Ends the instance; `gracefully` runs its pre-stop hook before.
    pub(super) async fn end(&self, gracefully: bool, options: &HostOptions) {
        if let Some(hook) = &self.definition.pre_stop
            && gracefully
            && self.is_alive()
        {
            let id = options.fresh_request_id();
            let log = Arc::new(options.log(&self.definition.name, Some(id.clone())));
            let request = FirstRequest { id, log };
            let never = CancellationToken::new();
            self.hook(hook, CallKind::PreStop, &request, options, &never)
                .await;
        }
        self.instance.end(End::Unneeded).await;
        options.instance_event(&self.definition.name, "DestroySuccess", self.id.clone());
    }
}

/// One call as the host asks for it.
pub(super) struct CallRequest {
    pub(super) kind: CallKind,
    pub(super) id: RequestId,
    pub(super) event: Bytes,
    pub(super) attempt: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) log: Arc<RequestLog>,
}

async fn until(options: &HostOptions, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => options.real.sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
