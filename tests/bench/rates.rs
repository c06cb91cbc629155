//! Publishing and consuming in a store that holds little, and memory under load.

use std::path::Path;

use moonport::cli::bench::baseline::{Producers, plain_files};
use moonport::cli::bench::measure::Measured;
use moonport::clock::RealClock;

use crate::goals::Goal;
use crate::memory::Memory;
use crate::plain_redb;
use crate::setup::{load, open, topic};
use crate::{middle, named};

const SIZE: usize = 1024;
const PRODUCERS: usize = 64;
/// Messages of a round; loads that are compared take turns, and the middle of their rounds counts.
const MESSAGES: u64 = 100_000;
const ROUNDS: u64 = 3;

pub(crate) async fn measure(directory: &Path, real: &RealClock) -> (Vec<Measured>, Vec<Goal>) {
    let mut rows = plain_files(directory, real, SIZE, PRODUCERS).await.unwrap();
    let redb = Producers {
        count: PRODUCERS,
        messages: MESSAGES,
        size: SIZE,
    };
    rows.push(plain_redb::measure(directory, redb, real).await);

    let broker = open(&directory.join("rates"));
    let single = topic(&broker.cluster(), "single", 8).await;
    let one = load(&broker, &single, (10_000, SIZE, 1));
    rows.push(named("publish, 1 producer", one.publish().await.unwrap()));

    let eight = topic(&broker.cluster(), "eight", 8).await;
    let thousand = topic(&broker.cluster(), "thousand", 1000).await;
    let memory = Memory::watch();
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let on_few = load(&broker, &eight, (MESSAGES, SIZE, PRODUCERS));
        few.push(on_few.publish().await.unwrap());
        let on_many = load(&broker, &thousand, (MESSAGES, SIZE, PRODUCERS));
        many.push(on_many.publish().await.unwrap());
    }
    let memory = memory.end().await;
    rows.push(named("publish, 64 producers", middle(few)));
    rows.push(named("publish, 64, 1,000 queues", middle(many)));
    let all = load(&broker, &eight, (MESSAGES * ROUNDS, SIZE, PRODUCERS));
    let row = named("consume, 16 consumers, acks", all.consume().await.unwrap());
    rows.push(row);
    broker.close().await;

    let [raw, plain, _, one, many, wide, consume] = rows.as_slice() else {
        unreachable!("seven loads");
    };
    let share = many.per_second / plain.per_second * 100.0;
    let queues = (1.0 - wide.per_second / many.per_second) * 100.0;
    let single = one.p50_ms / raw.p50_ms;
    let goals = vec![
        Goal::at_most("publish, 1 producer, p50 of a raw sync's", single, 2.5, "x"),
        Goal::at_least("publish, 64 producers", many.per_second, 50_000.0, "msg/s"),
        Goal::at_least("publish, 64, of a write-ahead file", share, 25.0, "%"),
        Goal::at_most("publish, 64, p99", many.p99_ms, 3.0, "ms"),
        Goal::at_most("publish, 64, loss by 1,000 queues", queues, 10.0, "%"),
        Goal::at_least("consume", consume.per_second, 100_000.0, "msg/s"),
        Goal::at_most("memory, 64 producers", memory.highest, 300.0, "MB"),
    ];
    (rows, goals)
}
