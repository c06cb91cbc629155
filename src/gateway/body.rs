//! Bodies under watch: how many request bytes are held over all connections, and how many calls one connection has.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use parking_lot::Mutex;

use crate::clock::RealClock;

/// Bytes of request bodies that are being read, over all connections.
#[derive(Clone)]
pub(super) struct Budget {
    held: Arc<AtomicUsize>,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            held: Arc::new(AtomicUsize::new(0)),
            limit,
        }
    }

    pub(super) fn meter(&self, body: Incoming) -> Metered {
        Metered {
            body,
            budget: self.clone(),
            taken: 0,
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        true
    }
}

/// A request body that counts against a [`Budget`] until it is dropped.
pub(super) struct Metered {
    body: Incoming,
    budget: Budget,
    taken: usize,
}

impl Body for Metered {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|error| tonic::Status::from_error(Box::new(error)));
        if let Some(data) = frame.as_ref().ok().and_then(Frame::data_ref) {
            let bytes = data.len();
            if !self.budget.take(bytes) {
                let full = "too many requests are being sent at once, try again later";
                return Poll::Ready(Some(Err(tonic::Status::resource_exhausted(full))));
            }
            self.taken += bytes;
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// The calls of one connection: how many are in flight, and since when there is none.
#[derive(Clone)]
pub(super) struct Calls(Arc<CallsInner>);

struct CallsInner {
    clock: RealClock,
    state: Mutex<CallsState>,
}

struct CallsState {
    open: usize,
    quiet_since: Instant,
}

impl Calls {
    pub(super) fn new(clock: RealClock) -> Self {
        let quiet_since = clock.now();
        Self(Arc::new(CallsInner {
            clock,
            state: Mutex::new(CallsState {
                open: 0,
                quiet_since,
            }),
        }))
    }

    /// Counts a call until the value is dropped.
    pub(super) fn begin(&self) -> Call {
        self.0.state.lock().open += 1;
        Call(self.clone())
    }

    /// Since when no call is in flight; `None` while there is one.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let state = self.0.state.lock();
        (state.open == 0).then_some(state.quiet_since)
    }
}

/// A call in flight.
pub(super) struct Call(Calls);

impl Drop for Call {
    fn drop(&mut self) {
        let inner = &self.0.0;
        let mut state = inner.state.lock();
        state.open -= 1;
        state.quiet_since = inner.clock.now();
    }
}

/// A response body that keeps its call in flight until it is sent or given up.
pub(super) struct Counted {
    body: tonic::body::Body,
    _call: Call,
}

impl Counted {
    pub(super) fn new(body: tonic::body::Body, call: Call) -> Self {
        Self { body, _call: call }
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_budget_gives_no_byte_more_than_it_has() {
        let budget = Budget::new(10);
        assert!(budget.take(7));
        assert!(!budget.take(4));
        assert!(budget.take(3));
    }

    #[test]
    fn a_connection_is_quiet_from_the_end_of_its_last_call() {
        let clock = RealClock::manual();
        let calls = Calls::new(clock.clone());
        let (first, second) = (calls.begin(), calls.begin());
        drop(first);
        assert_eq!(calls.quiet_since(), None);
        clock.advance(Duration::from_secs(5));
        drop(second);
        assert_eq!(calls.quiet_since(), Some(clock.now()));
    }
}
