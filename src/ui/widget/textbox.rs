//! Text of many lines being written: the body of a message.
//!
//! Lines are kept as they are typed; drawing cleans them, so a pasted control character is seen and stays in the text.

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::ui::action::Action;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::input::{word_after, word_before};
use crate::ui::widget::json;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;

/// Most states kept for undo, and most bytes they hold together.
const MAX_UNDO: usize = 50;
const MAX_UNDO_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone)]
pub struct TextBox {
    lines: Vec<String>,
    row: usize,
    /// Byte position in the row, at a grapheme border.
    column: usize,
    killed: String,
    undo: Vec<Saved>,
    /// Rises with each change of the text.
    version: u64,
}

#[derive(Debug, Clone)]
struct Saved {
    lines: Vec<String>,
    row: usize,
    column: usize,
}

impl Default for TextBox {
    fn default() -> Self {
        Self::new("")
    }
}

impl TextBox {
    pub fn new(text: &str) -> Self {
        Self {
            lines: split(text),
            row: 0,
            column: 0,
            killed: String::new(),
            undo: Vec::new(),
            version: 0,
        }
    }

    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Bytes of the text.
    pub fn bytes(&self) -> usize {
        let text: usize = self.lines.iter().map(String::len).sum();
        text + self.lines.len() - 1
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    pub fn row(&self) -> usize {
        self.row
    }

    /// Replaces the text; undo brings the old one back.
    pub fn set(&mut self, text: &str) {
        self.remember();
        self.lines = split(text);
        self.row = self.row.min(self.lines.len() - 1);
        self.column = 0;
    }

    /// Types text at the cursor.
    pub fn insert(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.remember();
        let mut pieces = split(text).into_iter();
        let first = pieces.next().unwrap_or_default();
        let column = self.column;
        let tail = self.current_mut().split_off(column);
        self.current_mut().push_str(&first);
        let mut added: Vec<String> = pieces.collect();
        match added.last_mut() {
            None => {
                self.column = self.current().len();
                self.current_mut().push_str(&tail);
            }
            Some(last) => {
                let column = last.len();
                last.push_str(&tail);
                let count = added.len();
                let at = self.row + 1;
                self.lines.splice(at..at, added);
                self.row += count;
                self.column = column;
            }
        }
    }

    /// Does an editing action; `page` is the height of the drawn box. False when it is none.
    pub fn act(&mut self, action: Action, page: usize) -> bool {
        match action {
            Action::CharLeft => self.left(),
            Action::CharRight => self.right(),
            Action::WordLeft => self.word_left(),
            Action::WordRight => self.word_right(),
            Action::LineStart => self.column = 0,
            Action::LineEnd => self.column = self.current().len(),
            Action::LineUp => self.move_rows(1, false),
            Action::LineDown => self.move_rows(1, true),
            Action::TextPageUp => self.move_rows(page.max(1), false),
            Action::TextPageDown => self.move_rows(page.max(1), true),
            Action::NewLine => self.new_line(),
            Action::DeleteLeft => self.delete_left(),
            Action::DeleteRight => self.delete_right(),
            Action::DeleteWord => {
                let from = word_before(self.current(), self.column);
                self.cut(from, self.column, true);
            }
            Action::KillStart => self.cut(0, self.column, true),
            Action::KillEnd => self.kill_end(),
            Action::Yank => {
                let killed = self.killed.clone();
                self.insert(&killed);
            }
            Action::Undo => self.take_back(),
            _ => return false,
        }
        true
    }

    fn current(&self) -> &str {
        self.lines.get(self.row).map_or("", String::as_str)
    }

    fn current_mut(&mut self) -> &mut String {
        let last = self.lines.len() - 1;
        &mut self.lines[self.row.min(last)]
    }

    fn remember(&mut self) {
        self.version += 1;
        let size = self.bytes();
        while !self.undo.is_empty()
            && (self.undo.len() >= MAX_UNDO || self.undo.len() * size > MAX_UNDO_BYTES)
        {
            self.undo.remove(0);
        }
        self.undo.push(Saved {
            lines: self.lines.clone(),
            row: self.row,
            column: self.column,
        });
    }

    fn take_back(&mut self) {
        if let Some(saved) = self.undo.pop() {
            self.version += 1;
            self.lines = saved.lines;
            self.row = saved.row;
            self.column = saved.column;
        }
    }

    fn left(&mut self) {
        if self.column == 0 {
            if self.row > 0 {
                self.row -= 1;
                self.column = self.current().len();
            }
            return;
        }
        let head = &self.current()[..self.column];
        self.column = head
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at);
    }

    fn right(&mut self) {
        let step = self.current()[self.column..]
            .graphemes(true)
            .next()
            .map(str::len);
        match step {
            Some(step) => self.column += step,
            None if self.row + 1 < self.lines.len() => {
                self.row += 1;
                self.column = 0;
            }
            None => {}
        }
    }

    fn word_left(&mut self) {
        if self.column == 0 {
            self.left();
        } else {
            self.column = word_before(self.current(), self.column);
        }
    }

    fn word_right(&mut self) {
        if self.column == self.current().len() {
            self.right();
        } else {
            self.column = word_after(self.current(), self.column);
        }
    }

    fn move_rows(&mut self, rows: usize, down: bool) {
        let cell = safe::width(&self.current()[..self.column]);
        self.row = if down {
            (self.row + rows).min(self.lines.len() - 1)
        } else {
            self.row.saturating_sub(rows)
        };
        self.column = safe::take(self.current(), cell).0.len();
    }

    /// A new line keeps the indent, one level deeper after an opening bracket.
    fn new_line(&mut self) {
        let head = &self.current()[..self.column];
        let indent = head.len() - head.trim_start_matches(' ').len();
        let deeper = if head.trim_end().ends_with(['{', '[']) {
            2
        } else {
            0
        };
        let text = format!("\n{}", " ".repeat(indent + deeper));
        self.insert(&text);
    }

    fn cut(&mut self, from: usize, to: usize, keep: bool) {
        if from >= to {
            return;
        }
        self.remember();
        let cut: String = self.current_mut().drain(from..to).collect();
        if keep {
            self.killed = cut;
        }
        self.column = from;
    }

    fn delete_left(&mut self) {
        if self.column > 0 {
            let to = self.column;
            self.left();
            let from = self.column;
            self.cut(from, to, false);
        } else if self.row > 0 {
            self.remember();
            let tail = self.lines.remove(self.row);
            self.row -= 1;
            self.column = self.current().len();
            self.current_mut().push_str(&tail);
        }
    }

    fn delete_right(&mut self) {
        let step = self.current()[self.column..]
            .graphemes(true)
            .next()
            .map(str::len);
        match step {
            Some(step) => self.cut(self.column, self.column + step, false),
            None => self.join_next(),
        }
    }

    fn kill_end(&mut self) {
        if self.column < self.current().len() {
            let end = self.current().len();
            self.cut(self.column, end, true);
        } else {
            "\n".clone_into(&mut self.killed);
            self.join_next();
        }
    }

    fn join_next(&mut self) {
        if self.row + 1 < self.lines.len() {
            self.remember();
            let next = self.lines.remove(self.row + 1);
            self.current_mut().push_str(&next);
        }
    }

    /// Puts the cursor on a cell of the drawn box.
    pub fn click(&mut self, area: Rect, top: usize, column: u16, row: u16) {
        let row = (top + usize::from(row)).min(self.lines.len() - 1);
        // As it was drawn: with the cursor where it was.
        let from = self.first_cell(area.width, row);
        self.row = row;
        let cell = usize::from(column.saturating_sub(GUTTER)) + from;
        self.column = safe::take(self.current(), cell).0.len();
    }

    /// First cell drawn of a row: only the row with the cursor moves sideways.
    fn first_cell(&self, width: u16, row: usize) -> usize {
        if row != self.row {
            return 0;
        }
        let room = usize::from(width.saturating_sub(GUTTER)).max(1);
        let at = safe::width(&self.current()[..self.column]);
        (at + 1).saturating_sub(room)
    }

    /// Draws the window around the cursor. `fault` is the row marked in the gutter, `colour` paints JSON.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, view: &TextView) -> Metrics {
        let rows = usize::from(area.height);
        let lowest = (self.row + 1).saturating_sub(rows);
        let top = view.top.clamp(lowest, self.row.max(lowest));
        for (index, text) in self.lines.iter().enumerate().skip(top).take(rows) {
            let y = area.y + u16::try_from(index - top).unwrap_or(0);
            self.draw_row(canvas, area, y, (index, text), view);
        }
        Metrics {
            top,
            rows,
            end: self.lines.len().saturating_sub(rows),
        }
    }

    fn draw_row(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        y: u16,
        (index, text): (usize, &str),
        view: &TextView,
    ) {
        let at_fault = view.fault == Some(index);
        let sign = if at_fault { "!" } else { " " };
        let paint = if at_fault { Token::Error } else { Token::Muted };
        canvas.put(
            area.x,
            y,
            GUTTER,
            &format!("{sign}{:>3} ", index + 1),
            paint,
        );
        let from = self.first_cell(area.width, index);
        let (hidden, skipped) = safe::take(text, from);
        let tail = &text[hidden.len()..];
        let room = area.width.saturating_sub(GUTTER);
        // A very long line is painted only as far as it is seen.
        let (seen, _) = safe::take(tail, usize::from(room) + 1);
        let line = if view.colour {
            json::paint_line(seen)
        } else {
            Line::text(seen.to_owned())
        };
        canvas.line(area.x + GUTTER, y, room, &line);
        if skipped > 0 {
            canvas.put(area.x + GUTTER - 1, y, 1, "‹", Token::Muted);
        }
        if view.focus && index == self.row {
            let at = safe::width(&text[..self.column]).saturating_sub(skipped);
            let at = u16::try_from(at).unwrap_or(0).min(room.saturating_sub(1));
            canvas.cursor(area.x + GUTTER + at, y);
        }
    }
}

/// How a text box is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextView {
    /// First row of the last drawing.
    pub top: usize,
    pub focus: bool,
    /// Row with a fault, from 0.
    pub fault: Option<usize>,
    pub colour: bool,
}

/// Cells of the line numbers.
const GUTTER: u16 = 5;

fn split(text: &str) -> Vec<String> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_pasting_and_undo() {
        let mut text = TextBox::new("");
        text.insert("{\"a\": 1}");
        text.act(Action::CharLeft, 1);
        text.act(Action::NewLine, 1);
        assert_eq!(text.text(), "{\"a\": 1\n}");
        text.insert("x\ny\nz");
        assert_eq!(text.text(), "{\"a\": 1\nx\ny\nz}");
        assert_eq!(text.row(), 3);
        text.act(Action::Undo, 1);
        assert_eq!(text.text(), "{\"a\": 1\n}");
    }

    #[test]
    fn lines_join_and_split() {
        let mut text = TextBox::new("ab\ncd");
        text.act(Action::LineDown, 1);
        text.act(Action::DeleteLeft, 1);
        assert_eq!(text.text(), "abcd");
        text.act(Action::KillEnd, 1);
        assert_eq!(text.text(), "ab");
        text.act(Action::Yank, 1);
        assert_eq!(text.text(), "abcd");
        assert_eq!(text.bytes(), 4);
    }

    #[test]
    fn a_new_line_keeps_the_indent_and_goes_deeper_after_a_bracket() {
        let mut text = TextBox::new("  {");
        text.act(Action::LineEnd, 1);
        text.act(Action::NewLine, 1);
        text.insert("x");
        assert_eq!(text.text(), "  {\n    x");
    }

    #[test]
    fn columns_are_kept_by_cell_over_wide_text() {
        let mut text = TextBox::new("中文字\nabcdef");
        for _ in 0..2 {
            text.act(Action::CharRight, 1);
        }
        text.act(Action::LineDown, 1);
        text.insert("|");
        assert_eq!(text.text(), "中文字\nabcd|ef");
    }
}
