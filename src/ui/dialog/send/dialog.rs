//! The send form as a dialog: its keys, clicks and answers.

use super::{EMPTY_BODY, Mode, SPOTS, SendDialog, Spot, draw, stored};
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::Dialog;
use crate::ui::effect::{Done, EditText, Effect, Ticket};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::{Metrics, Target};
use bytes::Bytes;

impl Dialog for SendDialog {
    fn contexts(&self) -> Vec<Context> {
        let field = match self.at {
            Spot::Body => Context::Body,
            Spot::Tag
            | Spot::Keys
            | Spot::Group
            | Spot::Deliver
            | Spot::Priority
            | Spot::Properties
            | Spot::Repeat
            | Spot::Every => Context::Text,
            _ => Context::Choice,
        };
        vec![field, Context::Form]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => return self.close(shared),
            Action::Submit => return self.send(shared),
            Action::More => return Self::more(),
            Action::FieldNext => self.step(true),
            Action::FieldPrev => self.step(false),
            Action::FormPrev => self.walk_history(true, shared),
            Action::FormNext => self.walk_history(false, shared),
            Action::ChoiceNext => self.choose(true, shared),
            Action::ChoicePrev => self.choose(false, shared),
            Action::Press => return self.press(shared),
            _ if self.at == Spot::Body => {
                self.body.act(action, self.body_page);
                self.check(shared);
            }
            _ => {
                if self.input().is_some_and(|input| input.act(action)) {
                    self.check(shared);
                }
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, shared: &mut Shared) -> Commands {
        match self.at {
            Spot::Body => self.body.insert(&c.to_string()),
            Spot::Topic => self.pick_topic(c, shared),
            _ => {
                if let Some(input) = self.input() {
                    input.insert(&c.to_string());
                }
            }
        }
        self.check(shared);
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, shared: &mut Shared) -> Commands {
        if self.at == Spot::Body {
            // A whole body is pasted more often than a part: it takes the place of the empty one.
            if self.body.text() == EMPTY_BODY {
                self.body.set(text);
            } else {
                self.body.insert(text);
            }
        } else if let Some(input) = self.input() {
            input.insert(text);
        }
        self.check(shared);
        Vec::new()
    }

    fn done(
        &mut self,
        ticket: Ticket,
        done: &Result<Done, Report>,
        shared: &mut Shared,
    ) -> Option<Commands> {
        if self.editing.take_if(|editing| *editing == ticket).is_some() {
            if let Ok(Done::Edited(Some(bytes))) = done {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.body.set(text.strip_suffix('\n').unwrap_or(&text));
                self.check(shared);
            } else if let Err(report) = done {
                shared.notice_report(report);
            }
            return Some(Vec::new());
        }
        if self.sending != Some(ticket) {
            return None;
        }
        let mut commands = vec![Effect::Reload.into()];
        match done {
            Ok(Done::Sent(report)) => {
                if !report.running {
                    self.sending = None;
                    let mut typed = self.typed_now();
                    typed.ids = report.last.iter().map(|r| r.id.to_string()).collect();
                    commands.extend(stored::keep_sent(shared, typed).map(Command::from));
                    crate::ui::update::tell_done(done, shared);
                }
                self.result = Some(Ok(report.clone()));
            }
            Ok(_) => self.sending = None,
            Err(report) => {
                self.sending = None;
                self.result = Some(Err(report.clone()));
            }
        }
        Some(commands)
    }

    fn chosen(&mut self, choice: &str, shared: &mut Shared) -> Commands {
        match choice {
            "format" => self.format(true, shared),
            "minify" => self.format(false, shared),
            "body as JSON" => self.set_mode(Mode::Json, shared),
            "body as text" => self.set_mode(Mode::Text, shared),
            "body as hex" => self.set_mode(Mode::Hex, shared),
            "open in $EDITOR" => {
                let ticket = shared.ticket();
                self.editing = Some(ticket);
                let suffix = if self.mode == Mode::Json {
                    ".json"
                } else {
                    ".txt"
                };
                let bytes = Bytes::from(self.body.text());
                return vec![Effect::Edit(ticket, EditText::Text { bytes, suffix }).into()];
            }
            _ => {
                let number = choice
                    .split(' ')
                    .next()
                    .and_then(|n| n.parse::<usize>().ok());
                let all = stored::history(shared);
                if let Some(typed) = number.and_then(|n| all.get(n.saturating_sub(1))) {
                    self.fill_in(typed);
                }
            }
        }
        self.check(shared);
        Vec::new()
    }

    fn refresh(&mut self, shared: &mut Shared) -> Commands {
        for row in &shared.newest.topics.rows {
            let name = &row.definition.name;
            if !name.is_reserved() && !self.topics.contains(name) {
                self.topics.push(name.clone());
            }
        }
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) => {
                let Some(spot) = SPOTS.get(*at).copied() else {
                    return Vec::new();
                };
                if !self.is_open(spot) {
                    return Vec::new();
                }
                self.at = spot;
                if spot >= Spot::Send {
                    return self.press(shared);
                }
                if self.input().is_none() && spot != Spot::Body {
                    self.choose(true, shared);
                }
                Vec::new()
            }
            Target::Point(_, column, row) => {
                self.at = Spot::Body;
                let area = ratatui::layout::Rect::new(0, 0, u16::MAX, u16::MAX);
                self.body.click(area, self.body_top, *column, *row);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn scroll(&mut self, rows: i32) {
        if self.at == Spot::Body {
            let action = if rows < 0 {
                Action::LineUp
            } else {
                Action::LineDown
            };
            for _ in 0..rows.unsigned_abs() {
                self.body.act(action, 1);
            }
        }
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.body_top = metrics.top;
        self.body_page = metrics.rows;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::Submit, "send"),
            (Action::FieldNext, "next field"),
            (Action::More, "more ($EDITOR, format, hex)"),
            (Action::FormPrev, "history"),
            (Action::Dismiss, "close, draft kept"),
        ]
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>) {
        draw::draw(self, shared, canvas);
    }
}
