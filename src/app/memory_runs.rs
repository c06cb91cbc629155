//! Log records and invocation records of this process, in memory.

use std::collections::VecDeque;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::cluster::paging::{Page, Paged};
use crate::control::logs::{InvocationQuery, LogFrom, LogPage, LogQuery};
use crate::control::{Logs, Reply};
use crate::domain::function::{InvocationRecord, LogRecord};
use crate::function::log::RunSink;

const KEPT: usize = 100_000;

pub struct MemoryLog {
    logs: Mutex<VecDeque<LogRecord>>,
    invocations: Mutex<VecDeque<InvocationRecord>>,
    latest: watch::Sender<u64>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self {
            logs: Mutex::default(),
            invocations: Mutex::default(),
            latest: watch::Sender::new(0),
        }
    }
}

impl RunSink for MemoryLog {
    fn log(&self, mut record: LogRecord) {
        let number = {
            let mut logs = self.logs.lock();
            let number = logs.back().map_or(1, |last| last.number + 1);
            record.number = number;
            logs.push_back(record);
            if logs.len() > KEPT {
                logs.pop_front();
            }
            number
        };
        self.latest
            .send_modify(|latest| *latest = number.max(*latest));
    }

    fn invocation(&self, record: &InvocationRecord) -> u64 {
        let mut invocations = self.invocations.lock();
        let number = invocations.back().map_or(1, |last| last.number + 1);
        invocations.push_back(InvocationRecord {
            number,
            ..record.clone()
        });
        if invocations.len() > KEPT {
            invocations.pop_front();
        }
        number
    }
}

fn matches(query: &LogQuery, record: &LogRecord) -> bool {
    query
        .function
        .as_ref()
        .is_none_or(|name| *name == record.function)
        && query
            .request_id
            .as_ref()
            .is_none_or(|id| record.request_id.as_ref() == Some(id))
        && query.min_level.is_none_or(|level| record.level >= level)
        && query
            .text
            .as_ref()
            .is_none_or(|text| record.text.to_lowercase().contains(&text.to_lowercase()))
}

#[async_trait]
impl Logs for MemoryLog {
    async fn logs(&self, query: LogQuery) -> Reply<LogPage> {
        let logs = self.logs.lock();
        let wanted = logs.iter().filter(|record| matches(&query, record));
        let mut records: Vec<LogRecord> = match query.from {
            LogFrom::End => wanted.cloned().collect(),
            LogFrom::After(after) => wanted.filter(|r| r.number > after).cloned().collect(),
            LogFrom::Before(before) => wanted.filter(|r| r.number < before).cloned().collect(),
        };
        let more = records.len() > query.limit;
        if more && matches!(query.from, LogFrom::After(_)) {
            records.truncate(query.limit);
        } else if more {
            records.drain(..records.len() - query.limit);
        }
        Ok(LogPage {
            records,
            oldest: logs.front().map_or(0, |r| r.number),
            newest: logs.back().map_or(0, |r| r.number),
            scanned: logs.len() as u64,
            more,
            dropped: 0,
        })
    }

    async fn invocations(
        &self,
        query: InvocationQuery,
        page: Page,
    ) -> Reply<Paged<InvocationRecord>> {
        let invocations = self.invocations.lock();
        let wanted = invocations.iter().rev().filter(|record| {
            query
                .function
                .as_ref()
                .is_none_or(|name| *name == record.function)
                && query
                    .request_id
                    .as_ref()
                    .is_none_or(|id| *id == record.request_id)
                && query
                    .message_id
                    .as_ref()
                    .is_none_or(|id| record.message_ids.contains(id))
                && (!query.failed_only || record.error.is_some())
        });
        Ok(Paged::whole(wanted.take(page.rows).cloned().collect()))
    }

    fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }
}
