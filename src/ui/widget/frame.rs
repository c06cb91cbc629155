//! Frames around panes and dialogs. Focus is a heavy border and a bold title; a plain look has title lines only.

use ratatui::layout::Rect;

use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::line::{Line, Paint};

/// A frame's titles and whether it has the focus.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    pub title: Line,
    /// At the right end of the top border.
    pub right: Line,
    pub focus: bool,
}

impl Frame {
    pub fn new(title: impl Into<Line>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn right(mut self, right: impl Into<Line>) -> Self {
        self.right = right.into();
        self
    }

    #[must_use]
    pub fn focus(mut self, focus: bool) -> Self {
        self.focus = focus;
        self
    }

    /// Draws it and returns the room inside.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
        if area.width < 4 || area.height < 2 {
            return area;
        }
        if canvas.look.plain {
            self.titles(canvas, Rect { height: 1, ..area }, "");
            return Rect {
                y: area.y + 1,
                height: area.height - 1,
                ..area
            };
        }
        let set = if self.focus { HEAVY } else { LIGHT };
        let token = if self.focus {
            Token::Focus
        } else {
            Token::Border
        };
        Self::border(canvas, area, &set, token);
        let top = Rect {
            x: area.x + 1,
            width: area.width - 2,
            height: 1,
            ..area
        };
        self.titles(canvas, top, set.horizontal);
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }

    fn border(canvas: &mut Canvas<'_>, area: Rect, set: &Set, token: Token) {
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            canvas.put(x, area.y, 1, set.horizontal, token);
            canvas.put(x, bottom, 1, set.horizontal, token);
        }
        for y in area.y + 1..bottom {
            canvas.put(area.x, y, 1, set.vertical, token);
            canvas.put(right, y, 1, set.vertical, token);
        }
        for (x, y, corner) in [
            (area.x, area.y, set.corners[0]),
            (right, area.y, set.corners[1]),
            (area.x, bottom, set.corners[2]),
            (right, bottom, set.corners[3]),
        ] {
            canvas.put(x, y, 1, corner, token);
        }
    }

    fn titles(&self, canvas: &mut Canvas<'_>, row: Rect, rule: &str) {
        let lead = u16::from(!rule.is_empty());
        let room = row.width.saturating_sub(2 * lead + 2);
        let title = painted(&self.title, self.focus);
        let title_width = u16::try_from(title.width()).unwrap_or(u16::MAX).min(room);
        if title_width > 0 {
            let x = row.x + lead;
            canvas.put(x, row.y, 1, " ", Token::Text);
            let used = canvas.line(x + 1, row.y, room, &title);
            canvas.put(x + 1 + used, row.y, 1, " ", Token::Text);
        }
        // The right title gives way first.
        let left = row.width.saturating_sub(title_width + 2 + 2 * lead + 1);
        let right_width = u16::try_from(self.right.width()).unwrap_or(u16::MAX);
        if self.right.is_empty() || left < 6 {
            return;
        }
        let cells = right_width.min(left.saturating_sub(2));
        let x = row.right() - lead - cells - 1;
        canvas.put(x - 1, row.y, 1, " ", Token::Text);
        canvas.line(x, row.y, cells, &self.right);
        canvas.put(x + cells, row.y, 1, " ", Token::Text);
    }
}

fn painted(title: &Line, focus: bool) -> Line {
    let mut title = title.clone();
    for span in &mut title.0 {
        if span.paint == Paint::new(Token::Text) {
            span.paint = if focus {
                Paint::new(Token::Focus).bold()
            } else {
                Paint::new(Token::Title)
            };
        }
    }
    title
}

/// A rule across the inside of a frame, with a title.
pub fn rule(canvas: &mut Canvas<'_>, row: Rect, title: &Line) {
    if row.height == 0 {
        return;
    }
    let mut x = row.x;
    if !canvas.look.plain {
        for at in row.x..row.right() {
            canvas.put(at, row.y, 1, "─", Token::Border);
        }
        x += 2;
    }
    if !title.is_empty() && row.right() > x + 4 {
        canvas.put(x, row.y, 1, " ", Token::Text);
        let used = canvas.line(x + 1, row.y, row.right() - x - 3, title);
        canvas.put(x + 1 + used, row.y, 1, " ", Token::Text);
    }
}

/// A thumb beside the right end of `area`, on its frame or on a blank column, where more rows exist than fit.
pub fn scrollbar(canvas: &mut Canvas<'_>, area: Rect, top: usize, rows: usize, total: usize) {
    if total <= rows || area.height < 3 || canvas.look.plain || rows == 0 {
        return;
    }
    let height = usize::from(area.height);
    let thumb = (height * rows / total).clamp(1, height);
    let range = total - rows;
    let at = (height - thumb) * top.min(range) / range.max(1);
    for step in 0..thumb {
        let y = area.y + u16::try_from(at + step).unwrap_or(0);
        canvas.put(area.right(), y, 1, "█", Token::Border);
    }
}

struct Set {
    horizontal: &'static str,
    vertical: &'static str,
    corners: [&'static str; 4],
}

const LIGHT: Set = Set {
    horizontal: "─",
    vertical: "│",
    corners: ["╭", "╮", "╰", "╯"],
};

const HEAVY: Set = Set {
    horizontal: "━",
    vertical: "┃",
    corners: ["┏", "┓", "┗", "┛"],
};
