//! Dead letters of all groups and triggers: why they died, and the ways back.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cluster::Capability;
use crate::cluster::admin::{DeadLetterResend, ResendTo, StoredMessage};
use crate::cluster::paging::Page;
use crate::domain::group::DeadLetterTarget;
use crate::domain::ids::MessageId;
use crate::domain::message::{Message, key};
use crate::domain::names::{FunctionName, GroupName, TopicName, TriggerName};
use crate::domain::trigger::TriggerDeadLetter;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::confirm::{Confirm, Grave};
use crate::ui::dialog::send::SendDialog;
use crate::ui::effect::{Answer, Deed, Effect, Query, Ticket};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::message::{self, BodyView};
use crate::ui::pane::messages::{newest, place_key, save_body, subject};
use crate::ui::pane::{Command, Commands, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::overview::Overview;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;
use crate::ui::widget::table::Column;

/// Letters read per dead letter topic, newest first.
const PAGE: usize = 500;
/// Dead letter topics read.
const MOST_TOPICS: usize = 50;
/// Letters above which a resend asks for more than a yes.
const MANY: usize = 100;

/// A dead letter with what its notes say.
#[derive(Debug, Clone)]
pub struct Letter {
    message: Arc<Message>,
    group: Option<GroupName>,
    trigger: Option<TriggerName>,
    error: String,
    /// The error without what tells one letter from the next; letters stand together by it.
    kind: String,
    attempts: Option<String>,
    origin_topic: Option<TopicName>,
    origin_id: Option<MessageId>,
}

impl Letter {
    fn new(message: Arc<Message>) -> Self {
        let note = |name: &str| {
            let name = format!("{}{name}", key::DEAD_LETTER_NOTE);
            message.system.get(&name).map(str::to_owned)
        };
        let system = |name: &str| message.system.get(name).map(str::to_owned);
        let group = note("GROUP")
            .and_then(|name| GroupName::new(name).ok())
            .or_else(|| message.topic.dead_letter_group());
        let error = note("ERROR_MESSAGE")
            .or_else(|| note("ERROR_TYPE"))
            .unwrap_or_else(|| "retries used up".to_owned());
        Self {
            trigger: note("TRIGGER").and_then(|name| TriggerName::new(name).ok()),
            kind: kind(&error),
            error,
            attempts: note("ATTEMPTS"),
            origin_topic: note("ORIGIN_TOPIC")
                .or_else(|| system(key::DLQ_ORIGIN_TOPIC))
                .and_then(|name| TopicName::new(name).ok()),
            origin_id: note("ORIGIN_MSG_ID")
                .or_else(|| system(key::DLQ_ORIGIN_MESSAGE_ID))
                .and_then(|id| MessageId::new(&id)),
            group,
            message,
        }
    }
}

/// An error with `…` for every word that holds a digit: order numbers, ids, times, addresses.
fn kind(error: &str) -> String {
    let words = error.split(' ').map(|word| {
        let varies = word.contains(|c: char| c.is_ascii_digit());
        if varies { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
pub struct DeadList {
    letters: Vec<Letter>,
    loaded: Loaded,
    /// One topic only.
    only: Option<TopicName>,
    asked: Vec<(Ticket, TopicName)>,
    /// Dead letters in all at the last read.
    seen: Option<u64>,
    cut: bool,
    body: BodyView,
}

const COLUMNS: &[Column] = &[
    Column::left("DIED", 12, 12, 1),
    Column::id("MESSAGE ID", 9, 13, 0),
    Column::left("GROUP", 10, 24, 3),
    Column::right("TRIES", 5, 5),
    Column::left("KEYS", 8, 16, 4),
    Column::left("ERROR", 16, 40, 2),
    Column::left("BODY", 14, u16::MAX, 6),
];

/// Topics that hold dead letters now.
fn sources(overview: &Overview) -> Vec<TopicName> {
    let groups = overview
        .groups
        .rows
        .iter()
        .filter(|row| row.dead_letters > 0);
    let of_groups = groups.map(|row| match &row.definition.dead_letter {
        DeadLetterTarget::Topic(topic) => topic.clone(),
        _ => TopicName::dead_letter_of(&row.definition.name),
    });
    let triggers = overview
        .triggers
        .rows
        .iter()
        .filter(|row| row.dead_total > 0);
    let of_triggers = triggers.filter_map(|row| match &row.definition.dead_letter {
        TriggerDeadLetter::Topic(topic) => Some(topic.clone()),
        TriggerDeadLetter::Own => Some(TopicName::dead_letter_of(&row.definition.group)),
        TriggerDeadLetter::Dropped => None,
    });
    let kept: BTreeSet<TopicName> = of_groups.chain(of_triggers).collect();
    kept.into_iter().take(MOST_TOPICS).collect()
}

fn total(overview: &Overview) -> u64 {
    let groups: u64 = overview
        .groups
        .rows
        .iter()
        .map(|row| row.dead_letters)
        .sum();
    let triggers: u64 = overview
        .triggers
        .rows
        .iter()
        .map(|row| row.dead_total)
        .sum();
    groups + triggers
}

impl DeadList {
    fn read(&mut self, shared: &mut Shared) -> Commands {
        self.seen = Some(total(&shared.newest));
        let topics = match &self.only {
            Some(topic) => vec![topic.clone()],
            None => sources(&shared.newest),
        };
        self.asked.clear();
        self.letters
            .retain(|letter| topics.contains(&letter.message.topic));
        if topics.is_empty() {
            self.loaded = Loaded::Yes;
        }
        topics
            .into_iter()
            .map(|topic| {
                let ticket = shared.ticket();
                self.asked.push((ticket, topic.clone()));
                Effect::Query(ticket, Query::Messages(newest(topic), Page::first(PAGE))).into()
            })
            .collect()
    }

    fn resend(to: ResendTo, row: Option<Letter>, marked: Vec<Letter>) -> Commands {
        let letters = if marked.is_empty() {
            row.into_iter().collect()
        } else {
            marked
        };
        if letters.is_empty() {
            return Vec::new();
        }
        let count = numbers::counted(letters.len() as u64, "dead letter", "dead letters");
        let deed = Deed::Resend(DeadLetterResend {
            letters: letters
                .iter()
                .map(|letter| letter.message.place())
                .collect(),
            to,
            edited: None,
        });
        let (title, text) = match to {
            ResendTo::Group => (
                format!("Put {count} back into their group?"),
                "Only the failing group receives them again, attempts from 1.",
            ),
            ResendTo::Topic => (
                format!("Send {count} to their topic again?"),
                "They are new messages: every group of the topic receives them.",
            ),
        };
        let dialog = if letters.len() > MANY {
            Confirm::grave(Grave {
                title,
                name: letters.len().to_string(),
                loses: vec![text.to_owned()],
                verb: "Send again",
                deed,
            })
        } else {
            Confirm::mild(title, vec![text.to_owned()], "Send again", deed)
        };
        vec![Command::Open(Box::new(dialog))]
    }

    /// Which function failed it, as far as the trigger is known.
    fn function(row: &Letter, shared: &Shared) -> Option<FunctionName> {
        let overview = shared.overview();
        let trigger = row.trigger.as_ref().and_then(|name| overview.trigger(name));
        trigger.map(|row| row.definition.function.clone())
    }
}

impl Listing for DeadList {
    type Row = Letter;
    const ID: PaneId = PaneId::Dead;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, _shared: &'a Shared) -> &'a [Letter] {
        &self.letters
    }

    fn loaded(&self, _shared: &Shared) -> Loaded {
        self.loaded.clone()
    }

    fn key(&self, row: &Letter) -> String {
        place_key(&row.message)
    }

    fn first_order(&self) -> Option<(usize, bool)> {
        Some((0, true))
    }

    fn haystack(&self, row: &Letter) -> String {
        format!(
            "{} {} {} {} {}",
            row.message.id,
            row.group.as_ref().map_or("", GroupName::as_str),
            row.error,
            row.message.keys.join(" "),
            message::preview(&row.message).plain()
        )
    }

    fn cell(&self, row: &Letter, column: usize, shared: &Shared) -> Line {
        let of = |index| super::messages::cell(&row.message, index, shared);
        match column {
            0 => of(0),
            1 => of(1),
            2 => row
                .group
                .as_ref()
                .map_or_else(|| Line::muted("-"), |group| Line::text(group.to_string())),
            3 => Line::text(row.attempts.clone().unwrap_or_else(|| "-".to_owned())),
            4 => of(3),
            5 => Line::of(row.error.clone(), Token::Error),
            _ => of(8),
        }
    }

    fn compare(
        &self,
        a: &Letter,
        b: &Letter,
        column: usize,
        shared: &Shared,
    ) -> std::cmp::Ordering {
        if column == 0 {
            a.message.stored_at.cmp(&b.message.stored_at)
        } else {
            let text = |row| self.cell(row, column, shared).plain();
            text(a).cmp(&text(b))
        }
    }

    fn detail(&self, row: &Letter, shared: &Shared, document: &mut Document) -> Line {
        document.field("error", Line::of(row.error.clone(), Token::Error));
        let alike = self.letters.iter().filter(|l| l.kind == row.kind).count();
        document.field(
            "alike",
            format!(
                "{} with this error; x marks them all",
                numbers::counted(alike as u64, "letter", "letters")
            ),
        );
        document.field("attempts", row.attempts.clone().unwrap_or_default());
        document.field(
            "group",
            row.group
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
        if let Some(trigger) = &row.trigger {
            let function = Self::function(row, shared);
            let arrow = function.map_or(String::new(), |name| format!(" → {name}"));
            document.field("trigger", format!("{trigger}{arrow}"));
        }
        if let Some(topic) = &row.origin_topic {
            let id = row.origin_id.as_ref().map_or("", MessageId::as_str);
            document.field("came from", format!("{topic}   {id}"));
        }
        document.rule("Letter");
        message::fields(&row.message, shared, document);
        self.body.write(document);
        message::system(&row.message, document);
        Line::text("Dead letter")
    }

    fn subject(&self, row: &Letter, shared: &Shared) -> Subject {
        let mut subject = subject(&row.message, shared);
        let origin = row.origin_id.clone();
        let run = origin.as_ref().and_then(|id| shared.runs.of_message(id));
        subject.request = run.map(|run| run.request_id.clone()).or(subject.request);
        subject.message = origin.or(subject.message);
        subject.topic = row.origin_topic.clone().or(subject.topic);
        subject.group.clone_from(&row.group);
        subject.trigger.clone_from(&row.trigger);
        subject.function = Self::function(row, shared).or(subject.function);
        subject.dead = Some(row.message.topic.clone());
        subject
    }

    fn offer(&self, action: Action, row: Option<&Letter>, shared: &Shared) -> Offer {
        let can = |capability| shared.overview().capabilities.has(capability);
        match action {
            Action::RedriveGroup if !can(Capability::ResendToGroup) => {
                Offer::No("this cluster cannot put letters back into a group")
            }
            Action::RedriveTopic if !can(Capability::ResendDeadLetters) => {
                Offer::No("this cluster cannot send letters again")
            }
            Action::Open
            | Action::RedriveGroup
            | Action::RedriveTopic
            | Action::Resend
            | Action::MarkAlike
            | Action::SaveBody
            | Action::BodyForm
            | Action::Fold
            | Action::Wrap => Offer::when(row.is_some(), "no letter is selected"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<Letter>,
        marked: Vec<Letter>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::RedriveGroup, row) => Self::resend(ResendTo::Group, row, marked),
            (Action::RedriveTopic, row) => Self::resend(ResendTo::Topic, row, marked),
            (Action::Resend, Some(row)) => {
                let dialog = SendDialog::resend_to(&row.message, row.origin_topic.clone(), shared);
                vec![Command::Open(Box::new(dialog))]
            }
            (Action::SaveBody, Some(row)) => save_body(&row.message, shared),
            (Action::BodyForm, Some(row)) => {
                self.body.form = self.body.form.next();
                self.body.show(&row.message);
                Vec::new()
            }
            (Action::Fold, Some(row)) => {
                self.body.folded = !self.body.folded;
                self.body.show(&row.message);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn alike(&self, row: &Letter) -> Vec<String> {
        self.letters
            .iter()
            .filter(|letter| letter.kind == row.kind)
            .map(|letter| self.key(letter))
            .collect()
    }

    fn group(&self, row: &Letter) -> Option<String> {
        Some(row.kind.clone())
    }

    fn head(&self, group: &str, rows: usize) -> Line {
        let count = numbers::counted(rows as u64, "letter", "letters");
        Line::of(format!("{count}  "), Paint::new(Token::Title))
            .put(format!("✖ {group}"), Token::Error)
    }

    fn of_group(&self, action: Action) -> bool {
        matches!(action, Action::RedriveGroup | Action::RedriveTopic)
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::RedriveGroup,
            Action::RedriveTopic,
            Action::Resend,
            Action::Mark,
            Action::Actions,
            Action::Details,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "inspect",
            Action::Resend => "edit and send",
            Action::Actions => "send to group or topic",
            _ => action.label(),
        }
    }

    fn scope(&self, _shared: &Shared) -> Line {
        self.only.as_ref().map_or_else(Line::new, |topic| {
            Line::text(" in ").put(topic.to_string(), Token::Accent)
        })
    }

    fn note(&self, _shared: &Shared) -> String {
        if self.cut {
            format!("newest {} of each group", numbers::count(PAGE as u64))
        } else {
            String::new()
        }
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "Messages whose retries are used up come to rest here.",
            help: "",
        }
    }

    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands {
        match focus {
            Focus::DeadTopic(topic) => self.only = Some(topic.clone()),
            Focus::Keep => {}
            _ => self.only = None,
        }
        if self.seen.is_none() {
            self.loaded = Loaded::Loading;
        }
        self.read(shared)
    }

    fn refresh(&mut self, selected: Option<&Letter>, shared: &mut Shared) -> Commands {
        if let Some(row) = selected {
            self.body.show(&row.message);
        }
        let grew = self.seen != Some(total(&shared.newest));
        if grew && self.asked.is_empty() && shared.frozen.is_none() {
            return self.read(shared);
        }
        Vec::new()
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        shared: &mut Shared,
    ) -> Commands {
        let Some(at) = self.asked.iter().position(|(asked, _)| *asked == ticket) else {
            return Vec::new();
        };
        let (_, topic) = self.asked.remove(at);
        match answer {
            Ok(Answer::Messages(page)) => {
                self.letters.retain(|letter| letter.message.topic != topic);
                let messages = page.rows.iter().map(|StoredMessage { message }| message);
                self.letters
                    .extend(messages.map(|message| Letter::new(message.clone())));
                self.cut |= page.next.is_some();
                self.loaded = Loaded::Yes;
            }
            Ok(_) => {}
            Err(report) if self.letters.is_empty() => {
                self.loaded = Loaded::Failed(report.clone());
            }
            Err(report) => shared.notice_report(report),
        }
        Vec::new()
    }

    fn choose(&mut self, _choice: &str, shared: &mut Shared) -> Commands {
        self.only = None;
        self.read(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn errors_that_differ_in_an_order_or_a_time_are_of_one_kind() {
        let of = |order| kind(&format!("ValueError: no stock for {order} after 3.5 s"));
        assert_eq!(of("O-400"), "ValueError: no stock for … after … s");
        assert_eq!(of("O-400"), of("O-501"));
        assert_ne!(of("O-400"), kind("KeyError: 'amount'"));
        assert_eq!(kind("two  spaces"), "two  spaces");
    }
}
