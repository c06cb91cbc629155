//! What happened lately, as notices and as facts about invocations.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::domain::function::{InvocationRecord, LogRecord};
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::names::{FunctionName, GroupName, TopicName};
use crate::domain::timestamp::Timestamp;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::pane::Goto;

/// How a notice is marked; always a glyph and a word beside the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    Info,
    Warn,
    Error,
}

impl Level {
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Info => "·",
            Self::Warn => "▲",
            Self::Error => "✖",
        }
    }
}

/// One line of news.
#[derive(Debug, Clone)]
pub struct Notice {
    pub at: Timestamp,
    pub level: Level,
    pub text: String,
    pub hint: Option<String>,
    /// Where its keys lead while it is shown.
    pub links: Vec<(Action, Goto)>,
    /// Uptime at which it came.
    pub shown_at: Duration,
}

/// Most notices kept for the list of them.
const KEPT: usize = 500;
/// How long a good one stays.
const STAYS: Duration = Duration::from_secs(4);
/// How long a warning stays; errors stay until a key.
const WARNING_STAYS: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default)]
pub struct Notices {
    all: VecDeque<Notice>,
    /// Notices ever; more than are kept.
    pub total: u64,
    /// The newest is not shown any more.
    dismissed: bool,
}

impl Notices {
    pub fn push(&mut self, notice: Notice) {
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        self.total += 1;
        self.dismissed = false;
        self.all.push_back(notice);
    }

    /// The one on the notice line.
    pub fn current(&self) -> Option<&Notice> {
        self.all.back().filter(|_| !self.dismissed)
    }

    /// Takes it off the line when its time is over. True when it went.
    pub fn expire(&mut self, uptime: Duration, plain: bool) -> bool {
        let over = self.current().is_some_and(|notice| {
            let stays = match notice.level {
                Level::Error => return false,
                Level::Warn => WARNING_STAYS,
                Level::Ok | Level::Info => STAYS,
            };
            !plain && uptime.saturating_sub(notice.shown_at) >= stays
        });
        self.dismissed |= over;
        over
    }

    /// A key was pressed: an error has been seen once it was shown for a moment.
    pub fn seen(&mut self, uptime: Duration) {
        let old = self.current().is_some_and(|notice| {
            notice.level == Level::Error
                && uptime.saturating_sub(notice.shown_at) >= Duration::from_millis(400)
        });
        self.dismissed |= old;
    }

    /// Newest first.
    pub fn all(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().rev()
    }

    pub fn lost(&self) -> u64 {
        self.total - self.all.len() as u64
    }
}

/// An event of the engine, told in the console's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Stored(TopicName),
    Dead(GroupName),
    Lost(GroupName, TopicName, u64),
    Started {
        function: FunctionName,
        request: RequestId,
        attempt: u32,
        cold: bool,
    },
    Ended {
        function: FunctionName,
        request: RequestId,
        attempt: u32,
        duration_ms: f64,
        error: Option<String>,
    },
    Note(Level, String),
    /// So many events went by unseen.
    Missed(u64),
}

impl Happened {
    /// True when an invocation ended: its record can be read.
    pub fn is_run(&self) -> bool {
        matches!(self.what, What::Ended { .. } | What::Missed(_))
    }
}

/// Invocations as far as the console knows them.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    records: VecDeque<InvocationRecord>,
    by_message: HashMap<MessageId, u64>,
    by_request: HashMap<Request, u64>,
    running: HashMap<Request, Running>,
    pub newest: u64,
}

/// A request of a function. The id alone says too little: a message that goes to two groups is the request of both
/// their functions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    pub function: FunctionName,
    pub id: RequestId,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub since: Timestamp,
    pub attempt: u32,
}

/// Most invocations remembered.
const KEPT_RUNS: usize = 5_000;

impl Runs {
    /// Takes records in, newest first.
    pub fn add(&mut self, records: Vec<InvocationRecord>) {
        for record in records.into_iter().rev() {
            if record.number <= self.newest {
                continue;
            }
            self.newest = record.number;
            let request = Request::of(&record);
            self.running.remove(&request);
            for id in &record.message_ids {
                self.by_message.insert(id.clone(), record.number);
            }
            self.by_request.insert(request, record.number);
            self.records.push_back(record);
        }
        while self.records.len() > KEPT_RUNS {
            let Some(old) = self.records.pop_front() else {
                break;
            };
            for id in &old.message_ids {
                if self.by_message.get(id) == Some(&old.number) {
                    self.by_message.remove(id);
                }
            }
            let request = Request::of(&old);
            if self.by_request.get(&request) == Some(&old.number) {
                self.by_request.remove(&request);
            }
        }
    }

    pub fn started(&mut self, request: Request, running: Running) {
        if self.running.len() < KEPT_RUNS {
            self.running.insert(request, running);
        }
    }

    pub fn ended(&mut self, request: &Request) {
        self.running.remove(request);
    }

    /// Newest first.
    pub fn all(&self) -> impl Iterator<Item = &InvocationRecord> {
        self.records.iter().rev()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn numbered(&self, number: u64) -> Option<&InvocationRecord> {
        let first = self.records.front()?.number;
        let guess = usize::try_from(number.checked_sub(first)?).ok()?;
        // Numbers rise by one, unless records of another owner lie between.
        match self.records.get(guess) {
            Some(record) if record.number == number => Some(record),
            _ => self
                .records
                .binary_search_by_key(&number, |record| record.number)
                .ok()
                .and_then(|at| self.records.get(at)),
        }
    }

    /// The last invocation that a message was part of.
    pub fn of_message(&self, id: &MessageId) -> Option<&InvocationRecord> {
        self.numbered(*self.by_message.get(id)?)
    }

    /// Its last attempt.
    pub fn of_request(&self, request: &Request) -> Option<&InvocationRecord> {
        self.numbered(*self.by_request.get(request)?)
    }

    pub fn running(&self, request: &Request) -> Option<&Running> {
        self.running.get(request)
    }

    pub fn running_count(&self) -> usize {
        self.running.len()
    }
}

impl Request {
    pub fn of(record: &InvocationRecord) -> Self {
        Self {
            function: record.function.clone(),
            id: record.request_id.clone(),
        }
    }

    /// The request that said this.
    pub fn of_line(line: &LogRecord) -> Option<Self> {
        Some(Self {
            function: line.function.clone(),
            id: line.request_id.clone()?,
        })
    }
}

impl Notice {
    /// A report as a notice: what failed and why, the hint apart.
    pub fn of_report(report: &Report) -> (String, Option<String>) {
        let mut text = report.headline.clone();
        for cause in &report.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        (text, report.hint.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::function::InvocationType;

    fn record(number: u64, function: &str, attempt: u32) -> InvocationRecord {
        InvocationRecord {
            number,
            request_id: RequestId::new("01A7"),
            function: FunctionName::new(function).unwrap(),
            trigger: None,
            invocation_type: InvocationType::Sync,
            attempt,
            message_ids: vec![MessageId::new("01A7").unwrap()],
            started_at: Timestamp::EPOCH,
            schedule_ms: 0.0,
            duration_ms: 1.0,
            cold_start: false,
            spawn_ms: 0.0,
            initializer_ms: 0.0,
            memory_mb: 0,
            peak_memory_mb: 0.0,
            instance_id: String::new(),
            error: None,
            error_message: None,
            event: String::new(),
            result: String::new(),
            log_lines_dropped: 0,
            exit: None,
            places: Vec::new(),
        }
    }

    #[test]
    fn the_functions_of_two_groups_keep_their_own_record_of_a_message() {
        let (audit, logger) = (record(1, "audit", 1), record(2, "logger", 1));
        let again = record(3, "audit", 2);
        let (of_audit, of_logger) = (Request::of(&audit), Request::of(&logger));
        let mut runs = Runs::default();
        let running = Running {
            since: Timestamp::EPOCH,
            attempt: 1,
        };
        runs.started(of_logger.clone(), running);
        runs.add(vec![audit]);
        assert!(runs.running(&of_logger).is_some());
        runs.add(vec![again, logger]);
        assert!(runs.running(&of_logger).is_none());
        assert_eq!(runs.of_request(&of_audit).unwrap().attempt, 2);
        assert_eq!(runs.of_request(&of_logger).unwrap().number, 2);
    }
}
