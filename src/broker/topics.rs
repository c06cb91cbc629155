//! Making, changing and deleting topics.

use crate::activity::{Happening, NoticeLevel};
use crate::broker::core::{Core, Entry, Live, durable};
use crate::broker::state::Topic;
use crate::cluster::Reply;
use crate::cluster::admin::{DeleteReport, DeleteTopic, PutMode, PutTopic, TopicRow};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{Route, RouteRequest};
use crate::domain::names::TopicName;
use crate::domain::record::Record;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{DEFAULT_QUEUES, MAX_QUEUES, TopicDefinition, TopicType};

/// Queues of a dead letter topic (Q2).
pub(in crate::broker) const DEAD_LETTER_QUEUES: u32 = 1;

impl Core {
    pub(in crate::broker) async fn route(&self, request: RouteRequest) -> Reply<Route> {
        let topic = request.topic;
        let commit = {
            let mut live = self.live();
            if let Some(found) = live.state.topic(&topic) {
                return Ok(Route {
                    topic: found.definition.clone(),
                });
            }
            let mut entry = self.entry(&mut live);
            self.ensure_topic(&mut entry, &topic)?;
            entry.append()
        };
        durable(commit).await?;
        let live = self.live();
        let found = live.state.topic(&topic);
        let found = found.ok_or(ClusterError::TopicNotFound(topic))?;
        Ok(Route {
            topic: found.definition.clone(),
        })
    }

    /// Makes a missing topic where that is allowed (T8): of type MIXED, marked `auto`.
    pub(in crate::broker) fn ensure_topic(
        &self,
        entry: &mut Entry<'_>,
        name: &TopicName,
    ) -> Reply<()> {
        if entry.live.state.topic(name).is_some() {
            return Ok(());
        }
        let is_dead_letters = name
            .dead_letter_group()
            .is_some_and(|group| entry.live.state.group(&group).is_some());
        if !is_dead_letters {
            if !self.definition.read().auto_create {
                return Err(ClusterError::TopicNotFound(name.clone()));
            }
            name.check_user_topic()?;
        }
        let queues = if is_dead_letters {
            DEAD_LETTER_QUEUES
        } else {
            DEFAULT_QUEUES
        };
        let mut definition =
            TopicDefinition::new(name.clone(), TopicType::Mixed, queues, self.now());
        definition.auto = true;
        entry.push(Record::TopicPut(definition));
        Ok(())
    }

    pub(in crate::broker) async fn put_topic(&self, request: PutTopic) -> Reply<TopicRow> {
        let PutTopic { definition, mode } = request;
        let name = definition.name.clone();
        check_definition(&definition)?;
        let commit = {
            let mut live = self.live();
            let change = match live.state.topic(&name) {
                Some(topic) => changed(topic, definition, mode)?,
                None if mode == PutMode::Update => {
                    return Err(ClusterError::TopicNotFound(name));
                }
                None => {
                    if name.dead_letter_group().is_none() {
                        name.check_user_topic()?;
                    }
                    Some(definition)
                }
            };
            let mut entry = self.entry(&mut live);
            if let Some(definition) = change {
                entry.push(Record::TopicPut(definition));
            }
            entry.append()
        };
        durable(commit).await?;
        // A new topic has no users yet, and being told of no change harms nobody.
        self.live().sessions.tell_topic(&name);
        self.topic(&name)
    }

    /// Offsets of every group, parked messages and the messages themselves go; groups and their dead letters stay (T9).
    pub(in crate::broker) async fn delete_topic(
        &self,
        request: DeleteTopic,
    ) -> Reply<DeleteReport> {
        let DeleteTopic { topic, dry_run } = request;
        let now = self.now();
        let (report, commit) = {
            let mut live = self.live();
            let report = topic_report(&live, &topic, now)?;
            if dry_run {
                return Ok(report);
            }
            let mut entry = self.entry(&mut live);
            let members = entry.live.state.topic(&topic);
            let members = members.map(|topic| topic.members.clone());
            entry.push(Record::TopicDeleted {
                topic: topic.clone(),
                at: now,
            });
            for member in members.unwrap_or_default() {
                entry.live.wake(member);
            }
            (report, entry.append())
        };
        durable(commit).await?;
        self.report(
            now,
            Happening::Notice {
                level: NoticeLevel::Info,
                text: format!("topic `{topic}` deleted"),
            },
        );
        Ok(report)
    }
}

/// A definition that can hold: queue counts in range.
fn check_definition(definition: &TopicDefinition) -> Reply<()> {
    for queues in [definition.read_queues, definition.write_queues] {
        if !(1..=MAX_QUEUES).contains(&queues) {
            return Err(ClusterError::IllegalRequest(format!(
                "a topic has 1-{MAX_QUEUES} queues, not {queues}"
            )));
        }
    }
    Ok(())
}

/// The definition to write, if it differs; making a topic again is fine when nothing changes (T8), and its type stays
/// once it holds messages (T4).
fn changed(
    topic: &Topic,
    mut definition: TopicDefinition,
    mode: PutMode,
) -> Reply<Option<TopicDefinition>> {
    let old = &topic.definition;
    definition.created_at = old.created_at;
    if mode == PutMode::Create {
        definition.auto = old.auto;
    }
    if definition == *old {
        return Ok(None);
    }
    if mode == PutMode::Create {
        return Err(ClusterError::TopicExists(old.name.clone()));
    }
    let used = topic.parked > 0 || topic.queues.iter().any(|queue| queue.next > 0);
    if used && definition.topic_type != old.topic_type {
        return Err(ClusterError::IllegalRequest(format!(
            "topic `{}` holds messages, so its type stays {}",
            old.name, old.topic_type
        )));
    }
    Ok(Some(definition))
}

fn topic_report(live: &Live, name: &TopicName, now: Timestamp) -> Reply<DeleteReport> {
    let topic = live.state.topic(name);
    let topic = topic.ok_or_else(|| ClusterError::TopicNotFound(name.clone()))?;
    let mut report = DeleteReport {
        messages: topic
            .queues
            .iter()
            .map(|queue| queue.next - queue.min)
            .sum(),
        pending: topic.parked,
        ..DeleteReport::default()
    };
    for progress in topic
        .members
        .iter()
        .filter_map(|id| live.state.progress(*id))
    {
        for queue in &progress.queues {
            let (again, waiting) = queue.returned(now);
            report.offsets += 1;
            report.in_flight += queue.in_flight();
            report.retrying += again + waiting;
        }
    }
    if name.dead_letter_group().is_some() {
        report.dead_letters = report.messages;
    }
    Ok(report)
}
