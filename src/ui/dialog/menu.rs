//! A short list to choose from: all that can be done with a row, the columns to sort by, themes, functions.

use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::dialog::picker::{Choices, Look, Picker};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;

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

/// The entries of a menu.
pub struct Entries {
    title: String,
    entries: Vec<Entry>,
}

/// A menu with a line to narrow it.
pub type Menu = Picker<Entries>;

impl Menu {
    fn of(title: &str, entries: Vec<Entry>, at: usize) -> Self {
        let title = title.to_owned();
        Self::over(Entries { title, entries }, at)
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
        Self::of(title, entries.collect(), 0)
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
        Self::of("Sort by", entries.collect(), now.map_or(0, |(at, _)| at))
    }

    /// Choices of the current pane.
    pub fn choices(title: &str, choices: impl IntoIterator<Item = String>) -> Self {
        let entries = choices.into_iter().map(|label| Entry {
            then: Then::Choose(label.clone()),
            label,
            note: String::new(),
        });
        Self::of(title, entries.collect(), 0)
    }

    pub fn themes(names: Vec<String>, now: &str) -> Self {
        let at = names.iter().position(|name| name == now);
        let entries = names.into_iter().map(|label| Entry {
            then: Then::Theme(label.clone()),
            label,
            note: String::new(),
        });
        Self::of("Theme", entries.collect(), at.unwrap_or(0))
    }
}

/// Changes the colours, or says why not.
pub(super) fn set_theme(name: &str, shared: &mut Shared) {
    match crate::ui::state::theme_by_name(&shared.settings, name) {
        Ok(theme) => shared.look.theme = theme,
        Err(problem) => shared.notice(crate::ui::state::feed::Level::Error, problem),
    }
}

impl Choices for Entries {
    fn look(&self) -> Look {
        let entries = self.entries.iter();
        let wide = entries.map(|e| safe::width(&e.label) + safe::width(&e.note) + 8);
        let wide = u16::try_from(wide.max().unwrap_or(0)).unwrap_or(u16::MAX);
        let rows = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        Look {
            width: wide.clamp(36, 76),
            height: rows.saturating_add(4).min(30),
            title: Line::text(self.title.clone()),
            right: Line::new(),
            prompt: "/ ",
            empty: "nothing matches",
        }
    }

    fn narrowed(&self, text: &str) -> Vec<usize> {
        let needle = text.to_lowercase();
        let fits = |at: &usize| self.entries[*at].label.to_lowercase().contains(&needle);
        (0..self.entries.len()).filter(fits).collect()
    }

    fn choose(&mut self, at: Option<usize>, _text: &str, shared: &mut Shared) -> Commands {
        let Some(entry) = at.and_then(|at| self.entries.get(at)) else {
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

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::PickRun, "choose"),
            (Action::PickDown, "down"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw_choice(&self, at: usize, canvas: &mut Canvas<'_>, row: Rect) {
        let Some(entry) = self.entries.get(at) else {
            return;
        };
        let (text, note) = match entry.then {
            Then::Nothing => (Token::Muted, Token::Muted),
            _ => (Token::Text, Token::Key),
        };
        let room = row.width.saturating_sub(3);
        let used = canvas.put(row.x + 2, row.y, room, &entry.label, text);
        let left = row.width.saturating_sub(used + 6);
        let note = Line::of(entry.note.clone(), note);
        canvas.line_right(row.right().saturating_sub(2), row.y, left, &note);
    }
}
