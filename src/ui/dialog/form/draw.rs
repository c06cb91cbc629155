//! How a form looks: labels and values, faults under them, help and buttons at the foot.

use super::{Field, Form, Kind, LABELS};
use crate::ui::dialog::button;
use crate::ui::state::feed::Notice;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;
use crate::ui::widget::safe;
use ratatui::layout::Rect;

impl Form {
    /// Rows of the fields: each with its fault under it.
    pub(super) fn draw_fields(&self, canvas: &mut Canvas<'_>, area: Rect) -> Metrics {
        let rows = usize::from(area.height);
        let tall = |at: usize| {
            let key = self.fields.get(at).map_or("", |field| field.key);
            1 + usize::from(self.fault_of(key).is_some())
        };
        let total: usize = (0..self.fields.len()).map(tall).sum();
        let before = |at: usize| (0..at).map(tall).sum::<usize>();
        let focus = self.at.min(self.fields.len().saturating_sub(1));
        let lowest = (before(focus) + tall(focus)).saturating_sub(rows);
        let top = self.top.clamp(lowest, before(focus).max(lowest));
        let mut at_row = 0;
        for (index, field) in self.fields.iter().enumerate() {
            let fault = self.fault_of(field.key);
            if let Some(y) = row_y(area, at_row, top) {
                self.draw_field(
                    canvas,
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                    index,
                    field,
                );
            }
            if let (Some(fault), Some(y)) = (fault, row_y(area, at_row + 1, top)) {
                let x = area.x + LABELS;
                let room = area.width.saturating_sub(LABELS);
                let (sign, token) = if self.is_untouched(index) {
                    ("·", Token::Muted)
                } else {
                    ("✖", Token::Error)
                };
                canvas.put(x, y, room, &format!("{sign} {}", fault.problem), token);
            }
            at_row += tall(index);
        }
        frame::scrollbar(canvas, area, top, rows, total);
        Metrics {
            top,
            rows,
            end: total.saturating_sub(rows),
        }
    }

    fn draw_field(&self, canvas: &mut Canvas<'_>, row: Rect, index: usize, field: &Field) {
        let focused = index == self.at;
        let fixed = field.fixed.is_some();
        canvas.hit(row, Target::Item(index));
        let label = if focused {
            Paint::new(Token::Focus).bold()
        } else if fixed {
            Paint::new(Token::Muted)
        } else {
            Paint::new(Token::Text)
        };
        let sign = if focused { "> " } else { "  " };
        canvas.put(row.x, row.y, LABELS, &format!("{sign}{}", field.key), label);
        let x = row.x + LABELS;
        let room = row.width.saturating_sub(LABELS);
        let paint = if fixed { Token::Muted } else { Token::Text };
        match &field.kind {
            Kind::Text(input) if fixed => {
                canvas.put(x, row.y, room, input.text(), paint);
            }
            Kind::Text(input) => {
                // The line that text is typed on.
                let cells = room.min(52);
                let underline = Paint::new(Token::Text).underline();
                canvas.put(x, row.y, cells, &" ".repeat(usize::from(cells)), underline);
                input.draw(canvas, x, row.y, cells, focused);
                canvas.repaint(Rect::new(x, row.y, cells, 1), underline);
            }
            Kind::Choice { options, at } => {
                let value = options.get(*at).map_or("", String::as_str);
                let text = if focused {
                    format!("‹ {value} ›  {} of {}", at + 1, options.len())
                } else if fixed {
                    value.to_owned()
                } else {
                    format!("{value} ▾")
                };
                canvas.put(x, row.y, room, &text, paint);
            }
            Kind::Toggle(on) => {
                let text = if *on { "[x] yes" } else { "[ ] no" };
                canvas.put(x, row.y, room, text, paint);
            }
        }
    }

    pub(super) fn draw_foot(&self, canvas: &mut Canvas<'_>, inner: Rect, foot: u16) {
        let mut y = inner.bottom().saturating_sub(foot);
        let x = inner.x + 1;
        let room = inner.width.saturating_sub(2);
        if let Some(report) = &self.failed {
            let (text, hint) = Notice::of_report(report);
            let mut line = Line::of(format!("✖ {text}"), Token::Error);
            if let Some(hint) = hint {
                line = line.put(format!("   {hint}"), Token::Muted);
            }
            canvas.line(x, y, room, &line);
            y += 1;
        }
        for line in &self.preview {
            canvas.line(x, y, room, line);
            y += 1;
        }
        let field = self.fields.get(self.at);
        let help = match field {
            Some(field) => field
                .fixed
                .map_or_else(|| field.help.clone(), ToOwned::to_owned),
            None => String::new(),
        };
        for part in safe::wrap(&help, usize::from(room)).into_iter().take(1) {
            canvas.put(x, y, room, part, Token::Muted);
        }
        y += 1;
        if y + 1 >= inner.bottom() {
            y = inner.bottom().saturating_sub(1);
        }
        self.draw_buttons(canvas, x, y);
    }

    fn draw_buttons(&self, canvas: &mut Canvas<'_>, x: u16, y: u16) {
        let submit = self.fields.len();
        let label = if self.busy.is_some() {
            "working…".to_owned()
        } else if self.faults.is_empty() {
            self.spec.verb().to_owned()
        } else {
            numbers::counted(self.faults.len() as u64, "field to fix", "fields to fix")
        };
        let enabled = self.faults.is_empty() && self.busy.is_none();
        let used = button(canvas, x, y, &label, submit, self.at == submit, enabled);
        let cancel = submit + 1;
        button(
            canvas,
            x + used + 2,
            y,
            "Cancel",
            cancel,
            self.at == cancel,
            true,
        );
    }
}

fn row_y(area: Rect, row: usize, top: usize) -> Option<u16> {
    let offset = u16::try_from(row.checked_sub(top)?).ok()?;
    (offset < area.height).then_some(area.y + offset)
}
