//! Look-ups over all segments of a journal, newest records first in memory.

use std::sync::Arc;

use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place};
use crate::domain::names::TopicName;
use crate::domain::record::{Record, Subject};
use crate::domain::timestamp::Timestamp;
use crate::store::error::StoreError;
use crate::store::indexes::{PARKED, id_hash, key_hash, queue_subject, told_about};
use crate::store::journal::{JournalStatistics, KeyQuery, Located, Position, QueueSpan};
use crate::store::recent::Recent;
use crate::store::segment::LogReader;
use crate::store::shelf::{Shelf, Volume};

/// Bytes of bodies after which a scan of a queue stops.
const SCAN_BYTES: usize = 4 * 1024 * 1024;
/// Times a look-up starts again when a segment went away under it.
const TRIES: usize = 4;

/// The committed log of one instance.
pub(super) struct Log {
    pub shelf: Shelf,
    pub recent: Recent,
}

impl Log {
    /// Keeps new messages in memory; a deleted topic's are forgotten.
    pub(super) fn remember(&self, news: &[Located]) {
        let is_deletion = |record: &Record| matches!(record, Record::TopicDeleted { .. });
        for stretch in news.split_inclusive(|(_, record)| is_deletion(record)) {
            let messages = stretch.iter().filter_map(|(_, record)| match record {
                Record::Stored { message, .. } => Some(message),
                _ => None,
            });
            self.recent.insert(messages);
            if let Some((at, Record::TopicDeleted { topic, .. })) = stretch.last() {
                self.shelf.delete_topic(topic, *at);
                self.recent.forget(topic);
            }
        }
    }

    pub(super) fn read(&self, at: Position) -> Result<Option<Record>, StoreError> {
        steadily(|| {
            let Some(volume) = self.shelf.holding(at.sequence) else {
                return Ok(None);
            };
            self.shelf.indexes(&volume)?;
            let found = records(&volume, &[at])?.into_iter().next();
            Ok(found.map(|(_, record)| record))
        })
    }

    pub(super) fn message(&self, place: &Place) -> Result<Option<Arc<Message>>, StoreError> {
        let found = self.messages(&place.topic, place.queue, place.offset, 1)?;
        Ok(found.into_iter().next())
    }

    pub(super) fn messages(
        &self,
        topic: &TopicName,
        queue: u32,
        from: u64,
        most: usize,
    ) -> Result<Vec<Arc<Message>>, StoreError> {
        let mut start = Place {
            topic: topic.clone(),
            queue,
            offset: from,
        };
        let mut found: Vec<Arc<Message>> = Vec::new();
        let mut bytes = 0;
        // One stretch comes from memory or from one segment; the next goes on where it ended.
        while found.len() < most && bytes < SCAN_BYTES {
            let stretch = self.stretch(&start, most - found.len())?;
            if stretch.is_empty() {
                break;
            }
            start.offset += stretch.len() as u64;
            bytes += stretch
                .iter()
                .map(|message| message.body.len())
                .sum::<usize>();
            found.extend(stretch);
        }
        Ok(found)
    }

    fn stretch(&self, start: &Place, most: usize) -> Result<Vec<Arc<Message>>, StoreError> {
        let recent = (self.recent).messages(&start.topic, start.queue, start.offset, most);
        if !recent.is_empty() {
            return Ok(recent);
        }
        let subject = queue_subject(&start.topic, start.queue);
        steadily(|| {
            for volume in self.holders(subject, start.offset) {
                let indexes = self.shelf.indexes(&volume)?;
                let positions = indexes.held(&volume.segment, subject, start.offset, most)?;
                let found = self.stored(&volume, &positions, start)?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Ok(Vec::new())
        })
    }

    /// The messages at positions, as long as they are those of a queue from `start` on.
    fn stored(
        &self,
        volume: &Volume,
        positions: &[Position],
        start: &Place,
    ) -> Result<Vec<Arc<Message>>, StoreError> {
        let mut found: Vec<Arc<Message>> = Vec::new();
        let mut bytes = 0;
        visit(volume, positions, |at, _, record| {
            let Record::Stored { message, .. } = record else {
                return false;
            };
            let fits = message.topic == start.topic
                && message.queue == start.queue
                && message.offset == start.offset + found.len() as u64
                && self.shelf.counts(&message.topic, at);
            if fits {
                bytes += message.body.len();
                found.push(message);
            }
            fits && bytes < SCAN_BYTES
        })?;
        Ok(found)
    }

    pub(super) fn parked(&self, number: u64) -> Result<Option<Arc<Message>>, StoreError> {
        steadily(|| {
            for volume in self.holders(PARKED, number) {
                let indexes = self.shelf.indexes(&volume)?;
                let positions = indexes.held(&volume.segment, PARKED, number, 1)?;
                for (_, record) in records(&volume, &positions)? {
                    if let Record::Parked {
                        number: found,
                        message,
                        ..
                    } = record
                        && found == number
                    {
                        return Ok(Some(message));
                    }
                }
            }
            Ok(None)
        })
    }

    pub(super) fn by_id(&self, id: &MessageId, most: usize) -> Result<Vec<Located>, StoreError> {
        let brings = |at: Position, record: &Record| match record {
            Record::Stored { message, .. } => {
                message.id == *id && self.shelf.counts(&message.topic, at)
            }
            Record::Parked { message, .. } => message.id == *id,
            Record::Refused { id: refused, .. } => refused == id,
            _ => false,
        };
        let mut found = steadily(|| self.named(id_hash(id), brings))?;
        found.truncate(most);
        Ok(found)
    }

    pub(super) fn by_key(&self, query: &KeyQuery) -> Result<Vec<Arc<Message>>, StoreError> {
        let carries = |at: Position, record: &Record| {
            matches!(record, Record::Stored { message, .. }
                if message.topic == query.topic
                    && message.keys.contains(&query.key)
                    && query.stored.contains(&message.stored_at)
                    && self.shelf.counts(&message.topic, at))
        };
        let hash = key_hash(&query.topic, &query.key);
        let found = steadily(|| {
            let mut found = Vec::new();
            for volume in self.shelf.all().into_iter().rev() {
                let digest = volume.digest();
                let covers = digest.stored.is_some_and(|(first, last)| {
                    first <= *query.stored.end() && last >= *query.stored.start()
                });
                if covers {
                    self.newest(&volume, hash, query.most, &carries, &mut found)?;
                }
            }
            Ok(found)
        })?;
        Ok(newest_first(found, query.most))
    }

    /// Adds the newest `most` fitting records of one segment.
    fn newest(
        &self,
        volume: &Volume,
        hash: u64,
        most: usize,
        fits: &impl Fn(Position, &Record) -> bool,
        found: &mut Vec<Located>,
    ) -> Result<(), StoreError> {
        let mut positions = self.shelf.indexes(volume)?.named(&volume.segment, hash)?;
        positions.reverse();
        let mut left = most;
        visit(volume, &positions, |at, origin, record| {
            if left > 0 && fits(at, &record) {
                found.push((origin.unwrap_or(at), record));
                left -= 1;
            }
            left > 0
        })
    }

    /// All fitting records under a hash, by where they lay first, each once.
    fn named(
        &self,
        hash: u64,
        fits: impl Fn(Position, &Record) -> bool,
    ) -> Result<Vec<Located>, StoreError> {
        let mut found = Vec::new();
        for volume in self.shelf.all() {
            let positions = self.shelf.indexes(&volume)?.named(&volume.segment, hash)?;
            visit(&volume, &positions, |at, origin, record| {
                if fits(at, &record) {
                    found.push((origin.unwrap_or(at), record));
                }
                true
            })?;
        }
        Ok(in_order(found))
    }

    pub(super) fn offset_at(&self, span: &QueueSpan, at: Timestamp) -> Result<u64, StoreError> {
        let (mut low, mut high) = (span.first, span.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let message = self.message(&Place {
                topic: span.topic.clone(),
                queue: span.queue,
                offset: middle,
            })?;
            // What is missing was trimmed, so it is older than all that is there.
            if message.is_some_and(|message| message.stored_at >= at) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    pub(super) fn trace(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError> {
        steadily(|| {
            let mut found = self.about(subject)?;
            let other = found.iter().find_map(|(_, record)| match record {
                Record::Stored {
                    message,
                    parked: Some(number),
                } => Some((message.clone(), *number)),
                _ => None,
            });
            if let Some((message, number)) = other {
                found.extend(match subject {
                    Subject::Parked(_) => self.about(Subject::Place {
                        topic: &message.topic,
                        queue: message.queue,
                        offset: message.offset,
                    })?,
                    Subject::Place { .. } | Subject::Id(_) => {
                        self.about(Subject::Parked(number))?
                    }
                });
            }
            Ok(in_order(found))
        })
    }

    fn about(&self, subject: Subject<'_>) -> Result<Vec<Located>, StoreError> {
        let fits = |at: Position, record: &Record| {
            let mut found = false;
            record.subjects(|candidate| found |= candidate == subject);
            match subject {
                Subject::Place { topic, .. } => found && self.shelf.counts(topic, at),
                Subject::Parked(_) | Subject::Id(_) => found,
            }
        };
        let (told, number) = match (subject, told_about(subject)) {
            (_, Some(told)) => told,
            (Subject::Id(id), None) => return self.named(id_hash(id), fits),
            (_, None) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for volume in self.shelf.all() {
            let indexes = self.shelf.indexes(&volume)?;
            let positions = indexes.told(&volume.segment, told, number)?;
            visit(&volume, &positions, |at, origin, record| {
                if fits(at, &record) {
                    found.push((origin.unwrap_or(at), record));
                }
                true
            })?;
        }
        Ok(in_order(found))
    }

    pub(super) fn statistics(&self) -> JournalStatistics {
        let volumes = self.shelf.all();
        let mut statistics = JournalStatistics {
            segments: volumes.len() as u64,
            ..JournalStatistics::default()
        };
        for volume in volumes {
            let digest = volume.digest();
            statistics.messages += digest.messages;
            statistics.bytes += digest.bytes;
            statistics.file_bytes += volume.segment.file_bytes();
        }
        statistics
    }

    /// Segments that may hold a number of a subject, newest first.
    fn holders(&self, subject: u64, number: u64) -> impl Iterator<Item = Arc<Volume>> {
        let newest_first = self.shelf.all().into_iter().rev();
        newest_first.filter(move |volume| volume.may_hold(subject, number))
    }
}

/// Looks again when a segment was shut or dropped in the middle: what counts was carried forward before.
fn steadily<T>(mut look: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match look() {
            Err(StoreError::Closed) => {}
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            }
            done => return done,
        }
    }
    look()
}

/// Visits the records at positions of one segment; `visit` gets where each lies and where a copy lay first, and says
/// whether to go on.
fn visit(
    volume: &Volume,
    positions: &[Position],
    mut visit: impl FnMut(Position, Option<Position>, Record) -> bool,
) -> Result<(), StoreError> {
    if positions.is_empty() {
        return Ok(());
    }
    volume.segment.view(|transaction| {
        LogReader::new(transaction)?.frames(positions, |at, frame| match frame {
            Some(frame) => Ok(visit(at, frame.origin, frame.record()?)),
            None => Ok(false),
        })
    })
}

fn records(volume: &Volume, positions: &[Position]) -> Result<Vec<Located>, StoreError> {
    let mut found = Vec::new();
    visit(volume, positions, |at, _, record| {
        found.push((at, record));
        true
    })?;
    Ok(found)
}

/// In the order of the log, each record once: a copy and its original have the same first position.
fn in_order(mut found: Vec<Located>) -> Vec<Located> {
    found.sort_by_key(|(at, _)| *at);
    found.dedup_by_key(|(at, _)| *at);
    found
}

fn newest_first(found: Vec<Located>, most: usize) -> Vec<Arc<Message>> {
    let found = in_order(found).into_iter().rev();
    let messages = found.filter_map(|(_, record)| match record {
        Record::Stored { message, .. } => Some(message),
        _ => None,
    });
    messages.take(most).collect()
}
