//! The second seam: what the screen and the commands ask besides messaging.
//!
//! Serde structs only, no handles and closures: the same calls travel over the owner's socket. Messages of an instance
//! are reached through [`Instances::cluster`].

/// What [`Activity`] speaks of.
pub mod activity {
    pub use crate::activity::{Event, EventPage, Happening, NoticeLevel};
}
pub mod clock;
pub mod error;
pub mod functions;
pub mod instances;
pub mod logs;
pub mod snippets;
pub mod triggers;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::activity::EventPage;
use crate::cluster::Cluster;
use crate::cluster::paging::{Page, Paged};
use crate::control::clock::{ClockCommand, ClockState};
use crate::control::error::ControlError;
use crate::control::functions::{FunctionRow, Invoke, InvokeReply, PutFunction, Sample};
use crate::control::instances::{AccessKeyRow, InstanceRow, PutAccessKey, PutInstance};
use crate::control::logs::{InvocationQuery, LogPage, LogQuery};
use crate::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use crate::domain::function::InvocationRecord;
use crate::domain::names::{FunctionName, InstanceId, SampleName, TriggerName};

pub type Reply<T> = Result<T, ControlError>;

#[async_trait]
pub trait Instances: Send + Sync {
    async fn instances(&self) -> Reply<Vec<InstanceRow>>;
    async fn put_instance(&self, request: PutInstance) -> Reply<InstanceRow>;
    /// Ends the instance and removes its store.
    async fn delete_instance(&self, id: InstanceId) -> Reply<()>;
    async fn access_keys(&self) -> Reply<Vec<AccessKeyRow>>;
    async fn put_access_key(&self, request: PutAccessKey) -> Reply<AccessKeyRow>;
    async fn delete_access_key(&self, key: String) -> Reply<()>;
    /// The cluster of an instance. Not a call: the handle stays on this side of a socket.
    fn cluster(&self, id: &InstanceId) -> Reply<Cluster>;
}

#[async_trait]
pub trait Functions: Send + Sync {
    async fn functions(&self) -> Reply<Vec<FunctionRow>>;
    /// Makes or changes a function; its limits are checked here.
    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow>;
    async fn delete_function(&self, name: FunctionName) -> Reply<()>;
    /// Runs it once with this event, or enqueues the event.
    async fn invoke(&self, request: Invoke) -> Reply<InvokeReply>;
    /// Ends all idle instances; busy ones end after their request.
    async fn restart(&self, name: FunctionName) -> Reply<()>;
    /// The sample events of a function, by name (IV-9).
    async fn samples(&self, function: FunctionName) -> Reply<Vec<Sample>>;
    /// Keeps a sample event, in place of one of the same name.
    async fn put_sample(&self, sample: Sample) -> Reply<()>;
    async fn delete_sample(&self, function: FunctionName, name: SampleName) -> Reply<()>;
}

#[async_trait]
pub trait Triggers: Send + Sync {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>>;
    /// Makes or changes a trigger; returns once its start offset is durable.
    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow>;
    async fn delete_trigger(&self, name: TriggerName) -> Reply<()>;
    async fn command(&self, name: TriggerName, command: TriggerCommand) -> Reply<()>;
}

#[async_trait]
pub trait Logs: Send + Sync {
    async fn logs(&self, query: LogQuery) -> Reply<LogPage>;
    async fn invocations(
        &self,
        query: InvocationQuery,
        page: Page,
    ) -> Reply<Paged<InvocationRecord>>;
    /// The number of the latest log record; wakes when one is added.
    fn latest(&self) -> watch::Receiver<u64>;
}

#[async_trait]
pub trait Clock: Send + Sync {
    async fn clock(&self) -> Reply<ClockState>;
    async fn move_clock(&self, command: ClockCommand) -> Reply<ClockState>;
}

#[async_trait]
pub trait Activity: Send + Sync {
    /// Events after the number `since`, at most `limit`.
    async fn since(&self, since: u64, limit: usize) -> Reply<EventPage>;
    /// The number of the latest event; wakes when one is added.
    fn latest(&self) -> watch::Receiver<u64>;
}

/// Everything the screen and the commands may ask.
#[derive(Clone)]
pub struct Control {
    pub instances: Arc<dyn Instances>,
    pub functions: Arc<dyn Functions>,
    pub triggers: Arc<dyn Triggers>,
    pub logs: Arc<dyn Logs>,
    pub clock: Arc<dyn Clock>,
    pub activity: Arc<dyn Activity>,
}
