//! The tables `[[group]]`.

use std::time::Duration;

use toml::de::DeValue;

use crate::domain::group::{DeadLetterTarget, DeliveryOrder, FirstSeen, GroupDefinition};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::retry_policy::{MAX_RETRIES, RetryPolicy};
use crate::domain::timestamp::Timestamp;
use crate::workflow::file::Placed;
use crate::workflow::parse::reader::Section;
use crate::workflow::parse::words::ORDERS;

pub(super) fn read(mut section: Section<'_>) -> Option<Placed<GroupDefinition>> {
    let name: Option<GroupName> = section.required("name");
    if let Some(Err(error)) = name.as_ref().map(GroupName::check_user_group) {
        section.note(
            section.line_of("name"),
            format!("`name` cannot be used: {error}"),
            None,
        );
    }
    let order = section.choice("order", &ORDERS).unwrap_or_default();
    let max_retries = section.number("max-retries", 0..=u64::from(MAX_RETRIES));
    let retry = retry_policy(&mut section, order);
    let offset = first_seen(&mut section);
    let dead_letter = dead_letter(&mut section);
    let consume = section.flag("consume");
    let max_receive_tps = section.count("max-receive-tps");
    let priority_factor = section.number("priority-factor", 0..=100);
    let remark = section.checked("remark");
    section.finish();

    let mut definition = GroupDefinition::new(name?, order, Timestamp::EPOCH);
    definition.max_retries = max_retries.map_or(definition.max_retries, |max| max as u32);
    definition.retry_policy = retry.unwrap_or(definition.retry_policy);
    definition.first_seen = offset.unwrap_or_default();
    definition.dead_letter = dead_letter.unwrap_or_default();
    definition.consume_enabled = consume.unwrap_or(true);
    definition.max_receive_tps = max_receive_tps;
    definition.priority_factor =
        priority_factor.map_or(definition.priority_factor, |factor| factor as u8);
    definition.remark = remark.unwrap_or_default();
    Some(section.place(definition))
}

/// `latest`, `earliest`, or a time; shared with triggers.
pub(super) fn first_seen(section: &mut Section<'_>) -> Option<FirstSeen> {
    let value = section.take("offset")?;
    let text = match value.get_ref() {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Datetime(time) => time.to_string(),
        _ => String::new(),
    };
    let first_seen = match text.as_str() {
        "latest" => Some(FirstSeen::Latest),
        "earliest" => Some(FirstSeen::Earliest),
        text => Timestamp::parse(text).map(FirstSeen::At),
    };
    if first_seen.is_none() {
        section.refuse(
            &value.span(),
            "offset",
            "must be `latest`, `earliest` or a time such as `2026-06-12T13:54:44Z`",
        );
    }
    first_seen
}

fn dead_letter(section: &mut Section<'_>) -> Option<DeadLetterTarget> {
    let topic = section.text("dead-letter-topic")?;
    if topic.get_ref() == "none" {
        return Some(DeadLetterTarget::Discard);
    }
    match TopicName::new(topic.get_ref().clone()) {
        Ok(topic) => Some(DeadLetterTarget::Topic(topic)),
        Err(error) => {
            section.refuse(
                &topic.span(),
                "dead-letter-topic",
                format_args!("cannot be used: {error}"),
            );
            None
        }
    }
}

/// `documented`, `grpc-raw`, `{ initial, max }` or `{ every }`, with the bounds of G2.
fn retry_policy(section: &mut Section<'_>, order: DeliveryOrder) -> Option<RetryPolicy> {
    if let Some(word) = section.word("retry") {
        return match word.get_ref().as_str() {
            "documented" => Some(RetryPolicy::Documented),
            "grpc-raw" => Some(RetryPolicy::GrpcRaw),
            other => {
                let why = format!(
                    "is `{other}`, allowed are `documented`, `grpc-raw`, `{{ initial = …, max = … }}` and `{{ every = … }}`"
                );
                section.refuse(&word.span(), "retry", why);
                None
            }
        };
    }
    let mut inner = section.inner("retry", "retry")?;
    let every = inner.span("every");
    let initial = inner.span("initial");
    let max = inner.span("max");
    inner.finish();
    let policy = match (every, initial, max) {
        (Some(every), None, None) => RetryPolicy::Fixed(every),
        (None, Some(initial), Some(max)) => RetryPolicy::Exponential { initial, max },
        _ => {
            section.note(
                section.line_of("retry"),
                "`retry` needs `every` alone, or `initial` and `max`".to_owned(),
                None,
            );
            return None;
        }
    };
    if let Some(why) = policy_problem(&policy, order) {
        section.note(section.line_of("retry"), format!("`retry` {why}"), None);
    }
    Some(policy)
}

fn policy_problem(policy: &RetryPolicy, order: DeliveryOrder) -> Option<String> {
    match policy {
        RetryPolicy::Fixed(every) => {
            let (min, max) = match order {
                DeliveryOrder::Concurrent => (10, 1800),
                DeliveryOrder::Orderly => (1, 600),
            };
            let allowed = Duration::from_secs(min)..=Duration::from_secs(max);
            (!allowed.contains(every)).then(|| {
                let order = order.as_str();
                format!(
                    "is every {every:?}, allowed are {min}-{max} s in a group that is `{order}`"
                )
            })
        }
        RetryPolicy::Exponential { initial, max } if initial.is_zero() || initial > max => {
            Some("needs an `initial` above 0 and not above `max`".to_owned())
        }
        _ => None,
    }
}
