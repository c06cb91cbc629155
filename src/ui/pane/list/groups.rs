//! Rows with something in common, under a head that counts them, opens and closes, and stands for all of them.

use std::collections::HashMap;

use super::{ListPane, Listing};
use crate::ui::action::Action;
use crate::ui::pane::Offer;
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;

/// A line of the list: a row by its index among the listing's rows, or the head of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Head(usize),
    Row(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    name: String,
    rows: Vec<usize>,
}

impl<L: Listing> ListPane<L> {
    /// Puts ordered rows under the heads of their groups; the group of the first row comes first.
    pub(super) fn group_up(&mut self, order: Vec<usize>, shared: &Shared) {
        let rows = self.listing.rows(shared);
        let mut groups: Vec<Group> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut slots = Vec::with_capacity(order.len());
        for row in order {
            let Some(name) = self.listing.group(&rows[row]) else {
                slots.push(Slot::Row(row));
                continue;
            };
            let at = *known.entry(name).or_insert_with_key(|name| {
                let name = name.clone();
                groups.push(Group {
                    name,
                    rows: Vec::new(),
                });
                groups.len() - 1
            });
            groups[at].rows.push(row);
        }
        for (at, group) in groups.iter().enumerate() {
            slots.push(Slot::Head(at));
            if !self.closed.contains(&group.name) {
                slots.extend(group.rows.iter().map(|row| Slot::Row(*row)));
            }
        }
        self.order = slots;
        self.groups = groups;
    }

    /// Rows that pass the filter, those of closed groups among them.
    pub(super) fn shown(&self) -> Vec<usize> {
        if self.groups.is_empty() {
            let row = |slot: &Slot| match slot {
                Slot::Row(row) => Some(*row),
                Slot::Head(_) => None,
            };
            return self.order.iter().filter_map(row).collect();
        }
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.copied().collect()
    }

    /// The identity of a row or of a head.
    pub(super) fn key_at(&self, at: usize, shared: &Shared) -> Option<String> {
        match self.order.get(at)? {
            Slot::Head(group) => {
                let name = &self.groups.get(*group)?.name;
                Some(format!("group {name}"))
            }
            Slot::Row(_) => self.row_at(at, shared).map(|row| self.listing.key(row)),
        }
    }

    fn group_at(&self, at: usize) -> Option<&Group> {
        match self.order.get(at)? {
            Slot::Head(group) => self.groups.get(*group),
            Slot::Row(_) => None,
        }
    }

    /// Whether the selection is the head of a group.
    pub(super) fn on_head(&self) -> bool {
        self.group_at(self.at).is_some()
    }

    /// `▾ 3 letters  KeyError: 'amount'`
    pub(super) fn head_line(&self, at: usize) -> Option<Line> {
        let group = self.group_at(at)?;
        let sign = if self.closed.contains(&group.name) {
            "▸ "
        } else {
            "▾ "
        };
        let head = self.listing.head(&group.name, group.rows.len());
        Some(Line::of(sign, Token::Accent).join(head))
    }

    pub(super) fn head_detail(&self, document: &mut Document) -> Line {
        let Some(group) = self.group_at(self.at) else {
            return Line::new();
        };
        document.flow(self.listing.head(&group.name, group.rows.len()), 2);
        document.line(Line::new());
        document.line(Line::muted("Enter opens or closes the group; what is done"));
        document.line(Line::muted("here is done with every row of it."));
        Line::text("Group")
    }

    /// Opens or closes the group of the selected head.
    pub(super) fn turn_group(&mut self, shared: &Shared) {
        let Some(name) = self.group_at(self.at).map(|group| group.name.clone()) else {
            return;
        };
        if !self.closed.remove(&name) {
            self.closed.insert(name);
        }
        self.arrange(shared);
        self.lay_out(shared);
    }

    /// Keys of the rows under the selected head.
    pub(super) fn group_keys(&self, shared: &Shared) -> Vec<String> {
        let rows = self.listing.rows(shared);
        let group = self.group_at(self.at).map(|group| &group.rows);
        let rows = group.into_iter().flatten().filter_map(|row| rows.get(*row));
        rows.map(|row| self.listing.key(row)).collect()
    }

    /// What the selected head offers: itself, and what is done with all of its rows.
    pub(super) fn offer_on_head(&self, action: Action, shared: &Shared) -> Offer {
        let first = self.group_at(self.at).and_then(|group| group.rows.first());
        let first = first.and_then(|row| self.listing.rows(shared).get(*row));
        match self.listing.offer(action, first, shared) {
            Offer::Yes if action != Action::Open && !self.listing.of_group(action) => {
                Offer::No("choose one row of the group")
            }
            offer => offer,
        }
    }
}
