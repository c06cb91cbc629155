//! The one way text reaches the screen: cleaned, cut with a sign, painted by token.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::ui::theme::{Theme, Token};
use crate::ui::widget::hits::{Hits, Target};
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::safe;

/// How everything is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    /// Every cell is ASCII.
    pub ascii: bool,
    /// No borders and no charts, for screen readers.
    pub plain: bool,
    /// Running work shows a moving sign.
    pub motion: bool,
}

/// A buffer with a look, and the answer of the drawing.
pub struct Canvas<'a> {
    pub buffer: &'a mut Buffer,
    pub look: &'a Look,
    pub hits: Hits,
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, look: &'a Look) -> Self {
        let area = buffer.area;
        let mut canvas = Self {
            buffer,
            look,
            hits: Hits::default(),
        };
        canvas.clear(area);
        canvas
    }

    /// The style of a paint.
    pub fn style(&self, paint: impl Into<Paint>) -> Style {
        let paint = paint.into();
        let mut style = self.look.theme.style(paint.token);
        for (on, modifier) in [
            (paint.bold, Modifier::BOLD),
            (paint.reverse, Modifier::REVERSED),
            (paint.underline, Modifier::UNDERLINED),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// Blanks an area, and a wide character that reaches into it from the left.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        let style = self.style(Token::Text);
        for y in area.top()..area.bottom() {
            let before = area.x.checked_sub(1).filter(|_| area.width > 0);
            if let Some(cell) = before.and_then(|x| self.buffer.cell_mut((x, y)))
                && safe::width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
        }
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }

    /// Writes `text` from a cell on, within `cells`; what does not fit is cut with a sign. Returns the cells used.
    pub fn put(&mut self, x: u16, y: u16, cells: u16, text: &str, paint: impl Into<Paint>) -> u16 {
        let style = self.style(paint);
        let text = safe::cut_end(text, usize::from(cells));
        self.raw(x, y, cells, &text, style)
    }

    /// Writes text that fits, in a style.
    fn raw(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let mut used = 0;
        let ascii = self.look.ascii;
        let buffer = &mut *self.buffer;
        safe::pieces(text, &mut |piece| {
            if piece.stand_in {
                let style = style.add_modifier(Modifier::DIM);
                for c in piece.text.chars() {
                    if used >= cells {
                        return false;
                    }
                    used += set(buffer, x + used, y, &symbol(c, ascii), 1, style);
                }
                return true;
            }
            if used + piece.width > cells {
                return false;
            }
            used += if ascii && !piece.text.is_ascii() {
                let c = piece.text.chars().next().unwrap_or('?');
                let mut set_cells = 0;
                for _ in 0..piece.width {
                    set_cells += set(buffer, x + used + set_cells, y, &symbol(c, true), 1, style);
                }
                set_cells
            } else {
                set(buffer, x + used, y, &piece.text, piece.width, style)
            };
            true
        });
        used
    }

    /// Writes a line of spans; the last one that fits in part is cut with a sign.
    pub fn line(&mut self, x: u16, y: u16, cells: u16, line: &Line) -> u16 {
        let mut used = 0;
        for (index, span) in line.0.iter().enumerate() {
            if used >= cells {
                break;
            }
            let left = cells - used;
            let more: usize = line.0[index + 1..]
                .iter()
                .map(|span| safe::width(&span.text))
                .sum();
            let fits = safe::width(&span.text) + more.min(1) <= usize::from(left) || more == 0;
            if fits {
                used += self.put(x + used, y, left, &span.text, span.paint);
            } else {
                // Something of this span or of the next is lost, so the sign stands here.
                let style = self.style(span.paint);
                let (head, _) = safe::take(&span.text, usize::from(left - 1));
                used += self.raw(x + used, y, left - 1, head, style);
                used += self.raw(x + used, y, 1, "…", style);
                break;
            }
        }
        used
    }

    /// Writes a line so that it ends at `right`, the first cell after it. Returns its first cell.
    pub fn line_right(&mut self, right: u16, y: u16, cells: u16, line: &Line) -> u16 {
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(cells);
        let x = right.saturating_sub(width);
        self.line(x, y, width, line);
        x
    }

    /// Repaints an area: selection, focus.
    pub fn repaint(&mut self, area: Rect, paint: impl Into<Paint>) {
        let style = self.style(paint);
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.set_style(style);
            }
        }
    }

    /// Selection: the whole row in reverse video, in one colour, whatever was painted there.
    pub fn select(&mut self, area: Rect) {
        let style = self.look.theme.select();
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.set_style(style.remove_modifier(Modifier::DIM));
            }
        }
    }

    pub fn hit(&mut self, area: Rect, target: Target) {
        self.hits.add(area, target);
    }

    /// Puts the terminal's cursor on a cell.
    pub fn cursor(&mut self, x: u16, y: u16) {
        self.hits.cursor = Some(Position::new(x, y));
    }

    pub fn area(&self) -> Rect {
        self.buffer.area
    }
}

fn set(buffer: &mut Buffer, x: u16, y: u16, text: &str, width: u16, style: Style) -> u16 {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(text).set_style(style);
    }
    for extra in 1..width {
        if let Some(cell) = buffer.cell_mut((x + extra, y)) {
            cell.reset();
            cell.set_style(style);
        }
    }
    width
}

/// The symbol of a character; in ASCII mode its nearest ASCII sign, one cell wide.
fn symbol(c: char, ascii: bool) -> String {
    if !ascii || c.is_ascii() {
        return c.to_string();
    }
    let sign = match c {
        '●' | '•' => '*',
        '○' | '◌' => 'o',
        '◐' | '◓' | '◑' | '◒' | '…' => '~',
        '▲' => '!',
        '✖' => 'x',
        '✓' => '+',
        '·' => '-',
        '→' | '▸' | '›' | '⟩' => '>',
        '←' | '◂' | '‹' | '⟨' => '<',
        '▾' | '▼' | '↓' => 'v',
        '▴' | '↑' => '^',
        '─' | '━' | '╴' => '-',
        '│' | '┃' | '┤' | '┊' | '▌' => '|',
        '╭' | '╮' | '╰' | '╯' | '┏' | '┓' | '┗' | '┛' | '┼' | '├' => '+',
        '▁' | '▏' | '░' => '.',
        '▂' | '▃' | '▎' | '▍' => ':',
        '▄' | '▅' | '▋' => '-',
        '▆' | '▇' | '▊' | '▉' => '=',
        '█' => '#',
        '␛' => '^',
        '≥' => '>',
        '×' => 'x',
        '½' => '~',
        c if ('\u{2400}'..='\u{2421}').contains(&c) => '^',
        _ => '?',
    };
    sign.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Depth;

    fn drawn(ascii: bool, width: u16, draw: impl FnOnce(&mut Canvas<'_>)) -> String {
        let look = Look {
            theme: Theme::builtin("mono", Depth::Mono).unwrap(),
            ascii,
            plain: false,
            motion: false,
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        let mut canvas = Canvas::new(&mut buffer, &look);
        draw(&mut canvas);
        (0..width)
            .map(|x| buffer[(x, 0)].symbol().to_owned())
            .collect()
    }

    #[test]
    fn text_is_cut_with_a_sign_and_cleaned() {
        let shown = drawn(false, 8, |c| {
            c.put(0, 0, 8, "\u{1b}]0;title\u{7}", Token::Text);
        });
        assert_eq!(shown, "␛]0;tit…");
    }

    #[test]
    fn a_line_shows_a_sign_when_a_later_span_is_lost() {
        let line = Line::text("abcd").then("efgh");
        let shown = drawn(false, 4, |c| {
            c.line(0, 0, 4, &line);
        });
        assert_eq!(shown, "abc…");
        let shown = drawn(false, 6, |c| {
            c.line(0, 0, 6, &line);
        });
        assert_eq!(shown, "abcde…");
    }

    #[test]
    fn ascii_mode_keeps_every_cell_ascii_and_every_width() {
        let shown = drawn(true, 10, |c| {
            c.put(0, 0, 10, "● 中 → é", Token::Text);
        });
        assert_eq!(shown, "* ?? > ?  ");
    }

    #[test]
    fn a_wide_character_never_straddles_the_edge() {
        let shown = drawn(false, 3, |c| {
            c.put(0, 0, 3, "中文", Token::Text);
        });
        assert_eq!(shown, "中 …");
    }
}
