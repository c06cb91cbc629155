//! What triggers are given: the function host, time, randomness, where to keep their state.

use std::sync::Arc;

use crate::activity::Feed;
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Cluster;
use crate::control::functions::FunctionRow;
use crate::control::instances::InstanceRow;
use crate::domain::names::{FunctionName, InstanceId};
use crate::function::accepted::Accepted;
use crate::function::host::Random;
use crate::function::invocation::Invoker;
use crate::trigger::saved::TriggerStore;

/// Where a trigger finds the clusters of instances and the rows of functions.
pub trait Surroundings: Send + Sync {
    /// The cluster of an instance with its definition; `None` when there is none.
    fn cluster(&self, instance: &InstanceId) -> Option<(InstanceRow, Cluster)>;
    /// How a function is doing; `None` when there is none.
    fn function(&self, function: &FunctionName) -> Option<FunctionRow>;
}

#[derive(Clone)]
pub struct TriggerOptions {
    pub surroundings: Arc<dyn Surroundings>,
    pub invoker: Arc<dyn Invoker>,
    /// Takes the events of asynchronous triggers.
    pub accepted: Accepted,
    pub store: Arc<dyn TriggerStore>,
    pub clock: BrokerClock,
    pub real: RealClock,
    pub feed: Feed,
    /// Spreads retries and makes request ids of larger batches; tests give a fixed one.
    pub random: Random,
    pub account_id: String,
    /// False in a process that lives for one command: triggers are made and shown, and nothing is received.
    pub runs: bool,
}

impl TriggerOptions {
    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}
