//! Connected clients: their settings, signs of life and command streams (W1, W2).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use crate::broker::core::{Core, Live, durable};
use crate::broker::renewal::Renewal;
use crate::broker::state::Progress;
use crate::broker::state::progress::{Held, Stage};
use crate::cluster::Reply;
use crate::cluster::admin::ClientRow;
use crate::cluster::error::ClusterError;
use crate::cluster::session::{Caller, ClientKind, ClientSettings, ServerCommand};
use crate::domain::group::DeliveryOrder;
use crate::domain::message::Place;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::record::{Leasing, Postponing, Record};
use crate::domain::subscription::Subscription;
use crate::domain::timestamp::Timestamp;

/// Real time without a sign of life after which a session has ended (W2).
pub(in crate::broker) const SILENCE: Duration = Duration::from_secs(120);
/// What a client that leaves holds becomes ready after this (W2).
const RELEASE: Duration = Duration::from_secs(1);
/// Commands waiting for one client; more are dropped, as the next check asks again.
const COMMANDS: usize = 64;
const MOST_LONG_POLL: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(in crate::broker) struct Sessions {
    open: HashMap<ClientId, Session>,
    streams: HashMap<ClientId, mpsc::Sender<ServerCommand>>,
}

#[derive(Debug)]
struct Session {
    settings: ClientSettings,
    host: Option<String>,
    connected_at: Timestamp,
    seen: Instant,
    seen_at: Timestamp,
}

impl Sessions {
    /// A call of this client shows that it lives.
    pub(in crate::broker) fn touch(&mut self, caller: &Caller, real: Instant, now: Timestamp) {
        if let Some(client) = &caller.client
            && let Some(session) = self.open.get_mut(client)
        {
            session.seen = real;
            session.seen_at = now;
        }
    }

    pub(in crate::broker) fn is_alive(&self, client: &ClientId, real: Instant) -> bool {
        self.open
            .get(client)
            .is_some_and(|session| session.lives(real))
    }

    /// Triggers retry by a count of their own and are bounded by the function's timeout: they hold leases as long as they
    /// wait, and what they give back counts as no attempt.
    pub(in crate::broker) fn is_trigger(&self, client: &ClientId) -> bool {
        let session = self.open.get(client);
        session.is_some_and(|session| session.settings.kind == ClientKind::Trigger)
    }

    /// Who is asked about a transaction on `topic`: its sender, or else a live producer of the topic (X4).
    pub(in crate::broker) fn checker(
        &self,
        sender: Option<&ClientId>,
        topic: &TopicName,
        real: Instant,
    ) -> Option<mpsc::Sender<ServerCommand>> {
        let listens = |client: &ClientId| self.streams.get(client).cloned();
        let sender = sender.filter(|client| self.is_alive(client, real));
        sender.and_then(listens).or_else(|| {
            let producers = self.open.iter().filter(|(_, session)| {
                session.lives(real) && session.settings.publishing.contains(topic)
            });
            producers.map(|(client, _)| client).find_map(listens)
        })
    }

    /// Live members of a group with their subscriptions.
    pub(in crate::broker) fn members<'a>(
        &'a self,
        group: &'a GroupName,
        real: Instant,
    ) -> impl Iterator<Item = (&'a ClientId, &'a [Subscription])> {
        let of_group = move |session: &Session| {
            session.settings.group.as_ref() == Some(group) && session.lives(real)
        };
        self.open
            .iter()
            .filter(move |(_, session)| of_group(session))
            .map(|(client, session)| (client, session.settings.subscriptions.as_slice()))
    }

    pub(in crate::broker) fn count(&self, real: Instant) -> u64 {
        self.open
            .values()
            .filter(|session| session.lives(real))
            .count() as u64
    }

    fn sweep(&mut self, real: Instant) {
        self.open.retain(|_, session| session.lives(real));
        self.streams.retain(|_, stream| !stream.is_closed());
    }

    /// Tells the members of a group their settings anew.
    pub(in crate::broker) fn tell_group(
        &mut self,
        group: &GroupName,
        change: impl Fn(&mut ClientSettings),
    ) {
        for (client, session) in &mut self.open {
            if session.settings.group.as_ref() != Some(group) {
                continue;
            }
            change(&mut session.settings);
            if let Some(stream) = self.streams.get(client) {
                let _ = stream.try_send(ServerCommand::SettingsChanged(session.settings.clone()));
            }
        }
    }
}

impl Sessions {
    /// Tells whoever sends to a topic or subscribes to it that the topic changed.
    pub(in crate::broker) fn tell_topic(&self, topic: &TopicName) {
        for (client, session) in &self.open {
            let settings = &session.settings;
            let uses = settings.publishing.contains(topic)
                || settings.subscriptions.iter().any(|s| s.topic == *topic);
            if uses && let Some(stream) = self.streams.get(client) {
                let _ = stream.try_send(ServerCommand::SettingsChanged(settings.clone()));
            }
        }
    }
}

impl Session {
    fn lives(&self, real: Instant) -> bool {
        real.saturating_duration_since(self.seen) < SILENCE
    }
}

impl Core {
    pub(in crate::broker) async fn open_session(
        &self,
        caller: &Caller,
        mut settings: ClientSettings,
    ) -> Reply<ClientSettings> {
        let Some(client) = caller.client.clone() else {
            return Err(ClusterError::IllegalRequest(
                "a session needs a client id".to_owned(),
            ));
        };
        settings.long_poll = settings.long_poll.min(MOST_LONG_POLL);
        if let Some(group) = settings.group.clone() {
            self.join_subscribed(caller, &group, &settings).await?;
        }
        let (real, now) = (self.real.now(), self.now());
        let mut live = self.live();
        if let Some(definition) = settings
            .group
            .as_ref()
            .and_then(|group| live.state.group(group))
        {
            settings.fifo = definition.order == DeliveryOrder::Orderly;
            settings.retry_policy = definition.retry_policy.clone();
            settings.max_attempts = definition.max_retries + 1;
        }
        live.sessions.sweep(real);
        live.sweep_renewals();
        let connected_at = live.sessions.open.get(&client).map(|old| old.connected_at);
        let session = Session {
            settings: settings.clone(),
            host: caller.host.clone(),
            connected_at: connected_at.unwrap_or(now),
            seen: real,
            seen_at: now,
        };
        live.sessions.open.insert(client, session);
        Ok(settings)
    }

    /// A group that subscribes starts here, not at its first receive.
    async fn join_subscribed(
        &self,
        caller: &Caller,
        group: &GroupName,
        settings: &ClientSettings,
    ) -> Reply<()> {
        for subscription in &settings.subscriptions {
            crate::broker::delivery::parse_filter(&subscription.filter)?;
        }
        let consumes = !matches!(settings.kind, ClientKind::Producer);
        if consumes {
            for subscription in &settings.subscriptions {
                self.join(caller, group, &subscription.topic).await?;
            }
        }
        Ok(())
    }

    pub(in crate::broker) fn heartbeat(&self, caller: &Caller) {
        let (real, now) = (self.real.now(), self.now());
        self.live().sessions.touch(caller, real, now);
    }

    pub(in crate::broker) async fn close_session(&self, caller: &Caller) -> Reply<()> {
        let Some(client) = &caller.client else {
            return Ok(());
        };
        let commit = {
            let now = self.now();
            let mut live = self.live();
            let is_trigger = live.sessions.is_trigger(client);
            live.sessions.open.remove(client);
            live.sessions.streams.remove(client);
            let held = live.renewals.remove_client(client);
            let give_back = if is_trigger { released } else { shortened };
            let mut entry = self.entry(&mut live);
            for (lease, renewal) in held {
                if let Some(record) = give_back(entry.live, lease, &renewal, now) {
                    entry.push(record);
                    entry.live.wake(renewal.progress);
                }
            }
            if entry.is_empty() {
                return Ok(());
            }
            entry.append()
        };
        durable(commit).await
    }

    pub(in crate::broker) fn commands(
        &self,
        client: &ClientId,
    ) -> BoxStream<'static, ServerCommand> {
        let (sender, receiver) = mpsc::channel(COMMANDS);
        self.live().sessions.streams.insert(client.clone(), sender);
        let next = |mut receiver: mpsc::Receiver<ServerCommand>| async {
            receiver.recv().await.map(|command| (command, receiver))
        };
        stream::unfold(receiver, next).boxed()
    }

    pub(in crate::broker) fn clients(&self, group: Option<&GroupName>) -> Vec<ClientRow> {
        let real = self.real.now();
        let live = self.live();
        let wanted = |session: &Session| {
            session.lives(real) && (group.is_none() || session.settings.group.as_ref() == group)
        };
        let open = live.sessions.open.iter();
        let mut rows: Vec<ClientRow> = open
            .filter(|(_, session)| wanted(session))
            .map(|(client, session)| session.row(client))
            .collect();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows
    }
}

impl Live {
    /// Leases of messages that left by retention or with their topic or group are renewed no more.
    fn sweep_renewals(&mut self) {
        let state = &self.state;
        self.renewals.retain(|lease, renewal| {
            let queue = state.queue_progress(renewal.progress, renewal.queue);
            let held = queue.and_then(|queue| queue.held(renewal.offset));
            held.is_some_and(
                |held| matches!(held.stage, Stage::InFlight { lease: current, .. } if current == lease),
            )
        });
    }
}

impl Session {
    fn row(&self, client: &ClientId) -> ClientRow {
        let settings = &self.settings;
        ClientRow {
            id: client.clone(),
            kind: settings.kind,
            host: self.host.clone(),
            language: settings.language.clone(),
            version: settings.version.clone(),
            group: settings.group.clone(),
            subscriptions: settings.subscriptions.clone(),
            publishing: settings.publishing.clone(),
            connected_at: self.connected_at,
            last_heartbeat_at: self.seen_at,
        }
    }
}

/// The message ready again, its attempt not counted, if the lease still holds.
fn released(live: &Live, lease: u64, renewal: &Renewal, now: Timestamp) -> Option<Record> {
    let (progress, held) = leased(live, lease, renewal)?;
    Some(Record::Postponed {
        group: progress.group.clone(),
        place: Place {
            topic: progress.topic.clone(),
            queue: renewal.queue,
            offset: renewal.offset,
        },
        attempt: held.attempt,
        due: now,
        at: now,
        why: Postponing::Released,
        message_group: held.message_group.clone(),
    })
}

/// The same lease with its end moved near, if it still holds.
fn shortened(live: &Live, lease: u64, renewal: &Renewal, now: Timestamp) -> Option<Record> {
    let (progress, held) = leased(live, lease, renewal)?;
    Some(Record::Leased {
        group: progress.group.clone(),
        topic: progress.topic.clone(),
        queue: renewal.queue,
        client: None,
        deadline: now + RELEASE,
        at: now,
        deliveries: vec![Leasing {
            offset: renewal.offset,
            attempt: held.attempt,
            lease,
            message_group: held.message_group.clone(),
        }],
    })
}

/// What a renewed lease holds, if it still does.
fn leased<'a>(live: &'a Live, lease: u64, renewal: &Renewal) -> Option<(&'a Progress, &'a Held)> {
    let progress = live.state.progress(renewal.progress)?;
    let queue = progress.queues.get(renewal.queue as usize)?;
    let held = queue.held(renewal.offset)?;
    let holds = matches!(held.stage, Stage::InFlight { lease: current, .. } if current == lease);
    holds.then_some((progress, held))
}
