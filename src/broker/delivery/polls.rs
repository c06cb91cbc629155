//! The last delivery of each orderly receive attempt, so that a client that did not hear the answer gets the same
//! messages again (F2).

use std::collections::{HashMap, VecDeque};

use crate::broker::core::{Core, Live};
use crate::broker::delivery::hand::Terms;
use crate::broker::state::ProgressId;
use crate::broker::state::progress::Stage;
use crate::cluster::Reply;
use crate::cluster::messaging::Delivery;
use crate::domain::receipt::ReceiptHandle;
use crate::domain::timestamp::Timestamp;

/// Attempts remembered.
const MOST: usize = 1024;

type Key = (ProgressId, String);

#[derive(Debug, Default)]
pub(in crate::broker) struct Polls {
    handles: HashMap<Key, Vec<ReceiptHandle>>,
    oldest_first: VecDeque<Key>,
}

impl Polls {
    pub(in crate::broker) fn remember(
        &mut self,
        progress: ProgressId,
        attempt_id: &str,
        handles: Vec<ReceiptHandle>,
    ) {
        let key = (progress, attempt_id.to_owned());
        if self.handles.insert(key.clone(), handles).is_none() {
            self.oldest_first.push_back(key);
        }
        while self.oldest_first.len() > MOST {
            if let Some(key) = self.oldest_first.pop_front() {
                self.handles.remove(&key);
            }
        }
    }

    pub(in crate::broker) fn recall(
        &self,
        progress: ProgressId,
        attempt_id: &str,
    ) -> Option<&[ReceiptHandle]> {
        let key = (progress, attempt_id.to_owned());
        self.handles.get(&key).map(Vec::as_slice)
    }
}

impl Live {
    /// What an earlier call of the same attempt was handed and nobody settled; `None` when there is nothing left of it.
    pub(in crate::broker) fn still_held(
        &self,
        progress: ProgressId,
        attempt_id: &str,
        now: Timestamp,
    ) -> Option<Vec<ReceiptHandle>> {
        let handles = self.polls.recall(progress, attempt_id)?;
        let queues = &self.state.progress(progress)?.queues;
        let holds = |handle: &&ReceiptHandle| {
            let held = queues
                .get(handle.queue as usize)
                .and_then(|queue| queue.held(handle.offset));
            held.is_some_and(|held| match held.stage {
                Stage::InFlight { lease, deadline } => lease == handle.lease && now < deadline,
                Stage::Returning { .. } => false,
            })
        };
        let held: Vec<ReceiptHandle> = handles.iter().filter(holds).cloned().collect();
        (!held.is_empty()).then_some(held)
    }
}

impl Core {
    /// The same deliveries once more, under the same handles.
    pub(in crate::broker) fn same_again(
        &self,
        terms: &Terms,
        handles: Vec<ReceiptHandle>,
    ) -> Reply<Vec<Delivery>> {
        let mut deliveries = Vec::with_capacity(handles.len());
        for handle in handles {
            let content = self.content(&handle.topic, handle.queue, handle.offset, None)?;
            let bounds = {
                let live = self.live();
                let topic = live.state.topic(&handle.topic);
                let queue = topic.and_then(|topic| topic.queues.get(handle.queue as usize));
                queue.copied().unwrap_or_default()
            };
            deliveries.extend(content.map(|message| Delivery {
                message,
                attempt: handle.attempt,
                handle,
                invisible: terms.invisible,
                min_offset: bounds.min,
                max_offset: bounds.visible,
            }));
        }
        Ok(deliveries)
    }
}
