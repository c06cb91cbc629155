//! Consumer groups: lag, retries, members, and progress per queue.

use std::cmp::Ordering;

use crate::cluster::Capability;
use crate::cluster::admin::{DeleteGroup, GroupProgress, GroupRow};
use crate::domain::names::{GroupName, TopicName};
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::confirm::Confirm;
use crate::ui::dialog::filter_bench::FilterBench;
use crate::ui::dialog::form::Form;
use crate::ui::dialog::group_form::GroupForm;
use crate::ui::dialog::reset::ResetDialog;
use crate::ui::effect::{Answer, Deed, Effect, Query, Ticket};
use crate::ui::pane::instances::{loaded, staleness, ten_minutes};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::topics::warned;
use crate::ui::pane::{Command, Commands, Goto, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::state::rates::Measure;
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

/// Groups, with the progress of the selected one.
#[derive(Debug, Default)]
pub struct GroupList {
    progress: Option<(GroupName, Result<Vec<GroupProgress>, Report>)>,
    asked: Option<(Ticket, GroupName)>,
    asked_at: std::time::Duration,
}

const COLUMNS: &[Column] = &[
    Column::left("NAME", 18, u16::MAX, 0),
    Column::right("LAG", 7, 1),
    Column::right("IN FLIGHT", 9, 4),
    Column::right("RETRY", 6, 2),
    Column::right("DEAD", 6, 3),
    Column::right("CLIENTS", 7, 5),
    Column::left("ORDER", 10, 10, 6),
    Column::right("RETRIES", 7, 8),
    Column::right("OLDEST", 8, 7),
    Column::right("OUT/s", 7, 9),
];

impl Listing for GroupList {
    type Row = GroupRow;
    const ID: PaneId = PaneId::Groups;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [GroupRow] {
        &shared.overview().groups.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().groups)
    }

    fn key(&self, row: &GroupRow) -> String {
        row.definition.name.to_string()
    }

    fn haystack(&self, row: &GroupRow) -> String {
        let topics: Vec<&str> = row.topics.iter().map(TopicName::as_str).collect();
        format!("{} {}", row.definition.name, topics.join(" "))
    }

    fn cell(&self, row: &GroupRow, column: usize, shared: &Shared) -> Line {
        let count = |n| Line::text(numbers::count(n));
        match column {
            0 => {
                let line = Line::text(row.definition.name.to_string());
                let line = if row.definition.consume_enabled {
                    line
                } else {
                    line.put(" ▲ off", Token::Warn)
                };
                if row.inconsistent.as_ref().is_some_and(|c| !c.is_empty()) {
                    line.put(" ▲ uneven", Token::Warn)
                } else {
                    line
                }
            }
            1 => count(row.lag()),
            2 => count(row.in_flight),
            3 => warned(row.retrying),
            4 => warned(row.dead_letters),
            5 => count(row.clients.len() as u64),
            6 => Line::text(row.definition.order.as_str()),
            7 => count(u64::from(row.definition.max_retries)),
            8 if row.delay_time.is_zero() => Line::muted("-"),
            8 => Line::text(numbers::span(row.delay_time)),
            _ => super::topics::rate(
                shared
                    .rates
                    .now(&Measure::GroupOut(row.definition.name.to_string())),
            ),
        }
    }

    fn compare(&self, a: &GroupRow, b: &GroupRow, column: usize, shared: &Shared) -> Ordering {
        let out = |row: &GroupRow| {
            let measure = Measure::GroupOut(row.definition.name.to_string());
            shared.rates.now(&measure).unwrap_or(0.0)
        };
        match column {
            1 => a.lag().cmp(&b.lag()),
            2 => a.in_flight.cmp(&b.in_flight),
            3 => a.retrying.cmp(&b.retrying),
            4 => a.dead_letters.cmp(&b.dead_letters),
            5 => a.clients.len().cmp(&b.clients.len()),
            6 => a.definition.order.as_str().cmp(b.definition.order.as_str()),
            7 => a.definition.max_retries.cmp(&b.definition.max_retries),
            8 => a.delay_time.cmp(&b.delay_time),
            9 => out(a).total_cmp(&out(b)),
            _ => a.definition.name.cmp(&b.definition.name),
        }
    }

    fn detail(&self, row: &GroupRow, shared: &Shared, document: &mut Document) -> Line {
        summary(row, shared, document);
        document.blank();
        let name = row.definition.name.to_string();
        document.chart(ten_minutes(
            shared,
            "Consumed and lag",
            "messages/s, last 10 min",
            4,
            [
                ("out", Measure::GroupOut(name.clone())),
                ("lag", Measure::GroupLag(name.clone())),
            ],
        ));
        match &self.progress {
            Some((of, Ok(progress))) if *of == row.definition.name => {
                queues(progress, document);
            }
            Some((of, Err(report))) if *of == row.definition.name => {
                document.rule("Queues");
                document.note(Line::of(format!("✖ {}", report.headline), Token::Error));
            }
            _ => {}
        }
        Line::text(name)
    }

    fn subject(&self, row: &GroupRow, shared: &Shared) -> Subject {
        let name = &row.definition.name;
        let overview = shared.overview();
        let trigger = overview
            .triggers
            .rows
            .iter()
            .find(|trigger| trigger.definition.group == *name);
        Subject {
            id: Some(name.to_string()),
            group: Some(name.clone()),
            topic: row.topics.first().cloned(),
            trigger: trigger.map(|t| t.definition.name.clone()),
            function: trigger.map(|t| t.definition.function.clone()),
            dead: Some(TopicName::dead_letter_of(name)),
            instance: overview.instance.clone(),
            json: serde_json::to_string_pretty(row).ok(),
            command: Some(format!("moonport group show {name}")),
            ..Subject::default()
        }
    }

    fn offer(&self, action: Action, row: Option<&GroupRow>, shared: &Shared) -> Offer {
        let can = |capability| shared.overview().capabilities.has(capability);
        match action {
            Action::Add | Action::Edit | Action::Delete if !can(Capability::EditGroups) => {
                Offer::No("this cluster's groups cannot be changed from here")
            }
            Action::ResetOffset if !can(Capability::ResetOffsets) => {
                Offer::No("this cluster's offsets cannot be moved from here")
            }
            Action::Add => Offer::Yes,
            Action::Open | Action::Edit | Action::Delete => {
                Offer::when(row.is_some(), "no group is selected")
            }
            Action::Filters => Offer::when(
                row.is_some_and(|row| !row.topics.is_empty()),
                "the group has read no topic yet",
            ),
            Action::ResetOffset => Offer::when(
                row.is_some_and(|row| !row.topics.is_empty()),
                "the group has read no topic yet",
            ),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<GroupRow>,
        _marked: Vec<GroupRow>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Add, _) => vec![Command::Open(Box::new(Form::new(
                GroupForm::add(shared),
                shared,
            )))],
            (Action::Edit, Some(row)) => vec![Command::Open(Box::new(Form::new(
                GroupForm::edit(&row.definition),
                shared,
            )))],
            (Action::ResetOffset, Some(row)) => {
                let (dialog, effects) = ResetDialog::open(&row, shared);
                let mut commands = vec![Command::Open(Box::new(dialog))];
                commands.extend(effects.into_iter().map(Command::from));
                commands
            }
            (Action::Open, Some(row)) => row.topics.first().map_or_else(Vec::new, |topic| {
                vec![Command::Go(Goto::new(
                    PaneId::Messages,
                    Focus::Topic(topic.clone()),
                ))]
            }),
            (Action::Filters, Some(row)) => row
                .topics
                .first()
                .map_or_else(Vec::new, |topic| FilterBench::over(topic.clone(), shared)),
            (Action::Delete, Some(row)) => delete(&row.definition.name, shared),
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Add,
            Action::Edit,
            Action::ResetOffset,
            Action::Actions,
            Action::Delete,
            Action::Details,
            Action::ViewNext,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "messages",
            Action::ViewNext => "clients",
            _ => action.label(),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        staleness(&shared.overview().groups, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "A consumer group reads topics and remembers how far each of its members came.",
            help: "a adds a group",
        }
    }

    fn refresh(&mut self, selected: Option<&GroupRow>, shared: &mut Shared) -> Commands {
        let Some(row) = selected else {
            return Vec::new();
        };
        let name = &row.definition.name;
        let known = self.progress.as_ref().is_some_and(|(of, _)| of == name);
        let asked = self.asked.as_ref().is_some_and(|(_, of)| of == name);
        let fresh = shared.uptime.saturating_sub(self.asked_at).as_millis() < 900;
        if asked || (known && fresh) {
            return Vec::new();
        }
        let ticket = shared.ticket();
        self.asked = Some((ticket, name.clone()));
        self.asked_at = shared.uptime;
        vec![Effect::Query(ticket, Query::Progress(name.clone())).into()]
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        let Some((_, name)) = self.asked.take_if(|(asked, _)| *asked == ticket) else {
            return Vec::new();
        };
        match answer {
            Ok(Answer::Progress(progress)) => self.progress = Some((name, Ok(progress.clone()))),
            Ok(_) => {}
            Err(report) => self.progress = Some((name, Err(report.clone()))),
        }
        Vec::new()
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        let rows = self.rows(shared).iter();
        rows.map(|row| {
            let name = Line::text(self.key(row));
            let line = match row.lag() {
                0 => name,
                lag => name.put(format!(" {}", numbers::count(lag)), Token::Muted),
            };
            (self.key(row), line)
        })
        .collect()
    }
}

fn summary(row: &GroupRow, shared: &Shared, document: &mut Document) {
    let definition = &row.definition;
    let count = numbers::count;
    document.field(
        "lag",
        format!(
            "{} ready, {} in flight, {} wait for a retry",
            count(row.ready),
            count(row.in_flight),
            count(row.retrying)
        ),
    );
    if let Some(at) = row.next_retry_at {
        document.field("next retry", shared.times.until(at));
    }
    document.field(
        "order",
        format!(
            "{}   {}",
            definition.order.as_str(),
            numbers::counted(u64::from(definition.max_retries), "retry", "retries")
        ),
    );
    let topics: Vec<&str> = row.topics.iter().map(TopicName::as_str).collect();
    document.field("topics", topics.join(", "));
    document.field("dead", warned(row.dead_letters));
    if row.lost_total > 0 {
        document.field(
            "lost",
            Line::of(
                format!(
                    "▲ {} left by retention before they were consumed",
                    numbers::counted(row.lost_total, "message", "messages")
                ),
                Token::Warn,
            ),
        );
    }
    if !definition.consume_enabled {
        document.field("receive", Line::of("▲ switched off", Token::Warn));
    }
    match &row.inconsistent {
        None => document.field("members", Line::muted("none connected")),
        Some(odd) if odd.is_empty() => document.field(
            "members",
            format!(
                "{} with the same subscription",
                numbers::counted(row.clients.len() as u64, "client", "clients")
            ),
        ),
        Some(odd) => document.field(
            "members",
            Line::of(
                format!(
                    "▲ {} of {} subscribe otherwise: messages may be missed",
                    odd.len(),
                    row.clients.len()
                ),
                Token::Warn,
            ),
        ),
    }
    for client in row.clients.iter().take(8) {
        document.field("", client.to_string());
    }
    if let Some(at) = row.last_consumed_at {
        document.field("last out", shared.times.ago(at));
    }
}

const QUEUES: &[Column] = &[
    Column::right("queue", 0, 0),
    Column::right("committed", 0, 2),
    Column::right("max", 0, 4),
    Column::right("ready", 0, 0),
    Column::right("in flight", 0, 1),
    Column::right("retry", 0, 0),
    Column::right("oldest", 0, 3),
];

fn queues(progress: &[GroupProgress], document: &mut Document) {
    for topic in progress {
        document.rule(format!("Queues of {}", topic.topic));
        let rows = topic.queues.iter().map(|queue| {
            let oldest = if queue.delay_time.is_zero() {
                "-".to_owned()
            } else {
                numbers::span(queue.delay_time)
            };
            let counts = [
                queue.committed,
                queue.max_offset,
                queue.ready,
                queue.in_flight,
                queue.retrying,
            ];
            let mut cells = vec![Line::text(queue.queue.to_string())];
            cells.extend(counts.map(|count| Line::text(numbers::count(count))));
            cells.push(Line::text(oldest));
            cells
        });
        document.table(QUEUES, rows.collect());
        for queue in &topic.queues {
            for (group, offset) in &queue.blocked {
                let text = format!(
                    "▲ queue {}: message group {group} waits behind offset {offset}",
                    queue.queue
                );
                document.flow(Line::of(text, Token::Warn), 2);
            }
        }
    }
}

fn delete(name: &GroupName, shared: &mut Shared) -> Commands {
    let deed = Deed::DeleteGroup(DeleteGroup {
        group: name.clone(),
        with_offsets: true,
        with_dead_letters: true,
        dry_run: false,
    });
    let triggers: Vec<String> = shared
        .overview()
        .triggers
        .rows
        .iter()
        .filter(|row| row.definition.group == *name)
        .map(|row| format!("trigger {} stops", row.definition.name))
        .collect();
    let (dialog, effect) = Confirm::counted(
        format!("Delete consumer group {name}"),
        name.to_string(),
        triggers,
        deed,
        Query::DeleteGroup(name.clone()),
        shared,
    );
    vec![Command::Open(Box::new(dialog)), effect.into()]
}
