//! Routes: a topic's queues as clients see them. The order is fixed, since some clients compare routes.

use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{TopicDefinition, TopicType};
use crate::proto::convert::names;
use crate::proto::refusal::Refusal;
use crate::proto::v2;

/// The one broker that clients see; id 0 makes it a master.
const BROKER: &str = "moonport";

/// Every queue of a topic at `endpoints`.
pub fn to_queues(topic: &TopicDefinition, endpoints: &v2::Endpoints) -> Vec<v2::MessageQueue> {
    let count = topic.read_queues.max(topic.write_queues);
    (0..count)
        .map(|id| v2::MessageQueue {
            accept_message_types: to_types(topic.topic_type),
            ..to_queue(
                &topic.name,
                i32::try_from(id).unwrap_or(i32::MAX),
                permission(topic, id),
                endpoints,
            )
        })
        .collect()
}

/// One queue without message types; `id` -1 stands for all.
pub fn to_queue(
    topic: &TopicName,
    id: i32,
    permission: v2::Permission,
    endpoints: &v2::Endpoints,
) -> v2::MessageQueue {
    v2::MessageQueue {
        topic: Some(names::resource(topic.as_str())),
        id,
        permission: permission.into(),
        broker: Some(v2::Broker {
            name: BROKER.to_owned(),
            id: 0,
            endpoints: Some(endpoints.clone()),
        }),
        accept_message_types: Vec::new(),
    }
}

fn permission(topic: &TopicDefinition, id: u32) -> v2::Permission {
    let reads = topic.permission.reads() && id < topic.read_queues;
    let writes = topic.permission.writes() && id < topic.write_queues;
    match (reads, writes) {
        (true, true) => v2::Permission::ReadWrite,
        (true, false) => v2::Permission::Read,
        (false, true) => v2::Permission::Write,
        (false, false) => v2::Permission::None,
    }
}

/// Clients know NORMAL to TRANSACTION; PRIORITY is told only for topics of that type, since older ones fail on it.
fn to_types(topic_type: TopicType) -> Vec<i32> {
    use v2::MessageType::{Delay, Fifo, Normal, Priority, Transaction};
    let types: &[v2::MessageType] = match topic_type {
        TopicType::Normal => &[Normal],
        TopicType::Fifo => &[Fifo],
        TopicType::Delay => &[Delay],
        TopicType::Transaction => &[Transaction],
        TopicType::Priority => &[Priority],
        TopicType::Mixed => &[Normal, Fifo, Delay, Transaction],
    };
    types.iter().map(|one| (*one).into()).collect()
}

/// The topic and number of a queue that a request names.
pub fn queue(given: Option<&v2::MessageQueue>) -> Result<(TopicName, u32), Refusal> {
    let queue = given.ok_or(Refusal::Missing("message queue"))?;
    let id = u32::try_from(queue.id).map_err(|_| Refusal::Negative)?;
    Ok((names::topic(queue.topic.as_ref())?, id))
}

pub fn offset(given: i64) -> Result<u64, Refusal> {
    u64::try_from(given).map_err(|_| Refusal::Negative)
}

pub fn to_offset(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// A topic as far as its route tells, at the client of a cluster elsewhere.
pub fn topic(name: TopicName, queues: &[v2::MessageQueue]) -> TopicDefinition {
    let writable = queues.iter().filter(|queue| {
        matches!(
            queue.permission(),
            v2::Permission::Write | v2::Permission::ReadWrite
        )
    });
    let readable = queues.iter().filter(|queue| {
        matches!(
            queue.permission(),
            v2::Permission::Read | v2::Permission::ReadWrite
        )
    });
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    TopicDefinition {
        read_queues: count(readable.count()),
        write_queues: count(writable.count()),
        ..TopicDefinition::new(name, topic_type(queues), 0, Timestamp::EPOCH)
    }
}

fn topic_type(queues: &[v2::MessageQueue]) -> TopicType {
    let types: Vec<v2::MessageType> = queues
        .first()
        .map(|queue| queue.accept_message_types().collect())
        .unwrap_or_default();
    match types.as_slice() {
        [v2::MessageType::Normal] => TopicType::Normal,
        [v2::MessageType::Fifo] => TopicType::Fifo,
        [v2::MessageType::Delay] => TopicType::Delay,
        [v2::MessageType::Transaction] => TopicType::Transaction,
        [v2::MessageType::Priority] => TopicType::Priority,
        _ => TopicType::Mixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(topic_type: TopicType) -> TopicDefinition {
        let name = TopicName::new("orders").unwrap();
        TopicDefinition::new(name, topic_type, 4, Timestamp::EPOCH)
    }

    #[test]
    fn every_type_survives_the_route_and_none_is_empty() {
        for topic_type in TopicType::ALL {
            let queues = to_queues(&definition(topic_type), &v2::Endpoints::default());
            assert!(queues.iter().all(|q| !q.accept_message_types.is_empty()));
            assert_eq!(
                topic(definition(topic_type).name, &queues),
                definition(topic_type)
            );
        }
    }

    #[test]
    fn queue_ids_count_from_zero_and_tell_what_a_shrinking_topic_still_reads_t3() {
        let mut shrinking = definition(TopicType::Normal);
        shrinking.write_queues = 2;
        let queues = to_queues(&shrinking, &v2::Endpoints::default());
        let seen: Vec<_> = queues.iter().map(|q| (q.id, q.permission())).collect();
        assert_eq!(
            seen,
            [
                (0, v2::Permission::ReadWrite),
                (1, v2::Permission::ReadWrite),
                (2, v2::Permission::Read),
                (3, v2::Permission::Read),
            ]
        );
    }
}
