//! Sending dead letters again: to their topic for all groups, or back to the group that failed (Q6 a, c).

use std::sync::Arc;

use crate::broker::core::{Core, cluster_error, durable};
use crate::broker::dead_letter::{Origin, without_notes};
use crate::cluster::Reply;
use crate::cluster::admin::{DeadLetterResend, ResendOutcome, ResendTo};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::Send;
use crate::cluster::session::Caller;
use crate::domain::group::DeliveryOrder;
use crate::domain::ids::MessageId;
use crate::domain::message::{Draft, Message, Place};
use crate::domain::names::GroupName;
use crate::domain::record::{Postponing, Record};

impl Core {
    pub(in crate::broker) async fn resend(
        &self,
        request: DeadLetterResend,
    ) -> Reply<Vec<ResendOutcome>> {
        let DeadLetterResend {
            letters,
            to,
            mut edited,
        } = request;
        if edited.is_some() && (letters.len() != 1 || to == ResendTo::Group) {
            return Err(ClusterError::IllegalRequest(
                "only a single letter that goes to its topic can be edited".to_owned(),
            ));
        }
        let mut outcomes = Vec::with_capacity(letters.len());
        for letter in letters {
            let result = match to {
                ResendTo::Topic => self.to_topic(&letter, edited.take()).await,
                ResendTo::Group => self.to_group(&letter).await,
            };
            outcomes.push(ResendOutcome { letter, result });
        }
        Ok(outcomes)
    }

    /// The letter and where it says it came from.
    fn letter_at(&self, place: &Place) -> Reply<(Arc<Message>, Origin)> {
        let kept = {
            let live = self.live();
            let topic = live.state.topic(&place.topic);
            let queue = topic.and_then(|topic| topic.queues.get(place.queue as usize));
            queue.is_some_and(|queue| (queue.min..queue.visible).contains(&place.offset))
        };
        let letter = self.journal.message(place).map_err(cluster_error)?;
        let letter = letter
            .filter(|_| kept)
            .ok_or_else(|| ClusterError::MessageNotFound(format!("nothing at {place}")))?;
        let origin = Origin::of(&letter).ok_or_else(|| {
            ClusterError::IllegalRequest(format!("the message at {place} is no dead letter"))
        })?;
        Ok((letter, origin))
    }

    async fn to_topic(&self, place: &Place, edited: Option<Draft>) -> Reply<MessageId> {
        let (letter, origin) = self.letter_at(place)?;
        let draft = edited.unwrap_or_else(|| Draft {
            encoding: letter.encoding,
            tag: letter.tag.clone(),
            keys: letter.keys.clone(),
            properties: letter.properties.clone(),
            system: without_notes(&letter.system),
            message_group: letter.message_group.clone(),
            priority: letter.priority,
            ..Draft::new(origin.topic, letter.body.clone())
        });
        let mut sent = self.send(&Caller::local(), Send::one(draft)).await?;
        let receipt = sent.pop().unwrap_or(Err(ClusterError::Stopping))?;
        Ok(receipt.id)
    }

    async fn to_group(&self, place: &Place) -> Reply<MessageId> {
        let (letter, origin) = self.letter_at(place)?;
        let (Some(group), Some((queue, offset))) = (origin.group.clone(), origin.at) else {
            return Err(ClusterError::IllegalRequest(
                "the letter does not say which group failed and where it lay".to_owned(),
            ));
        };
        let back = Place {
            topic: origin.topic.clone(),
            queue,
            offset,
        };
        let commit = self.put_back(&group, place, back, &letter)?;
        durable(commit).await?;
        Ok(origin.id.unwrap_or_else(|| letter.id.clone()))
    }

    fn put_back(
        &self,
        group: &GroupName,
        letter_at: &Place,
        back: Place,
        letter: &Message,
    ) -> Reply<crate::store::journal::Commit> {
        let mut live = self.live();
        let now = self.now();
        let definition = live.state.group(group);
        let definition = definition.ok_or_else(|| ClusterError::GroupNotFound(group.clone()))?;
        let orderly = definition.order == DeliveryOrder::Orderly;
        let id = live.state.progress_id(group, &back.topic);
        let id = id.ok_or_else(|| ClusterError::TopicNotFound(back.topic.clone()))?;
        let queue = live.state.queue_progress(id, back.queue);
        let queue = queue.ok_or_else(|| {
            ClusterError::IllegalRequest(format!("there is no queue {} any more", back.queue))
        })?;
        if queue.held(back.offset).is_some() || queue.fresh().contains(back.offset) {
            return Err(ClusterError::IllegalRequest(format!(
                "group `{group}` is not done with the message at {back} yet"
            )));
        }
        let message_group = letter.message_group.as_deref().filter(|_| orderly);
        let mut entry = self.entry(&mut live);
        entry.push(Record::Postponed {
            group: group.clone(),
            place: back,
            attempt: 1,
            due: now,
            at: now,
            why: Postponing::Requeued(letter_at.clone()),
            message_group: message_group.map(Arc::from),
        });
        entry.live.wake(id);
        Ok(entry.append())
    }
}
