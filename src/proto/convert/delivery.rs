//! Messages on their way out, and back in at the client of a cluster elsewhere.

use std::sync::Arc;
use std::time::Duration;

use md5::{Digest as _, Md5};

use crate::cluster::messaging::Delivery;
use crate::domain::ids::{MessageId, TransactionId};
use crate::domain::message::{BodyEncoding, Message, MessageType, Properties, key};
use crate::domain::names::TopicName;
use crate::domain::receipt::ReceiptHandle;
use crate::domain::timestamp::Timestamp;
use crate::proto::convert::{names, time};
use crate::proto::v2;

/// A leased message. `store_host` is the address of the broker.
pub fn to_delivered(delivery: &Delivery, store_host: &str) -> v2::Message {
    let mut message = to_message(&delivery.message, store_host);
    if let Some(system) = &mut message.system_properties {
        system.receipt_handle = Some(delivery.handle.encode());
        system.delivery_attempt = Some(i32::try_from(delivery.attempt).unwrap_or(i32::MAX));
        system.invisible_duration = Some(time::to_duration(delivery.invisible));
    }
    message
}

/// A stored message. The digest is always there: some clients parse no message without one.
pub fn to_message(message: &Message, store_host: &str) -> v2::Message {
    v2::Message {
        topic: Some(names::resource(message.topic.as_str())),
        user_properties: message
            .properties
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        system_properties: Some(system(message, store_host)),
        body: message.body.clone(),
    }
}

fn system(message: &Message, store_host: &str) -> v2::SystemProperties {
    v2::SystemProperties {
        tag: message.tag.clone(),
        keys: message.keys.clone(),
        message_id: message.id.to_string(),
        body_digest: Some(v2::Digest {
            r#type: v2::DigestType::Md5.into(),
            checksum: digest(&message.body),
        }),
        body_encoding: match message.encoding {
            BodyEncoding::Identity => v2::Encoding::Identity.into(),
            BodyEncoding::Gzip => v2::Encoding::Gzip.into(),
        },
        message_type: to_type(message.message_type).into(),
        born_timestamp: Some(time::to_timestamp(message.born_at)),
        born_host: message.born_host.clone(),
        store_timestamp: Some(time::to_timestamp(message.stored_at)),
        store_host: store_host.to_owned(),
        delivery_timestamp: message.deliver_at.map(time::to_timestamp),
        queue_id: i32::try_from(message.queue).unwrap_or(i32::MAX),
        queue_offset: Some(i64::try_from(message.offset).unwrap_or(i64::MAX)),
        message_group: message.message_group.clone(),
        trace_context: message.system.get(key::TRACE_CONTEXT).map(str::to_owned),
        dead_letter_queue: dead_letter(&message.system),
        priority: message.priority.and_then(|value| i32::try_from(value).ok()),
        ..Default::default()
    }
}

fn dead_letter(system: &Properties) -> Option<v2::DeadLetterQueue> {
    Some(v2::DeadLetterQueue {
        topic: system.get(key::DLQ_ORIGIN_TOPIC)?.to_owned(),
        message_id: system.get(key::DLQ_ORIGIN_MESSAGE_ID)?.to_owned(),
    })
}

fn to_type(message_type: MessageType) -> v2::MessageType {
    match message_type {
        MessageType::Normal => v2::MessageType::Normal,
        MessageType::Fifo => v2::MessageType::Fifo,
        MessageType::Delay => v2::MessageType::Delay,
        MessageType::Transaction => v2::MessageType::Transaction,
        MessageType::Priority => v2::MessageType::Priority,
    }
}

/// MD5 in upper-case hex: the one digest that all clients write alike.
pub fn digest(body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(32);
    for byte in Md5::digest(body) {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// A leased message from a cluster elsewhere, whose receipt handle text is `opaque`. `None` when it lacks what a
/// delivery must have.
pub fn delivered(
    message: v2::Message,
    opaque: impl FnOnce(&str, &Message, u32) -> ReceiptHandle,
) -> Option<Delivery> {
    let system = message.system_properties.as_ref()?;
    let attempt = system
        .delivery_attempt
        .map_or(1, |n| u32::try_from(n).unwrap_or(1));
    let invisible = system
        .invisible_duration
        .as_ref()
        .map_or(Duration::ZERO, time::duration);
    let text = system.receipt_handle.clone()?;
    let message = stored(message)?;
    Some(Delivery {
        handle: opaque(&text, &message, attempt),
        attempt,
        invisible,
        min_offset: 0,
        max_offset: message.offset + 1,
        message: Arc::new(message),
    })
}

/// A message from a cluster elsewhere; `None` without topic, id or properties.
pub fn stored(message: v2::Message) -> Option<Message> {
    let system = message.system_properties?;
    let mut notes = Properties::new();
    if let Some(context) = &system.trace_context {
        notes.set(key::TRACE_CONTEXT, context.clone());
    }
    if let Some(origin) = &system.dead_letter_queue {
        notes.set(key::DLQ_ORIGIN_TOPIC, origin.topic.clone());
        notes.set(key::DLQ_ORIGIN_MESSAGE_ID, origin.message_id.clone());
    }
    let moment = |given: &Option<prost_types::Timestamp>| given.as_ref().map(time::timestamp);
    let message_type = message_type(&system);
    Some(Message {
        id: MessageId::new(&system.message_id)?,
        topic: TopicName::new(message.topic?.name).ok()?,
        queue: u32::try_from(system.queue_id).unwrap_or(0),
        offset: system
            .queue_offset
            .map_or(0, |n| u64::try_from(n).unwrap_or(0)),
        message_type,
        body: message.body,
        encoding: match v2::Encoding::try_from(system.body_encoding) {
            Ok(v2::Encoding::Gzip) => BodyEncoding::Gzip,
            _ => BodyEncoding::Identity,
        },
        properties: message.user_properties.into_iter().collect(),
        deliver_at: moment(&system.delivery_timestamp),
        born_at: moment(&system.born_timestamp).unwrap_or(Timestamp::EPOCH),
        stored_at: moment(&system.store_timestamp).unwrap_or(Timestamp::EPOCH),
        priority: system.priority.and_then(|n| u32::try_from(n).ok()),
        transaction_id: None::<TransactionId>,
        tag: system.tag,
        keys: system.keys,
        system: notes,
        message_group: system.message_group,
        born_host: system.born_host,
    })
}

fn message_type(system: &v2::SystemProperties) -> MessageType {
    match system.message_type() {
        v2::MessageType::Fifo => MessageType::Fifo,
        v2::MessageType::Delay => MessageType::Delay,
        v2::MessageType::Transaction => MessageType::Transaction,
        v2::MessageType::Priority => MessageType::Priority,
        _ => MessageType::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::GroupName;

    fn message() -> Message {
        Message {
            id: MessageId::new("01AB").unwrap(),
            topic: TopicName::new("orders").unwrap(),
            queue: 3,
            offset: 17,
            message_type: MessageType::Delay,
            body: "body".into(),
            encoding: BodyEncoding::Gzip,
            tag: Some("t".to_owned()),
            keys: vec!["k".to_owned()],
            properties: [("a", "1")].into_iter().collect(),
            system: [
                (key::TRACE_CONTEXT, "c"),
                (key::DLQ_ORIGIN_TOPIC, "orders"),
                (key::DLQ_ORIGIN_MESSAGE_ID, "02CD"),
            ]
            .into_iter()
            .collect(),
            message_group: None,
            deliver_at: Some(Timestamp::from_millis(9000)),
            priority: Some(2),
            transaction_id: None,
            born_at: Timestamp::from_millis(1000),
            born_host: "sender".to_owned(),
            stored_at: Timestamp::from_millis(2000),
        }
    }

    #[test]
    fn a_message_survives_the_wire() {
        assert_eq!(stored(to_message(&message(), "b:1")), Some(message()));
    }

    #[test]
    fn a_delivery_survives_the_wire() {
        let handle = ReceiptHandle {
            group: GroupName::new("g").unwrap(),
            topic: TopicName::new("orders").unwrap(),
            queue: 3,
            offset: 17,
            attempt: 2,
            lease: 1,
            deadline: Timestamp::from_millis(60_000),
        };
        let delivery = Delivery {
            message: Arc::new(message()),
            attempt: 2,
            handle,
            invisible: Duration::from_secs(60),
            min_offset: 0,
            max_offset: 18,
        };
        let parse = |text: &str, _: &Message, _: u32| ReceiptHandle::parse(text).unwrap();
        assert_eq!(
            delivered(to_delivered(&delivery, "b:1"), parse),
            Some(delivery)
        );
    }

    #[test]
    fn the_digest_is_md5_in_upper_case() {
        assert_eq!(digest(b"body"), "841A2D689AD86BD1611447453C22C6FC");
    }
}
