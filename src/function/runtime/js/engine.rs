//! One QuickJS engine: begins a call, runs what is due, and says how far it got. Lives and dies on one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rquickjs::{Context, Ctx, Error, Object, Runtime, TypedArray, Value};
use tokio_util::sync::CancellationToken;

use crate::clock::RealClock;
use crate::domain::function::FunctionDefinition;
use crate::function::runtime::js::natives::{self, Desk};
use crate::function::runtime::js::settings;
use crate::function::runtime::{Answer, Call, CallKind, Exit, Launch};

/// Stack of the script in bytes (SC-3); the thread's own is larger.
const SCRIPT_STACK: usize = 512 * 1024;

const BUFFER: &str = include_str!("../../../../assets/runtime/js/buffer.js");
const CONSOLE: &str = include_str!("../../../../assets/runtime/js/console.js");
const BRIDGE: &str = include_str!("../../../../assets/runtime/js/bridge.js");

/// How far a call got.
#[derive(Debug)]
pub(super) enum Step {
    /// It is over, and the engine can take the next.
    Over(Answer),
    /// It is over, and so is the engine: a limit was passed (SC-4).
    Dead(Answer),
    /// Nothing to run until this moment; forever, if there is none.
    Waiting(Option<Instant>),
}

/// Why the script side did not come back in order.
enum Broken {
    /// The interrupt; with the place where the code was.
    Stopped(String),
    OutOfMemory,
    /// The bridge itself failed.
    Error(String),
}

pub(super) struct Engine {
    context: Context,
    runtime: Runtime,
    definition: Arc<FunctionDefinition>,
    desk: Rc<Desk>,
    stop: Rc<Stop>,
}

/// When to interrupt the script.
struct Stop {
    /// The instance is over.
    ended: CancellationToken,
    /// The present call is given up.
    call: RefCell<CancellationToken>,
}

impl Stop {
    fn is_asked(&self) -> bool {
        self.ended.is_cancelled() || self.call.borrow().is_cancelled()
    }
}

impl Engine {
    /// Builds an engine that can take calls; `ended` stops whatever it does.
    pub(super) fn new(
        launch: &Launch,
        settings: String,
        real: &RealClock,
        ended: CancellationToken,
    ) -> Result<Self, String> {
        let told = |error: Error| format!("the script engine does not start: {error}");
        let definition = launch.definition.clone();
        let runtime = Runtime::new().map_err(told)?;
        runtime.set_memory_limit(definition.memory as usize * 1024 * 1024);
        runtime.set_max_stack_size(SCRIPT_STACK);
        let context = Context::full(&runtime).map_err(told)?;
        let desk = Rc::new(Desk::new(real.clone(), launch.log.clone()));
        context
            .with(|ctx| install(&ctx, &desk, settings))
            .map_err(told)?;
        let stop = Rc::new(Stop {
            ended,
            call: RefCell::default(),
        });
        let watched = stop.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || watched.is_asked())));
        runtime.set_host_promise_rejection_tracker(Some(Box::new(
            |ctx, promise, reason, handled| {
                // Out of memory or interrupted: the call fails over that itself.
                let _ = bridge(&ctx).and_then(|bridge| {
                    let rejected: rquickjs::Function = bridge.get("rejected")?;
                    rejected.call::<_, ()>((promise, reason, handled))
                });
            },
        )));
        Ok(Self {
            context,
            runtime,
            definition,
            desk,
            stop,
        })
    }

    /// Runs `call` as far as it goes.
    pub(super) fn begin(&self, call: &Call) -> Step {
        self.desk.begin(call.log.clone());
        self.stop.call.replace(call.cancelled.clone());
        let request = settings::of_call(&self.definition, call).to_string();
        let begun = self.within(|ctx, bridge| {
            let begin: rquickjs::Function = bridge.get("begin")?;
            match call.kind {
                CallKind::Invoke => {
                    let event = TypedArray::<u8>::new_copy(ctx.clone(), &call.event)?;
                    begin.call((request, event))
                }
                CallKind::Initialize | CallKind::PreStop | CallKind::PreFreeze => {
                    begin.call((request,))
                }
            }
        });
        self.step(begun.and_then(|()| self.run()))
    }

    /// Goes on with a call that waited.
    pub(super) fn resume(&self) -> Step {
        self.step(self.run())
    }

    /// Memory of the script in bytes.
    pub(super) fn memory(&self) -> u64 {
        u64::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(0)
    }

    /// Runs jobs and timers that are due until the call is answered or nothing is left; says when more is due.
    fn run(&self) -> Result<Option<Instant>, Broken> {
        loop {
            self.run_jobs()?;
            let fired = self.within(|_, bridge| {
                let step: rquickjs::Function = bridge.get("step")?;
                step.call::<_, bool>(())
            })?;
            if !fired {
                break;
            }
        }
        let due = self.within(|_, bridge| {
            let due: rquickjs::Function = bridge.get("due")?;
            due.call::<_, Option<f64>>(())
        })?;
        Ok(due.map(|millis| self.desk.moment(millis)))
    }

    fn run_jobs(&self) -> Result<(), Broken> {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(false) => return Ok(()),
                Ok(true) if self.stop.is_asked() => return Err(Broken::Stopped(String::new())),
                Ok(true) => self.context.with(|ctx| self.check_swallowed(&ctx))?,
                // Errors of scripts become rejections; what comes out of a job is a limit that was passed.
                Err(job) => {
                    let thrown = job.0.with(|ctx| self.broken(&ctx.clone(), &ctx.catch()));
                    return Err(thrown);
                }
            }
        }
    }

    fn step(&self, ran: Result<Option<Instant>, Broken>) -> Step {
        match ran {
            _ if self.desk.is_answered() => match self.desk.take_answer() {
                Some(answer @ Answer::Exited(_)) => Step::Dead(answer),
                Some(answer) => Step::Over(answer),
                None => Step::Waiting(None),
            },
            Ok(due) => Step::Waiting(due),
            Err(Broken::OutOfMemory) => Step::Dead(Answer::Exited(Exit::OutOfMemory)),
            Err(Broken::Stopped(place)) => {
                let text = format!("Stopped while running\r{place}");
                self.desk.log("error", text.trim_end());
                Step::Dead(Answer::Exited(Exit::Code(0)))
            }
            Err(Broken::Error(text)) => {
                self.desk.log("error", &text);
                Step::Dead(Answer::Exited(Exit::Code(1)))
            }
        }
    }

    fn within<R>(
        &self,
        work: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>) -> rquickjs::Result<R>,
    ) -> Result<R, Broken> {
        self.context.with(|ctx| {
            let done = bridge(&ctx).and_then(|bridge| work(&ctx, &bridge));
            let done = done.map_err(|error| match error {
                Error::Exception => self.broken(&ctx, &ctx.catch()),
                Error::Allocation => Broken::OutOfMemory,
                other => Broken::Error(other.to_string()),
            })?;
            self.check_swallowed(&ctx)?;
            Ok(done)
        })
    }

    /// Where memory runs out while QuickJS queues a job, it drops the job, and only the exception is left to tell.
    fn check_swallowed(&self, ctx: &Ctx<'_>) -> Result<(), Broken> {
        if !ctx.has_exception() {
            return Ok(());
        }
        match self.broken(ctx, &ctx.catch()) {
            Broken::OutOfMemory => Err(Broken::OutOfMemory),
            Broken::Stopped(_) | Broken::Error(_) => Ok(()),
        }
    }

    fn broken(&self, ctx: &Ctx<'_>, thrown: &Value<'_>) -> Broken {
        let error = thrown.as_object();
        let text = |name: &str| -> String {
            let found = error.and_then(|error| error.get::<_, Option<String>>(name).ok());
            found.flatten().unwrap_or_default()
        };
        // Reading a property of a script's error may throw in turn.
        let (message, stack) = (text("message"), text("stack"));
        ctx.catch();
        if self.stop.is_asked() {
            return Broken::Stopped(own_frames(&stack));
        }
        // With no room left QuickJS throws what it could still make; the bridge itself throws nothing else of that kind.
        match error {
            Some(_) if !matches!(message.as_str(), "" | "out of memory") => Broken::Error(message),
            _ => Broken::OutOfMemory,
        }
    }
}

/// The frames of the user's code on one physical line.
fn own_frames(stack: &str) -> String {
    let own = stack
        .lines()
        .take_while(|line| !line.contains("(moonport:"));
    let mut own: Vec<&str> = own.collect();
    if own.last().is_some_and(|line| line.ends_with("(native)")) {
        own.pop();
    }
    own.join("\r")
}

/// Puts console, bytes and the bridge into a fresh context.
fn install(ctx: &Ctx<'_>, desk: &Rc<Desk>, settings: String) -> rquickjs::Result<()> {
    let native = natives::object(ctx, desk)?;
    let settings = ctx.json_parse(settings)?;
    let part = |name: &str, source: &str| {
        natives::evaluate(ctx, &format!("moonport:{name}"), source.to_owned())
    };
    let bytes: Object = part("buffer", BUFFER)?.call((native.clone(),))?;
    let buffer: Value = bytes.get("Buffer")?;
    let console: Object =
        part("console", CONSOLE)?.call((native.clone(), settings.clone(), buffer))?;
    let bridge: Object = part("bridge", BRIDGE)?.call((native, settings, bytes, console))?;
    ctx.store_userdata(bridge)
        .map_err(|_| Error::Unknown)
        .map(|_| ())
}

fn bridge<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let stored = ctx.userdata::<Object<'js>>().ok_or(Error::Unknown)?;
    Ok((*stored).clone())
}
