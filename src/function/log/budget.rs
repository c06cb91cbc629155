//! How much one request may write to its log before ordinary records are dropped (SAFE-8).

use std::collections::VecDeque;

use crate::domain::function::LogRecord;

/// Records of one request kept before dropping begins.
pub(super) const MAX_RECORDS: u64 = 20_000;
/// Bytes of one request kept before dropping begins.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The last records of a flood are kept too, since the end of a log says most.
const TAIL_RECORDS: usize = 100;
const TAIL_BYTES: usize = 256 * 1024;

/// Counts what was written and holds back the newest records of a flood.
#[derive(Debug, Default)]
pub(super) struct Budget {
    records: u64,
    bytes: usize,
    tail: VecDeque<LogRecord>,
    tail_bytes: usize,
    dropped: u64,
}

impl Budget {
    /// Takes a record; gives it back when it is to be kept now.
    pub(super) fn admit(&mut self, record: LogRecord) -> Option<LogRecord> {
        if self.records < MAX_RECORDS && self.bytes < MAX_BYTES {
            self.records += 1;
            self.bytes += record.text.len();
            return Some(record);
        }
        self.tail_bytes += record.text.len();
        self.tail.push_back(record);
        while self.tail.len() > TAIL_RECORDS || self.tail_bytes > TAIL_BYTES {
            let Some(oldest) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= oldest.text.len();
            self.dropped += 1;
        }
        None
    }

    /// Records that are gone for good.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The records held back, oldest first; they count as kept.
    pub(super) fn take_tail(&mut self) -> VecDeque<LogRecord> {
        self.tail_bytes = 0;
        std::mem::take(&mut self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::function::LogLevel;
    use crate::domain::names::FunctionName;
    use crate::domain::timestamp::Timestamp;

    fn line(number: u64, text: String) -> LogRecord {
        LogRecord {
            number,
            function: FunctionName::new("f").unwrap(),
            request_id: None,
            level: LogLevel::Raw,
            at: Timestamp::EPOCH,
            text,
        }
    }

    #[test]
    fn a_flood_keeps_its_head_and_its_tail_and_counts_the_rest_safe8() {
        let mut budget = Budget::default();
        let kept = (0..1_000_000)
            .filter(|n| budget.admit(line(*n, "x".to_owned())).is_some())
            .count() as u64;
        let tail = budget.take_tail();
        assert_eq!(kept, MAX_RECORDS);
        assert_eq!(tail.len(), TAIL_RECORDS);
        assert_eq!(tail.back().unwrap().number, 999_999);
        assert_eq!(budget.dropped(), 1_000_000 - MAX_RECORDS - 100);
    }

    #[test]
    fn long_records_are_bounded_by_bytes_safe8() {
        let mut budget = Budget::default();
        let kept = (0..1000)
            .filter(|n| budget.admit(line(*n, "x".repeat(128 * 1024))).is_some())
            .count();
        assert_eq!(kept, MAX_BYTES / (128 * 1024));
        assert!(budget.tail_bytes <= TAIL_BYTES);
    }
}
