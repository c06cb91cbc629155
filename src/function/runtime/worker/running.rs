//! A worker process with its output, whichever way it is called.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::function::{ErrorClass, FunctionDefinition};
use crate::function::runtime::worker::folder::Folder;
use crate::function::runtime::worker::output::{Reader, Target};
use crate::function::runtime::worker::process::{Process, Spawn};
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Answer, Call, CallKind, Exit, Failure, Launch, StartError};

/// Between asking a worker to end and ending it (SAFE-2).
const GRACE: Duration = Duration::from_millis(500);
/// How long the descendants of a worker that ended may hold up its record (SAFE-3).
const AFTER_EXIT: Duration = Duration::from_millis(200);

/// Everything of an instance that is not its way of being called.
pub(super) struct Worker {
    pub(super) workshop: Arc<Workshop>,
    pub(super) definition: Arc<FunctionDefinition>,
    pub(super) process: Process,
    target: Arc<Target>,
    pipes: Pipes,
    spawn: Spawn,
    _folder: Folder,
}

/// The readers of both output pipes.
struct Pipes {
    stdout: Reader,
    stderr: Reader,
}

impl Worker {
    pub(super) async fn start(
        workshop: &Arc<Workshop>,
        launch: Launch,
        spawn: Spawn,
        folder: Folder,
    ) -> Result<Self, StartError> {
        let (process, pipes) = Process::start(&spawn, &workshop.real).await?;
        let target = Arc::new(Target::new(launch.log));
        Ok(Self {
            workshop: workshop.clone(),
            definition: launch.definition,
            process,
            pipes: Pipes {
                stdout: Reader::start(pipes.stdout, target.clone()),
                stderr: Reader::start(pipes.stderr, target.clone()),
            },
            target,
            spawn,
            _folder: folder,
        })
    }

    /// Runs one call with its output going to its own log, and returns after the last of it.
    pub(super) async fn during(&self, call: &Call, answer: impl Future<Output = Answer>) -> Answer {
        self.target.begin(call.log.clone());
        self.process.busy();
        let answer = tokio::select! {
            biased;
            answer = answer => {
                self.pipes.catch_up(&self.workshop).await;
                answer
            }
            exit = self.process.exited() => Answer::Exited(self.after_exit(exit).await),
        };
        let idle = self.workshop.idle_log(&self.definition);
        if self.target.finish(&call.log, idle) {
            self.process.idle(self.definition.freeze);
        }
        answer
    }

    /// Waits for the rest of a worker that ended, which may tell why it did.
    async fn after_exit(&self, exit: Exit) -> Exit {
        tokio::select! {
            () = self.process.gone() => {}
            () = self.workshop.real.sleep(AFTER_EXIT) => {}
        }
        self.pipes.catch_up(&self.workshop).await;
        let aborted = matches!(&exit, Exit::Code(134))
            || matches!(&exit, Exit::Signal(name) if name == "SIGABRT");
        if aborted && self.target.saw_exhausted_heap() {
            return Exit::OutOfMemory;
        }
        exit
    }

    /// What is said of a worker that ended before it was ready.
    pub(super) async fn died(&self, exit: Exit) -> StartError {
        let exit = self.after_exit(exit).await;
        let last = self.target.last_line();
        let colon = if last.is_empty() { "" } else { ": " };
        StartError::Died {
            reason: format!("the process ended before it was ready ({exit}){colon}{last}"),
        }
    }

    pub(super) async fn end(&self) {
        self.process.end(GRACE).await;
    }

    /// The command of a hook that is a command (LC-5).
    pub(super) fn hook_command(&self, kind: CallKind) -> Option<Vec<String>> {
        let hook = kind.hook(&self.definition);
        let command = hook.map(|hook| hook.command.clone())?;
        (!command.is_empty()).then_some(command)
    }

    /// Runs a hook's command beside the worker, in its folder and environment; it succeeds with exit code 0.
    pub(super) async fn run_command(&self, call: &Call, command: &[String]) -> Answer {
        let mut words = command.iter().map(Into::into);
        let spawn = Spawn {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            ..self.spawn.clone()
        };
        let (process, pipes) = match Process::start(&spawn, &self.workshop.real).await {
            Ok(started) => started,
            Err(error) => return failed(error.to_string()),
        };
        let target = Arc::new(Target::new(call.log.clone()));
        let pipes = Pipes {
            stdout: Reader::start(pipes.stdout, target.clone()),
            stderr: Reader::start(pipes.stderr, target),
        };
        let exit = tokio::select! {
            exit = process.exited() => exit,
            () = call.cancelled.cancelled() => {
                process.end(GRACE).await;
                process.exited().await
            }
        };
        pipes.catch_up(&self.workshop).await;
        match exit {
            Exit::Code(0) => Answer::Done(Bytes::new()),
            exit => failed(format!("the hook's command ended with {exit}")),
        }
    }
}

impl Pipes {
    async fn catch_up(&self, workshop: &Workshop) {
        let real = &workshop.real;
        tokio::join!(self.stdout.drain(real), self.stderr.drain(real));
    }
}

fn failed(message: String) -> Answer {
    let payload = serde_json::json!({ "errorMessage": message });
    Answer::Failed(Failure {
        class: ErrorClass::FunctionUnhandledError,
        message,
        payload: payload.to_string().into(),
    })
}
