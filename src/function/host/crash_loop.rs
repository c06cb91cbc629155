//! When instances die before they are ready, again and again: how long to wait before the next try (SAFE-12).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Deaths within [`WINDOW`] that make a loop.
const DEATHS: usize = 3;
const WINDOW: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct CrashLoop {
    deaths: VecDeque<Instant>,
    /// The wait in force and when it is over.
    waiting: Option<(Duration, Instant)>,
    reason: String,
}

impl CrashLoop {
    /// Notes an instance that died before it was ready.
    pub(super) fn died(&mut self, reason: &str, now: Instant) {
        reason.clone_into(&mut self.reason);
        self.deaths.push_back(now);
        if self.deaths.len() > DEATHS {
            self.deaths.pop_front();
        }
        let first = self.deaths.front().copied().unwrap_or(now);
        let looping = self.deaths.len() == DEATHS && now.duration_since(first) <= WINDOW;
        let wait = match self.waiting {
            Some((wait, _)) => (wait * 2).min(LONGEST_WAIT),
            None if looping => FIRST_WAIT,
            None => return,
        };
        self.waiting = Some((wait, now + wait));
    }

    /// Notes an instance that got ready: all is forgiven.
    pub(super) fn started(&mut self) {
        *self = Self::default();
    }

    /// The moment before which nothing is started, and the last reason.
    pub(super) fn until(&self, now: Instant) -> Option<(Instant, &str)> {
        let (_, until) = self.waiting?;
        (until > now).then_some((until, self.reason.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::RealClock;

    #[test]
    fn three_deaths_in_ten_seconds_back_off_from_one_to_thirty_seconds_safe12() {
        let clock = RealClock::manual();
        let mut crashes = CrashLoop::default();
        crashes.died("x", clock.now());
        crashes.died("x", clock.now());
        assert_eq!(crashes.until(clock.now()), None);
        let mut waits = Vec::new();
        for _ in 0..7 {
            crashes.died("boom", clock.now());
            let (until, reason) = crashes.until(clock.now()).unwrap();
            assert_eq!(reason, "boom");
            let wait = until - clock.now();
            waits.push(wait.as_secs());
            clock.advance(wait);
            assert_eq!(crashes.until(clock.now()), None);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn slow_deaths_are_no_loop_and_a_start_forgives_safe12() {
        let clock = RealClock::manual();
        let mut crashes = CrashLoop::default();
        for _ in 0..5 {
            crashes.died("x", clock.now());
            clock.advance(Duration::from_secs(6));
        }
        assert_eq!(crashes.until(clock.now()), None);
        for _ in 0..3 {
            crashes.died("x", clock.now());
        }
        assert!(crashes.until(clock.now()).is_some());
        crashes.started();
        assert_eq!(crashes.until(clock.now()), None);
    }
}
