//! The live log: follow, freeze, level, search, folding by request, and the way from a line to its message.

mod buffer;
mod detail;
mod draw;
mod pane;
mod rows;
mod search;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::cluster::admin::MessageTrace;
use crate::control::logs::{LogFrom, LogQuery};
use crate::domain::function::LogLevel;
use crate::domain::ids::{MessageId, RequestId};
use crate::domain::names::FunctionName;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::menu::Menu;
use crate::ui::dialog::save::SavePrompt;
use crate::ui::effect::{Effect, Query, Ticket};
use crate::ui::pane::logs::buffer::Buffer;
use crate::ui::pane::logs::rows::{Anchor, Arrangement, Row};
use crate::ui::pane::logs::search::Search;
use crate::ui::pane::message::BodyView;
use crate::ui::pane::{Command, Commands, Halves};
use crate::ui::state::Shared;
use crate::ui::state::feed::Request;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;

/// Records read at once.
const PAGE: usize = 2_000;

/// Why a page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The newest, from scratch.
    End,
    After,
    Before,
}

pub struct LogPane {
    halves: Halves,
    buffer: Buffer,
    rows: Vec<Row>,
    function: Option<FunctionName>,
    request: Option<RequestId>,
    min_level: Option<LogLevel>,
    /// Only records with this text are read.
    only: String,
    search: Search,
    follow: bool,
    wrap: bool,
    by_request: bool,
    folded: HashSet<Request>,
    marks: BTreeSet<u64>,
    hidden_to: u64,
    at: usize,
    top: usize,
    page: usize,
    asked: Option<(Ticket, Asked)>,
    failed: Option<Report>,
    /// The filter changed: what is held does not answer it.
    stale: bool,
    /// The newest record when following ended.
    left_at: u64,
    rate: Rate,
    trace: Option<(MessageId, Vec<MessageTrace>)>,
    asked_trace: Option<(Ticket, MessageId)>,
    traced_at: Duration,
    body: BodyView,
    detail: Document,
    detail_title: Line,
}

/// Lines a second, over the last seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    at: Duration,
    head: u64,
    per_second: f64,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            halves: Halves::default(),
            buffer: Buffer::default(),
            rows: Vec::new(),
            function: None,
            request: None,
            min_level: None,
            only: String::new(),
            search: Search::default(),
            follow: true,
            wrap: false,
            by_request: true,
            folded: HashSet::new(),
            marks: BTreeSet::new(),
            hidden_to: 0,
            at: 0,
            top: 0,
            page: 1,
            asked: None,
            failed: None,
            stale: true,
            left_at: 0,
            rate: Rate::default(),
            trace: None,
            asked_trace: None,
            traced_at: Duration::ZERO,
            body: BodyView::default(),
            detail: Document::new(),
            detail_title: Line::new(),
        }
    }
}

impl LogPane {
    fn query(&self, from: LogFrom, limit: usize) -> LogQuery {
        LogQuery {
            function: self.function.clone(),
            request_id: self.request.clone(),
            min_level: self.min_level,
            text: (!self.only.is_empty()).then(|| self.only.clone()),
            from,
            limit,
        }
    }

    fn ask(&mut self, what: Asked, shared: &mut Shared) -> Commands {
        if self.asked.is_some() {
            return Vec::new();
        }
        let from = match what {
            Asked::End => LogFrom::End,
            Asked::After => LogFrom::After(self.buffer.read_to),
            Asked::Before => match self.buffer.first() {
                Some(first) => LogFrom::Before(first.number),
                None => return Vec::new(),
            },
        };
        let ticket = shared.ticket();
        self.asked = Some((ticket, what));
        self.stale = false;
        vec![Effect::Query(ticket, Query::Logs(self.query(from, PAGE))).into()]
    }

    /// Reads on where the log has grown.
    fn read_on(&mut self, shared: &mut Shared) -> Commands {
        if self.stale {
            return self.ask(Asked::End, shared);
        }
        let behind = shared.log_head.saturating_sub(self.buffer.read_to);
        if behind == 0 || shared.frozen.is_some() || self.asked.is_some() {
            return Vec::new();
        }
        if self.follow && behind > 2 * PAGE as u64 && self.is_unfiltered() {
            // A flood: what is between is read when one scrolls up to it.
            self.buffer.skipped += behind - PAGE as u64;
            return self.ask(Asked::End, shared);
        }
        if !self.follow && self.buffer.is_full() {
            return Vec::new();
        }
        self.ask(Asked::After, shared)
    }

    fn is_unfiltered(&self) -> bool {
        self.only.is_empty() && self.request.is_none() && self.min_level.is_none()
    }

    /// Begins anew after a change of what is asked for.
    fn restart(&mut self, shared: &mut Shared) -> Commands {
        self.stale = true;
        self.asked = None;
        self.follow = true;
        self.ask(Asked::End, shared)
    }

    /// Works the rows out again; the selection stays on its line.
    fn arrange(&mut self) {
        let anchor = self.anchor();
        let how = Arrangement {
            by_request: self.by_request,
            folded: &self.folded,
            hidden_to: self.hidden_to,
        };
        self.rows = rows::arrange(&self.buffer, &how);
        self.search.look(&self.buffer, &self.rows);
        let last = self.rows.len().saturating_sub(1);
        self.at = if self.follow {
            last
        } else {
            anchor
                .and_then(|anchor| self.find(anchor))
                .unwrap_or_else(|| self.at.min(last))
        };
    }

    fn anchor(&self) -> Option<Anchor> {
        self.rows.get(self.at)?.anchor(&self.buffer)
    }

    fn find(&self, anchor: Anchor) -> Option<usize> {
        let exact = self
            .rows
            .iter()
            .position(|row| row.anchor(&self.buffer) == Some(anchor));
        exact.or_else(|| {
            self.rows.iter().position(|row| {
                row.anchor(&self.buffer)
                    .is_some_and(|a| a.number >= anchor.number)
            })
        })
    }

    /// The request of the selected row.
    fn selected_request(&self) -> Option<Request> {
        let row = self.rows.get(self.at)?;
        Request::of_line(self.buffer.get(row.record())?)
    }

    fn move_to(&mut self, at: usize, shared: &mut Shared) -> Commands {
        let last = self.rows.len().saturating_sub(1);
        let before = self.at;
        self.at = at.min(last);
        if self.follow && self.at < last {
            self.follow = false;
            self.left_at = self.buffer.newest_stored;
        }
        if before != self.at {
            self.halves.top = 0;
        }
        let mut commands = self.follow_selection(shared);
        if self.at < self.page && self.buffer.more_before {
            commands.extend(self.ask(Asked::Before, shared));
        }
        if self.at + self.page >= last && !self.follow {
            commands.extend(self.read_on(shared));
        }
        commands
    }

    fn resume(&mut self, shared: &mut Shared) -> Commands {
        self.follow = true;
        let behind = shared.log_head.saturating_sub(self.buffer.read_to);
        let commands = if behind > PAGE as u64 {
            self.ask(Asked::End, shared)
        } else {
            self.read_on(shared)
        };
        self.at = self.rows.len().saturating_sub(1);
        self.lay_out(shared);
        commands
    }

    /// Asks for the trace of the selected request's message, and lays the detail out.
    fn follow_selection(&mut self, shared: &mut Shared) -> Commands {
        let message = self.selected_message(shared);
        let mut commands = Vec::new();
        if let Some(id) = message {
            let asked = self.asked_trace.as_ref().is_some_and(|(_, of)| *of == id);
            let known = self.trace.as_ref().is_some_and(|(of, _)| *of == id);
            let fresh = shared.uptime.saturating_sub(self.traced_at) < Duration::from_millis(900);
            if !(asked || known && fresh) {
                let ticket = shared.ticket();
                self.asked_trace = Some((ticket, id.clone()));
                self.traced_at = shared.uptime;
                commands.push(Effect::Query(ticket, Query::Trace(id)).into());
            }
        }
        self.lay_out(shared);
        commands
    }

    /// The message of the selected request: the one its record names, else the one its id is.
    fn selected_message(&self, shared: &Shared) -> Option<MessageId> {
        let request = self.selected_request()?;
        match shared.runs.of_request(&request) {
            Some(record) => record.message_ids.first().cloned(),
            None if request.id.as_str().starts_with("1-") => None,
            None => MessageId::new(request.id.as_str()),
        }
    }

    fn motion(&mut self, action: Action, shared: &mut Shared) -> Option<Commands> {
        let half = (self.page / 2).max(1);
        let page = self.page.max(1);
        let at = match action {
            Action::Down => self.at + 1,
            Action::Up => self.at.saturating_sub(1),
            Action::HalfDown => self.at + half,
            Action::HalfUp => self.at.saturating_sub(half),
            Action::PageDown => self.at + page,
            Action::PageUp => self.at.saturating_sub(page),
            Action::First => 0,
            Action::Last => return Some(self.resume(shared)),
            Action::PrevRequest => self.other_request(false)?,
            Action::NextRequest => self.other_request(true)?,
            _ => return None,
        };
        Some(self.move_to(at, shared))
    }

    /// The first row of the request before or after the selected row.
    fn other_request(&self, forward: bool) -> Option<usize> {
        let begins = |at: usize| {
            let request = |at: usize| {
                let row = self.rows.get(at)?;
                let record = self.buffer.get(row.record())?;
                Some((&record.function, &record.request_id))
            };
            at == 0 || request(at) != request(at - 1)
        };
        if forward {
            (self.at + 1..self.rows.len()).find(|at| begins(*at))
        } else {
            (0..self.at).rev().find(|at| begins(*at))
        }
    }

    fn next_level(&self) -> Option<LogLevel> {
        match self.min_level {
            None => Some(LogLevel::Debug),
            Some(LogLevel::Debug) => Some(LogLevel::Info),
            Some(LogLevel::Info) => Some(LogLevel::Warn),
            Some(LogLevel::Warn) => Some(LogLevel::Error),
            _ => None,
        }
    }

    fn fold(&mut self) {
        let Some(request) = self.selected_request() else {
            return;
        };
        if !self.folded.remove(&request) {
            self.folded.insert(request.clone());
        }
        self.follow = false;
        let head = self.rows[..=self.at.min(self.rows.len().saturating_sub(1))]
            .iter()
            .rposition(|row| matches!(row, Row::Head { .. }));
        self.at = head.unwrap_or(self.at);
        self.arrange();
    }

    fn measure(&mut self, shared: &Shared) {
        let passed = shared.uptime.saturating_sub(self.rate.at);
        if passed >= Duration::from_secs(1) {
            let grew = shared.log_head.saturating_sub(self.rate.head);
            self.rate = Rate {
                at: shared.uptime,
                head: shared.log_head,
                per_second: grew as f64 / passed.as_secs_f64(),
            };
        }
    }

    /// Lines that came since following ended.
    fn new_lines(&self, shared: &Shared) -> u64 {
        if self.follow {
            0
        } else {
            shared.log_head.saturating_sub(self.left_at)
        }
    }

    fn save(&self, shared: &Shared) -> Command {
        let name = self
            .function
            .as_ref()
            .map_or("functions", FunctionName::as_str);
        let path = format!("{name}-{}.log", shared.times.stamp());
        let query = self.query(LogFrom::After(self.hidden_to), usize::MAX);
        Command::Open(Box::new(SavePrompt::log(path, query)))
    }

    fn choose_function(shared: &Shared) -> Command {
        let names = shared.overview().functions.rows.iter();
        let names: Vec<String> = names.map(|row| row.definition.name.to_string()).collect();
        Command::Open(Box::new(Menu::choices(
            "Log of",
            std::iter::once("all functions".to_owned()).chain(names),
        )))
    }
}
