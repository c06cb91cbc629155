//! Memory of this process over a stretch of time.

use std::time::Duration;

use moonport::clock::RealClock;
use tokio::sync::oneshot;

use crate::goals::resident;

/// A task that looks once a second.
pub(crate) struct Memory {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Vec<f64>>,
}

/// What was seen, in MB.
pub(crate) struct Seen {
    pub(crate) samples: usize,
    pub(crate) median: f64,
    pub(crate) highest: f64,
}

impl Memory {
    pub(crate) fn watch() -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(sample(stopped));
        Self { stop, task }
    }

    pub(crate) async fn end(self) -> Seen {
        drop(self.stop);
        let mut samples = self.task.await.unwrap();
        samples.sort_unstable_by(f64::total_cmp);
        Seen {
            samples: samples.len(),
            median: samples[samples.len() / 2],
            highest: samples[samples.len() - 1],
        }
    }
}

async fn sample(mut stopped: oneshot::Receiver<()>) -> Vec<f64> {
    let real = RealClock::system();
    let mut samples = vec![resident("self")];
    loop {
        tokio::select! {
            _ = &mut stopped => {
                samples.push(resident("self"));
                return samples;
            }
            () = real.sleep(Duration::from_secs(1)) => samples.push(resident("self")),
        }
    }
}
