//! Ports for programs that serve HTTP; each instance gets its own.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::function::runtime::StartError;

/// Below the ports that systems give to whoever asks for any: nobody takes one of these by chance between the look at it
/// and the program's own claim.
const RANGE: Range<u16> = 20_000..32_000;

/// Goes round the range.
pub(super) struct Ports(AtomicU16);

impl Ports {
    /// Begins somewhere, so that two processes seldom meet.
    pub(super) fn beginning_at(somewhere: u16) -> Self {
        Self(AtomicU16::new(somewhere))
    }

    /// A port nobody listens on; another each time.
    pub(super) fn free(&self) -> Result<u16, StartError> {
        let length = RANGE.end - RANGE.start;
        let mut candidates = RANGE.map(|_| {
            let turn = self.0.fetch_add(1, Ordering::Relaxed);
            RANGE.start + turn % length
        });
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        candidates
            .find(is_free)
            .ok_or_else(|| StartError::CannotRun {
                reason: format!(
                    "no port of {}-{} is free on the loopback interface",
                    RANGE.start,
                    RANGE.end - 1
                ),
                hint: None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_given_one_after_the_other_and_taken_ones_left_out() {
        let ports = Ports::beginning_at(u16::MAX);
        let first = ports.free().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first));
        let next = Ports::beginning_at(first - RANGE.start).free().unwrap();
        assert!(RANGE.contains(&first) && RANGE.contains(&next));
        assert_ne!(first, next);
    }
}
