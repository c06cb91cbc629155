//! The other processes' side: one connection, many calls in flight.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

use crate::app::socket::frame::{MAX_ANSWER, MAX_REQUEST, line, read_line};
use crate::app::socket::wire::{Call, Failure, FromOwner, Hello, PROTOCOL, ToOwner};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the owner's socket does not answer")]
    Silent(#[source] io::Error),
    #[error("the owner refuses: {0}")]
    Refused(String),
    #[error("the owner is moonport {0}, which speaks another protocol")]
    OtherVersion(String),
}

/// A connection to the owner; cloning gives another handle to it.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    hello: Hello,
    /// Unbounded, for a cancel must be possible from a drop; calls wait for their answer, which bounds it.
    lines: mpsc::UnboundedSender<Vec<u8>>,
    next: AtomicU64,
    waiting: Arc<Waiting>,
    latest_log: watch::Receiver<u64>,
    latest_event: watch::Receiver<u64>,
}

/// Who waits for which number.
#[derive(Default)]
struct Waiting(Mutex<Option<HashMap<u64, Waiter>>>);

enum Waiter {
    Reply(oneshot::Sender<Result<Box<RawValue>, Failure>>),
    Numbers(watch::Sender<u64>),
    Items(mpsc::UnboundedSender<Box<RawValue>>),
}

impl Client {
    /// Connects and reads the greeting; fails where the owner speaks another protocol.
    pub async fn connect(path: &Path) -> Result<Self, ConnectError> {
        let stream = UnixStream::connect(path).await;
        let (read, write) = stream.map_err(ConnectError::Silent)?.into_split();
        let mut reader = BufReader::new(read);
        let hello = greet(&mut reader).await?;
        let (lines, outgoing) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        tokio::spawn(write_all(write, outgoing));
        tokio::spawn(read_all(reader, waiting.clone()));
        let (log_sender, latest_log) = watch::channel(0);
        let (event_sender, latest_event) = watch::channel(0);
        let client = Self(Arc::new(Inner {
            hello,
            lines,
            next: AtomicU64::new(1),
            waiting,
            latest_log,
            latest_event,
        }));
        client.start(Call::LatestLog, Waiter::Numbers(log_sender));
        client.start(Call::LatestEvent, Waiter::Numbers(event_sender));
        Ok(client)
    }

    pub fn hello(&self) -> &Hello {
        &self.0.hello
    }

    pub fn latest_log(&self) -> watch::Receiver<u64> {
        self.0.latest_log.clone()
    }

    pub fn latest_event(&self) -> watch::Receiver<u64> {
        self.0.latest_event.clone()
    }

    /// Asks and waits; dropping the future tells the owner to stop working on it.
    pub async fn ask<T, E>(&self, call: Call) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: From<Failure>,
    {
        let (sender, answer) = oneshot::channel();
        let id = self.start(call, Waiter::Reply(sender));
        let _cancel = CancelOnDrop { client: self, id };
        let raw = match answer.await {
            Ok(answer) => answer?,
            Err(_) => return Err(gone().into()),
        };
        serde_json::from_str(raw.get()).map_err(|error| {
            Failure::Socket(format!("its answer is not understood: {error}")).into()
        })
    }

    /// Asks for a stream, which ends with the connection; its end is told to the owner when the receiver is dropped.
    pub fn stream(&self, call: Call) -> (StreamEnd, mpsc::UnboundedReceiver<Box<RawValue>>) {
        let (sender, items) = mpsc::unbounded_channel();
        let id = self.start(call, Waiter::Items(sender));
        let end = StreamEnd {
            client: self.clone(),
            id,
        };
        (end, items)
    }

    /// Sends a call; `waiter` hears of it, at once where it cannot be sent.
    fn start(&self, call: Call, waiter: Waiter) -> u64 {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let call = Box::new(call);
        match encode(&ToOwner::Call { id, call }) {
            Ok(line) => {
                self.0.waiting.add(id, waiter);
                let _ = self.0.lines.send(line);
            }
            Err(failure) => waiter.done(Err(failure)),
        }
        id
    }

    fn cancel(&self, id: u64) {
        if self.0.waiting.take(id).is_some()
            && let Ok(line) = line(&ToOwner::Cancel { id })
        {
            let _ = self.0.lines.send(line);
        }
    }
}

/// Tells the owner that an answer is not wanted any more, unless it came.
struct CancelOnDrop<'a> {
    client: &'a Client,
    id: u64,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.client.cancel(self.id);
    }
}

/// Ends a stream when dropped.
pub struct StreamEnd {
    client: Client,
    id: u64,
}

impl Drop for StreamEnd {
    fn drop(&mut self) {
        self.client.cancel(self.id);
    }
}

impl Waiting {
    /// After the end of the connection the waiter is dropped, which tells it so.
    fn add(&self, id: u64, waiter: Waiter) {
        if let Some(waiters) = &mut *self.0.lock() {
            waiters.insert(id, waiter);
        }
    }

    fn take(&self, id: u64) -> Option<Waiter> {
        self.0.lock().as_mut()?.remove(&id)
    }

    fn item(&self, id: u64, value: Box<RawValue>) {
        if let Some(Some(waiter)) = self.0.lock().as_ref().map(|waiters| waiters.get(&id)) {
            waiter.item(value);
        }
    }

    fn end(&self) {
        self.0.lock().take();
    }
}

impl Waiter {
    fn done(self, answer: Result<Box<RawValue>, Failure>) {
        if let Self::Reply(sender) = self {
            // The asker may be gone.
            let _ = sender.send(answer);
        }
    }

    fn item(&self, value: Box<RawValue>) {
        match self {
            Self::Numbers(sender) => {
                if let Ok(number) = serde_json::from_str(value.get()) {
                    sender.send_replace(number);
                }
            }
            Self::Items(sender) => {
                let _ = sender.send(value);
            }
            Self::Reply(_) => {}
        }
    }
}

fn gone() -> Failure {
    Failure::Socket("it has stopped".to_owned())
}

fn encode(message: &ToOwner) -> Result<Vec<u8>, Failure> {
    let line = line(message)
        .map_err(|error| Failure::Socket(format!("the request cannot be written: {error}")))?;
    if line.len() > MAX_REQUEST {
        let problem = format!("the request is over {MAX_REQUEST} bytes; send less at once");
        return Err(Failure::Socket(problem));
    }
    Ok(line)
}

async fn greet(reader: &mut BufReader<OwnedReadHalf>) -> Result<Hello, ConnectError> {
    let mut buffer = Vec::new();
    match read_line(reader, &mut buffer, MAX_REQUEST).await {
        Ok(true) => {}
        Ok(false) => return Err(ConnectError::Silent(io::ErrorKind::UnexpectedEof.into())),
        Err(error) => return Err(ConnectError::Silent(error)),
    }
    if let Ok(FromOwner::Refused { reason }) = serde_json::from_slice(&buffer) {
        return Err(ConnectError::Refused(reason));
    }
    let hello: Hello = serde_json::from_slice(&buffer)
        .map_err(|error| ConnectError::Silent(io::Error::other(error)))?;
    if hello.protocol == PROTOCOL {
        Ok(hello)
    } else {
        Err(ConnectError::OtherVersion(hello.moonport))
    }
}

async fn write_all(mut write: OwnedWriteHalf, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if write.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Hands out what comes until the connection ends; whoever waits then learns it by the end of its channel.
async fn read_all(mut reader: BufReader<OwnedReadHalf>, waiting: Arc<Waiting>) {
    let mut buffer = Vec::new();
    while let Ok(true) = read_line(&mut reader, &mut buffer, MAX_ANSWER).await {
        match serde_json::from_slice(&buffer) {
            Ok(FromOwner::Done { id, value }) => {
                if let Some(waiter) = waiting.take(id) {
                    waiter.done(Ok(value));
                }
            }
            Ok(FromOwner::Failed { id, error }) => {
                if let Some(waiter) = waiting.take(id) {
                    waiter.done(Err(error));
                }
            }
            Ok(FromOwner::Item { id, value }) => waiting.item(id, value),
            Ok(FromOwner::Refused { reason }) => {
                tracing::info!(%reason, "the owner closed the connection");
                break;
            }
            Err(error) => {
                tracing::warn!(%error, "the owner's line is not understood");
                break;
            }
        }
    }
    waiting.end();
}
