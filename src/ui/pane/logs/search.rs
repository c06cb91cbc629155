//! What is searched for in the log: where it stands, which match the selection is, and the way to the next.

use std::collections::HashSet;

use super::rows::{self, Row};
use super::{Buffer, LogPane};
use crate::domain::function::LogLevel;
use crate::ui::pane::Commands;
use crate::ui::state::Shared;
use crate::ui::state::feed::Level;

/// What a jump looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Find {
    Text,
    Error,
    Mark,
}

/// A text with the lines of the buffer that have it.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub text: String,
    /// Shown rows that match, in order.
    rows: Vec<usize>,
    /// Records and their lines that match, of those looked at.
    found: HashSet<(u64, usize)>,
    /// The first and the last record looked at: each is looked at once.
    looked: Option<(u64, u64)>,
}

impl Search {
    /// Searches for something else.
    pub(super) fn set(&mut self, text: String) {
        *self = Self {
            text,
            ..Self::default()
        };
    }

    /// Looks at what came into the buffer, and says anew which rows match.
    pub(super) fn look(&mut self, buffer: &Buffer, rows: &[Row]) {
        self.rows.clear();
        if self.text.is_empty() {
            return;
        }
        self.judge(buffer);
        let matches = |row: &Row| match row {
            Row::Text { index, line } => buffer
                .get(*index)
                .is_some_and(|record| self.found.contains(&(record.number, *line))),
            Row::Head { .. } => false,
        };
        self.rows = (0..rows.len()).filter(|at| matches(&rows[*at])).collect();
    }

    fn judge(&mut self, buffer: &Buffer) {
        let (Some(first), Some(last)) = (buffer.first(), buffer.last()) else {
            return;
        };
        let (first, last) = (first.number, last.number);
        // What left the buffer is forgotten; a stretch that does not touch the last one begins anew.
        let known = self
            .looked
            .filter(|(from, to)| *from <= last && *to >= first);
        if known.is_none() {
            self.found.clear();
        }
        self.found
            .retain(|(number, _)| (first..=last).contains(number));
        let needle = self.text.to_lowercase();
        let is_new = |number: u64| known.is_none_or(|(from, to)| number < from || number > to);
        for record in buffer.iter().filter(|record| is_new(record.number)) {
            let lines = rows::lines(record).enumerate();
            let matching = lines.filter(|(_, line)| line.to_lowercase().contains(&needle));
            self.found
                .extend(matching.map(|(line, _)| (record.number, line)));
        }
        self.looked = Some((first, last));
    }

    /// The buffer holds other records from now on.
    pub(super) fn forget(&mut self) {
        self.found.clear();
        self.looked = None;
    }

    /// Which match the row is, from 1, and of how many. The row need not be one.
    pub(super) fn place(&self, at: usize) -> (Option<usize>, usize) {
        let place = self.rows.binary_search(&at).ok();
        (place.map(|place| place + 1), self.rows.len())
    }
}

impl LogPane {
    pub(super) fn set_search(&mut self, text: String) {
        self.search.set(text);
        self.search.look(&self.buffer, &self.rows);
    }

    pub(super) fn find_row(&mut self, forward: bool, what: Find, shared: &mut Shared) -> Commands {
        let matches = |at: usize| {
            let Some(row) = self.rows.get(at) else {
                return false;
            };
            let Some(record) = self.buffer.get(row.record()) else {
                return false;
            };
            match (what, row) {
                (Find::Text, _) => self.search.place(at).0.is_some(),
                (Find::Error, Row::Text { line: 0, .. }) => record.level == LogLevel::Error,
                (
                    Find::Error,
                    Row::Head {
                        folded: true,
                        error,
                        ..
                    },
                ) => *error,
                (Find::Mark, Row::Text { line: 0, .. }) => self.marks.contains(&record.number),
                _ => false,
            }
        };
        let found = if forward {
            (self.at + 1..self.rows.len()).find(|at| matches(*at))
        } else {
            (0..self.at).rev().find(|at| matches(*at))
        };
        // At the end it goes on at the other end, and says so.
        let around = || {
            let mut rows = 0..self.rows.len();
            if forward {
                rows.find(|at| matches(*at))
            } else {
                rows.rev().find(|at| matches(*at))
            }
        };
        if let Some(at) = found {
            return self.move_to(at, shared);
        }
        if let Some(at) = around() {
            let from = if forward { "first" } else { "last" };
            shared.notice(
                Level::Info,
                format!("none further; on from the {from} line"),
            );
            return self.move_to(at, shared);
        }
        let text = match what {
            Find::Text => format!(
                "no `{}` in the lines read; & asks the whole log",
                self.search.text
            ),
            Find::Error => "no error in the lines read".to_owned(),
            Find::Mark => "no mark is set".to_owned(),
        };
        shared.notice(Level::Info, text);
        Vec::new()
    }
}
