//! The memory that the caches of all open journals share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for the caches of a process: each journal that is open gets an even part.
#[derive(Debug, Clone)]
pub struct CacheBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    bytes: usize,
    /// Journals open now.
    users: AtomicUsize,
}

impl CacheBudget {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Budget {
            bytes,
            users: AtomicUsize::new(0),
        }))
    }

    /// A part for one more journal; the parts of the others get smaller.
    pub(super) fn join(&self) -> Share {
        self.0.users.fetch_add(1, Ordering::Relaxed);
        Share(self.clone())
    }
}

/// One journal's part, which it gives back at its end. It changes as others come and go: recent messages follow at once,
/// redb's caches when they are made anew.
#[derive(Debug)]
pub(super) struct Share(CacheBudget);

impl Share {
    fn bytes(&self) -> usize {
        let Budget { bytes, users } = &*self.0.0;
        bytes / users.load(Ordering::Relaxed).max(1)
    }

    /// Half holds recent messages, as they are handed out.
    pub(super) fn recent(&self) -> usize {
        self.bytes() / 2
    }

    /// A quarter holds pages of the active segment.
    pub(super) fn active(&self) -> usize {
        self.bytes() / 4
    }

    /// The rest is split among the few sealed segments that are open at once.
    pub(super) fn sealed(&self) -> usize {
        self.bytes() / 16
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.0.users.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_share_the_budget_evenly_as_they_come_and_go() {
        let budget = CacheBudget::new(1600);
        let first = budget.join();
        assert_eq!(
            (first.recent(), first.active(), first.sealed()),
            (800, 400, 100)
        );
        let second = budget.join();
        assert_eq!((first.recent(), second.recent()), (400, 400));
        drop(first);
        assert_eq!(second.recent(), 800);
    }
}
