//! The broker under load through its public seam, all indexes and traces on, beside plain files and plain redb on the
//! same disk; the way from a send through a trigger to a function; and which goals were met.
//!
//! `cargo bench --bench messaging` takes about half a minute. `MOONPORT_BENCH_STORED=5000000` measures a store with that
//! many messages after that: growth, memory, start. Filling takes a minute or two; with `MOONPORT_BENCH_DIRECTORY=DIR` the
//! store is made there and used again by the next run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

mod goals;
mod memory;
mod plain_redb;
mod rates;
mod setup;
mod stored;
mod workflow;

use std::path::PathBuf;
use std::process::Command;

use moonport::cli::bench::measure::Measured;
use moonport::clock::RealClock;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Some(directory) = std::env::var_os(stored::VICTIM) {
        return runtime.block_on(stored::be_killed(&PathBuf::from(directory)));
    }
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let kept = std::env::var_os("MOONPORT_BENCH_DIRECTORY").map(PathBuf::from);
    let directory = kept.unwrap_or_else(|| temporary.path().to_owned());
    let stored = std::env::var("MOONPORT_BENCH_STORED").ok();
    let stored = stored.map(|count| count.parse().expect("MOONPORT_BENCH_STORED is a number"));
    let real = RealClock::system();
    if stored.is_some() {
        // In a process of its own, whose memory is not counted to the full store's.
        let mut rates = Command::new(std::env::current_exe().unwrap());
        let rates = rates.env_remove("MOONPORT_BENCH_STORED").status();
        assert!(rates.unwrap().success(), "the rates were not measured");
    }
    let (rows, goals) = runtime.block_on(async {
        if let Some(stored) = stored {
            return stored::measure(&directory, stored, &real).await;
        }
        let (mut rows, mut goals) = rates::measure(temporary.path(), &real).await;
        let (more_rows, more_goals) = workflow::measure(&real).await;
        rows.extend(more_rows);
        goals.extend(more_goals);
        (rows, goals)
    });
    goals::print(rows, &goals);
}

fn named(name: &'static str, row: Measured) -> Measured {
    Measured { name, ..row }
}

/// The round in the middle by its rate.
fn middle(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.swap_remove(rounds.len() / 2)
}
