//! Places over a million messages, and what a frame costs.

use std::path::Path;
use std::time::Duration;

use moonport::app::listening::Listening;
use moonport::app::owner::take;
use moonport::app::wiring::{Engine, EngineOptions};
use moonport::cli::bench::measure::{Latencies, Measured};
use moonport::clock::RealClock;
use moonport::cluster::Cluster;
use moonport::cluster::admin::{PutMode, PutTopic};
use moonport::cluster::messaging::Send;
use moonport::cluster::session::Caller;
use moonport::config::paths::DataDir;
use moonport::control::instances::PutInstance;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::Draft;
use moonport::domain::names::{InstanceId, TopicName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::theme::Depth;

use crate::goals::Goal;
use crate::terminal::{COLUMNS, ROWS};

const STORED: u64 = 1_000_000;
/// Messages of one call; several calls are under way at a time.
const BATCH: u64 = 500;
const AT_ONCE: usize = 16;
const RUNS: u64 = 30;

pub(crate) async fn measure(
    directory: &Path,
    real: &RealClock,
    rows: &mut Vec<Measured>,
    goals: &mut Vec<Goal>,
) {
    let stored = std::env::var("MOONPORT_BENCH_STORED").ok();
    let stored = stored.map_or(STORED, |count| count.parse().unwrap());
    let data = DataDir::new(directory.join("stored")).unwrap();
    let options = EngineOptions {
        listening: Listening::Off,
        ..EngineOptions::new(data.clone()).unwrap()
    };
    let engine = Engine::start(options, take(&data).unwrap()).await.unwrap();
    fill(&engine, stored).await;
    let options = ConsoleOptions::new(Depth::True);
    let control = engine.control.clone();
    let mut stage = Stage::new(control, &options, real.clone(), COLUMNS, ROWS);
    stage.pass(Duration::from_secs(1)).await;
    let mut timed = async |name: &'static str, keys: &str, bound: f64| {
        let begun = real.now();
        let mut latencies = Latencies::default();
        for _ in 0..RUNS {
            stage.keys("2 g g").await;
            stage.draw();
            let pressed = real.now();
            stage.keys(keys).await;
            stage.draw();
            latencies.record(real.now() - pressed);
        }
        let row = latencies.measured(name, RUNS, real.now() - begun);
        goals.push(Goal::at_most(name, row.p99_ms, bound, "ms"));
        rows.push(row);
    };
    timed("messages of a topic open, p99", "Enter", 50.0).await;
    timed(
        "messages of a topic, opened and End, p99",
        "Enter End",
        100.0,
    )
    .await;
    timed(
        "messages of a topic, opened, End, Home, p99",
        "Enter End Home",
        150.0,
    )
    .await;
    for (name, keys) in [
        ("frame of messages, p99", "6"),
        ("frame of the log, p99", "7"),
        ("frame of traces, p99", "9"),
    ] {
        stage.keys(keys).await;
        let begun = real.now();
        let mut latencies = Latencies::default();
        for _ in 0..RUNS * 10 {
            let drawn = real.now();
            stage.draw();
            latencies.record(real.now() - drawn);
        }
        let row = latencies.measured(name, RUNS * 10, real.now() - begun);
        goals.push(Goal::at_most(name, row.p99_ms, 8.0, "ms"));
        rows.push(row);
    }
    engine.stop(Duration::ZERO).await;
}

async fn fill(engine: &Engine, stored: u64) {
    let id = InstanceId::of_name("local").unwrap();
    let region = InstanceDefinition::DEFAULT_REGION.to_owned();
    let definition =
        InstanceDefinition::new(id.clone(), "local".to_owned(), region, Timestamp::EPOCH);
    let instances = &engine.control.instances;
    instances
        .put_instance(PutInstance { definition })
        .await
        .unwrap();
    let cluster = instances.cluster(&id).unwrap();
    let topic = TopicName::new("orders").unwrap();
    let definition = TopicDefinition::new(topic.clone(), TopicType::Normal, 8, Timestamp::EPOCH);
    let mode = PutMode::Create;
    cluster
        .admin
        .put_topic(PutTopic { definition, mode })
        .await
        .unwrap();
    let mut sending = tokio::task::JoinSet::new();
    for batch in 0..stored.div_ceil(BATCH) {
        if sending.len() >= AT_ONCE {
            sending.join_next().await.unwrap().unwrap();
        }
        sending.spawn(send(cluster.clone(), topic.clone(), batch * BATCH));
    }
    sending.join_all().await;
}

async fn send(cluster: Cluster, topic: TopicName, first: u64) {
    let drafts = (first..first + BATCH).map(|number| Draft {
        tag: Some("order".to_owned()),
        keys: vec![format!("ORD-{number}")],
        ..Draft::new(
            topic.clone(),
            format!("{{\"orderId\":{number},\"amount\":250}}"),
        )
    });
    let request = Send {
        drafts: drafts.collect(),
    };
    let sent = cluster.messaging.send(&Caller::local(), request).await;
    for outcome in sent.unwrap() {
        outcome.unwrap();
    }
}
