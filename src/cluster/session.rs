//! Who calls, and what a connected client is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::Message;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::Subscription;

/// Who makes a request. Whoever lets a caller in authenticates it; the cluster decides what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub principal: Principal,
    /// The client's session, where there is one.
    pub client: Option<ClientId>,
    /// Host name or address of the client, for traces and screens.
    pub host: Option<String>,
}

impl Caller {
    /// The console, the commands and triggers of this process or its owner: allowed everything.
    pub fn local() -> Self {
        Self {
            principal: Principal::Owner,
            client: None,
            host: None,
        }
    }

    /// The owner under a session of its own.
    pub fn local_client(client: ClientId) -> Self {
        Self {
            client: Some(client),
            ..Self::local()
        }
    }
}

/// On whose behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// The person who owns the data directory.
    Owner,
    /// Nobody was asked for.
    Anonymous,
    /// An access key with its permissions.
    AccessKey { key: String, grants: Vec<Grant> },
}

/// A permission of an access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub on: Resource,
    /// Exact name, or `*` for all.
    pub name: String,
    pub send: bool,
    pub receive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    Topic,
    Group,
}

/// A text that is no grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `topic:NAME:send,receive` or `group:NAME:receive`; `*` is every name")]
pub struct NotAGrant;

/// `topic:orders:send,receive`.
impl FromStr for Grant {
    type Err = NotAGrant;

    fn from_str(text: &str) -> Result<Self, NotAGrant> {
        let mut parts = text.splitn(3, ':');
        let (Some(on), Some(name), Some(allowed)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAGrant);
        };
        let on = match on {
            "topic" => Resource::Topic,
            "group" => Resource::Group,
            _ => return Err(NotAGrant),
        };
        let mut grant = Self {
            on,
            name: name.to_owned(),
            send: false,
            receive: false,
        };
        for word in allowed.split(',') {
            match (word, on) {
                ("send", Resource::Topic) => grant.send = true,
                ("receive", _) => grant.receive = true,
                _ => return Err(NotAGrant),
            }
        }
        if name.is_empty() {
            return Err(NotAGrant);
        }
        Ok(grant)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = match self.on {
            Resource::Topic => "topic",
            Resource::Group => "group",
        };
        let allowed: Vec<&str> = [("send", self.send), ("receive", self.receive)]
            .into_iter()
            .filter_map(|(name, allowed)| allowed.then_some(name))
            .collect();
        write!(f, "{on}:{}:{}", self.name, allowed.join(","))
    }
}

impl Principal {
    pub fn may_send(&self, topic: &TopicName) -> bool {
        self.allows(Resource::Topic, topic.as_str(), |grant| grant.send)
    }

    pub fn may_receive(&self, group: &GroupName, topic: &TopicName) -> bool {
        self.allows(Resource::Topic, topic.as_str(), |grant| grant.receive)
            && self.allows(Resource::Group, group.as_str(), |grant| grant.receive)
    }

    fn allows(&self, on: Resource, name: &str, wants: impl Fn(&Grant) -> bool) -> bool {
        match self {
            Self::Owner | Self::Anonymous => true,
            Self::AccessKey { grants, .. } => grants.iter().any(|grant| {
                grant.on == on && (grant.name == "*" || grant.name == name) && wants(grant)
            }),
        }
    }
}

/// What kind of client a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    Producer,
    PushConsumer,
    SimpleConsumer,
    PullConsumer,
    /// A trigger of this process.
    Trigger,
}

/// What a client says of itself, and what the cluster answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSettings {
    pub kind: ClientKind,
    pub language: String,
    pub version: String,
    /// Topics a producer announces.
    pub publishing: Vec<TopicName>,
    pub group: Option<GroupName>,
    pub subscriptions: Vec<Subscription>,
    /// Whether the group is orderly; the cluster fills it in.
    pub fifo: bool,
    /// Retry policy of the group; the cluster fills it in.
    pub retry_policy: RetryPolicy,
    /// Deliveries in all; the cluster fills it in.
    pub max_attempts: u32,
    pub long_poll: Duration,
}

/// What the broker asks of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCommand {
    /// Say what became of this transaction (X3).
    CheckTransaction {
        transaction: TransactionId,
        message: Message,
        /// Shown to end it: [`crate::cluster::messaging::EndTransaction`].
        message_id: MessageId,
    },
    /// The settings of the session changed: its group, or the topic's type.
    SettingsChanged(ClientSettings),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_word_by_word_and_written_as_they_are_read() {
        for text in [
            "topic:orders:send,receive",
            "topic:*:send",
            "group:a:receive",
        ] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        for text in [
            "queue:a:send",
            "topic:a:write",
            "group:a:send",
            "topic::send",
            "topic:a",
            "",
        ] {
            assert_eq!(text.parse::<Grant>(), Err(NotAGrant), "{text}");
        }
    }
}
