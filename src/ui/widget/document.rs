//! Text to read: the detail halves of panes, help, pages. Only the window is drawn.

use ratatui::layout::Rect;

use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::chart::{self, Chart};
use crate::ui::widget::flow::flow;
use crate::ui::widget::frame;
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;
use crate::ui::widget::table::{Align, Column};

/// Cells of the labels' column, unless a label is longer.
const LABEL: usize = 10;
/// Cells between the columns of a table.
const GAP: usize = 2;

#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Text as it is: cut where it is too long, or broken where the reader wants that.
    Line(Line),
    /// A label and its value, which goes on below itself.
    Field(&'static str, Line),
    /// Text that goes on in the next rows, behind so many blanks.
    Flow(Line, usize),
    /// A heading with a rule.
    Rule(Line),
    Chart(Chart),
    /// Numbers in columns; where it is narrow, columns go as in a list.
    Table(&'static [Column], Vec<Vec<Line>>),
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
        self.blocks.push(Block::Field(label, value));
    }

    /// A sentence, in as many rows as it takes.
    pub fn note(&mut self, line: impl Into<Line>) {
        self.flow(line, 0);
    }

    /// A line that goes on behind `hang` blanks.
    pub fn flow(&mut self, line: impl Into<Line>, hang: usize) {
        self.blocks.push(Block::Flow(line.into(), hang));
    }

    pub fn rule(&mut self, title: impl Into<Line>) {
        self.blocks.push(Block::Rule(title.into()));
    }

    pub fn chart(&mut self, chart: Chart) {
        self.blocks.push(Block::Chart(chart));
    }

    /// Rows under column names.
    pub fn table(&mut self, columns: &'static [Column], rows: Vec<Vec<Line>>) {
        self.blocks.push(Block::Table(columns, rows));
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The text of all lines.
    pub fn plain(&self) -> String {
        let labels = self.labels();
        let lines: Vec<String> = self
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Line(line) | Block::Rule(line) | Block::Flow(line, _) => Some(line.plain()),
                Block::Field(label, value) => Some(labelled(label, value, labels).plain()),
                Block::Table(columns, rows) => Some(
                    columns_in_rows(columns, rows, usize::from(u16::MAX))
                        .iter()
                        .map(Line::plain)
                        .collect::<Vec<_>>()
                        .join("\n"),
                ),
                Block::Chart(_) => None,
            })
            .collect();
        lines.join("\n")
    }

    /// Cells of the labels' column: values stand one below the other.
    fn labels(&self) -> usize {
        let labels = self.blocks.iter().filter_map(|block| match block {
            Block::Field(label, _) => Some(safe::width(label) + 1),
            _ => None,
        });
        labels.fold(LABEL, usize::max)
    }

    /// Draws from row `top` on and says what fits. Broken lines count as rows; other lines are broken if `wrap`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, top: usize, wrap: bool) -> Metrics {
        let rows = usize::from(area.height);
        let sheet = Sheet {
            labels: self.labels(),
            width: usize::from(area.width),
            wrap,
            plain: canvas.look.plain,
        };
        let pieces: Vec<Piece<'_>> = self.blocks.iter().map(|block| sheet.piece(block)).collect();
        let total: usize = pieces.iter().map(|piece| sheet.height(piece)).sum();
        let end = total.saturating_sub(rows);
        let top = top.min(end);
        let mut at = 0_usize;
        for piece in &pieces {
            if at >= top + rows {
                break;
            }
            let tall = sheet.height(piece);
            if at + tall > top {
                draw_piece(canvas, area, piece, at, top);
            }
            at += tall;
        }
        Metrics { top, rows, end }
    }
}

/// A block laid out for a width.
enum Piece<'a> {
    Whole(&'a Line),
    Rows(Vec<Line>),
    Rule(&'a Line),
    Chart(&'a Chart),
}

/// What blocks are laid out for.
struct Sheet {
    labels: usize,
    width: usize,
    wrap: bool,
    plain: bool,
}

impl Sheet {
    fn piece<'a>(&self, block: &'a Block) -> Piece<'a> {
        match block {
            Block::Line(line) if self.wrap => Piece::Rows(flow(line, self.width, indent(line))),
            Block::Line(line) => Piece::Whole(line),
            Block::Flow(line, hang) => Piece::Rows(flow(line, self.width, *hang)),
            Block::Field(label, value) => {
                let line = labelled(label, value, self.labels);
                Piece::Rows(flow(&line, self.width, self.labels))
            }
            Block::Rule(title) => Piece::Rule(title),
            Block::Chart(chart) => Piece::Chart(chart),
            Block::Table(columns, rows) => Piece::Rows(columns_in_rows(columns, rows, self.width)),
        }
    }

    fn height(&self, piece: &Piece<'_>) -> usize {
        match piece {
            Piece::Whole(_) | Piece::Rule(_) => 1,
            Piece::Rows(rows) => rows.len(),
            Piece::Chart(chart) => chart.height(self.plain),
        }
    }
}

/// A table as lines of `width` cells: the columns that fit, each as wide as its widest value.
fn columns_in_rows(columns: &[Column], rows: &[Vec<Line>], width: usize) -> Vec<Line> {
    let wide = |at: usize| {
        let values = rows.iter().filter_map(|row| row.get(at)).map(Line::width);
        values.fold(safe::width(columns[at].name), usize::max)
    };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needs = |kept: &[usize]| kept.iter().map(|at| wide(*at) + GAP).sum::<usize>();
    while needs(&kept) > width + GAP {
        let droppable = kept.iter().copied().filter(|at| columns[*at].drop > 0);
        match droppable.max_by_key(|at| columns[*at].drop) {
            Some(goes) => kept.retain(|at| *at != goes),
            None => break,
        }
    }
    let line = |cell: &dyn Fn(usize) -> Line| {
        let cells = kept.iter().enumerate().map(|(slot, at)| {
            let cell = cell(*at);
            let pad = " ".repeat(wide(*at).saturating_sub(cell.width()));
            let gap = Line::text(if slot == 0 { "" } else { "  " });
            match columns[*at].align {
                Align::Left => gap.join(cell).then(pad),
                Align::Right => gap.then(pad).join(cell),
            }
        });
        cells.fold(Line::new(), Line::join)
    };
    let header = line(&|at| Line::muted(columns[at].name));
    let body = rows
        .iter()
        .map(|row| line(&|at| row.get(at).cloned().unwrap_or_default()));
    std::iter::once(header).chain(body).collect()
}

fn labelled(label: &'static str, value: &Line, labels: usize) -> Line {
    Line::muted(format!("{label:<labels$}")).join(value.clone())
}

/// Rows of broken text stand below its first letter.
fn indent(line: &Line) -> usize {
    let first = line.0.first().map_or("", |span| &span.text);
    first.len() - first.trim_start_matches(' ').len()
}

/// Draws the rows of a piece that lie in the window; its first row is row `at` of the document.
fn draw_piece(canvas: &mut Canvas<'_>, area: Rect, piece: &Piece<'_>, at: usize, top: usize) {
    let row_of = |row: usize| {
        let offset = row.checked_sub(top)?;
        let y = u16::try_from(offset).ok().filter(|y| *y < area.height)?;
        Some(area.y + y)
    };
    match piece {
        Piece::Rows(rows) => {
            for (index, row) in rows.iter().enumerate() {
                if let Some(y) = row_of(at + index) {
                    canvas.line(area.x, y, area.width, row);
                }
            }
        }
        Piece::Whole(line) => {
            if let Some(y) = row_of(at) {
                canvas.line(area.x, y, area.width, line);
            }
        }
        Piece::Rule(title) => {
            if let Some(y) = row_of(at) {
                let row = Rect {
                    y,
                    height: 1,
                    ..area
                };
                frame::rule(canvas, row, title);
            }
        }
        Piece::Chart(chart) => {
            if let Some(y) = row_of(at) {
                let tall = chart.height(canvas.look.plain);
                let left = area.bottom() - y;
                let room = Rect {
                    y,
                    height: u16::try_from(tall).unwrap_or(left).min(left),
                    ..area
                };
                if usize::from(left) >= tall {
                    chart::draw(canvas, room, chart);
                } else {
                    // Where bars would be cut, the numbers stand alone.
                    let as_table = Chart {
                        as_table: true,
                        ..(*chart).clone()
                    };
                    chart::draw(canvas, room, &as_table);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_up_columns_and_keeps_numbers_whole() {
        const COLUMNS: &[Column] = &[
            Column::right("queue", 0, 0),
            Column::right("max", 0, 2),
            Column::left("last in", 0, 0, 1),
        ];
        let row = ["0", "1,204,310", "2 s ago"].map(Line::text).to_vec();
        let lines = |width| -> Vec<String> {
            let lines = columns_in_rows(COLUMNS, std::slice::from_ref(&row), width);
            lines.iter().map(Line::plain).collect()
        };
        assert_eq!(
            lines(25),
            ["queue        max  last in", "    0  1,204,310  2 s ago"]
        );
        assert_eq!(lines(24), ["queue  last in", "    0  2 s ago"]);
        assert_eq!(lines(10), ["queue", "    0"]);
    }

    #[test]
    fn values_stand_below_each_other_whatever_the_labels() {
        let mut document = Document::new();
        document.field("id", "1");
        document.field("last error", "one two three");
        assert_eq!(document.plain(), "id         1\nlast error one two three");
    }
}
