//! Collecting a batch: it is full by count, by time or by size, whichever comes first (TR-1).

use std::sync::Arc;
use std::time::Duration;

use crate::clock::BrokerClock;
use crate::cluster::Messaging;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Delivery, MAX_RECEIVE, Receive};
use crate::cluster::session::Caller;
use crate::domain::timestamp::Timestamp;
use crate::domain::trigger::TriggerDefinition;
use crate::function::invocation::{MAX_ASYNC_EVENT, MAX_EVENT};
use crate::trigger::element::{Element, ElementFormat};

/// Real time of one long poll; an empty one is asked again.
const POLL: Duration = Duration::from_secs(20);

/// Bytes around the elements of an event.
const BRACKETS: usize = 2;

/// A message with its place in the event.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) delivery: Delivery,
    pub(super) element: Element,
}

impl Item {
    /// It does not fit into an event of at most `limit` bytes even alone (TR-4).
    pub(super) fn is_too_large(&self, limit: usize) -> bool {
        self.element.json.len() + BRACKETS > limit
    }
}

/// The most bytes of an event of this trigger.
pub(super) fn largest_event(definition: &TriggerDefinition) -> usize {
    if definition.asynchronous {
        MAX_ASYNC_EVENT
    } else {
        MAX_EVENT
    }
}

/// Collects batches of one trigger. What it holds survives a dropped call of [`Collector::next`].
pub(super) struct Collector {
    messaging: Arc<dyn Messaging>,
    caller: Caller,
    definition: Arc<TriggerDefinition>,
    format: Arc<ElementFormat>,
    clock: BrokerClock,
    items: Vec<Item>,
    bytes: usize,
    /// Received, but over the size of the batch being collected.
    carried: Vec<Item>,
    window_ends: Option<Timestamp>,
}

impl Collector {
    pub(super) fn new(
        messaging: Arc<dyn Messaging>,
        caller: Caller,
        definition: Arc<TriggerDefinition>,
        format: Arc<ElementFormat>,
        clock: BrokerClock,
    ) -> Self {
        Self {
            messaging,
            caller,
            definition,
            format,
            clock,
            items: Vec::new(),
            bytes: BRACKETS,
            carried: Vec::new(),
            window_ends: None,
        }
    }

    /// The next batch; never empty.
    pub(super) async fn next(&mut self) -> Result<Vec<Item>, ClusterError> {
        self.take_carried();
        while !self.is_full() {
            let window = self.window_ends;
            let at_once = window.is_some() && self.definition.batch_window.is_zero();
            let poll = if at_once { Duration::ZERO } else { POLL };
            let clock = self.clock.clone();
            let deliveries = tokio::select! {
                received = self.messaging.receive(&self.caller, self.request(poll)) => received?,
                () = wait_window(&clock, window), if !at_once => break,
            };
            if deliveries.is_empty() && at_once {
                break;
            }
            for delivery in deliveries {
                let element = self.format.element(&delivery);
                self.add(Item { delivery, element });
            }
        }
        self.window_ends = None;
        self.bytes = BRACKETS;
        Ok(std::mem::take(&mut self.items))
    }

    fn request(&self, poll: Duration) -> Receive {
        let wanted = self.definition.batch_size as usize - self.items.len();
        Receive {
            group: self.definition.group.clone(),
            topic: self.definition.topic.clone(),
            queue: None,
            filter: self.definition.filter.clone(),
            max: wanted.clamp(1, MAX_RECEIVE),
            invisible: None,
            auto_renew: true,
            poll,
            attempt_id: None,
        }
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.definition.batch_size as usize
            || !self.carried.is_empty()
            || self
                .items
                .first()
                .is_some_and(|first| first.is_too_large(self.limit()))
    }

    fn limit(&self) -> usize {
        largest_event(&self.definition)
    }

    fn take_carried(&mut self) {
        for item in std::mem::take(&mut self.carried) {
            self.add(item);
        }
    }

    fn add(&mut self, item: Item) {
        let alone = self.items.is_empty();
        let comma = usize::from(!alone);
        let grown = self.bytes + item.element.json.len() + comma;
        if !alone && (grown > self.limit() || !self.carried.is_empty()) {
            self.carried.push(item);
            return;
        }
        if alone {
            self.window_ends = Some(self.clock.now() + self.definition.batch_window);
        }
        self.bytes = grown;
        self.items.push(item);
    }
}

/// Returns when the window is over; never while none is open.
async fn wait_window(clock: &BrokerClock, ends: Option<Timestamp>) {
    match ends {
        Some(ends) => clock.sleep_until(ends, "batch window").await,
        None => std::future::pending().await,
    }
}
