//! Reading the log as it grows.

use tokio::sync::watch;

use crate::control::logs::{LogFrom, LogPage, LogQuery};
use crate::control::{Control, Reply};
use crate::domain::function::LogRecord;

/// Log records of one page.
pub const PAGE: usize = 500;

/// A place in the log from which records are read once each.
pub struct Follower {
    control: Control,
    latest: watch::Receiver<u64>,
    query: LogQuery,
}

impl Follower {
    /// Reads what matches `query` from after the record `after` on.
    pub fn after(control: &Control, after: u64, query: LogQuery) -> Self {
        Self {
            control: control.clone(),
            latest: control.logs.latest(),
            query: LogQuery {
                from: LogFrom::After(after),
                limit: PAGE,
                ..query
            },
        }
    }

    /// What was added since the last call, without waiting.
    pub async fn added(&mut self) -> Reply<Vec<LogRecord>> {
        let mut records = Vec::new();
        loop {
            let page = self.page().await?;
            let more = page.more;
            records.extend(page.records);
            if !more {
                return Ok(records);
            }
        }
    }

    /// Waits until the log has grown; false when it will not grow any more.
    pub async fn grows(&mut self) -> bool {
        self.latest.changed().await.is_ok()
    }

    async fn page(&mut self) -> Reply<LogPage> {
        // Marked before reading, so that what comes meanwhile wakes the next wait.
        self.latest.mark_unchanged();
        let page = self.control.logs.logs(self.query.clone()).await?;
        let last = page.records.last().map(|record| record.number);
        let seen = if page.more { last } else { Some(page.newest) };
        if let (Some(seen), LogFrom::After(after)) = (seen, self.query.from) {
            self.query.from = LogFrom::After(seen.max(after));
        }
        Ok(page)
    }
}
