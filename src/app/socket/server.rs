//! The owner's side: takes connections in, answers calls as they finish.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::socket::dispatch::answer;
use crate::app::socket::frame::{MAX_ANSWER, MAX_REQUEST, line, read_line};
use crate::app::socket::place::BoundSocket;
use crate::app::socket::wire::{Call, Failure, FromOwner, Hello, ToOwner};
use crate::control::Control;

/// Connections open at once.
const CONNECTIONS: usize = 64;
/// Calls of one connection in work at once; the next one waits.
const CALLS: usize = 64;
/// Answers of one connection that wait for its reader.
const ANSWERS: usize = 16;

/// Serves until `stopping`; returns when every connection is closed and the socket's file is gone.
pub async fn serve(
    socket: BoundSocket,
    hello: Hello,
    control: Control,
    stopping: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, most likely: let something else finish first.
            tokio::task::yield_now().await;
            continue;
        };
        if !is_ours(&stream) {
            tracing::warn!("another user tried the owner's socket");
            continue;
        }
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            tasks.spawn(refuse(stream, "too many connections are open"));
            continue;
        };
        let connection = Connection {
            hello: hello.clone(),
            control: control.clone(),
            ended: stopping.child_token(),
        };
        tasks.spawn(async move {
            connection.run(stream).await;
            drop(slot);
        });
    }
    tasks.close();
    tasks.wait().await;
}

fn is_ours(stream: &UnixStream) -> bool {
    let us = nix::unistd::getuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us)
}

async fn refuse(mut stream: UnixStream, reason: &str) {
    let refused = FromOwner::Refused {
        reason: reason.to_owned(),
    };
    if let Ok(line) = line(&refused) {
        let _ = stream.write_all(&line).await;
    }
}

struct Connection {
    hello: Hello,
    control: Control,
    ended: CancellationToken,
}

impl Connection {
    async fn run(self, stream: UnixStream) {
        let (read, write) = stream.into_split();
        let (answers, waiting) = mpsc::channel(ANSWERS);
        if let Ok(hello) = line(&self.hello) {
            let _ = answers.send(hello).await;
        }
        let writing = write_all(write, waiting);
        let reading = async {
            let reason = self.read(read, &answers).await;
            self.ended.cancel();
            if let Some(reason) = reason
                && let Ok(line) = line(&FromOwner::Refused { reason })
            {
                let _ = answers.send(line).await;
            }
            drop(answers);
        };
        tokio::join!(writing, reading);
    }

    /// Reads calls until the peer goes away; the reason when the owner ends it.
    async fn read(&self, read: OwnedReadHalf, answers: &mpsc::Sender<Vec<u8>>) -> Option<String> {
        let mut reader = BufReader::new(read);
        let mut buffer = Vec::new();
        let permits = Arc::new(Semaphore::new(CALLS));
        let mut running: Running = Running::default();
        loop {
            let read = tokio::select! {
                read = read_line(&mut reader, &mut buffer, MAX_REQUEST) => read,
                () = self.ended.cancelled() => return Some("moonport is stopping".to_owned()),
                () = answers.closed() => return None,
            };
            match read {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(error.to_string()),
            }
            let (id, call) = match serde_json::from_slice(&buffer) {
                Ok(ToOwner::Call { id, call }) => (id, call),
                Ok(ToOwner::Cancel { id }) => {
                    running.cancel(id);
                    continue;
                }
                Err(error) => return Some(format!("a line is not understood: {error}")),
            };
            let permit = tokio::select! {
                permit = permits.clone().acquire_owned() => permit,
                () = self.ended.cancelled() => return Some("moonport is stopping".to_owned()),
            };
            let cancelled = running.start(id, &self.ended);
            let work = work(self.control.clone(), id, *call, answers.clone());
            tokio::spawn(async move {
                // A call whose asker is gone is dropped in the middle: every seam bears that.
                let _ = cancelled.run_until_cancelled(work).await;
                cancelled.cancel();
                drop(permit);
            });
        }
    }
}

/// Calls in work, by their number.
#[derive(Default)]
struct Running(std::collections::HashMap<u64, CancellationToken>);

impl Running {
    fn start(&mut self, id: u64, ended: &CancellationToken) -> CancellationToken {
        self.0.retain(|_, token| !token.is_cancelled());
        let token = ended.child_token();
        self.0.insert(id, token.clone());
        token
    }

    fn cancel(&mut self, id: u64) {
        if let Some(token) = self.0.remove(&id) {
            token.cancel();
        }
    }
}

async fn work(control: Control, id: u64, call: Call, answers: mpsc::Sender<Vec<u8>>) {
    let (items, mut streamed) = mpsc::channel::<Box<RawValue>>(1);
    let forward = async {
        while let Some(value) = streamed.recv().await {
            let Ok(line) = line(&FromOwner::Item { id, value }) else {
                break;
            };
            if answers.send(line).await.is_err() {
                break;
            }
        }
        drop(streamed);
    };
    let (answered, ()) = tokio::join!(answer(&control, call, items), forward);
    let mut line = match answered {
        Ok(value) => line(&FromOwner::Done { id, value }),
        Err(error) => line(&FromOwner::Failed { id, error }),
    };
    if line.as_ref().is_ok_and(|line| line.len() > MAX_ANSWER) {
        let problem = format!("the answer is over {MAX_ANSWER} bytes; ask for fewer rows");
        let error = Failure::Socket(problem);
        line = self::line(&FromOwner::Failed { id, error });
    }
    if let Ok(line) = line {
        let _ = answers.send(line).await;
    }
}

async fn write_all(mut write: OwnedWriteHalf, mut lines: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if write.write_all(&line).await.is_err() {
            return;
        }
    }
}
