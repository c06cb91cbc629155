//! Send message: the order of thought from topic to body, checked while it is typed. After sending it stays as it was.

mod check;
mod dialog;
mod draw;
mod stored;
pub mod words;

use std::time::Duration;

use bytes::Bytes;

use crate::domain::message::{Draft, Message, MessageType};
use crate::domain::names::TopicName;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::menu::Menu;
use crate::ui::dialog::send::check::Verdict;
use crate::ui::dialog::send::stored::Typed;
use crate::ui::effect::{Deed, Effect, SaveContent, SaveFile, SaveIn, SendReport, Ticket};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::widget::hex;
use crate::ui::widget::input::Input;
use crate::ui::widget::json;
use crate::ui::widget::textbox::TextBox;

pub use check::command_of;

/// A field or button, in the order of Tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    Topic,
    Kind,
    Tag,
    Keys,
    Group,
    Deliver,
    Priority,
    Then,
    Properties,
    Body,
    Template,
    Repeat,
    Every,
    StopOnError,
    Send,
    Format,
    History,
    SaveTemplate,
    CopyCommand,
}

const SPOTS: [Spot; 19] = [
    Spot::Topic,
    Spot::Kind,
    Spot::Tag,
    Spot::Keys,
    Spot::Group,
    Spot::Deliver,
    Spot::Priority,
    Spot::Then,
    Spot::Properties,
    Spot::Body,
    Spot::Template,
    Spot::Repeat,
    Spot::Every,
    Spot::StopOnError,
    Spot::Send,
    Spot::Format,
    Spot::History,
    Spot::SaveTemplate,
    Spot::CopyCommand,
];

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Json,
    Text,
    Hex,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }

    fn by_name(name: &str) -> Self {
        match name {
            "text" => Self::Text,
            "hex" => Self::Hex,
            _ => Self::Json,
        }
    }
}

pub struct SendDialog {
    topics: Vec<TopicName>,
    topic: usize,
    kind: MessageType,
    tag: Input,
    keys: Input,
    group: Input,
    deliver: Input,
    priority: Input,
    then: usize,
    properties: Input,
    body: TextBox,
    mode: Mode,
    template: usize,
    repeat: Input,
    every: Input,
    stop_on_error: bool,
    at: Spot,
    body_top: usize,
    body_page: usize,
    verdict: Verdict,
    /// Enter sends although the body is not JSON.
    sends_as_text: bool,
    sending: Option<Ticket>,
    editing: Option<Ticket>,
    result: Option<Result<SendReport, Report>>,
    history_at: Option<usize>,
    /// Topic letters typed so far, and when the last came.
    prefix: (String, Duration),
}

/// What becomes of a half message.
const THENS: [&str; 3] = ["commit", "roll back", "leave unknown"];

/// What a new message begins with.
const EMPTY_BODY: &str = "{\n  \n}";

/// The cursor stands where the first key of the object goes.
fn empty_body() -> TextBox {
    let mut body = TextBox::new(EMPTY_BODY);
    body.act(Action::LineDown, 1);
    body.act(Action::LineEnd, 1);
    body
}

impl SendDialog {
    /// For a topic, with the draft kept for it.
    pub fn open(topic: Option<TopicName>, shared: &Shared) -> Self {
        let mut topics: Vec<TopicName> = shared
            .newest
            .topics
            .rows
            .iter()
            .map(|row| row.definition.name.clone())
            .filter(|name| !name.is_reserved())
            .collect();
        topics.sort();
        if let Some(topic) = &topic
            && !topics.contains(topic)
        {
            topics.push(topic.clone());
        }
        let at = topic.and_then(|topic| topics.iter().position(|known| *known == topic));
        let mut dialog = Self {
            topics,
            topic: at.unwrap_or(0),
            kind: MessageType::Normal,
            tag: Input::default(),
            keys: Input::default(),
            group: Input::default(),
            deliver: Input::default(),
            priority: Input::default(),
            then: 0,
            properties: Input::default(),
            body: empty_body(),
            mode: Mode::Json,
            template: 0,
            repeat: Input::new("1"),
            every: Input::new("200ms"),
            stop_on_error: true,
            at: Spot::Body,
            body_top: 0,
            body_page: 1,
            verdict: Verdict::default(),
            sends_as_text: false,
            sending: None,
            editing: None,
            result: None,
            history_at: None,
            prefix: (String::new(), Duration::ZERO),
        };
        let kept = dialog
            .topic_name()
            .and_then(|topic| stored::draft(shared, topic.as_str()));
        if let Some(typed) = kept {
            dialog.fill_in(&typed);
        } else {
            dialog.follow_topic(shared);
        }
        dialog.check(shared);
        dialog
    }

    /// Filled in from a message, to send it again.
    pub fn resend(message: &Message, shared: &Shared) -> Self {
        Self::resend_to(message, Some(message.topic.clone()), shared)
    }

    /// Filled in from a message, to another topic.
    pub fn resend_to(message: &Message, topic: Option<TopicName>, shared: &Shared) -> Self {
        let mut dialog = Self::open(topic, shared);
        dialog.fill_in(&check::typed_of(message));
        dialog.check(shared);
        dialog
    }

    /// Filled in from a draft that was never sent.
    pub fn draft(draft: &Draft, topic: Option<TopicName>, shared: &Shared) -> Self {
        let mut dialog = Self::open(topic, shared);
        dialog.fill_in(&check::typed_of_draft(draft));
        dialog.check(shared);
        dialog
    }

    fn topic_name(&self) -> Option<&TopicName> {
        self.topics.get(self.topic)
    }

    /// The topic's type decides which types can be chosen.
    fn follow_topic(&mut self, shared: &Shared) {
        let row = self.topic_name().and_then(|name| shared.newest.topic(name));
        if let Some(kind) = row.and_then(crate::ui::pane::topics::only_type) {
            self.kind = kind;
        }
    }

    fn fill_in(&mut self, typed: &Typed) {
        let known = self.topics.iter().position(|t| t.as_str() == typed.topic);
        self.topic = known.unwrap_or(self.topic);
        if let Some(kind) = MessageType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == typed.kind)
        {
            self.kind = kind;
        }
        for (input, text) in [
            (&mut self.tag, &typed.tag),
            (&mut self.keys, &typed.keys),
            (&mut self.group, &typed.group),
            (&mut self.deliver, &typed.deliver),
            (&mut self.priority, &typed.priority),
            (&mut self.properties, &typed.properties),
        ] {
            *input = Input::new(text.clone());
        }
        self.then = THENS.iter().position(|t| *t == typed.then).unwrap_or(0);
        self.mode = Mode::by_name(&typed.mode);
        self.body.set(&typed.body);
    }

    fn typed_now(&self) -> Typed {
        Typed {
            topic: self
                .topic_name()
                .map(ToString::to_string)
                .unwrap_or_default(),
            kind: self.kind.as_str().to_owned(),
            tag: self.tag.text().to_owned(),
            keys: self.keys.text().to_owned(),
            group: self.group.text().to_owned(),
            deliver: self.deliver.text().to_owned(),
            priority: self.priority.text().to_owned(),
            then: THENS.get(self.then).copied().unwrap_or_default().to_owned(),
            properties: self.properties.text().to_owned(),
            body: self.body.text(),
            mode: self.mode.name().to_owned(),
            ids: Vec::new(),
        }
    }

    fn check(&mut self, shared: &Shared) {
        self.verdict = check::check(self, shared);
        self.sends_as_text = false;
    }

    fn close(&self, shared: &mut Shared) -> Commands {
        let typed = self.typed_now();
        let mut commands = vec![Command::Close];
        if !typed.topic.is_empty() {
            commands.extend(stored::keep_draft(shared, typed).map(Command::from));
        }
        commands
    }

    fn send(&mut self, shared: &mut Shared) -> Commands {
        if self.sending.is_some() {
            return Vec::new();
        }
        self.verdict = check::check(self, shared);
        if let Some((spot, _)) = self.verdict.problems.first() {
            self.at = *spot;
            return Vec::new();
        }
        if self.verdict.fault.is_some() && self.mode == Mode::Json && !self.sends_as_text {
            self.sends_as_text = true;
            self.at = Spot::Send;
            return Vec::new();
        }
        match check::plan(self, shared) {
            Ok(plan) => {
                let ticket = shared.ticket();
                self.sending = Some(ticket);
                self.result = None;
                vec![Effect::Act(ticket, Box::new(Deed::Send(plan))).into()]
            }
            Err((spot, problem)) => {
                self.at = spot;
                self.verdict.problems.push((spot, problem));
                Vec::new()
            }
        }
    }

    /// Whether a field means anything for the chosen type.
    pub fn is_open(&self, spot: Spot) -> bool {
        match spot {
            Spot::Group => self.kind == MessageType::Fifo,
            Spot::Deliver => self.kind == MessageType::Delay,
            Spot::Priority => self.kind == MessageType::Priority,
            Spot::Then => self.kind == MessageType::Transaction,
            _ => true,
        }
    }

    fn step(&mut self, forward: bool) {
        let count = SPOTS.len();
        let mut at = SPOTS.iter().position(|spot| *spot == self.at).unwrap_or(0);
        for _ in 0..count {
            at = if forward {
                (at + 1) % count
            } else {
                (at + count - 1) % count
            };
            if self.is_open(SPOTS[at]) {
                break;
            }
        }
        self.at = SPOTS[at];
    }

    fn input(&mut self) -> Option<&mut Input> {
        Some(match self.at {
            Spot::Tag => &mut self.tag,
            Spot::Keys => &mut self.keys,
            Spot::Group => &mut self.group,
            Spot::Deliver => &mut self.deliver,
            Spot::Priority => &mut self.priority,
            Spot::Properties => &mut self.properties,
            Spot::Repeat => &mut self.repeat,
            Spot::Every => &mut self.every,
            _ => return None,
        })
    }

    fn choose(&mut self, forward: bool, shared: &mut Shared) {
        let step = |at: usize, count: usize| {
            if count == 0 {
                0
            } else if forward {
                (at + 1) % count
            } else {
                (at + count - 1) % count
            }
        };
        match self.at {
            Spot::Topic => {
                self.topic = step(self.topic, self.topics.len());
                self.follow_topic(shared);
            }
            Spot::Kind => self.choose_kind(forward, shared),
            Spot::Then => self.then = step(self.then, THENS.len()),
            Spot::Template => {
                let names = stored::templates(shared);
                self.template = step(self.template, names.len() + 1);
                if let Some(name) = self.template.checked_sub(1).and_then(|at| names.get(at))
                    && let Some(mut typed) = stored::template(shared, name)
                {
                    if typed.topic.is_empty() {
                        typed.topic = self.typed_now().topic;
                    }
                    self.fill_in(&typed);
                }
            }
            Spot::StopOnError => self.stop_on_error = !self.stop_on_error,
            _ => self.step(forward),
        }
        self.check(shared);
    }

    fn choose_kind(&mut self, forward: bool, shared: &Shared) {
        let allowed = check::kinds(self, shared);
        let at = allowed.iter().position(|kind| *kind == self.kind);
        let count = allowed.len().max(1);
        let next = match at {
            None => 0,
            Some(at) if forward => (at + 1) % count,
            Some(at) => (at + count - 1) % count,
        };
        self.kind = allowed.get(next).copied().unwrap_or(self.kind);
    }

    fn press(&mut self, shared: &mut Shared) -> Commands {
        match self.at {
            Spot::Send => self.send(shared),
            Spot::Format => {
                self.format(true, shared);
                Vec::new()
            }
            Spot::History => Self::open_history(shared),
            Spot::SaveTemplate => self.save_template(shared),
            Spot::CopyCommand => {
                let command = check::command_line(self);
                vec![Effect::Copy(command).into()]
            }
            _ => {
                self.step(true);
                Vec::new()
            }
        }
    }

    fn format(&mut self, wide: bool, shared: &Shared) {
        let text = self.body.text();
        if self.mode == Mode::Json && json::check(&text).is_none() {
            let laid = if wide {
                json::format(&text)
            } else {
                json::minify(&text)
            };
            self.body.set(&laid);
            self.check(shared);
        }
    }

    fn open_history(shared: &Shared) -> Commands {
        let all = stored::history(shared);
        let choices = all.iter().enumerate().rev().map(|(index, typed)| {
            let head: String = typed.body.split_whitespace().collect::<Vec<_>>().join(" ");
            let head: String = head.chars().take(40).collect();
            format!("{} {} {} {head}", index + 1, typed.topic, typed.keys)
        });
        vec![Command::Open(Box::new(Menu::choices(
            "History",
            choices.collect::<Vec<_>>(),
        )))]
    }

    fn save_template(&self, shared: &mut Shared) -> Commands {
        let typed = self.typed_now();
        let name = if typed.tag.is_empty() {
            typed.topic.clone()
        } else {
            format!("{}-{}", typed.topic, typed.tag)
        };
        let text = serde_json::to_string_pretty(&typed).unwrap_or_default();
        let ticket = shared.ticket();
        shared
            .settings
            .templates
            .retain(|(known, _)| *known != name);
        shared.settings.templates.push((name.clone(), text.clone()));
        let file = SaveFile {
            folder: SaveIn::Templates,
            path: format!("{name}.json").into(),
            content: SaveContent::Bytes(Bytes::from(text)),
        };
        vec![Effect::Save(ticket, file).into()]
    }

    fn walk_history(&mut self, back: bool, shared: &Shared) {
        let all = stored::history(shared);
        let next = match (self.history_at, back) {
            (None, true) => all.len().checked_sub(1),
            (None, false) => None,
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) => (at + 1 < all.len()).then_some(at + 1),
        };
        if let Some(typed) = next.and_then(|at| all.get(at)) {
            self.history_at = next;
            self.fill_in(typed);
            self.check(shared);
        }
    }

    fn more() -> Commands {
        let choices = [
            "format",
            "minify",
            "body as JSON",
            "body as text",
            "body as hex",
            "open in $EDITOR",
        ];
        let entries = choices.iter().map(|c| (*c).to_owned());
        vec![Command::Open(Box::new(Menu::choices("Body", entries)))]
    }

    fn set_mode(&mut self, mode: Mode, shared: &mut Shared) {
        let bytes = match self.mode {
            Mode::Hex => hex::decode(&self.body.text()).ok(),
            _ => Some(self.body.text().into_bytes()),
        };
        let Some(bytes) = bytes else {
            return;
        };
        let text = match mode {
            Mode::Hex => hex::encode(&bytes),
            _ => {
                if let Ok(text) = String::from_utf8(bytes) {
                    text
                } else {
                    shared.notice(
                        crate::ui::state::feed::Level::Warn,
                        "the bytes are no text; they stay in hex",
                    );
                    return;
                }
            }
        };
        self.mode = mode;
        self.body.set(&text);
    }

    fn pick_topic(&mut self, c: char, shared: &Shared) {
        if shared.uptime.saturating_sub(self.prefix.1) > Duration::from_millis(1200) {
            self.prefix.0.clear();
        }
        self.prefix.0.push(c);
        self.prefix.1 = shared.uptime;
        let found = self
            .topics
            .iter()
            .position(|topic| topic.as_str().starts_with(&self.prefix.0));
        if let Some(at) = found {
            self.topic = at;
            self.follow_topic(shared);
        }
    }
}
