//! Calls on their way to one worker, and answers on their way back.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

/// A call as the worker fetches it.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) event: Bytes,
}

/// What the worker posted for a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Posted {
    Response(Bytes),
    Error {
        payload: Bytes,
        handled: bool,
        /// The worker ends after this answer.
        leaving: bool,
    },
    /// A body over the limit.
    TooLarge,
}

/// The host's end and the worker's end of one instance.
pub(super) struct Slot {
    submit: mpsc::UnboundedSender<Pending>,
    /// Locked by the poll in progress; a worker that polls twice waits its turn.
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Pending>>,
    in_flight: Mutex<HashMap<String, oneshot::Sender<Posted>>>,
    polled: watch::Sender<bool>,
    init_error: watch::Sender<Option<Bytes>>,
}

impl Slot {
    pub(super) fn new() -> Self {
        let (submit, waiting) = mpsc::unbounded_channel();
        Self {
            submit,
            waiting: tokio::sync::Mutex::new(waiting),
            in_flight: Mutex::default(),
            polled: watch::Sender::new(false),
            init_error: watch::Sender::new(None),
        }
    }

    /// Returns when the worker has asked for its first call.
    pub(super) async fn polled(&self) {
        let mut polled = self.polled.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = polled.wait_for(|polled| *polled).await;
    }

    /// Returns the error object when the worker says it cannot get ready.
    pub(super) async fn init_error(&self) -> Bytes {
        let mut error = self.init_error.subscribe();
        match error.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_default(),
            Err(_) => Bytes::new(),
        }
    }

    /// Hands a call over and waits for what the worker posts. Dropping this forgets the call: a later answer is refused
    /// (WK-4).
    pub(super) async fn call(&self, pending: Pending) -> Option<Posted> {
        let (sender, answer) = oneshot::channel();
        let flight = InFlight {
            slot: self,
            id: pending.id.clone(),
        };
        self.in_flight.lock().insert(pending.id.clone(), sender);
        self.submit.send(pending).ok()?;
        let posted = answer.await.ok();
        drop(flight);
        posted
    }

    /// The worker's next call, as soon as there is one that somebody still waits for.
    pub(super) async fn next(&self) -> Option<Pending> {
        self.polled.send_replace(true);
        let mut waiting = self.waiting.lock().await;
        loop {
            let pending = waiting.recv().await?;
            if self.in_flight.lock().contains_key(&pending.id) {
                return Some(pending);
            }
        }
    }

    /// Takes an answer; false when no such call is in flight.
    pub(super) fn post(&self, id: &str, posted: Posted) -> bool {
        let sender = self.in_flight.lock().remove(id);
        sender.is_some_and(|sender| sender.send(posted).is_ok())
    }

    pub(super) fn post_init_error(&self, payload: Bytes) {
        self.init_error.send_replace(Some(payload));
    }
}

struct InFlight<'a> {
    slot: &'a Slot,
    id: String,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.slot.in_flight.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(id: &str) -> Pending {
        Pending {
            id: id.to_owned(),
            headers: Vec::new(),
            event: Bytes::new(),
        }
    }

    #[tokio::test]
    async fn an_answer_reaches_the_call_it_names_wk4() {
        let slot = Slot::new();
        let ok = || Posted::Response(Bytes::from_static(b"OK"));
        let (posted, ()) = tokio::join!(slot.call(pending("A")), async {
            assert_eq!(slot.next().await.unwrap().id, "A");
            assert!(!slot.post("B", ok()));
            assert!(slot.post("A", ok()));
        });
        assert_eq!(posted, Some(ok()));
        assert!(!slot.post("A", ok()));
    }

    #[tokio::test]
    async fn a_call_given_up_is_neither_handed_out_nor_answered_wk4() {
        let slot = Slot::new();
        {
            let mut given_up = Box::pin(slot.call(pending("A")));
            assert!(futures_util::poll!(&mut given_up).is_pending());
        }
        let mut second = Box::pin(slot.call(pending("B")));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(slot.next().await.unwrap().id, "B");
        assert!(!slot.post("A", Posted::TooLarge));
    }
}
