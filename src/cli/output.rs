//! What commands print: lines, aligned tables, JSON. A closed pipe ends printing without a complaint.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::report::{Exit, Report, printable};

/// A row of a listing: the same struct is a table line and a JSON object.
pub trait Row: Serialize {
    const COLUMNS: &'static [Column];
    fn cells(&self) -> Vec<String>;
}

/// Heading and side of a column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub right: bool,
}

pub const fn left(name: &'static str) -> Column {
    Column { name, right: false }
}

pub const fn right(name: &'static str) -> Column {
    Column { name, right: true }
}

/// Where a command prints. Cloning gives the same output.
#[derive(Clone)]
pub struct Output {
    json: bool,
    to: Arc<Mutex<Box<dyn Write + Send>>>,
    closed: Arc<AtomicBool>,
}

impl Output {
    pub fn stdout(json: bool) -> Self {
        Self::to(json, Box::new(io::stdout()))
    }

    pub fn to(json: bool, writer: Box<dyn Write + Send>) -> Self {
        Self {
            json,
            to: Arc::new(Mutex::new(writer)),
            closed: Arc::default(),
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The reader went away: nothing more needs to be printed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// One line for people; control characters are made visible.
    pub fn line(&self, text: &str) -> Result<(), Report> {
        self.write(&format!("{}\n", printable(text)))
    }

    /// One JSON value on a line of its own.
    pub fn json_line<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Report> {
        self.write(&format!("{}\n", to_json(value)?))
    }

    /// Text as it is, for formats that are read back.
    pub fn verbatim(&self, text: &str) -> Result<(), Report> {
        self.write(text)
    }

    /// A table, or with `--json` an array of the rows.
    pub fn list<R: Row>(&self, rows: &[R]) -> Result<(), Report> {
        if self.json {
            self.json_line(rows)
        } else {
            self.write(&table(rows))
        }
    }

    /// Names and values under each other, or with `--json` one object.
    pub fn show<R: Row>(&self, row: &R) -> Result<(), Report> {
        use std::fmt::Write as _;
        if self.json {
            return self.json_line(row);
        }
        let width = R::COLUMNS.iter().map(|c| c.name.width()).max().unwrap_or(0);
        let mut text = String::new();
        for (column, cell) in R::COLUMNS.iter().zip(row.cells()) {
            let name = column.name.to_lowercase();
            let _ = writeln!(text, "{name:<width$}  {}", one_line(&cell));
        }
        self.write(&text)
    }

    /// What was done: a line for people, with `--json` the value.
    pub fn done<T: Serialize>(&self, told: &str, value: &T) -> Result<(), Report> {
        if self.json {
            self.json_line(value)
        } else {
            self.line(told)
        }
    }

    fn write(&self, text: &str) -> Result<(), Report> {
        if self.is_closed() {
            return Ok(());
        }
        let mut to = self.to.lock();
        match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Report::plain(
                format!("cannot write the output: {error}"),
                None,
                Exit::Failed,
            )),
        }
    }
}

/// A remark on stderr, beside what is printed.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// Whether a person watches stderr, so that progress is worth showing.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Report> {
    serde_json::to_string(value).map_err(|error| {
        Report::plain(
            format!("cannot write the answer as JSON: {error}"),
            None,
            Exit::Failed,
        )
    })
}

fn table<R: Row>(rows: &[R]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.cells().iter().map(|cell| one_line(cell)).collect())
        .collect();
    let widths: Vec<usize> = R::COLUMNS
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let widest = cells
                .iter()
                .filter_map(|row| row.get(at))
                .map(|c| c.width());
            widest.max().unwrap_or(0).max(column.name.width())
        })
        .collect();
    let heading: Vec<String> = R::COLUMNS.iter().map(|c| c.name.to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heading).chain(&cells) {
        text.push_str(table_line(R::COLUMNS, &widths, row).trim_end());
        text.push('\n');
    }
    text
}

fn table_line(columns: &[Column], widths: &[usize], row: &[String]) -> String {
    let mut line = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(row) {
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        if column.right {
            line.push_str(&padding);
        }
        line.push_str(cell);
        if !column.right {
            line.push_str(&padding);
        }
        line.push_str("  ");
    }
    line
}

/// A value on one line, without control characters.
fn one_line(text: &str) -> String {
    printable(text).replace('\n', "⏎")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Sample(&'static str, u32);

    impl Row for Sample {
        const COLUMNS: &'static [Column] = &[left("NAME"), right("LAG")];
        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), self.1.to_string()]
        }
    }

    #[test]
    fn columns_align_by_cells_on_screen_and_values_cannot_break_a_line() {
        let rows = [
            Sample("orders", 7),
            Sample("订单", 12),
            Sample("a\nb\u{1b}[2J", 1),
        ];
        assert_eq!(
            table(&rows),
            "NAME     LAG\n\
             orders     7\n\
             订单      12\n\
             a⏎b\u{fffd}[2J    1\n"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = Output::to(false, Box::new(Gone));
        assert!(out.line("x").is_ok());
        assert!(out.is_closed());
    }
}
