//! The nine places, the lists in them, and where one has been.

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::names::{FunctionName, TopicName};
use crate::ui::action::Action;

/// A place on the place bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Instances,
    Topics,
    Groups,
    Functions,
    Triggers,
    Messages,
    Logs,
    Dead,
    Traces,
}

impl Place {
    pub const ALL: [Self; 9] = [
        Self::Instances,
        Self::Topics,
        Self::Groups,
        Self::Functions,
        Self::Triggers,
        Self::Messages,
        Self::Logs,
        Self::Dead,
        Self::Traces,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Instances => "Instances",
            Self::Topics => "Topics",
            Self::Groups => "Groups",
            Self::Functions => "Functions",
            Self::Triggers => "Triggers",
            Self::Messages => "Messages",
            Self::Logs => "Logs",
            Self::Dead => "Dead letters",
            Self::Traces => "Traces",
        }
    }

    /// For narrow screens.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Instances => "Inst",
            Self::Topics => "Topics",
            Self::Groups => "Groups",
            Self::Functions => "Func",
            Self::Triggers => "Trig",
            Self::Messages => "Msgs",
            Self::Logs => "Logs",
            Self::Dead => "Dead",
            Self::Traces => "Traces",
        }
    }

    pub const fn action(self) -> Action {
        match self {
            Self::Instances => Action::View1,
            Self::Topics => Action::View2,
            Self::Groups => Action::View3,
            Self::Functions => Action::View4,
            Self::Triggers => Action::View5,
            Self::Messages => Action::View6,
            Self::Logs => Action::View7,
            Self::Dead => Action::View8,
            Self::Traces => Action::View9,
        }
    }

    pub fn by_action(action: Action) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.action() == action)
    }

    /// From 1, as on its key.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// Its lists, the first one shown first.
    pub const fn panes(self) -> &'static [PaneId] {
        match self {
            Self::Instances => &[PaneId::Instances],
            Self::Topics => &[PaneId::Topics],
            Self::Groups => &[PaneId::Groups, PaneId::Clients],
            Self::Functions => &[PaneId::Functions],
            Self::Triggers => &[PaneId::Triggers],
            Self::Messages => &[PaneId::Messages, PaneId::Pending, PaneId::Transactions],
            Self::Logs => &[PaneId::Logs],
            Self::Dead => &[PaneId::Dead],
            Self::Traces => &[PaneId::Traces],
        }
    }
}

/// A list with its detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    Instances,
    Topics,
    Groups,
    Clients,
    Functions,
    Triggers,
    Messages,
    Pending,
    Transactions,
    Logs,
    Dead,
    Traces,
}

impl PaneId {
    pub const ALL: [Self; 12] = [
        Self::Instances,
        Self::Topics,
        Self::Groups,
        Self::Clients,
        Self::Functions,
        Self::Triggers,
        Self::Messages,
        Self::Pending,
        Self::Transactions,
        Self::Logs,
        Self::Dead,
        Self::Traces,
    ];

    pub fn place(self) -> Place {
        Place::ALL
            .into_iter()
            .find(|place| place.panes().contains(&self))
            .unwrap_or(Place::Topics)
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Instances => "Instances",
            Self::Topics => "Topics",
            Self::Groups => "Consumer groups",
            Self::Clients => "Clients",
            Self::Functions => "Functions",
            Self::Triggers => "Triggers",
            Self::Messages => "Messages",
            Self::Pending => "Pending delays",
            Self::Transactions => "Transactions",
            Self::Logs => "Logs",
            Self::Dead => "Dead letters",
            Self::Traces => "Traces",
        }
    }
}

/// What a pane is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Focus {
    /// As it was.
    Keep,
    /// The row with this key.
    Row(String),
    /// Messages of a topic.
    Topic(TopicName),
    /// One message, wherever it lies.
    Message(MessageId),
    /// The log of a function; of all without one.
    Function(Option<FunctionName>),
    /// One request in the log.
    Request(RequestId),
    /// Messages that a query finds.
    Find(Box<crate::cluster::admin::MessageQuery>),
    /// Dead letters in a topic.
    DeadTopic(TopicName),
}

/// Where one has been, for going back and forward.
#[derive(Debug, Clone, Default)]
pub struct History {
    back: Vec<PaneId>,
    forward: Vec<PaneId>,
}

/// Most places remembered.
const MAX_HISTORY: usize = 50;

impl History {
    /// Leaves `from` for somewhere new.
    pub fn leave(&mut self, from: PaneId) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > MAX_HISTORY {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    pub fn back(&mut self, from: PaneId) -> Option<PaneId> {
        let to = self.back.pop()?;
        self.forward.push(from);
        Some(to)
    }

    pub fn forward(&mut self, from: PaneId) -> Option<PaneId> {
        let to = self.forward.pop()?;
        self.back.push(from);
        Some(to)
    }

    /// The place before, to swap with.
    pub fn last(&self) -> Option<PaneId> {
        self.back.last().copied()
    }

    pub fn is_at_root(&self) -> bool {
        self.back.is_empty()
    }
}
