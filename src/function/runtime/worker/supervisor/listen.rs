//! The supervisor's ear: the host's words, its silence, and the ticks between at which memory is measured.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::function::runtime::worker::control::{Command, Report};
use crate::function::runtime::worker::supervisor::memory::Meter;
use crate::function::runtime::worker::supervisor::{Watch, tree};

/// Between two measurements while a request runs, and while none does (SAFE-5).
const BUSY_TICK: Duration = Duration::from_millis(100);
const IDLE_TICK: Duration = Duration::from_secs(1);
/// Between two rounds of killing.
const KILL_TICK: Duration = Duration::from_millis(5);

/// What the socket gave.
enum Heard {
    Command(Command),
    Nothing,
    /// The host closed it, or died.
    Gone,
}

/// Listens until the worker has to end, then ends it; the process ends under this thread's feet.
pub(super) fn listen(watch: &Watch, worker: Pid, limit_mb: u64) {
    let grace = attend(watch, worker, limit_mb);
    if !grace.is_zero() {
        let _ = killpg(worker, Signal::SIGTERM);
        // What stands still would not hear it.
        let _ = killpg(worker, Signal::SIGCONT);
        let mut waited = Duration::ZERO;
        while waited < grace && !watch.worker_gone.load(Ordering::Relaxed) {
            std::thread::sleep(KILL_TICK);
            waited += KILL_TICK;
        }
    }
    loop {
        tree::kill_descendants(worker);
        std::thread::sleep(KILL_TICK);
    }
}

/// Returns how long the worker may take to end by itself.
fn attend(watch: &Watch, worker: Pid, limit_mb: u64) -> Duration {
    let Ok(socket) = watch.host.lock().try_clone() else {
        return Duration::ZERO;
    };
    let mut ear = Ear::new(socket);
    let mut meter = Meter::new(worker);
    let mut tick = BUSY_TICK;
    let mut frozen = false;
    loop {
        match ear.hear(tick) {
            Heard::Command(Command::Busy) => {
                tick = BUSY_TICK;
                if std::mem::take(&mut frozen) {
                    let _ = killpg(worker, Signal::SIGCONT);
                }
            }
            Heard::Command(Command::Freeze) => {
                tick = IDLE_TICK;
                frozen = killpg(worker, Signal::SIGSTOP).is_ok();
            }
            Heard::Command(Command::Idle) => tick = IDLE_TICK,
            Heard::Command(Command::End(grace)) => return grace,
            Heard::Gone => return Duration::ZERO,
            Heard::Nothing => {}
        }
        if let Some(peak) = meter.measure() {
            watch.tell(&Report::Memory(peak));
        }
        if meter.is_over(limit_mb * 1024) {
            watch.over_limit.store(true, Ordering::Relaxed);
            return Duration::ZERO;
        }
    }
}

/// Lines from the socket, with a limit on the wait for each.
struct Ear {
    socket: UnixStream,
    pending: Vec<u8>,
}

impl Ear {
    fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            pending: Vec::new(),
        }
    }

    fn hear(&mut self, patience: Duration) -> Heard {
        if let Some(command) = self.line() {
            return Heard::Command(command);
        }
        // A timeout that cannot be set would mean waiting for ever; then the host counts as gone.
        if self.socket.set_read_timeout(Some(patience)).is_err() {
            return Heard::Gone;
        }
        let mut chunk = [0; 256];
        match self.socket.read(&mut chunk) {
            Ok(0) => Heard::Gone,
            Ok(length) => {
                self.pending.extend(chunk.iter().take(length));
                self.line().map_or(Heard::Nothing, Heard::Command)
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                    Heard::Nothing
                }
                _ => Heard::Gone,
            },
        }
    }

    fn line(&mut self) -> Option<Command> {
        let end = self.pending.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.pending.drain(..=end).collect();
        std::str::from_utf8(&line).ok()?.trim_end().parse().ok()
    }
}
