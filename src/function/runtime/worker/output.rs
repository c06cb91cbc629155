//! What a worker prints, turned into log records of the request in progress. A pipe is read to its end whatever comes
//! out of it (SAFE-7).

mod prefix;
mod reader;
mod split;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::domain::ids::RequestId;
use crate::function::log::{RequestLog, cut};

use prefix::{platform_line, read_prefix};

pub use reader::Reader;
pub use split::{Piece, Splitter};

/// Bytes of the last line that are remembered.
const LAST_LINE: usize = 512;

/// Where the output of one instance goes.
pub struct Target {
    routes: Mutex<Routes>,
    heap_exhausted: AtomicBool,
}

struct Routes {
    /// Requests in progress, the newest last.
    running: Vec<Arc<RequestLog>>,
    /// Takes what is printed while no request runs.
    idle: Arc<RequestLog>,
    /// The last line that was not blank.
    last_line: String,
}

impl Target {
    /// Output goes to `idle` until a request begins.
    pub fn new(idle: Arc<RequestLog>) -> Self {
        Self {
            routes: Mutex::new(Routes {
                running: Vec::new(),
                idle,
                last_line: String::new(),
            }),
            heap_exhausted: AtomicBool::new(false),
        }
    }

    /// From now on output belongs to this request.
    pub fn begin(&self, log: Arc<RequestLog>) {
        self.routes.lock().running.push(log);
    }

    /// The request is over; later output goes to `idle`. True when no other request runs.
    pub fn finish(&self, log: &Arc<RequestLog>, idle: Arc<RequestLog>) -> bool {
        let mut routes = self.routes.lock();
        routes.running.retain(|running| !Arc::ptr_eq(running, log));
        routes.idle = idle;
        routes.running.is_empty()
    }

    /// Whether the engine of Node.js said that its heap is full (LOG-10).
    pub fn saw_exhausted_heap(&self) -> bool {
        self.heap_exhausted.load(Ordering::Relaxed)
    }

    /// The last thing printed, for the story of a worker that died early (SAFE-12).
    pub fn last_line(&self) -> String {
        self.routes.lock().last_line.clone()
    }

    /// Writes one piece of output.
    pub fn write(&self, piece: &Piece) {
        match piece {
            Piece::Record {
                prefix,
                label,
                message,
            } => self.current().record(*prefix, label, message),
            Piece::Line(line) => self.write_line(line),
        }
    }

    fn write_line(&self, line: &str) {
        self.remember(line);
        if let Some(id) = platform_line(line)
            && self.of(id).is_some()
        {
            // The host writes this line itself (CU-7).
            return;
        }
        match read_prefix(line) {
            Some((id, level)) => {
                let log = self.of(id).unwrap_or_else(|| self.current());
                log.leveled(level, line);
            }
            None => self.current().raw(line),
        }
    }

    fn remember(&self, line: &str) {
        if line.contains("JavaScript heap out of memory") {
            self.heap_exhausted.store(true, Ordering::Relaxed);
        }
        if !line.trim().is_empty() {
            cut(line, LAST_LINE).clone_into(&mut self.routes.lock().last_line);
        }
    }

    fn current(&self) -> Arc<RequestLog> {
        let routes = self.routes.lock();
        routes.running.last().unwrap_or(&routes.idle).clone()
    }

    fn of(&self, id: &str) -> Option<Arc<RequestLog>> {
        let routes = self.routes.lock();
        let is_it = |log: &&Arc<RequestLog>| log.request_id().map(RequestId::as_str) == Some(id);
        routes.running.iter().find(is_it).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BrokerClock;
    use crate::domain::function::LogLevel;
    use crate::domain::names::FunctionName;
    use crate::domain::timestamp::Timestamp;
    use crate::function::log::MemoryRuns;

    fn log(runs: &Arc<MemoryRuns>, id: Option<&str>) -> Arc<RequestLog> {
        Arc::new(RequestLog::new(
            FunctionName::new("f").unwrap(),
            id.map(RequestId::new),
            BrokerClock::still(Timestamp::EPOCH),
            runs.clone(),
        ))
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    #[test]
    fn lines_go_to_the_request_they_name_or_else_the_newest_log2() {
        let runs = Arc::new(MemoryRuns::default());
        let target = Target::new(log(&runs, None));
        let (first, second) = (log(&runs, Some("A")), log(&runs, Some("B")));
        target.write(&line("before"));
        target.begin(first.clone());
        target.begin(second.clone());
        target.write(&line("2026-06-12T13:54:44.7Z A [ERROR] main.go:3: boom"));
        target.write(&line("plain"));
        target.finish(&second, log(&runs, None));
        target.write(&line("still A"));
        target.finish(&first, log(&runs, None));
        target.write(&line("after"));
        let ids: Vec<_> = runs
            .logs()
            .iter()
            .map(|record| record.request_id.as_ref().map(ToString::to_string))
            .collect();
        let expected = [None, Some("A"), Some("B"), Some("A"), None];
        assert_eq!(ids, expected.map(|id| id.map(str::to_owned)));
        assert_eq!(runs.logs()[1].level, LogLevel::Error);
    }

    #[test]
    fn the_programs_own_start_and_end_lines_are_dropped_cu7() {
        let runs = Arc::new(MemoryRuns::default());
        let target = Target::new(log(&runs, None));
        target.begin(log(&runs, Some("A")));
        target.write(&line("FC Invoke Start RequestId: A"));
        target.write(&line(
            "FC Invoke End RequestId: A, Error: Unhandled function error",
        ));
        target.write(&line("FC Initialize End RequestId: A"));
        assert_eq!(runs.texts(), [""; 0]);
        target.write(&line("FC Invoke Start RequestId: other"));
        assert_eq!(runs.texts().len(), 1);
    }
}
