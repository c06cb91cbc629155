//! A list as a pane: its keys, its clicks, its two halves.

use super::{ListPane, Listing};
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::effect::{Answer, Ticket};
use crate::ui::pane::{Commands, Half, Halves, Offer, Pane, Room, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame::{self, Frame};
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::line::Line;
use ratatui::layout::Rect;

impl<L: Listing> Pane for ListPane<L> {
    fn id(&self) -> PaneId {
        L::ID
    }

    fn halves(&self) -> &Halves {
        &self.halves
    }

    fn halves_mut(&mut self) -> &mut Halves {
        &mut self.halves
    }

    fn offer(&self, action: Action, shared: &Shared) -> Offer {
        match action {
            Action::Details | Action::Search | Action::Export => Offer::Yes,
            Action::Mark | Action::MarkAll => Offer::when(!self.order.is_empty(), "no rows"),
            Action::Sort => Offer::when(self.sort.is_some(), "this list has one order"),
            Action::Left | Action::Right => Offer::Yes,
            Action::SearchNext | Action::SearchPrev => {
                Offer::when(!self.filter.is_empty(), "nothing is searched for")
            }
            _ if self.on_head() => self.offer_on_head(action, shared),
            _ => self.listing.offer(action, self.row(shared), shared),
        }
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        if self.halves.focus == Half::Detail && self.halves.scroll(action) {
            return Vec::new();
        }
        if let Some(commands) = self.motion(action, shared) {
            return commands;
        }
        match action {
            Action::Left => self.skip = self.skip.saturating_sub(1),
            Action::Right => {
                let droppable = self.listing.columns().iter().filter(|c| c.drop > 0).count();
                self.skip = (self.skip + 1).min(droppable.saturating_sub(1));
            }
            Action::SearchNext => return self.move_to(self.at + 1, shared),
            Action::SearchPrev => return self.move_to(self.at.saturating_sub(1), shared),
            Action::Wrap => self.halves.wrap = !self.halves.wrap,
            Action::Open if self.on_head() => self.turn_group(shared),
            Action::Mark if self.on_head() => {
                let keys = self.group_keys(shared);
                let all = keys.iter().all(|key| self.marks.contains(key));
                for key in keys {
                    if all {
                        self.marks.remove(&key);
                    } else {
                        self.marks.insert(key);
                    }
                }
            }
            Action::Mark => {
                if let Some(key) = self.selected.clone()
                    && !self.marks.remove(&key)
                {
                    self.marks.insert(key);
                }
                return self.move_to(self.at + 1, shared);
            }
            Action::MarkAlike => {
                let keys = self.row(shared).map(|row| self.listing.alike(row));
                self.marks.extend(keys.unwrap_or_default());
            }
            Action::MarkAll => {
                let rows = self.listing.rows(shared);
                let keys = self.shown().into_iter().filter_map(|row| rows.get(row));
                let keys: Vec<String> = keys.map(|row| self.listing.key(row)).collect();
                for key in keys {
                    if !self.marks.remove(&key) {
                        self.marks.insert(key);
                    }
                }
            }
            _ => {
                let row = self.row(shared).cloned();
                let mut marked = self.marked(shared);
                if marked.is_empty() && self.on_head() {
                    let keys = self.group_keys(shared);
                    let rows = self.listing.rows(shared).iter();
                    marked = rows
                        .filter(|row| keys.contains(&self.listing.key(row)))
                        .cloned()
                        .collect();
                }
                let commands = self.listing.act(action, row, marked, shared);
                self.arrange(shared);
                self.lay_out(shared);
                return commands;
            }
        }
        Vec::new()
    }

    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands {
        if let Focus::Row(key) = focus {
            self.filter.clear();
            self.selected = Some(key.clone());
        }
        if *focus != Focus::Keep {
            self.halves.focus = Half::List;
            self.halves.top = 0;
        }
        let mut commands = self.listing.visit(focus, shared);
        if let Some(key) = self.listing.row_for(focus) {
            self.filter.clear();
            self.selected = Some(key);
        }
        commands.extend(self.refresh(shared));
        commands
    }

    fn refresh(&mut self, shared: &mut Shared) -> Commands {
        self.arrange(shared);
        self.follow_selection(shared)
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        shared: &mut Shared,
    ) -> Commands {
        let commands = self.listing.answer(ticket, answer, shared);
        self.arrange(shared);
        self.lay_out(shared);
        commands
    }

    fn filter(&self) -> &str {
        &self.filter
    }

    fn opens_in_place(&self) -> bool {
        self.on_head()
    }

    fn set_filter(&mut self, text: String, shared: &mut Shared) -> Commands {
        self.filter = text;
        self.arrange(shared);
        self.follow_selection(shared)
    }

    fn sorts(&self) -> (Vec<&'static str>, Option<(usize, bool)>) {
        if self.sort.is_none() {
            return (Vec::new(), None);
        }
        let names = self.listing.columns().iter().map(|column| column.name);
        (names.collect(), self.sort)
    }

    fn sort_by(&mut self, column: usize, shared: &mut Shared) {
        if self.sort.is_none() || column >= self.listing.columns().len() {
            return;
        }
        self.sort = match self.sort {
            Some((at, descending)) if at == column => Some((at, !descending)),
            _ => Some((column, false)),
        };
        self.arrange(shared);
    }

    fn choose(&mut self, choice: &str, shared: &mut Shared) -> Commands {
        let commands = self.listing.choose(choice, shared);
        self.arrange(shared);
        self.lay_out(shared);
        commands
    }

    fn select_row(&mut self, index: usize, shared: &mut Shared) -> Commands {
        self.halves.focus = Half::List;
        self.move_to(index, shared)
    }

    fn scroll(&mut self, rows: i32, shared: &mut Shared) -> Commands {
        let step = usize::try_from(rows.unsigned_abs()).unwrap_or(1);
        let at = if rows < 0 {
            self.at.saturating_sub(step)
        } else {
            self.at + step
        };
        self.move_to(at, shared)
    }

    fn list_drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
        self.page = metrics.rows;
    }

    fn subject(&self, shared: &Shared) -> Subject {
        self.row(shared)
            .map(|row| self.listing.subject(row, shared))
            .unwrap_or_default()
    }

    fn table(&self, shared: &Shared) -> Vec<Vec<String>> {
        let columns = self.listing.columns();
        let header = columns.iter().map(|column| column.name.to_owned());
        let rows = self.listing.rows(shared);
        let shown = self.shown();
        let body = shown.iter().filter_map(|index| {
            let row = rows.get(*index)?;
            let cells = (0..columns.len()).map(|c| self.listing.cell(row, c, shared).plain());
            Some(cells.collect())
        });
        std::iter::once(header.collect()).chain(body).collect()
    }

    fn tree(&self, shared: &Shared) -> Vec<(String, Line)> {
        self.listing.tree(shared)
    }

    fn hints(&self) -> &'static [Action] {
        self.listing.hints()
    }

    fn label(&self, action: Action) -> &'static str {
        self.listing.label(action)
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>, room: Room) {
        let on_detail = self.halves.focus == Half::Detail;
        let room = self.without_empty_detail(room);
        if let Some(area) = room.list {
            let focus = room.focus && (!on_detail || room.joined);
            let inside = area.width.saturating_sub(2);
            let mut inner = Frame::new(self.frame_title(shared))
                .right(self.right_title(shared, inside))
                .focus(focus)
                .draw(canvas, area);
            if let Some(detail) = room.detail.filter(|_| room.joined) {
                let rule = Rect {
                    y: detail.y.saturating_sub(1),
                    height: 1,
                    ..inner
                };
                inner.height = rule.y.saturating_sub(inner.y);
                self.draw_list(shared, canvas, inner, room.focus && !on_detail);
                frame::rule(canvas, rule, &self.joined_title(on_detail));
                self.draw_detail(canvas, detail);
                return;
            }
            self.draw_list(shared, canvas, inner, room.focus && !on_detail);
        }
        if let Some(area) = room.detail.filter(|_| !room.joined) {
            let inner = Frame::new(self.detail_title.clone())
                .focus(room.focus && on_detail)
                .draw(canvas, area);
            self.draw_detail(canvas, inner);
        }
    }
}

impl<L: Listing> ListPane<L> {
    /// A list without rows has nothing to tell about one: it takes the whole room.
    fn without_empty_detail(&self, room: Room) -> Room {
        match (room.list, room.detail) {
            (Some(list), Some(detail)) if self.order.is_empty() => Room {
                list: Some(list.union(detail)),
                detail: None,
                joined: false,
                ..room
            },
            _ => room,
        }
    }
}
