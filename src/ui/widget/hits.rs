//! What a click means, where; and what a drawing learned that the next key needs.

use ratatui::layout::{Position, Rect};

use crate::ui::action::Action;
use crate::ui::state::places::PaneId;

/// What lies under the mouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Acts as if its key had been pressed.
    Act(Action),
    /// A row of a pane, by its place in the shown order.
    Row(PaneId, usize),
    /// A column header.
    Header(PaneId, usize),
    /// A pane as a whole; the wheel scrolls it.
    Pane(PaneId),
    /// The detail half of a pane.
    Detail(PaneId),
    /// A list among those of the place.
    Sibling(PaneId),
    /// A row of a named thing in the tree.
    Tree(PaneId, String),
    /// An item of the top dialog: field, button, choice.
    Item(usize),
    /// A point inside an item: column and row in it.
    Point(usize, u16, u16),
    /// Closes the top dialog.
    Outside,
}

/// What a pane learned about its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metrics {
    /// First row drawn.
    pub top: usize,
    /// Rows that fit.
    pub rows: usize,
    /// Farthest useful scroll position.
    pub end: usize,
}

/// The answer of a drawing.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    targets: Vec<(Rect, Target)>,
    pub lists: Vec<(PaneId, Metrics)>,
    pub details: Vec<(PaneId, Metrics)>,
    /// Of the top dialog.
    pub dialog: Option<Metrics>,
    /// Where the terminal's cursor goes, if it is shown.
    pub cursor: Option<Position>,
}

impl Hits {
    pub fn add(&mut self, area: Rect, target: Target) {
        self.targets.push((area, target));
    }

    /// What was drawn last over a cell.
    pub fn at(&self, x: u16, y: u16) -> Option<(Rect, &Target)> {
        self.targets
            .iter()
            .rev()
            .find(|(area, _)| area.contains(Position::new(x, y)))
            .map(|(area, target)| (*area, target))
    }

    /// The pane under a cell, whatever lies on it.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<&Target> {
        self.targets
            .iter()
            .rev()
            .filter(|(area, _)| area.contains(Position::new(x, y)))
            .map(|(_, target)| target)
            .find(|target| matches!(target, Target::Pane(_) | Target::Detail(_)))
    }

    /// Forgets what a dialog drawn over everything hides.
    pub fn clear_targets(&mut self) {
        self.targets.clear();
    }
}
