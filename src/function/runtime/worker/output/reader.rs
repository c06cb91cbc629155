//! The task that reads one pipe of a worker.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

use crate::clock::RealClock;
use crate::function::runtime::worker::output::{Splitter, Target};

const CHUNK: usize = 64 * 1024;
/// Bytes read for one drain at most: a background thread that prints without end must not hold up an answer.
const DRAIN_LIMIT: usize = 1024 * 1024;
/// How long after its answer a request waits for its output (WK-5).
const DRAIN_PATIENCE: Duration = Duration::from_millis(250);

/// Reads a pipe until its end; can be asked to catch up.
pub struct Reader {
    drains: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl Reader {
    pub fn start<P>(pipe: P, target: Arc<Target>) -> Self
    where
        P: AsyncRead + AsFd + Unpin + Send + 'static,
    {
        let (drains, asked) = mpsc::unbounded_channel();
        let worker = ReadPipe {
            pipe,
            target,
            splitter: Splitter::default(),
            chunk: vec![0; CHUNK],
        };
        tokio::spawn(worker.run(asked));
        Self { drains }
    }

    /// Returns when everything printed before this call is in the log, or after a short while in any case.
    pub async fn drain(&self, real: &RealClock) {
        let (done, drained) = oneshot::channel();
        if self.drains.send(done).is_err() {
            return;
        }
        tokio::select! {
            _ = drained => {}
            () = real.sleep(DRAIN_PATIENCE) => {}
        }
    }
}

struct ReadPipe<P> {
    pipe: P,
    target: Arc<Target>,
    splitter: Splitter,
    chunk: Vec<u8>,
}

impl<P: AsyncRead + AsFd + Unpin> ReadPipe<P> {
    async fn run(mut self, mut asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
        loop {
            tokio::select! {
                read = self.pipe.read(&mut self.chunk) => match read {
                    Ok(length) if length > 0 => self.take(length),
                    _ => break,
                },
                Some(done) = asked.recv() => {
                    let open = self.catch_up().await;
                    let _ = done.send(());
                    if !open {
                        break;
                    }
                }
            }
        }
        let target = &self.target;
        self.splitter.finish(|piece| target.write(&piece));
    }

    /// Reads what lies in the pipe now; false at its end.
    async fn catch_up(&mut self) -> bool {
        let mut budget = DRAIN_LIMIT;
        while budget > 0 && self.has_more() {
            match self.pipe.read(&mut self.chunk).await {
                Ok(length) if length > 0 => {
                    budget = budget.saturating_sub(length);
                    self.take(length);
                }
                _ => return false,
            }
        }
        let target = &self.target;
        self.splitter.flush(|piece| target.write(&piece));
        true
    }

    fn has_more(&self) -> bool {
        let mut pipe = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        poll(&mut pipe, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    fn take(&mut self, length: usize) {
        let target = &self.target;
        let bytes = self.chunk.get(..length).unwrap_or_default();
        self.splitter.feed(bytes, |piece| target.write(&piece));
    }
}
