//! The keys that work here, made from the keymap; typing narrows, Enter does it.

use ratatui::layout::Rect;

use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::pane::list::Needle;
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::input::Input;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::table::window;

/// A line of the help.
#[derive(Debug, Clone)]
pub struct HelpRow {
    pub context: Context,
    pub keys: String,
    pub action: Action,
    /// Why it cannot be done now.
    pub reason: Option<&'static str>,
}

pub struct Help {
    rows: Vec<HelpRow>,
    shown: Vec<usize>,
    input: Input,
    at: usize,
    top: usize,
    /// Choosing does it; over a dialog it only tells.
    runs: bool,
}

impl Help {
    pub fn new(rows: Vec<HelpRow>, runs: bool) -> Self {
        let mut help = Self {
            shown: Vec::new(),
            rows,
            input: Input::default(),
            at: 0,
            top: 0,
            runs,
        };
        help.narrow();
        help
    }

    fn narrow(&mut self) {
        let text = self.input.text();
        let needle = Needle::new(text);
        self.shown = (0..self.rows.len())
            .filter(|at| {
                let row = &self.rows[*at];
                let words = row.keys.split("  ");
                words.into_iter().any(|key| key == text)
                    || needle.finds(&format!(
                        "{} {} {}",
                        row.action.spec().help,
                        row.action.label(),
                        row.context
                    ))
            })
            .collect();
        self.at = self.at.min(self.shown.len().saturating_sub(1));
    }

    fn run(&self) -> Commands {
        let row = self.shown.get(self.at).and_then(|at| self.rows.get(*at));
        match row {
            Some(row) if self.runs && row.reason.is_none() => {
                vec![Command::Close, Command::Act(row.action)]
            }
            _ => Vec::new(),
        }
    }
}

impl Dialog for Help {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, _shared: &mut Shared) -> Commands {
        let last = self.shown.len().saturating_sub(1);
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::PickUp => self.at = self.at.saturating_sub(1),
            Action::PickDown => self.at = (self.at + 1).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(10),
            Action::PageDown => self.at = (self.at + 10).min(last),
            Action::PickRun => return self.run(),
            _ => {
                self.input.act(action);
                self.narrow();
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        self.at = 0;
        self.narrow();
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        self.narrow();
        Vec::new()
    }

    fn click(&mut self, target: &Target, _shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < self.shown.len() => {
                self.at = *at;
                self.run()
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
        let mut hints = Vec::new();
        if self.runs {
            hints.push((Action::PickRun, "do it"));
        }
        hints.push((Action::PickDown, "down"));
        hints.push((Action::Dismiss, "close"));
        hints
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let inner = popup(
            canvas,
            84,
            40,
            Line::text("Keys"),
            Line::muted("type to find"),
        );
        if inner.height < 4 {
            return;
        }
        canvas.put(inner.x + 1, inner.y, 2, "/ ", Token::Key);
        let cells = inner.width.saturating_sub(5);
        self.input.draw(canvas, inner.x + 3, inner.y, cells, true);
        let list = Rect {
            y: inner.y + 1,
            height: inner.height - 1,
            ..inner
        };
        let metrics = self.draw_rows(canvas, list);
        canvas.hits.dialog = Some(metrics);
    }
}

impl Help {
    /// Rows with a heading where the context changes.
    fn draw_rows(&self, canvas: &mut Canvas<'_>, list: Rect) -> Metrics {
        let mut lines: Vec<Option<usize>> = Vec::new();
        let mut selected = 0;
        let mut context = None;
        for (slot, index) in self.shown.iter().enumerate() {
            let of = self.rows.get(*index).map(|row| row.context);
            if of != context {
                lines.push(None);
                context = of;
            }
            if slot == self.at {
                selected = lines.len();
            }
            lines.push(Some(slot));
        }
        let rows = usize::from(list.height);
        // The heading above the selection stays in sight where it can.
        let top = window(self.top, Some(selected), rows, lines.len());
        let top = if selected > 0 && top == selected {
            top - 1
        } else {
            top
        };
        for (offset, line) in lines.iter().skip(top).take(rows).enumerate() {
            let row = Rect {
                y: list.y + u16::try_from(offset).unwrap_or(0),
                height: 1,
                ..list
            };
            match line {
                None => {
                    let next = lines.get(top + offset + 1).copied().flatten();
                    let row_of = next.and_then(|slot| self.shown.get(slot));
                    let context = row_of.and_then(|at| self.rows.get(*at));
                    if let Some(entry) = context {
                        frame::rule(
                            canvas,
                            row,
                            &Line::of(heading(entry.context), Token::Accent),
                        );
                    }
                }
                Some(slot) => self.draw_row(canvas, row, *slot),
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
        let Some(entry) = self.shown.get(slot).and_then(|at| self.rows.get(*at)) else {
            return;
        };
        let possible = entry.reason.is_none();
        let key = if possible {
            Paint::new(Token::Key)
        } else {
            Paint::new(Token::Muted)
        };
        canvas.put(row.x + 2, row.y, 18, &entry.keys, key);
        let paint = if possible { Token::Text } else { Token::Muted };
        let mut line = Line::of(entry.action.spec().help, paint);
        if let Some(reason) = entry.reason {
            line = line.put(format!("   · {reason}"), Token::Muted);
        }
        canvas.line(row.x + 21, row.y, row.width.saturating_sub(23), &line);
        canvas.hit(row, Target::Item(slot));
        if slot == self.at {
            canvas.select(row);
            canvas.put(
                row.x,
                row.y,
                1,
                ">",
                Paint::new(Token::Text).reverse().bold(),
            );
        }
    }
}

fn heading(context: Context) -> &'static str {
    match context {
        Context::Global => "Everywhere",
        Context::Motion => "Moving",
        Context::List => "This list",
        Context::Detail => "This detail",
        Context::Logs => "The log",
        Context::Guide => "The guide",
        Context::Form => "This form",
        Context::Text => "A line of text",
        Context::Body => "The text",
        Context::Choice => "A choice",
        Context::Pick => "Picking",
        Context::Confirm => "This question",
        Context::Page => "This page",
    }
}
