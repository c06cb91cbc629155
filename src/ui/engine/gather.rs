//! Reads the picture of the engine that all places share, and the events since the last one.

use std::time::Duration;

use crate::cluster::Capabilities;
use crate::cluster::admin::{ClientRow, GroupRow, TopicRow};
use crate::cluster::paging::Page;
use crate::control::activity::{Event as ActivityEvent, Happening, NoticeLevel};
use crate::control::logs::InvocationQuery;
use crate::domain::function::InvocationRecord;
use crate::domain::names::InstanceId;
use crate::report::Report;
use crate::ui::engine::{Engine, told};
use crate::ui::state::feed::{Happened, Level, What};
use crate::ui::state::overview::Overview;

/// Events read at once.
const EVENTS: usize = 2_000;
/// Invocations read at once, and at most per reading.
const RUNS: usize = 200;
const MOST_RUNS: usize = 2_000;

/// Rows of an instance, or why they could not be read.
type Rows<T> = Result<Vec<T>, Report>;

impl Engine {
    /// Reads everything that is small. Parts that fail keep their last rows.
    pub async fn gather(&self, last: &Overview, uptime: Duration) -> Overview {
        let control = &self.control;
        let (instances, functions, triggers, clock) = tokio::join!(
            control.instances.instances(),
            control.functions.functions(),
            control.triggers.triggers(),
            control.clock.clock(),
        );
        let mut next = Overview {
            at: uptime,
            instances: last.instances.read(uptime, told(instances)),
            functions: last.functions.read(uptime, told(functions)),
            triggers: last.triggers.read(uptime, told(triggers)),
            clock: clock.ok().or_else(|| last.clock.clone()),
            ..Overview::default()
        };
        self.choose_instance(&next);
        next.instance = self.instance();
        self.gather_statistics(&mut next).await;
        let (topics, groups, clients, capabilities) = self.gather_rows().await;
        let same = next.instance == last.instance;
        let empty = Overview::default();
        let before = if same { last } else { &empty };
        next.topics = before.topics.read(uptime, topics);
        next.groups = before.groups.read(uptime, groups);
        next.clients = before.clients.read(uptime, clients);
        next.capabilities = capabilities;
        next
    }

    /// The instance chosen, or the first where that one is gone.
    fn choose_instance(&self, overview: &Overview) {
        let rows = &overview.instances.rows;
        let mut chosen = self.instance.lock();
        let known = |id: &InstanceId| rows.iter().any(|row| row.definition.id == *id);
        if !chosen.as_ref().is_some_and(known) && overview.instances.error.is_none() {
            *chosen = rows.first().map(|row| row.definition.id.clone());
        }
    }

    async fn gather_statistics(&self, next: &mut Overview) {
        for row in &next.instances.rows {
            let id = &row.definition.id;
            if let Ok(cluster) = self.control.instances.cluster(id)
                && let Ok(statistics) = cluster.admin.statistics().await
            {
                next.statistics.insert(id.clone(), statistics);
            }
        }
    }

    async fn gather_rows(
        &self,
    ) -> (
        Rows<TopicRow>,
        Rows<GroupRow>,
        Rows<ClientRow>,
        Capabilities,
    ) {
        if self.instance().is_none() {
            return (
                Ok(Vec::new()),
                Ok(Vec::new()),
                Ok(Vec::new()),
                Capabilities::default(),
            );
        }
        let admin = match self.cluster() {
            Ok(cluster) => cluster.admin,
            Err(report) => {
                return (
                    Err(report.clone()),
                    Err(report.clone()),
                    Err(report),
                    Capabilities::default(),
                );
            }
        };
        let (topics, groups, clients) = tokio::join!(
            admin.topics(Page::all()),
            admin.groups(Page::all()),
            admin.clients(None),
        );
        (
            told(topics).map(|page| page.rows),
            told(groups).map(|page| page.rows),
            told(clients),
            admin.capabilities(),
        )
    }

    /// Events after `since`, in the console's words, and where to go on.
    pub async fn happened(&self, since: u64) -> (Vec<Happened>, u64) {
        let Ok(page) = self.control.activity.since(since, EVENTS).await else {
            return (Vec::new(), since);
        };
        let mut events = Vec::new();
        if page.lost > 0 && since > 0 {
            let at = page.events.first().map(|event| event.at);
            events.push(Happened {
                at: at.unwrap_or_default(),
                what: What::Missed(page.lost),
            });
        }
        events.extend(page.events.into_iter().filter_map(translate));
        (events, page.next)
    }

    /// Invocations after the one numbered `newest`, newest first.
    pub async fn invocations(&self, newest: u64) -> Vec<InvocationRecord> {
        let mut found = Vec::new();
        let mut page = Page::first(RUNS);
        while found.len() < MOST_RUNS {
            let query = InvocationQuery::default();
            let Ok(rows) = self.control.logs.invocations(query, page.clone()).await else {
                break;
            };
            let new = rows.rows.iter().filter(|record| record.number > newest);
            let fresh: Vec<InvocationRecord> = new.cloned().collect();
            let reached = fresh.len() < rows.rows.len();
            found.extend(fresh);
            page.cursor = rows.next;
            if reached || page.cursor.is_none() {
                break;
            }
        }
        found
    }
}

/// What an event means on the screen; those that only counters show mean nothing more.
fn translate(event: ActivityEvent) -> Option<Happened> {
    let what = match event.happening {
        Happening::MessageStored { place, .. } => What::Stored(place.topic),
        Happening::MessageDead { group, .. } => What::Dead(group),
        Happening::MessagesLost {
            group,
            topic,
            count,
            ..
        } => What::Lost(group, topic, count),
        Happening::InvocationStarted {
            function,
            request_id,
            attempt,
            cold_start,
        } => What::Started {
            function,
            request: request_id,
            attempt,
            cold: cold_start,
        },
        Happening::InvocationEnded {
            function,
            request_id,
            attempt,
            duration_ms,
            error,
            ..
        } => What::Ended {
            function,
            request: request_id,
            attempt,
            duration_ms,
            error,
        },
        Happening::Notice { level, text } => {
            let level = match level {
                NoticeLevel::Info => Level::Info,
                NoticeLevel::Warn => Level::Warn,
                NoticeLevel::Error => Level::Error,
            };
            What::Note(level, text)
        }
        _ => return None,
    };
    Some(Happened { at: event.at, what })
}
