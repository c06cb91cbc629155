//! Text to read: the detail halves of panes, help, pages. Only the window is drawn.

use ratatui::layout::Rect;

use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::chart::{self, Chart};
use crate::ui::widget::frame;
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::line::{Line, Span};
use crate::ui::widget::safe;

/// Cells of a field's label.
pub const LABEL: usize = 10;

#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Line(Line),
    /// A heading with a rule.
    Rule(Line),
    Chart(Chart),
}

/// Blocks from top to bottom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    pub blocks: Vec<Block>,
}

impl Document {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn line(&mut self, line: impl Into<Line>) {
        self.blocks.push(Block::Line(line.into()));
    }

    pub fn blank(&mut self) {
        self.line(Line::new());
    }

    /// A label and its value; a value without text shows `-`.
    pub fn field(&mut self, label: &'static str, value: impl Into<Line>) {
        let value = value.into();
        let value = if value.is_empty() {
            Line::muted("-")
        } else {
            value
        };
        let gap = LABEL.saturating_sub(safe::width(label)).max(1);
        let label = format!("{label}{}", " ".repeat(gap));
        self.line(Line::muted(label).join(value));
    }

    pub fn rule(&mut self, title: impl Into<Line>) {
        self.blocks.push(Block::Rule(title.into()));
    }

    pub fn chart(&mut self, chart: Chart) {
        self.blocks.push(Block::Chart(chart));
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The text of all lines.
    pub fn plain(&self) -> String {
        let lines: Vec<String> = self
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Line(line) | Block::Rule(line) => Some(line.plain()),
                Block::Chart(_) => None,
            })
            .collect();
        lines.join("\n")
    }

    /// Draws from row `top` on and says what fits. Wrapped lines count as rows.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, top: usize, wrap: bool) -> Metrics {
        let rows = usize::from(area.height);
        let total: usize = self
            .blocks
            .iter()
            .map(|block| height(block, area.width, wrap, canvas.look.plain))
            .sum();
        let end = total.saturating_sub(rows);
        let top = top.min(end);
        let mut at = 0_usize;
        for block in &self.blocks {
            if at >= top + rows {
                break;
            }
            let tall = height(block, area.width, wrap, canvas.look.plain);
            if at + tall > top {
                draw_block(canvas, area, block, at, top, wrap);
            }
            at += tall;
        }
        Metrics { top, rows, end }
    }
}

fn height(block: &Block, width: u16, wrap: bool, plain: bool) -> usize {
    match block {
        Block::Line(line) if wrap => wrapped(line, width).len(),
        Block::Line(_) | Block::Rule(_) => 1,
        Block::Chart(chart) => chart.height(plain),
    }
}

/// Draws the rows of a block that lie in the window; the block's first row is row `at` of the document.
fn draw_block(
    canvas: &mut Canvas<'_>,
    area: Rect,
    block: &Block,
    at: usize,
    top: usize,
    wrap: bool,
) {
    let row_of = |row: usize| {
        let offset = row.checked_sub(top)?;
        let y = u16::try_from(offset).ok().filter(|y| *y < area.height)?;
        Some(area.y + y)
    };
    match block {
        Block::Line(line) if wrap => {
            for (index, row) in wrapped(line, area.width).iter().enumerate() {
                if let Some(y) = row_of(at + index) {
                    canvas.line(area.x, y, area.width, row);
                }
            }
        }
        Block::Line(line) => {
            if let Some(y) = row_of(at) {
                canvas.line(area.x, y, area.width, line);
            }
        }
        Block::Rule(title) => {
            if let Some(y) = row_of(at) {
                let row = Rect {
                    y,
                    height: 1,
                    ..area
                };
                frame::rule(canvas, row, title);
            }
        }
        Block::Chart(chart) => {
            let tall = chart.height(canvas.look.plain);
            // A chart is drawn whole or, where it is cut by the window, as its text rows.
            if let Some(y) = row_of(at).filter(|y| usize::from(area.bottom() - y) >= tall) {
                let room = Rect {
                    y,
                    height: u16::try_from(tall).unwrap_or(area.height),
                    ..area
                };
                chart::draw(canvas, room, chart);
            }
        }
    }
}

/// A line in rows of `width` cells; continuation rows of a field keep its indent.
pub fn wrapped(line: &Line, width: u16) -> Vec<Line> {
    let cells = usize::from(width).max(8);
    if line.width() <= cells {
        return vec![line.clone()];
    }
    let indent = indent_of(line, cells);
    let mut rows = vec![Line::new()];
    let mut used = 0;
    for span in &line.0 {
        let mut rest: &str = &span.text;
        loop {
            let room = cells.saturating_sub(used);
            if safe::width(rest) <= room {
                push(&mut rows, rest, span);
                used += safe::width(rest);
                break;
            }
            let (head, _) = safe::take(rest, room);
            let soft = head.rfind(' ').filter(|at| at * 2 > head.len());
            let cut = soft.map_or(head.len(), |at| at + 1);
            let (row, tail) = rest.split_at(cut);
            push(&mut rows, row, span);
            if row.is_empty() && used <= indent {
                // Not even one character fits.
                break;
            }
            rest = tail;
            rows.push(Line::text(" ".repeat(indent)));
            used = indent;
        }
    }
    rows
}

fn push(rows: &mut [Line], text: &str, span: &Span) {
    if let Some(row) = rows.last_mut() {
        row.push(text.to_owned(), span.paint);
    }
}

fn indent_of(line: &Line, cells: usize) -> usize {
    let first = line.0.first().map_or("", |span| &span.text);
    let label = first.len() - first.trim_end().len() >= 1 && first.len() <= LABEL + 2;
    let blanks = first.len() - first.trim_start().len();
    let indent = if label && line.0.len() > 1 {
        safe::width(first)
    } else {
        blanks
    };
    indent.min(cells / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_fields_keep_their_indent_and_lose_nothing() {
        let mut document = Document::new();
        document.field("error", "one two three four five six seven");
        let Block::Line(line) = &document.blocks[0] else {
            panic!()
        };
        let rows = wrapped(line, 24);
        assert!(rows.len() > 1);
        assert!(rows.iter().all(|row| row.width() <= 24));
        assert!(rows[1].plain().starts_with(&" ".repeat(LABEL)));
        let words: Vec<String> = rows
            .iter()
            .flat_map(|row| {
                row.plain()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(words.join(" "), "error one two three four five six seven");
    }
}
