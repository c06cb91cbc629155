//! What a draft must keep to before it can be stored: limits, reserved keys, types (section 6 of the rules); pure.

use crate::cluster::error::ClusterError;
use crate::domain::instance::MAX_DELAY;
use crate::domain::message::{
    Draft, MAX_BODY, MAX_PROPERTIES, MAX_PROPERTY_BYTES, MESSAGE_GROUP_LIMIT, MessageType,
    is_reserved_key, key,
};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{TopicDefinition, TopicType};

/// Longest property text as stored, in bytes: every name and value with a separator each (N12).
const MAX_ENCODED_PROPERTIES: usize = 32_767;

/// Limits and reserved keys, in their order (S3, S4).
pub(in crate::broker) fn limits(draft: &Draft) -> Result<(), ClusterError> {
    body(draft)?;
    properties(draft)?;
    tag(draft)?;
    keys(draft)?;
    message_group(draft)?;
    reserved(draft)
}

fn body(draft: &Draft) -> Result<(), ClusterError> {
    match draft.body.len() {
        0 => Err(ClusterError::BodyEmpty),
        size if size > MAX_BODY => Err(ClusterError::BodyTooLarge {
            size: size as u64,
            limit: MAX_BODY as u64,
        }),
        _ => Ok(()),
    }
}

fn properties(draft: &Draft) -> Result<(), ClusterError> {
    let count = draft.properties.len();
    if count > MAX_PROPERTIES {
        return Err(ClusterError::PropertiesTooLarge(format!(
            "{count} properties, at most {MAX_PROPERTIES} are allowed"
        )));
    }
    let texts = |entries: &mut dyn Iterator<Item = (&str, &str)>| -> usize {
        entries.map(|(name, value)| name.len() + value.len()).sum()
    };
    let keys: usize = draft.keys.iter().map(String::len).sum();
    let tag = draft.tag.as_ref().map_or(0, String::len);
    let user = texts(&mut draft.properties.iter()) + keys + tag;
    if user > MAX_PROPERTY_BYTES {
        return Err(ClusterError::PropertiesTooLarge(format!(
            "{user} bytes of properties, tag and keys, at most {MAX_PROPERTY_BYTES} are allowed"
        )));
    }
    let counted = |(name, _): &(&str, &str)| !name.starts_with(key::DEAD_LETTER_NOTE);
    let system = texts(&mut draft.system.iter().filter(counted));
    let separators = 2 * (count + draft.system.len() + draft.keys.len() + 1);
    let encoded = user + system + separators;
    if encoded > MAX_ENCODED_PROPERTIES {
        return Err(ClusterError::PropertiesTooLarge(format!(
            "{encoded} bytes as stored, at most {MAX_ENCODED_PROPERTIES} are allowed"
        )));
    }
    Ok(())
}

fn tag(draft: &Draft) -> Result<(), ClusterError> {
    match draft.tag.as_deref() {
        None => Ok(()),
        Some(tag) => plain(tag)
            .and_then(|()| (!tag.contains('|')).then_some(()).ok_or("it holds a `|`"))
            .map_err(|why| ClusterError::IllegalTag(why.to_owned())),
    }
}

fn keys(draft: &Draft) -> Result<(), ClusterError> {
    let mut keys = draft.keys.iter();
    keys.try_for_each(|key| plain(key))
        .map_err(|why| ClusterError::IllegalKey(why.to_owned()))
}

fn message_group(draft: &Draft) -> Result<(), ClusterError> {
    let Some(group) = draft.message_group.as_deref() else {
        return Ok(());
    };
    if group.len() >= MESSAGE_GROUP_LIMIT {
        return Err(ClusterError::IllegalMessageGroup(format!(
            "it is {} bytes long, fewer than {MESSAGE_GROUP_LIMIT} are allowed",
            group.len()
        )));
    }
    plain(group).map_err(|why| ClusterError::IllegalMessageGroup(why.to_owned()))
}

fn plain(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        Err("it is blank")
    } else if text.chars().any(char::is_control) {
        Err("it holds a control character")
    } else {
        Ok(())
    }
}

fn reserved(draft: &Draft) -> Result<(), ClusterError> {
    for (name, value) in draft.properties.iter() {
        let bad = name.is_empty()
            || is_reserved_key(name)
            || name.chars().chain(value.chars()).any(char::is_control);
        if bad {
            return Err(ClusterError::IllegalPropertyKey(name.to_owned()));
        }
    }
    Ok(())
}

/// The type of the draft, when its topic takes it (T5-T7).
pub(in crate::broker) fn message_type(
    draft: &Draft,
    topic: &TopicDefinition,
) -> Result<MessageType, ClusterError> {
    let marks: Vec<&str> = [
        (draft.transaction.is_some(), "a transaction"),
        (draft.deliver_at.is_some(), "a delivery time"),
        (draft.message_group.is_some(), "a message group"),
        (draft.priority.is_some(), "a priority"),
    ]
    .into_iter()
    .filter_map(|(present, name)| present.then_some(name))
    .collect();
    let given = draft.message_type();
    // Dead letters keep what they were sent with, wherever they lie (T6).
    if topic.name.dead_letter_group().is_some() {
        return Ok(given);
    }
    if marks.len() > 1 {
        return Err(ClusterError::ConflictingTypes(marks.join(" and ")));
    }
    let takes = topic.topic_type;
    let fits = match takes {
        TopicType::Mixed => true,
        TopicType::Normal => given == MessageType::Normal,
        TopicType::Fifo => given == MessageType::Fifo,
        TopicType::Delay => given == MessageType::Delay,
        TopicType::Transaction => given == MessageType::Transaction,
        TopicType::Priority => given == MessageType::Priority,
    };
    match (fits, takes, given) {
        (true, ..) => Ok(given),
        (false, TopicType::Fifo, MessageType::Normal) => {
            Err(ClusterError::MessageGroupRequired(topic.name.clone()))
        }
        (false, ..) => Err(ClusterError::TypeMismatch {
            topic: topic.name.clone(),
            takes,
            given,
        }),
    }
}

/// A delivery time lies at most [`MAX_DELAY`] ahead (L2).
pub(in crate::broker) fn delay(deliver_at: Timestamp, now: Timestamp) -> Result<(), ClusterError> {
    let ahead = deliver_at.since(now);
    if ahead > MAX_DELAY {
        return Err(ClusterError::DelayTooLong {
            asked_ms: ahead.as_millis() as u64,
            limit_ms: MAX_DELAY.as_millis() as u64,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::HalfDraft;
    use crate::domain::names::TopicName;

    fn draft() -> Draft {
        Draft::new(TopicName::new("t").unwrap(), "x")
    }

    fn of_type(given: MessageType) -> Draft {
        let mut draft = draft();
        match given {
            MessageType::Normal => {}
            MessageType::Fifo => draft.message_group = Some("g".to_owned()),
            MessageType::Delay => draft.deliver_at = Some(Timestamp::EPOCH),
            MessageType::Transaction => draft.transaction = Some(HalfDraft::default()),
            MessageType::Priority => draft.priority = Some(1),
        }
        draft
    }

    fn topic(takes: TopicType) -> TopicDefinition {
        TopicDefinition::new(TopicName::new("t").unwrap(), takes, 1, Timestamp::EPOCH)
    }

    /// Acceptance test 13.
    #[test]
    fn a_topic_takes_its_own_type_and_mixed_takes_all_t6() {
        let own = |takes: TopicType, given: MessageType| takes.as_str() == given.as_str();
        for takes in TopicType::ALL {
            for given in MessageType::ALL {
                let outcome = message_type(&of_type(given), &topic(takes));
                let fits = takes == TopicType::Mixed || own(takes, given);
                assert_eq!(outcome.is_ok(), fits, "{given} to {takes}: {outcome:?}");
            }
        }
    }

    #[test]
    fn a_fifo_topic_asks_for_a_message_group_t7() {
        let outcome = message_type(&draft(), &topic(TopicType::Fifo));
        assert!(matches!(
            outcome,
            Err(ClusterError::MessageGroupRequired(_))
        ));
    }

    #[test]
    fn no_two_of_group_delay_priority_and_transaction_go_together_t7() {
        let set: [fn(&mut Draft); 4] = [
            |draft| draft.message_group = Some("g".to_owned()),
            |draft| draft.deliver_at = Some(Timestamp::EPOCH),
            |draft| draft.priority = Some(1),
            |draft| draft.transaction = Some(HalfDraft::default()),
        ];
        for (at, first) in set.iter().enumerate() {
            for second in set.iter().skip(at + 1) {
                let mut draft = draft();
                first(&mut draft);
                second(&mut draft);
                let outcome = message_type(&draft, &topic(TopicType::Mixed));
                assert!(matches!(outcome, Err(ClusterError::ConflictingTypes(_))));
            }
        }
    }

    #[test]
    fn every_set_of_marks_is_taken_by_the_topics_that_admit_it_t4_t5_t6_t7() {
        for topic_type in TopicType::ALL {
            for marks in 0..16_u8 {
                let has = |bit: u8| marks & (1 << bit) != 0;
                let draft = Draft {
                    transaction: has(0).then(HalfDraft::default),
                    deliver_at: has(1).then_some(Timestamp::EPOCH),
                    message_group: has(2).then(|| "g".to_owned()),
                    priority: has(3).then_some(1),
                    ..draft()
                };
                let order = [
                    MessageType::Transaction,
                    MessageType::Delay,
                    MessageType::Fifo,
                    MessageType::Priority,
                ];
                let first = (0..4).find(|bit| has(*bit));
                let expected = first.map_or(MessageType::Normal, |bit| order[usize::from(bit)]);
                assert_eq!(draft.message_type(), expected, "marks {marks:04b}");
                let outcome = message_type(&draft, &topic(topic_type));
                let own = topic_type.as_str() == expected.as_str();
                let told = match outcome {
                    Ok(given) => given == expected && marks.count_ones() < 2,
                    Err(ClusterError::ConflictingTypes(_)) => marks.count_ones() > 1,
                    Err(ClusterError::MessageGroupRequired(_)) => {
                        topic_type == TopicType::Fifo && marks == 0
                    }
                    Err(ClusterError::TypeMismatch { takes, given, .. }) => {
                        takes == topic_type && given == expected && !own
                    }
                    Err(_) => false,
                };
                assert!(told, "marks {marks:04b} to {topic_type}");
                let fits = marks.count_ones() < 2 && (own || topic_type == TopicType::Mixed);
                assert_eq!(message_type(&draft, &topic(topic_type)).is_ok(), fits);
            }
        }
    }

    #[test]
    fn delay_levels_and_timers_are_no_properties_of_a_user_l5() {
        for name in [
            "DELAY",
            "TIMER_DELIVER_MS",
            "TIMER_DELAY_SEC",
            "TIMER_DELAY_MS",
        ] {
            let mut draft = draft();
            draft.properties.set(name, "3");
            let refused = ClusterError::IllegalPropertyKey(name.to_owned());
            assert_eq!(limits(&draft), Err(refused));
        }
    }

    #[test]
    fn each_limit_has_its_own_error_n11_to_n14() {
        type Change = fn(&mut Draft);
        type Expected = fn(&ClusterError) -> bool;
        let cases: &[(&str, Change, Expected)] = &[
            (
                "empty body",
                |d| d.body = "".into(),
                |e| matches!(e, ClusterError::BodyEmpty),
            ),
            (
                "large body",
                |d| d.body = vec![0; MAX_BODY + 1].into(),
                |e| matches!(e, ClusterError::BodyTooLarge { .. }),
            ),
            (
                "129 properties",
                |d| d.properties = (0..129).map(|n| (format!("k{n}"), "v")).collect(),
                |e| matches!(e, ClusterError::PropertiesTooLarge(_)),
            ),
            (
                "16 KiB and a byte",
                |d| d.properties.set("k", "v".repeat(MAX_PROPERTY_BYTES)),
                |e| matches!(e, ClusterError::PropertiesTooLarge(_)),
            ),
            (
                "tag with a bar",
                |d| d.tag = Some("a|b".to_owned()),
                |e| matches!(e, ClusterError::IllegalTag(_)),
            ),
            (
                "blank key",
                |d| d.keys = vec![" ".to_owned()],
                |e| matches!(e, ClusterError::IllegalKey(_)),
            ),
            (
                "group of 64 bytes",
                |d| d.message_group = Some("g".repeat(64)),
                |e| matches!(e, ClusterError::IllegalMessageGroup(_)),
            ),
            (
                "reserved key",
                |d| d.properties.set("KEYS", "v"),
                |e| matches!(e, ClusterError::IllegalPropertyKey(_)),
            ),
            (
                "control character",
                |d| d.properties.set("k", "\u{1}"),
                |e| matches!(e, ClusterError::IllegalPropertyKey(_)),
            ),
        ];
        for (name, change, expected) in cases {
            let mut draft = draft();
            change(&mut draft);
            let error = limits(&draft).unwrap_err();
            assert!(expected(&error), "{name}: {error:?}");
        }
        let mut fits = draft();
        fits.message_group = Some("g".repeat(63));
        fits.properties = (0..128).map(|n| (format!("k{n}"), "v")).collect();
        fits.body = vec![0; MAX_BODY].into();
        assert_eq!(limits(&fits), Ok(()));
    }

    #[test]
    fn a_delay_is_at_most_forty_days_l2() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(delay(now + MAX_DELAY, now), Ok(()));
        let over = now + MAX_DELAY + std::time::Duration::from_millis(1);
        assert!(matches!(
            delay(over, now),
            Err(ClusterError::DelayTooLong { .. })
        ));
    }
}
