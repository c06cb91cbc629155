//! The broker under test and what it stands on: a store that commits by hand, so that a crash takes exactly what no commit
//! covered, or the real journal over a disk that drops, reorders and tears what was not synced.

use std::sync::Arc;
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::admin::{PutGroup, PutMode, PutTopic};
use moonport::cluster::messaging::Ack;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::names::InstanceId;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::store::cache::CacheBudget;
use moonport::store::journal::Recovery;
use moonport::store::memory::MemoryStore;
use moonport::store::open::{Options, open_on};

use crate::broker_model::model::{GROUPS, ORDERLY, RED, RED_RETRIES, RETENTION, TOPICS};
use crate::support::broker::{START, group, topic};
use crate::support::fake_disk::FakeDisk;
use crate::support::faults::{self, Fault};

/// What a broker's journal is kept on.
pub(super) enum Keep {
    ByHand(MemoryStore, Fault),
    Disk(FakeDisk, fastrand::Rng),
}

pub(super) struct Machine {
    pub broker: Broker,
    pub clock: BrokerClock,
    pub caller: Caller,
    keep: Keep,
}

impl Machine {
    pub(super) async fn new(keep: Keep) -> Self {
        let clock = BrokerClock::still(START);
        let machine = Self {
            broker: keep.open(&clock),
            clock,
            caller: Caller::local(),
            keep,
        };
        for (name, topic_type, queues) in [
            (TOPICS[0], TopicType::Mixed, 2),
            (TOPICS[1], TopicType::Fifo, 1),
        ] {
            machine.put_topic(name, topic_type, queues).await;
        }
        for of in 0..GROUPS.len() {
            machine.put_group(of).await;
        }
        machine
    }

    async fn put_topic(&self, name: &str, topic_type: TopicType, queues: u32) {
        let mut definition = TopicDefinition::new(topic(name), topic_type, queues, START);
        definition.retention = Some(RETENTION);
        let mode = PutMode::Create;
        let putting = self.broker.put_topic(PutTopic { definition, mode });
        self.done(putting).await.unwrap();
    }

    async fn put_group(&self, of: usize) {
        let order = if of == ORDERLY {
            DeliveryOrder::Orderly
        } else {
            DeliveryOrder::Concurrent
        };
        let mut definition = GroupDefinition::new(group(GROUPS[of]), order, START);
        definition.max_retries = if of == RED { RED_RETRIES } else { 1000 };
        definition.first_seen = FirstSeen::Earliest;
        let request = PutGroup {
            definition,
            mode: PutMode::Create,
            join: TOPICS.map(topic).to_vec(),
        };
        self.done(self.broker.put_group(request)).await.unwrap();
    }

    /// Runs a call to its end, with a commit whenever it waits.
    pub(super) async fn done<F: Future>(&self, call: F) -> F::Output {
        let Keep::ByHand(store, _) = &self.keep else {
            return call.await;
        };
        let mut call = std::pin::pin!(call);
        loop {
            if let std::task::Poll::Ready(output) = futures_util::poll!(&mut call) {
                return output;
            }
            store.commit();
            tokio::task::yield_now().await;
        }
    }

    /// Does what is due and waits until it is durable.
    pub(super) async fn settle(&self) {
        for _ in 0..2 {
            self.broker.statistics().await.unwrap();
            let nothing = Ack {
                group: group("nobody"),
                topic: topic("nothing"),
                handles: Vec::new(),
            };
            let barrier = self.broker.ack(&self.caller, nothing);
            self.done(barrier).await.unwrap();
        }
    }

    /// Lets the broker's own tasks run.
    pub(super) async fn breathe(&self) {
        if let Keep::ByHand(store, _) = &self.keep {
            store.commit();
        }
        tokio::task::yield_now().await;
    }

    /// Begins a segment, where that happens by hand.
    pub(super) fn roll(&self) {
        if let Keep::ByHand(store, _) = &self.keep {
            store.roll();
        }
    }

    pub(super) async fn close(&self) {
        self.done(self.broker.close()).await;
    }

    pub(super) async fn restart(&mut self) {
        self.done(self.broker.close()).await;
        self.broker = self.keep.open(&self.clock);
    }

    /// Dies; of what was appended since the last commit the first `kept` pieces are on disk, or whatever chance left there.
    pub(super) async fn crash(&mut self, kept: usize) {
        match &mut self.keep {
            Keep::ByHand(store, _) => store.crash(kept),
            Keep::Disk(disk, chance) => {
                disk.die();
                *disk = disk.crashed(chance);
            }
        }
        self.restart().await;
    }
}

impl Keep {
    fn open(&self, clock: &BrokerClock) -> Broker {
        let journal: Box<dyn Recovery> = match self {
            Self::ByHand(store, fault) => faults::wrap(store.open(), *fault),
            Self::Disk(disk, _) => open_on(Arc::new(disk.clone()), small()).unwrap(),
        };
        let id = InstanceId::new("rmq-model").unwrap();
        let mut definition = InstanceDefinition::new(id, "model".to_owned(), "r".to_owned(), START);
        // Dead letters stay for the whole life.
        definition.retention = RETENTION * 1000;
        let options = BrokerOptions {
            definition,
            journal,
            clock: clock.clone(),
            real: RealClock::manual(),
            ids: Arc::new(MessageIdGenerator::new([2, 0, 0, 0, 0, 1], 1, 0)),
            host_name: "h".to_owned(),
            feed: Feed::new(1),
        };
        Broker::open(options).unwrap()
    }
}

/// Segments, runs and checkpoints come every few records.
fn small() -> Options {
    Options {
        segment_bytes: 6000,
        run_entries: 16,
        checkpoint_bytes: 2000,
        cache: CacheBudget::new(0),
        patience: Duration::ZERO,
        quiet: Duration::MAX,
        ..Options::default()
    }
}
