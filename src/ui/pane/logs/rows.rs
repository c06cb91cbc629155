//! The shown rows of the log: plain, or folded by request.

use std::collections::{HashMap, HashSet};

use crate::domain::function::{LogLevel, LogRecord};
use crate::ui::pane::logs::buffer::Buffer;
use crate::ui::state::feed::Request;

/// One shown row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// The head of a request: its lines follow unless it is folded.
    Head {
        /// The head's first record, by index.
        first: usize,
        lines: usize,
        folded: bool,
        error: bool,
    },
    /// Line `line` of the record at `index`.
    Text { index: usize, line: usize },
}

/// What selection and marks hold on to: the record's number and the line in it; heads come before line 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    pub number: u64,
    pub line: Option<usize>,
}

/// How rows are made.
pub(super) struct Arrangement<'a> {
    pub by_request: bool,
    pub folded: &'a HashSet<Request>,
    /// Records up to this number are hidden.
    pub hidden_to: u64,
}

/// The rows of a buffer.
pub(super) fn arrange(buffer: &Buffer, how: &Arrangement<'_>) -> Vec<Row> {
    let shown = |record: &&LogRecord| record.number > how.hidden_to;
    if !how.by_request {
        let mut rows = Vec::with_capacity(buffer.len());
        for (index, record) in buffer.iter().enumerate().filter(|(_, r)| shown(r)) {
            text_rows(&mut rows, index, record);
        }
        return rows;
    }
    let mut groups: Vec<(Option<Request>, Vec<usize>)> = Vec::new();
    let mut open: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, record) in buffer.iter().enumerate().filter(|(_, r)| shown(r)) {
        match &record.request_id {
            None => groups.push((None, vec![index])),
            Some(id) => {
                let key = (id.as_str(), record.function.as_str());
                let at = *open.entry(key).or_insert_with(|| {
                    groups.push((Request::of_line(record), Vec::new()));
                    groups.len() - 1
                });
                if let Some((_, indexes)) = groups.get_mut(at) {
                    indexes.push(index);
                }
            }
        }
    }
    let mut rows = Vec::with_capacity(buffer.len() + groups.len());
    for (request, indexes) in groups {
        group_rows(&mut rows, buffer, request.as_ref(), &indexes, how);
    }
    rows
}

fn group_rows(
    rows: &mut Vec<Row>,
    buffer: &Buffer,
    request: Option<&Request>,
    indexes: &[usize],
    how: &Arrangement<'_>,
) {
    let folded = request.is_some_and(|request| how.folded.contains(request));
    if let (Some(_), Some(first)) = (request, indexes.first()) {
        let error = indexes
            .iter()
            .filter_map(|index| buffer.get(*index))
            .any(|record| record.level == LogLevel::Error);
        rows.push(Row::Head {
            first: *first,
            lines: indexes.len(),
            folded,
            error,
        });
    }
    if folded {
        return;
    }
    for index in indexes {
        if let Some(record) = buffer.get(*index) {
            text_rows(rows, *index, record);
        }
    }
}

fn text_rows(rows: &mut Vec<Row>, index: usize, record: &LogRecord) {
    rows.extend((0..lines(record).count()).map(|line| Row::Text { index, line }));
}

impl Row {
    /// Index of the record it shows, or begins with.
    pub(super) fn record(&self) -> usize {
        match self {
            Self::Head { first, .. } => *first,
            Self::Text { index, .. } => *index,
        }
    }

    pub(super) fn anchor(&self, buffer: &Buffer) -> Option<Anchor> {
        let number = buffer.get(self.record())?.number;
        let line = match self {
            Self::Head { .. } => None,
            Self::Text { line, .. } => Some(*line),
        };
        Some(Anchor { number, line })
    }
}

/// The lines of a record, without the prefix that time and level columns show already.
pub(super) fn lines(record: &LogRecord) -> impl Iterator<Item = &str> {
    let lines = record.text.trim_end_matches('\n').split('\n');
    lines.enumerate().map(|(number, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if number == 0 {
            without_prefix(line)
        } else {
            line
        }
    })
}

pub(super) fn line_text(record: &LogRecord, line: usize) -> &str {
    lines(record).nth(line).unwrap_or("")
}

/// `2026-06-12T13:54:44.704Z 016A… [INFO] text` without all before the text.
fn without_prefix(text: &str) -> &str {
    let mut words = text.splitn(3, ' ');
    let (Some(time), Some(_id), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return text;
    };
    let is_time = time.len() >= 20
        && time.ends_with('Z')
        && time.as_bytes().get(10) == Some(&b'T')
        && time.starts_with(|c: char| c.is_ascii_digit());
    if !is_time || !rest.starts_with('[') {
        return text;
    }
    rest.split_once("] ").map_or(text, |(_, text)| text)
}

/// A level as a word of five cells, with its sign.
pub(super) fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Raw => "-     ",
        LogLevel::Debug => "DEBUG ",
        LogLevel::Info => "INFO  ",
        LogLevel::Warn => "WARN ▲",
        LogLevel::Error => "ERROR✖",
        LogLevel::Platform => "·     ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::logs::LogPage;
    use crate::domain::ids::RequestId;
    use crate::domain::names::FunctionName;
    use crate::domain::timestamp::Timestamp;

    fn record(number: u64, request: Option<&str>, text: &str) -> LogRecord {
        LogRecord {
            number,
            function: FunctionName::new("f").unwrap(),
            request_id: request.map(RequestId::new),
            level: LogLevel::Info,
            at: Timestamp::EPOCH,
            text: text.to_owned(),
        }
    }

    fn buffer(records: Vec<LogRecord>) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.reset(LogPage {
            newest: records.len() as u64,
            records,
            ..LogPage::default()
        });
        buffer
    }

    #[test]
    fn requests_gather_their_lines_and_fold() {
        let buffer = buffer(vec![
            record(1, Some("a"), "one\ntwo"),
            record(2, Some("b"), "other"),
            record(3, Some("a"), "three"),
            record(4, None, "inited."),
        ]);
        let folded = HashSet::from([Request::of_line(&record(0, Some("b"), "")).unwrap()]);
        let how = Arrangement {
            by_request: true,
            folded: &folded,
            hidden_to: 0,
        };
        let rows = arrange(&buffer, &how);
        let shown: Vec<String> = rows
            .iter()
            .map(|row| match row {
                Row::Head { lines, folded, .. } => format!("head {lines} {folded}"),
                Row::Text { index, line } => {
                    line_text(buffer.get(*index).unwrap(), *line).to_owned()
                }
            })
            .collect();
        assert_eq!(
            shown,
            [
                "head 2 false",
                "one",
                "two",
                "three",
                "head 1 true",
                "inited."
            ]
        );
    }

    #[test]
    fn the_prefix_of_a_record_is_not_shown_twice() {
        let text = "2026-06-12T13:54:44.704Z 016AB7 [INFO] ===== MESSAGE RECEIVED =====";
        assert_eq!(without_prefix(text), "===== MESSAGE RECEIVED =====");
        for other in ["FC Invoke Start RequestId: 016A", "plain", "a b [c] d"] {
            assert_eq!(without_prefix(other), other);
        }
    }
}
