//! A line of text at the bottom: the filter of a list, the search of a text, a span of time.

use ratatui::layout::Rect;

use crate::control::clock::ClockCommand;
use crate::domain::span::parse_span;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::Dialog;
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::input::Input;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Narrows the current list as it is typed.
    Filter,
    /// How far broker time moves.
    Step,
}

pub struct Prompt {
    asks: Asks,
    input: Input,
    before: String,
}

impl Prompt {
    pub fn filter(now: &str) -> Self {
        Self {
            asks: Asks::Filter,
            input: Input::new(now.trim()),
            before: now.to_owned(),
        }
    }

    pub fn step() -> Self {
        Self {
            asks: Asks::Step,
            input: Input::new("10s"),
            before: String::new(),
        }
    }

    fn changed(&self) -> Commands {
        match self.asks {
            Asks::Filter => vec![Command::Filter(self.input.text().to_owned())],
            Asks::Step => Vec::new(),
        }
    }

    fn run(&self, shared: &mut Shared) -> Commands {
        match self.asks {
            Asks::Filter => vec![Command::Close],
            Asks::Step => match parse_span(self.input.text()) {
                Some(span) => {
                    let deed = Deed::Clock(ClockCommand::Step(span));
                    let ticket = shared.ticket();
                    vec![Command::Close, Effect::Act(ticket, Box::new(deed)).into()]
                }
                None => Vec::new(),
            },
        }
    }
}

impl Dialog for Prompt {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => {
                let mut commands = vec![Command::Close];
                if self.asks == Asks::Filter && self.before != self.input.text() {
                    commands.push(Command::Filter(self.before.trim().to_owned()));
                }
                commands
            }
            Action::PickRun => self.run(shared),
            // The list moves under the filter that is being typed.
            Action::PickUp if self.asks == Asks::Filter => vec![Command::Act(Action::Up)],
            Action::PickDown if self.asks == Asks::Filter => vec![Command::Act(Action::Down)],
            _ if self.input.act(action) => self.changed(),
            _ => Vec::new(),
        }
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        self.changed()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        self.changed()
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        let run = match self.asks {
            Asks::Filter => "keep",
            Asks::Step => "step",
        };
        vec![(Action::PickRun, run), (Action::Dismiss, "take back")]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let screen = canvas.area();
        if screen.height < 3 {
            return;
        }
        let row = Rect {
            y: screen.bottom().saturating_sub(2),
            height: 1,
            ..screen
        };
        canvas.clear(row);
        let label = match self.asks {
            Asks::Filter => " / ",
            Asks::Step => " step broker time by ",
        };
        let used = canvas.put(row.x, row.y, row.width, label, Token::Key);
        let mut room = row.width.saturating_sub(used + 1);
        if self.asks == Asks::Step && parse_span(self.input.text()).is_none() {
            let note = "✖ a time such as 10s, 5m, 1h30m";
            let cells = u16::try_from(note.chars().count()).unwrap_or(0);
            if room > cells + 12 {
                room -= cells + 1;
                canvas.put(row.right() - cells - 1, row.y, cells, note, Token::Error);
            }
        }
        self.input.draw(canvas, row.x + used, row.y, room, true);
    }
}
