//! Stored messages of a topic: newest first and live, or by time, key, id or offset; read page by page.

use std::sync::Arc;

use crate::cluster::Capability;
use crate::cluster::admin::{MessageQuery, MessageTrace, StoredMessage};
use crate::cluster::paging::{Page, Paged};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::names::TopicName;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::find::FindForm;
use crate::ui::dialog::form::Form;
use crate::ui::dialog::send::SendDialog;
use crate::ui::effect::{Answer, Effect, Query, SaveContent, SaveFile, SaveIn, Ticket};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::message::{self, BodyView};
use crate::ui::pane::{Command, Commands, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

/// Rows read at once.
const PAGE: usize = 200;
/// Entries looked at for one page.
const SCAN: usize = 50_000;
/// Most rows kept; further ones are found by narrowing.
const MOST: usize = 20_000;

#[derive(Default)]
pub struct MessageList {
    query: Option<MessageQuery>,
    rows: Vec<Arc<Message>>,
    /// Goes on from here.
    next: Option<String>,
    complete: bool,
    scanned: u64,
    loaded: Loaded,
    asked: Option<Ticket>,
    /// The running question replaces the rows instead of going on.
    asked_first: bool,
    /// Stored counter of the topic at the last read.
    seen: u64,
    trace: Option<(MessageId, Result<Vec<MessageTrace>, Report>)>,
    asked_trace: Option<(Ticket, MessageId)>,
    traced_at: std::time::Duration,
    body: BodyView,
}

pub const COLUMNS: &[Column] = &[
    Column::left("STORED", 12, 12, 1),
    Column::id("MESSAGE ID", 9, 13, 0),
    Column::left("TAG", 6, 12, 5),
    Column::left("KEYS", 8, 14, 3),
    Column::left("STATE", 13, 14, 2),
    Column::right("QUEUE@OFFSET", 12, 7),
    Column::right("SIZE", 8, 6),
    Column::left("TYPE", 6, 11, 8),
    Column::left("BODY", 14, u16::MAX, 4),
];

impl MessageList {
    fn topic(&self) -> Option<&TopicName> {
        match self.query.as_ref()? {
            MessageQuery::Id(_) => None,
            MessageQuery::Key { topic, .. }
            | MessageQuery::Time { topic, .. }
            | MessageQuery::Offset { topic, .. } => Some(topic),
        }
    }

    /// Newest first without an end: new messages join at the top.
    fn is_live(&self) -> bool {
        matches!(
            self.query,
            Some(MessageQuery::Time {
                to: None,
                newest_first: true,
                ..
            })
        )
    }

    fn show(&mut self, query: MessageQuery, shared: &mut Shared) -> Commands {
        self.query = Some(query);
        self.rows.clear();
        self.next = None;
        self.complete = false;
        self.scanned = 0;
        self.loaded = Loaded::Loading;
        self.ask(true, shared)
    }

    fn ask(&mut self, first: bool, shared: &mut Shared) -> Commands {
        let Some(query) = self.query.clone() else {
            return Vec::new();
        };
        if let Some(topic) = self.topic() {
            self.seen = stored_total(topic, shared);
        }
        let ticket = shared.ticket();
        self.asked = Some(ticket);
        self.asked_first = first;
        let page = Page {
            cursor: if first { None } else { self.next.clone() },
            rows: PAGE,
            scan: SCAN,
        };
        vec![Effect::Query(ticket, Query::Messages(query, page)).into()]
    }

    fn take(&mut self, page: Paged<StoredMessage>) {
        let rows = page.rows.into_iter().map(|stored| stored.message);
        self.loaded = Loaded::Yes;
        if !self.asked_first {
            self.rows.extend(rows);
            self.next = page.next;
            self.complete = page.complete;
            self.scanned += page.scanned;
            return;
        }
        let fresh: Vec<Arc<Message>> = rows.collect();
        // Older rows stay when the new page reaches down to them.
        let meets = fresh
            .last()
            .and_then(|last| self.rows.iter().position(|row| same_place(row, last)));
        match meets {
            Some(at) if self.rows.len() > at + 1 => {
                let older = self.rows.split_off(at + 1);
                self.rows = fresh;
                self.rows.extend(older);
                self.rows.truncate(MOST);
            }
            _ => {
                self.rows = fresh;
                self.next = page.next;
                self.complete = page.complete;
                self.scanned = page.scanned;
            }
        }
    }

    fn trace_of(&mut self, row: &Arc<Message>, shared: &mut Shared) -> Commands {
        let asked = self
            .asked_trace
            .as_ref()
            .is_some_and(|(_, id)| *id == row.id);
        let known = self.trace.as_ref().is_some_and(|(id, _)| *id == row.id);
        let fresh = shared.uptime.saturating_sub(self.traced_at).as_millis() < 900;
        let can = shared.overview().capabilities.has(Capability::Traces);
        if asked || (known && fresh) || !can {
            return Vec::new();
        }
        let ticket = shared.ticket();
        self.asked_trace = Some((ticket, row.id.clone()));
        self.traced_at = shared.uptime;
        vec![Effect::Query(ticket, Query::Trace(row.id.clone())).into()]
    }
}

fn same_place(a: &Message, b: &Message) -> bool {
    a.topic == b.topic && a.queue == b.queue && a.offset == b.offset
}

fn stored_total(topic: &TopicName, shared: &Shared) -> u64 {
    shared.newest.topic(topic).map_or(0, |row| row.stored_total)
}

/// All messages of a topic, newest first.
pub fn newest(topic: TopicName) -> MessageQuery {
    MessageQuery::Time {
        topic,
        from: None,
        to: None,
        newest_first: true,
    }
}

/// The identity of a message in lists: the same id may lie at several places.
pub fn place_key(message: &Message) -> String {
    format!("{}:{}:{}", message.topic, message.queue, message.offset)
}

/// A cell of the columns that lists of messages share.
pub fn cell(row: &Message, column: usize, shared: &Shared) -> Line {
    match column {
        0 => Line::text(shared.times.moment(row.stored_at)),
        1 => Line::text(row.id.to_string()),
        2 => row
            .tag
            .as_ref()
            .map_or_else(|| Line::muted("-"), |tag| Line::text(tag.clone())),
        3 if row.keys.is_empty() => Line::muted("-"),
        3 => Line::text(row.keys.join(" ")),
        4 => message::state(&row.id, shared),
        5 => Line::text(format!("{}@{}", row.queue, numbers::count(row.offset))),
        6 => Line::text(numbers::bytes(row.body.len() as u64)),
        7 => Line::text(row.message_type.as_str()),
        _ => message::preview(row),
    }
}

/// What `g` and `y` are about on a message.
pub fn subject(row: &Arc<Message>, shared: &Shared) -> Subject {
    let overview = shared.overview();
    let run = shared.runs.of_message(&row.id);
    let trigger = run.and_then(|run| run.trigger.clone()).or_else(|| {
        overview
            .triggers_of(&row.topic)
            .next()
            .map(|t| t.definition.name.clone())
    });
    let definition = trigger
        .as_ref()
        .and_then(|name| overview.trigger(name))
        .map(|row| &row.definition);
    Subject {
        id: Some(row.id.to_string()),
        message: Some(row.id.clone()),
        stored: Some(row.clone()),
        request: run.map(|run| run.request_id.clone()),
        topic: Some(row.topic.clone()),
        group: definition.map(|d| d.group.clone()),
        function: run
            .map(|run| run.function.clone())
            .or_else(|| definition.map(|d| d.function.clone())),
        trigger,
        instance: overview.instance.clone(),
        dead: definition.map(|d| TopicName::dead_letter_of(&d.group)),
        json: serde_json::to_string_pretty(&**row).ok(),
        command: Some(crate::ui::dialog::send::command_of(row)),
    }
}

/// Writes a message's body to a file named after it.
pub fn save_body(row: &Message, shared: &mut Shared) -> Commands {
    let bytes = message::unpacked(row);
    let suffix = match std::str::from_utf8(&bytes) {
        Ok(text) if crate::ui::widget::json::check(text).is_none() => "json",
        Ok(_) => "txt",
        Err(_) => "bin",
    };
    let ticket = shared.ticket();
    let file = SaveFile {
        folder: SaveIn::Directory,
        path: format!("{}.{suffix}", row.id).into(),
        content: SaveContent::Bytes(bytes.into()),
    };
    vec![Effect::Save(ticket, file).into()]
}

impl Listing for MessageList {
    type Row = Arc<Message>;
    const ID: PaneId = PaneId::Messages;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, _shared: &'a Shared) -> &'a [Arc<Message>] {
        &self.rows
    }

    fn loaded(&self, _shared: &Shared) -> Loaded {
        self.loaded.clone()
    }

    fn key(&self, row: &Arc<Message>) -> String {
        place_key(row)
    }

    fn first_order(&self) -> Option<(usize, bool)> {
        None
    }

    fn haystack(&self, row: &Arc<Message>) -> String {
        format!(
            "{} {} {} {}",
            row.id,
            row.tag.as_deref().unwrap_or(""),
            row.keys.join(" "),
            message::preview(row).plain()
        )
    }

    fn cell(&self, row: &Arc<Message>, column: usize, shared: &Shared) -> Line {
        cell(row, column, shared)
    }

    fn detail(&self, row: &Arc<Message>, shared: &Shared, document: &mut Document) -> Line {
        document.field("state", message::state(&row.id, shared));
        message::fields(row, shared, document);
        self.body.write(document);
        match &self.trace {
            Some((id, Ok(traces))) if *id == row.id => {
                message::life(traces, Some(row), shared, document);
            }
            Some((id, Err(report))) if *id == row.id => {
                document.rule("Trace");
                document.note(Line::of(format!("✖ {}", report.headline), Token::Error));
            }
            _ => {}
        }
        message::system(row, document);
        Line::text(format!(
            "Message {}",
            crate::ui::widget::safe::cut_middle(row.id.as_str(), 13)
        ))
        .put(format!("  {}", row.keys.join(" ")), Token::Muted)
    }

    fn subject(&self, row: &Arc<Message>, shared: &Shared) -> Subject {
        subject(row, shared)
    }

    fn offer(&self, action: Action, row: Option<&Arc<Message>>, shared: &Shared) -> Offer {
        let can_query = shared
            .overview()
            .capabilities
            .has(Capability::QueryMessages);
        match action {
            Action::Send => Offer::when(shared.instance().is_some(), "no instance runs"),
            Action::FindMessages => Offer::when(can_query, "this cluster finds no messages"),
            Action::Filters => Offer::when(!self.rows.is_empty(), "no messages to try it on"),
            Action::Open
            | Action::Resend
            | Action::SaveBody
            | Action::BodyForm
            | Action::Fold
            | Action::Wrap => Offer::when(row.is_some(), "no message is selected"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<Arc<Message>>,
        _marked: Vec<Arc<Message>>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Send, _) => {
                let topic = self.topic().cloned();
                vec![Command::Open(Box::new(SendDialog::open(topic, shared)))]
            }
            (Action::FindMessages, _) => vec![Command::Open(Box::new(Form::new(
                FindForm::new(self.query.as_ref(), shared),
                shared,
            )))],
            (Action::Filters, _) => vec![Command::Open(Box::new(
                crate::ui::dialog::filter_bench::FilterBench::new(self.rows.clone(), shared),
            ))],
            (Action::Resend, Some(row)) => {
                vec![Command::Open(Box::new(SendDialog::resend(&row, shared)))]
            }
            (Action::SaveBody, Some(row)) => save_body(&row, shared),
            (Action::BodyForm, Some(row)) => {
                self.body.form = self.body.form.next();
                self.body.show(&row);
                Vec::new()
            }
            (Action::Fold, Some(row)) => {
                self.body.folded = !self.body.folded;
                self.body.show(&row);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::FindMessages,
            Action::Send,
            Action::Resend,
            Action::BodyForm,
            Action::Actions,
            Action::Details,
            Action::ViewNext,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "inspect",
            Action::ViewNext => "pending",
            _ => action.label(),
        }
    }

    fn scope(&self, _shared: &Shared) -> Line {
        match &self.query {
            None => Line::new(),
            Some(MessageQuery::Id(id)) => Line::muted(format!(
                " with id {}",
                crate::ui::widget::safe::cut_middle(id.as_str(), 13)
            )),
            Some(MessageQuery::Key { topic, key, .. }) => {
                Line::text(format!(" of {topic}")).put(format!(" with key {key}"), Token::Accent)
            }
            Some(MessageQuery::Offset {
                topic,
                queue,
                offset,
            }) => Line::text(format!(" of {topic}")).put(
                format!(" queue {queue} from {}", numbers::count(*offset)),
                Token::Accent,
            ),
            Some(MessageQuery::Time { topic, .. }) => Line::text(format!(" of {topic}")),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        let mut parts = Vec::new();
        if let Some(MessageQuery::Time {
            from,
            to,
            newest_first,
            ..
        }) = &self.query
        {
            let edge = |at: &Option<_>| at.map(|at| shared.times.moment(at));
            match (edge(from), edge(to)) {
                (None, None) => {}
                (from, to) => parts.push(format!(
                    "{} – {}",
                    from.unwrap_or_else(|| "first".to_owned()),
                    to.unwrap_or_else(|| "now".to_owned())
                )),
            }
            parts.push(
                if *newest_first {
                    "newest first"
                } else {
                    "oldest first"
                }
                .to_owned(),
            );
        }
        if self.rows.len() >= MOST && !self.complete {
            parts.push(format!(
                "first {} only: F narrows",
                numbers::count(MOST as u64)
            ));
        } else if !self.complete && self.next.is_some() {
            parts.push("more below".to_owned());
        }
        if self.scanned > self.rows.len() as u64 {
            parts.push(format!("looked at {}", numbers::count(self.scanned)));
        }
        if self.is_live() && shared.frozen.is_none() {
            parts.push("live".to_owned());
        }
        parts.join(" · ")
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: match &self.query {
                Some(MessageQuery::Id(_)) => {
                    "No queue holds a message with this id: it may wait for its time, or have left."
                }
                Some(MessageQuery::Key { .. }) => "No message of this topic carries this key.",
                _ => "Messages as they lie in the queues of a topic.",
            },
            help: "s sends one   F finds by time, key, id or offset",
        }
    }

    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands {
        let query = match focus {
            Focus::Topic(topic) => newest(topic.clone()),
            Focus::Message(id) => MessageQuery::Id(id.clone()),
            Focus::Find(query) => (**query).clone(),
            _ if self.query.is_some() => return Vec::new(),
            _ => {
                if let Some(topic) = first_topic(shared) {
                    newest(topic)
                } else {
                    self.loaded = Loaded::Yes;
                    return Vec::new();
                }
            }
        };
        self.show(query, shared)
    }

    fn refresh(&mut self, selected: Option<&Arc<Message>>, shared: &mut Shared) -> Commands {
        let mut commands = Vec::new();
        if self.query.is_none() && first_topic(shared).is_some() {
            commands.extend(self.visit(&Focus::Keep, shared));
        }
        if let Some(row) = selected {
            self.body.show(row);
            commands.extend(self.trace_of(row, shared));
        }
        let grew = self
            .topic()
            .is_some_and(|topic| stored_total(topic, shared) != self.seen);
        if self.is_live() && grew && self.asked.is_none() && shared.frozen.is_none() {
            commands.extend(self.ask(true, shared));
        }
        commands
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        shared: &mut Shared,
    ) -> Commands {
        if let Some((_, id)) = self.asked_trace.take_if(|(asked, _)| *asked == ticket) {
            match answer {
                Ok(Answer::Traces(traces)) => self.trace = Some((id, Ok(traces.clone()))),
                Ok(_) => {}
                Err(report) => self.trace = Some((id, Err(report.clone()))),
            }
            return Vec::new();
        }
        if self.asked.take_if(|asked| *asked == ticket).is_none() {
            return Vec::new();
        }
        match answer {
            Ok(Answer::Messages(page)) => {
                self.take(page.clone());
                let first = self.rows.first().cloned();
                match first {
                    Some(first) if self.rows.len() == 1 => {
                        self.body.show(&first);
                        self.trace_of(&first, shared)
                    }
                    _ => Vec::new(),
                }
            }
            Ok(_) => Vec::new(),
            Err(report) if self.rows.is_empty() => {
                self.loaded = Loaded::Failed(report.clone());
                Vec::new()
            }
            Err(report) => {
                shared.notice_report(report);
                Vec::new()
            }
        }
    }

    fn more(&mut self, shared: &mut Shared) -> Commands {
        if self.asked.is_some() || self.next.is_none() || self.rows.len() >= MOST {
            return Vec::new();
        }
        self.ask(false, shared)
    }

    fn to_end(&mut self, end: bool, shared: &mut Shared) -> Option<Commands> {
        let Some(MessageQuery::Time {
            topic,
            from,
            to,
            newest_first,
        }) = self.query.clone()
        else {
            return None;
        };
        if end == newest_first && (self.complete || self.next.is_none()) {
            return None;
        }
        // The far end is read from the far end, instead of through everything between.
        let flips = if newest_first { end } else { !end };
        flips.then(|| {
            self.show(
                MessageQuery::Time {
                    topic,
                    from,
                    to,
                    newest_first: !newest_first,
                },
                shared,
            )
        })
    }
}

fn first_topic(shared: &Shared) -> Option<TopicName> {
    let topics = &shared.newest.topics.rows;
    topics
        .iter()
        .max_by_key(|row| row.messages)
        .map(|row| row.definition.name.clone())
}
