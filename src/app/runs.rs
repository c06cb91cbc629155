//! [`Logs`] over the runs of the data directory, and the host's way to write them.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::app::wiring::store_failed;
use crate::cluster::paging::{Page, Paged};
use crate::control::error::ControlError;
use crate::control::logs::{InvocationQuery, LogFrom, LogPage, LogQuery};
use crate::control::{Logs, Reply};
use crate::domain::function::{InvocationRecord, LogRecord};
use crate::function::log::RunSink;
use crate::store::error::StoreError;
use crate::store::runs::{InvocationFilter, LogFilter, LogStart, Runs};

/// A handle to the runs of this process.
pub struct OwnRuns(pub Arc<Runs>);

impl RunSink for OwnRuns {
    fn log(&self, record: LogRecord) {
        self.0.append_log(&record);
    }

    fn invocation(&self, record: &InvocationRecord) -> u64 {
        self.0.append_invocation(record)
    }
}

#[async_trait]
impl Logs for OwnRuns {
    async fn logs(&self, query: LogQuery) -> Reply<LogPage> {
        let start = match query.from {
            LogFrom::End => LogStart::End,
            LogFrom::After(number) => LogStart::After(number),
            LogFrom::Before(number) => LogStart::Before(number),
        };
        let filter = LogFilter {
            function: query.function,
            request_id: query.request_id,
            min_level: query.min_level,
            text: query.text,
        };
        let found = self.read(move |runs| runs.logs(&filter, start, query.limit));
        let found = found.await?;
        Ok(LogPage {
            records: found.records,
            oldest: found.oldest,
            newest: found.newest,
            scanned: found.scanned,
            more: found.more,
            dropped: found.dropped,
        })
    }

    async fn invocations(
        &self,
        query: InvocationQuery,
        page: Page,
    ) -> Reply<Paged<InvocationRecord>> {
        let filter = InvocationFilter {
            function: query.function,
            request_id: query.request_id,
            message_id: query.message_id,
            failed_only: query.failed_only,
        };
        let before = page.cursor.and_then(|cursor| cursor.parse().ok());
        let found = self.read(move |runs| runs.invocations(&filter, before, page.rows, page.scan));
        let found = found.await?;
        Ok(Paged {
            complete: found.next.is_none(),
            next: found.next.map(|number| number.to_string()),
            scanned: found.scanned,
            rows: found.records,
        })
    }

    fn latest(&self) -> watch::Receiver<u64> {
        self.0.latest()
    }
}

impl OwnRuns {
    /// Reads files on a thread that may wait for them.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Runs) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<T> {
        let runs = self.0.clone();
        let done = tokio::task::spawn_blocking(move || read(&runs)).await;
        done.map_err(|error| ControlError::StoreFailed(error.to_string()))?
            .map_err(store_failed)
    }
}
