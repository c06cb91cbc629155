//! Where processes have no readable family tree: the process groups of our children stand for it.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Other systems hand orphans to the first process.
pub(super) fn adopt_orphans() {}

/// Sends SIGKILL to the worker's group; children that left it stay (the README says so).
pub(super) fn kill_descendants(worker: Pid) {
    let _ = killpg(worker, Signal::SIGKILL);
}

/// Not known here.
pub(super) fn resident_kib(_worker: Pid) -> u64 {
    0
}

/// Not known here.
pub(super) fn proportional_kib(_worker: Pid) -> u64 {
    0
}
