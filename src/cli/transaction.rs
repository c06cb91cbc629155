//! `moonport transaction`: half messages and their end by hand.

use clap::Subcommand;

use crate::cli::session::{Session, refused};
use crate::cli::view::message::TransactionView;
use crate::cluster::messaging::{EndTransaction, Resolution};
use crate::cluster::paging::Page;
use crate::cluster::session::Caller;
use crate::domain::ids::TransactionId;
use crate::report::Report;

/// Rows of one page: with the largest bodies it still fits through the owner's socket.
const PAGE_ROWS: usize = 8;

#[derive(Debug, Subcommand)]
pub enum Transaction {
    /// Half messages that wait for their producer
    List,
    /// Deliver it
    Commit {
        #[arg(value_name = "TRANSACTION")]
        id: String,
    },
    /// Drop it
    Rollback {
        #[arg(value_name = "TRANSACTION")]
        id: String,
    },
}

impl Transaction {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        match self {
            Self::List => list(session).await,
            Self::Commit { id } => end(session, id, Resolution::Commit, "committed").await,
            Self::Rollback { id } => end(session, id, Resolution::Rollback, "rolled back").await,
        }
    }
}

async fn list(session: &Session) -> Result<(), Report> {
    let admin = session.cluster().await?.admin;
    let mut page = Page::first(PAGE_ROWS);
    let mut views = Vec::new();
    loop {
        let rows = admin.transactions(page.clone()).await.map_err(refused)?;
        views.extend(rows.rows.iter().map(TransactionView::new));
        page.cursor = rows.next;
        if page.cursor.is_none() {
            return session.out.list(&views);
        }
    }
}

async fn end(
    session: &Session,
    id: String,
    resolution: Resolution,
    done: &str,
) -> Result<(), Report> {
    let messaging = session.cluster().await?.messaging;
    let request = EndTransaction {
        topic: None,
        transaction: TransactionId::new(id.as_str()),
        message_id: None,
        resolution,
        from_check: false,
    };
    let ended = messaging.end_transaction(&Caller::local(), request).await;
    ended.map_err(refused)?;
    session.out.done(&format!("{done} transaction `{id}`"), &id)
}
