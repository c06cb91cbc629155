//! One line of text being typed: cursor by grapheme, readline's motions, kill and yank, undo.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::ui::action::Action;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::safe;

/// Most characters a line takes.
const MAX_CHARS: usize = 16 * 1024;
/// Most states kept for undo.
const MAX_UNDO: usize = 100;

#[derive(Debug, Clone, Default)]
pub struct Input {
    text: String,
    /// Byte position of the cursor, at a grapheme border.
    cursor: usize,
    killed: String,
    undo: Vec<(String, usize)>,
}

impl Input {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            cursor: text.len(),
            text,
            ..Self::default()
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn set(&mut self, text: impl Into<String>) {
        self.remember();
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Types text at the cursor; line breaks become blanks.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_CHARS.saturating_sub(self.text.chars().count());
        let flat: String = text
            .chars()
            .map(|c| {
                if matches!(c, '\n' | '\r' | '\t') {
                    ' '
                } else {
                    c
                }
            })
            .take(room)
            .collect();
        if flat.is_empty() {
            return;
        }
        self.remember();
        self.text.insert_str(self.cursor, &flat);
        self.cursor += flat.len();
    }

    /// Does an editing action; false when it is none.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            Action::CharLeft => self.cursor = self.before(),
            Action::CharRight => self.cursor = self.after(),
            Action::WordLeft => self.cursor = self.word_before(),
            Action::WordRight => self.cursor = self.word_after(),
            Action::LineStart => self.cursor = 0,
            Action::LineEnd => self.cursor = self.text.len(),
            Action::DeleteLeft => self.cut(self.before(), self.cursor, false),
            Action::DeleteRight => self.cut(self.cursor, self.after(), false),
            Action::DeleteWord => self.cut(self.word_before(), self.cursor, true),
            Action::KillStart => self.cut(0, self.cursor, true),
            Action::KillEnd => self.cut(self.cursor, self.text.len(), true),
            Action::Yank => {
                let killed = self.killed.clone();
                self.insert(&killed);
            }
            Action::Undo => {
                if let Some((text, cursor)) = self.undo.pop() {
                    self.text = text;
                    self.cursor = cursor;
                }
            }
            _ => return false,
        }
        true
    }

    /// Puts the cursor on a cell of the drawn field.
    pub fn click(&mut self, cells: u16, column: u16) {
        let from = self.visible_from(usize::from(cells));
        let tail = self.text.get(from..).unwrap_or("");
        let (head, _) = safe::take(tail, usize::from(column));
        self.cursor = from + head.len();
    }

    fn remember(&mut self) {
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.text.clone(), self.cursor));
    }

    fn cut(&mut self, from: usize, to: usize, keep: bool) {
        if from >= to {
            return;
        }
        self.remember();
        let cut: String = self.text.drain(from..to).collect();
        if keep {
            self.killed = cut;
        }
        self.cursor = from;
    }

    fn before(&self) -> usize {
        let head = &self.text[..self.cursor];
        head.grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let tail = &self.text[self.cursor..];
        self.cursor + tail.graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        word_before(&self.text, self.cursor)
    }

    fn word_after(&self) -> usize {
        word_after(&self.text, self.cursor)
    }

    /// First byte drawn, so that the cursor is within `cells`.
    fn visible_from(&self, cells: usize) -> usize {
        let head = &self.text[..self.cursor];
        let mut left = safe::width(head) + 1;
        for (at, cluster) in safe::clusters(head) {
            if left <= cells {
                return at;
            }
            left -= safe::width(cluster);
        }
        // The cursor alone, whether there is room for it or not.
        self.cursor
    }

    /// Draws it into one row; a sign stands where text goes on outside. Shows the cursor when `focus`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, cells: u16, focus: bool) {
        let from = self.visible_from(usize::from(cells));
        canvas.put(x, y, cells, &self.text[from..], Token::Text);
        if from > 0 {
            canvas.put(x, y, 1, "‹", Token::Muted);
        }
        if focus && cells > 0 {
            let at = safe::width(&self.text[from..self.cursor]);
            let at = u16::try_from(at).unwrap_or(0).min(cells - 1);
            canvas.cursor(x + at, y);
        }
    }
}

/// Start of the word before `cursor`.
pub fn word_before(text: &str, cursor: usize) -> usize {
    let head = &text[..cursor];
    let trimmed = head.trim_end_matches(|c: char| !c.is_alphanumeric());
    let word = trimmed.trim_end_matches(char::is_alphanumeric);
    word.len()
}

/// End of the word after `cursor`.
pub fn word_after(text: &str, cursor: usize) -> usize {
    let tail = &text[cursor..];
    let skipped = tail.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = skipped.trim_start_matches(char::is_alphanumeric);
    text.len() - word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readline_motions_and_kills() {
        let mut input = Input::new("one two three");
        input.act(Action::DeleteWord);
        assert_eq!(input.text(), "one two ");
        input.act(Action::LineStart);
        input.act(Action::WordRight);
        input.act(Action::KillEnd);
        assert_eq!(input.text(), "one");
        input.act(Action::Yank);
        assert_eq!(input.text(), "one two ");
        input.act(Action::Undo);
        input.act(Action::Undo);
        assert_eq!(input.text(), "one two ");
        input.act(Action::Undo);
        assert_eq!(input.text(), "one two three");
    }

    #[test]
    fn what_is_drawn_ends_with_the_cursor_whatever_the_widths() {
        let mut input = Input::new("e\u{301}中\u{1b}x");
        for (cells, from) in [
            (9, 0),
            (6, 0),
            (5, 3),
            (4, 6),
            (3, 6),
            (2, 7),
            (1, 8),
            (0, 8),
        ] {
            assert_eq!(input.visible_from(cells), from, "{cells}");
        }
        input.act(Action::LineStart);
        assert_eq!(input.visible_from(0), 0);
    }

    #[test]
    fn the_cursor_moves_by_grapheme() {
        let mut input = Input::new("e\u{301}中");
        input.act(Action::CharLeft);
        input.act(Action::CharLeft);
        input.act(Action::DeleteRight);
        assert_eq!(input.text(), "中");
        input.insert("a\nb");
        assert_eq!(input.text(), "a b中");
    }
}
