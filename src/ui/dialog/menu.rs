//! A short list to choose from: all that can be done with a row, the columns to sort by, themes, functions.

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
use crate::ui::widget::line::Line;
use crate::ui::widget::table::window;

/// What choosing an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    Act(Action),
    SortBy(usize),
    Choose(String),
    Theme(String),
    /// It cannot be chosen now.
    Nothing,
}

struct Entry {
    label: String,
    /// Its key, or why it cannot be chosen.
    note: String,
    then: Then,
}

/// A menu with a line to narrow it.
pub struct Menu {
    title: String,
    entries: Vec<Entry>,
    input: Input,
    shown: Vec<usize>,
    at: usize,
    top: usize,
}

impl Menu {
    fn new(title: &str, entries: Vec<Entry>) -> Self {
        let mut menu = Self {
            title: title.to_owned(),
            entries,
            input: Input::default(),
            shown: Vec::new(),
            at: 0,
            top: 0,
        };
        menu.narrow();
        menu
    }

    /// Actions with their keys; those that cannot be done now say why.
    pub fn actions(
        title: &str,
        actions: impl IntoIterator<Item = (Action, &'static str, Result<String, &'static str>)>,
    ) -> Self {
        let entries = actions.into_iter().map(|(action, label, state)| Entry {
            label: label.to_owned(),
            then: if state.is_ok() {
                Then::Act(action)
            } else {
                Then::Nothing
            },
            note: state.unwrap_or_else(|why| format!("· {why}")),
        });
        Self::new(title, entries.collect())
    }

    /// Columns; the present one is marked.
    pub fn sorts(columns: Vec<&'static str>, now: Option<(usize, bool)>) -> Self {
        let entries = columns.into_iter().enumerate().map(|(index, name)| {
            let note = match now {
                Some((at, false)) if at == index => "▴ now; again reverses",
                Some((at, true)) if at == index => "▾ now; again reverses",
                _ => "",
            };
            Entry {
                label: name.to_owned(),
                note: note.to_owned(),
                then: Then::SortBy(index),
            }
        });
        let mut menu = Self::new("Sort by", entries.collect());
        menu.at = now.map_or(0, |(at, _)| at);
        menu
    }

    /// Choices of the current pane.
    pub fn choices(title: &str, choices: impl IntoIterator<Item = String>) -> Self {
        let entries = choices.into_iter().map(|label| Entry {
            then: Then::Choose(label.clone()),
            label,
            note: String::new(),
        });
        Self::new(title, entries.collect())
    }

    pub fn themes(names: Vec<String>, now: &str) -> Self {
        let at = names.iter().position(|name| name == now);
        let entries = names.into_iter().map(|label| Entry {
            then: Then::Theme(label.clone()),
            label,
            note: String::new(),
        });
        let mut menu = Self::new("Theme", entries.collect());
        menu.at = at.unwrap_or(0);
        menu
    }

    fn narrow(&mut self) {
        let needle = self.input.text().to_lowercase();
        self.shown = (0..self.entries.len())
            .filter(|at| self.entries[*at].label.to_lowercase().contains(&needle))
            .collect();
        self.at = self.at.min(self.shown.len().saturating_sub(1));
    }

    fn entry(&self) -> Option<&Entry> {
        self.entries.get(*self.shown.get(self.at)?)
    }

    fn run(&self, shared: &mut Shared) -> Commands {
        let Some(entry) = self.entry() else {
            return Vec::new();
        };
        let then = match entry.then.clone() {
            Then::Act(action) => Command::Act(action),
            Then::SortBy(column) => Command::SortBy(column),
            Then::Choose(choice) => Command::Choose(choice),
            Then::Theme(name) => {
                set_theme(&name, shared);
                return vec![Command::Close];
            }
            Then::Nothing => return Vec::new(),
        };
        vec![Command::Close, then]
    }
}

fn set_theme(name: &str, shared: &mut Shared) {
    match crate::ui::state::theme_by_name(&shared.settings, name) {
        Ok(theme) => shared.look.theme = theme,
        Err(problem) => shared.notice(crate::ui::state::feed::Level::Error, problem),
    }
}

impl Dialog for Menu {
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
            Action::PickRun => return self.run(shared),
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
        self.at = if rows < 0 {
            self.at.saturating_sub(1)
        } else {
            (self.at + 1).min(last)
        };
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::PickRun, "choose"),
            (Action::PickDown, "down"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let wide = self
            .entries
            .iter()
            .map(|e| e.label.chars().count() + e.note.chars().count() + 8)
            .max()
            .unwrap_or(20);
        let rows = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        let inner = popup(
            canvas,
            u16::try_from(wide).unwrap_or(60).clamp(36, 76),
            rows.saturating_add(4).min(30),
            Line::text(self.title.clone()),
            Line::new(),
        );
        canvas.put(inner.x + 1, inner.y, 2, "/ ", Token::Key);
        let cells = inner.width.saturating_sub(5);
        self.input.draw(canvas, inner.x + 3, inner.y, cells, true);
        let list = Rect {
            y: inner.y + 2,
            height: inner.height.saturating_sub(2),
            ..inner
        };
        let metrics = self.draw_entries(canvas, list);
        canvas.hits.dialog = Some(metrics);
    }
}

impl Menu {
    fn draw_entries(&self, canvas: &mut Canvas<'_>, list: Rect) -> Metrics {
        let rows = usize::from(list.height);
        let top = window(self.top, Some(self.at), rows, self.shown.len());
        for (slot, index) in self.shown.iter().enumerate().skip(top).take(rows) {
            let Some(entry) = self.entries.get(*index) else {
                continue;
            };
            let row = Rect {
                y: list.y + u16::try_from(slot - top).unwrap_or(0),
                height: 1,
                ..list
            };
            let paint = if entry.then == Then::Nothing {
                Token::Muted
            } else {
                Token::Text
            };
            let used = canvas.put(
                row.x + 2,
                row.y,
                row.width.saturating_sub(3),
                &entry.label,
                paint,
            );
            let left = row.width.saturating_sub(used + 6);
            canvas.line_right(
                row.right() - 2,
                row.y,
                left,
                &Line::of(
                    entry.note.clone(),
                    if entry.then == Then::Nothing {
                        Token::Muted
                    } else {
                        Token::Key
                    },
                ),
            );
            canvas.hit(row, Target::Item(slot));
            if slot == self.at {
                canvas.select(row);
                canvas.put(
                    row.x,
                    row.y,
                    1,
                    ">",
                    crate::ui::widget::line::Paint::new(Token::Text)
                        .reverse()
                        .bold(),
                );
            }
        }
        if self.shown.is_empty() {
            canvas.put(
                list.x + 2,
                list.y,
                list.width,
                "nothing matches",
                Token::Muted,
            );
        }
        frame::scrollbar(canvas, list, top, rows, self.shown.len());
        Metrics {
            top,
            rows,
            end: self.shown.len().saturating_sub(rows),
        }
    }
}
