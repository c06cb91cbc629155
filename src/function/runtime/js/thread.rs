//! The thread of an engine: takes commands, sends back how far a call got, and ends with the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::clock::RealClock;
use crate::function::runtime::closure::fence::fenced;
use crate::function::runtime::js::engine::{Engine, Step};
use crate::function::runtime::{Answer, Call, Exit, Launch};

/// Room for the script's stack and for what the engine needs on top.
const THREAD_STACK: usize = 4 * 1024 * 1024;

/// What an engine is asked to do.
pub(super) enum Command {
    /// Begin a call, and tell every step of it.
    Begin {
        call: Box<Call>,
        steps: mpsc::UnboundedSender<Step>,
    },
    /// The moment that a call waited for has come.
    Resume,
}

/// The host's side of a running engine thread.
pub(super) struct EngineThread {
    pub(super) commands: Sender<Command>,
    /// Cancelled when the thread is gone.
    pub(super) gone: CancellationToken,
    /// Most memory seen so far, in bytes.
    pub(super) peak: Arc<AtomicU64>,
}

/// Starts a thread with an engine on it; returns when the engine can take calls.
pub(super) async fn start(
    launch: Launch,
    settings: String,
    real: RealClock,
    ended: CancellationToken,
) -> Result<EngineThread, String> {
    let (commands, taken) = channel();
    let (ready, is_ready) = oneshot::channel();
    let gone = CancellationToken::new();
    let peak = Arc::new(AtomicU64::new(0));
    let (guard, seen) = (gone.clone().drop_guard(), peak.clone());
    std::thread::Builder::new()
        .name(format!("js-{}", launch.definition.name))
        .stack_size(THREAD_STACK)
        .spawn(move || {
            let _gone = guard;
            let limit = u64::from(launch.definition.memory) * 1024 * 1024;
            let ran = fenced(|| {
                let engine = Engine::new(&launch, settings, &real, ended);
                drop(launch);
                match engine {
                    Err(reason) => {
                        let _ = ready.send(Err(reason));
                    }
                    Ok(engine) => {
                        seen.store(engine.memory(), Ordering::Relaxed);
                        let _ = ready.send(Ok(()));
                        serve(&engine, &taken, &seen, limit);
                    }
                }
            });
            if let Err(panic) = ran {
                tracing::error!(message = panic.message, "the script engine broke");
            }
        })
        .map_err(|error| format!("no thread for the script engine: {error}"))?;
    match is_ready.await {
        Ok(Ok(())) => Ok(EngineThread {
            commands,
            gone,
            peak,
        }),
        Ok(Err(reason)) => Err(reason),
        Err(_) => Err("the script engine broke while it started".to_owned()),
    }
}

/// Works until nobody can send a command any more, or the engine is dead.
fn serve(engine: &Engine, commands: &Receiver<Command>, peak: &AtomicU64, limit: u64) {
    let mut telling = None;
    for command in commands {
        let step = match command {
            Command::Begin { call, steps } => {
                telling = Some(steps);
                engine.begin(&call)
            }
            Command::Resume => engine.resume(),
        };
        let used = match &step {
            Step::Dead(Answer::Exited(Exit::OutOfMemory)) => limit,
            _ => engine.memory(),
        };
        peak.fetch_max(used, Ordering::Relaxed);
        let dead = matches!(step, Step::Dead(_));
        // A caller that went away needs no answer.
        let _ = telling.as_ref().map(|steps| steps.send(step));
        if dead {
            return;
        }
    }
}
