//! Settings: what a client says of itself, and what it must be told. The quirks of client versions live here.

use std::time::Duration;

use crate::cluster::messaging::MAX_RECEIVE;
use crate::cluster::session::{ClientKind, ClientSettings};
use crate::domain::message::MAX_BODY;
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::Subscription;
use crate::proto::convert::{names, time};
use crate::proto::refusal::Refusal;
use crate::proto::v2;

/// Attempts of a producer, and its pauses between them.
const SEND_ATTEMPTS: i32 = 3;
const SEND_PAUSE: Duration = Duration::from_millis(10);
const SEND_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Long poll of push consumers.
const LONG_POLL: Duration = Duration::from_secs(20);
/// Most entries of a retry table on the wire.
const MAX_BACKOFFS: u32 = 64;

/// Reads a client's settings.
pub fn client(given: &v2::Settings) -> Result<ClientSettings, Refusal> {
    let (publishing, subscription) = match &given.pub_sub {
        Some(v2::settings::PubSub::Publishing(publishing)) => (Some(publishing), None),
        Some(v2::settings::PubSub::Subscription(subscription)) => (None, Some(subscription)),
        None => return Err(Refusal::ClientType),
    };
    let kind = kind(given, publishing.is_some())?;
    let agent = given.user_agent.clone().unwrap_or_default();
    let topics = publishing.map(|p| p.topics.as_slice()).unwrap_or_default();
    Ok(ClientSettings {
        kind,
        language: language(&agent),
        version: agent.version,
        publishing: topics
            .iter()
            .map(|topic| names::topic(Some(topic)))
            .collect::<Result<_, _>>()?,
        group: subscription
            .map(|s| names::group(s.group.as_ref()))
            .transpose()?,
        subscriptions: subscription
            .map(subscriptions)
            .transpose()?
            .unwrap_or_default(),
        fifo: false,
        retry_policy: RetryPolicy::default(),
        max_attempts: 0,
        long_poll: subscription
            .and_then(|s| s.long_polling_timeout.as_ref())
            .map_or(LONG_POLL, time::duration),
    })
}

fn kind(given: &v2::Settings, publishes: bool) -> Result<ClientKind, Refusal> {
    use v2::ClientType as Type;
    match (given.client_type(), publishes) {
        (Type::Producer | Type::Unspecified, true) => Ok(ClientKind::Producer),
        (Type::PushConsumer, false) => Ok(ClientKind::PushConsumer),
        (Type::SimpleConsumer | Type::Unspecified, false) => Ok(ClientKind::SimpleConsumer),
        (Type::PullConsumer, false) => Ok(ClientKind::PullConsumer),
        (Type::LitePushConsumer | Type::LiteSimpleConsumer, _) => Err(Refusal::Lite),
        _ => Err(Refusal::ClientType),
    }
}

fn language(agent: &v2::Ua) -> String {
    match v2::Language::try_from(agent.language) {
        Ok(v2::Language::Unspecified) | Err(_) => String::new(),
        Ok(language) => language.as_str_name().to_owned(),
    }
}

fn subscriptions(given: &v2::Subscription) -> Result<Vec<Subscription>, Refusal> {
    given
        .subscriptions
        .iter()
        .map(|entry| {
            Ok(Subscription {
                topic: names::topic(entry.topic.as_ref())?,
                filter: names::filter(entry.expression.as_ref()),
            })
        })
        .collect()
}

/// The settings a client is told: its own words echoed, with what `held` says in force.
pub fn answer(given: &v2::Settings, held: &ClientSettings) -> v2::Settings {
    let mut answer = given.clone();
    answer.metric = Some(v2::Metric::default());
    match &mut answer.pub_sub {
        Some(v2::settings::PubSub::Publishing(publishing)) => {
            publishing.max_body_size = i32::try_from(MAX_BODY).unwrap_or(i32::MAX);
            publishing.validate_message_type = true;
            answer.backoff_policy = Some(exponential(SEND_ATTEMPTS, SEND_PAUSE, SEND_PAUSE_MAX));
        }
        Some(v2::settings::PubSub::Subscription(subscription)) => {
            subscription.fifo = Some(held.fifo);
            subscription.receive_batch_size = i32::try_from(MAX_RECEIVE).ok();
            subscription.long_polling_timeout = Some(time::to_duration(whole(held.long_poll)));
            answer.backoff_policy = Some(backoff(given, held));
        }
        None => {}
    }
    answer
}

/// The pauses before redelivery. Node.js up to 1.0.8 knows only exponential pauses and takes their seconds for
/// milliseconds, so it is told a thousandfold; everybody else gets the table, in whole seconds.
fn backoff(given: &v2::Settings, held: &ClientSettings) -> v2::RetryPolicy {
    let attempts = i32::try_from(held.max_attempts.max(1)).unwrap_or(i32::MAX);
    let table = table(&held.retry_policy, held.max_attempts);
    if misreads_seconds(given) {
        let first = table.first().copied().unwrap_or(Duration::from_secs(1));
        let last = table.last().copied().unwrap_or(first);
        return exponential(attempts, first * 1000, last * 1000);
    }
    v2::RetryPolicy {
        max_attempts: attempts,
        strategy: Some(v2::retry_policy::Strategy::CustomizedBackoff(
            v2::CustomizedBackoff {
                next: table.into_iter().map(time::to_duration).collect(),
            },
        )),
    }
}

fn misreads_seconds(given: &v2::Settings) -> bool {
    let Some(agent) = &given.user_agent else {
        return false;
    };
    let mut parts = agent.version.split('.').map(str::parse::<u32>);
    let version = (parts.next(), parts.next(), parts.next());
    let old = match version {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => (major, minor, patch) <= (1, 0, 8),
        _ => true,
    };
    agent.language() == v2::Language::NodeJs && old
}

/// Pauses before retry 1, 2, …; the last one repeats, so the table ends where the policy stops growing.
fn table(policy: &RetryPolicy, max_attempts: u32) -> Vec<Duration> {
    let count = max_attempts.saturating_sub(1).clamp(1, MAX_BACKOFFS);
    let mut table: Vec<Duration> = (1..=count).map(|n| whole(policy.delay(n))).collect();
    while let [.., before, last] = table.as_slice() {
        if before != last {
            break;
        }
        table.pop();
    }
    table
}

/// At least one whole second: some clients read nothing finer.
fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs().max(1))
}

fn exponential(max_attempts: i32, initial: Duration, max: Duration) -> v2::RetryPolicy {
    v2::RetryPolicy {
        max_attempts,
        strategy: Some(v2::retry_policy::Strategy::ExponentialBackoff(
            v2::ExponentialBackoff {
                initial: Some(time::to_duration(initial)),
                max: Some(time::to_duration(max)),
                multiplier: 2.0,
            },
        )),
    }
}

/// The other way, for a cluster elsewhere.
pub fn to_settings(client: &ClientSettings, access_point: v2::Endpoints) -> v2::Settings {
    let client_type = match client.kind {
        ClientKind::Producer => v2::ClientType::Producer,
        ClientKind::PushConsumer | ClientKind::Trigger => v2::ClientType::PushConsumer,
        ClientKind::SimpleConsumer => v2::ClientType::SimpleConsumer,
        ClientKind::PullConsumer => v2::ClientType::PullConsumer,
    };
    let pub_sub = if client.kind == ClientKind::Producer {
        v2::settings::PubSub::Publishing(v2::Publishing {
            topics: client
                .publishing
                .iter()
                .map(|topic| names::resource(topic.as_str()))
                .collect(),
            ..Default::default()
        })
    } else {
        v2::settings::PubSub::Subscription(v2::Subscription {
            group: client.group.as_ref().map(|g| names::resource(g.as_str())),
            subscriptions: client.subscriptions.iter().map(to_entry).collect(),
            long_polling_timeout: Some(time::to_duration(client.long_poll)),
            ..Default::default()
        })
    };
    v2::Settings {
        client_type: Some(client_type.into()),
        access_point: Some(access_point),
        user_agent: Some(v2::Ua {
            language: v2::Language::Rust.into(),
            version: client.version.clone(),
            ..Default::default()
        }),
        pub_sub: Some(pub_sub),
        ..Default::default()
    }
}

fn to_entry(subscription: &Subscription) -> v2::SubscriptionEntry {
    v2::SubscriptionEntry {
        topic: Some(names::resource(subscription.topic.as_str())),
        expression: Some(names::to_filter(&subscription.filter)),
    }
}

/// What a cluster elsewhere answered, on top of what was asked.
pub fn held(asked: ClientSettings, answer: &v2::Settings) -> ClientSettings {
    let mut held = asked;
    if let Some(policy) = &answer.backoff_policy {
        held.max_attempts = u32::try_from(policy.max_attempts).unwrap_or(0);
        held.retry_policy = policy_of(policy).unwrap_or(held.retry_policy);
    }
    if let Some(v2::settings::PubSub::Subscription(subscription)) = &answer.pub_sub {
        held.fifo = subscription.fifo();
        if let Some(span) = &subscription.long_polling_timeout {
            held.long_poll = time::duration(span);
        }
    }
    held
}

fn policy_of(policy: &v2::RetryPolicy) -> Option<RetryPolicy> {
    match policy.strategy.as_ref()? {
        v2::retry_policy::Strategy::ExponentialBackoff(growing) => Some(RetryPolicy::Exponential {
            initial: growing.initial.as_ref().map(time::duration)?,
            max: growing.max.as_ref().map(time::duration)?,
        }),
        v2::retry_policy::Strategy::CustomizedBackoff(table) => {
            let next: Vec<Duration> = table.next.iter().map(time::duration).collect();
            let known = [RetryPolicy::Documented, RetryPolicy::GrpcRaw];
            known
                .into_iter()
                .find(|policy| {
                    let retries = u32::try_from(next.len()).unwrap_or(0);
                    (1..=retries)
                        .map(|n| policy.delay(n))
                        .eq(next.iter().copied())
                })
                .or_else(|| next.first().copied().map(RetryPolicy::Fixed))
        }
    }
}

#[cfg(test)]
mod tests;
