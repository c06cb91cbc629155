//! Instances: each with an endpoint, a store and a namespace of its own.

use std::cmp::Ordering;

use crate::control::instances::{Endpoint, InstanceRow, InstanceStatus};
use crate::control::snippets::{self, SNIPPETS};
use crate::ui::action::Action;
use crate::ui::dialog::confirm::{Confirm, Grave};
use crate::ui::dialog::form::Form;
use crate::ui::dialog::instance_form::InstanceForm;
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::{Command, Commands, Goto, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::overview::Part;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::state::rates::Measure;
use crate::ui::theme::Token;
use crate::ui::widget::chart::{Chart, ChartSeries};
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

#[derive(Debug, Default)]
pub struct InstanceList;

const COLUMNS: &[Column] = &[
    Column::left("NAME", 18, u16::MAX, 0),
    Column::left("STATE", 11, 13, 1),
    Column::left("ENDPOINT", 17, 24, 2),
    Column::right("IN/s", 7, 5),
    Column::right("OUT/s", 7, 6),
    Column::right("LAG", 6, 3),
    Column::right("DEAD", 5, 4),
    Column::right("STORE", 9, 7),
    Column::left("REGION", 8, 16, 8),
];

/// The state of an instance as glyph and word.
pub fn status(row: &InstanceRow) -> Line {
    match &row.status {
        InstanceStatus::Starting => Line::of("◐ STARTING", Token::Warn),
        InstanceStatus::Running => Line::of("● RUNNING", Token::Ok),
        InstanceStatus::ReadOnly { .. } => Line::of("▲ READ ONLY", Token::Warn),
        InstanceStatus::Failed { .. } => Line::of("✖ FAILED", Token::Error),
    }
}

/// Where clients connect, in a word or two.
pub fn endpoint(row: &InstanceRow) -> Line {
    match &row.endpoint {
        Endpoint::Listening { address, open } => {
            let line = Line::text(address.clone());
            if *open {
                line.put(" OPEN", Token::Warn)
            } else {
                line
            }
        }
        Endpoint::Off => Line::muted("off"),
        Endpoint::NotListening { .. } => Line::of("✖ NOT LISTENING", Token::Error),
    }
}

/// How far a part of the overview is known.
pub fn loaded<T>(part: &Part<T>) -> Loaded {
    match (&part.error, part.read_at) {
        (_, Some(_)) => Loaded::Yes,
        (Some(error), None) => Loaded::Failed(error.clone()),
        (None, None) => Loaded::Loading,
    }
}

/// `12 s old`, for a part whose last read failed.
pub fn staleness<T>(part: &Part<T>, shared: &Shared) -> String {
    match (&part.error, part.read_at) {
        (Some(_), Some(at)) => {
            format!("{} old", numbers::span(shared.uptime.saturating_sub(at)))
        }
        _ => String::new(),
    }
}

impl InstanceList {
    fn is_shown(row: &InstanceRow, shared: &Shared) -> bool {
        shared.overview().instance.as_ref() == Some(&row.definition.id)
    }
}

impl Listing for InstanceList {
    type Row = InstanceRow;
    const ID: PaneId = PaneId::Instances;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [InstanceRow] {
        &shared.overview().instances.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().instances)
    }

    fn key(&self, row: &InstanceRow) -> String {
        row.definition.id.to_string()
    }

    fn haystack(&self, row: &InstanceRow) -> String {
        format!("{} {}", row.definition.name, row.definition.id)
    }

    fn cell(&self, row: &InstanceRow, column: usize, shared: &Shared) -> Line {
        let counters = shared.overview().statistics.get(&row.definition.id);
        let of_shown = |measure| {
            let known = Self::is_shown(row, shared)
                .then(|| shared.rates.now(&measure))
                .flatten();
            known.map_or_else(|| Line::muted("-"), |rate| Line::text(numbers::rate(rate)))
        };
        let counter = |value: Option<u64>| {
            value.map_or_else(|| Line::muted("-"), |n| Line::text(numbers::count(n)))
        };
        match column {
            0 => {
                let name = Line::text(row.definition.name.clone());
                if Self::is_shown(row, shared) {
                    name.put(" · shown", Token::Accent)
                } else {
                    name
                }
            }
            1 => status(row),
            2 => endpoint(row),
            3 => of_shown(Measure::In),
            4 => of_shown(Measure::Out),
            5 => counter(counters.map(|c| c.ready + c.in_flight)),
            6 => counter(counters.map(|c| c.dead_letters)),
            7 => counters.map_or_else(
                || Line::muted("-"),
                |c| Line::text(numbers::bytes(c.file_bytes)),
            ),
            _ => Line::text(row.definition.region.clone()),
        }
    }

    fn compare(
        &self,
        a: &InstanceRow,
        b: &InstanceRow,
        column: usize,
        shared: &Shared,
    ) -> Ordering {
        let counters = |row: &InstanceRow| {
            let all = &shared.overview().statistics;
            all.get(&row.definition.id).copied().unwrap_or_default()
        };
        match column {
            5 => (counters(a).ready + counters(a).in_flight)
                .cmp(&(counters(b).ready + counters(b).in_flight)),
            6 => counters(a).dead_letters.cmp(&counters(b).dead_letters),
            7 => counters(a).file_bytes.cmp(&counters(b).file_bytes),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &InstanceRow, shared: &Shared, document: &mut Document) -> Line {
        let definition = &row.definition;
        document.field("state", status(row));
        match &row.status {
            InstanceStatus::ReadOnly { reason } | InstanceStatus::Failed { reason } => {
                document.field("why", reason.clone());
            }
            _ => {}
        }
        document.field("endpoint", endpoint(row));
        if let Endpoint::NotListening { reason } = &row.endpoint {
            document.field("why", reason.clone());
        }
        document.field("id", definition.id.to_string());
        document.field("region", definition.region.clone());
        document.field(
            "retention",
            format!(
                "{}   {}",
                numbers::span(definition.retention),
                definition.max_bytes.map_or_else(
                    || "no size limit".to_owned(),
                    |bytes| format!("at most {}", numbers::bytes(bytes))
                )
            ),
        );
        document.field(
            "auto",
            if definition.auto_create {
                "missing topics and groups are made on first use"
            } else {
                "missing topics and groups are refused"
            },
        );
        document.field("created", shared.times.full(definition.created_at));
        if !definition.remark.is_empty() {
            document.field("remark", definition.remark.clone());
        }
        counters(row, shared, document);
        programs(row, document);
        Line::text(definition.name.clone())
    }

    fn subject(&self, row: &InstanceRow, _shared: &Shared) -> Subject {
        let id = &row.definition.id;
        Subject {
            id: Some(id.to_string()),
            instance: Some(id.clone()),
            json: serde_json::to_string_pretty(row).ok(),
            command: Some("moonport instance list".to_owned()),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&InstanceRow>, shared: &Shared) -> Offer {
        match action {
            Action::Add => Offer::Yes,
            Action::Open | Action::Edit | Action::Delete => {
                Offer::when(row.is_some(), "no instance is selected")
            }
            Action::UseInstance => Offer::when(
                row.is_some_and(|row| !Self::is_shown(row, shared)),
                "it is shown already",
            ),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<InstanceRow>,
        _marked: Vec<InstanceRow>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Add, _) => {
                vec![Command::Open(Box::new(Form::new(
                    InstanceForm::add(shared),
                    shared,
                )))]
            }
            (Action::Edit, Some(row)) => vec![Command::Open(Box::new(Form::new(
                InstanceForm::edit(&row.definition),
                shared,
            )))],
            (Action::UseInstance, Some(row)) => {
                vec![Effect::Use(row.definition.id.clone()).into()]
            }
            (Action::Open, Some(row)) => vec![
                Effect::Use(row.definition.id.clone()).into(),
                Command::Go(Goto::new(PaneId::Topics, Focus::Keep)),
            ],
            (Action::Delete, Some(row)) => vec![Command::Open(delete_box(&row, shared))],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Add,
            Action::Edit,
            Action::Actions,
            Action::Delete,
            Action::Details,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "topics",
            _ => action.label(),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        staleness(&shared.overview().instances, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "An instance holds topics, groups and messages, and has its own endpoint.",
            help: "a adds an instance",
        }
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        let rows = self.rows(shared).iter();
        rows.map(|row| {
            let glyph = if Self::is_shown(row, shared) {
                Line::of("●", Token::Ok)
            } else {
                Line::muted("○")
            };
            (
                self.key(row),
                Line::text(row.definition.name.clone())
                    .then(" ")
                    .join(glyph),
            )
        })
        .collect()
    }
}

fn counters(row: &InstanceRow, shared: &Shared, document: &mut Document) {
    let Some(counters) = shared.overview().statistics.get(&row.definition.id) else {
        return;
    };
    document.rule("Now");
    let count = numbers::count;
    document.field(
        "messages",
        format!(
            "{} in {} and {}",
            count(counters.messages),
            numbers::counted(counters.topics, "topic", "topics"),
            numbers::counted(counters.groups, "group", "groups"),
        ),
    );
    document.field(
        "store",
        format!(
            "{} of messages, {} on disk",
            numbers::bytes(counters.bytes),
            numbers::bytes(counters.file_bytes)
        ),
    );
    document.field(
        "ready",
        format!(
            "{}   in flight {}   retrying {}   parked {}",
            count(counters.ready),
            count(counters.in_flight),
            count(counters.retrying),
            count(counters.parked)
        ),
    );
    document.field(
        "so far",
        format!(
            "stored {}   delivered {}   acked {}   retried {}   dead {}",
            count(counters.stored_total),
            count(counters.delivered_total),
            count(counters.acked_total),
            count(counters.retried_total),
            count(counters.dead_total)
        ),
    );
    document.field("clients", count(counters.clients));
    if InstanceList::is_shown(row, shared) {
        document.blank();
        document.chart(throughput(shared, 5));
    }
}

/// What to paste into a client, language by language.
fn programs(row: &InstanceRow, document: &mut Document) {
    let address = snippets::address(row);
    for snippet in SNIPPETS {
        document.blank();
        document.rule(format!("{} client", snippet.language));
        for line in snippet.at(&address).lines() {
            document.line(Line::text(line.replace('\t', "    ")));
        }
    }
}

/// In, out and failed over the last ten minutes.
pub fn throughput(shared: &Shared, bars: u16) -> Chart {
    let series = [
        ("in", Measure::In),
        ("out", Measure::Out),
        ("fail", Measure::Failed),
    ];
    ten_minutes(
        shared,
        "Throughput",
        "messages/s, last 10 min",
        bars,
        series,
    )
}

/// Measures over the last ten minutes as a chart.
pub fn ten_minutes<const N: usize>(
    shared: &Shared,
    title: &str,
    unit: &'static str,
    bars: u16,
    series: [(&'static str, Measure); N],
) -> Chart {
    let now = shared.times.now;
    Chart {
        title: title.to_owned(),
        unit,
        series: series
            .into_iter()
            .map(|(name, measure)| ChartSeries {
                name,
                values: shared.rates.last(&measure, crate::ui::state::rates::KEPT),
            })
            .collect(),
        from: shared
            .times
            .minute(now - std::time::Duration::from_secs(600)),
        to: shared.times.minute(now),
        bars,
        as_table: shared.charts_as_tables,
    }
}

fn delete_box(row: &InstanceRow, shared: &Shared) -> Box<Confirm> {
    let id = row.definition.id.clone();
    let counters = shared.overview().statistics.get(&id).copied();
    let counters = counters.unwrap_or_default();
    Box::new(Confirm::grave(Grave {
        title: format!("Delete instance {}", row.definition.name),
        name: row.definition.name.clone(),
        loses: vec![
            numbers::counted(counters.messages, "message", "messages"),
            numbers::counted(counters.topics, "topic", "topics"),
            numbers::counted(counters.groups, "consumer group", "consumer groups"),
            numbers::counted(counters.clients, "connected client", "connected clients"),
        ],
        verb: "Delete",
        deed: Deed::DeleteInstance(id),
    }))
}
