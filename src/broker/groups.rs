//! Making, changing and deleting consumer groups, and where a group starts on a topic.

use std::time::Duration;

use crate::broker::core::{Core, Entry, Live, cluster_error, durable};
use crate::broker::state::ProgressId;
use crate::cluster::Reply;
use crate::cluster::admin::{DeleteGroup, DeleteReport, GroupRow, PutGroup, PutMode};
use crate::cluster::error::ClusterError;
use crate::cluster::session::Caller;
use crate::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::record::Record;
use crate::domain::retry_policy::{MAX_RETRIES, RetryPolicy};
use crate::domain::timestamp::Timestamp;
use crate::store::journal::QueueSpan;

impl Core {
    /// Makes a missing group where that is allowed (G5): concurrent, marked `auto`.
    pub(in crate::broker) fn ensure_group(
        &self,
        entry: &mut Entry<'_>,
        name: &GroupName,
    ) -> Reply<()> {
        if entry.live.state.group(name).is_some() {
            return Ok(());
        }
        if !self.definition.read().auto_create {
            return Err(ClusterError::GroupNotFound(name.clone()));
        }
        name.check_user_group()?;
        let mut definition =
            GroupDefinition::new(name.clone(), DeliveryOrder::Concurrent, self.now());
        definition.auto = true;
        entry.push(Record::GroupPut(definition));
        Ok(())
    }

    /// The group's progress on a topic; makes topic, group and start offsets where they are missing, and returns when
    /// those are durable.
    pub(in crate::broker) async fn join(
        &self,
        caller: &Caller,
        group: &GroupName,
        topic: &TopicName,
    ) -> Reply<ProgressId> {
        if let Some(id) = self.live().joined(group, topic) {
            return Ok(id);
        }
        if !caller.principal.may_receive(group, topic) {
            return Err(forbidden(group, topic));
        }
        let commit = {
            let mut live = self.live();
            let mut entry = self.entry(&mut live);
            self.ensure_topic(&mut entry, topic)?;
            self.ensure_group(&mut entry, group)?;
            entry.append()
        };
        durable(commit).await?;
        self.start(group, topic).await
    }

    /// Gives a group that exists its start offsets on a topic that exists (O3).
    async fn start(&self, group: &GroupName, topic: &TopicName) -> Reply<ProgressId> {
        let first_seen = {
            let live = self.live();
            let definition = live.state.group(group);
            let definition =
                definition.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
            definition.first_seen
        };
        let by_time = match first_seen {
            FirstSeen::At(at) => Some(self.offsets_at(topic, at)?),
            FirstSeen::Latest | FirstSeen::Earliest => None,
        };
        let commit = {
            let mut live = self.live();
            if live.joined(group, topic).is_none() {
                let found = live.state.topic(topic);
                let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
                let offsets = match (first_seen, by_time) {
                    (FirstSeen::At(_), Some(offsets)) => offsets,
                    (FirstSeen::Earliest, _) => found.queues.iter().map(|q| q.min).collect(),
                    _ => found.queues.iter().map(|q| q.next).collect(),
                };
                let at = self.now();
                let mut entry = self.entry(&mut live);
                entry.push(Record::Joined {
                    group: group.clone(),
                    topic: topic.clone(),
                    offsets,
                    at,
                });
                entry.append()
            } else {
                self.barrier()
            }
        };
        durable(commit).await?;
        let id = self.live().joined(group, topic);
        id.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))
    }

    /// For each queue the first message stored at or after `at` (O4).
    pub(in crate::broker) fn offsets_at(
        &self,
        topic: &TopicName,
        at: Timestamp,
    ) -> Reply<Vec<u64>> {
        let spans: Vec<QueueSpan> = {
            let live = self.live();
            let found = live.state.topic(topic);
            let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
            let queues = found.queues.iter().enumerate();
            queues
                .map(|(index, queue)| QueueSpan {
                    topic: topic.clone(),
                    queue: index as u32,
                    first: queue.min,
                    end: queue.visible,
                })
                .collect()
        };
        let at = |span| self.journal.offset_at(span, at).map_err(cluster_error);
        spans.iter().map(at).collect()
    }

    pub(in crate::broker) async fn put_group(&self, request: PutGroup) -> Reply<GroupRow> {
        let PutGroup {
            mut definition,
            mode,
            join,
        } = request;
        let name = definition.name.clone();
        check_definition(&definition)?;
        let commit = {
            let mut live = self.live();
            let mut entry = self.entry(&mut live);
            match entry.live.state.group(&name).cloned() {
                Some(old) => {
                    definition.created_at = old.created_at;
                    if mode == PutMode::Create {
                        definition.auto = old.auto;
                    }
                    if definition != old {
                        if mode == PutMode::Create {
                            return Err(ClusterError::GroupExists(name));
                        }
                        entry.push(Record::GroupPut(definition.clone()));
                    }
                }
                None if mode == PutMode::Update => return Err(ClusterError::GroupNotFound(name)),
                None => {
                    name.check_user_group()?;
                    entry.push(Record::GroupPut(definition.clone()));
                }
            }
            entry.append()
        };
        durable(commit).await?;
        self.tell_members(&definition);
        for topic in &join {
            self.join(&Caller::local(), &name, topic).await?;
        }
        self.group(&name)
    }

    fn tell_members(&self, definition: &GroupDefinition) {
        let mut live = self.live();
        live.sessions.tell_group(&definition.name, |settings| {
            settings.fifo = definition.order == DeliveryOrder::Orderly;
            settings.retry_policy = definition.retry_policy.clone();
            settings.max_attempts = definition.max_retries + 1;
        });
        let waiting: Vec<ProgressId> = live.progress_of(&definition.name);
        for id in waiting {
            live.wake(id);
        }
    }

    /// Removes the definition; offsets and dead letters only where asked (G7).
    pub(in crate::broker) async fn delete_group(
        &self,
        request: DeleteGroup,
    ) -> Reply<DeleteReport> {
        let DeleteGroup {
            group,
            with_offsets,
            with_dead_letters,
            dry_run,
        } = request;
        let now = self.now();
        let letters = TopicName::dead_letter_of(&group);
        let (report, commit) = {
            let mut live = self.live();
            if live.state.group(&group).is_none() {
                return Err(ClusterError::GroupNotFound(group));
            }
            let report = group_report(&live, &group, &letters, now);
            if dry_run {
                return Ok(report);
            }
            let waiting = live.progress_of(&group);
            let mut entry = self.entry(&mut live);
            entry.push(Record::GroupDeleted {
                group: group.clone(),
                offsets: with_offsets,
                at: now,
            });
            if with_dead_letters && entry.live.state.topic(&letters).is_some() {
                entry.push(Record::TopicDeleted {
                    topic: letters,
                    at: now,
                });
            }
            for id in waiting {
                entry.live.wake(id);
            }
            (report, entry.append())
        };
        durable(commit).await?;
        Ok(report)
    }
}

impl Live {
    /// The progress of a group that exists on a topic that exists.
    pub(in crate::broker) fn joined(
        &self,
        group: &GroupName,
        topic: &TopicName,
    ) -> Option<ProgressId> {
        self.state.group(group)?;
        self.state.progress_id(group, topic)
    }

    fn progress_of(&self, group: &GroupName) -> Vec<ProgressId> {
        let group = self.state.groups().get(group);
        group.map_or_else(Vec::new, |group| group.topics.values().copied().collect())
    }
}

pub(in crate::broker) fn forbidden(group: &GroupName, topic: &TopicName) -> ClusterError {
    ClusterError::Forbidden(format!(
        "the caller may not receive from topic `{topic}` as group `{group}`"
    ))
}

/// A definition that can hold: bounds of G2.
fn check_definition(definition: &GroupDefinition) -> Reply<()> {
    let illegal = |why: String| Err(ClusterError::IllegalRequest(why));
    if definition.max_retries > MAX_RETRIES {
        return illegal(format!(
            "a group retries at most {MAX_RETRIES} times, not {}",
            definition.max_retries
        ));
    }
    if definition.priority_factor > 100 {
        return illegal(format!(
            "the priority factor is 0-100, not {}",
            definition.priority_factor
        ));
    }
    let (shortest, longest) = match definition.order {
        DeliveryOrder::Concurrent => (10, 1800),
        DeliveryOrder::Orderly => (1, 600),
    };
    match &definition.retry_policy {
        RetryPolicy::Fixed(interval)
            if !(Duration::from_secs(shortest)..=Duration::from_secs(longest))
                .contains(interval) =>
        {
            illegal(format!(
                "a fixed retry interval of a group in {} order is {shortest}-{longest} s",
                definition.order.as_str()
            ))
        }
        RetryPolicy::Exponential { initial, max } if initial > max || initial.is_zero() => illegal(
            "an exponential retry policy begins above zero and not above its maximum".to_owned(),
        ),
        _ => Ok(()),
    }
}

fn group_report(
    live: &Live,
    group: &GroupName,
    letters: &TopicName,
    now: Timestamp,
) -> DeleteReport {
    let mut report = DeleteReport::default();
    let progresses = live.progress_of(group);
    for progress in progresses.iter().filter_map(|id| live.state.progress(*id)) {
        for queue in &progress.queues {
            let (again, waiting) = queue.returned(now);
            report.offsets += 1;
            report.in_flight += queue.in_flight();
            report.retrying += again + waiting;
        }
    }
    if let Some(topic) = live.state.topic(letters) {
        report.dead_letters = topic
            .queues
            .iter()
            .map(|queue| queue.next - queue.min)
            .sum();
    }
    report
}
