//! Log lines of several functions at once, told request by request.

use crate::cli::logs::Printer;
use crate::domain::function::{LogLevel, LogRecord};
use crate::report::Report;

/// Holds records back until their request ends, so that the lines of two requests never mix.
#[derive(Default)]
pub(super) struct ByRequest {
    held: Vec<LogRecord>,
}

impl ByRequest {
    /// Takes a record in; where it ends a request, prints that request with what its instance said before.
    pub(super) fn take(&mut self, record: LogRecord, printer: &mut Printer) -> Result<(), Report> {
        let ends = is_end(&record);
        let (function, request) = (record.function.clone(), record.request_id.clone());
        self.held.push(record);
        if !ends {
            return Ok(());
        }
        let belongs = |held: &LogRecord| {
            held.function == function && (held.request_id == request || held.request_id.is_none())
        };
        let (told, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(belongs);
        self.held = held;
        print(told, printer)
    }

    /// Prints what never came to an end.
    pub(super) fn finish(&mut self, printer: &mut Printer) -> Result<(), Report> {
        print(std::mem::take(&mut self.held), printer)
    }
}

fn print(records: Vec<LogRecord>, printer: &mut Printer) -> Result<(), Report> {
    records.iter().try_for_each(|record| printer.print(record))
}

fn is_end(record: &LogRecord) -> bool {
    record.level == LogLevel::Platform && record.text.starts_with("FC Invoke End")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::cli::output::Output;
    use crate::domain::ids::RequestId;
    use crate::domain::names::FunctionName;
    use crate::domain::timestamp::Timestamp;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn record(function: &str, request: Option<&str>, level: LogLevel, text: &str) -> LogRecord {
        LogRecord {
            number: 0,
            function: FunctionName::new(function).unwrap(),
            request_id: request.map(RequestId::new),
            level,
            at: Timestamp::EPOCH,
            text: text.to_owned(),
        }
    }

    #[test]
    fn lines_of_two_requests_never_mix_and_the_rest_comes_last() {
        let kept = Kept::default();
        let out = Output::to(false, Box::new(kept.clone()));
        let mut printer = Printer::new(&out);
        let mut lines = ByRequest::default();
        for (function, request, level, text) in [
            ("f", None, LogLevel::Platform, "inited"),
            ("f", Some("1"), LogLevel::Platform, "FC Invoke Start 1"),
            ("g", Some("1"), LogLevel::Info, "audit"),
            ("f", Some("1"), LogLevel::Info, "working"),
            ("g", Some("1"), LogLevel::Platform, "FC Invoke End 1"),
            ("f", Some("1"), LogLevel::Platform, "FC Invoke End 1"),
            ("g", None, LogLevel::Raw, "left"),
        ] {
            let record = record(function, request, level, text);
            lines.take(record, &mut printer).unwrap();
        }
        lines.finish(&mut printer).unwrap();
        let text = String::from_utf8(kept.0.lock().clone()).unwrap();
        assert_eq!(
            text,
            "==> g <==\naudit\nFC Invoke End 1\n\n==> f <==\ninited\nFC Invoke Start 1\nworking\n\
             FC Invoke End 1\n\n==> g <==\nleft\n"
        );
    }
}
