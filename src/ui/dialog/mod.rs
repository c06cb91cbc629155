//! What opens over the panes. Dialogs form a stack; only the top one gets keys.

pub mod confirm;
pub mod filter_bench;
pub mod find;
pub mod form;
pub mod function_form;
pub mod group_form;
pub mod guide;
pub mod help;
pub mod instance_form;
pub mod invoke;
pub mod menu;
pub mod page;
pub mod palette;
pub mod picker;
pub mod prompt;
pub mod reset;
pub mod save;
pub mod send;
pub mod topic_form;
pub mod trigger_form;

use ratatui::layout::Rect;

use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::effect::{Answer, Done, Ticket};
use crate::ui::pane::Commands;
use crate::ui::state::Shared;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame::Frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::line::Line;

/// A layer over the panes.
pub trait Dialog: Send {
    /// Contexts of its keys, nearest first.
    fn contexts(&self) -> Vec<Context>;

    /// Does an action; what it does not know it ignores.
    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands;

    /// A character that no key stands for was typed.
    fn typed(&mut self, _c: char, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    /// True where a paste goes into a text.
    fn takes_text(&self) -> bool {
        false
    }

    fn paste(&mut self, _text: &str, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    fn answer(
        &mut self,
        _ticket: Ticket,
        _answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        Vec::new()
    }

    /// True when the outcome was its own: then nothing else tells of it.
    fn done(
        &mut self,
        _ticket: Ticket,
        _done: &Result<Done, Report>,
        _shared: &mut Shared,
    ) -> Option<Commands> {
        None
    }

    /// Something was chosen in a menu that this dialog opened.
    fn chosen(&mut self, _choice: &str, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    /// The picture of the engine changed.
    fn refresh(&mut self, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    fn click(&mut self, _target: &Target, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    fn scroll(&mut self, _rows: i32) {}

    fn drawn(&mut self, _metrics: Metrics) {}

    /// What the hint line shows, with labels where they differ from the registry.
    fn hints(&self) -> Vec<(Action, &'static str)>;

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>);
}

/// A box in the middle of the screen; the whole body when there is no more room than that.
pub fn popup(canvas: &mut Canvas<'_>, width: u16, height: u16, title: Line, right: Line) -> Rect {
    let screen = canvas.area();
    // The status line and the hint line stay.
    let room = Rect {
        y: screen.y + u16::from(screen.height > 12),
        height: screen
            .height
            .saturating_sub(1 + u16::from(screen.height > 12)),
        ..screen
    };
    let area = centred(room, width, height);
    canvas.hits.clear_targets();
    canvas.hit(screen, Target::Outside);
    canvas.clear(area);
    canvas.hit(area, Target::Item(usize::MAX));
    Frame::new(title)
        .right(right)
        .focus(true)
        .draw(canvas, area)
}

fn centred(room: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(room.width);
    let height = height.min(room.height);
    Rect {
        x: room.x + (room.width - width) / 2,
        // A little above the middle looks centred.
        y: room.y + (room.height - height) * 2 / 5,
        width,
        height,
    }
}

/// A button: brackets, and reverse video when focused. Returns the cells used.
pub fn button(
    canvas: &mut Canvas<'_>,
    x: u16,
    y: u16,
    label: &str,
    item: usize,
    focused: bool,
    enabled: bool,
) -> u16 {
    use crate::ui::theme::Token;
    use crate::ui::widget::line::Paint;
    let text = format!("[ {label} ]");
    let paint = match (focused, enabled) {
        (true, _) => Paint::new(Token::Text).reverse().bold(),
        (false, true) => Paint::new(Token::Key),
        (false, false) => Paint::new(Token::Muted),
    };
    let room = canvas.area().right().saturating_sub(x);
    let used = canvas.put(x, y, room, &text, paint);
    canvas.hit(Rect::new(x, y, used, 1), Target::Item(item));
    used
}
