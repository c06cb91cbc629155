//! Load over the seam: the same for a broker in this process and for one elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::bench::measure::{Latencies, Measured};
use crate::clock::RealClock;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Ack, Delivery, MAX_RECEIVE, Receive, RouteRequest, Send};
use crate::cluster::session::{Caller, ClientKind, ClientSettings};
use crate::cluster::{Messaging, Reply};
use crate::domain::message::Draft;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::{FilterExpression, Subscription};

/// Real time a receive waits for more before the run counts as drained.
const PATIENCE: Duration = Duration::from_secs(10);

/// The consumer group of the load.
pub const GROUP: &str = "moonport-bench";

/// How much of what.
#[derive(Debug, Clone)]
pub struct Shape {
    pub topic: TopicName,
    pub messages: u64,
    /// Bytes of each body.
    pub size: usize,
    pub producers: usize,
    pub consumers: usize,
}

/// Load on one broker.
#[derive(Clone)]
pub struct Load {
    messaging: Arc<dyn Messaging>,
    caller: Caller,
    real: RealClock,
    shape: Arc<Shape>,
    body: Bytes,
    /// Messages handed to workers so far.
    taken: Arc<AtomicU64>,
    /// All messages were consumed: nobody waits for more.
    drained: CancellationToken,
}

/// What one worker did.
struct Work {
    latencies: Latencies,
    /// The end of its last operation: what it waited for in vain after that is no load.
    ended: Instant,
}

impl Work {
    fn begun(real: &RealClock) -> Self {
        Self {
            latencies: Latencies::default(),
            ended: real.now(),
        }
    }

    fn record(&mut self, begun: Instant, ended: Instant) {
        self.latencies.record(ended - begun);
        self.ended = ended;
    }
}

impl Load {
    pub fn new(messaging: Arc<dyn Messaging>, real: RealClock, shape: Shape) -> Self {
        let client = format!("{GROUP}@{}", std::process::id());
        Self {
            messaging,
            caller: ClientId::new(client).map_or_else(|_| Caller::local(), Caller::local_client),
            real,
            body: Bytes::from(vec![b'x'; shape.size]),
            shape: Arc::new(shape),
            taken: Arc::default(),
            drained: CancellationToken::new(),
        }
    }

    /// Messages that workers took on so far in this run.
    pub fn done(&self) -> u64 {
        self.taken.load(Ordering::Relaxed).min(self.shape.messages)
    }

    /// Every producer keeps one message in flight; a latency is one send.
    pub async fn publish(&self) -> Reply<Measured> {
        self.join_group().await?;
        let workers = self.shape.producers;
        self.run("publish", workers, |load, _| load.produce()).await
    }

    /// Every consumer receives and acks batches of 32 until all is consumed; a latency is one receive with its ack. Once
    /// for each load.
    pub async fn consume(&self) -> Reply<Measured> {
        let workers = self.shape.consumers;
        self.run("consume", workers, |load, _| load.drain()).await
    }

    /// Every producer sends one message, receives one and acks it; a latency is the whole round.
    pub async fn end_to_end(&self) -> Reply<Measured> {
        self.join_group().await?;
        let workers = self.shape.producers;
        self.run("end to end", workers, |load, _| load.round_trips())
            .await
    }

    async fn run<F, W>(&self, name: &'static str, workers: usize, work: F) -> Reply<Measured>
    where
        F: Fn(Self, usize) -> W,
        W: Future<Output = Reply<Work>> + std::marker::Send + 'static,
    {
        self.taken.store(0, Ordering::Relaxed);
        let begun = self.real.now();
        let mut tasks = JoinSet::new();
        for worker in 0..workers {
            tasks.spawn(work(self.clone(), worker));
        }
        let mut latencies = Latencies::default();
        let mut ended = begun;
        while let Some(done) = tasks.join_next().await {
            let done = done.map_err(|error| ClusterError::IllegalRequest(error.to_string()))?;
            let done = done?;
            latencies.merge(done.latencies);
            ended = ended.max(done.ended);
        }
        Ok(latencies.measured(name, self.done(), ended - begun))
    }

    /// Makes topic and group, so that the group's offset lies before the load.
    async fn join_group(&self) -> Reply<()> {
        let route = RouteRequest {
            topic: self.shape.topic.clone(),
        };
        self.messaging.route(&self.caller, route).await?;
        let subscription = Subscription {
            topic: self.shape.topic.clone(),
            filter: FilterExpression::all(),
        };
        // A cluster elsewhere serves known consumers only.
        let settings = ClientSettings {
            kind: ClientKind::SimpleConsumer,
            language: "RUST".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            publishing: Vec::new(),
            group: Some(Self::group()?),
            subscriptions: vec![subscription],
            fifo: false,
            retry_policy: RetryPolicy::default(),
            max_attempts: 0,
            long_poll: PATIENCE,
        };
        self.messaging.open_session(&self.caller, settings).await?;
        // Some clusters refuse a receive that is to be answered at once.
        match self.receive(Duration::ZERO, 1).await {
            Err(_) => self.receive(PATIENCE, 1).await.map(drop),
            Ok(_) => Ok(()),
        }
    }

    /// Claims the next message; false when all are taken.
    fn claim(&self) -> bool {
        self.taken.fetch_add(1, Ordering::Relaxed) < self.shape.messages
    }

    async fn produce(self) -> Reply<Work> {
        let mut work = Work::begun(&self.real);
        while self.claim() {
            let sent = self.real.now();
            self.send().await?;
            work.record(sent, self.real.now());
        }
        Ok(work)
    }

    async fn drain(self) -> Reply<Work> {
        let mut work = Work::begun(&self.real);
        while self.taken.load(Ordering::Relaxed) < self.shape.messages {
            let asked = self.real.now();
            let deliveries = tokio::select! {
                received = self.receive(PATIENCE, MAX_RECEIVE) => received?,
                () = self.drained.cancelled() => break,
            };
            if deliveries.is_empty() {
                break;
            }
            let count = deliveries.len() as u64;
            let taken = self.taken.fetch_add(count, Ordering::Relaxed) + count;
            if taken >= self.shape.messages {
                self.drained.cancel();
            }
            self.ack(&deliveries).await?;
            work.record(asked, self.real.now());
        }
        Ok(work)
    }

    async fn round_trips(self) -> Reply<Work> {
        let mut work = Work::begun(&self.real);
        while self.claim() {
            let sent = self.real.now();
            self.send().await?;
            let deliveries = self.receive(PATIENCE, 1).await?;
            self.ack(&deliveries).await?;
            work.record(sent, self.real.now());
        }
        Ok(work)
    }

    async fn send(&self) -> Reply<()> {
        let draft = Draft::new(self.shape.topic.clone(), self.body.clone());
        for outcome in self.messaging.send(&self.caller, Send::one(draft)).await? {
            outcome?;
        }
        Ok(())
    }

    fn group() -> Reply<GroupName> {
        Ok(GroupName::new(GROUP)?)
    }

    async fn receive(&self, poll: Duration, max: usize) -> Reply<Vec<Delivery>> {
        let request = Receive {
            group: Self::group()?,
            topic: self.shape.topic.clone(),
            queue: None,
            filter: FilterExpression::all(),
            max,
            invisible: None,
            auto_renew: false,
            poll,
            attempt_id: None,
        };
        self.messaging.receive(&self.caller, request).await
    }

    async fn ack(&self, deliveries: &[Delivery]) -> Reply<()> {
        let request = Ack {
            group: Self::group()?,
            topic: self.shape.topic.clone(),
            handles: deliveries.iter().map(|d| d.handle.clone()).collect(),
        };
        for outcome in self.messaging.ack(&self.caller, request).await? {
            outcome.result?;
        }
        Ok(())
    }
}
