//! The last picture of the engine: small listings and counters, read whole, shared by all places.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::Capabilities;
use crate::cluster::admin::{ClientRow, GroupRow, InstanceStatistics, TopicRow};
use crate::control::clock::ClockState;
use crate::control::functions::FunctionRow;
use crate::control::instances::InstanceRow;
use crate::control::triggers::TriggerRow;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::report::Report;

/// A listing with its age: a failed read keeps the last rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    pub rows: Vec<T>,
    /// Uptime of the last good read; `None` before the first.
    pub read_at: Option<Duration>,
    /// Why the last read failed.
    pub error: Option<Report>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            read_at: None,
            error: None,
        }
    }
}

impl<T: Clone> Part<T> {
    /// This part after a read at `uptime`.
    pub fn read(&self, uptime: Duration, result: Result<Vec<T>, Report>) -> Self {
        match result {
            Ok(rows) => Self {
                rows,
                read_at: Some(uptime),
                error: None,
            },
            Err(error) => Self {
                error: Some(error),
                ..self.clone()
            },
        }
    }
}

/// One reading of everything that is small.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Uptime at which it was read.
    pub at: Duration,
    /// The instance whose topics, groups and clients these are.
    pub instance: Option<InstanceId>,
    pub capabilities: Capabilities,
    pub instances: Part<InstanceRow>,
    pub statistics: BTreeMap<InstanceId, InstanceStatistics>,
    pub topics: Part<TopicRow>,
    pub groups: Part<GroupRow>,
    pub clients: Part<ClientRow>,
    pub functions: Part<FunctionRow>,
    pub triggers: Part<TriggerRow>,
    pub clock: Option<ClockState>,
}

impl Overview {
    pub fn instance_row(&self) -> Option<&InstanceRow> {
        let id = self.instance.as_ref()?;
        self.instances
            .rows
            .iter()
            .find(|row| row.definition.id == *id)
    }

    /// Counters of the instance shown.
    pub fn counters(&self) -> InstanceStatistics {
        self.instance
            .as_ref()
            .and_then(|id| self.statistics.get(id))
            .copied()
            .unwrap_or_default()
    }

    pub fn topic(&self, name: &TopicName) -> Option<&TopicRow> {
        self.topics
            .rows
            .iter()
            .find(|row| row.definition.name == *name)
    }

    pub fn group(&self, name: &GroupName) -> Option<&GroupRow> {
        self.groups
            .rows
            .iter()
            .find(|row| row.definition.name == *name)
    }

    pub fn function(&self, name: &FunctionName) -> Option<&FunctionRow> {
        self.functions
            .rows
            .iter()
            .find(|row| row.definition.name == *name)
    }

    pub fn trigger(&self, name: &TriggerName) -> Option<&TriggerRow> {
        self.triggers
            .rows
            .iter()
            .find(|row| row.definition.name == *name)
    }

    /// Triggers that read a topic of the instance shown.
    pub fn triggers_of<'a>(&'a self, topic: &'a TopicName) -> impl Iterator<Item = &'a TriggerRow> {
        self.triggers.rows.iter().filter(move |row| {
            row.definition.topic == *topic
                && self.instance.as_ref() == Some(&row.definition.instance)
        })
    }

    /// Ready and in flight messages of all groups on a topic, where every group reads one topic; else of the groups
    /// that read it.
    pub fn lag_of_topic(&self, topic: &TopicName) -> u64 {
        self.groups
            .rows
            .iter()
            .filter(|row| row.topics.contains(topic))
            .map(GroupRow::lag)
            .sum()
    }

    /// Dead letters of the groups that read a topic.
    pub fn dead_of_topic(&self, topic: &TopicName) -> u64 {
        self.groups
            .rows
            .iter()
            .filter(|row| row.topics.contains(topic))
            .map(|row| row.dead_letters)
            .sum()
    }

    /// True when there is something else to show.
    pub fn differs(&self, other: &Self) -> bool {
        fn part<T: PartialEq>(a: &Part<T>, b: &Part<T>) -> bool {
            a.rows != b.rows || a.error != b.error || a.read_at.is_some() != b.read_at.is_some()
        }
        self.instance != other.instance
            || self.statistics != other.statistics
            || part(&self.instances, &other.instances)
            || part(&self.topics, &other.topics)
            || part(&self.groups, &other.groups)
            || part(&self.clients, &other.clients)
            || part(&self.functions, &other.functions)
            || part(&self.triggers, &other.triggers)
            || self.clock.as_ref().map(|c| (c.held, &c.next))
                != other.clock.as_ref().map(|c| (c.held, &c.next))
    }

    /// Everything was read at least once.
    pub fn is_loaded(&self) -> bool {
        self.instances.read_at.is_some()
            && self.functions.read_at.is_some()
            && self.triggers.read_at.is_some()
            && (self.instance.is_none() || self.topics.read_at.is_some())
    }
}
