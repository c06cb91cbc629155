//! Invocation records and log records, in append-only files of bounded size. They are for reading back, not for
//! correctness: nothing is synced per line, a torn tail is cut off, and the oldest file goes when the budget is used.

mod rolling;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::domain::function::{InvocationRecord, LogLevel, LogRecord};
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::names::FunctionName;
use crate::domain::timestamp::Timestamp;
use crate::store::disk::file::Directory;
use crate::store::error::StoreError;
use crate::store::format;
use crate::store::frame;
use crate::store::runs::rolling::{Direction, Rolling};

/// Bytes of all files together, unless the settings say otherwise.
pub const DEFAULT_BUDGET: u64 = 256 * 1024 * 1024;
/// The version of the files of this directory.
const FORMAT: u32 = 1;

/// The runs of one data directory. Every call may come from any thread; appending waits for no reader.
#[derive(Debug)]
pub struct Runs {
    logs: Rolling,
    invocations: Rolling,
    /// Records lost per function, since the process began.
    dropped: Mutex<HashMap<FunctionName, u64>>,
    latest: watch::Sender<u64>,
}

/// Which log records; all conditions hold at once.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    pub function: Option<FunctionName>,
    pub request_id: Option<RequestId>,
    pub min_level: Option<LogLevel>,
    /// Text that occurs in the record, ignoring case.
    pub text: Option<String>,
}

/// Where to begin and which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStart {
    /// The last records.
    End,
    /// Records with a number above this.
    After(u64),
    /// The last records with a number below this.
    Before(u64),
}

/// Records in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLines {
    pub records: Vec<LogRecord>,
    /// The oldest number kept, one above the newest when there is none.
    pub oldest: u64,
    /// The newest number given out.
    pub newest: u64,
    pub scanned: u64,
    /// More that match may follow in the direction asked.
    pub more: bool,
    /// Records of the function asked for, or of all, that were lost before they came here, since the process began.
    pub dropped: u64,
}

/// Which invocation records.
#[derive(Debug, Clone, Default)]
pub struct InvocationFilter {
    pub function: Option<FunctionName>,
    pub request_id: Option<RequestId>,
    pub message_id: Option<MessageId>,
    pub failed_only: bool,
}

/// Invocation records, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocations {
    pub records: Vec<InvocationRecord>,
    pub scanned: u64,
    /// Where the next page begins: records with a number below this; `None` at the end.
    pub next: Option<u64>,
}

/// A log record on disk; its number is its place.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    function: &'a str,
    request_id: Option<&'a str>,
    level: LogLevel,
    at: Timestamp,
    text: &'a str,
}

impl Runs {
    /// Opens the directory, making it where it is missing; the files in it use at most `budget` bytes.
    pub fn open(path: &Path, budget: u64) -> Result<Self, StoreError> {
        let directory = Directory::owned(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::ResourceBusy => StoreError::InUse {
                path: path.to_owned(),
            },
            _ => StoreError::from_io("create", path, error),
        })?;
        format::check(&directory, FORMAT, false)?;
        let directory = Arc::new(directory);
        let failed = |error| StoreError::from_io("open", path, error);
        // A log is many times larger than the records of the invocations that wrote it.
        let logs = Rolling::open(directory.clone(), "logs", budget / 4 * 3).map_err(failed)?;
        let invocations = Rolling::open(directory, "invocations", budget / 4).map_err(failed)?;
        let latest = watch::Sender::new(logs.newest());
        Ok(Self {
            logs,
            invocations,
            dropped: Mutex::default(),
            latest,
        })
    }

    /// Keeps a record and returns the number it got, whatever number it came with.
    pub fn append_log(&self, record: &LogRecord) -> u64 {
        self.append_logs(std::slice::from_ref(record))
    }

    /// Keeps records in order and returns the number of the last.
    pub fn append_logs(&self, records: &[LogRecord]) -> u64 {
        let mut bytes = Vec::new();
        let mut lengths = Vec::with_capacity(records.len());
        for record in records {
            let start = bytes.len();
            // Plain fields cannot fail to be written.
            if frame::put_value(&mut bytes, false, &Line::of(record)).is_ok() {
                lengths.push(bytes.len() - start);
            }
        }
        match self.logs.append(&bytes, &lengths) {
            Ok(newest) => {
                self.latest.send_replace(newest);
                newest
            }
            Err(error) => {
                tracing::warn!(%error, "log records cannot be written");
                for record in records {
                    self.count_dropped(&record.function, 1);
                }
                self.logs.newest()
            }
        }
    }

    /// Notes that `count` records of a function were lost before they came here.
    pub fn count_dropped(&self, function: &FunctionName, count: u64) {
        *self.dropped.lock().entry(function.clone()).or_default() += count;
    }

    /// The number of the newest log record; wakes when one is added.
    pub fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// At most `limit` records. Reads files: not for use on a task that must not wait.
    pub fn logs(
        &self,
        filter: &LogFilter,
        start: LogStart,
        limit: usize,
    ) -> Result<LogLines, StoreError> {
        let matcher = Matcher::new(filter);
        let mut records = Vec::new();
        let mut scanned = 0;
        let direction = match start {
            LogStart::End => Direction::Down(u64::MAX),
            LogStart::Before(number) => Direction::Down(number),
            LogStart::After(number) => Direction::Up(number),
        };
        let mut more = false;
        // Looked at first: a record that comes while others are read is new to the next reader.
        let mut newest = self.logs.newest();
        self.logs.scan(direction, |number, body| {
            if records.len() == limit {
                more = true;
                return ControlFlow::Break(());
            }
            scanned += 1;
            newest = newest.max(number);
            // A record that cannot be read is passed over, as a torn one is.
            if let Ok(line) = postcard::from_bytes::<Line<'_>>(body)
                && matcher.admits(&line)
            {
                records.extend(line.record(number));
            }
            ControlFlow::Continue(())
        })?;
        if matches!(direction, Direction::Down(_)) {
            records.reverse();
        }
        Ok(LogLines {
            records,
            oldest: self.logs.oldest(),
            newest,
            scanned,
            more,
            dropped: self.dropped(filter.function.as_ref()),
        })
    }

    fn dropped(&self, function: Option<&FunctionName>) -> u64 {
        let dropped = self.dropped.lock();
        match function {
            Some(function) => dropped.get(function).copied().unwrap_or(0),
            None => dropped.values().sum(),
        }
    }

    /// Keeps a record and returns the number it got, whatever number it came with.
    pub fn append_invocation(&self, record: &InvocationRecord) -> u64 {
        let mut bytes = Vec::new();
        let written = frame::put_value(&mut bytes, false, record)
            .map_err(|fault| std::io::Error::other(fault.to_string()))
            .and_then(|()| self.invocations.append(&bytes, &[bytes.len()]));
        written.unwrap_or_else(|error| {
            tracing::warn!(%error, "an invocation record cannot be written");
            self.invocations.newest()
        })
    }

    /// At most `rows` records with numbers below `before`, looking at no more than `scan`.
    pub fn invocations(
        &self,
        filter: &InvocationFilter,
        before: Option<u64>,
        rows: usize,
        scan: usize,
    ) -> Result<Invocations, StoreError> {
        let mut page = Invocations {
            records: Vec::new(),
            scanned: 0,
            next: None,
        };
        let direction = Direction::Down(before.unwrap_or(u64::MAX));
        self.invocations.scan(direction, |number, body| {
            if page.records.len() == rows || page.scanned == scan as u64 {
                page.next = Some(number + 1);
                return ControlFlow::Break(());
            }
            page.scanned += 1;
            if let Some(record) = read_invocation(body)
                && filter.admits(&record)
            {
                page.records.push(InvocationRecord { number, ..record });
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }
}

/// A record that was written without places ends where they would begin: it has none.
fn read_invocation(body: &[u8]) -> Option<InvocationRecord> {
    let without = || postcard::from_bytes(&[body, &[0]].concat());
    postcard::from_bytes(body).or_else(|_| without()).ok()
}

impl<'a> Line<'a> {
    fn of(record: &'a LogRecord) -> Self {
        Self {
            function: record.function.as_str(),
            request_id: record.request_id.as_ref().map(RequestId::as_str),
            level: record.level,
            at: record.at,
            text: &record.text,
        }
    }

    fn record(&self, number: u64) -> Option<LogRecord> {
        Some(LogRecord {
            number,
            function: FunctionName::new(self.function).ok()?,
            request_id: self.request_id.map(RequestId::new),
            level: self.level,
            at: self.at,
            text: self.text.to_owned(),
        })
    }
}

/// A filter made ready for many lines.
struct Matcher<'a> {
    filter: &'a LogFilter,
    /// The text in lower case.
    text: Option<String>,
}

impl<'a> Matcher<'a> {
    fn new(filter: &'a LogFilter) -> Self {
        let text = filter.text.as_ref().filter(|text| !text.is_empty());
        Self {
            filter,
            text: text.map(|text| text.to_lowercase()),
        }
    }

    fn admits(&self, line: &Line<'_>) -> bool {
        let filter = self.filter;
        let of = |wanted: Option<&str>, found: Option<&str>| wanted.is_none() || wanted == found;
        of(
            filter.function.as_ref().map(FunctionName::as_str),
            Some(line.function),
        ) && of(
            filter.request_id.as_ref().map(RequestId::as_str),
            line.request_id,
        ) && filter.min_level.is_none_or(|least| line.level >= least)
            && (self.text.as_ref()).is_none_or(|text| line.text.to_lowercase().contains(text))
    }
}

impl InvocationFilter {
    fn admits(&self, record: &InvocationRecord) -> bool {
        let function = self.function.as_ref();
        let request_id = self.request_id.as_ref();
        let message_id = self.message_id.as_ref();
        function.is_none_or(|function| record.function == *function)
            && request_id.is_none_or(|id| record.request_id == *id)
            && message_id.is_none_or(|id| record.message_ids.contains(id))
            && !(self.failed_only && record.error.is_none())
    }
}

#[cfg(test)]
mod tests;
