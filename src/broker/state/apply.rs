//! What each record does to the state. Records about things that are gone do nothing.

use crate::broker::state::progress::{Held, QueueProgress, Stage};
use crate::broker::state::sizes::Sizes;
use crate::broker::state::{Due, Group, Parked, Progress, ProgressId, Queue, State, Topic, Wait};
use crate::domain::group::GroupDefinition;
use crate::domain::message::Message;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::record::{Postponing, Record, Settling, Until};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicDefinition;

impl State {
    /// Folds one record in. The order of records is the order of the log.
    pub(in crate::broker) fn apply(&mut self, record: &Record) {
        match record {
            Record::TopicPut(definition) => self.put_topic(definition),
            Record::TopicDeleted { topic, .. } => self.delete_topic(topic),
            Record::GroupPut(definition) => self.put_group(definition),
            Record::GroupDeleted { group, offsets, .. } => self.delete_group(group, *offsets),
            Record::Joined {
                group,
                topic,
                offsets,
                ..
            } => self.join(group, topic, offsets),
            Record::Stored { message, parked } => self.store(message, *parked),
            Record::Parked {
                number,
                message,
                until,
            } => self.park(*number, &message.topic, until),
            Record::Unparked { number, .. } => self.unpark(*number),
            Record::Checked {
                number,
                times,
                next,
                ..
            } => self.checked(*number, *times, *next),
            Record::Leased { .. } => self.lease(record),
            Record::Postponed { .. } => self.postpone(record),
            Record::Settled { .. } => self.settle(record),
            Record::Skipped {
                group,
                topic,
                queue,
                ranges,
                ..
            } => self.on_queue(group, topic, *queue, |progress| {
                for (from, to) in ranges {
                    progress.skip(*from, *to);
                }
            }),
            Record::OffsetCommitted { .. } | Record::OffsetReset { .. } => self.move_offset(record),
            Record::Trimmed {
                topic,
                queue,
                offset,
                ..
            } => self.trim(topic, *queue, *offset),
            Record::Ended { .. } | Record::Refused { .. } => {}
        }
    }

    fn put_topic(&mut self, definition: &TopicDefinition) {
        let wanted = definition.read_queues.max(definition.write_queues) as usize;
        let topic = self
            .topics
            .entry(definition.name.clone())
            .or_insert_with(|| Topic {
                definition: definition.clone(),
                queues: Vec::new(),
                sizes: Some(Vec::new()),
                members: Vec::new(),
                parked: 0,
                stored_total: 0,
                turn: 0,
            });
        topic.definition = definition.clone();
        if topic.queues.len() < wanted {
            topic.queues.resize(wanted, Queue::default());
            if let Some(sizes) = &mut topic.sizes {
                sizes.resize(wanted, Sizes::default());
            }
        }
        let queues = topic.queues.clone();
        for member in topic.members.clone() {
            if let Some(progress) = self.progress_mut(member) {
                let missing = queues.get(progress.queues.len()..).unwrap_or_default();
                let added = missing.iter().map(|queue| QueueProgress::from(queue.min));
                progress.queues.extend(added);
            }
        }
    }

    fn delete_topic(&mut self, name: &TopicName) {
        let Some(topic) = self.topics.remove(name) else {
            return;
        };
        for member in topic.members {
            self.drop_progress(member);
        }
        let waiting: Vec<u64> = self
            .parked
            .iter()
            .filter(|(_, parked)| parked.topic == *name)
            .map(|(number, _)| *number)
            .collect();
        for number in waiting {
            self.unpark(number);
        }
    }

    fn put_group(&mut self, definition: &GroupDefinition) {
        let group = self.groups.entry(definition.name.clone()).or_default();
        group.definition = Some(definition.clone());
    }

    fn delete_group(&mut self, name: &GroupName, offsets: bool) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        group.definition = None;
        if offsets || group.topics.is_empty() {
            let topics = std::mem::take(&mut group.topics);
            self.groups.remove(name);
            for (topic, id) in topics {
                if let Some(topic) = self.topics.get_mut(&topic) {
                    topic.members.retain(|member| *member != id);
                }
                self.drop_progress(id);
            }
        }
    }

    fn drop_progress(&mut self, id: ProgressId) {
        let Some(progress) = self.progresses.get_mut(id as usize).and_then(Option::take) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&progress.group) {
            group.topics.remove(&progress.topic);
        }
        for (queue, progress) in progress.queues.iter().enumerate() {
            for (offset, held) in progress.all_held() {
                self.due
                    .remove(&(held.due(), delivery(id, queue as u32, *offset)));
            }
        }
    }

    fn join(&mut self, group: &GroupName, topic: &TopicName, offsets: &[u64]) {
        let Some(target) = self.topics.get(topic) else {
            return;
        };
        if self.progress_id(group, topic).is_some() {
            return;
        }
        let floor = self.next_lease;
        let starts = target.queues.iter().enumerate();
        let queues = starts.map(|(index, queue)| {
            let start = offsets.get(index).copied().unwrap_or(queue.min);
            let mut progress = QueueProgress::from(start);
            progress.lease_floor = floor;
            progress
        });
        let progress = Progress {
            group: group.clone(),
            topic: topic.clone(),
            queues: queues.collect(),
            lost: 0,
            pulls: false,
            last_consumed_at: None,
            consumed_total: 0,
            turn: 0,
        };
        self.add_progress(progress);
    }

    /// Puts a progress into its slot and makes it known to its group and topic.
    pub(super) fn add_progress(&mut self, progress: Progress) {
        let slot = self.progresses.iter().position(Option::is_none);
        let slot = slot.unwrap_or_else(|| {
            self.progresses.push(None);
            self.progresses.len() - 1
        });
        let id = slot as ProgressId;
        if let Some(topic) = self.topics.get_mut(&progress.topic) {
            topic.members.push(id);
        }
        let group: &mut Group = self.groups.entry(progress.group.clone()).or_default();
        group.topics.insert(progress.topic.clone(), id);
        for (queue, progress) in progress.queues.iter().enumerate() {
            let due = progress
                .all_held()
                .iter()
                .map(|(offset, held)| (held.due(), delivery(id, queue as u32, *offset)));
            self.due.extend(due);
        }
        if let Some(free) = self.progresses.get_mut(slot) {
            *free = Some(progress);
        }
    }

    fn store(&mut self, message: &Message, parked: Option<u64>) {
        if let Some(number) = parked {
            self.unpark(number);
        }
        let Some(topic) = self.topics.get_mut(&message.topic) else {
            return;
        };
        let Some(queue) = topic.queues.get_mut(message.queue as usize) else {
            return;
        };
        if message.offset < queue.next {
            return;
        }
        queue.next = message.offset + 1;
        queue.last_stored_at = Some(message.stored_at);
        if let Some(sizes) = topic.sizes_of(message.queue) {
            sizes.add(message.offset, message.weight() as u64);
        }
        topic.stored_total += 1;
        self.totals.stored += 1;
    }

    fn park(&mut self, number: u64, topic: &TopicName, until: &Until) {
        self.next_number = self.next_number.max(number + 1);
        let Some(target) = self.topics.get_mut(topic) else {
            return;
        };
        if self.parked.contains_key(&number) {
            return;
        }
        target.parked += 1;
        let wait = match until {
            Until::Due(due) => Wait::Delay { due: *due },
            Until::Ended {
                transaction,
                check,
                client,
            } => Wait::Half {
                transaction: transaction.clone(),
                checks: 0,
                next_check: *check,
                client: client.clone(),
            },
        };
        let parked = Parked {
            topic: topic.clone(),
            wait,
        };
        self.add_parked(number, parked);
    }

    /// Adds a parked message with its indexes.
    pub(super) fn add_parked(&mut self, number: u64, parked: Parked) {
        if let Wait::Half { transaction, .. } = &parked.wait {
            self.halves.insert(transaction.clone(), number);
        }
        self.due.insert((parked.wait.due(), Due::Parked(number)));
        self.parked.insert(number, parked);
    }

    fn unpark(&mut self, number: u64) {
        let Some(parked) = self.parked.remove(&number) else {
            return;
        };
        if let Some(topic) = self.topics.get_mut(&parked.topic) {
            topic.parked = topic.parked.saturating_sub(1);
        }
        if let Wait::Half { transaction, .. } = &parked.wait {
            self.halves.remove(transaction);
        }
        self.due.remove(&(parked.wait.due(), Due::Parked(number)));
    }

    fn checked(&mut self, number: u64, times: u32, next: Timestamp) {
        let Some(parked) = self.parked.get_mut(&number) else {
            return;
        };
        let before = parked.wait.due();
        if let Wait::Half {
            checks, next_check, ..
        } = &mut parked.wait
        {
            *checks = times;
            *next_check = next;
            self.due.remove(&(before, Due::Parked(number)));
            self.due.insert((next, Due::Parked(number)));
        }
    }

    fn lease(&mut self, record: &Record) {
        let Record::Leased {
            group,
            topic,
            queue,
            deadline,
            deliveries,
            ..
        } = record
        else {
            return;
        };
        let highest = deliveries.iter().map(|delivery| delivery.lease).max();
        self.next_lease = self.next_lease.max(highest.map_or(0, |lease| lease + 1));
        let Some(id) = self.progress_id(group, topic) else {
            return;
        };
        for leasing in deliveries {
            let Some(progress) = self.queue_mut(id, *queue) else {
                return;
            };
            let before = progress.held(leasing.offset);
            let renewed =
                before.is_some_and(|held| held.is_in_flight() && held.attempt == leasing.attempt);
            let held = Held {
                attempt: leasing.attempt,
                stage: Stage::InFlight {
                    lease: leasing.lease,
                    deadline: *deadline,
                },
                message_group: leasing.message_group.clone(),
                letter: before.and_then(|held| held.letter.clone()),
            };
            self.hold(id, *queue, leasing.offset, held);
            if !renewed {
                self.totals.delivered += 1;
            }
        }
    }

    fn postpone(&mut self, record: &Record) {
        let Record::Postponed {
            group,
            place,
            attempt,
            due,
            why,
            message_group,
            ..
        } = record
        else {
            return;
        };
        let Some(id) = self.progress_id(group, &place.topic) else {
            return;
        };
        let Some(progress) = self.queue_mut(id, place.queue) else {
            return;
        };
        let letter = match why {
            Postponing::Requeued(letter) => Some(letter.clone().into()),
            Postponing::Nacked | Postponing::Expired | Postponing::Released => progress
                .held(place.offset)
                .and_then(|held| held.letter.clone()),
        };
        let held = Held {
            attempt: *attempt,
            stage: Stage::Returning { due: *due },
            message_group: message_group.clone(),
            letter,
        };
        self.hold(id, place.queue, place.offset, held);
        if *attempt > 1 && *why != Postponing::Released {
            self.totals.retried += 1;
        }
    }

    fn settle(&mut self, record: &Record) {
        let Record::Settled {
            group,
            topic,
            queue,
            how,
            at,
            deliveries,
        } = record
        else {
            return;
        };
        let Some(id) = self.progress_id(group, topic) else {
            return;
        };
        let count = deliveries.len() as u64;
        for (offset, _) in deliveries {
            let Some(progress) = self.queue_mut(id, *queue) else {
                return;
            };
            if let Some(held) = progress.settle(*offset) {
                self.due
                    .remove(&(held.due(), delivery(id, *queue, *offset)));
            }
        }
        if let Some(progress) = self.progress_mut(id) {
            progress.last_consumed_at = Some(*at);
            progress.consumed_total += count;
        }
        match how {
            Settling::Acked => self.totals.acked += count,
            Settling::Dead(_) | Settling::Discarded => self.totals.dead += count,
        }
    }

    fn move_offset(&mut self, record: &Record) {
        let (group, topic, queue, offset) = match record {
            Record::OffsetCommitted {
                group,
                topic,
                queue,
                offset,
                ..
            }
            | Record::OffsetReset {
                group,
                topic,
                queue,
                offset,
                ..
            } => (group, topic, *queue, *offset),
            _ => return,
        };
        let Some(id) = self.progress_id(group, topic) else {
            return;
        };
        let Some(progress) = self.queue_mut(id, queue) else {
            return;
        };
        for (offset, held) in progress.restart(offset) {
            self.due.remove(&(held.due(), delivery(id, queue, offset)));
        }
        let Some(progress) = self.progress_mut(id) else {
            return;
        };
        match record {
            Record::OffsetReset { lease, .. } => {
                if let Some(queue) = progress.queues.get_mut(queue as usize) {
                    queue.lease_floor = *lease;
                }
            }
            Record::OffsetCommitted { at, .. } => {
                progress.pulls = true;
                progress.last_consumed_at = Some(*at);
            }
            _ => {}
        }
    }

    fn trim(&mut self, topic: &TopicName, queue: u32, offset: u64) {
        let Some(target) = self.topics.get_mut(topic) else {
            return;
        };
        let Some(bounds) = target.queues.get_mut(queue as usize) else {
            return;
        };
        bounds.min = bounds.min.max(offset);
        bounds.next = bounds.next.max(bounds.min);
        bounds.visible = bounds.visible.max(bounds.min);
        let min = bounds.min;
        if let Some(sizes) = target.sizes_of(queue) {
            sizes.trim(min);
        }
        for id in target.members.clone() {
            let Some(progress) = self.queue_mut(id, queue) else {
                continue;
            };
            let (held, fresh) = progress.trim(offset);
            let mut lost = fresh;
            for (offset, held) in held {
                self.due.remove(&(held.due(), delivery(id, queue, offset)));
                lost += u64::from(!held.is_in_flight());
            }
            if let Some(progress) = self.progress_mut(id) {
                progress.lost += lost;
            }
        }
    }

    fn hold(&mut self, id: ProgressId, queue: u32, offset: u64, held: Held) {
        let due = held.due();
        let Some(progress) = self.queue_mut(id, queue) else {
            return;
        };
        let before = progress.hold(offset, held);
        let key = delivery(id, queue, offset);
        if let Some(before) = before {
            self.due.remove(&(before.due(), key));
        }
        self.due.insert((due, key));
    }

    fn queue_mut(&mut self, id: ProgressId, queue: u32) -> Option<&mut QueueProgress> {
        self.progress_mut(id)?.queues.get_mut(queue as usize)
    }

    fn on_queue(
        &mut self,
        group: &GroupName,
        topic: &TopicName,
        queue: u32,
        change: impl FnOnce(&mut QueueProgress),
    ) {
        if let Some(id) = self.progress_id(group, topic)
            && let Some(progress) = self.queue_mut(id, queue)
        {
            change(progress);
        }
    }
}

const fn delivery(progress: ProgressId, queue: u32, offset: u64) -> Due {
    Due::Delivery {
        progress,
        queue,
        offset,
    }
}
