//! What connected clients said of themselves, as far as the wire needs it again. The cluster owns the sessions.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::cluster::session::ClientSettings;
use crate::domain::names::ClientId;
use crate::proto::v2;

/// A client whose stream broke may come back within this time.
const KEPT: Duration = Duration::from_secs(120);

/// Settings by client. Streams of one client may overlap; the last that brought settings counts.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    clients: HashMap<ClientId, Session>,
    streams: u64,
}

struct Session {
    asked: v2::Settings,
    held: ClientSettings,
    stream: u64,
    /// Stops the stream that was there before from handing on commands.
    superseded: CancellationToken,
    left_at: Option<Instant>,
}

impl Sessions {
    /// A number for a new stream.
    pub(super) fn stream(&self) -> u64 {
        let mut table = self.0.lock();
        table.streams += 1;
        table.streams
    }

    /// Keeps a client's settings; the token fires when another stream of the client brings some.
    pub(super) fn put(
        &self,
        client: &ClientId,
        stream: u64,
        asked: v2::Settings,
        held: ClientSettings,
        now: Instant,
    ) -> CancellationToken {
        let mut table = self.0.lock();
        table
            .clients
            .retain(|_, session| session.left_at.is_none_or(|left| now < left + KEPT));
        let superseded = match table.clients.get(client) {
            Some(before) if before.stream == stream => before.superseded.clone(),
            Some(before) => {
                before.superseded.cancel();
                CancellationToken::new()
            }
            None => CancellationToken::new(),
        };
        let session = Session {
            asked,
            held,
            stream,
            superseded: superseded.clone(),
            left_at: None,
        };
        table.clients.insert(client.clone(), session);
        superseded
    }

    /// What the client asked for.
    pub(super) fn asked(&self, client: &ClientId) -> Option<v2::Settings> {
        let table = self.0.lock();
        table
            .clients
            .get(client)
            .map(|session| session.asked.clone())
    }

    /// Whether the client's group is orderly, as far as known.
    pub(super) fn is_fifo(&self, client: &ClientId) -> bool {
        let table = self.0.lock();
        table
            .clients
            .get(client)
            .is_some_and(|session| session.held.fifo)
    }

    /// A stream ended; its client may come back.
    pub(super) fn leave(&self, client: &ClientId, stream: u64, now: Instant) {
        if let Some(session) = self.0.lock().clients.get_mut(client)
            && session.stream == stream
        {
            session.left_at = Some(now);
        }
    }

    pub(super) fn remove(&self, client: &ClientId) {
        self.0.lock().clients.remove(client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::RealClock;
    use crate::cluster::session::ClientKind;
    use crate::domain::retry_policy::RetryPolicy;

    fn settings(fifo: bool) -> ClientSettings {
        ClientSettings {
            kind: ClientKind::PushConsumer,
            language: String::new(),
            version: String::new(),
            publishing: Vec::new(),
            group: None,
            subscriptions: Vec::new(),
            fifo,
            retry_policy: RetryPolicy::Documented,
            max_attempts: 17,
            long_poll: Duration::from_secs(20),
        }
    }

    #[test]
    fn the_last_stream_with_settings_counts() {
        let (sessions, now) = (Sessions::default(), RealClock::manual().now());
        let client = ClientId::new("c").unwrap();
        let put = |stream| {
            sessions.put(
                &client,
                stream,
                v2::Settings::default(),
                settings(true),
                now,
            )
        };
        let (first, second) = (sessions.stream(), sessions.stream());
        let before = put(first);
        assert!(!put(first).is_cancelled());
        let after = put(second);
        assert!(before.is_cancelled() && !after.is_cancelled());
        sessions.leave(&client, first, now);
        assert!(sessions.is_fifo(&client));
    }

    #[test]
    fn a_client_that_left_is_forgotten_after_two_minutes() {
        let (sessions, now) = (Sessions::default(), RealClock::manual().now());
        let (gone, other) = (ClientId::new("a").unwrap(), ClientId::new("b").unwrap());
        let put = |client: &ClientId, now| {
            sessions.put(client, 1, v2::Settings::default(), settings(true), now);
        };
        put(&gone, now);
        sessions.leave(&gone, 1, now);
        put(&other, now + KEPT / 2);
        assert!(sessions.is_fifo(&gone));
        put(&other, now + KEPT);
        assert!(!sessions.is_fifo(&gone));
    }
}
