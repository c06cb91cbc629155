//! Listing: every listing takes a cursor and a budget and says how far it got.

use serde::{Deserialize, Serialize};

/// Where to go on and how much to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// [`Paged::next`] of the page before; `None` starts.
    pub cursor: Option<String>,
    /// Most rows wanted.
    pub rows: usize,
    /// Most entries to look at before answering with what was found.
    pub scan: usize,
}

impl Page {
    /// The first page of at most `rows`, looking at no more than a hundred thousand entries.
    pub fn first(rows: usize) -> Self {
        Self {
            cursor: None,
            rows,
            scan: 100_000,
        }
    }

    /// Everything: for listings that are small by nature.
    pub fn all() -> Self {
        Self {
            cursor: None,
            rows: usize::MAX,
            scan: usize::MAX,
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

/// One page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paged<T> {
    pub rows: Vec<T>,
    /// Entries looked at for this page.
    pub scanned: u64,
    /// Goes into [`Page::cursor`] for the next page; `None` at the end.
    pub next: Option<String>,
    /// True when nothing that matches is left out after this page.
    pub complete: bool,
}

impl<T> Paged<T> {
    /// All rows in one page.
    pub fn whole(rows: Vec<T>) -> Self {
        Self {
            scanned: rows.len() as u64,
            rows,
            next: None,
            complete: true,
        }
    }

    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            rows: self.rows.into_iter().map(each).collect(),
            scanned: self.scanned,
            next: self.next,
            complete: self.complete,
        }
    }
}
