//! The list every place but the log is made of: a table with filter, order, marks, and a detail beside or below it.

mod groups;
mod pane;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use ratatui::layout::Rect;

use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::effect::{Answer, Ticket};
use crate::ui::pane::list::groups::{Group, Slot};
use crate::ui::pane::{Commands, Halves, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::document::Document;
use crate::ui::widget::frame::{self};
use crate::ui::widget::hits::Target;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::table::{self, Column, TableView};

/// What a list shows when it has no rows.
pub struct Empty {
    /// What belongs here.
    pub what: &'static str,
    /// The key that helps, with what it does.
    pub help: &'static str,
}

/// How far the rows of a list are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Loaded {
    #[default]
    Yes,
    /// Reading for the first time.
    Loading,
    Failed(Report),
}

/// The rows of a list and what can be done with them.
pub trait Listing: Send {
    type Row: Clone;
    const ID: PaneId;

    fn columns(&self) -> &'static [Column];
    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [Self::Row];
    fn loaded(&self, shared: &Shared) -> Loaded;
    /// The identity that selection and marks hold on to.
    fn key(&self, row: &Self::Row) -> String;
    fn cell(&self, row: &Self::Row, column: usize, shared: &Shared) -> Line;

    /// Order by a column; by its text unless the list knows better.
    fn compare(&self, a: &Self::Row, b: &Self::Row, column: usize, shared: &Shared) -> Ordering {
        let text = |row| self.cell(row, column, shared).plain();
        text(a).cmp(&text(b))
    }

    /// The column the list is ordered by at first; `None` keeps the order of the rows.
    fn first_order(&self) -> Option<(usize, bool)> {
        Some((0, false))
    }

    /// The text a filter looks into.
    fn haystack(&self, row: &Self::Row) -> String {
        self.key(row)
    }

    /// The detail's title and text.
    fn detail(&self, row: &Self::Row, shared: &Shared, document: &mut Document) -> Line;

    /// What `g` and `y` are about.
    fn subject(&self, row: &Self::Row, shared: &Shared) -> Subject;

    fn offer(&self, action: Action, row: Option<&Self::Row>, shared: &Shared) -> Offer;

    /// Does an action on the selected row, or on the marked ones.
    fn act(
        &mut self,
        action: Action,
        row: Option<Self::Row>,
        marked: Vec<Self::Row>,
        shared: &mut Shared,
    ) -> Commands;

    fn hints(&self) -> &'static [Action];

    fn label(&self, action: Action) -> &'static str {
        action.label()
    }

    /// Goes after the title: what is shown.
    fn scope(&self, _shared: &Shared) -> Line {
        Line::new()
    }

    /// Goes to the right end of the title, before order and state.
    fn note(&self, _shared: &Shared) -> String {
        String::new()
    }

    fn empty(&self, shared: &Shared) -> Empty;

    fn visit(&mut self, _focus: &Focus, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    /// The row that a focus means, once the rows are there.
    fn row_for(&self, _focus: &Focus) -> Option<String> {
        None
    }

    /// The picture changed while the pane is shown.
    fn refresh(&mut self, _selected: Option<&Self::Row>, _shared: &mut Shared) -> Commands {
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

    /// The selection came near the end of the rows: more can be read.
    fn more(&mut self, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    /// Goes to the last row where the list is only read in part; true when it takes care of it.
    fn to_end(&mut self, _end: bool, _shared: &mut Shared) -> Option<Commands> {
        None
    }

    fn choose(&mut self, _choice: &str, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    /// Keys of the rows to mark together with this one.
    fn alike(&self, _row: &Self::Row) -> Vec<String> {
        Vec::new()
    }

    /// The group a row stands in, where the list is grouped.
    fn group(&self, _row: &Self::Row) -> Option<String> {
        None
    }

    /// What the head of a group says of its rows.
    fn head(&self, _group: &str, _rows: usize) -> Line {
        Line::new()
    }

    /// Whether an action is for all rows of a group, when its head is selected.
    fn of_group(&self, _action: Action) -> bool {
        false
    }

    /// Rows of the tree on wide screens: name and sign.
    fn tree(&self, _shared: &Shared) -> Vec<(String, Line)> {
        Vec::new()
    }
}

/// A list with its view state.
pub struct ListPane<L: Listing> {
    listing: L,
    halves: Halves,
    /// Rows and heads in shown order.
    order: Vec<Slot>,
    groups: Vec<Group>,
    /// Names of the groups whose rows are not shown.
    closed: BTreeSet<String>,
    selected: Option<String>,
    /// Where the selection is in the shown order.
    at: usize,
    top: usize,
    page: usize,
    skip: usize,
    sort: Option<(usize, bool)>,
    filter: String,
    marks: BTreeSet<String>,
    detail: Document,
    detail_title: Line,
}

impl<L: Listing> ListPane<L> {
    pub fn new(listing: L) -> Self {
        Self {
            sort: listing.first_order(),
            listing,
            halves: Halves::default(),
            order: Vec::new(),
            groups: Vec::new(),
            closed: BTreeSet::new(),
            selected: None,
            at: 0,
            top: 0,
            page: 1,
            skip: 0,
            filter: String::new(),
            marks: BTreeSet::new(),
            detail: Document::new(),
            detail_title: Line::new(),
        }
    }

    fn row_at<'a>(&'a self, at: usize, shared: &'a Shared) -> Option<&'a L::Row> {
        match self.order.get(at)? {
            Slot::Row(index) => self.listing.rows(shared).get(*index),
            Slot::Head(_) => None,
        }
    }

    fn row<'a>(&'a self, shared: &'a Shared) -> Option<&'a L::Row> {
        self.row_at(self.at, shared)
    }

    /// Works the shown order out again and keeps the selection on its row, or on the nearest place.
    fn arrange(&mut self, shared: &Shared) {
        let rows = self.listing.rows(shared);
        let needle = Needle::new(&self.filter);
        let mut order: Vec<usize> = (0..rows.len())
            .filter(|at| needle.finds(&self.listing.haystack(&rows[*at])))
            .collect();
        if let Some((column, descending)) = self.sort {
            order.sort_by(|a, b| {
                let by = self.listing.compare(&rows[*a], &rows[*b], column, shared);
                if descending { by.reverse() } else { by }
            });
        }
        let known: BTreeSet<String> = rows.iter().map(|row| self.listing.key(row)).collect();
        self.marks.retain(|key| known.contains(key));
        self.group_up(order, shared);
        let slots = 0..self.order.len();
        let found = match &self.selected {
            Some(_) => slots
                .into_iter()
                .find(|at| self.key_at(*at, shared) == self.selected),
            None => self
                .order
                .iter()
                .position(|slot| matches!(slot, Slot::Row(_))),
        };
        self.at = found.unwrap_or_else(|| self.at.min(self.order.len().saturating_sub(1)));
        self.selected = self.key_at(self.at, shared);
    }

    fn move_to(&mut self, at: usize, shared: &mut Shared) -> Commands {
        let last = self.order.len().saturating_sub(1);
        self.at = at.min(last);
        let key = self.key_at(self.at, shared);
        if key != self.selected {
            self.selected = key;
            self.halves.top = 0;
        }
        let mut commands = self.follow_selection(shared);
        if self.at + 2 * self.page.max(10) >= self.order.len() {
            commands.extend(self.listing.more(shared));
        }
        commands
    }

    /// Asks what the selected row needs, and lays its detail out.
    fn follow_selection(&mut self, shared: &mut Shared) -> Commands {
        let row = self.row(shared).cloned();
        let commands = self.listing.refresh(row.as_ref(), shared);
        self.lay_out(shared);
        commands
    }

    fn lay_out(&mut self, shared: &Shared) {
        let mut document = Document::new();
        let title = match self.row(shared) {
            Some(row) => self.listing.detail(row, shared, &mut document),
            None => self.head_detail(&mut document),
        };
        self.detail = document;
        self.detail_title = title;
    }

    fn marked(&self, shared: &Shared) -> Vec<L::Row> {
        self.listing
            .rows(shared)
            .iter()
            .filter(|row| self.marks.contains(&self.listing.key(row)))
            .cloned()
            .collect()
    }

    fn motion(&mut self, action: Action, shared: &mut Shared) -> Option<Commands> {
        let half = (self.page / 2).max(1);
        let at = match action {
            Action::Down => self.at + 1,
            Action::Up => self.at.saturating_sub(1),
            Action::HalfDown => self.at + half,
            Action::HalfUp => self.at.saturating_sub(half),
            Action::PageDown => self.at + self.page.max(1),
            Action::PageUp => self.at.saturating_sub(self.page.max(1)),
            Action::First | Action::Last => {
                let end = action == Action::Last;
                if let Some(commands) = self.listing.to_end(end, shared) {
                    self.selected = None;
                    self.at = 0;
                    return Some(commands);
                }
                if end { usize::MAX } else { 0 }
            }
            _ => return None,
        };
        Some(self.move_to(at, shared))
    }

    fn frame_title(&self, shared: &Shared) -> Line {
        let count = match self.listing.loaded(shared) {
            Loaded::Yes => numbers::count(self.shown().len() as u64),
            Loaded::Loading => "…".to_owned(),
            Loaded::Failed(_) => "✖".to_owned(),
        };
        let mut title = Line::text(L::ID.title())
            .join(self.listing.scope(shared))
            .then(format!(" {count}"));
        if !self.filter.is_empty() {
            let all = self.listing.rows(shared).len() as u64;
            title = title.put(
                format!(" of {} · /{}", numbers::count(all), self.filter),
                Token::Warn,
            );
        }
        if !self.marks.is_empty() {
            title = title.put(
                format!(" · {} marked", numbers::count(self.marks.len() as u64)),
                Token::Accent,
            );
        }
        title
    }

    /// What stands at the right of the title of a list `width` cells wide inside.
    fn right_title(&self, shared: &Shared, width: u16) -> Line {
        let mut parts = Vec::new();
        let note = self.listing.note(shared);
        if !note.is_empty() {
            parts.push(note);
        }
        if let Some((column, descending)) = self.sort
            && let Some(column) = self.listing.columns().get(column)
        {
            let arrow = if descending { "▾" } else { "▴" };
            parts.push(format!("{} {arrow}", column.name.to_lowercase()));
        }
        let columns = self.listing.columns();
        let plain = shared.look.plain;
        let wanted = columns.iter().filter(|column| !(plain && column.chart));
        let hidden = wanted.count() - table::place(columns, width, self.skip, plain).len();
        if hidden > 0 && !self.order.is_empty() {
            let key = shared.key_of(&[Context::Motion], Action::Right);
            parts.push(format!("{key} +{hidden} columns"));
        }
        let mut line = Line::muted(parts.join(" · "));
        if let Some((_, since)) = &shared.frozen {
            let age = shared.uptime.saturating_sub(*since);
            line = line.put(format!(" · FROZEN {}", numbers::span(age)), Token::Warn);
        }
        line
    }

    fn draw_list(&self, shared: &Shared, canvas: &mut Canvas<'_>, area: Rect, focus: bool) {
        canvas.hit(area, Target::Pane(L::ID));
        if self.order.is_empty() {
            self.draw_empty(shared, canvas, area);
            return;
        }
        let metrics = TableView {
            pane: L::ID,
            columns: self.listing.columns(),
            total: self.order.len(),
            selected: Some(self.at),
            top: self.top,
            skip: self.skip,
            sort: self.sort,
            focus,
            cell: &|at, column| {
                self.row_at(at, shared)
                    .map(|row| self.listing.cell(row, column, shared))
                    .unwrap_or_default()
            },
            head: &|at| self.head_line(at),
            marked: &|at| {
                self.row_at(at, shared)
                    .is_some_and(|row| self.marks.contains(&self.listing.key(row)))
            },
        }
        .draw(canvas, area);
        canvas.hits.lists.push((L::ID, metrics));
    }

    /// What belongs here, why there is nothing, and the key that helps.
    fn draw_empty(&self, shared: &Shared, canvas: &mut Canvas<'_>, area: Rect) {
        let empty = self.listing.empty(shared);
        let all = self.listing.rows(shared).len();
        let (why, help) = match self.listing.loaded(shared) {
            Loaded::Loading if shared.uptime.as_millis() < 150 => return,
            Loaded::Loading => (Line::muted("loading"), Cow::Borrowed("")),
            Loaded::Failed(report) => (
                Line::of(format!("✖ {}", report.headline), Token::Error),
                Cow::Owned(report.hint.unwrap_or_default()),
            ),
            Loaded::Yes if all > 0 => (
                Line::of(
                    format!(
                        "the filter /{} hides {}",
                        self.filter,
                        numbers::count(all as u64)
                    ),
                    Token::Warn,
                ),
                Cow::Borrowed("Esc clears the filter"),
            ),
            Loaded::Yes => (Line::muted("nothing here yet"), Cow::Borrowed(empty.help)),
        };
        let x = area.x + 3;
        let width = area.width.saturating_sub(4);
        let lines = [
            Line::text(empty.what),
            why,
            Line::of(help.into_owned(), Token::Key),
        ];
        for (offset, line) in lines.iter().enumerate() {
            let y = area.y + 1 + u16::try_from(offset).unwrap_or(0);
            if y < area.bottom() {
                canvas.line(x, y, width, line);
            }
        }
    }

    fn draw_detail(&self, canvas: &mut Canvas<'_>, area: Rect) {
        canvas.hit(area, Target::Detail(L::ID));
        let area = Rect {
            x: area.x + 1,
            width: area.width.saturating_sub(2),
            ..area
        };
        let metrics = self
            .detail
            .draw(canvas, area, self.halves.top, self.halves.wrap);
        frame::scrollbar(
            canvas,
            area,
            metrics.top,
            metrics.rows,
            metrics.end + metrics.rows,
        );
        canvas.hits.details.push((L::ID, metrics));
    }
}

impl<L: Listing> ListPane<L> {
    fn joined_title(&self, focus: bool) -> Line {
        let mut title = self.detail_title.clone();
        for span in &mut title.0 {
            if span.paint.token == Token::Text {
                span.paint.token = if focus { Token::Focus } else { Token::Title };
                span.paint.bold = focus;
            }
        }
        title
    }
}

/// A filter: every word must occur; capitals count only when the filter has some.
pub struct Needle {
    words: Vec<String>,
    exact: bool,
}

impl Needle {
    pub fn new(text: &str) -> Self {
        let exact = text.chars().any(char::is_uppercase);
        let words = text
            .split_whitespace()
            .map(|word| {
                if exact {
                    word.to_owned()
                } else {
                    word.to_lowercase()
                }
            })
            .collect();
        Self { words, exact }
    }

    pub fn finds(&self, text: &str) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let text = if self.exact {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.to_lowercase())
        };
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}
