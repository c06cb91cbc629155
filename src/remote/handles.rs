//! Receipt handles of a cluster elsewhere are opaque text; here each stands behind a handle of ours while it may be used.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::message::Message;
use crate::domain::names::GroupName;
use crate::domain::receipt::ReceiptHandle;
use crate::domain::timestamp::Timestamp;

/// Handles remembered at most; beyond it the oldest is forgotten and its message comes again.
const REMEMBERED: usize = 100_000;

/// The texts behind handles. A cluster of our own kind gives handles that need none.
#[derive(Default)]
pub(super) struct Handles(Mutex<Table>);

#[derive(Default)]
struct Table {
    texts: BTreeMap<u64, String>,
    last: u64,
}

impl Handles {
    /// A handle for what a cluster gave as `text` with `message`.
    pub(super) fn keep(
        &self,
        text: &str,
        group: &GroupName,
        message: &Message,
        attempt: u32,
        deadline: Timestamp,
    ) -> ReceiptHandle {
        if let Ok(own) = ReceiptHandle::parse(text) {
            return own;
        }
        ReceiptHandle {
            group: group.clone(),
            topic: message.topic.clone(),
            queue: message.queue,
            offset: message.offset,
            attempt,
            lease: self.remember(text),
            deadline,
        }
    }

    /// The handle that takes the place of `old` for the new `text`.
    pub(super) fn replace(&self, old: &ReceiptHandle, text: &str) -> ReceiptHandle {
        self.forget(old);
        if let Ok(own) = ReceiptHandle::parse(text) {
            return own;
        }
        ReceiptHandle {
            lease: self.remember(text),
            ..old.clone()
        }
    }

    /// What the cluster knows a handle by.
    pub(super) fn text(&self, handle: &ReceiptHandle) -> String {
        let table = self.0.lock();
        let known = table.texts.get(&handle.lease).cloned();
        known.unwrap_or_else(|| handle.encode())
    }

    pub(super) fn forget(&self, handle: &ReceiptHandle) {
        self.0.lock().texts.remove(&handle.lease);
    }

    fn remember(&self, text: &str) -> u64 {
        let mut table = self.0.lock();
        if table.texts.len() >= REMEMBERED {
            table.texts.pop_first();
        }
        // Numbers of our own broker's leases are small; these never meet them.
        table.last = table.last.max(1 << 63) + 1;
        let number = table.last;
        table.texts.insert(number, text.to_owned());
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(lease: u64) -> ReceiptHandle {
        ReceiptHandle {
            group: GroupName::new("g").unwrap(),
            topic: crate::domain::names::TopicName::new("t").unwrap(),
            queue: 0,
            offset: 7,
            attempt: 1,
            lease,
            deadline: Timestamp::EPOCH,
        }
    }

    #[test]
    fn foreign_text_is_remembered_until_its_message_is_settled() {
        let handles = Handles::default();
        let first = handles.replace(&handle(3), "17 0 30000 x");
        assert_eq!(handles.text(&first), "17 0 30000 x");
        let second = handles.replace(&first, "18 0 30000 x");
        assert_eq!(handles.text(&second), "18 0 30000 x");
        assert_ne!(handles.text(&first), "17 0 30000 x");
        handles.forget(&second);
        assert_ne!(handles.text(&second), "18 0 30000 x");
    }

    #[test]
    fn handles_of_our_own_kind_pass_through() {
        let handles = Handles::default();
        let own = handle(9);
        assert_eq!(handles.replace(&handle(3), &own.encode()), own);
        assert_eq!(handles.text(&own), own.encode());
    }
}
