//! An engine behind the instance seam: the host's tasks wait here, scripts run on the engine's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::RealClock;
use crate::function::runtime::environment::Place;
use crate::function::runtime::js::Stuck;
use crate::function::runtime::js::engine::Step;
use crate::function::runtime::js::settings;
use crate::function::runtime::js::thread::{self, Command};
use crate::function::runtime::{Answer, Call, End, Exit, Instance, Launch, StartError};

/// Real time an interrupted engine has to stop before it is given up.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct JsInstance {
    /// Taken at the end; without senders the thread ends.
    commands: Mutex<Option<Sender<Command>>>,
    /// Cancelled to interrupt whatever runs.
    ended: CancellationToken,
    gone: CancellationToken,
    peak: Arc<AtomicU64>,
    real: RealClock,
    stuck: Stuck,
}

impl JsInstance {
    pub(super) async fn start(
        launch: Launch,
        place: &Place,
        real: &RealClock,
        stuck: Stuck,
    ) -> Result<Self, StartError> {
        let ended = CancellationToken::new();
        let settings = settings::of_engine(&launch.definition, place, &launch.instance_id)?;
        let thread = thread::start(launch, settings.to_string(), real.clone(), ended.clone()).await;
        let thread = thread.map_err(|reason| StartError::Died { reason })?;
        Ok(Self {
            commands: Mutex::new(Some(thread.commands)),
            ended,
            gone: thread.gone,
            peak: thread.peak,
            real: real.clone(),
            stuck,
        })
    }

    /// False when the thread is gone or going.
    fn tell(&self, command: Command) -> bool {
        let commands = self.commands.lock();
        commands
            .as_ref()
            .is_some_and(|commands| commands.send(command).is_ok())
    }

    async fn until(&self, due: Option<Instant>) {
        match due {
            Some(due) => self.real.sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Instance for JsInstance {
    async fn call(&self, call: Call) -> Answer {
        let cancelled = call.cancelled.clone();
        let (steps, mut told) = mpsc::unbounded_channel();
        let call = Box::new(call);
        let mut at_work = self.tell(Command::Begin { call, steps });
        while at_work {
            match told.recv().await {
                Some(Step::Over(answer) | Step::Dead(answer)) => return answer,
                Some(Step::Waiting(due)) => {
                    tokio::select! {
                        biased;
                        () = cancelled.cancelled() => break,
                        () = self.ended.cancelled() => break,
                        () = self.until(due) => at_work = self.tell(Command::Resume),
                    }
                }
                None => break,
            }
        }
        Answer::Exited(Exit::Code(0))
    }

    async fn end(&self, _why: End) {
        self.ended.cancel();
        let is_first = self.commands.lock().take().is_some();
        tokio::select! {
            biased;
            () = self.gone.cancelled() => {}
            () = self.real.sleep(PATIENCE) => if is_first {
                self.stuck.add(self.gone.clone());
            },
        }
    }

    fn is_alive(&self) -> bool {
        !self.ended.is_cancelled() && !self.gone.is_cancelled()
    }

    fn peak_memory_mb(&self) -> f64 {
        self.peak.load(Ordering::Relaxed) as f64 / (1024.0 * 1024.0)
    }
}
