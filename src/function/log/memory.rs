//! Runs kept in memory, for hosts without a data directory and for tests.

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::function::{InvocationRecord, LogRecord};
use crate::function::log::RunSink;

/// Keeps everything it is given.
#[derive(Debug)]
pub struct MemoryRuns {
    kept: Mutex<Kept>,
    /// Counts what was added.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    logs: Vec<LogRecord>,
    invocations: Vec<InvocationRecord>,
}

impl Default for MemoryRuns {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl MemoryRuns {
    pub fn logs(&self) -> Vec<LogRecord> {
        self.kept.lock().logs.clone()
    }

    /// The text of each log record, oldest first.
    pub fn texts(&self) -> Vec<String> {
        let kept = self.kept.lock();
        kept.logs.iter().map(|record| record.text.clone()).collect()
    }

    pub fn invocations(&self) -> Vec<InvocationRecord> {
        self.kept.lock().invocations.clone()
    }

    /// Returns once a log record satisfies `wanted`.
    pub async fn wait_for_log(&self, wanted: impl Fn(&LogRecord) -> bool) -> LogRecord {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.kept.lock().logs.iter().find(|record| wanted(record)) {
                return found.clone();
            }
            // The sender lives in `self`, so waiting cannot fail.
            let _ = changes.changed().await;
        }
    }
}

impl RunSink for MemoryRuns {
    fn log(&self, mut record: LogRecord) {
        {
            let logs = &mut self.kept.lock().logs;
            record.number = logs.len() as u64 + 1;
            logs.push(record);
        }
        self.changed.send_modify(|count| *count += 1);
    }

    fn invocation(&self, record: &InvocationRecord) -> u64 {
        let number = {
            let invocations = &mut self.kept.lock().invocations;
            let number = invocations.len() as u64 + 1;
            invocations.push(InvocationRecord {
                number,
                ..record.clone()
            });
            number
        };
        self.changed.send_modify(|count| *count += 1);
        number
    }
}
