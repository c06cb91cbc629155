//! Routes by topic, asked for once and again when a call finds the topic gone.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::names::TopicName;
use crate::proto::v2;

/// A topic's queues, and whose turn it is.
pub(super) struct TopicRoute {
    pub(super) queues: Vec<v2::MessageQueue>,
    turn: std::sync::atomic::AtomicUsize,
}

impl TopicRoute {
    /// The next queue that can be read, in turn.
    pub(super) fn readable(&self) -> Option<v2::MessageQueue> {
        let readable: Vec<&v2::MessageQueue> = self
            .queues
            .iter()
            .filter(|queue| {
                matches!(
                    queue.permission(),
                    v2::Permission::Read | v2::Permission::ReadWrite
                )
            })
            .collect();
        let turn = self.turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let at = turn.checked_rem(readable.len())?;
        readable.get(at).map(|queue| (*queue).clone())
    }

    /// The queue with this number.
    pub(super) fn numbered(&self, number: u32) -> Option<v2::MessageQueue> {
        let same = |queue: &&v2::MessageQueue| u32::try_from(queue.id) == Ok(number);
        self.queues.iter().find(same).cloned()
    }
}

/// Routes that were asked for.
#[derive(Default)]
pub(super) struct Routes(Mutex<HashMap<TopicName, Arc<TopicRoute>>>);

impl Routes {
    pub(super) fn get(&self, topic: &TopicName) -> Option<Arc<TopicRoute>> {
        self.0.lock().get(topic).cloned()
    }

    pub(super) fn put(&self, topic: TopicName, queues: Vec<v2::MessageQueue>) -> Arc<TopicRoute> {
        let route = Arc::new(TopicRoute {
            queues,
            turn: std::sync::atomic::AtomicUsize::new(0),
        });
        self.0.lock().insert(topic, Arc::clone(&route));
        route
    }

    pub(super) fn forget(&self, topic: &TopicName) {
        self.0.lock().remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(id: i32, permission: v2::Permission) -> v2::MessageQueue {
        v2::MessageQueue {
            id,
            permission: permission.into(),
            ..Default::default()
        }
    }

    #[test]
    fn readable_queues_take_turns_and_others_are_passed_over() {
        let routes = Routes::default();
        let route = routes.put(
            TopicName::new("t").unwrap(),
            vec![
                queue(0, v2::Permission::ReadWrite),
                queue(1, v2::Permission::Write),
                queue(2, v2::Permission::Read),
            ],
        );
        let ids: Vec<i32> = (0..4).map(|_| route.readable().unwrap().id).collect();
        assert_eq!(ids, [0, 2, 0, 2]);
        let closed = routes.put(TopicName::new("t").unwrap(), Vec::new());
        assert!(closed.readable().is_none());
    }
}
