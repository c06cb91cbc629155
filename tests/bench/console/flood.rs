//! From key to screen while functions log a hundred thousand lines a second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use moonport::app::embed::Host;
use moonport::cli::bench::measure::{Latencies, Measured};
use moonport::clock::RealClock;
use moonport::control::Control;
use moonport::control::functions::Invoke;
use moonport::domain::names::FunctionName;
use moonport::function::runtime::closure;
use moonport::ui::options::ConsoleOptions;
use moonport::ui::theme::Depth;
use portable_pty::CommandBuilder;

use crate::goals::Goal;
use crate::terminal::Terminal;

/// Names the file that this same program writes its rate of lines to, as the console that is measured.
pub(crate) const VICTIM: &str = "MOONPORT_BENCH_FLOOD";
const LINES: u64 = 1_000;
const EVERY: Duration = Duration::from_millis(10);
const KEYS: u64 = 300;

/// The console over a function that never stops logging; with an empty file's name, over one that is silent.
pub(crate) async fn console(rate_file: PathBuf) {
    let flood = closure::bytes(|_, context: closure::Context| async move {
        for number in 0..LINES {
            context
                .logger()
                .info(format!("line {number} of an order's long story"));
        }
        Ok("OK")
    });
    let running = Host::builder()
        .function("flood", flood)
        .start()
        .await
        .unwrap();
    let real = RealClock::system();
    let control = running.control().clone();
    let begun = real.now();
    let flooding = tokio::spawn(pour(control.clone(), real.clone()));
    let options = ConsoleOptions::new(Depth::True);
    moonport::ui::run(control.clone(), options).await.unwrap();
    let lines = *control.logs.latest().borrow();
    let rate = lines as f64 / (real.now() - begun).as_secs_f64();
    flooding.abort();
    std::fs::write(rate_file, rate.to_string()).unwrap();
    running.stop().await;
}

async fn pour(control: Control, real: RealClock) {
    let mut due = real.now();
    loop {
        due += EVERY;
        let invoke = Invoke {
            function: FunctionName::new("flood").unwrap(),
            event: "{}".into(),
            asynchronous: false,
            log_tail: false,
        };
        control.functions.invoke(invoke).await.unwrap();
        real.sleep_until(due).await;
    }
}

pub(crate) fn measure(
    directory: &Path,
    real: &RealClock,
    rows: &mut Vec<Measured>,
    goals: &mut Vec<Goal>,
) {
    let rate_file = directory.join("rate");
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.env(VICTIM, &rate_file);
    let mut console = Terminal::start(command);
    console.wait("RUNNING");
    console.press("7");
    console.wait("line 999 of");
    let begun = real.now();
    let frames = console.frames();
    let mut latencies = Latencies::default();
    for number in 0..KEYS {
        // Each key changes the whole screen.
        let pressed = real.now();
        if number % 2 == 0 {
            console.press("4");
            console.wait("┏━ Functions");
        } else {
            console.press("7");
            console.wait("┏━ Logs");
        }
        latencies.record(real.now() - pressed);
    }
    let span = real.now() - begun;
    let frames_a_second = (console.frames() - frames) as f64 / span.as_secs_f64();
    console.press("q");
    console.wait("Quit now");
    console.press("y");
    console.wait_end();
    let rate: f64 = std::fs::read_to_string(rate_file).unwrap().parse().unwrap();
    let row = latencies.measured("key to screen, log flooded", KEYS, span);
    goals.push(Goal::at_least(
        "log lines meanwhile",
        rate,
        100_000.0,
        "a second",
    ));
    goals.push(Goal::at_most(
        "key to screen, log flooded, p99",
        row.p99_ms,
        50.0,
        "ms",
    ));
    goals.push(Goal::at_most(
        "frames meanwhile",
        frames_a_second,
        150.0,
        "a second",
    ));
    rows.push(row);
}
