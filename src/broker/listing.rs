//! What the keeper sees: topics, groups, progress and figures (section 5.1 of the rules).

use std::sync::Arc;
use std::time::Duration;

use crate::broker::core::{Core, Live, cluster_error};
use crate::broker::delivery::admits;
use crate::broker::state::progress::QueueProgress;
use crate::broker::state::sizes::Sizes;
use crate::broker::state::{Progress, ProgressId, Queue, Topic};
use crate::cluster::Reply;
use crate::cluster::admin::{
    GroupProgress, GroupRow, InstanceStatistics, QueueProgress as QueueProgressRow, QueueRow,
    TopicRow,
};
use crate::cluster::error::ClusterError;
use crate::cluster::paging::{Page, Paged};
use crate::domain::message::Place;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::subscription::Subscription;
use crate::domain::timestamp::Timestamp;
use crate::filter::Filter;

/// Messages of one queue looked at to count the ready ones under a filter; more are counted as ready unread.
const MOST_COUNTED: u64 = 10_000;

impl Core {
    pub(in crate::broker) fn topics(&self, page: &Page) -> Paged<TopicRow> {
        self.catch_up();
        let live = self.live();
        let after = page.cursor.as_deref().unwrap_or("");
        let mut rows: Vec<TopicRow> = Vec::new();
        for (name, topic) in live.state.topics() {
            if name.as_str() <= after && !after.is_empty() {
                continue;
            }
            if rows.len() >= page.rows {
                return cut(rows, |row| row.definition.name.to_string());
            }
            rows.push(topic_row(&live, topic));
        }
        Paged::whole(rows)
    }

    pub(in crate::broker) fn topic(&self, name: &TopicName) -> Reply<TopicRow> {
        self.catch_up();
        let live = self.live();
        let topic = live.state.topic(name);
        let topic = topic.ok_or_else(|| ClusterError::TopicNotFound(name.clone()))?;
        Ok(topic_row(&live, topic))
    }

    pub(in crate::broker) fn groups(&self, page: &Page) -> Reply<Paged<GroupRow>> {
        let after = page.cursor.clone().unwrap_or_default();
        let names: Vec<GroupName> = {
            let live = self.live();
            let groups = live.state.groups().iter();
            groups
                .filter(|(name, group)| {
                    group.definition.is_some() && name.as_str() > after.as_str()
                })
                .map(|(name, _)| name.clone())
                .take(page.rows.saturating_add(1))
                .collect()
        };
        let more = names.len() > page.rows;
        let mut rows: Vec<GroupRow> = Vec::new();
        for name in names.iter().take(page.rows) {
            match self.group(name) {
                Ok(row) => rows.push(row),
                // Deleted since the names were taken.
                Err(ClusterError::GroupNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if more {
            cut(rows, |row| row.definition.name.to_string())
        } else {
            Paged::whole(rows)
        })
    }

    pub(in crate::broker) fn group(&self, name: &GroupName) -> Reply<GroupRow> {
        let (now, real) = (self.now(), self.real.now());
        let progress = self.progress(name)?;
        let live = self.live();
        let group = live.state.groups().get(name);
        let definition = group.and_then(|group| group.definition.clone());
        let (Some(group), Some(definition)) = (group, definition) else {
            return Err(ClusterError::GroupNotFound(name.clone()));
        };
        let of_topics = || {
            group
                .topics
                .values()
                .filter_map(|id| live.state.progress(*id))
        };
        let queues = || progress.iter().flat_map(|progress| &progress.queues);
        let next_retry = of_topics()
            .flat_map(|progress| &progress.queues)
            .filter_map(QueueProgress::next_return)
            .filter(|due| *due > now)
            .min();
        let letters = live.state.topic(&TopicName::dead_letter_of(name));
        let members: Vec<(&ClientId, &[Subscription])> =
            live.sessions.members(name, real).collect();
        let mut clients: Vec<ClientId> = members.iter().map(|(id, _)| (*id).clone()).collect();
        clients.sort();
        Ok(GroupRow {
            definition,
            topics: group.topics.keys().cloned().collect(),
            ready: queues().map(|queue| queue.ready).sum(),
            in_flight: queues().map(|queue| queue.in_flight).sum(),
            retrying: queues().map(|queue| queue.retrying).sum(),
            next_retry_at: next_retry,
            dead_letters: letters.map_or(0, count),
            delay_time: queues()
                .map(|queue| queue.delay_time)
                .max()
                .unwrap_or_default(),
            last_consumed_at: of_topics().filter_map(|p| p.last_consumed_at).max(),
            consumed_total: of_topics().map(|progress| progress.consumed_total).sum(),
            lost_total: of_topics().map(|progress| progress.lost).sum(),
            clients,
            inconsistent: differing(&members),
        })
    }

    /// Offsets and lag per queue, exact; what has to be read for it is read without the lock.
    pub(in crate::broker) fn progress(&self, name: &GroupName) -> Reply<Vec<GroupProgress>> {
        self.catch_up();
        let now = self.now();
        let mut drafts: Vec<(GroupProgress, Vec<Oldest>, Option<Arc<Filter>>)> = {
            let live = self.live();
            let group = live.state.groups().get(name);
            let group = group.filter(|group| group.definition.is_some());
            let group = group.ok_or_else(|| ClusterError::GroupNotFound(name.clone()))?;
            let topics = group.topics.values();
            topics
                .filter_map(|id| live.progress_draft(*id, now))
                .collect()
        };
        for (progress, oldest, filter) in &mut drafts {
            let topic = progress.topic.clone();
            for (queue, oldest) in progress.queues.iter_mut().zip(oldest) {
                let age = |offset: Option<u64>| self.age(&topic, queue.queue, offset, now);
                queue.delay_time = age(oldest.unacked)?;
                queue.queueing_time = age(oldest.ready)?;
                if let Some(filter) = filter {
                    queue.ready -= self.unwanted(&topic, queue, oldest, filter)?;
                }
            }
        }
        Ok(drafts.into_iter().map(|(progress, ..)| progress).collect())
    }

    fn age(
        &self,
        topic: &TopicName,
        queue: u32,
        offset: Option<u64>,
        now: Timestamp,
    ) -> Reply<Duration> {
        let Some(offset) = offset else {
            return Ok(Duration::ZERO);
        };
        let place = Place {
            topic: topic.clone(),
            queue,
            offset,
        };
        let message = self.journal.message(&place).map_err(cluster_error)?;
        Ok(message.map_or(Duration::ZERO, |message| now.since(message.stored_at)))
    }

    /// Fresh messages that the group's filter will skip.
    fn unwanted(
        &self,
        topic: &TopicName,
        row: &QueueProgressRow,
        oldest: &Oldest,
        filter: &Filter,
    ) -> Reply<u64> {
        let mut unwanted = 0;
        for (from, to) in &oldest.fresh {
            let (mut from, to) = (*from, (*to).min(from.saturating_add(MOST_COUNTED)));
            while from < to {
                let most = (to - from) as usize;
                let read = self.journal.messages(topic, row.queue, from, most);
                let read = read.map_err(cluster_error)?;
                if read.is_empty() {
                    break;
                }
                from += read.len() as u64;
                unwanted += read.iter().filter(|m| !admits(filter, m)).count() as u64;
            }
        }
        Ok(unwanted.min(row.ready))
    }

    pub(in crate::broker) fn statistics(&self) -> InstanceStatistics {
        self.catch_up();
        let (now, real) = (self.now(), self.real.now());
        let journal = self.journal.statistics();
        let live = self.live();
        let totals = live.state.totals();
        let topics = live.state.topics();
        let mut statistics = InstanceStatistics {
            topics: topics.len() as u64,
            groups: live
                .state
                .groups()
                .values()
                .filter(|g| g.definition.is_some())
                .count() as u64,
            messages: topics.values().map(count).sum(),
            bytes: journal.bytes,
            file_bytes: journal.file_bytes,
            stored_total: totals.stored,
            delivered_total: totals.delivered,
            acked_total: totals.acked,
            retried_total: totals.retried,
            dead_total: totals.dead,
            dead_letters: topics
                .iter()
                .filter(|(name, _)| name.dead_letter_group().is_some())
                .map(|(_, topic)| count(topic))
                .sum(),
            parked: live.state.parked().len() as u64,
            clients: live.sessions.count(real),
            read_only: live.failure.is_some(),
            ..InstanceStatistics::default()
        };
        for progress in live.state.progresses() {
            let queues = live.state.topic(&progress.topic).map(|topic| &topic.queues);
            for (queue, bounds) in progress.queues.iter().zip(queues.into_iter().flatten()) {
                let (again, waiting) = queue.returned(now);
                statistics.ready += again + queue.fresh().count(bounds.min, bounds.visible);
                statistics.in_flight += queue.in_flight();
                statistics.retrying += waiting;
            }
        }
        statistics
    }
}

/// What has to be read to know how old a queue's oldest messages are, and which of its fresh ones are wanted.
struct Oldest {
    unacked: Option<u64>,
    ready: Option<u64>,
    fresh: Vec<(u64, u64)>,
}

impl Live {
    fn progress_draft(
        &self,
        id: ProgressId,
        now: Timestamp,
    ) -> Option<(GroupProgress, Vec<Oldest>, Option<Arc<Filter>>)> {
        let progress: &Progress = self.state.progress(id)?;
        let topic = self.state.topic(&progress.topic)?;
        let queues = topic.queues.iter().zip(&progress.queues).enumerate();
        let (rows, oldest) = queues
            .map(|(index, (bounds, progress))| queue_row(index as u32, *bounds, progress, now))
            .unzip();
        let filter = self.filters.get(&id);
        let filter = filter.filter(|filter| ***filter != Filter::All).cloned();
        let row = GroupProgress {
            topic: progress.topic.clone(),
            queues: rows,
        };
        Some((row, oldest, filter))
    }
}

fn queue_row(
    queue: u32,
    bounds: Queue,
    progress: &QueueProgress,
    now: Timestamp,
) -> (QueueProgressRow, Oldest) {
    let (again, waiting) = progress.returned(now);
    let fresh: Vec<_> = progress
        .fresh()
        .within(bounds.min, bounds.visible)
        .collect();
    let fresh_count: u64 = fresh.iter().map(|(from, to)| to - from).sum();
    let first_fresh = fresh.first().map(|(from, _)| *from);
    let first_again = progress.ready_again(now).min();
    let committed = progress.committed().max(bounds.min);
    let row = QueueProgressRow {
        queue,
        min_offset: bounds.min,
        max_offset: bounds.visible,
        committed,
        pulled: progress.pulled().max(bounds.min),
        ready: again + fresh_count,
        in_flight: progress.in_flight(),
        retrying: waiting,
        acked_ahead: progress.acked_ahead(),
        delay_time: Duration::ZERO,
        queueing_time: Duration::ZERO,
        blocked: progress
            .line()
            .blocks()
            .map(|(group, offset)| (group.to_string(), offset))
            .collect(),
    };
    let oldest = Oldest {
        unacked: (committed < bounds.visible).then_some(committed),
        ready: [first_fresh, first_again].into_iter().flatten().min(),
        fresh,
    };
    (row, oldest)
}

fn topic_row(live: &Live, topic: &Topic) -> TopicRow {
    let queues = topic.queues.iter().enumerate();
    let members = topic.members.iter();
    let mut groups: Vec<GroupName> = members
        .filter_map(|id| live.state.progress(*id))
        .filter(|progress| live.state.group(&progress.group).is_some())
        .map(|progress| progress.group.clone())
        .collect();
    groups.sort();
    TopicRow {
        definition: topic.definition.clone(),
        queues: queues
            .map(|(index, queue)| QueueRow {
                queue: index as u32,
                min_offset: queue.min,
                max_offset: queue.visible,
                last_stored_at: queue.last_stored_at,
            })
            .collect(),
        messages: count(topic),
        bytes: topic
            .sizes
            .as_ref()
            .map(|sizes| sizes.iter().map(Sizes::bytes).sum()),
        parked: topic.parked,
        stored_total: topic.stored_total,
        groups,
        last_stored_at: topic.queues.iter().filter_map(|q| q.last_stored_at).max(),
    }
}

fn count(topic: &Topic) -> u64 {
    let queues = topic.queues.iter();
    queues
        .map(|queue| queue.visible.saturating_sub(queue.min))
        .sum()
}

/// A page that ends before the end.
fn cut<T>(rows: Vec<T>, name: impl Fn(&T) -> String) -> Paged<T> {
    Paged {
        scanned: rows.len() as u64,
        next: rows.last().map(name),
        rows,
        complete: false,
    }
}

/// Members whose subscriptions are not those of the first member that shares them with most others (G6); `None` while
/// no member is there.
fn differing(members: &[(&ClientId, &[Subscription])]) -> Option<Vec<ClientId>> {
    let sorted = |subscriptions: &[Subscription]| {
        let mut all: Vec<(String, String)> = subscriptions
            .iter()
            .map(|s| (s.topic.to_string(), s.filter.to_string()))
            .collect();
        all.sort();
        all
    };
    let sets: Vec<_> = members.iter().map(|(id, s)| (*id, sorted(s))).collect();
    let shared =
        |set: &Vec<(String, String)>| sets.iter().filter(|(_, other)| other == set).count();
    let (_, usual) = sets.iter().max_by_key(|(_, set)| shared(set))?;
    let others = sets.iter().filter(|(_, set)| set != usual);
    let mut others: Vec<ClientId> = others.map(|(id, _)| (*id).clone()).collect();
    others.sort();
    Some(others)
}
