//! The request beside the log: how it went, what comes next, its message's life and body.

use crate::control::triggers::{TriggerCommand, TriggerRow};
use crate::domain::trigger::TriggerState;
use crate::ui::action::Action;
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::functions::outcome;
use crate::ui::pane::logs::LogPane;
use crate::ui::pane::message;
use crate::ui::pane::messages;
use crate::ui::pane::{Commands, Subject};
use crate::ui::state::Shared;
use crate::ui::state::feed::Request;
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;

impl LogPane {
    /// Lays the detail out for the selected row.
    pub(super) fn lay_out(&mut self, shared: &Shared) {
        let mut document = Document::new();
        self.detail_title = Line::text("Request");
        let Some(request) = self.selected_request() else {
            document.note(Line::muted("This line belongs to no request."));
            self.detail = document;
            return;
        };
        self.detail_title = Line::text(format!(
            "Request {}",
            safe::cut_middle(request.id.as_str(), 13)
        ));
        status(self, shared, &mut document);
        let trace = match (&self.trace, self.selected_message(shared)) {
            (Some((of, traces)), Some(id)) if *of == id => Some(traces.clone()),
            _ => None,
        };
        if let Some(traces) = trace {
            let stored = traces.iter().find_map(|trace| trace.message.clone());
            message::life(&traces, stored.as_ref(), shared, &mut document);
            if let Some(stored) = stored {
                self.body.show(&stored);
                self.body.write(&mut document);
            }
        }
        self.detail = document;
    }
}

fn status(pane: &LogPane, shared: &Shared, document: &mut Document) {
    let Some(request) = pane.selected_request() else {
        return;
    };
    document.field("request", request.id.to_string());
    if let Some(running) = shared.runs.running(&request) {
        document.field(
            "status",
            Line::of(
                format!("◐ running since {}", shared.times.moment(running.since)),
                Token::Warn,
            ),
        );
        document.field("function", request.function.to_string());
    }
    let Some(record) = shared.runs.of_request(&request) else {
        return;
    };
    document.field("status", outcome(record));
    if let Some(error) = &record.error_message {
        document.field("error", Line::of(error.clone(), Token::Error));
    }
    if let Some(row) = waiting_trigger(pane, shared)
        && record.error.is_some()
    {
        document.field("next", next_try(row, shared));
    }
    document.field("function", record.function.to_string());
    if let Some(trigger) = &record.trigger {
        document.field("trigger", trigger.to_string());
    }
    document.field(
        "attempt",
        Line::text(record.attempt.to_string()).put(
            format!("   started {}", shared.times.moment(record.started_at)),
            Token::Muted,
        ),
    );
    for id in record.message_ids.iter().take(5) {
        document.field("message", id.to_string());
    }
    if record.message_ids.len() > 5 {
        let more = record.message_ids.len() - 5;
        document.field("", Line::muted(format!("… and {more} more")));
    }
    document.field(
        "memory",
        format!("{:.0} of {} MB", record.peak_memory_mb, record.memory_mb),
    );
    if record.log_lines_dropped > 0 {
        document.field(
            "log",
            Line::of(
                format!("▲ {} lines dropped", record.log_lines_dropped),
                Token::Warn,
            ),
        );
    }
    // A failed request returns the error that stands above.
    if !record.result.is_empty() && record.error.is_none() {
        document.field("returned", message::long_line(&record.result));
    }
}

/// `attempt 2 in 14 s · x retry now · :clock next`
fn next_try(row: &TriggerRow, shared: &Shared) -> Line {
    let due = match &row.state {
        TriggerState::Retrying { attempt, due, .. } => {
            format!("attempt {attempt} {}", shared.times.until(*due))
        }
        TriggerState::Ready { .. } => "stopped until it is resumed".to_owned(),
        _ => row.next_attempt_at.map_or_else(
            || "waits".to_owned(),
            |due| format!("next attempt {}", shared.times.until(due)),
        ),
    };
    Line::of(due, Token::Warn).put("   x: retry now, skip   :clock next", Token::Muted)
}

/// The trigger of the selected request, while a batch of it waits.
pub(super) fn waiting_trigger<'a>(pane: &LogPane, shared: &'a Shared) -> Option<&'a TriggerRow> {
    let record = shared.runs.of_request(&pane.selected_request()?)?;
    let row = shared.overview().trigger(record.trigger.as_ref()?)?;
    // Only the newest request can be the one that waits.
    let newest = shared
        .runs
        .all()
        .find(|run| run.trigger == record.trigger)?;
    if newest.request_id != record.request_id || newest.error.is_none() {
        return None;
    }
    let waits = row.retrying > 0
        || matches!(
            row.state,
            TriggerState::Retrying { .. } | TriggerState::Ready { .. }
        );
    waits.then_some(row)
}

/// Retries or skips what waits.
pub(super) fn command_trigger(pane: &LogPane, action: Action, shared: &mut Shared) -> Commands {
    let Some(row) = waiting_trigger(pane, shared) else {
        return Vec::new();
    };
    let command = match action {
        Action::SkipBatch => TriggerCommand::Skip,
        _ => TriggerCommand::RetryNow,
    };
    let deed = Deed::TriggerCommand(row.definition.name.clone(), command);
    let ticket = shared.ticket();
    vec![Effect::Act(ticket, Box::new(deed)).into()]
}

/// What `g` and `y` are about on the selected line.
pub(super) fn subject(pane: &LogPane, shared: &Shared) -> Subject {
    let Some(record) = pane
        .rows
        .get(pane.at)
        .and_then(|row| pane.buffer.get(row.record()))
    else {
        return Subject {
            function: pane.function.clone(),
            ..Subject::default()
        };
    };
    let message = pane.selected_message(shared);
    let stored = match (&pane.trace, &message) {
        (Some((of, traces)), Some(id)) if of == id => {
            traces.iter().find_map(|trace| trace.message.clone())
        }
        _ => None,
    };
    let mut subject = stored
        .as_ref()
        .map(|message| messages::subject(message, shared))
        .unwrap_or_default();
    let request = record.request_id.as_ref();
    let run = Request::of_line(record).and_then(|request| shared.runs.of_request(&request));
    if let Some(trigger) = run.and_then(|run| run.trigger.as_ref()) {
        subject.trigger = Some(trigger.clone());
        if let Some(row) = shared.overview().trigger(trigger) {
            subject.topic = Some(row.definition.topic.clone());
            subject.group = Some(row.definition.group.clone());
        }
    }
    subject.id = request
        .map(ToString::to_string)
        .or_else(|| Some(record.function.to_string()));
    subject.message = message;
    subject.request = request.cloned();
    subject.function = Some(record.function.clone());
    subject.json = serde_json::to_string_pretty(record).ok();
    subject.command = Some(match request {
        Some(id) => format!("moonport logs --request {id}"),
        None => format!("moonport logs {}", record.function),
    });
    subject
}
