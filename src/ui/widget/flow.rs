//! Lines broken into rows: between parts first, then between words, and only then inside a word.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::safe;

/// Blanks that set two parts of a line apart.
const GAP: usize = 3;

/// A run of blanks, or of anything else, in one paint.
struct Token<'a> {
    text: &'a str,
    paint: Paint,
    blank: bool,
    width: usize,
}

/// `line` in rows of at most `cells`; every row but the first begins with `hang` blanks.
pub fn flow(line: &Line, cells: usize, hang: usize) -> Vec<Line> {
    let cells = cells.max(8);
    if line.width() <= cells {
        return vec![line.clone()];
    }
    let hang = hang.min(cells / 2);
    let tokens = tokens(line);
    let mut rows = Rows {
        done: Vec::new(),
        row: Line::new(),
        used: 0,
        start: 0,
        cells,
        hang,
    };
    for (at, token) in tokens.iter().enumerate() {
        if token.blank {
            let part = part_width(&tokens[at + 1..]);
            let breaks = token.width >= GAP
                && rows.used > rows.start
                && rows.used + token.width + part > cells
                && part <= cells - hang;
            if breaks {
                rows.next();
            } else if rows.used > rows.start || rows.done.is_empty() {
                rows.put(token.text, token.paint, token.width.min(cells));
            }
        } else {
            let needs = token.width + sign_follower(&tokens[at..]);
            // A word longer than any row begins where it stands.
            let fits_a_row = token.width <= cells - hang;
            if rows.used + needs > cells && rows.used > rows.start && fits_a_row {
                rows.next();
            }
            rows.word(token);
        }
    }
    rows.end()
}

/// Cells up to the next gap between parts.
fn part_width(tokens: &[Token<'_>]) -> usize {
    let part = tokens.iter().take_while(|t| !(t.blank && t.width >= GAP));
    part.map(|t| t.width).sum()
}

/// A sign such as `✖` stays with the word after it: the cells that takes.
fn sign_follower(tokens: &[Token<'_>]) -> usize {
    match tokens {
        [sign, blank, word, ..] if sign.width == 1 && !sign.text.is_ascii() && blank.width == 1 => {
            1 + word.width
        }
        _ => 0,
    }
}

fn tokens(line: &Line) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for span in &line.0 {
        let mut rest: &str = &span.text;
        while let Some(first) = rest.chars().next() {
            let blank = first == ' ';
            let end = rest.find(|c| (c == ' ') != blank).unwrap_or(rest.len());
            let (text, tail) = rest.split_at(end);
            tokens.push(Token {
                text,
                paint: span.paint,
                blank,
                width: safe::width(text),
            });
            rest = tail;
        }
    }
    tokens
}

struct Rows {
    done: Vec<Line>,
    row: Line,
    used: usize,
    /// Cells of the row's indent.
    start: usize,
    cells: usize,
    hang: usize,
}

impl Rows {
    fn next(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        if let Some(last) = row.0.last_mut()
            && last.text.ends_with(' ')
        {
            last.text = last.text.trim_end().to_owned().into();
        }
        row.0.retain(|span| !span.text.is_empty());
        self.done.push(row);
        self.row = Line::text(" ".repeat(self.hang));
        self.start = self.hang;
        self.used = self.hang;
    }

    fn put(&mut self, text: &str, paint: Paint, width: usize) {
        self.row.push(text.to_owned(), paint);
        self.used += width;
    }

    /// A word, in pieces where it is longer than a row.
    fn word(&mut self, token: &Token<'_>) {
        let mut rest = token.text;
        loop {
            let (mut head, _) = safe::take(rest, self.cells.saturating_sub(self.used));
            if head.len() == rest.len() {
                break;
            }
            if head.is_empty() {
                if self.used > self.start {
                    self.next();
                    continue;
                }
                // Wider than a whole row: it is cut when it is drawn.
                head = rest.graphemes(true).next().unwrap_or(rest);
            }
            let tail = &rest[head.len()..];
            self.put(head, token.paint, safe::width(head));
            if tail.is_empty() {
                return;
            }
            self.next();
            rest = tail;
        }
        self.put(rest, token.paint, safe::width(rest));
    }

    fn end(mut self) -> Vec<Line> {
        if self.used > self.start {
            self.next();
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Token as Color;

    fn rows(line: &Line, cells: usize, hang: usize) -> Vec<String> {
        let rows = flow(line, cells, hang);
        rows.iter().map(Line::plain).collect()
    }

    #[test]
    fn parts_stay_whole_where_a_row_can_hold_them() {
        let line = Line::muted("ready     ").then("4   in flight 1   retrying 0   parked 2");
        let expected = [
            "ready     4   in flight 1",
            "          retrying 0   parked 2",
        ];
        assert_eq!(rows(&line, 36, 10), expected);
    }

    #[test]
    fn long_parts_break_between_words_and_long_words_anywhere() {
        let line = Line::text("one two three");
        assert_eq!(rows(&line, 9, 2), ["one two", "  three"]);
        assert_eq!(
            rows(&Line::text("abcdefghijkl"), 8, 0),
            ["abcdefgh", "ijkl"]
        );
        assert_eq!(
            rows(&Line::text("中文中文中文"), 9, 2),
            ["中文中文", "  中文"]
        );
    }

    #[test]
    fn a_sign_stays_with_its_word() {
        let line = Line::text("invoke 1   ✖ KeyError · logger");
        let expected = ["invoke 1", "  ✖ KeyError", "  · logger"];
        assert_eq!(rows(&line, 14, 2), expected);
    }

    #[test]
    fn an_indent_stays_and_paint_stays_with_its_text() {
        let line = Line::text("    \"key\": ").put("\"a long value\"", Color::JsonString);
        let flowed = flow(&line, 16, 6);
        assert_eq!(flowed[0].plain(), "    \"key\": \"a");
        let last = flowed.last().and_then(|row| row.0.last()).unwrap();
        assert_eq!(last.paint, Paint::new(Color::JsonString));
    }

    #[test]
    fn nothing_but_blanks_is_lost() {
        let text = "a bb   ccc dddd-eeeeeeeeeeeeeeeeee   中文字符 🚀 f".repeat(3);
        for cells in 8..40 {
            for hang in [0, 3, 10] {
                let rows = rows(&Line::text(text.clone()), cells, hang);
                assert!(
                    rows.iter().all(|row| safe::width(row) <= cells),
                    "{cells} {hang}"
                );
                let squeeze = |text: &str| text.replace(' ', "");
                assert_eq!(squeeze(&rows.concat()), squeeze(&text), "{cells} {hang}");
            }
        }
    }
}
