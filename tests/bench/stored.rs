//! A store with millions of messages of 256 bytes: the cost of one more, memory, and starting with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use moonport::broker::Broker;
use moonport::cli::bench::load::GROUP;
use moonport::cli::bench::measure::Measured;
use moonport::clock::RealClock;
use moonport::cluster::messaging::Receive;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::names::{GroupName, TopicName};
use moonport::domain::subscription::FilterExpression;

use crate::goals::{Goal, drop_page_cache};
use crate::memory::Memory;
use crate::setup::{load, open, topic};
use crate::{middle, named};

/// The directory to publish into until killed; set for the process that is killed.
pub(crate) const VICTIM: &str = "MOONPORT_BENCH_VICTIM";
/// What the victim publishes before it is killed: the first time soon after a start, then far into a segment.
const KILLED_AFTER: [u64; 3] = [50_000, 300_000, 550_000];
/// Messages between two signs of life of the victim.
const STEP: u64 = 25_000;

const SIZE: usize = 256;
const PRODUCERS: usize = 64;
/// The store that the full one is compared with holds this many messages.
const FEW: u64 = 10_000;
const SAMPLE: u64 = 100_000;
const ROUNDS: u64 = 3;

pub(crate) async fn measure(
    directory: &Path,
    stored: u64,
    real: &RealClock,
) -> (Vec<Measured>, Vec<Goal>) {
    let full = directory.join("stored");
    let mut rows: Vec<Measured> = fill(&full, stored).await.into_iter().collect();
    let (loads, highest) = compare(directory, &full).await;
    let cost = loads[0].per_second / loads[1].per_second;
    rows.extend(loads);
    let clean = start(&full, real).await;
    println!("clean start, {}:", drop_page_cache());
    let cold = start(&full, real).await;
    println!("  to the first receive {clean:?} warm, {cold:?} then");
    let killed = killed(&full, real).await;
    let ms = |span: Duration| span.as_secs_f64() * 1000.0;
    let goals = vec![
        Goal::at_most("cost of a message, full store to small", cost, 1.2, "x"),
        Goal::at_most("memory, full store under load", highest, 300.0, "MB"),
        Goal::at_most("start, clean", ms(clean.max(cold)), 100.0, "ms"),
        Goal::at_most("start after kill -9", ms(killed), 2000.0, "ms"),
    ];
    (rows, goals)
}

async fn growing(broker: &Broker) -> TopicName {
    topic(&broker.cluster(), "growth", 8).await
}

/// Brings the store to `stored` messages; nothing when it has them.
async fn fill(directory: &Path, stored: u64) -> Option<Measured> {
    let broker = open(directory);
    let topic = growing(&broker).await;
    let present = broker.statistics().await.unwrap().messages;
    println!("{present} messages of {stored} stored");
    let missing = stored.saturating_sub(present);
    let row = if missing > 0 {
        let fill = load(&broker, &topic, (missing, SIZE, 512));
        Some(named("fill, 512 producers", fill.publish().await.unwrap()))
    } else {
        None
    };
    broker.close().await;
    row
}

/// The same load on a store with few messages and on the full one, in turns; the middle of the rounds counts.
async fn compare(directory: &Path, full: &Path) -> ([Measured; 3], f64) {
    let small = open(&directory.join("few"));
    let few_topic = growing(&small).await;
    load(&small, &few_topic, (FEW, SIZE, PRODUCERS))
        .publish()
        .await
        .unwrap();
    let large = open(full);
    let many_topic = growing(&large).await;
    let memory = Memory::watch();
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let load_few = load(&small, &few_topic, (SAMPLE, SIZE, PRODUCERS));
        few.push(load_few.publish().await.unwrap());
        let load_many = load(&large, &many_topic, (SAMPLE, SIZE, PRODUCERS));
        many.push(load_many.publish().await.unwrap());
    }
    let oldest = load(&large, &many_topic, (SAMPLE, SIZE, PRODUCERS));
    let oldest = named("consume the oldest", oldest.consume().await.unwrap());
    let seen = memory.end().await;
    println!(
        "memory over {} seconds: median {:.0} MB, highest {:.0} MB",
        seen.samples, seen.median, seen.highest
    );
    small.close().await;
    large.close().await;
    let few = named("publish 256 B, few stored", middle(few));
    let many = named("publish 256 B, all stored", middle(many));
    ([few, many, oldest], seen.highest)
}

/// From opening to the first message in hand, oldest first.
async fn start(directory: &Path, real: &RealClock) -> Duration {
    let begun = real.now();
    let broker = open(directory);
    let received = receive_one(&broker).await;
    let taken = real.now() - begun;
    assert_eq!(received, 1, "the store gives its oldest message");
    broker.close().await;
    taken
}

async fn receive_one(broker: &Broker) -> usize {
    let request = Receive {
        group: GroupName::new(GROUP).unwrap(),
        topic: TopicName::new("growth").unwrap(),
        queue: None,
        filter: FilterExpression::all(),
        max: 1,
        invisible: None,
        auto_renew: false,
        poll: Duration::ZERO,
        attempt_id: None,
    };
    let received = broker.receive(&Caller::local(), request).await;
    received.unwrap().len()
}

/// The longest start after a kill at several moments.
async fn killed(directory: &Path, real: &RealClock) -> Duration {
    let mut longest = Duration::ZERO;
    for after in KILLED_AFTER {
        kill_after(directory, after);
        let taken = start(directory, real).await;
        println!("start after kill -9, {after} messages into the run: {taken:?}");
        longest = longest.max(taken);
    }
    longest
}

fn kill_after(directory: &Path, messages: u64) {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.env(VICTIM, directory).stdout(Stdio::piped());
    let mut victim = command.spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let reached = lines.take((messages / STEP) as usize).count() as u64;
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(reached, messages / STEP, "the victim ended early");
}

/// Publishes until killed, with a line for every [`STEP`] messages.
pub(crate) async fn be_killed(directory: &Path) {
    let broker = open(directory);
    let topic = growing(&broker).await;
    loop {
        let step = load(&broker, &topic, (STEP, SIZE, PRODUCERS));
        step.publish().await.unwrap();
        let mut out = std::io::stdout();
        if writeln!(out, "published").is_err() || out.flush().is_err() {
            return;
        }
    }
}
