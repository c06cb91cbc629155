//! Triggers: a topic bound to a function; state, retries, and why nothing runs.

use std::cmp::Ordering;

use crate::control::triggers::{TriggerCommand, TriggerRow};
use crate::domain::names::TopicName;
use crate::domain::trigger::{Tolerance, TriggerDeadLetter, TriggerRetry, TriggerState};
use crate::ui::action::Action;
use crate::ui::dialog::confirm::{Confirm, Grave};
use crate::ui::dialog::form::Form;
use crate::ui::dialog::trigger_form::TriggerForm;
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::instances::{loaded, staleness, ten_minutes};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::{Command, Commands, Goto, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::state::rates::Measure;
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

#[derive(Debug, Default)]
pub struct TriggerList;

const COLUMNS: &[Column] = &[
    Column::left("NAME", 18, u16::MAX, 0),
    Column::left("TOPIC → FUNCTION", 20, 42, 2),
    Column::left("STATE", 12, 14, 1),
    Column::right("LAG", 6, 3),
    Column::left("FILTER", 8, 18, 6),
    Column::right("RETRY", 7, 4),
    Column::right("DEAD", 5, 5),
    Column::left("GROUP", 12, 24, 8),
    Column::left("LAST ERROR", 14, 40, 7),
];

/// The state of a trigger as glyph and word.
pub fn state(row: &TriggerRow) -> Line {
    match &row.state {
        TriggerState::Starting => Line::of("◐ STARTING", Token::Warn),
        TriggerState::Running => Line::of("● RUNNING", Token::Ok),
        TriggerState::Paused => Line::muted("○ PAUSED"),
        TriggerState::Retrying { .. } => Line::of("◐ RETRYING", Token::Warn),
        TriggerState::Ready { .. } => Line::of("▲ STOPPED", Token::Error),
        TriggerState::StartFailed { .. } => Line::of("✖ NO START", Token::Error),
    }
}

impl Listing for TriggerList {
    type Row = TriggerRow;
    const ID: PaneId = PaneId::Triggers;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [TriggerRow] {
        &shared.overview().triggers.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().triggers)
    }

    fn key(&self, row: &TriggerRow) -> String {
        row.definition.name.to_string()
    }

    fn haystack(&self, row: &TriggerRow) -> String {
        let d = &row.definition;
        format!("{} {} {} {}", d.name, d.topic, d.function, d.group)
    }

    fn cell(&self, row: &TriggerRow, column: usize, _shared: &Shared) -> Line {
        let definition = &row.definition;
        match column {
            0 => Line::text(definition.name.to_string()),
            1 => Line::text(format!("{} → {}", definition.topic, definition.function)),
            2 => state(row),
            3 => Line::text(numbers::count(row.lag)),
            4 => Line::text(definition.filter.to_string()),
            5 if row.retrying > 0 => Line::of(format!("{} ◐", row.retrying), Token::Warn),
            5 => Line::text("0"),
            6 => super::topics::warned(row.dead_total),
            7 => Line::text(definition.group.to_string()),
            _ => row
                .last_error
                .as_ref()
                .map_or_else(|| Line::muted("-"), |error| Line::text(error.clone())),
        }
    }

    fn compare(&self, a: &TriggerRow, b: &TriggerRow, column: usize, shared: &Shared) -> Ordering {
        match column {
            3 => a.lag.cmp(&b.lag),
            5 => a.retrying.cmp(&b.retrying),
            6 => a.dead_total.cmp(&b.dead_total),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &TriggerRow, shared: &Shared, document: &mut Document) -> Line {
        summary(row, shared, document);
        document.blank();
        let name = row.definition.name.to_string();
        document.chart(ten_minutes(
            shared,
            "Invocations and lag",
            "a second, last 10 min",
            4,
            [
                ("runs", Measure::TriggerRuns(name.clone())),
                ("failed", Measure::TriggerFailed(name.clone())),
                ("lag", Measure::TriggerLag(name.clone())),
            ],
        ));
        Line::text(name)
    }

    fn subject(&self, row: &TriggerRow, _shared: &Shared) -> Subject {
        let definition = &row.definition;
        let dead = match &definition.dead_letter {
            TriggerDeadLetter::Own => Some(TopicName::dead_letter_of(&definition.group)),
            TriggerDeadLetter::Topic(topic) => Some(topic.clone()),
            TriggerDeadLetter::Dropped => None,
        };
        Subject {
            id: Some(definition.name.to_string()),
            trigger: Some(definition.name.clone()),
            function: Some(definition.function.clone()),
            topic: Some(definition.topic.clone()),
            group: Some(definition.group.clone()),
            instance: Some(definition.instance.clone()),
            dead,
            json: serde_json::to_string_pretty(row).ok(),
            command: Some(format!("moonport trigger show {}", definition.name)),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&TriggerRow>, _shared: &Shared) -> Offer {
        let Some(row) = row else {
            return match action {
                Action::Add => Offer::Yes,
                _ => Offer::Never,
            };
        };
        let paused = row.state == TriggerState::Paused;
        let stopped = matches!(
            row.state,
            TriggerState::Ready { .. } | TriggerState::StartFailed { .. }
        );
        let waits = row.retrying > 0 || matches!(row.state, TriggerState::Retrying { .. });
        match action {
            Action::Add | Action::Open | Action::Edit | Action::Delete => Offer::Yes,
            Action::PauseTrigger => Offer::when(!paused, "it is paused already"),
            Action::ResumeTrigger => Offer::when(paused || stopped, "it is not paused"),
            Action::SkipBatch => Offer::when(waits || stopped, "no batch waits"),
            Action::RetryNow => Offer::when(waits || stopped, "no batch waits"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<TriggerRow>,
        _marked: Vec<TriggerRow>,
        shared: &mut Shared,
    ) -> Commands {
        let command = |command| {
            move |row: TriggerRow, shared: &mut Shared| -> Commands {
                let deed = Deed::TriggerCommand(row.definition.name, command);
                vec![Effect::Act(shared.ticket(), Box::new(deed)).into()]
            }
        };
        match (action, row) {
            (Action::Add, _) => vec![Command::Open(Box::new(Form::new(
                TriggerForm::add(shared),
                shared,
            )))],
            (Action::Edit, Some(row)) => vec![Command::Open(Box::new(Form::new(
                TriggerForm::edit(&row.definition, shared),
                shared,
            )))],
            (Action::Open, Some(row)) => vec![Command::Go(Goto::new(
                PaneId::Logs,
                Focus::Function(Some(row.definition.function)),
            ))],
            (Action::PauseTrigger, Some(row)) => {
                vec![Command::Open(Box::new(pause_box(&row)))]
            }
            (Action::ResumeTrigger, Some(row)) => command(TriggerCommand::Resume)(row, shared),
            (Action::RetryNow, Some(row)) => command(TriggerCommand::RetryNow)(row, shared),
            (Action::SkipBatch, Some(row)) => vec![Command::Open(Box::new(skip_box(&row)))],
            (Action::Delete, Some(row)) => vec![Command::Open(delete_box(&row))],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Add,
            Action::Edit,
            Action::RetryNow,
            Action::Actions,
            Action::Delete,
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
        staleness(&shared.overview().triggers, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "A trigger hands the messages of a topic to a function.",
            help: "a adds a trigger",
        }
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        let rows = self.rows(shared).iter();
        rows.map(|row| {
            let sign = match &row.state {
                TriggerState::Running => Line::of("● on", Token::Ok),
                TriggerState::Paused => Line::muted("○ off"),
                TriggerState::Starting | TriggerState::Retrying { .. } => {
                    Line::of("◐", Token::Warn)
                }
                _ => Line::of("✖", Token::Error),
            };
            (
                self.key(row),
                Line::text(self.key(row)).then(" ").join(sign),
            )
        })
        .collect()
    }
}

fn summary(row: &TriggerRow, shared: &Shared, document: &mut Document) {
    let definition = &row.definition;
    document.field(
        "state",
        state(row).put(
            format!("   since {}", shared.times.ago(row.since)),
            Token::Muted,
        ),
    );
    let retries = matches!(row.state, TriggerState::Retrying { .. });
    if let Some(why) = row.why_idle.as_ref().filter(|_| !retries) {
        document.field("waits", why.clone());
    }
    match &row.state {
        TriggerState::Retrying {
            attempt,
            due,
            error,
        } => {
            document.field("error", Line::of(error.clone(), Token::Error));
            document.field(
                "next",
                Line::of(
                    format!("attempt {attempt} {}", shared.times.until(*due)),
                    Token::Warn,
                )
                .put("   x: retry now, skip   :clock next", Token::Muted),
            );
        }
        TriggerState::Ready { error } | TriggerState::StartFailed { error } => {
            document.field("error", Line::of(error.clone(), Token::Error));
            document.field("help", "x then resume, or skip the batch");
        }
        _ => {
            if let Some(at) = row.next_attempt_at {
                document.field("next", shared.times.until(at));
            }
        }
    }
    document.field(
        "path",
        format!("{} → {}", definition.topic, definition.function),
    );
    document.field("group", definition.group.to_string());
    document.field("filter", definition.filter.to_string());
    document.field(
        "batch",
        format!(
            "{}, window {}, {} at once",
            numbers::counted(u64::from(definition.batch_size), "message", "messages"),
            numbers::span(definition.batch_window),
            definition.concurrency
        ),
    );
    document.field("retry", retry(definition.retry));
    document.field(
        "then",
        match definition.tolerance {
            Tolerance::All => "dead letter, go on; the cloud's default stops instead",
            Tolerance::None => "stop before the batch until it is resumed",
        },
    );
    document.field(
        "dead",
        match &definition.dead_letter {
            TriggerDeadLetter::Own => Line::text(format!("kept in %DLQ%{}", definition.group)),
            TriggerDeadLetter::Topic(topic) => Line::text(format!("kept in {topic}")),
            TriggerDeadLetter::Dropped => Line::of("▲ dropped, not kept", Token::Warn),
        },
    );
    document.field(
        "lag",
        format!(
            "{}   in work {}   retrying {}",
            numbers::count(row.lag),
            row.in_work,
            row.retrying
        ),
    );
    document.field(
        "so far",
        format!(
            "invoked {}   failed {}   dead {}",
            numbers::count(row.invoked_total),
            numbers::count(row.failed_total),
            numbers::count(row.dead_total)
        ),
    );
    if let Some(error) = row.last_error.as_ref().filter(|_| !retries) {
        document.field("last error", Line::of(error.clone(), Token::Error));
    }
}

/// A retry policy in words.
pub fn retry(retry: TriggerRetry) -> &'static str {
    match retry {
        TriggerRetry::Backoff => "up to 3 retries, each after 10-20 s",
        TriggerRetry::ExponentialDecay => "176 retries after 1, 2, 4 … 256 s, then 512 s each",
    }
}

fn pause_box(row: &TriggerRow) -> Confirm {
    Confirm::mild(
        format!("Pause trigger {}?", row.definition.name),
        vec!["It takes no new messages; what runs now ends. They wait in the topic.".to_owned()],
        "Pause",
        Deed::TriggerCommand(row.definition.name.clone(), TriggerCommand::Pause),
    )
}

fn skip_box(row: &TriggerRow) -> Confirm {
    let fate = match row.definition.dead_letter {
        TriggerDeadLetter::Dropped => {
            "The waiting batch is dropped: this trigger keeps no dead letters."
        }
        _ => "The waiting batch becomes dead letters, and the trigger goes on.",
    };
    Confirm::mild(
        format!("Skip the batch of {}?", row.definition.name),
        vec![fate.to_owned()],
        "Skip",
        Deed::TriggerCommand(row.definition.name.clone(), TriggerCommand::Skip),
    )
}

fn delete_box(row: &TriggerRow) -> Box<Confirm> {
    Box::new(Confirm::grave(Grave {
        title: format!("Delete trigger {}", row.definition.name),
        name: row.definition.name.to_string(),
        loses: vec![
            format!(
                "{} in work, {} waiting for a retry",
                numbers::counted(u64::from(row.in_work), "batch", "batches"),
                row.retrying
            ),
            format!("group {} keeps its offsets", row.definition.group),
        ],
        verb: "Delete",
        deed: Deed::DeleteTrigger(row.definition.name.clone()),
    }))
}
