//! How long a person waits: the whole of `demo --headless`, and the console's first frame over a store with a million
//! messages, each from exec. And what it takes: memory of the idle console, size of the program.
//!
//! `cargo bench --bench startup` takes about a minute. Beside them one write with fdatasync in the same run, since
//! machines differ. `MOONPORT_BENCH_STORED` sets another number of messages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

mod goals;
mod setup;

use std::io::Read as _;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use goals::{Goal, drop_page_cache, resident};
use moonport::cli::bench::baseline::plain_files;
use moonport::cli::bench::measure::{Latencies, Measured};
use moonport::clock::RealClock;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PROGRAM: &str = env!("CARGO_BIN_EXE_moonport");
const RUNS: u64 = 15;
const STORED: u64 = 1_000_000;
/// Real time after the first frame until memory is looked at.
const SETTLED: Duration = Duration::from_secs(2);

/// Measures `runs` lives of something.
fn measured(
    name: &'static str,
    runs: u64,
    real: &RealClock,
    mut once: impl FnMut() -> Duration,
) -> Measured {
    let begun = real.now();
    let mut latencies = Latencies::default();
    for _ in 0..runs {
        latencies.record(once());
    }
    latencies.measured(name, runs, real.now() - begun)
}

fn headless(real: &RealClock) -> Duration {
    let begun = real.now();
    let status = Command::new(PROGRAM)
        .args(["demo", "--headless"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    real.now() - begun
}

/// Makes a data directory with one instance that holds `stored` messages.
async fn prepare(data: &Path, stored: u64) {
    let made = Command::new(PROGRAM)
        .arg("--data-dir")
        .arg(data)
        .args(["instance", "create", "bench", "--no-listen"])
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let instances = std::fs::read_dir(data.join("instances")).unwrap();
    let store: PathBuf = instances.map(|entry| entry.unwrap().path()).next().unwrap();
    let broker = setup::open(&store);
    let topic = setup::topic(&broker.cluster(), "growth", 8).await;
    let fill = setup::load(&broker, &topic, (stored, 256, 512));
    fill.publish().await.unwrap();
    broker.close().await;
}

/// From exec to the first frame that names the topics, and the memory of the idle console in MB.
fn first_frame(data: &Path, real: &RealClock) -> (Duration, f64) {
    let (rows, cols) = (35, 120);
    let nonzero = |cells| NonZeroU16::new(cells).unwrap();
    let size = PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.arg("--data-dir");
    command.arg(data);
    command.env("TERM", "xterm-256color");
    let begun = real.now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut output = pair.master.try_clone_reader().unwrap();
    let mut screen = vt100::Parser::new(nonzero(rows), nonzero(cols), 0);
    let mut bytes = [0; 16 * 1024];
    let shown = loop {
        let read = output.read(&mut bytes).unwrap();
        assert!(read > 0, "the console ended before its first frame");
        screen.process(&bytes[..read]);
        if screen.screen().contents().contains("growth") {
            break real.now() - begun;
        }
    };
    std::thread::sleep(SETTLED);
    let memory = resident(&child.process_id().unwrap().to_string());
    child.kill().unwrap();
    child.wait().unwrap();
    (shown, memory)
}

fn main() {
    let real = RealClock::system();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = directory.path().join("data");
    let stored =
        std::env::var("MOONPORT_BENCH_STORED").map_or(STORED, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut rows = runtime.block_on(async {
        prepare(&data, stored).await;
        plain_files(directory.path(), &real, 1024, 64)
            .await
            .unwrap()
    });
    rows.pop();
    let mut memory: f64 = 0.0;
    let mut frame = || {
        let (shown, idle) = first_frame(&data, &real);
        memory = memory.max(idle);
        shown
    };
    let demo = measured("demo --headless, whole process", RUNS, &real, || {
        headless(&real)
    });
    let warm = measured("first frame, warm", 5, &real, &mut frame);
    println!("{stored} messages stored; {}", drop_page_cache());
    let cold = measured("first frame, page cache dropped", 5, &real, || {
        drop_page_cache();
        frame()
    });
    let size = std::fs::metadata(PROGRAM).unwrap().len() as f64 / 1_000_000.0;
    let goals = [
        Goal::at_most("demo --headless, p50", demo.p50_ms, 400.0, "ms"),
        Goal::at_most("first frame, warm, p50", warm.p50_ms, 100.0, "ms"),
        Goal::at_most(
            "first frame, page cache dropped, p50",
            cold.p50_ms,
            100.0,
            "ms",
        ),
        Goal::at_most("memory, idle console", memory, 40.0, "MB"),
        Goal::at_most("program", size, 25.0, "MB"),
    ];
    rows.extend([demo, warm, cold]);
    goals::print(rows, &goals);
}
