//! Rows that only a question gives: their first page, asked for again about once a second while it is shown.

use std::time::Duration;

use crate::cluster::paging::{Page, Paged};
use crate::report::Report;
use crate::ui::effect::{Answer, Effect, Query, Ticket};
use crate::ui::pane::Commands;
use crate::ui::pane::list::Loaded;
use crate::ui::state::Shared;
use crate::ui::widget::numbers;

/// Rows read at once.
const PAGE: usize = 500;
/// Least time between two readings.
const AGAIN: Duration = Duration::from_millis(900);

pub struct FirstPage<R> {
    pub rows: Vec<R>,
    pub loaded: Loaded,
    asked: Option<Ticket>,
    asked_at: Option<Duration>,
    more: bool,
}

impl<R> Default for FirstPage<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            loaded: Loaded::Yes,
            asked: None,
            asked_at: None,
            more: false,
        }
    }
}

impl<R: Clone> FirstPage<R> {
    /// Asks, unless it was asked just now or the screen is held still.
    pub fn ask(&mut self, query: impl FnOnce(Page) -> Query, shared: &mut Shared) -> Commands {
        let fresh = self
            .asked_at
            .is_some_and(|at| shared.uptime.saturating_sub(at) < AGAIN);
        if self.asked.is_some() || fresh || shared.frozen.is_some() {
            return Vec::new();
        }
        if self.asked_at.is_none() {
            self.loaded = Loaded::Loading;
        }
        self.asked_at = Some(shared.uptime);
        let ticket = shared.ticket();
        self.asked = Some(ticket);
        vec![Effect::Query(ticket, query(Page::first(PAGE))).into()]
    }

    /// Takes the answer in, if it is to the last question; `page` finds the rows in it.
    pub fn take(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        page: impl FnOnce(&Answer) -> Option<&Paged<R>>,
    ) {
        if self.asked.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        match answer {
            Ok(answer) => {
                if let Some(page) = page(answer) {
                    self.rows.clone_from(&page.rows);
                    self.more = page.next.is_some();
                    self.loaded = Loaded::Yes;
                }
            }
            Err(report) => self.loaded = Loaded::Failed(report.clone()),
        }
    }

    /// Says so where there are more.
    pub fn note(&self) -> String {
        if self.more {
            format!("first {}", numbers::count(self.rows.len() as u64))
        } else {
            String::new()
        }
    }
}
