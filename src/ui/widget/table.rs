//! Tables that draw only their window, and give up columns in a fixed order when room is short.

use ratatui::layout::Rect;

use crate::ui::state::places::PaneId;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::safe;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// How a value that does not fit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    End,
    /// For ids.
    Middle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// Cells it needs to be worth showing.
    pub min: u16,
    /// Cells it uses when there is room; `u16::MAX` takes the rest.
    pub max: u16,
    pub align: Align,
    pub cut: Cut,
    /// Who goes first when room is short: the highest; 0 never goes.
    pub drop: u8,
    /// A small chart, which plain screens do without.
    pub chart: bool,
}

impl Column {
    pub const fn left(name: &'static str, min: u16, max: u16, drop: u8) -> Self {
        Self {
            name,
            min,
            max,
            align: Align::Left,
            cut: Cut::End,
            drop,
            chart: false,
        }
    }

    pub const fn right(name: &'static str, width: u16, drop: u8) -> Self {
        Self {
            name,
            min: width,
            max: width,
            align: Align::Right,
            cut: Cut::End,
            drop,
            chart: false,
        }
    }

    pub const fn chart(name: &'static str, width: u16, drop: u8) -> Self {
        Self {
            chart: true,
            ..Self::left(name, width, width, drop)
        }
    }

    pub const fn id(name: &'static str, min: u16, max: u16, drop: u8) -> Self {
        Self {
            name,
            min,
            max,
            align: Align::Left,
            cut: Cut::Middle,
            drop,
            chart: false,
        }
    }
}

/// Where a shown column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Index among all columns.
    pub column: usize,
    pub x: u16,
    pub width: u16,
}

/// Cells between columns.
const GAP: u16 = 2;
/// Cells left of the first column: selection marker and mark.
const MARGIN: u16 = 3;

/// Which columns fit into `width`, and where. `skip` columns after those that never go are scrolled away; there are no
/// charts where the look is `plain`.
pub fn place(columns: &[Column], width: u16, skip: usize, plain: bool) -> Vec<Placed> {
    let mut kept: Vec<usize> = Vec::new();
    let mut to_skip = skip;
    for (index, column) in columns.iter().enumerate() {
        if plain && column.chart {
            continue;
        }
        if column.drop > 0 && to_skip > 0 {
            to_skip -= 1;
        } else {
            kept.push(index);
        }
    }
    let room = width.saturating_sub(MARGIN);
    let needs = |kept: &[usize]| -> u16 {
        let cells: u16 = kept.iter().map(|at| columns[*at].min).sum();
        cells + GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(0)
    };
    while needs(&kept) > room {
        let last = kept
            .iter()
            .copied()
            .filter(|at| columns[*at].drop > 0)
            .max_by_key(|at| columns[*at].drop);
        match last {
            Some(goes) => kept.retain(|at| *at != goes),
            None => break,
        }
    }
    let mut spare = room.saturating_sub(needs(&kept));
    let mut widths: Vec<u16> = kept.iter().map(|at| columns[*at].min).collect();
    for (slot, at) in kept.iter().enumerate() {
        let wants = columns[*at].max.saturating_sub(columns[*at].min);
        if columns[*at].max != u16::MAX {
            let gets = wants.min(spare);
            widths[slot] += gets;
            spare -= gets;
        }
    }
    if let Some(slot) = kept.iter().position(|at| columns[*at].max == u16::MAX) {
        widths[slot] += spare;
    }
    let mut x = MARGIN;
    kept.iter()
        .zip(widths)
        .map(|(column, width)| {
            let placed = Placed {
                column: *column,
                x,
                width: width.min(room),
            };
            x += width + GAP;
            placed
        })
        .collect()
}

/// What a table shows.
pub struct TableView<'a> {
    pub pane: PaneId,
    pub columns: &'a [Column],
    /// Rows in all.
    pub total: usize,
    pub selected: Option<usize>,
    /// First row of the last drawing.
    pub top: usize,
    /// Columns scrolled away.
    pub skip: usize,
    pub sort: Option<(usize, bool)>,
    pub focus: bool,
    /// Cells of a row, one line per column asked for.
    pub cell: &'a dyn Fn(usize, usize) -> Line,
    /// What a row says that has no cells.
    pub head: &'a dyn Fn(usize) -> Option<Line>,
    pub marked: &'a dyn Fn(usize) -> bool,
}

impl TableView<'_> {
    /// Draws header and window.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) -> Metrics {
        if area.height == 0 || area.width < 6 {
            return Metrics::default();
        }
        let placed = place(self.columns, area.width, self.skip, canvas.look.plain);
        self.header(canvas, area, &placed);
        let rows = usize::from(area.height - 1);
        let top = window(self.top, self.selected, rows, self.total);
        for slot in 0..rows.min(self.total.saturating_sub(top)) {
            let y = area.y + 1 + u16::try_from(slot).unwrap_or(0);
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            self.row(canvas, row, top + slot, &placed);
        }
        let body = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        frame::scrollbar(canvas, body, top, rows, self.total);
        Metrics {
            top,
            rows,
            end: self.total.saturating_sub(rows),
        }
    }

    fn header(&self, canvas: &mut Canvas<'_>, area: Rect, placed: &[Placed]) {
        for spot in placed {
            let column = &self.columns[spot.column];
            let arrow = match self.sort {
                Some((at, descending)) if at == spot.column => {
                    if descending {
                        "▾"
                    } else {
                        "▴"
                    }
                }
                _ => "",
            };
            let text = format!("{}{arrow}", column.name);
            let x = area.x + spot.x;
            if x >= area.right() {
                continue;
            }
            let width = spot.width.min(area.right() - x);
            let line = Line::of(text, Token::Muted);
            match column.align {
                Align::Left => canvas.line(x, area.y, width, &line),
                Align::Right => canvas.line_right(x + width, area.y, width, &line),
            };
            canvas.hit(
                Rect::new(x, area.y, width, 1),
                Target::Header(self.pane, spot.column),
            );
        }
    }

    fn row(&self, canvas: &mut Canvas<'_>, row: Rect, index: usize, placed: &[Placed]) {
        let selected = self.selected == Some(index);
        let head = (self.head)(index);
        if let Some(line) = &head {
            let width = row.width.saturating_sub(MARGIN);
            canvas.line(row.x + MARGIN, row.y, width, line);
        }
        for spot in placed.iter().filter(|_| head.is_none()) {
            let column = &self.columns[spot.column];
            let x = row.x + spot.x;
            if x >= row.right() {
                continue;
            }
            let width = spot.width.min(row.right() - x);
            let line = fit((self.cell)(index, spot.column), column, usize::from(width));
            match column.align {
                Align::Left => canvas.line(x, row.y, width, &line),
                Align::Right => canvas.line_right(x + width, row.y, width, &line),
            };
        }
        if selected {
            if self.focus {
                canvas.select(row);
            }
            canvas.put(row.x, row.y, 1, ">", marker(self.focus));
        }
        if (self.marked)(index) {
            let paint = if selected && self.focus {
                Paint::new(Token::Text).reverse().bold()
            } else {
                Paint::new(Token::Accent).bold()
            };
            canvas.put(row.x + 1, row.y, 1, "*", paint);
        }
        canvas.hit(row, Target::Row(self.pane, index));
    }
}

fn marker(focus: bool) -> Paint {
    if focus {
        Paint::new(Token::Text).reverse().bold()
    } else {
        Paint::new(Token::Accent).bold()
    }
}

/// A value in its column: ids lose their middle.
fn fit(line: Line, column: &Column, cells: usize) -> Line {
    if column.cut == Cut::Middle
        && let [span] = line.0.as_slice()
        && safe::width(&span.text) > cells
    {
        return Line::of(safe::cut_middle(&span.text, cells).into_owned(), span.paint);
    }
    line
}

/// First row of a window of `rows` that holds `selected` and moves as little as possible.
pub fn window(top: usize, selected: Option<usize>, rows: usize, total: usize) -> usize {
    let end = total.saturating_sub(rows);
    let top = top.min(end);
    match selected {
        Some(at) if at < top => at,
        Some(at) if rows > 0 && at >= top + rows => at + 1 - rows,
        _ => top,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::left("NAME", 8, u16::MAX, 0),
        Column::right("MESSAGES", 9, 1),
        Column::right("LAG", 4, 2),
        Column::left("REMARK", 10, 20, 3),
    ];

    #[test]
    fn columns_go_in_their_order_and_the_name_stays() {
        let names = |width, skip| -> Vec<usize> {
            place(COLUMNS, width, skip, false)
                .iter()
                .map(|spot| spot.column)
                .collect()
        };
        assert_eq!(names(60, 0), [0, 1, 2, 3]);
        assert_eq!(names(35, 0), [0, 1, 2]);
        assert_eq!(names(25, 0), [0, 1]);
        assert_eq!(names(12, 0), [0]);
        assert_eq!(names(25, 2), [0, 3]);
    }

    #[test]
    fn spare_room_goes_to_bounded_columns_first_and_the_rest_to_the_open_one() {
        let placed = place(COLUMNS, 80, 0, false);
        assert_eq!(placed[3].width, 20);
        let last = placed.last().unwrap();
        assert_eq!(last.x + last.width, 80);
    }

    #[test]
    fn a_window_follows_the_selection_as_little_as_needed() {
        assert_eq!(window(0, Some(5), 10, 100), 0);
        assert_eq!(window(0, Some(10), 10, 100), 1);
        assert_eq!(window(50, Some(40), 10, 100), 40);
        assert_eq!(window(95, Some(99), 10, 100), 90);
        assert_eq!(window(5, None, 10, 3), 0);
    }
}
