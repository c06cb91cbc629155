//! Traces: one row per request that ran, or per message asked for, and the message's life beside it.

use crate::cluster::admin::MessageTrace;
use crate::domain::function::InvocationRecord;
use crate::domain::ids::MessageId;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::effect::{Answer, Effect, Query, Ticket};
use crate::ui::pane::functions::outcome;
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::message;
use crate::ui::pane::{Command, Commands, Goto, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

/// Most rows: the newest requests.
const MOST: usize = 2_000;

/// A request with all its attempts, or a message that no function ran for.
#[derive(Debug, Clone)]
pub struct TraceRow {
    id: String,
    message: Option<MessageId>,
    /// Newest attempt first.
    attempts: Vec<InvocationRecord>,
}

#[derive(Default)]
pub struct TraceList {
    rows: Vec<TraceRow>,
    /// Messages asked for that no request names.
    pinned: Vec<MessageId>,
    /// Number of the newest invocation in the rows.
    seen: u64,
    trace: Option<(MessageId, Result<Vec<MessageTrace>, Report>)>,
    asked: Option<(Ticket, MessageId)>,
    asked_at: std::time::Duration,
}

const COLUMNS: &[Column] = &[
    Column::left("STARTED", 12, 12, 1),
    Column::id("REQUEST", 9, 13, 0),
    Column::left("FUNCTION", 12, 26, 3),
    Column::left("RESULT", 14, 34, 2),
    Column::right("TRIES", 5, 5),
    Column::right("TOTAL", 8, 4),
    Column::right("MESSAGES", 8, 7),
    Column::left("ERROR", 16, u16::MAX, 6),
];

impl TraceList {
    fn rebuild(&mut self, shared: &Shared) {
        if self.seen == shared.runs.newest && !self.rows.is_empty() {
            return;
        }
        self.seen = shared.runs.newest;
        let mut rows: Vec<TraceRow> = Vec::new();
        let mut index = std::collections::HashMap::new();
        for record in shared.runs.all().take(MOST) {
            let key = (record.request_id.clone(), record.function.clone());
            let at = *index.entry(key).or_insert_with(|| {
                rows.push(TraceRow {
                    id: format!("{} {}", record.request_id, record.function),
                    message: record.message_ids.first().cloned(),
                    attempts: Vec::new(),
                });
                rows.len() - 1
            });
            if let Some(row) = rows.get_mut(at) {
                row.attempts.push(record.clone());
            }
        }
        for id in &self.pinned {
            if !rows.iter().any(|row| row.message.as_ref() == Some(id)) {
                rows.push(TraceRow {
                    id: id.to_string(),
                    message: Some(id.clone()),
                    attempts: Vec::new(),
                });
            }
        }
        self.rows = rows;
    }

    fn ask(&mut self, id: &MessageId, shared: &mut Shared) -> Commands {
        let asked = self.asked.as_ref().is_some_and(|(_, of)| of == id);
        let known = self.trace.as_ref().is_some_and(|(of, _)| of == id);
        let fresh = shared.uptime.saturating_sub(self.asked_at).as_millis() < 900;
        if asked || (known && fresh) {
            return Vec::new();
        }
        let ticket = shared.ticket();
        self.asked = Some((ticket, id.clone()));
        self.asked_at = shared.uptime;
        vec![Effect::Query(ticket, Query::Trace(id.clone())).into()]
    }
}

impl TraceRow {
    fn last(&self) -> Option<&InvocationRecord> {
        self.attempts.first()
    }

    fn first(&self) -> Option<&InvocationRecord> {
        self.attempts.last()
    }

    /// From the first start to the last end, in milliseconds.
    fn total(&self) -> Option<f64> {
        let (first, last) = (self.first()?, self.last()?);
        let between = last.started_at.since(first.started_at).as_secs_f64() * 1e3;
        Some(between + last.duration_ms)
    }
}

impl Listing for TraceList {
    type Row = TraceRow;
    const ID: PaneId = PaneId::Traces;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, _shared: &'a Shared) -> &'a [TraceRow] {
        &self.rows
    }

    fn loaded(&self, _shared: &Shared) -> Loaded {
        Loaded::Yes
    }

    fn key(&self, row: &TraceRow) -> String {
        row.id.clone()
    }

    fn first_order(&self) -> Option<(usize, bool)> {
        Some((0, true))
    }

    fn haystack(&self, row: &TraceRow) -> String {
        let error = row.last().and_then(|r| r.error_message.clone());
        format!(
            "{} {}",
            row.id,
            error.unwrap_or_else(|| "ok done".to_owned())
        )
    }

    fn cell(&self, row: &TraceRow, column: usize, shared: &Shared) -> Line {
        let Some(last) = row.last() else {
            return match column {
                1 => Line::text(row.id.clone()),
                3 => Line::muted("no function ran"),
                _ => Line::muted("-"),
            };
        };
        match column {
            0 => row.first().map_or_else(Line::new, |first| {
                Line::text(shared.times.moment(first.started_at))
            }),
            1 => Line::text(last.request_id.to_string()),
            2 => Line::text(last.function.to_string()),
            3 => outcome(last),
            4 if last.attempt > 1 => Line::of(format!("{} ▲", last.attempt), Token::Warn),
            4 => Line::text(last.attempt.to_string()),
            5 => row
                .total()
                .map_or_else(Line::new, |ms| Line::text(numbers::millis(ms))),
            6 => Line::text(last.message_ids.len().to_string()),
            _ => last
                .error_message
                .as_ref()
                .map_or_else(|| Line::muted("-"), |error| Line::text(error.clone())),
        }
    }

    fn compare(
        &self,
        a: &TraceRow,
        b: &TraceRow,
        column: usize,
        shared: &Shared,
    ) -> std::cmp::Ordering {
        let started = |row: &TraceRow| row.first().map(|record| record.started_at);
        let number = |row: &TraceRow| row.first().map(|record| record.number);
        match column {
            0 => (started(a), number(a)).cmp(&(started(b), number(b))),
            4 => a.attempts.len().cmp(&b.attempts.len()),
            5 => a
                .total()
                .unwrap_or(0.0)
                .total_cmp(&b.total().unwrap_or(0.0)),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &TraceRow, shared: &Shared, document: &mut Document) -> Line {
        for record in &row.attempts {
            attempt(record, shared, document);
        }
        match (&self.trace, &row.message) {
            (Some((of, Ok(traces))), Some(id)) if of == id => {
                message::life(traces, None, shared, document);
            }
            (Some((of, Err(report))), Some(id)) if of == id => {
                document.rule("Trace");
                document.note(Line::of(format!("✖ {}", report.headline), Token::Error));
            }
            (_, None) => document.note(Line::muted("it ran by hand: no message belongs to it")),
            _ => {}
        }
        Line::text(format!(
            "Trace {}",
            crate::ui::widget::safe::cut_middle(&row.id, 16)
        ))
    }

    fn subject(&self, row: &TraceRow, shared: &Shared) -> Subject {
        let last = row.last();
        let trigger = last.and_then(|record| record.trigger.clone());
        let definition = trigger
            .as_ref()
            .and_then(|name| shared.overview().trigger(name))
            .map(|row| &row.definition);
        Subject {
            id: row.message.as_ref().map(ToString::to_string),
            message: row.message.clone(),
            request: last.map(|record| record.request_id.clone()),
            function: last.map(|record| record.function.clone()),
            topic: definition.map(|d| d.topic.clone()),
            group: definition.map(|d| d.group.clone()),
            trigger,
            json: last.and_then(|record| serde_json::to_string_pretty(record).ok()),
            command: row
                .message
                .as_ref()
                .map(|id| format!("moonport trace {id}")),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&TraceRow>, _shared: &Shared) -> Offer {
        match action {
            Action::Open | Action::Wrap => Offer::when(row.is_some(), "no trace is selected"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<TraceRow>,
        _marked: Vec<TraceRow>,
        _shared: &mut Shared,
    ) -> Commands {
        match (
            action,
            row.and_then(|row| row.last().map(|r| r.request_id.clone())),
        ) {
            (Action::Open, Some(request)) => {
                vec![Command::Go(Goto::new(
                    PaneId::Logs,
                    Focus::Request(request),
                ))]
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::GoMessage,
            Action::GoFunction,
            Action::Sort,
            Action::Actions,
            Action::Details,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "log",
            _ => action.label(),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        if shared.runs.len() > MOST {
            format!("newest {} requests", numbers::count(MOST as u64))
        } else {
            String::new()
        }
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "Each request of a function with its attempts, and the life of its message.",
            help: "s on a topic sends a message that leaves a trace",
        }
    }

    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands {
        if let Focus::Message(id) = focus {
            self.pinned.retain(|known| known != id);
            self.pinned.push(id.clone());
            if self.pinned.len() > 20 {
                self.pinned.remove(0);
            }
            self.rows.clear();
        }
        self.rebuild(shared);
        Vec::new()
    }

    fn row_for(&self, focus: &Focus) -> Option<String> {
        let Focus::Message(id) = focus else {
            return None;
        };
        self.rows
            .iter()
            .find(|row| row.message.as_ref() == Some(id))
            .map(|row| row.id.clone())
    }

    fn refresh(&mut self, selected: Option<&TraceRow>, shared: &mut Shared) -> Commands {
        if shared.frozen.is_none() {
            self.rebuild(shared);
        }
        match selected.and_then(|row| row.message.clone()) {
            Some(id) => self.ask(&id, shared),
            None => Vec::new(),
        }
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        let Some((_, id)) = self.asked.take_if(|(asked, _)| *asked == ticket) else {
            return Vec::new();
        };
        match answer {
            Ok(Answer::Traces(traces)) => self.trace = Some((id, Ok(traces.clone()))),
            Ok(_) => {}
            Err(report) => self.trace = Some((id, Err(report.clone()))),
        }
        Vec::new()
    }
}

fn attempt(record: &InvocationRecord, shared: &Shared, document: &mut Document) {
    document.field(
        "attempt",
        Line::text(format!("{}   ", record.attempt))
            .join(outcome(record))
            .put(
                format!("   {}", shared.times.moment(record.started_at)),
                Token::Muted,
            ),
    );
    if let Some(error) = &record.error_message {
        document.field("error", Line::of(error.clone(), Token::Error));
    }
    let cold = if record.cold_start {
        format!("cold start {}   ", numbers::millis(record.spawn_ms))
    } else {
        String::new()
    };
    document.field(
        "ran as",
        Line::text(record.function.to_string()).put(
            format!(
                "   {cold}peak {:.0} of {} MB   {}",
                record.peak_memory_mb, record.memory_mb, record.instance_id
            ),
            Token::Muted,
        ),
    );
}
