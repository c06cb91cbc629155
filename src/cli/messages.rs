//! `moonport messages`: stored messages, pending delays, recall.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::absent::absent;
use crate::cli::output::{is_watched, remark, to_json};
use crate::cli::session::{Session, refused};
use crate::cli::value;
use crate::cli::view::message::{MessageView, ParkedView};
use crate::cluster::Cluster;
use crate::cluster::admin::MessageQuery;
use crate::cluster::messaging::Recall;
use crate::cluster::paging::Page;
use crate::cluster::session::Caller;
use crate::domain::ids::MessageId;
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::report::{Exit, Report, count, counted};

/// Messages of one page: with the largest bodies it still fits through the owner's socket.
const PAGE_ROWS: usize = 8;

#[derive(Debug, Args)]
pub struct Messages {
    #[arg(long)]
    pub topic: Option<TopicName>,
    /// Messages with this key; needs `--topic`
    #[arg(long, requires = "topic")]
    pub key: Option<String>,
    /// The message with this id
    #[arg(long, conflicts_with_all = ["key", "pending"])]
    pub id: Option<String>,
    /// Stored at or after this moment
    #[arg(long, value_name = "MOMENT", value_parser = value::moment, requires = "topic")]
    pub from: Option<Timestamp>,
    /// Stored at or before this moment
    #[arg(long, value_name = "MOMENT", value_parser = value::moment, requires = "topic")]
    pub to: Option<Timestamp>,
    /// Oldest first
    #[arg(long)]
    pub oldest_first: bool,
    /// Most messages shown
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
    /// Delayed messages that are not yet due
    #[arg(long)]
    pub pending: bool,
    /// Take a delayed message back
    #[arg(
        long,
        value_name = "HANDLE",
        requires = "topic",
        conflicts_with = "pending"
    )]
    pub recall: Option<String>,
    /// Write all that match to a file, one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pending", "recall"])]
    pub export: Option<PathBuf>,
}

impl Messages {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let cluster = session.cluster().await?;
        if let (Some(handle), Some(topic)) = (&self.recall, &self.topic) {
            return recall(session, &cluster, topic.clone(), handle.clone()).await;
        }
        if self.pending {
            return self.list_pending(session, &cluster).await;
        }
        let query = self.query()?;
        if let Some(file) = &self.export {
            return export(&cluster, query, file).await;
        }
        self.list(session, &cluster, query).await
    }

    fn query(&self) -> Result<MessageQuery, Report> {
        if let Some(id) = &self.id {
            return parse_id(id).map(MessageQuery::Id);
        }
        match (&self.topic, &self.key) {
            (Some(topic), Some(key)) => Ok(MessageQuery::Key {
                topic: topic.clone(),
                key: key.clone(),
                from: self.from,
                to: self.to,
            }),
            (Some(topic), None) => Ok(MessageQuery::Time {
                topic: topic.clone(),
                from: self.from,
                to: self.to,
                newest_first: !self.oldest_first,
            }),
            (None, _) => Err(Report::plain(
                "which messages is not said",
                Some("name a topic with `--topic`, or a message with `--id`".to_owned()),
                Exit::Usage,
            )),
        }
    }

    async fn list(
        &self,
        session: &Session,
        cluster: &Cluster,
        query: MessageQuery,
    ) -> Result<(), Report> {
        let mut views = Vec::new();
        let mut pages = Pages::new(cluster, query);
        while views.len() < self.limit {
            let Some(page) = pages.next(self.limit - views.len()).await? else {
                break;
            };
            views.extend(page);
        }
        if let (MessageQuery::Id(id), true) = (&pages.query, views.is_empty()) {
            return Err(absent(session, cluster, id).await?);
        }
        session.out.list(&views)?;
        if !session.out.is_json() {
            remark(&pages.told(views.len()));
        }
        Ok(())
    }

    async fn list_pending(&self, session: &Session, cluster: &Cluster) -> Result<(), Report> {
        let mut page = Page::first(PAGE_ROWS.min(self.limit));
        let mut views = Vec::new();
        loop {
            let pending = cluster.admin.pending(self.topic.clone(), page.clone());
            let pending = pending.await.map_err(refused)?;
            views.extend(pending.rows.iter().map(ParkedView::new));
            page.cursor = pending.next;
            if page.cursor.is_none() || views.len() >= self.limit {
                break;
            }
        }
        views.truncate(self.limit);
        session.out.list(&views)
    }
}

async fn recall(
    session: &Session,
    cluster: &Cluster,
    topic: TopicName,
    handle: String,
) -> Result<(), Report> {
    let request = Recall { topic, handle };
    let recalled = cluster.messaging.recall(&Caller::local(), request).await;
    let id = recalled.map_err(refused)?;
    session.out.done(&format!("recalled {id}"), &id)
}

/// Writes every message that matches; how far it got is told on stderr while somebody watches.
async fn export(cluster: &Cluster, query: MessageQuery, file: &Path) -> Result<(), Report> {
    let unwritable = |error: std::io::Error| {
        let headline = format!("cannot write `{}`: {error}", file.display());
        Report::plain(headline, None, Exit::Usage)
    };
    let mut writer = BufWriter::new(File::create(file).map_err(unwritable)?);
    let mut pages = Pages::new(cluster, query);
    let mut written: usize = 0;
    while let Some(page) = pages.next(usize::MAX).await? {
        for view in &page {
            writeln!(writer, "{}", to_json(view)?).map_err(unwritable)?;
        }
        let before = written;
        written += page.len();
        if is_watched() && before / 1000 != written / 1000 {
            remark(&format!(
                "{} written",
                counted(written as u64, "message", "messages")
            ));
        }
    }
    writer.flush().map_err(unwritable)?;
    remark(&format!("{} to `{}`", pages.told(written), file.display()));
    Ok(())
}

/// The pages of a query, with how much was looked at.
struct Pages<'a> {
    cluster: &'a Cluster,
    query: MessageQuery,
    cursor: Option<String>,
    scanned: u64,
    ended: bool,
    complete: bool,
}

impl<'a> Pages<'a> {
    fn new(cluster: &'a Cluster, query: MessageQuery) -> Self {
        Self {
            cluster,
            query,
            cursor: None,
            scanned: 0,
            ended: false,
            complete: true,
        }
    }

    async fn next(&mut self, at_most: usize) -> Result<Option<Vec<MessageView>>, Report> {
        if self.ended {
            return Ok(None);
        }
        let page = Page {
            cursor: self.cursor.take(),
            ..Page::first(PAGE_ROWS.min(at_most))
        };
        let found = self.cluster.admin.messages(self.query.clone(), page).await;
        let found = found.map_err(refused)?;
        self.scanned += found.scanned;
        self.complete = found.complete;
        self.ended = found.next.is_none();
        self.cursor = found.next;
        let views = found.rows.iter().map(|row| MessageView::new(&row.message));
        Ok(Some(views.collect()))
    }

    /// How honest the listing is: what was found, looked at, and left out.
    fn told(&self, shown: usize) -> String {
        let rest = match (self.ended, self.complete) {
            (true, true) => "complete",
            (true, false) => "older messages that match may have been left out",
            (false, _) => "more match: raise `--limit`",
        };
        let shown = counted(shown as u64, "message", "messages");
        format!("{shown}, {} looked at; {rest}", count(self.scanned))
    }
}

pub fn parse_id(text: &str) -> Result<MessageId, Report> {
    MessageId::new(text)
        .ok_or_else(|| Report::plain(format!("`{text}` is not a message id"), None, Exit::Usage))
}
