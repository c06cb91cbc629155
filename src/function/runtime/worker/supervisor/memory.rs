//! How much memory a worker and its descendants hold (SAFE-5).

use nix::unistd::Pid;

use crate::function::runtime::worker::supervisor::tree;

/// Measures and remembers the peak, in KiB.
pub(super) struct Meter {
    worker: Pid,
    peak: u64,
    now: u64,
}

impl Meter {
    pub(super) fn new(worker: Pid) -> Self {
        Self {
            worker,
            peak: 0,
            now: 0,
        }
    }

    /// Takes a measurement; the peak when it rose.
    pub(super) fn measure(&mut self) -> Option<u64> {
        self.now = tree::resident_kib(self.worker);
        let risen = self.now > self.peak;
        self.peak = self.peak.max(self.now);
        risen.then_some(self.peak)
    }

    /// Whether the last measurement is over the limit. Resident sizes count shared pages once per process, so a
    /// suspicion is checked against proportional sizes, which cost more to read.
    pub(super) fn is_over(&self, limit: u64) -> bool {
        self.now > limit && tree::proportional_kib(self.worker) > limit
    }
}
