//! How long a person waits: the whole of `demo --headless`, and the console's first frame, each from exec.
//!
//! `cargo bench --bench startup`. Beside them one write with fdatasync in the same run, since machines differ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

use std::io::Read as _;
use std::num::NonZeroU16;
use std::process::{Command, Stdio};
use std::time::Duration;

use moonport::cli::bench::baseline::Baseline;
use moonport::cli::bench::measure::{Latencies, Measured};
use moonport::cli::output::Output;
use moonport::clock::RealClock;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PROGRAM: &str = env!("CARGO_BIN_EXE_moonport");
const RUNS: u64 = 15;

/// Measures `RUNS` lives of something.
fn measured(name: &'static str, real: &RealClock, mut once: impl FnMut() -> Duration) -> Measured {
    let begun = real.now();
    let mut latencies = Latencies::default();
    for _ in 0..RUNS {
        latencies.record(once());
    }
    latencies.measured(name, RUNS, real.now() - begun)
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

/// From exec to the first frame that names the topic of the demo.
fn first_frame(real: &RealClock) -> Duration {
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
    command.arg("demo");
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
        if screen.screen().contents().contains("Topics") {
            break real.now() - begun;
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    shown
}

fn main() {
    let real = RealClock::system();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut rows = Baseline::measure(directory.path(), &real, 1024)
        .unwrap()
        .to_vec();
    rows.push(measured("demo --headless, whole process", &real, || {
        headless(&real)
    }));
    rows.push(measured("console, first frame", &real, || {
        first_frame(&real)
    }));
    Output::stdout(false).list(&rows).ok();
}
