//! The last net: a function that killed its own supervisor. What it started is found by the private `HOME` that every
//! process of an instance inherits. Not a sandbox (SAFE-14): code that hides from this has the user's rights anyway.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::clock::RealClock;

/// A process that starts others while it is being killed is met again in the next round.
const ROUNDS: u32 = 50;
const BETWEEN_ROUNDS: Duration = Duration::from_millis(10);

/// Ends the worker's process group and everything that carries `home`; returns when a round found nobody.
pub(super) async fn sweep(worker: Option<i32>, home: &OsStr, real: &RealClock) {
    if let Some(worker) = worker {
        let _ = killpg(Pid::from_raw(worker), Signal::SIGKILL);
    }
    for _ in 0..ROUNDS {
        let marked = marked(home);
        if marked.is_empty() {
            return;
        }
        for pid in marked {
            let _ = kill(pid, Signal::SIGKILL);
        }
        real.sleep(BETWEEN_ROUNDS).await;
    }
}

/// Processes that were started with this `HOME`; a zombie has no environment any more.
fn marked(home: &OsStr) -> Vec<Pid> {
    let mut entry = b"HOME=".to_vec();
    entry.extend_from_slice(home.as_bytes());
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(process.path().join("environ")).ok()?;
            let is_ours = environment.split(|byte| *byte == 0).any(|set| set == entry);
            is_ours.then(|| Pid::from_raw(pid))
        })
        .collect()
}
