//! Functions: state, instances, invocations, errors, latency.

use std::cmp::Ordering;

use crate::control::functions::{FunctionRow, FunctionState};
use crate::domain::function::{InvocationRecord, Runtime};
use crate::ui::action::Action;
use crate::ui::dialog::confirm::{Confirm, Grave};
use crate::ui::dialog::form::Form;
use crate::ui::dialog::function_form::FunctionForm;
use crate::ui::dialog::invoke::InvokeDialog;
use crate::ui::effect::{Deed, EditText, Effect};
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
pub struct FunctionList;

const COLUMNS: &[Column] = &[
    Column::left("NAME", 18, u16::MAX, 0),
    Column::left("RUNTIME", 8, 8, 3),
    Column::left("STATE", 12, 16, 1),
    Column::right("RUNS", 8, 2),
    Column::right("ERRORS", 9, 4),
    Column::right("BUSY", 6, 7),
    Column::right("P50", 7, 6),
    Column::right("P99", 7, 5),
    Column::left("LAST", 9, 12, 8),
];

/// Invocations listed in the detail.
const RUNS_SHOWN: usize = 12;

/// The state of a function as glyph and word.
pub fn state(row: &FunctionRow) -> Line {
    match &row.state {
        FunctionState::Running if row.busy > 0 => Line::of("● RUNNING", Token::Ok),
        FunctionState::Running => Line::of("● WARM", Token::Ok),
        FunctionState::Idle => Line::muted("○ IDLE"),
        FunctionState::StartFailing { .. } => Line::of("▲ NO START", Token::Warn),
        FunctionState::Broken { .. } => Line::of("✖ BROKEN", Token::Error),
    }
}

/// How an invocation ended, as glyph and words.
pub fn outcome(record: &InvocationRecord) -> Line {
    match record.error {
        None => Line::of("✓", Token::Ok).then(format!(" {}", numbers::millis(record.duration_ms))),
        Some(error) => Line::of(
            format!(
                "✖ {} {}",
                error_name(record, error.as_str()),
                numbers::millis(record.duration_ms)
            ),
            Token::Error,
        ),
    }
}

/// `KeyError` of `KeyError: 'amount'`: the handler's own word where it raised, else what the host found.
fn error_name<'a>(record: &'a InvocationRecord, found: &'a str) -> &'a str {
    let message = record.error_message.as_deref().unwrap_or_default();
    let own = message.split_once(':').map(|(name, _)| name);
    let is_name = |name: &&str| {
        found == "FunctionUnhandledError"
            && (1..=40).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "_.".contains(c))
    };
    own.filter(is_name).unwrap_or(found)
}

impl Listing for FunctionList {
    type Row = FunctionRow;
    const ID: PaneId = PaneId::Functions;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [FunctionRow] {
        &shared.overview().functions.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().functions)
    }

    fn key(&self, row: &FunctionRow) -> String {
        row.definition.name.to_string()
    }

    fn haystack(&self, row: &FunctionRow) -> String {
        format!(
            "{} {} {}",
            row.definition.name,
            row.definition.runtime.as_str(),
            state(row).plain()
        )
    }

    fn cell(&self, row: &FunctionRow, column: usize, shared: &Shared) -> Line {
        let millis = |value: Option<f64>| {
            value.map_or_else(|| Line::muted("-"), |ms| Line::text(numbers::millis(ms)))
        };
        match column {
            0 => Line::text(row.definition.name.to_string()),
            1 => Line::text(row.definition.runtime.as_str()),
            2 => state(row),
            3 => Line::text(numbers::count(row.invocations_total)),
            4 if row.errors_total == 0 => Line::muted("0"),
            4 => Line::of(
                format!("{} ✖", numbers::count(row.errors_total)),
                Token::Error,
            ),
            5 => Line::text(format!("{}/{}", row.busy, row.instances)),
            6 => millis(row.p50_ms),
            7 => millis(row.p99_ms),
            _ => row.last_invoked_at.map_or_else(
                || Line::muted("never"),
                |at| Line::text(shared.times.ago(at)),
            ),
        }
    }

    fn compare(
        &self,
        a: &FunctionRow,
        b: &FunctionRow,
        column: usize,
        shared: &Shared,
    ) -> Ordering {
        let number = |value: Option<f64>| value.unwrap_or(-1.0);
        match column {
            3 => a.invocations_total.cmp(&b.invocations_total),
            4 => a.errors_total.cmp(&b.errors_total),
            5 => a.busy.cmp(&b.busy),
            6 => number(a.p50_ms).total_cmp(&number(b.p50_ms)),
            7 => number(a.p99_ms).total_cmp(&number(b.p99_ms)),
            8 => a.last_invoked_at.cmp(&b.last_invoked_at),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &FunctionRow, shared: &Shared, document: &mut Document) -> Line {
        summary(row, shared, document);
        let name = row.definition.name.to_string();
        document.blank();
        document.chart(ten_minutes(
            shared,
            "Latency p99",
            "ms, last 10 min",
            4,
            [("p99", Measure::FunctionP99(name.clone()))],
        ));
        document.chart(ten_minutes(
            shared,
            "Invocations",
            "a second, last 10 min",
            3,
            [
                ("runs", Measure::FunctionRuns(name.clone())),
                ("errors", Measure::FunctionErrors(name.clone())),
            ],
        ));
        runs(row, shared, document);
        Line::text(name)
    }

    fn subject(&self, row: &FunctionRow, shared: &Shared) -> Subject {
        let name = &row.definition.name;
        let overview = shared.overview();
        let trigger = overview
            .triggers
            .rows
            .iter()
            .find(|trigger| trigger.definition.function == *name);
        Subject {
            id: Some(name.to_string()),
            function: Some(name.clone()),
            trigger: trigger.map(|t| t.definition.name.clone()),
            topic: trigger.map(|t| t.definition.topic.clone()),
            group: trigger.map(|t| t.definition.group.clone()),
            json: serde_json::to_string_pretty(row).ok(),
            command: Some(format!("moonport function show {name}")),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&FunctionRow>, shared: &Shared) -> Offer {
        let is_closure = row.is_some_and(|row| row.definition.runtime == Runtime::Rust);
        match action {
            Action::Add => Offer::Yes,
            Action::Edit | Action::EditCode if is_closure => {
                Offer::No("it is compiled into the program")
            }
            Action::EditCode => Offer::when(
                row.is_some() && shared.settings.has_editor,
                "no editor is set",
            ),
            Action::Open
            | Action::Edit
            | Action::Delete
            | Action::Invoke
            | Action::RestartFunction => Offer::when(row.is_some(), "no function is selected"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<FunctionRow>,
        _marked: Vec<FunctionRow>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Add, _) => vec![Command::Open(Box::new(Form::new(
                FunctionForm::add(),
                shared,
            )))],
            (Action::Edit, Some(row)) => vec![Command::Open(Box::new(Form::new(
                FunctionForm::edit(&row.definition),
                shared,
            )))],
            (Action::Invoke, Some(row)) => InvokeDialog::open(row.definition.name, shared),
            (Action::Open, Some(row)) => vec![Command::Go(Goto::new(
                PaneId::Logs,
                Focus::Function(Some(row.definition.name)),
            ))],
            (Action::RestartFunction, Some(row)) => {
                let ticket = shared.ticket();
                let deed = Deed::RestartFunction(row.definition.name);
                vec![Effect::Act(ticket, Box::new(deed)).into()]
            }
            (Action::EditCode, Some(row)) => {
                let ticket = shared.ticket();
                vec![Effect::Edit(ticket, EditText::File(entry_file(&row))).into()]
            }
            (Action::Delete, Some(row)) => vec![Command::Open(delete_box(&row, shared))],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Invoke,
            Action::Add,
            Action::Edit,
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
        staleness(&shared.overview().functions, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "A function is code that runs for each message a trigger hands it.",
            help: "a adds a function",
        }
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        let rows = self.rows(shared).iter();
        rows.map(|row| {
            let glyph = match &row.state {
                FunctionState::Running => Line::of("●", Token::Ok),
                FunctionState::Idle => Line::muted("○"),
                FunctionState::StartFailing { .. } => Line::of("▲", Token::Warn),
                FunctionState::Broken { .. } => Line::of("✖", Token::Error),
            };
            (
                self.key(row),
                Line::text(self.key(row))
                    .then(" ")
                    .join(glyph)
                    .put(format!(" {}", row.instances), Token::Muted),
            )
        })
        .collect()
    }
}

/// The file that holds the handler, as far as its name tells.
fn entry_file(row: &FunctionRow) -> std::path::PathBuf {
    let definition = &row.definition;
    let module = definition
        .handler
        .rsplit_once('.')
        .map(|(module, _)| module);
    let extension = match definition.runtime {
        Runtime::Python3 | Runtime::Python312 => "py",
        Runtime::NodeJs | Runtime::Js => "js",
        Runtime::Custom | Runtime::Rust => return definition.code.clone(),
    };
    match module {
        Some(module) => definition.code.join(format!("{module}.{extension}")),
        None => definition.code.clone(),
    }
}

fn summary(row: &FunctionRow, shared: &Shared, document: &mut Document) {
    let definition = &row.definition;
    document.field("state", state(row));
    match &row.state {
        FunctionState::StartFailing { until, reason } => {
            document.field("why", reason.clone());
            document.field("next start", shared.times.until(*until));
        }
        FunctionState::Broken { reason, hint } => {
            document.field("why", Line::of(reason.clone(), Token::Error));
            if let Some(hint) = hint {
                document.field("hint", hint.clone());
            }
        }
        _ => {}
    }
    document.field(
        "runtime",
        format!("{}   {}", definition.runtime.as_str(), definition.handler),
    );
    if !definition.code.as_os_str().is_empty() {
        document.field("code", definition.code.display().to_string());
    }
    document.field(
        "instances",
        format!(
            "{} alive, {} busy, at most {}",
            row.instances, row.busy, definition.max_instances
        ),
    );
    document.field(
        "limits",
        format!(
            "{} s, {} MB, {} at once per instance",
            definition.timeout, definition.memory, definition.concurrency
        ),
    );
    let not_enforced = definition.not_enforced();
    if !not_enforced.is_empty() {
        document.field("", Line::muted(not_enforced));
    }
    document.field(
        "runs",
        format!(
            "{}   {}",
            numbers::count(row.invocations_total),
            numbers::counted(row.errors_total, "error", "errors")
        ),
    );
    if let (Some(p50), Some(p99)) = (row.p50_ms, row.p99_ms) {
        document.field(
            "latency",
            format!(
                "p50 {}   p99 {}",
                numbers::millis(p50),
                numbers::millis(p99)
            ),
        );
    }
    if let Some(error) = &row.last_error {
        document.field("last error", Line::of(error.clone(), Token::Error));
    }
    if row.log_lines_dropped > 0 {
        document.field(
            "log",
            Line::of(
                format!("▲ {} lines dropped", numbers::count(row.log_lines_dropped)),
                Token::Warn,
            ),
        );
    }
    for trigger in &shared.overview().triggers.rows {
        if trigger.definition.function == definition.name {
            document.field(
                "trigger",
                Line::text(format!(
                    "{} ← {}   ",
                    trigger.definition.name, trigger.definition.topic
                ))
                .join(super::triggers::state(trigger)),
            );
        }
    }
    for (name, value) in &definition.environment {
        document.field("env", format!("{name}={value}"));
    }
}

fn runs(row: &FunctionRow, shared: &Shared, document: &mut Document) {
    document.rule("Last invocations");
    let mut any = false;
    for record in shared
        .runs
        .all()
        .filter(|record| record.function == row.definition.name)
        .take(RUNS_SHOWN)
    {
        any = true;
        let mut line = Line::muted(format!("{}  ", shared.times.moment(record.started_at)))
            .join(outcome(record));
        if record.attempt > 1 {
            line = line.put(format!("  attempt {}", record.attempt), Token::Warn);
        }
        if record.cold_start {
            line = line.put(
                format!("  cold {}", numbers::millis(record.spawn_ms)),
                Token::Muted,
            );
        }
        document.note(line);
        if let Some(error) = &record.error_message {
            document.flow(
                Line::text(" ".repeat(14)).put(error.clone(), Token::Error),
                14,
            );
        }
    }
    if !any {
        document.note(Line::muted("none in this session"));
    }
}

fn delete_box(row: &FunctionRow, shared: &Shared) -> Box<Confirm> {
    let name = row.definition.name.clone();
    let mut loses: Vec<String> = shared
        .overview()
        .triggers
        .rows
        .iter()
        .filter(|trigger| trigger.definition.function == name)
        .map(|trigger| {
            format!(
                "trigger {} uses it: delete that first",
                trigger.definition.name
            )
        })
        .collect();
    loses.push(numbers::counted(
        u64::from(row.instances),
        "running instance",
        "running instances",
    ));
    loses.push("its code on disk stays".to_owned());
    Box::new(Confirm::grave(Grave {
        title: format!("Delete function {name}"),
        name: name.to_string(),
        loses,
        verb: "Delete",
        deed: Deed::DeleteFunction(name),
    }))
}
