//! Finding stored messages: by id, by key, by topic and time, by offset (Y1-Y4).

use crate::broker::core::{Core, Live, cluster_error};
use crate::broker::state::Queue;
use crate::cluster::Reply;
use crate::cluster::admin::{MessageQuery, StoredMessage};
use crate::cluster::error::ClusterError;
use crate::cluster::paging::{Page, Paged};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::names::TopicName;
use crate::domain::record::Record;
use crate::domain::timestamp::Timestamp;
use crate::store::journal::{KeyQuery, QueueSpan};

/// Most messages under one id (Y1).
const MOST_BY_ID: usize = 32;
/// Most messages under one key (Y1).
const MOST_BY_KEY: usize = 64;
/// Messages read at once while queues are merged by time.
const CHUNK: usize = 64;

impl Core {
    pub(in crate::broker) fn messages(
        &self,
        query: MessageQuery,
        page: &Page,
    ) -> Reply<Paged<StoredMessage>> {
        match query {
            MessageQuery::Id(id) => self.by_id(&id),
            MessageQuery::Key {
                topic,
                key,
                from,
                to,
            } => self.by_key(KeyQuery {
                topic,
                key,
                stored: from.unwrap_or(Timestamp::EPOCH)..=to.unwrap_or(Timestamp::MAX),
                most: MOST_BY_KEY,
            }),
            MessageQuery::Time {
                topic,
                from,
                to,
                newest_first,
            } => {
                let range = (
                    from.unwrap_or(Timestamp::EPOCH),
                    to.unwrap_or(Timestamp::MAX),
                );
                self.by_time(&topic, range, newest_first, page)
            }
            MessageQuery::Offset {
                topic,
                queue,
                offset,
            } => self.by_offset(&topic, queue, offset, page),
        }
    }

    fn by_id(&self, id: &MessageId) -> Reply<Paged<StoredMessage>> {
        let found = self.journal.by_id(id, MOST_BY_ID).map_err(cluster_error)?;
        let live = self.live();
        let full = found.len() == MOST_BY_ID;
        let rows = found.into_iter().filter_map(|(_, record)| match record {
            Record::Stored { message, .. } if live.keeps(&message) => {
                Some(StoredMessage { message })
            }
            _ => None,
        });
        Ok(Paged {
            complete: !full,
            ..Paged::whole(rows.collect())
        })
    }

    fn by_key(&self, query: KeyQuery) -> Reply<Paged<StoredMessage>> {
        if self.live().state.topic(&query.topic).is_none() {
            return Err(ClusterError::TopicNotFound(query.topic));
        }
        let found = self.journal.by_key(&query).map_err(cluster_error)?;
        let live = self.live();
        let full = found.len() == MOST_BY_KEY;
        let kept = found.into_iter().filter(|message| live.keeps(message));
        let mut page = Paged::whole(kept.map(|message| StoredMessage { message }).collect());
        page.complete = !full;
        Ok(page)
    }

    fn by_offset(
        &self,
        topic: &TopicName,
        queue: u32,
        offset: u64,
        page: &Page,
    ) -> Reply<Paged<StoredMessage>> {
        let bounds = self.live().bounds(topic, queue)?;
        let from = match &page.cursor {
            Some(cursor) => parse_cursor(cursor)?.first().copied().unwrap_or(offset),
            None => offset.max(bounds.min),
        };
        let left = usize::try_from(bounds.visible.saturating_sub(from)).unwrap_or(usize::MAX);
        let most = page.rows.min(page.scan).min(left);
        let read = if most == 0 {
            Vec::new()
        } else {
            let read = self.journal.messages(topic, queue, from, most);
            read.map_err(cluster_error)?
        };
        let end = read.last().map_or(from, |last| last.offset + 1);
        let complete = end >= bounds.visible || read.is_empty();
        Ok(Paged {
            scanned: read.len() as u64,
            rows: read
                .into_iter()
                .map(|message| StoredMessage { message })
                .collect(),
            next: (!complete).then(|| end.to_string()),
            complete,
        })
    }

    /// Merges the queues by store time. The cursor is the next offset of each queue, or the one before it when the newest
    /// come first.
    fn by_time(
        &self,
        topic: &TopicName,
        range: (Timestamp, Timestamp),
        newest_first: bool,
        page: &Page,
    ) -> Reply<Paged<StoredMessage>> {
        let mut merge = self.merge(topic, range, newest_first, page.cursor.as_deref())?;
        let mut rows = Vec::new();
        while rows.len() < page.rows.min(page.scan) {
            let Some(message) = self.next_by_time(&mut merge)? else {
                break;
            };
            rows.push(StoredMessage { message });
        }
        let complete = merge.queues.iter().all(QueueCursor::is_done);
        Ok(Paged {
            scanned: rows.len() as u64,
            rows,
            next: (!complete).then(|| merge.cursor()),
            complete,
        })
    }

    fn merge(
        &self,
        topic: &TopicName,
        (from, to): (Timestamp, Timestamp),
        newest_first: bool,
        cursor: Option<&str>,
    ) -> Reply<Merge> {
        let bounds: Vec<Queue> = {
            let live = self.live();
            let found = live.state.topic(topic);
            let found = found.ok_or_else(|| ClusterError::TopicNotFound(topic.clone()))?;
            found.queues.clone()
        };
        let cursor = cursor.map(parse_cursor).transpose()?;
        let mut queues = Vec::with_capacity(bounds.len());
        for (index, bounds) in bounds.into_iter().enumerate() {
            let span = QueueSpan {
                topic: topic.clone(),
                queue: index as u32,
                first: bounds.min,
                end: bounds.visible,
            };
            let after = to + std::time::Duration::from_millis(1);
            let mut first = self.journal.offset_at(&span, from).map_err(cluster_error)?;
            let mut end = self
                .journal
                .offset_at(&span, after)
                .map_err(cluster_error)?;
            if to == Timestamp::MAX {
                end = bounds.visible;
            }
            if let Some(at) = cursor.as_ref().and_then(|c| c.get(index).copied()) {
                if newest_first {
                    end = end.min(at);
                } else {
                    first = first.max(at);
                }
            }
            queues.push(QueueCursor {
                queue: index as u32,
                first,
                end: end.max(first),
                read: Vec::new(),
            });
        }
        Ok(Merge {
            topic: topic.clone(),
            newest_first,
            queues,
        })
    }

    fn next_by_time(&self, merge: &mut Merge) -> Reply<Option<std::sync::Arc<Message>>> {
        for queue in &mut merge.queues {
            self.fill(&merge.topic, queue, merge.newest_first)?;
        }
        let heads = merge.queues.iter().enumerate();
        let heads = heads.filter_map(|(at, queue)| Some((at, queue.read.last()?.stored_at)));
        let next = if merge.newest_first {
            heads.max_by_key(|(_, stored_at)| *stored_at)
        } else {
            heads.min_by_key(|(_, stored_at)| *stored_at)
        };
        let Some(queue) = next.and_then(|(at, _)| merge.queues.get_mut(at)) else {
            return Ok(None);
        };
        let message = queue.read.pop();
        if message.is_some() {
            if merge.newest_first {
                queue.end -= 1;
            } else {
                queue.first += 1;
            }
        }
        Ok(message)
    }

    fn fill(&self, topic: &TopicName, queue: &mut QueueCursor, newest_first: bool) -> Reply<()> {
        if !queue.read.is_empty() || queue.is_done() {
            return Ok(());
        }
        let most = CHUNK.min((queue.end - queue.first) as usize);
        let from = if newest_first {
            queue.end - most as u64
        } else {
            queue.first
        };
        let read = self.journal.messages(topic, queue.queue, from, most);
        let mut read = read.map_err(cluster_error)?;
        if newest_first && read.len() < most {
            // Large bodies come one by one.
            let last = self.journal.messages(topic, queue.queue, queue.end - 1, 1);
            read = last.map_err(cluster_error)?;
        }
        if read.is_empty() {
            // What cannot be found ends the queue.
            queue.first = queue.end;
            return Ok(());
        }
        if !newest_first {
            read.reverse();
        }
        queue.read = read;
        Ok(())
    }
}

struct Merge {
    topic: TopicName,
    newest_first: bool,
    queues: Vec<QueueCursor>,
}

/// What is left of one queue: `first..end`, with the next ones at the end of `read`.
struct QueueCursor {
    queue: u32,
    first: u64,
    end: u64,
    read: Vec<std::sync::Arc<Message>>,
}

impl QueueCursor {
    fn is_done(&self) -> bool {
        self.first >= self.end
    }
}

impl Merge {
    fn cursor(&self) -> String {
        let at = |queue: &QueueCursor| {
            let next = if self.newest_first {
                queue.end
            } else {
                queue.first
            };
            next.to_string()
        };
        self.queues.iter().map(at).collect::<Vec<_>>().join(",")
    }
}

fn parse_cursor(text: &str) -> Reply<Vec<u64>> {
    let offsets: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
    offsets.map_err(|_| {
        ClusterError::IllegalRequest(format!("the cursor `{text}` is not one of ours"))
    })
}

impl Live {
    /// Whether a message is still within its queue.
    pub(in crate::broker) fn keeps(&self, message: &Message) -> bool {
        let topic = self.state.topic(&message.topic);
        let queue = topic.and_then(|topic| topic.queues.get(message.queue as usize));
        queue.is_some_and(|queue| message.offset >= queue.min)
    }
}
