//! The stretch of log that is in memory: contiguous, bounded, extended at either end page by page.

use std::collections::VecDeque;

use crate::control::logs::LogPage;
use crate::domain::function::LogRecord;

/// Most records kept.
pub(super) const MOST: usize = 50_000;
/// Most bytes of text kept.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    records: VecDeque<LogRecord>,
    bytes: usize,
    /// Everything up to this number was looked at.
    pub read_to: u64,
    /// Numbers the store still has.
    pub oldest_stored: u64,
    pub newest_stored: u64,
    /// Records the host could not keep.
    pub dropped: u64,
    /// Records passed over to catch up with a flood.
    pub skipped: u64,
    /// Older records that match may lie before the first one here.
    pub more_before: bool,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn get(&self, index: usize) -> Option<&LogRecord> {
        self.records.get(index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LogRecord> {
        self.records.iter()
    }

    pub(super) fn first(&self) -> Option<&LogRecord> {
        self.records.front()
    }

    pub(super) fn last(&self) -> Option<&LogRecord> {
        self.records.back()
    }

    /// Whether as much is held as may be.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= MOST || self.bytes >= MOST_BYTES
    }

    /// Starts over with the newest page.
    pub(super) fn reset(&mut self, page: LogPage) {
        self.records.clear();
        self.bytes = 0;
        self.read_to = 0;
        self.more_before = page.more;
        self.append(page);
    }

    /// Adds newer records; the oldest make room.
    pub(super) fn append(&mut self, page: LogPage) {
        self.note(&page);
        let covers_all = !page.more || self.records.is_empty();
        let last = page.records.last().map_or(0, |record| record.number);
        self.read_to = if covers_all {
            page.newest.max(self.read_to)
        } else {
            last.max(self.read_to)
        };
        for record in page.records {
            self.bytes += record.text.len();
            self.records.push_back(record);
        }
        while self.is_full() && self.records.len() > 1 {
            if let Some(old) = self.records.pop_front() {
                self.bytes -= old.text.len();
                self.more_before = true;
            }
        }
    }

    /// Adds older records; the newest make room.
    pub(super) fn prepend(&mut self, page: LogPage) {
        self.note(&page);
        self.more_before = page.more;
        for record in page.records.into_iter().rev() {
            self.bytes += record.text.len();
            self.records.push_front(record);
        }
        while self.is_full() && self.records.len() > 1 {
            if let Some(new) = self.records.pop_back() {
                self.bytes -= new.text.len();
                self.read_to = new.number - 1;
            }
        }
    }

    fn note(&mut self, page: &LogPage) {
        self.oldest_stored = page.oldest;
        self.newest_stored = self.newest_stored.max(page.newest);
        self.dropped = page.dropped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::function::LogLevel;
    use crate::domain::names::FunctionName;
    use crate::domain::timestamp::Timestamp;

    fn page(numbers: std::ops::RangeInclusive<u64>, more: bool) -> LogPage {
        let newest = *numbers.end();
        LogPage {
            records: numbers
                .map(|number| LogRecord {
                    number,
                    function: FunctionName::new("f").unwrap(),
                    request_id: None,
                    level: LogLevel::Info,
                    at: Timestamp::EPOCH,
                    text: "x".repeat(10),
                })
                .collect(),
            oldest: 1,
            newest,
            scanned: 0,
            more,
            dropped: 0,
        }
    }

    #[test]
    fn the_newest_push_the_oldest_out_and_say_so() {
        let mut buffer = Buffer::default();
        buffer.reset(page(1..=10, false));
        assert!(!buffer.more_before);
        buffer.append(page(11..=MOST as u64 + 5, false));
        assert_eq!(buffer.len(), MOST - 1);
        assert!(buffer.more_before);
        assert_eq!(buffer.read_to, MOST as u64 + 5);
    }

    #[test]
    fn older_pages_push_the_newest_out_and_reading_goes_on_from_there() {
        let mut buffer = Buffer::default();
        buffer.reset(page(40_001..=80_000, true));
        buffer.prepend(page(20_001..=40_000, true));
        assert_eq!(buffer.len(), MOST - 1);
        assert_eq!(buffer.first().map(|r| r.number), Some(20_001));
        assert_eq!(buffer.read_to, 20_001 + MOST as u64 - 2);
    }
}
