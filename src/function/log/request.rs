//! The log of one request, as runtimes write it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::BrokerClock;
use crate::domain::function::{LogLevel, LogRecord};
use crate::domain::ids::RequestId;
use crate::domain::names::FunctionName;
use crate::domain::timestamp::Timestamp;
use crate::function::log::budget::Budget;
use crate::function::log::tail::Tail;
use crate::function::log::{MAX_RECORD, RunSink, cut};

/// How a runtime writes the prefix of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `2026-06-12T13:54:44.704Z <id> [INFO] …` (LOG-1).
    IsoTime,
    /// `2026-06-12 13:54:44.704 <id> [info] …`: Node.js 18 and later (ND-8).
    SpacedTime,
}

/// Writes the records of one request in the order they come. Ordinary records of a flood are dropped and counted;
/// platform lines and errors never are (SAFE-8).
pub struct RequestLog {
    function: FunctionName,
    request_id: Option<RequestId>,
    clock: BrokerClock,
    runs: Arc<dyn RunSink>,
    budget: Mutex<Budget>,
    /// The last of what was written, for a caller that asked for it.
    tail: Option<Mutex<Tail>>,
}

impl RequestLog {
    pub fn new(
        function: FunctionName,
        request_id: Option<RequestId>,
        clock: BrokerClock,
        runs: Arc<dyn RunSink>,
    ) -> Self {
        Self {
            function,
            request_id,
            clock,
            runs,
            budget: Mutex::new(Budget::default()),
            tail: None,
        }
    }

    /// Keeps the last 4 KB as well, whatever a flood drops.
    #[must_use]
    pub fn with_tail(mut self) -> Self {
        self.tail = Some(Mutex::default());
        self
    }

    /// The last 4 KB; empty without [`Self::with_tail`].
    pub fn tail(&self) -> String {
        let tail = self.tail.as_ref().map(|tail| tail.lock().text());
        tail.unwrap_or_default()
    }

    pub fn request_id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }

    /// A line of the platform: inited, Start, End.
    pub fn platform(&self, text: impl Into<String>) {
        self.write(LogLevel::Platform, self.clock.now(), text.into());
    }

    /// A record with a level. `label` is written as the runtime spells it.
    pub fn record(&self, prefix: Prefix, label: &str, message: &str) {
        let at = self.clock.now();
        let mut text = match prefix {
            Prefix::IsoTime => at.to_string(),
            Prefix::SpacedTime => at.to_string().replace('T', " ").replace('Z', ""),
        };
        if let Some(id) = &self.request_id {
            text.push(' ');
            text.push_str(id.as_str());
        }
        text.push_str(" [");
        text.push_str(label);
        text.push_str("] ");
        push_bounded(&mut text, message);
        self.write(level_of(label), at, text);
    }

    /// Output as the code wrote it.
    pub fn raw(&self, text: &str) {
        self.leveled(LogLevel::Raw, text);
    }

    /// Output that already carries its own prefix, with the level read from it.
    pub fn leveled(&self, level: LogLevel, text: &str) {
        let mut bounded = String::with_capacity(text.len().min(MAX_RECORD));
        push_bounded(&mut bounded, text);
        self.write(level, self.clock.now(), bounded);
    }

    /// Records dropped so far.
    pub fn dropped(&self) -> u64 {
        self.budget.lock().dropped()
    }

    /// Writes what was held back of a flood, after a line that says how much is missing.
    pub fn flush(&self) {
        let (tail, dropped) = {
            let mut budget = self.budget.lock();
            (budget.take_tail(), budget.dropped())
        };
        if dropped > 0 {
            self.platform(format!("... {dropped} log lines not kept"));
        }
        for record in tail {
            self.runs.log(record);
        }
    }

    fn write(&self, level: LogLevel, at: Timestamp, text: String) {
        if let Some(tail) = &self.tail {
            tail.lock().push(&text);
        }
        let record = LogRecord {
            number: 0,
            function: self.function.clone(),
            request_id: self.request_id.clone(),
            level,
            at,
            text,
        };
        if matches!(level, LogLevel::Platform | LogLevel::Error) {
            self.runs.log(record);
            return;
        }
        // The lock is held over the write so that two streams of one request keep the order in which they came.
        let mut budget = self.budget.lock();
        if let Some(record) = budget.admit(record) {
            self.runs.log(record);
        }
    }
}

fn push_bounded(text: &mut String, message: &str) {
    let kept = cut(message, MAX_RECORD);
    text.push_str(kept);
    if kept.len() < message.len() {
        text.push_str("... Truncated by moonport");
    }
}

/// The level behind a label, in any spelling the runtimes use (ND-8, PY-11).
pub fn level_of(label: &str) -> LogLevel {
    match label.to_ascii_lowercase().as_str() {
        "debug" | "trace" => LogLevel::Debug,
        "warn" | "warning" => LogLevel::Warn,
        "error" | "critical" | "fatal" => LogLevel::Error,
        _ => LogLevel::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::log::MemoryRuns;

    fn log(runs: &Arc<MemoryRuns>) -> RequestLog {
        RequestLog::new(
            FunctionName::new("f").unwrap(),
            Some(RequestId::new("ID")),
            BrokerClock::still(Timestamp::from_millis(1_781_272_484_704)),
            runs.clone(),
        )
    }

    #[test]
    fn records_carry_time_id_and_level_log1_nd8() {
        let runs = Arc::new(MemoryRuns::default());
        let log = log(&runs);
        log.record(Prefix::IsoTime, "INFO", "===== MESSAGE RECEIVED =====");
        log.record(Prefix::SpacedTime, "info", "hello");
        assert_eq!(
            runs.texts(),
            [
                "2026-06-12T13:54:44.704Z ID [INFO] ===== MESSAGE RECEIVED =====",
                "2026-06-12 13:54:44.704 ID [info] hello",
            ]
        );
    }

    #[test]
    fn a_record_is_cut_at_128_kib_on_a_character_border_log12() {
        let runs = Arc::new(MemoryRuns::default());
        log(&runs).raw(&"é".repeat(MAX_RECORD));
        let text = &runs.texts()[0];
        let kept = text.strip_suffix("... Truncated by moonport").unwrap();
        assert_eq!(kept.len(), MAX_RECORD);
    }

    #[test]
    fn errors_and_platform_lines_survive_a_flood_safe8() {
        let runs = Arc::new(MemoryRuns::default());
        let log = log(&runs);
        for _ in 0..30_000 {
            log.raw("noise");
        }
        log.record(Prefix::IsoTime, "ERROR", "boom");
        log.flush();
        log.platform("FC Invoke End RequestId: ID");
        let texts = runs.texts();
        assert!(texts.iter().any(|text| text.ends_with("[ERROR] boom")));
        assert!(texts.contains(&"... 9900 log lines not kept".to_owned()));
        assert_eq!(texts.last().unwrap(), "FC Invoke End RequestId: ID");
    }
}
