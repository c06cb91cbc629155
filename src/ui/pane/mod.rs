//! The places' lists. A pane keeps only what belongs to viewing: selection, scroll, order, filter.

pub mod clients;
pub mod dead;
pub mod first_page;
pub mod functions;
pub mod groups;
pub mod instances;
pub mod list;
pub mod logs;
pub mod message;
pub mod messages;
pub mod pending;
pub mod topics;
pub mod traces;
pub mod transactions;
pub mod triggers;

use ratatui::layout::Rect;

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Message;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::Dialog;
use crate::ui::effect::{Answer, Effect, Ticket};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::line::Line;

/// Whether an action can be done here and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    Yes,
    /// It belongs here, but not now; why.
    No(&'static str),
    /// It does not belong here.
    Never,
}

impl Offer {
    /// `Yes`, or the reason.
    pub fn when(holds: bool, otherwise: &'static str) -> Self {
        if holds {
            Self::Yes
        } else {
            Self::No(otherwise)
        }
    }
}

/// Somewhere to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goto {
    pub pane: PaneId,
    pub focus: Focus,
}

impl Goto {
    pub fn new(pane: PaneId, focus: Focus) -> Self {
        Self { pane, focus }
    }
}

/// What an action leads to. Applied by `update`, one after the other.
pub enum Command {
    Effect(Effect),
    Act(Action),
    Open(Box<dyn Dialog>),
    /// Closes the top dialog.
    Close,
    Go(Goto),
    /// Narrows the current pane's list.
    Filter(String),
    /// Sorts the current pane by a column.
    SortBy(usize),
    /// Chooses among a pane's own choices; the text is the pane's.
    Choose(String),
}

pub type Commands = Vec<Command>;

impl From<Effect> for Command {
    fn from(effect: Effect) -> Self {
        Self::Effect(effect)
    }
}

/// What `g` and `y` are about: whatever the selected row names.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The id or name that `yy` copies.
    pub id: Option<String>,
    pub message: Option<MessageId>,
    pub stored: Option<std::sync::Arc<Message>>,
    pub request: Option<RequestId>,
    pub topic: Option<TopicName>,
    pub group: Option<GroupName>,
    pub function: Option<FunctionName>,
    pub trigger: Option<TriggerName>,
    pub instance: Option<InstanceId>,
    /// Where its dead letters lie.
    pub dead: Option<TopicName>,
    pub json: Option<String>,
    pub command: Option<String>,
}

/// Which half of a pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Half {
    #[default]
    List,
    Detail,
}

/// The two halves of a pane.
#[derive(Debug, Clone, Default)]
pub struct Halves {
    pub focus: Half,
    /// The detail is hidden.
    pub detail_hidden: bool,
    /// First row of the detail.
    pub top: usize,
    pub page: usize,
    pub end: usize,
    pub wrap: bool,
}

impl Halves {
    pub fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
        self.page = metrics.rows;
        self.end = metrics.end;
    }

    /// Scrolls the detail; false when the action is no motion.
    pub fn scroll(&mut self, action: Action) -> bool {
        let half = (self.page / 2).max(1);
        self.top = match action {
            Action::Down => self.top + 1,
            Action::Up => self.top.saturating_sub(1),
            Action::HalfDown => self.top + half,
            Action::HalfUp => self.top.saturating_sub(half),
            Action::PageDown => self.top + self.page.max(1),
            Action::PageUp => self.top.saturating_sub(self.page.max(1)),
            Action::First => 0,
            Action::Last => self.end,
            _ => return false,
        }
        .min(self.end);
        true
    }
}

/// The room a pane gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    pub list: Option<Rect>,
    pub detail: Option<Rect>,
    /// The detail stands inside the list's frame, below a rule.
    pub joined: bool,
    /// The pane has the keys.
    pub focus: bool,
}

/// A list with its detail, in a place.
pub trait Pane: Send {
    fn id(&self) -> PaneId;

    /// Contexts of its keys, nearest first.
    fn contexts(&self) -> &'static [Context] {
        match self.halves().focus {
            Half::List => &[Context::List, Context::Motion, Context::Global],
            Half::Detail => &[Context::Detail, Context::Motion, Context::Global],
        }
    }

    fn halves(&self) -> &Halves;
    fn halves_mut(&mut self) -> &mut Halves;

    fn offer(&self, action: Action, shared: &Shared) -> Offer;

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands;

    /// The pane is shown from now on, at `focus`.
    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands;

    /// The picture of the engine changed, or its own rows did.
    fn refresh(&mut self, shared: &mut Shared) -> Commands;

    fn answer(
        &mut self,
        _ticket: Ticket,
        _answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        Vec::new()
    }

    /// Enter opens or closes what is selected, where it is.
    fn opens_in_place(&self) -> bool {
        false
    }

    /// The text that narrows the list.
    fn filter(&self) -> &str;
    fn set_filter(&mut self, text: String, shared: &mut Shared) -> Commands;

    /// Names of the columns one can sort by, with the one in force.
    fn sorts(&self) -> (Vec<&'static str>, Option<(usize, bool)>) {
        (Vec::new(), None)
    }

    fn sort_by(&mut self, _column: usize, _shared: &mut Shared) {}

    fn choose(&mut self, _choice: &str, _shared: &mut Shared) -> Commands {
        Vec::new()
    }

    fn select_row(&mut self, index: usize, shared: &mut Shared) -> Commands;
    fn scroll(&mut self, rows: i32, shared: &mut Shared) -> Commands;
    fn list_drawn(&mut self, metrics: Metrics);

    fn subject(&self, shared: &Shared) -> Subject;

    /// The table as it is shown: header, then rows of plain text.
    fn table(&self, shared: &Shared) -> Vec<Vec<String>>;

    /// Names for the tree of wide screens, with a sign.
    fn tree(&self, _shared: &Shared) -> Vec<(String, Line)> {
        Vec::new()
    }

    /// Actions the hint line shows first.
    fn hints(&self) -> &'static [Action];

    /// What an action is called here, where that says more than its label.
    fn label(&self, action: Action) -> &'static str {
        action.label()
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>, room: Room);
}

/// Every pane, in the order of [`PaneId`].
pub fn all() -> Vec<Box<dyn Pane>> {
    use crate::ui::pane::list::ListPane;
    vec![
        Box::new(ListPane::new(instances::InstanceList)),
        Box::new(ListPane::new(topics::TopicList)),
        Box::new(ListPane::new(groups::GroupList::default())),
        Box::new(ListPane::new(clients::ClientList)),
        Box::new(ListPane::new(functions::FunctionList)),
        Box::new(ListPane::new(triggers::TriggerList)),
        Box::new(ListPane::new(messages::MessageList::default())),
        Box::new(ListPane::new(pending::PendingList::default())),
        Box::new(ListPane::new(transactions::TransactionList::default())),
        Box::new(logs::LogPane::default()),
        Box::new(ListPane::new(dead::DeadList::default())),
        Box::new(ListPane::new(traces::TraceList::default())),
    ]
}
