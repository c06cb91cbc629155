//! The log of an invocation: prefixes from the broker's clock, records cut and floods bounded, kept in order.

mod budget;
mod memory;
mod request;
mod tail;

use crate::domain::function::{InvocationRecord, LogRecord};

pub use memory::MemoryRuns;
pub use request::{Prefix, RequestLog, level_of};

/// Longest message of one log record, in bytes; the rest is cut (LOG-12).
pub const MAX_RECORD: usize = 128 * 1024;

/// Where log records and invocation records are kept. Neither call may wait for long: handlers write through it.
pub trait RunSink: Send + Sync {
    /// Keeps a record and gives it the next number.
    fn log(&self, record: LogRecord);

    /// Keeps a record and returns the number it was given.
    fn invocation(&self, record: &InvocationRecord) -> u64;
}

/// The longest prefix of `text` that has at most `limit` bytes and ends on a character border.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
