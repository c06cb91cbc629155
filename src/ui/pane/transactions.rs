//! Half messages that wait for their producer's word.

use crate::cluster::Capability;
use crate::cluster::admin::TransactionRow;
use crate::cluster::messaging::{EndTransaction, Resolution};
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
pub struct TransactionList {
    page: FirstPage<TransactionRow>,
    body: BodyView,
}

const COLUMNS: &[Column] = &[
    Column::left("NEXT CHECK", 10, 12, 1),
    Column::right("CHECKS", 6, 3),
    Column::id("MESSAGE ID", 9, 13, 0),
    Column::left("TOPIC", 12, 26, 2),
    Column::left("BORN", 12, 12, 5),
    Column::left("KEYS", 8, 16, 4),
    Column::left("BODY", 14, u16::MAX, 6),
];

fn end(row: &TransactionRow, resolution: Resolution) -> Confirm {
    let (verb, text) = match resolution {
        Resolution::Commit => ("Commit", "It joins its topic and is delivered."),
        _ => ("Roll back", "It will never be delivered."),
    };
    Confirm::mild(
        format!("{verb} this transaction?"),
        vec![row.message.id.to_string(), text.to_owned()],
        verb,
        Deed::EndTransaction(EndTransaction {
            topic: Some(row.message.topic.clone()),
            transaction: row.transaction.clone(),
            message_id: Some(row.message.id.clone()),
            resolution,
            from_check: false,
        }),
    )
}

impl Listing for TransactionList {
    type Row = TransactionRow;
    const ID: PaneId = PaneId::Transactions;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, _shared: &'a Shared) -> &'a [TransactionRow] {
        &self.page.rows
    }

    fn loaded(&self, _shared: &Shared) -> Loaded {
        self.page.loaded.clone()
    }

    fn key(&self, row: &TransactionRow) -> String {
        row.transaction.to_string()
    }

    fn haystack(&self, row: &TransactionRow) -> String {
        format!(
            "{} {} {}",
            row.transaction, row.message.id, row.message.topic
        )
    }

    fn cell(&self, row: &TransactionRow, column: usize, shared: &Shared) -> Line {
        let of = |index| super::messages::cell(&row.message, index, shared);
        match column {
            0 => Line::of(shared.times.until(row.next_check_at), Token::Warn),
            1 => Line::text(row.checks.to_string()),
            2 => of(1),
            3 => Line::text(row.message.topic.to_string()),
            4 => Line::text(shared.times.moment(row.message.born_at)),
            5 => of(3),
            _ => of(8),
        }
    }

    fn compare(
        &self,
        a: &TransactionRow,
        b: &TransactionRow,
        column: usize,
        shared: &Shared,
    ) -> std::cmp::Ordering {
        match column {
            0 => a.next_check_at.cmp(&b.next_check_at),
            1 => a.checks.cmp(&b.checks),
            4 => a.message.born_at.cmp(&b.message.born_at),
            _ => {
                let text = |row| self.cell(row, column, shared).plain();
                text(a).cmp(&text(b))
            }
        }
    }

    fn detail(&self, row: &TransactionRow, shared: &Shared, document: &mut Document) -> Line {
        document.field(
            "checks",
            format!(
                "{} so far; the next {}",
                row.checks,
                shared.times.until(row.next_check_at)
            ),
        );
        document.field("transaction", row.transaction.to_string());
        message::fields(&row.message, shared, document);
        self.body.write(document);
        message::system(&row.message, document);
        Line::text("Half message")
    }

    fn subject(&self, row: &TransactionRow, shared: &Shared) -> Subject {
        subject(&row.message, shared)
    }

    fn offer(&self, action: Action, row: Option<&TransactionRow>, shared: &Shared) -> Offer {
        let can = shared.overview().capabilities.has(Capability::Transactions);
        match action {
            Action::Send => Offer::when(shared.instance().is_some(), "no instance runs"),
            Action::Commit | Action::Rollback if !can => Offer::No("this cluster does not tell"),
            Action::Open
            | Action::Commit
            | Action::Rollback
            | Action::SaveBody
            | Action::BodyForm
            | Action::Fold
            | Action::Wrap => Offer::when(row.is_some(), "no transaction is selected"),
            _ => Offer::Never,
        }
    }

    fn act(
        &mut self,
        action: Action,
        row: Option<TransactionRow>,
        _marked: Vec<TransactionRow>,
        shared: &mut Shared,
    ) -> Commands {
        match (action, row) {
            (Action::Send, row) => {
                let topic = row.map(|row| row.message.topic.clone());
                vec![Command::Open(Box::new(SendDialog::open(topic, shared)))]
            }
            (Action::Commit, Some(row)) => {
                vec![Command::Open(Box::new(end(&row, Resolution::Commit)))]
            }
            (Action::Rollback, Some(row)) => {
                vec![Command::Open(Box::new(end(&row, Resolution::Rollback)))]
            }
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
            Action::Commit,
            Action::Rollback,
            Action::Send,
            Action::Actions,
            Action::Details,
            Action::ViewNext,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Open => "inspect",
            Action::ViewNext => "messages",
            _ => action.label(),
        }
    }

    fn note(&self, _shared: &Shared) -> String {
        self.page.note()
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "Half messages wait here until their producer commits or rolls back.",
            help: "s sends one: type Transaction, then leave unknown",
        }
    }

    fn refresh(&mut self, selected: Option<&TransactionRow>, shared: &mut Shared) -> Commands {
        if let Some(row) = selected {
            self.body.show(&row.message);
        }
        self.page.ask(Query::Transactions, shared)
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        self.page.take(ticket, answer, |answer| match answer {
            Answer::Transactions(page) => Some(page),
            _ => None,
        });
        Vec::new()
    }
}
