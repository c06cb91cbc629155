//! A unit of work: the messages that are invoked, retried and settled together.

use std::collections::HashMap;

use bytes::Bytes;

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::{Message, Place};
use crate::domain::timestamp::Timestamp;
use crate::trigger::batch::Item;
use crate::trigger::element;
use crate::trigger::saved::{Next, SavedAttempt};

#[derive(Debug)]
pub(super) struct Unit {
    pub(super) items: Vec<Item>,
    pub(super) request_id: RequestId,
    /// Attempts that failed so far.
    pub(super) failed: u32,
    pub(super) next: Next,
    pub(super) error_type: String,
    pub(super) error: String,
}

/// Units that must be settled one after the other. Chains do not wait for each other.
pub(super) type Chain = Vec<Unit>;

/// How a received batch becomes units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split<'a> {
    /// Failed attempts that are written down, by place.
    pub(super) saved: &'a HashMap<Place, SavedAttempt>,
    /// The group keeps order: no unit mixes message groups, and each group is a chain (TR-28).
    pub(super) orderly: bool,
}

impl Split<'_> {
    /// Messages that failed before go on with the messages they failed with, under their old request id; fresh ones are
    /// one unit, or one for each message group.
    pub(super) fn chains(
        self,
        batch: Vec<Item>,
        mut fresh_id: impl FnMut() -> RequestId,
    ) -> Vec<Chain> {
        let mut groups: Vec<(Option<String>, Vec<Item>)> = Vec::new();
        for item in batch {
            let of_item = &item.delivery.message.message_group;
            let group = of_item.clone().filter(|_| self.orderly);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, items)) => items.push(item),
                None => groups.push((group, vec![item])),
            }
        }
        let mut chains = Vec::new();
        for (group, items) in groups {
            let units = self.units(items, &mut fresh_id);
            match group {
                Some(_) => chains.push(units),
                None => chains.extend(units.into_iter().map(|unit| vec![unit])),
            }
        }
        chains
    }

    fn units(self, items: Vec<Item>, fresh_id: &mut impl FnMut() -> RequestId) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut fresh = Vec::new();
        for item in items {
            let Some(attempt) = self.attempt_of(&item.delivery.message) else {
                fresh.push(item);
                continue;
            };
            let mut known = units.iter_mut();
            match known.find(|unit| unit.request_id == attempt.request_id) {
                Some(unit) => unit.items.push(item),
                None => units.push(Unit::resumed(item, attempt)),
            }
        }
        units.extend(Unit::fresh(fresh, fresh_id));
        units
    }

    fn attempt_of(&self, message: &Message) -> Option<&SavedAttempt> {
        let attempt = self.saved.get(&message.place())?;
        (attempt.message_id == message.id).then_some(attempt)
    }
}

impl Unit {
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

    pub(super) fn event(&self) -> Bytes {
        element::event(self.items.iter().map(|item| &item.element))
    }

    pub(super) fn message_ids(&self) -> Vec<MessageId> {
        let messages = self.items.iter().map(|item| &item.delivery.message);
        messages.map(|message| message.id.clone()).collect()
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let messages = self.items.iter().map(|item| &item.delivery.message);
        messages.map(|message| message.place()).collect()
    }

    /// What is written down before the next wait.
    pub(super) fn saved(&self) -> Vec<SavedAttempt> {
        let messages = self.items.iter().map(|item| &item.delivery.message);
        messages
            .map(|message| SavedAttempt {
                place: message.place(),
                message_id: message.id.clone(),
                request_id: self.request_id.clone(),
                failed: self.failed,
                next: self.next,
                error_type: self.error_type.clone(),
                error: self.error.clone(),
            })
            .collect()
    }

    /// Begins again from the first attempt.
    pub(super) fn restart(&mut self) {
        self.failed = 0;
        self.next = Next::Attempt(Timestamp::EPOCH);
    }
}
