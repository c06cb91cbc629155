//! The broker under load through its public seam, all indexes and traces on, beside plain files on the same disk.
//!
//! `cargo bench --bench messaging` prints every row with its rate as a share of a plain write-ahead file in the same run.
//! `MOONPORT_BENCH_STORED=5000000` also measures growth, memory and start with that many stored messages of 256 bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::cli::bench::baseline::Baseline;
use moonport::cli::bench::load::{Load, Shape};
use moonport::cli::bench::measure::Measured;
use moonport::cli::output::Output;
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::admin::{PutMode, PutTopic};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::names::{InstanceId, TopicName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::store::open::Options;

/// A broker on the disk under test.
fn open(directory: &Path) -> Broker {
    let id = InstanceId::new("rmq-bench").unwrap();
    let now = Timestamp::EPOCH;
    Broker::open(BrokerOptions {
        definition: InstanceDefinition::new(id, "bench".to_owned(), "local".to_owned(), now),
        journal: moonport::store::open::open(directory, Options::default()).unwrap(),
        clock: BrokerClock::system(),
        real: RealClock::system(),
        ids: Arc::new(MessageIdGenerator::new([2; 6], 1, 0)),
        host_name: "bench".to_owned(),
        feed: Feed::new(1000),
    })
    .unwrap()
}

async fn topic(broker: &Broker, name: &str, queues: u32) -> TopicName {
    let name = TopicName::new(name).unwrap();
    let definition =
        TopicDefinition::new(name.clone(), TopicType::Normal, queues, Timestamp::EPOCH);
    let mode = PutMode::Create;
    broker
        .cluster()
        .admin
        .put_topic(PutTopic { definition, mode })
        .await
        .unwrap();
    name
}

fn load(broker: &Broker, topic: TopicName, messages: u64, size: usize, producers: usize) -> Load {
    let shape = Shape {
        topic,
        messages,
        size,
        producers,
        consumers: 16,
    };
    Load::new(broker.cluster().messaging, RealClock::system(), shape)
}

/// Resident memory in MB.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * 4096 / 1_048_576
}

/// The highest resident memory, sampled until dropped.
struct Peak {
    highest: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Peak {
    fn start() -> Self {
        let highest = Arc::new(AtomicU64::new(resident()));
        let seen = highest.clone();
        let task = tokio::spawn(async move {
            loop {
                seen.fetch_max(resident(), Ordering::Relaxed);
                RealClock::system().sleep(Duration::from_millis(250)).await;
            }
        });
        Self { highest, task }
    }

    fn end(self) -> u64 {
        self.task.abort();
        self.highest.load(Ordering::Relaxed).max(resident())
    }
}

fn named(mut row: Measured, name: &'static str) -> Measured {
    row.name = name;
    row
}

async fn publish_and_consume(directory: &Path) -> Vec<Measured> {
    let broker = open(&directory.join("rates"));
    let single = topic(&broker, "single", 8).await;
    let eight = topic(&broker, "eight", 8).await;
    let thousand = topic(&broker, "thousand", 1000).await;
    let mut rows = Vec::new();
    let one = load(&broker, single, 5000, 1024, 1);
    rows.push(named(one.publish().await.unwrap(), "publish, 1 producer"));
    let peak = Peak::start();
    let many = load(&broker, eight, 300_000, 1024, 64);
    rows.push(named(
        many.publish().await.unwrap(),
        "publish, 64 producers",
    ));
    println!("peak memory under 64 producers: {} MB", peak.end());
    rows.push(named(
        many.consume().await.unwrap(),
        "consume, 16 consumers",
    ));
    let wide = load(&broker, thousand, 300_000, 1024, 64);
    rows.push(named(
        wide.publish().await.unwrap(),
        "publish, 64, 1000 queues",
    ));
    broker.close().await;
    rows
}

/// Growth, memory and start with `stored` messages of 256 bytes.
async fn grow(directory: &Path, stored: u64, real: &RealClock) -> Vec<Measured> {
    let directory = directory.join("growth");
    let broker = open(&directory);
    let small = topic(&broker, "growth", 8).await;
    let sample = |name| {
        let load = load(&broker, small.clone(), 10_000, 256, 64);
        async move { named(load.publish().await.unwrap(), name) }
    };
    let mut rows = vec![sample("publish 256 B at 10 k stored").await];
    let peak = Peak::start();
    let fill = load(&broker, small.clone(), stored, 256, 512);
    rows.push(named(fill.publish().await.unwrap(), "fill, 512 producers"));
    rows.push(sample("publish 256 B, all stored").await);
    println!("peak memory with {stored} stored: {} MB", peak.end());
    broker.close().await;
    let begun = real.now();
    let broker = open(&directory);
    println!(
        "start with {stored} stored, clean: {:?}",
        real.now() - begun
    );
    broker.close().await;
    rows
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let real = RealClock::system();
    let mut rows = Baseline::measure(directory.path(), &real, 1024)
        .unwrap()
        .to_vec();
    runtime.block_on(async {
        rows.extend(publish_and_consume(directory.path()).await);
        let stored = std::env::var("MOONPORT_BENCH_STORED").ok();
        if let Some(stored) = stored.and_then(|count| count.parse().ok()) {
            rows.extend(grow(directory.path(), stored, &real).await);
        }
    });
    let reference = rows.iter().find(|row| row.is_reference).unwrap().per_second;
    for row in &mut rows {
        row.of_reference = Some(row.per_second / reference);
    }
    Output::stdout(false).list(&rows).ok();
}
