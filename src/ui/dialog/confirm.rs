//! Questions before something ends: what goes with it, and the safe answer under Enter.

use ratatui::layout::Rect;

use crate::cluster::admin::DeleteReport;
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, button, popup};
use crate::ui::effect::{Answer, Deed, Effect, Query, Ticket};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Target;
use crate::ui::widget::input::Input;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::safe;

/// What a button does besides closing the box.
#[derive(Debug, Clone, PartialEq)]
enum Choice {
    Nothing,
    Deed(Deed),
    Effect(Effect),
}

/// A box with a question.
pub struct Confirm {
    title: String,
    lines: Vec<Line>,
    choices: Vec<(String, Choice)>,
    /// Which button has the focus; a name to type comes before all.
    at: usize,
    /// Must be typed before anything but Cancel works.
    name: Option<String>,
    input: Input,
    counting: Option<Ticket>,
}

/// A question where much is lost.
pub struct Grave {
    pub title: String,
    /// To be typed.
    pub name: String,
    /// What goes with it.
    pub loses: Vec<String>,
    pub verb: &'static str,
    pub deed: Deed,
}

impl Confirm {
    /// Yes or no.
    pub fn mild(title: String, lines: Vec<String>, verb: &'static str, deed: Deed) -> Self {
        Self {
            title,
            lines: lines.into_iter().map(Line::from).collect(),
            choices: vec![
                ("Cancel".to_owned(), Choice::Nothing),
                (verb.to_owned(), Choice::Deed(deed)),
            ],
            at: 0,
            name: None,
            input: Input::default(),
            counting: None,
        }
    }

    /// The name has to be typed.
    pub fn grave(grave: Grave) -> Self {
        let mut confirm = Self::mild(grave.title, Vec::new(), grave.verb, grave.deed);
        confirm.lines = grave.loses.into_iter().map(bullet).collect();
        confirm.name = Some(grave.name);
        confirm
    }

    /// A grave deletion whose losses are counted by the cluster first.
    pub fn counted(
        title: String,
        name: String,
        also: Vec<String>,
        deed: Deed,
        count: Query,
        shared: &mut Shared,
    ) -> (Self, Effect) {
        let ticket = shared.ticket();
        let mut confirm = Self::grave(Grave {
            title,
            name,
            loses: also,
            verb: "Delete",
            deed,
        });
        confirm.counting = Some(ticket);
        (confirm, Effect::Query(ticket, count))
    }

    /// Before the program ends.
    pub fn quit(lines: Vec<Line>, choices: Vec<(&'static str, Option<Effect>)>) -> Self {
        Self {
            title: "Quit".to_owned(),
            lines,
            choices: choices
                .into_iter()
                .map(|(label, effect)| {
                    let choice = effect.map_or(Choice::Nothing, Choice::Effect);
                    (label.to_owned(), choice)
                })
                .collect(),
            at: 0,
            name: None,
            input: Input::default(),
            counting: None,
        }
    }

    fn is_typed(&self) -> bool {
        self.name
            .as_ref()
            .is_none_or(|name| name == self.input.text())
    }

    fn press(&mut self, at: usize, shared: &mut Shared) -> Commands {
        let choice = self.choices.get(at).map(|(_, choice)| choice.clone());
        match choice {
            Some(Choice::Deed(_)) if !self.is_typed() => Vec::new(),
            Some(Choice::Deed(deed)) => {
                let ticket = shared.ticket();
                vec![Command::Close, Effect::Act(ticket, Box::new(deed)).into()]
            }
            Some(Choice::Effect(effect)) => vec![Command::Close, effect.into()],
            _ => vec![Command::Close],
        }
    }

    fn step(&mut self, forward: bool) {
        let count = self.choices.len();
        self.at = if forward {
            (self.at + 1) % count
        } else {
            (self.at + count - 1) % count
        };
    }
}

fn bullet(text: String) -> Line {
    Line::of("· ", Token::Muted).then(text)
}

/// What a deletion takes along, in words; nothing where nothing goes.
fn losses(report: &DeleteReport) -> Vec<Line> {
    [
        (report.messages, "message", "messages"),
        (report.pending, "pending delay", "pending delays"),
        (report.offsets, "offset", "offsets"),
        (report.in_flight, "message in flight", "messages in flight"),
        (
            report.retrying,
            "message that waits for a retry",
            "messages that wait for a retry",
        ),
        (report.dead_letters, "dead letter", "dead letters"),
    ]
    .into_iter()
    .filter(|(count, _, _)| *count > 0)
    .map(|(count, one, many)| bullet(numbers::counted(count, one, many)))
    .collect()
}

impl Dialog for Confirm {
    fn contexts(&self) -> Vec<Context> {
        if self.name.is_some() {
            vec![Context::Text, Context::Form]
        } else {
            vec![Context::Confirm]
        }
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss | Action::AnswerNo => return vec![Command::Close],
            Action::AnswerYes => return self.press(1, shared),
            Action::AnswerPrev => self.step(false),
            Action::AnswerNext => self.step(true),
            Action::AnswerPress => return self.press(self.at, shared),
            Action::Press | Action::Submit if self.name.is_some() => {
                return if self.is_typed() {
                    self.press(1, shared)
                } else {
                    Vec::new()
                };
            }
            _ => {
                self.input.act(action);
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        if self.name.is_some() {
            self.input.insert(&c.to_string());
        }
        Vec::new()
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        if self.counting.take_if(|asked| *asked == ticket).is_none() {
            return Vec::new();
        }
        match answer {
            Ok(Answer::WouldDelete(report)) => {
                let lost = losses(report);
                let none = lost.is_empty() && self.lines.is_empty();
                self.lines.splice(0..0, lost);
                if none {
                    self.lines.push(bullet("it is empty".to_owned()));
                }
            }
            Ok(_) => {}
            Err(report) => self.lines.push(Line::of(
                format!("✖ cannot count what goes with it: {}", report.headline),
                Token::Error,
            )),
        }
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < self.choices.len() => self.press(*at, shared),
            Target::Outside => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        if self.name.is_some() {
            vec![
                (Action::Press, "does it once the name is typed"),
                (Action::Dismiss, "cancel"),
            ]
        } else {
            vec![
                (Action::AnswerPress, "press"),
                (Action::AnswerNext, "next button"),
                (Action::AnswerYes, "yes"),
                (Action::AnswerNo, "no"),
            ]
        }
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let longest = self.lines.iter().map(Line::width).max().unwrap_or(0);
        let buttons: usize = self.choices.iter().map(|(l, _)| safe::width(l) + 6).sum();
        let wanted = longest.max(buttons).max(safe::width(&self.title) + 6) + 6;
        let width = u16::try_from(wanted).unwrap_or(u16::MAX).clamp(46, 90);
        let typing = if self.name.is_some() { 4 } else { 0 };
        let rows = u16::try_from(self.lines.len()).unwrap_or(10).min(16);
        let inner = popup(
            canvas,
            width,
            rows + typing + 6,
            Line::text(self.title.clone()),
            Line::new(),
        );
        let mut y = inner.y + 1;
        let room = inner.width.saturating_sub(4);
        if self.name.is_some() {
            canvas.put(inner.x + 2, y, room, "This takes along:", Token::Muted);
            y += 1;
        }
        if self.counting.is_some() {
            canvas.put(inner.x + 2, y, room, "counting…", Token::Muted);
        }
        for line in self.lines.iter().take(usize::from(rows)) {
            canvas.line(inner.x + 2, y, room, line);
            y += 1;
        }
        if let Some(name) = &self.name {
            y += 1;
            let used = canvas.put(
                inner.x + 2,
                y,
                room,
                &format!("Type {name} to go on: "),
                Token::Warn,
            );
            let cells = room.saturating_sub(used).max(1);
            self.input.draw(canvas, inner.x + 2 + used, y, cells, true);
            y += 1;
        }
        y = (y + 1).min(inner.bottom().saturating_sub(1));
        self.buttons(canvas, Rect { y, ..inner });
    }
}

impl Confirm {
    fn buttons(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let mut x = row.x + 2;
        for (index, (label, choice)) in self.choices.iter().enumerate() {
            let enabled = *choice == Choice::Nothing || self.is_typed();
            let focused = if self.name.is_some() {
                // Enter goes with the typed name.
                index == usize::from(self.is_typed())
            } else {
                index == self.at
            };
            x += button(canvas, x, row.y, label, index, focused, enabled) + 2;
        }
    }
}
