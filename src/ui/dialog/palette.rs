//! One box over everything: verbs, places and names. Each hit shows its key, so the box teaches.

use ratatui::layout::Rect;

use crate::control::clock::ClockCommand;
use crate::domain::ids::MessageId;
use crate::domain::names::TopicName;
use crate::domain::span::parse_span;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::send::SendDialog;
use crate::ui::dialog::{Dialog, popup};
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId, Place};
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::input::Input;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::safe;
use crate::ui::widget::table::window;

/// What a hit does.
#[derive(Debug, Clone)]
pub enum Then {
    Act(Action),
    Go(Goto),
    Theme(String),
}

/// Something to find.
#[derive(Debug, Clone)]
pub struct Entry {
    pub text: String,
    /// Its kind, in a word.
    pub kind: &'static str,
    /// Its key.
    pub key: String,
    pub then: Then,
}

pub struct Palette {
    entries: Vec<Entry>,
    input: Input,
    /// Hits, best first.
    hits: Vec<usize>,
    at: usize,
    top: usize,
}

/// Most hits shown.
const MOST: usize = 200;

impl Palette {
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut palette = Self {
            entries,
            input: Input::default(),
            hits: Vec::new(),
            at: 0,
            top: 0,
        };
        palette.find();
        palette
    }

    fn find(&mut self) {
        let needle = self.input.text().trim().to_lowercase();
        let mut scored: Vec<(i64, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| {
                let name = match &entry.then {
                    Then::Act(action) => action.name(),
                    _ => "",
                };
                let best = score(&needle, &entry.text).max(score(&needle, name));
                best.map(|score| (score, at))
            })
            .collect();
        scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        self.hits = scored.into_iter().take(MOST).map(|(_, at)| at).collect();
        self.at = 0;
        self.top = 0;
    }

    fn best(&self) -> Option<&Entry> {
        self.entries.get(*self.hits.get(self.at)?)
    }

    fn run(&self, shared: &mut Shared) -> Commands {
        if let Some(commands) = typed_command(self.input.text().trim(), shared) {
            return std::iter::once(Command::Close).chain(commands).collect();
        }
        let Some(entry) = self.best() else {
            return Vec::new();
        };
        match entry.then.clone() {
            Then::Act(action) => vec![Command::Close, Command::Act(action)],
            Then::Go(goto) => vec![Command::Close, Command::Go(goto)],
            Then::Theme(name) => {
                set_theme(&name, shared);
                vec![Command::Close]
            }
        }
    }
}

fn set_theme(name: &str, shared: &mut Shared) {
    match crate::ui::state::theme_by_name(&shared.settings, name) {
        Ok(theme) => shared.look.theme = theme,
        Err(problem) => shared.notice(crate::ui::state::feed::Level::Error, problem),
    }
}

/// Commands that take a word: `clock step 10s`, `trace ID`, `topics /order`, `send message-processing`.
fn typed_command(text: &str, shared: &mut Shared) -> Option<Commands> {
    let (verb, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    let changes = !shared.settings.read_only;
    match verb {
        "clock" if changes => {
            let command = match rest.split_once(' ') {
                Some(("step", span)) => ClockCommand::Step(parse_span(span)?),
                None if rest == "hold" => ClockCommand::Hold,
                None if rest == "resume" => ClockCommand::Resume,
                None if rest == "next" => ClockCommand::Next,
                _ => return None,
            };
            let ticket = shared.ticket();
            Some(vec![
                Effect::Act(ticket, Box::new(Deed::Clock(command))).into(),
            ])
        }
        "trace" | "message" => {
            let id = MessageId::new(rest)?;
            let pane = if verb == "trace" {
                PaneId::Traces
            } else {
                PaneId::Messages
            };
            Some(vec![Command::Go(Goto::new(pane, Focus::Message(id)))])
        }
        "send" if changes => {
            let topic = TopicName::new(rest).ok()?;
            shared.newest.topic(&topic)?;
            let dialog = SendDialog::open(Some(topic), shared);
            Some(vec![Command::Open(Box::new(dialog))])
        }
        "theme" => {
            crate::ui::state::theme_by_name(&shared.settings, rest).ok()?;
            set_theme(rest, shared);
            Some(Vec::new())
        }
        "mouse" => {
            let on = match rest {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            shared.settings.mouse = on;
            Some(vec![Effect::Mouse(on).into()])
        }
        _ => {
            let filter = rest.strip_prefix('/')?;
            let place = Place::ALL.into_iter().find(|place| {
                place
                    .title()
                    .to_lowercase()
                    .starts_with(&verb.to_lowercase())
            })?;
            let pane = *place.panes().first()?;
            Some(vec![
                Command::Go(Goto::new(pane, Focus::Keep)),
                Command::Filter(filter.to_owned()),
            ])
        }
    }
}

/// How well `needle` fits: an exact start beats a word's start beats letters in order; `None` when it does not.
fn score(needle: &str, text: &str) -> Option<i64> {
    if needle.is_empty() {
        return Some(0);
    }
    if text.is_empty() {
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
    if at_word {
        return Some(2000 - length);
    }
    if text.contains(needle) {
        return Some(1000 - length);
    }
    let mut letters = text.char_indices();
    let (mut first, mut last) = (None, 0);
    for wanted in needle.chars() {
        let (at, _) = letters.find(|(_, c)| *c == wanted)?;
        first.get_or_insert(at);
        last = at;
    }
    Some(500 - (last - first.unwrap_or(0)) as i64 * 2 - length)
}

impl Dialog for Palette {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        let last = self.hits.len().saturating_sub(1);
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::PickUp => self.at = self.at.checked_sub(1).unwrap_or(last),
            Action::PickDown => self.at = if self.at >= last { 0 } else { self.at + 1 },
            Action::PageUp => self.at = self.at.saturating_sub(10),
            Action::PageDown => self.at = (self.at + 10).min(last),
            Action::PickComplete => {
                if let Some(entry) = self.best() {
                    let text = entry.text.clone();
                    self.input.set(text);
                    self.find();
                }
            }
            Action::PickRun => return self.run(shared),
            _ => {
                self.input.act(action);
                self.find();
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        self.find();
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        self.find();
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < self.hits.len() => {
                self.at = *at;
                self.run(shared)
            }
            Target::Outside => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn scroll(&mut self, rows: i32) {
        let last = self.hits.len().saturating_sub(1);
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
        vec![
            (Action::PickRun, "run"),
            (Action::PickComplete, "complete"),
            (Action::PickDown, "down"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let inner = popup(
            canvas,
            76,
            24,
            Line::text("Commands"),
            Line::muted("commands, places, names"),
        );
        if inner.height < 4 {
            return;
        }
        canvas.put(inner.x + 1, inner.y, 2, ": ", Token::Key);
        let cells = inner.width.saturating_sub(5);
        self.input.draw(canvas, inner.x + 3, inner.y, cells, true);
        let list = Rect {
            y: inner.y + 2,
            height: inner.height - 2,
            ..inner
        };
        let rows = usize::from(list.height);
        let top = window(self.top, Some(self.at), rows, self.hits.len());
        for slot in top..self.hits.len().min(top + rows) {
            let y = list.y + u16::try_from(slot - top).unwrap_or(0);
            self.draw_row(
                canvas,
                Rect {
                    y,
                    height: 1,
                    ..list
                },
                slot,
            );
        }
        if self.hits.is_empty() {
            let text = "nothing fits: try a verb, a place or a name";
            canvas.put(list.x + 2, list.y, list.width, text, Token::Muted);
        }
        frame::scrollbar(canvas, list, top, rows, self.hits.len());
        canvas.hits.dialog = Some(Metrics {
            top,
            rows,
            end: self.hits.len().saturating_sub(rows),
        });
    }
}

impl Palette {
    fn draw_row(&self, canvas: &mut Canvas<'_>, row: Rect, slot: usize) {
        let Some(entry) = self.hits.get(slot).and_then(|at| self.entries.get(*at)) else {
            return;
        };
        let right = Line::muted(entry.kind).put(format!("  {:>6}", entry.key), Token::Key);
        let right_cells = u16::try_from(right.width()).unwrap_or(16);
        let cells = row.width.saturating_sub(right_cells + 6);
        let text = safe::cut_end(&entry.text, usize::from(cells)).into_owned();
        canvas.put(row.x + 2, row.y, cells, &text, Token::Text);
        canvas.line_right(row.right() - 2, row.y, right_cells, &right);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_fits_come_first() {
        let texts = ["message-processing", "send message", "mask", "topics"];
        let mut scored: Vec<(Option<i64>, &str)> = texts
            .iter()
            .map(|text| (score("mes", text), *text))
            .collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let order: Vec<&str> = scored
            .iter()
            .filter(|(score, _)| score.is_some())
            .map(|(_, text)| *text)
            .collect();
        assert_eq!(order, ["message-processing", "send message"]);
        assert!(score("msg", "message-processing").is_some());
    }
}
