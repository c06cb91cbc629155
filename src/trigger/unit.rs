//! A unit of work: the messages that are invoked, retried and settled together.

use std::collections::HashMap;

use bytes::Bytes;

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::timestamp::Timestamp;
use crate::trigger::batch::Item;
use crate::trigger::element;
use crate::trigger::saved::{Next, SavedAttempt};

#[derive(Debug)]
pub struct Unit {
    pub items: Vec<Item>,
    pub request_id: RequestId,
    /// Attempts that failed so far.
    pub failed: u32,
    pub next: Next,
    pub error_type: String,
    pub error: String,
}

impl Unit {
    /// Splits a batch: messages that failed before go on with the messages they failed with, under their old request id;
    /// fresh ones are one unit.
    pub fn split(
        batch: Vec<Item>,
        saved: &HashMap<Place, SavedAttempt>,
        fresh_id: impl FnOnce() -> RequestId,
    ) -> Vec<Self> {
        let mut units: Vec<Self> = Vec::new();
        let mut fresh = Vec::new();
        for item in batch {
            match saved.get(&item.delivery.message.place()) {
                None => fresh.push(item),
                Some(attempt) => {
                    match units
                        .iter_mut()
                        .find(|u| u.request_id == attempt.request_id)
                    {
                        Some(unit) => unit.items.push(item),
                        None => units.push(Self::resumed(item, attempt)),
                    }
                }
            }
        }
        units.extend(Self::fresh(fresh, fresh_id));
        units
    }

    fn resumed(item: Item, attempt: &SavedAttempt) -> Self {
        Self {
            items: vec![item],
            request_id: attempt.request_id.clone(),
            failed: attempt.failed,
            next: attempt.next,
            error_type: attempt.error_type.clone(),
            error: attempt.error.clone(),
        }
    }

    fn fresh(items: Vec<Item>, fresh_id: impl FnOnce() -> RequestId) -> Option<Self> {
        let first = items.first()?;
        // One message lends its id; several get one of their own (TR-21).
        let request_id = match items.len() {
            1 => RequestId::from(&first.delivery.message.id),
            _ => fresh_id(),
        };
        Some(Self {
            items,
            request_id,
            failed: 0,
            next: Next::Attempt(Timestamp::EPOCH),
            error_type: String::new(),
            error: String::new(),
        })
    }

    pub fn event(&self) -> Bytes {
        element::event(self.items.iter().map(|item| &item.element))
    }

    pub fn message_ids(&self) -> Vec<MessageId> {
        let ids = self
            .items
            .iter()
            .map(|item| item.delivery.message.id.clone());
        ids.collect()
    }

    pub fn places(&self) -> Vec<Place> {
        let places = self.items.iter().map(|item| item.delivery.message.place());
        places.collect()
    }

    /// What is written down before the next wait.
    pub fn saved(&self) -> Vec<SavedAttempt> {
        self.places()
            .into_iter()
            .map(|place| SavedAttempt {
                place,
                request_id: self.request_id.clone(),
                failed: self.failed,
                next: self.next,
                error_type: self.error_type.clone(),
                error: self.error.clone(),
            })
            .collect()
    }

    /// Begins again from the first attempt.
    pub fn restart(&mut self) {
        self.failed = 0;
        self.next = Next::Attempt(Timestamp::EPOCH);
    }
}
