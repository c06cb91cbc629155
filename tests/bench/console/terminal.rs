//! A program in a terminal, its screen, and what it costs while nobody does anything.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moonport::clock::RealClock;
use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::goals::{Goal, resident};

pub(crate) const COLUMNS: u16 = 200;
pub(crate) const ROWS: u16 = 60;
/// Long enough to see whether an idle console does anything.
const IDLE: Duration = Duration::from_secs(10);
/// Until the sparklines of what happened before have run out.
const CALM: Duration = Duration::from_secs(3);
/// What every frame begins with.
const FRAME: &[u8] = b"\x1b[?2026h";

#[derive(Default)]
struct Shown {
    parser: Mutex<Option<vt100::Parser>>,
    changed: Condvar,
    frames: AtomicU64,
    bytes: AtomicU64,
}

pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Shown>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub(crate) fn start(mut command: CommandBuilder) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let nonzero = |cells| NonZeroU16::new(cells).unwrap();
        let shown = Arc::new(Shown::default());
        *shown.parser.lock() = Some(vt100::Parser::new(nonzero(ROWS), nonzero(COLUMNS), 0));
        let (reading, mut output) = (shown.clone(), pair.master.try_clone_reader().unwrap());
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let read = &bytes[..read];
                let frames = read
                    .windows(FRAME.len())
                    .filter(|part| *part == FRAME)
                    .count();
                reading.frames.fetch_add(frames as u64, Ordering::Relaxed);
                reading
                    .bytes
                    .fetch_add(read.len() as u64, Ordering::Relaxed);
                if let Some(parser) = reading.parser.lock().as_mut() {
                    parser.process(read);
                }
                reading.changed.notify_all();
            }
        });
        Self {
            child,
            keys: pair.master.take_writer().unwrap(),
            shown,
            _master: pair.master,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen shows `text`, half a minute at most.
    pub(crate) fn wait(&self, text: &str) {
        let real = RealClock::system();
        let late = real.now() + Duration::from_secs(30);
        let mut parser = self.shown.parser.lock();
        loop {
            let shown = parser.as_ref().unwrap().screen().contents();
            if shown.contains(text) {
                return;
            }
            // A flooded screen changes all the time, whether or not the text comes.
            assert!(real.now() < late, "no `{text}` on:\n{shown}");
            self.shown
                .changed
                .wait_for(&mut parser, Duration::from_secs(1));
        }
    }

    pub(crate) fn frames(&self) -> u64 {
        self.shown.frames.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.shown.bytes.load(Ordering::Relaxed)
    }

    fn pid(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    /// Seconds of processor time it and its threads used so far.
    fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        // utime and stime are the 14th and 15th of all fields, in hundredths of a second.
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }

    pub(crate) fn wait_end(&mut self) {
        self.child.wait().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The demo, left alone.
pub(crate) fn measure_idle(real: &RealClock, goals: &mut Vec<Goal>) {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_moonport"));
    command.args(["demo", "--no-motion"]);
    let terminal = Terminal::start(command);
    terminal.wait("RUNNING");
    std::thread::sleep(CALM);
    let (frames, bytes, used, begun) = (
        terminal.frames(),
        terminal.bytes(),
        terminal.processor(),
        real.now(),
    );
    std::thread::sleep(IDLE);
    let seconds = (real.now() - begun).as_secs_f64();
    let per_second = |count: u64| count as f64 / seconds;
    goals.push(Goal::at_most(
        "idle console, redraws",
        per_second(terminal.frames() - frames),
        1.05,
        "a second",
    ));
    goals.push(Goal::at_most(
        "idle console, output",
        per_second(terminal.bytes() - bytes),
        400.0,
        "bytes a second",
    ));
    goals.push(Goal::at_most(
        "idle console, processor",
        (terminal.processor() - used) / seconds * 100.0,
        0.5,
        "% of a core",
    ));
    goals.push(Goal::at_most(
        "idle console, memory",
        resident(&terminal.pid()),
        40.0,
        "MB",
    ));
}
