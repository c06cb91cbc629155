//! Topics: types, rates, and the detail with their queues.

use std::cmp::Ordering;

use crate::cluster::admin::{DeleteTopic, TopicRow};
use crate::domain::message::MessageType;
use crate::domain::names::TopicName;
use crate::domain::topic::Permission;
use crate::ui::action::Action;
use crate::ui::dialog::confirm::Confirm;
use crate::ui::dialog::filter_bench::FilterBench;
use crate::ui::dialog::form::Form;
use crate::ui::dialog::send::SendDialog;
use crate::ui::dialog::topic_form::TopicForm;
use crate::ui::effect::{Deed, Query};
use crate::ui::pane::instances::{loaded, staleness, ten_minutes};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::triggers;
use crate::ui::pane::{Command, Commands, Goto, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::state::rates::Measure;
use crate::ui::theme::Token;
use crate::ui::widget::chart::sparkline;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

#[derive(Debug, Default)]
pub struct TopicList;

const COLUMNS: &[Column] = &[
    Column::left("NAME", 18, u16::MAX, 0),
    Column::left("TYPE", 11, 11, 1),
    Column::right("QUEUES", 6, 7),
    Column::right("MESSAGES", 10, 2),
    Column::right("IN/s", 6, 5),
    Column::chart("LAST MIN", 8, 6),
    Column::right("LAG", 5, 3),
    Column::right("DEAD", 5, 4),
    Column::right("PARKED", 6, 8),
    Column::right("RETENTION", 9, 9),
];

const QUEUES: &[Column] = &[
    Column::right("queue", 0, 0),
    Column::right("min", 0, 2),
    Column::right("max", 0, 3),
    Column::right("messages", 0, 0),
    Column::left("last in", 0, 0, 1),
];

/// Queues listed in the detail before the rest is counted.
const QUEUES_SHOWN: usize = 32;

impl Listing for TopicList {
    type Row = TopicRow;
    const ID: PaneId = PaneId::Topics;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [TopicRow] {
        &shared.overview().topics.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().topics)
    }

    fn key(&self, row: &TopicRow) -> String {
        row.definition.name.to_string()
    }

    fn haystack(&self, row: &TopicRow) -> String {
        format!("{} {}", row.definition.name, row.definition.topic_type)
    }

    fn cell(&self, row: &TopicRow, column: usize, shared: &Shared) -> Line {
        let overview = shared.overview();
        let name = &row.definition.name;
        match column {
            0 => {
                let line = Line::text(name.to_string());
                if row.definition.auto {
                    line.put(" auto", Token::Muted)
                } else {
                    line
                }
            }
            1 => Line::text(row.definition.topic_type.as_str()),
            2 => Line::text(row.queues.len().to_string()),
            3 => Line::text(numbers::count(row.messages)),
            4 => rate(shared.rates.now(&Measure::TopicIn(name.to_string()))),
            5 => {
                let last = shared
                    .rates
                    .means(&Measure::TopicIn(name.to_string()), 8, 8);
                Line::of(sparkline(&last, 8), Token::Chart)
            }
            6 if row.groups.is_empty() => Line::muted("-"),
            6 => Line::text(numbers::count(overview.lag_of_topic(name))),
            7 => warned(overview.dead_of_topic(name)),
            8 => Line::text(numbers::count(row.parked)),
            _ => row.definition.retention.map_or_else(
                || Line::muted("instance"),
                |span| Line::text(numbers::span(span)),
            ),
        }
    }

    fn compare(&self, a: &TopicRow, b: &TopicRow, column: usize, shared: &Shared) -> Ordering {
        let overview = shared.overview();
        let now = |row: &TopicRow| {
            let measure = Measure::TopicIn(row.definition.name.to_string());
            shared.rates.now(&measure).unwrap_or(0.0)
        };
        let name = |row: &TopicRow| row.definition.name.clone();
        match column {
            2 => a.queues.len().cmp(&b.queues.len()),
            3 => a.messages.cmp(&b.messages),
            4 | 5 => now(a).total_cmp(&now(b)),
            6 => {
                let lag = |row| overview.lag_of_topic(&name(row));
                lag(a).cmp(&lag(b))
            }
            7 => {
                let dead = |row| overview.dead_of_topic(&name(row));
                dead(a).cmp(&dead(b))
            }
            8 => a.parked.cmp(&b.parked),
            9 => a.definition.retention.cmp(&b.definition.retention),
            1 => a
                .definition
                .topic_type
                .as_str()
                .cmp(b.definition.topic_type.as_str()),
            _ => name(a).cmp(&name(b)),
        }
    }

    fn detail(&self, row: &TopicRow, shared: &Shared, document: &mut Document) -> Line {
        summary(row, shared, document);
        document.blank();
        document.chart(ten_minutes(
            shared,
            "Throughput and lag",
            "messages/s, last 10 min",
            4,
            [
                ("in", Measure::TopicIn(row.definition.name.to_string())),
                ("lag", Measure::TopicLag(row.definition.name.to_string())),
            ],
        ));
        document.blank();
        queues(row, shared, document);
        Line::text(row.definition.name.to_string())
    }

    fn subject(&self, row: &TopicRow, shared: &Shared) -> Subject {
        let name = &row.definition.name;
        let overview = shared.overview();
        let trigger = overview.triggers_of(name).next();
        let group = row.groups.first().cloned();
        Subject {
            id: Some(name.to_string()),
            topic: Some(name.clone()),
            dead: group.as_ref().map(TopicName::dead_letter_of),
            group,
            function: trigger.map(|t| t.definition.function.clone()),
            trigger: trigger.map(|t| t.definition.name.clone()),
            instance: overview.instance.clone(),
            json: serde_json::to_string_pretty(row).ok(),
            command: Some(format!("moonport topic show {name}")),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&TopicRow>, shared: &Shared) -> Offer {
        let can_edit = shared
            .overview()
            .capabilities
            .has(crate::cluster::Capability::EditTopics);
        match action {
            Action::Add | Action::Edit | Action::Delete if !can_edit => {
                Offer::No("this cluster's topics cannot be changed from here")
            }
            Action::Add => Offer::Yes,
            Action::Send => Offer::when(shared.instance().is_some(), "no instance runs"),
            Action::Filters => Offer::when(
                row.is_some_and(|row| row.messages > 0),
                "no messages to try it on",
            ),
            Action::Open | Action::Edit | Action::Delete => {
                Offer::when(row.is_some(), "no topic is selected")
            }
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<TopicRow>,
        _marked: Vec<TopicRow>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Add, _) => vec![Command::Open(Box::new(Form::new(TopicForm::add(), shared)))],
            (Action::Edit, Some(row)) => vec![Command::Open(Box::new(Form::new(
                TopicForm::edit(&row.definition),
                shared,
            )))],
            (Action::Send, row) => {
                let topic = row.map(|row| row.definition.name);
                vec![Command::Open(Box::new(SendDialog::open(topic, shared)))]
            }
            (Action::Open, Some(row)) => vec![Command::Go(Goto::new(
                PaneId::Messages,
                Focus::Topic(row.definition.name),
            ))],
            (Action::Filters, Some(row)) => FilterBench::over(row.definition.name, shared),
            (Action::Delete, Some(row)) => delete(&row.definition.name, shared),
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Send,
            Action::Add,
            Action::Edit,
            Action::Actions,
            Action::Delete,
            Action::Details,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "messages",
            _ => action.label(),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        staleness(&shared.overview().topics, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "A topic takes messages and hands them to every consumer group that reads it.",
            help: "a adds a topic   :guide builds the order workflow",
        }
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        let rows = self.rows(shared).iter();
        rows.map(|row| (self.key(row), Line::text(self.key(row))))
            .collect()
    }
}

/// A rate, or a dash while nothing was measured.
pub fn rate(value: Option<f64>) -> Line {
    value.map_or_else(
        || Line::muted("-"),
        |value| Line::text(numbers::rate(value)),
    )
}

/// A count that should be 0: a warning sign when it is not.
pub fn warned(count: u64) -> Line {
    if count == 0 {
        Line::muted("0")
    } else {
        Line::of(format!("{} ▲", numbers::count(count)), Token::Warn)
    }
}

fn summary(row: &TopicRow, shared: &Shared, document: &mut Document) {
    let definition = &row.definition;
    let overview = shared.overview();
    let retention = definition
        .retention
        .map_or_else(|| "as the instance".to_owned(), numbers::span);
    let kept = row
        .bytes
        .map_or_else(String::new, |b| format!("   {} kept", numbers::bytes(b)));
    let permission = if definition.permission == Permission::READ_WRITE {
        String::new()
    } else {
        format!("   permission {}", definition.permission)
    };
    let accepts = match definition.topic_type.as_str() {
        "MIXED" => "accepts every type".to_owned(),
        name => format!("accepts {name} only"),
    };
    document.field(
        "topic",
        Line::text(accepts).put(
            format!("   retention {retention}{kept}{permission}"),
            Token::Muted,
        ),
    );
    if row.groups.is_empty() {
        document.field("groups", Line::muted("none reads it"));
    }
    for name in &row.groups {
        let line = match overview.group(name) {
            Some(group) => Line::text(name.to_string()).put(
                format!(
                    "   {}   lag {}   retry {}   dead {}",
                    numbers::counted(group.clients.len() as u64, "client", "clients"),
                    numbers::count(group.lag()),
                    numbers::count(group.retrying),
                    numbers::count(group.dead_letters)
                ),
                Token::Muted,
            ),
            None => Line::text(name.to_string()),
        };
        document.field("group", line);
    }
    for trigger in overview.triggers_of(&definition.name) {
        let arrow = format!(
            "{} → {}   ",
            trigger.definition.name, trigger.definition.function
        );
        document.field("trigger", Line::text(arrow).join(triggers::state(trigger)));
    }
    let last = row
        .last_stored_at
        .map_or_else(|| "never".to_owned(), |at| shared.times.ago(at));
    document.field(
        "last in",
        Line::text(last).put(
            format!("   created {}", shared.times.full(definition.created_at)),
            Token::Muted,
        ),
    );
    if row.parked > 0 {
        document.field(
            "parked",
            format!("{} delayed or half messages", numbers::count(row.parked)),
        );
    }
    if !definition.remark.is_empty() {
        document.field("remark", definition.remark.clone());
    }
}

fn queues(row: &TopicRow, shared: &Shared, document: &mut Document) {
    document.rule("Queues");
    let rows = row.queues.iter().take(QUEUES_SHOWN).map(|queue| {
        let last = queue
            .last_stored_at
            .map_or_else(|| "-".to_owned(), |at| shared.times.ago(at));
        let messages = queue.max_offset.saturating_sub(queue.min_offset);
        vec![
            Line::text(queue.queue.to_string()),
            Line::text(numbers::count(queue.min_offset)),
            Line::text(numbers::count(queue.max_offset)),
            Line::text(numbers::count(messages)),
            Line::text(last),
        ]
    });
    document.table(QUEUES, rows.collect());
    let rest = row.queues.len().saturating_sub(QUEUES_SHOWN);
    if rest > 0 {
        document.line(Line::muted(format!("… and {rest} more queues")));
    }
}

fn delete(name: &TopicName, shared: &mut Shared) -> Commands {
    let deed = Deed::DeleteTopic(DeleteTopic {
        topic: name.clone(),
        dry_run: false,
    });
    let triggers: Vec<String> = shared
        .overview()
        .triggers_of(name)
        .map(|row| format!("trigger {} stops", row.definition.name))
        .collect();
    let (dialog, effect) = Confirm::counted(
        format!("Delete topic {name}"),
        name.to_string(),
        triggers,
        deed,
        Query::DeleteTopic(name.clone()),
        shared,
    );
    vec![Command::Open(Box::new(dialog)), effect.into()]
}

/// The message type a topic takes, where it takes one only.
pub fn only_type(row: &TopicRow) -> Option<MessageType> {
    MessageType::ALL
        .into_iter()
        .find(|kind| kind.as_str() == row.definition.topic_type.as_str())
}
