//! Triggers between a real broker and a real function host; the function is a closure that does what a test says.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moonport::activity::{Feed, Happening};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::Send;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Cluster};
use moonport::control::Triggers as _;
use moonport::control::error::ControlError;
use moonport::control::functions::FunctionRow;
use moonport::control::instances::{Endpoint, InstanceRow, InstanceStatus};
use moonport::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use moonport::domain::function::{FunctionDefinition, Runtime};
use moonport::domain::ids::RequestId;
use moonport::domain::message::{Draft, Message};
use moonport::domain::names::{FunctionName, InstanceId, TopicName, TriggerName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::trigger::{TriggerDefinition, TriggerState};
use moonport::function::accepted::{Accepted, AcceptedOptions, MemoryAcceptedStore, Outlet};
use moonport::function::host::{Host, HostOptions, Random};
use moonport::function::log::MemoryRuns;
use moonport::function::runtime::closure::{Context, Function, FunctionError};
use moonport::trigger::memory::MemoryTriggerStore;
use moonport::trigger::options::{Surroundings, TriggerOptions};
use moonport::trigger::set::TriggerSet;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::broker::{TestBroker, group, topic, within};

/// Every random number is this: a retry of `backoff` waits 10 s and this many milliseconds.
pub(crate) const RANDOM: u64 = 2345;

pub(crate) fn function(name: &str) -> FunctionName {
    FunctionName::new(name).unwrap()
}

pub(crate) fn trigger(name: &str) -> TriggerName {
    TriggerName::new(name).unwrap()
}

/// One call the function saw.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) request_id: RequestId,
    pub(crate) attempt: u32,
    pub(crate) event: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.event).unwrap()
    }

    /// The bodies of its messages.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let elements = self.json();
        let elements = elements.as_array().unwrap().iter();
        elements
            .map(|element| element["body"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The function behind the triggers of a test: fails where told to, else succeeds.
pub(crate) struct Scripted {
    seen: Mutex<Vec<Seen>>,
    /// Outcomes of the next calls; when they are used up, `always` holds.
    next: Mutex<VecDeque<bool>>,
    always: Mutex<bool>,
    /// Events with this text fail.
    fails_on: Mutex<Option<String>>,
    /// A call passes for each permit.
    gate: Semaphore,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            next: Mutex::default(),
            always: Mutex::new(true),
            fails_on: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

impl Scripted {
    pub(crate) fn fail_always(&self) {
        *self.always.lock() = false;
    }

    pub(crate) fn succeed(&self) {
        *self.always.lock() = true;
        *self.fails_on.lock() = None;
    }

    pub(crate) fn fail_times(&self, times: usize) {
        self.next.lock().extend(std::iter::repeat_n(false, times));
    }

    pub(crate) fn fail_on(&self, text: &str) {
        *self.fails_on.lock() = Some(text.to_owned());
    }

    /// Calls block from now on.
    pub(crate) fn close_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    fn outcome(&self, event: &Bytes) -> bool {
        let text = String::from_utf8_lossy(event);
        if self
            .fails_on
            .lock()
            .as_ref()
            .is_some_and(|bad| text.contains(bad))
        {
            return false;
        }
        let next = self.next.lock().pop_front();
        next.unwrap_or_else(|| *self.always.lock())
    }
}

#[async_trait]
impl Function for Scripted {
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError> {
        self.seen.lock().push(Seen {
            request_id: context.request_id.clone(),
            attempt: context.attempt,
            event: event.clone(),
        });
        let _passed = self.gate.acquire().await;
        if self.outcome(&event) {
            Ok(Bytes::from_static(b"OK"))
        } else {
            Err(FunctionError::new("ValueError", "no stock"))
        }
    }
}

/// What triggers find around them.
struct World {
    definition: moonport::domain::instance::InstanceDefinition,
    cluster: Cluster,
    host: Host,
}

impl Surroundings for World {
    fn cluster(&self, instance: &InstanceId) -> Option<(InstanceRow, Cluster)> {
        let row = InstanceRow {
            definition: self.definition.clone(),
            status: InstanceStatus::Running,
            endpoint: Endpoint::Off,
        };
        (*instance == self.definition.id).then(|| (row, self.cluster.clone()))
    }

    fn function(&self, function: &FunctionName) -> Option<FunctionRow> {
        self.host.row(function).ok()
    }
}

/// Outcomes go to topics of the test's broker.
struct ToTopics(Cluster);

#[async_trait]
impl Outlet for ToTopics {
    async fn send(
        &self,
        _instance: &InstanceId,
        topic: &TopicName,
        body: Bytes,
    ) -> Result<(), ClusterError> {
        let request = Send::one(Draft::new(topic.clone(), body));
        let sent = self.0.messaging.send(&Caller::local(), request).await?;
        sent.into_iter().try_for_each(|outcome| outcome.map(drop))
    }
}

/// A broker, a host with the closure `f`, and triggers between them.
pub(crate) struct TestTriggers {
    pub(crate) broker: TestBroker,
    pub(crate) host: Host,
    pub(crate) runs: Arc<MemoryRuns>,
    pub(crate) scripted: Arc<Scripted>,
    pub(crate) store: Arc<MemoryTriggerStore>,
    pub(crate) events: Arc<MemoryAcceptedStore>,
    pub(crate) accepted: Accepted,
    pub(crate) set: TriggerSet,
    pub(crate) feed: Feed,
}

impl TestTriggers {
    pub(crate) fn over(broker: TestBroker) -> Self {
        Self::with(broker, Arc::default(), Arc::default(), Arc::default())
    }

    /// Over a host with changed options.
    pub(crate) fn over_host(broker: TestBroker, change: impl FnOnce(&mut HostOptions)) -> Self {
        let (store, events) = Default::default();
        Self::assemble(broker, store, events, Arc::default(), change)
    }

    /// Over what another world left.
    pub(crate) fn with(
        broker: TestBroker,
        store: Arc<MemoryTriggerStore>,
        events: Arc<MemoryAcceptedStore>,
        scripted: Arc<Scripted>,
    ) -> Self {
        Self::assemble(broker, store, events, scripted, |_| {})
    }

    fn assemble(
        broker: TestBroker,
        store: Arc<MemoryTriggerStore>,
        events: Arc<MemoryAcceptedStore>,
        scripted: Arc<Scripted>,
        change: impl FnOnce(&mut HostOptions),
    ) -> Self {
        let feed = broker.feed.clone();
        let runs: Arc<MemoryRuns> = Arc::default();
        let random: Random = Arc::new(|bytes: &mut [u8]| {
            let number = RANDOM.to_le_bytes();
            let from = number.iter().chain(std::iter::repeat(&0));
            bytes
                .iter_mut()
                .zip(from)
                .for_each(|(to, from)| *to = *from);
        });
        let mut options = HostOptions::new(
            feed.clone(),
            runs.clone(),
            PathBuf::new(),
            std::env::temp_dir(),
        );
        options.clock = broker.clock.clone();
        options.real = broker.real.clone();
        options.random = random.clone();
        change(&mut options);
        let host = Host::new(options);
        host.register(function("f"), scripted.clone());
        host.put(closure("f")).unwrap();
        let accepted = Accepted::new(AcceptedOptions {
            host: host.clone(),
            store: events.clone(),
            outlet: Arc::new(ToTopics(broker.broker.cluster())),
            runs: true,
        });
        accepted.load().unwrap();
        let set = TriggerSet::new(TriggerOptions {
            surroundings: Arc::new(World {
                definition: broker.definition.clone(),
                cluster: broker.broker.cluster(),
                host: host.clone(),
            }),
            invoker: Arc::new(host.clone()),
            accepted: accepted.clone(),
            store: store.clone(),
            clock: broker.clock.clone(),
            real: broker.real.clone(),
            feed: feed.clone(),
            random,
            account_id: "1234567890".to_owned(),
            runs: true,
        });
        Self {
            broker,
            host,
            runs,
            scripted,
            store,
            events,
            accepted,
            set,
            feed,
        }
    }

    /// The trigger `t` on the topic `orders` for the group `g` and the function `f`, from the earliest message.
    pub(crate) fn definition(&self) -> TriggerDefinition {
        let mut definition = TriggerDefinition::new(
            trigger("t"),
            self.broker.definition.id.clone(),
            function("f"),
            topic("orders"),
            group("g"),
        );
        definition.offset = moonport::domain::group::FirstSeen::Earliest;
        definition
    }

    /// The trigger of [`Self::definition`], changed.
    pub(crate) async fn trigger(self, change: impl FnOnce(&mut TriggerDefinition)) -> Self {
        let mut definition = self.definition();
        change(&mut definition);
        self.put(definition).await.unwrap();
        self
    }

    pub(crate) async fn put(
        &self,
        definition: TriggerDefinition,
    ) -> Result<TriggerRow, ControlError> {
        self.set.put_trigger(PutTrigger { definition }).await
    }

    pub(crate) async fn command(&self, command: TriggerCommand) -> Result<(), ControlError> {
        self.set.command(trigger("t"), command).await
    }

    pub(crate) async fn row(&self) -> TriggerRow {
        let rows = self.set.triggers().await.unwrap();
        let mut rows = rows.into_iter();
        rows.find(|row| row.definition.name == trigger("t"))
            .unwrap()
    }

    /// Returns once the row of `t` is as wanted.
    pub(crate) async fn wait_row(&self, wanted: impl Fn(&TriggerRow) -> bool) -> TriggerRow {
        within(async {
            loop {
                let row = self.row().await;
                if wanted(&row) {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// Returns once `t` waits to make this attempt.
    pub(crate) async fn wait_retry(&self, next: u32) -> TriggerRow {
        let is_next = |state: &TriggerState| matches!(state, TriggerState::Retrying { attempt, .. } if *attempt == next);
        self.wait_row(|row| is_next(&row.state)).await
    }

    /// Returns once the function saw so many calls.
    pub(crate) async fn wait_calls(&self, count: usize) -> Vec<Seen> {
        within(async {
            while self.scripted.seen.lock().len() < count {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.scripted.seen()
    }

    /// Returns once the group of `t` has nothing ready and nothing in flight, and `t` nothing in work.
    pub(crate) async fn wait_done(&self) -> TriggerRow {
        self.wait_row(|row| row.lag == 0 && row.in_work == 0 && row.retrying == 0)
            .await
    }

    /// Lets everything that can happen now happen.
    pub(crate) async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.broker.settle().await;
    }

    /// Moves broker time to `target`, stopping at each moment that somebody waits for.
    pub(crate) async fn jump_to(&self, target: Timestamp) {
        let clock = &self.broker.clock;
        within(async {
            while clock.now() < target {
                match clock.next_due() {
                    Some(next) if next.at > clock.now() => clock.jump_to(next.at.min(target)),
                    // Somebody whose moment has come has yet to notice.
                    Some(_) => {}
                    None => clock.jump_to(target),
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The dead letters of `g` once there are so many.
    pub(crate) async fn wait_letters(&self, count: usize) -> Vec<Arc<Message>> {
        let count = count as u64;
        self.wait_row(|row| row.dead_total == count && row.in_work == 0)
            .await;
        self.letters().await
    }

    /// Notices and states that were reported, as texts.
    pub(crate) fn reported(&self) -> Vec<String> {
        let events = self.feed.since(0, usize::MAX).events;
        let texts = events
            .into_iter()
            .filter_map(|event| match event.happening {
                Happening::TriggerChanged { state, .. } => Some(state),
                Happening::Notice { text, .. } => Some(text),
                _ => None,
            });
        texts.collect()
    }

    /// The messages in the dead letter topic of `g`.
    pub(crate) async fn letters(&self) -> Vec<Arc<Message>> {
        let rows = match self.broker.broker.topic(topic("%DLQ%g")).await {
            Ok(_) => self.broker.stored("%DLQ%g").await,
            Err(_) => Vec::new(),
        };
        rows.into_iter().map(|row| row.message).collect()
    }

    /// Stops in good order and starts again over what was left.
    pub(crate) async fn restart(self) -> Self {
        self.set.stop(super::broker::seconds(10)).await;
        self.accepted.stop(super::broker::seconds(10)).await;
        self.host.shutdown().await;
        let broker = self.broker.restart().await;
        let next = Self::with(broker, self.store, self.events, self.scripted);
        next.set.load().await.unwrap();
        next
    }
}

/// A closure's definition.
pub(crate) fn closure(name: &str) -> FunctionDefinition {
    FunctionDefinition::new(function(name), Runtime::Rust, PathBuf::new(), String::new())
}
