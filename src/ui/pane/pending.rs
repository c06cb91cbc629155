//! Delayed messages that are not yet due.

use std::sync::Arc;

use crate::cluster::Capability;
use crate::cluster::admin::ParkedMessage;
use crate::cluster::messaging::Recall;
use crate::domain::message::Message;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::confirm::Confirm;
use crate::ui::dialog::send::SendDialog;
use crate::ui::effect::{Answer, Deed, Query, Ticket};
use crate::ui::pane::first_page::FirstPage;
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::message::{self, BodyView};
use crate::ui::pane::messages::{save_body, subject};
use crate::ui::pane::{Command, Commands, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::PaneId;
use crate::ui::theme::Token;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::table::Column;

#[derive(Default)]
pub struct PendingList {
    page: FirstPage<ParkedMessage>,
    body: BodyView,
}

const COLUMNS: &[Column] = &[
    Column::left("DUE", 10, 12, 1),
    Column::left("AT", 12, 12, 5),
    Column::id("MESSAGE ID", 9, 13, 0),
    Column::left("TOPIC", 12, 26, 2),
    Column::left("TAG", 6, 12, 6),
    Column::left("KEYS", 8, 16, 3),
    Column::right("SIZE", 8, 7),
    Column::left("BODY", 14, u16::MAX, 4),
];

impl Listing for PendingList {
    type Row = ParkedMessage;
    const ID: PaneId = PaneId::Pending;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, _shared: &'a Shared) -> &'a [ParkedMessage] {
        &self.page.rows
    }

    fn loaded(&self, _shared: &Shared) -> Loaded {
        self.page.loaded.clone()
    }

    fn key(&self, row: &ParkedMessage) -> String {
        row.recall_handle.clone()
    }

    fn haystack(&self, row: &ParkedMessage) -> String {
        format!(
            "{} {} {}",
            row.message.id,
            row.message.topic,
            row.message.keys.join(" ")
        )
    }

    fn cell(&self, row: &ParkedMessage, column: usize, shared: &Shared) -> Line {
        let of = |index| super::messages::cell(&row.message, index, shared);
        match column {
            0 => Line::of(shared.times.until(row.due), Token::Warn),
            1 => Line::text(shared.times.moment(row.due)),
            2 => of(1),
            3 => Line::text(row.message.topic.to_string()),
            4 => of(2),
            5 => of(3),
            6 => of(6),
            _ => of(8),
        }
    }

    fn compare(
        &self,
        a: &ParkedMessage,
        b: &ParkedMessage,
        column: usize,
        shared: &Shared,
    ) -> std::cmp::Ordering {
        match column {
            0 | 1 => a.due.cmp(&b.due),
            6 => a.message.body.len().cmp(&b.message.body.len()),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &ParkedMessage, shared: &Shared, document: &mut Document) -> Line {
        document.field(
            "due",
            format!(
                "{}   {}",
                shared.times.until(row.due),
                shared.times.full(row.due)
            ),
        );
        message::fields(&row.message, shared, document);
        document.field("recall", Line::muted(row.recall_handle.clone()));
        self.body.write(document);
        message::system(&row.message, document);
        Line::text("Pending message")
    }

    fn subject(&self, row: &ParkedMessage, shared: &Shared) -> Subject {
        subject(&row.message, shared)
    }

    fn offer(&self, action: Action, row: Option<&ParkedMessage>, shared: &Shared) -> Offer {
        let can = shared
            .overview()
            .capabilities
            .has(Capability::PendingDelays);
        match action {
            Action::Send => Offer::when(shared.instance().is_some(), "no instance runs"),
            Action::Recall if !can => Offer::No("this cluster does not tell"),
            Action::Open | Action::Recall | Action::Resend | Action::SaveBody => {
                Offer::when(row.is_some(), "no message is selected")
            }
            Action::BodyForm | Action::Fold | Action::Wrap => {
                Offer::when(row.is_some(), "no message is selected")
            }
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<ParkedMessage>,
        _marked: Vec<ParkedMessage>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Send, row) => {
                let topic = row.map(|row| row.message.topic.clone());
                vec![Command::Open(Box::new(SendDialog::open(topic, shared)))]
            }
            (Action::Recall, Some(row)) => vec![Command::Open(Box::new(Confirm::mild(
                "Recall this message?".to_owned(),
                vec![
                    format!("{} due {}", row.message.id, shared.times.until(row.due)),
                    "It will never be delivered.".to_owned(),
                ],
                "Recall",
                Deed::Recall(Recall {
                    topic: row.message.topic.clone(),
                    handle: row.recall_handle,
                }),
            )))],
            (Action::Resend, Some(row)) => vec![Command::Open(Box::new(SendDialog::resend(
                &row.message,
                shared,
            )))],
            (Action::SaveBody, Some(row)) => save_body(&row.message, shared),
            (Action::BodyForm, Some(row)) => {
                self.body.form = self.body.form.next();
                self.body.show(&row.message);
                Vec::new()
            }
            (Action::Fold, Some(row)) => {
                self.body.folded = !self.body.folded;
                self.body.show(&row.message);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Open,
            Action::Send,
            Action::Recall,
            Action::Resend,
            Action::Actions,
            Action::Details,
            Action::ViewNext,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "inspect",
            Action::ViewNext => "transactions",
            _ => action.label(),
        }
    }

    fn note(&self, _shared: &Shared) -> String {
        self.page.note()
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "DELAY messages wait here until they are due; then they join their topic.",
            help: "s sends one: type Delay, deliver 30s",
        }
    }

    fn refresh(&mut self, selected: Option<&ParkedMessage>, shared: &mut Shared) -> Commands {
        if let Some(row) = selected {
            let message: &Arc<Message> = &row.message;
            self.body.show(message);
        }
        self.page.ask(|page| Query::Pending(None, page), shared)
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        self.page.take(ticket, answer, |answer| match answer {
            Answer::Pending(page) => Some(page),
            _ => None,
        });
        Vec::new()
    }
}
