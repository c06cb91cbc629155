//! One box over everything: verbs, places and names. Each hit shows its key, so the box teaches.

mod typed;

use ratatui::layout::Rect;

use crate::ui::action::Action;
use crate::ui::dialog::menu::set_theme;
use crate::ui::dialog::picker::{Choices, Look, Picker};
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::Shared;
use crate::ui::state::feed::Level;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;

use typed::typed_command;

/// What a hit does.
#[derive(Debug, Clone)]
pub enum Then {
    Act(Action),
    /// It cannot be done now; why.
    Refuse(&'static str),
    Go(Goto),
    Theme(String),
}

/// Something to find.
#[derive(Debug, Clone)]
pub struct Entry {
    pub text: String,
    /// What it does, in a sentence; found too, but not by scattered letters.
    pub help: &'static str,
    /// Its kind, in a word.
    pub kind: &'static str,
    /// Its key.
    pub key: String,
    pub then: Then,
}

/// What the palette finds.
pub struct Entries(Vec<Entry>);

pub type Palette = Picker<Entries>;

/// Most hits shown.
const MOST: usize = 200;
/// Cells of a command's name before what it does.
const NAME: u16 = 20;

impl Palette {
    pub fn new(entries: Vec<Entry>) -> Self {
        Self::over(Entries(entries), 0)
    }
}

impl Entry {
    fn fits(&self, needle: &str) -> Option<i64> {
        let name = match &self.then {
            Then::Act(action) => action.name().replace('.', " "),
            _ => String::new(),
        };
        let help = words(needle, self.help).map(|score| score - 1500);
        let best = score(needle, &self.text)
            .max(words(needle, &name))
            .max(help);
        let last = matches!(self.then, Then::Refuse(_));
        best.map(|score| score - if last { 5000 } else { 0 })
    }
}

impl Choices for Entries {
    fn look(&self) -> Look {
        Look {
            width: 92,
            height: 26,
            title: Line::text("Commands"),
            right: Line::muted("commands, places, names"),
            prompt: ": ",
            empty: "nothing fits: try a verb, a place or a name",
        }
    }

    fn narrowed(&self, text: &str) -> Vec<usize> {
        let needle = text.to_lowercase();
        let entries = self.0.iter().enumerate();
        let mut scored: Vec<(i64, usize)> = entries
            .filter_map(|(at, entry)| entry.fits(&needle).map(|score| (score, at)))
            .collect();
        scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        scored.into_iter().take(MOST).map(|(_, at)| at).collect()
    }

    fn choose(&mut self, at: Option<usize>, text: &str, shared: &mut Shared) -> Commands {
        if let Some(commands) = typed_command(text, shared) {
            return std::iter::once(Command::Close).chain(commands).collect();
        }
        let Some(entry) = at.and_then(|at| self.0.get(at)) else {
            return Vec::new();
        };
        match entry.then.clone() {
            Then::Act(action) => vec![Command::Close, Command::Act(action)],
            Then::Go(goto) => vec![Command::Close, Command::Go(goto)],
            Then::Refuse(why) => {
                shared.notice(Level::Warn, format!("{}: {why}", entry.text));
                Vec::new()
            }
            Then::Theme(name) => {
                set_theme(&name, shared);
                vec![Command::Close]
            }
        }
    }

    fn completed(&self, at: usize) -> Option<String> {
        self.0.get(at).map(|entry| entry.text.clone())
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::PickRun, "run"),
            (Action::PickComplete, "complete"),
            (Action::PickDown, "down"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw_choice(&self, at: usize, canvas: &mut Canvas<'_>, row: Rect) {
        let Some(entry) = self.0.get(at) else {
            return;
        };
        let right = Line::muted(entry.kind).put(format!("  {:>7}", entry.key), Token::Key);
        let right_cells = u16::try_from(right.width()).unwrap_or(16);
        let cells = row.width.saturating_sub(right_cells + 5);
        let (text, help) = match entry.then {
            Then::Refuse(why) => (Token::Muted, format!("· {why}")),
            _ => (Token::Text, entry.help.to_owned()),
        };
        let name = if help.is_empty() { cells } else { NAME };
        let used = canvas.put(row.x + 2, row.y, name.min(cells), &entry.text, text);
        let help_at = used.max(NAME) + 1;
        if help_at < cells {
            let help = safe::cut_end(&help, usize::from(cells - help_at)).into_owned();
            canvas.put(
                row.x + 2 + help_at,
                row.y,
                cells - help_at,
                &help,
                Token::Muted,
            );
        }
        let end = row.right().saturating_sub(2);
        canvas.line_right(end, row.y, right_cells, &right);
    }
}

/// How well `needle` fits a name: an exact start beats a word's start beats a part of a word beats letters in order that
/// stand close together; `None` when it does not fit.
fn score(needle: &str, text: &str) -> Option<i64> {
    if needle.is_empty() {
        return Some(0);
    }
    words(needle, text).or_else(|| {
        let text = text.to_lowercase();
        if text.contains(needle) {
            return Some(1000 - text.len() as i64);
        }
        let mut letters = text.char_indices();
        let (mut first, mut last) = (None, 0);
        for wanted in needle.chars() {
            let (at, _) = letters.find(|(_, c)| *c == wanted)?;
            first.get_or_insert(at);
            last = at;
        }
        let spread = last - first.unwrap_or(0) + 1;
        let close = spread <= needle.len() * 4;
        let from_start = if first == Some(0) { 50 } else { 0 };
        close.then(|| 500 + from_start - spread as i64 * 2 - text.len() as i64)
    })
}

/// The same, where `needle` begins the text or a word of it.
fn words(needle: &str, text: &str) -> Option<i64> {
    if text.is_empty() || needle.is_empty() {
        return None;
    }
    let text = text.to_lowercase();
    let length = text.len() as i64;
    if text.starts_with(needle) {
        return Some(3000 - length);
    }
    let at_word = text
        .match_indices(needle)
        .any(|(at, _)| text[..at].ends_with([' ', '-', '.', '_', ':']));
    at_word.then_some(2000 - length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(needle: &str, texts: &[&str]) -> Vec<String> {
        let mut scored: Vec<(Option<i64>, &&str)> = texts
            .iter()
            .map(|text| (score(needle, text), text))
            .collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let fits = scored.iter().filter(|(score, _)| score.is_some());
        fits.map(|(_, text)| (**text).to_owned()).collect()
    }

    #[test]
    fn better_fits_come_first() {
        let texts = ["message-processing", "send message", "mask", "topics"];
        assert_eq!(best("mes", &texts), ["message-processing", "send message"]);
        assert_eq!(best("msg", &texts), ["message-processing", "send message"]);
    }

    #[test]
    fn a_sentence_is_found_by_its_words_and_not_by_scattered_letters() {
        let command = |action: Action| Entry {
            text: action.label().to_owned(),
            help: action.spec().help,
            kind: "command",
            key: String::new(),
            then: Then::Act(action),
        };
        let entries = [Action::Suspend, Action::ResetOffset, Action::ClockNext].map(command);
        let entries = Entries(entries.to_vec());
        assert_eq!(entries.narrowed("rese"), [1]);
        assert_eq!(entries.narrowed("preview"), [1]);
        assert_eq!(entries.narrowed("clock next"), [2]);
    }
}
