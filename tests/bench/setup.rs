//! A broker on the disk under test, and load for it through its public seam.

use std::path::Path;
use std::sync::Arc;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::cli::bench::load::{Load, Shape};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::Cluster;
use moonport::cluster::admin::{PutMode, PutTopic};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::names::{InstanceId, TopicName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::store::open::Options;

/// Events kept for readers, as the program keeps them.
const FEED: usize = 65_536;

pub(crate) fn open(directory: &Path) -> Broker {
    let id = InstanceId::new("rmq-bench").unwrap();
    let now = Timestamp::EPOCH;
    Broker::open(BrokerOptions {
        definition: InstanceDefinition::new(id, "bench".to_owned(), "local".to_owned(), now),
        journal: moonport::store::open::open(directory, Options::default()).unwrap(),
        clock: BrokerClock::system(),
        real: RealClock::system(),
        ids: Arc::new(MessageIdGenerator::new(
            [2; 6],
            std::process::id() as u16,
            0,
        )),
        host_name: "bench".to_owned(),
        feed: Feed::new(FEED),
    })
    .unwrap()
}

/// A topic with that many queues; made when missing.
pub(crate) async fn topic(cluster: &Cluster, name: &str, queues: u32) -> TopicName {
    let name = TopicName::new(name).unwrap();
    let definition =
        TopicDefinition::new(name.clone(), TopicType::Normal, queues, Timestamp::EPOCH);
    let mode = PutMode::Either;
    cluster
        .admin
        .put_topic(PutTopic { definition, mode })
        .await
        .unwrap();
    name
}

/// Load on a topic; consumers are 16.
pub(crate) fn load(broker: &Broker, topic: &TopicName, shape: (u64, usize, usize)) -> Load {
    let (messages, size, producers) = shape;
    let shape = Shape {
        topic: topic.clone(),
        messages,
        size,
        producers,
        consumers: 16,
    };
    Load::new(broker.cluster().messaging, RealClock::system(), shape)
}
