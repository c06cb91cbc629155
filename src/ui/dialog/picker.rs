//! A line of text over a list that it narrows: the palette, the help and every menu.

use ratatui::layout::Rect;

use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::input::Input;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::table::window;

/// The box around a picker.
pub struct Look {
    pub width: u16,
    pub height: u16,
    pub title: Line,
    pub right: Line,
    /// Stands before the text.
    pub prompt: &'static str,
    /// Said where nothing fits.
    pub empty: &'static str,
}

/// What is chosen among.
pub trait Choices: Send {
    fn look(&self) -> Look;

    /// The choices that fit a text, best first.
    fn narrowed(&self, text: &str) -> Vec<usize>;

    /// Does choice `at`, or what was typed.
    fn choose(&mut self, at: Option<usize>, text: &str, shared: &mut Shared) -> Commands;

    /// The text that stands for a choice, where the key for it is known.
    fn completed(&self, _at: usize) -> Option<String> {
        None
    }

    /// Stands over the first of the choices that share it.
    fn heading(&self, _at: usize) -> Option<&'static str> {
        None
    }

    fn hints(&self) -> Vec<(Action, &'static str)>;

    fn draw_choice(&self, at: usize, canvas: &mut Canvas<'_>, row: Rect);
}

pub struct Picker<C> {
    choices: C,
    input: Input,
    /// Choices shown, by their place among all.
    shown: Vec<usize>,
    at: usize,
    top: usize,
}

impl<C: Choices> Picker<C> {
    /// All choices, with the one at `at` selected.
    pub fn over(choices: C, at: usize) -> Self {
        let mut picker = Self {
            choices,
            input: Input::default(),
            shown: Vec::new(),
            at,
            top: 0,
        };
        picker.narrow(at);
        picker
    }

    fn narrow(&mut self, at: usize) {
        self.shown = self.choices.narrowed(self.input.text().trim());
        self.at = at.min(self.shown.len().saturating_sub(1));
    }

    fn run(&mut self, shared: &mut Shared) -> Commands {
        let chosen = self.shown.get(self.at).copied();
        self.choices
            .choose(chosen, self.input.text().trim(), shared)
    }

    fn complete(&mut self) {
        let chosen = self.shown.get(self.at);
        if let Some(text) = chosen.and_then(|at| self.choices.completed(*at)) {
            self.input.set(text);
            self.narrow(0);
        }
    }

    /// Rows of the list: a heading, or a choice by its place among those shown.
    fn lines(&self) -> Vec<Result<usize, &'static str>> {
        let mut lines = Vec::new();
        let mut under = None;
        for (slot, at) in self.shown.iter().enumerate() {
            let heading = self.choices.heading(*at);
            if let Some(heading) = heading.filter(|_| heading != under) {
                lines.push(Err(heading));
            }
            under = heading;
            lines.push(Ok(slot));
        }
        lines
    }

    fn draw_list(&self, canvas: &mut Canvas<'_>, list: Rect) -> Metrics {
        let lines = self.lines();
        let rows = usize::from(list.height);
        let selected = lines.iter().position(|line| *line == Ok(self.at));
        let top = window(self.top, selected, rows, lines.len());
        // The heading above the selection stays in sight.
        let top = match selected {
            Some(at) if at > 0 && top == at && lines[at - 1].is_err() => at - 1,
            _ => top,
        };
        for (offset, line) in lines.iter().skip(top).take(rows).enumerate() {
            let row = Rect {
                y: list.y + u16::try_from(offset).unwrap_or(0),
                height: 1,
                ..list
            };
            match line {
                Err(heading) => frame::rule(canvas, row, &Line::of(*heading, Token::Accent)),
                Ok(slot) => self.draw_row(canvas, row, *slot),
            }
        }
        frame::scrollbar(canvas, list, top, rows, lines.len());
        Metrics {
            top,
            rows,
            end: lines.len().saturating_sub(rows),
        }
    }

    fn draw_row(&self, canvas: &mut Canvas<'_>, row: Rect, slot: usize) {
        if let Some(at) = self.shown.get(slot) {
            self.choices.draw_choice(*at, canvas, row);
        }
        canvas.hit(row, Target::Item(slot));
        if slot == self.at {
            let marker = Paint::new(Token::Text).reverse().bold();
            canvas.select(row);
            canvas.put(row.x, row.y, 1, ">", marker);
        }
    }
}

impl<C: Choices> Dialog for Picker<C> {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        let last = self.shown.len().saturating_sub(1);
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::PickUp => self.at = self.at.checked_sub(1).unwrap_or(last),
            Action::PickDown => self.at = if self.at >= last { 0 } else { self.at + 1 },
            Action::PageUp => self.at = self.at.saturating_sub(10),
            Action::PageDown => self.at = (self.at + 10).min(last),
            Action::PickComplete => self.complete(),
            Action::PickRun => return self.run(shared),
            _ => {
                self.input.act(action);
                self.narrow(self.at);
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        self.narrow(0);
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        self.narrow(0);
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < self.shown.len() => {
                self.at = *at;
                self.run(shared)
            }
            Target::Outside => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn scroll(&mut self, rows: i32) {
        let last = self.shown.len().saturating_sub(1);
        let step = usize::try_from(rows.unsigned_abs()).unwrap_or(1);
        self.at = if rows < 0 {
            self.at.saturating_sub(step)
        } else {
            (self.at + step).min(last)
        };
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        self.choices.hints()
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let look = self.choices.look();
        let inner = popup(canvas, look.width, look.height, look.title, look.right);
        if inner.height < 4 || inner.width < 8 {
            return;
        }
        canvas.put(inner.x + 1, inner.y, 2, look.prompt, Token::Key);
        let cells = inner.width.saturating_sub(5);
        self.input.draw(canvas, inner.x + 3, inner.y, cells, true);
        let list = Rect {
            y: inner.y + 2,
            height: inner.height - 2,
            ..inner
        };
        if self.shown.is_empty() {
            let room = list.width.saturating_sub(3);
            canvas.put(list.x + 2, list.y, room, look.empty, Token::Muted);
        }
        let metrics = self.draw_list(canvas, list);
        canvas.hits.dialog = Some(metrics);
    }
}
