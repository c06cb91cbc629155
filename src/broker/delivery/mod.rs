//! Which messages a receiver gets next. Under the lock a receiver claims candidates, without it their content is read,
//! under it again those that still stand are leased: a cold read never holds up anybody else.

pub(in crate::broker) mod claim;
pub(in crate::broker) mod concurrent;
pub(in crate::broker) mod hand;
pub(in crate::broker) mod orderly;
pub(in crate::broker) mod polls;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::broker::core::{Core, cluster_error};
use crate::broker::delivery::claim::{Claim, QueueClaim};
use crate::cluster::Reply;
use crate::cluster::error::ClusterError;
use crate::domain::message::{Message, key};
use crate::domain::names::TopicName;
use crate::domain::subscription::FilterExpression;
use crate::filter::{Filter, FilterKind};

/// A filter text that a subscription brings.
pub(in crate::broker) fn parse_filter(expression: &FilterExpression) -> Reply<Filter> {
    let parsed = match expression {
        FilterExpression::Tag(text) => Filter::parse(FilterKind::Tag, text),
        FilterExpression::Sql(text) => Filter::parse(FilterKind::Sql, text),
    };
    parsed.map_err(|error| ClusterError::IllegalFilter(error.to_string()))
}

/// Whether a group with this filter gets the message.
pub(in crate::broker) fn admits(filter: &Filter, message: &Message) -> bool {
    match filter {
        Filter::All => true,
        _ => filter.admits(message.tag.as_deref(), &Named::of(message)),
    }
}

/// The names an SQL condition can use: user properties, stored system properties, tag and keys (P4).
struct Named<'a> {
    message: &'a Message,
    keys: Option<Cow<'a, str>>,
}

impl<'a> Named<'a> {
    fn of(message: &'a Message) -> Self {
        let keys = match message.keys.as_slice() {
            [] => None,
            [key] => Some(Cow::Borrowed(key.as_str())),
            keys => Some(Cow::Owned(keys.join(" "))),
        };
        Self { message, keys }
    }
}

impl crate::filter::Properties for Named<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match name {
            key::TAGS => self.message.tag.as_deref(),
            key::KEYS => self.keys.as_deref(),
            key::UNIQ_KEY => Some(self.message.id.as_str()),
            _ => {
                let user = self.message.properties.get(name);
                user.or_else(|| self.message.system.get(name))
            }
        }
    }
}

/// Content of one claimed queue, by offset.
pub(in crate::broker) type Contents = HashMap<u64, Arc<Message>>;

impl Core {
    /// Reads what was claimed; a message that cannot be found is absent.
    pub(in crate::broker) fn read_claimed(&self, claim: &Claim) -> Reply<Vec<Contents>> {
        let queues = claim.queues.iter();
        queues
            .map(|queue| self.read_queue(&claim.topic, queue))
            .collect()
    }

    fn read_queue(&self, topic: &TopicName, claim: &QueueClaim) -> Reply<Contents> {
        let mut contents = Contents::with_capacity(claim.size());
        for (from, to) in &claim.ranges {
            let mut from = *from;
            while from < *to {
                let most = (*to - from) as usize;
                let read = self.journal.messages(topic, claim.queue, from, most);
                let read = read.map_err(cluster_error)?;
                if read.is_empty() {
                    break;
                }
                from += read.len() as u64;
                contents.extend(read.into_iter().map(|message| (message.offset, message)));
            }
        }
        for (offset, letter) in &claim.single {
            if let Some(message) = self.content(topic, claim.queue, *offset, letter.as_deref())? {
                contents.insert(*offset, message);
            }
        }
        Ok(contents)
    }
}
