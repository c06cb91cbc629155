//! Messages on their way in: a sender's message is a [`Draft`]. Its queue id is not taken over: some clients know only
//! queue 0, and FIFO messages go by their message group.

use crate::cluster::error::ClusterError;
use crate::cluster::messaging::SendReceipt;
use crate::domain::ids::TransactionId;
use crate::domain::message::{BodyEncoding, Draft, HalfDraft, MessageType, Properties, key};
use crate::domain::names::TopicName;
use crate::proto::convert::{names, time};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;

/// Longest time a producer may ask for before the first check-back, in seconds (X3).
const MAX_RECOVERY_SECONDS: i64 = 3600;

/// The drafts of one request, all for one topic.
pub fn drafts(messages: Vec<v2::Message>) -> Result<Vec<Draft>, Refusal> {
    let first = messages.first().ok_or(Refusal::NoMessages)?;
    let topic = names::topic_to_send(first.topic.as_ref())?;
    messages
        .into_iter()
        .map(|message| draft(&topic, message))
        .collect()
}

fn draft(topic: &TopicName, message: v2::Message) -> Result<Draft, Refusal> {
    let named = message.topic.as_ref().map_or("", |t| t.name.as_str());
    if named != topic.as_str() {
        return Err(Refusal::MixedTopics(topic.to_string(), named.to_owned()));
    }
    let system = message.system_properties.unwrap_or_default();
    if system.lite_topic.is_some() {
        return Err(Refusal::Lite);
    }
    Ok(Draft {
        id: Some(names::message_id(&system.message_id)?),
        encoding: encoding(system.body_encoding),
        properties: message.user_properties.into_iter().collect(),
        system: system
            .trace_context
            .iter()
            .map(|context| (key::TRACE_CONTEXT, context.as_str()))
            .collect::<Properties>(),
        transaction: half(&system)?,
        deliver_at: system.delivery_timestamp.as_ref().map(time::timestamp),
        priority: priority(system.priority)?,
        born_at: system.born_timestamp.as_ref().map(time::timestamp),
        born_host: Some(system.born_host).filter(|host| !host.is_empty()),
        tag: system.tag,
        keys: system.keys,
        message_group: system.message_group,
        ..Draft::new(topic.clone(), message.body)
    })
}

fn encoding(number: i32) -> BodyEncoding {
    match v2::Encoding::try_from(number) {
        Ok(v2::Encoding::Gzip) => BodyEncoding::Gzip,
        _ => BodyEncoding::Identity,
    }
}

fn half(system: &v2::SystemProperties) -> Result<Option<HalfDraft>, Refusal> {
    if system.message_type() != v2::MessageType::Transaction {
        return Ok(None);
    }
    let immunity_seconds = match &system.orphaned_transaction_recovery_duration {
        Some(span) if span.seconds > MAX_RECOVERY_SECONDS => {
            return Err(ClusterError::IllegalRequest(format!(
                "a transaction is checked after at most {MAX_RECOVERY_SECONDS} s, {} s were asked for",
                span.seconds
            ))
            .into());
        }
        Some(span) => u32::try_from(span.seconds).ok().filter(|asked| *asked > 0),
        None => None,
    };
    Ok(Some(HalfDraft { immunity_seconds }))
}

fn priority(given: Option<i32>) -> Result<Option<u32>, Refusal> {
    given
        .map(|value| {
            u32::try_from(value).map_err(|_| {
                ClusterError::IllegalRequest(format!("the priority `{value}` is negative")).into()
            })
        })
        .transpose()
}

/// The other way, for a cluster elsewhere.
pub fn to_message(draft: &Draft) -> v2::Message {
    let message_type = match draft.message_type() {
        MessageType::Normal => v2::MessageType::Normal,
        MessageType::Fifo => v2::MessageType::Fifo,
        MessageType::Delay => v2::MessageType::Delay,
        MessageType::Transaction => v2::MessageType::Transaction,
        MessageType::Priority => v2::MessageType::Priority,
    };
    let body_encoding = match draft.encoding {
        BodyEncoding::Identity => v2::Encoding::Identity,
        BodyEncoding::Gzip => v2::Encoding::Gzip,
    };
    let recovery = draft.transaction.and_then(|half| half.immunity_seconds);
    v2::Message {
        topic: Some(names::resource(draft.topic.as_str())),
        user_properties: draft
            .properties
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        system_properties: Some(v2::SystemProperties {
            tag: draft.tag.clone(),
            keys: draft.keys.clone(),
            message_id: draft
                .id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            body_encoding: body_encoding.into(),
            message_type: message_type.into(),
            born_timestamp: draft.born_at.map(time::to_timestamp),
            born_host: draft.born_host.clone().unwrap_or_default(),
            delivery_timestamp: draft.deliver_at.map(time::to_timestamp),
            message_group: draft.message_group.clone(),
            trace_context: draft.system.get(key::TRACE_CONTEXT).map(str::to_owned),
            orphaned_transaction_recovery_duration: recovery.map(|seconds| prost_types::Duration {
                seconds: seconds.into(),
                nanos: 0,
            }),
            priority: draft.priority.and_then(|value| i32::try_from(value).ok()),
            ..Default::default()
        }),
        body: draft.body.clone(),
    }
}

/// The entry that answers one message. `id` is the sender's own, so that even a refused message is recognised.
pub fn entry(id: &str, outcome: &Result<SendReceipt, ClusterError>) -> v2::SendResultEntry {
    match outcome {
        Ok(receipt) => v2::SendResultEntry {
            status: Some(status::ok()),
            message_id: receipt.id.to_string(),
            transaction_id: receipt
                .transaction
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            offset: i64::try_from(receipt.offset).unwrap_or(i64::MAX),
            recall_handle: receipt.recall_handle.clone().unwrap_or_default(),
        },
        Err(error) => v2::SendResultEntry {
            status: Some(status::refusal(error)),
            message_id: id.to_owned(),
            ..Default::default()
        },
    }
}

/// The receipt of one message from a cluster elsewhere. The wire names no queue and no store time.
pub fn receipt(entry: &v2::SendResultEntry, draft: &Draft) -> Option<SendReceipt> {
    let id = crate::domain::ids::MessageId::new(&entry.message_id).or_else(|| draft.id.clone())?;
    Some(SendReceipt {
        id,
        queue: 0,
        offset: u64::try_from(entry.offset).unwrap_or(0),
        stored_at: draft.born_at.unwrap_or_default(),
        transaction: Some(&entry.transaction_id)
            .filter(|id| !id.is_empty())
            .map(|id| TransactionId::new(id.as_str())),
        recall_handle: Some(entry.recall_handle.clone()).filter(|handle| !handle.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::MessageId;
    use crate::domain::timestamp::Timestamp;

    fn whole() -> Draft {
        let topic = TopicName::new("orders").unwrap();
        Draft {
            id: MessageId::new("01AB"),
            tag: Some("created".to_owned()),
            keys: vec!["k1".to_owned(), "k2".to_owned()],
            properties: [("amount", "7")].into_iter().collect(),
            system: [(key::TRACE_CONTEXT, "00-1-2-00")].into_iter().collect(),
            message_group: Some("g".to_owned()),
            born_at: Some(Timestamp::from_millis(5)),
            born_host: Some("here".to_owned()),
            ..Draft::new(topic, "body")
        }
    }

    #[test]
    fn a_draft_survives_the_wire() {
        let draft = whole();
        assert_eq!(drafts(vec![to_message(&draft)]), Ok(vec![draft]));
    }

    #[test]
    fn a_half_message_keeps_its_recovery_time_and_is_refused_over_an_hour_x3() {
        let mut draft = whole();
        draft.message_group = None;
        draft.transaction = Some(HalfDraft {
            immunity_seconds: Some(3600),
        });
        assert_eq!(drafts(vec![to_message(&draft)]), Ok(vec![draft.clone()]));
        draft.transaction = Some(HalfDraft {
            immunity_seconds: Some(3601),
        });
        let refusal = drafts(vec![to_message(&draft)]).unwrap_err();
        assert_eq!(refusal.code(), v2::Code::BadRequest);
    }

    #[test]
    fn one_request_is_one_topic_and_at_least_one_message() {
        assert_eq!(drafts(Vec::new()), Err(Refusal::NoMessages));
        let mut other = to_message(&whole());
        other.topic = Some(names::resource("billing"));
        let refusal = drafts(vec![to_message(&whole()), other]).unwrap_err();
        assert_eq!(refusal.code(), v2::Code::MessageCorrupted);
    }

    #[test]
    fn blank_ids_lite_topics_and_negative_priorities_are_refused() {
        let edit = |edit: &dyn Fn(&mut v2::SystemProperties)| {
            let mut message = to_message(&whole());
            edit(message.system_properties.as_mut().unwrap());
            drafts(vec![message]).unwrap_err().code()
        };
        let blank = edit(&|system| system.message_id = " ".to_owned());
        assert_eq!(blank, v2::Code::IllegalMessageId);
        let lite = edit(&|system| system.lite_topic = Some("l".to_owned()));
        assert_eq!(lite, v2::Code::NotImplemented);
        let negative = edit(&|system| system.priority = Some(-1));
        assert_eq!(negative, v2::Code::BadRequest);
    }
}
