//! The console under a person's hands: keys while a log floods, frames, idleness, and places over a million messages.
//!
//! `cargo bench --bench console` takes about a minute. `MOONPORT_BENCH_STORED=100000` makes the store smaller.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

#[path = "console/flood.rs"]
mod flood;
#[path = "goals.rs"]
mod goals;
#[path = "console/places.rs"]
mod places;
#[path = "console/terminal.rs"]
mod terminal;

use moonport::clock::RealClock;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Some(rate_file) = std::env::var_os(flood::VICTIM) {
        return runtime.block_on(flood::console(rate_file.into()));
    }
    let real = RealClock::system();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut rows = Vec::new();
    let mut goals = Vec::new();
    flood::measure(directory.path(), &real, &mut rows, &mut goals);
    terminal::measure_idle(&real, &mut goals);
    runtime.block_on(places::measure(
        directory.path(),
        &real,
        &mut rows,
        &mut goals,
    ));
    goals::print(rows, &goals);
}
