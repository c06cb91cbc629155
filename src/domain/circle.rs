//! Outcomes of asynchronous invocations that lead back to their function would go round for ever (IV-7).

use std::collections::BTreeSet;

use crate::domain::function::{AsyncSettings, Destination};
use crate::domain::names::FunctionName;
use crate::domain::subscription::FilterExpression;
use crate::domain::trigger::TriggerDefinition;

/// How the outcomes of `start` come back to it, as the words after "by way of"; `None` when they do not.
///
/// They go on to functions and to topics; from a topic every asynchronous trigger takes them further, unless it wants a
/// tag: outcomes have none. What waits for its answer has no outcome to send.
pub fn circle(
    start: &FunctionName,
    settings: impl Fn(&FunctionName) -> Option<AsyncSettings>,
    triggers: &[TriggerDefinition],
) -> Option<String> {
    let mut open = vec![start.clone()];
    let mut seen = BTreeSet::new();
    while let Some(function) = open.pop() {
        let Some(settings) = settings(&function) else {
            continue;
        };
        let destinations = [settings.on_success, settings.on_failure];
        for destination in destinations.into_iter().flatten() {
            for (next, way) in reached(&function, &destination, triggers) {
                if next == *start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    None
}

/// The functions that an outcome at `destination` is run by, and by which way it came there.
fn reached(
    from: &FunctionName,
    destination: &Destination,
    triggers: &[TriggerDefinition],
) -> Vec<(FunctionName, String)> {
    let (instance, topic) = match destination {
        Destination::Function(function) => {
            return vec![(function.clone(), format!("function `{from}`"))];
        }
        Destination::Topic { instance, topic } => (instance, topic),
    };
    let takes = |trigger: &&TriggerDefinition| {
        let wants_a_tag = matches!(&trigger.filter, FilterExpression::Tag(_));
        trigger.asynchronous
            && trigger.topic == *topic
            && trigger.instance == *instance
            && (trigger.filter.is_all() || !wants_a_tag)
    };
    let taken = triggers.iter().filter(takes);
    taken
        .map(|trigger| {
            let way = format!("topic `{topic}` and trigger `{}`", trigger.name);
            (trigger.function.clone(), way)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{GroupName, InstanceId, TopicName, TriggerName};

    fn function(name: &str) -> FunctionName {
        FunctionName::new(name).unwrap()
    }

    fn instance() -> InstanceId {
        InstanceId::new("rmq-1").unwrap()
    }

    fn topic(name: &str) -> Destination {
        Destination::Topic {
            instance: instance(),
            topic: TopicName::new(name).unwrap(),
        }
    }

    fn trigger(of: &str, on: &str, edit: impl FnOnce(&mut TriggerDefinition)) -> TriggerDefinition {
        let mut trigger = TriggerDefinition::new(
            TriggerName::new(format!("{on}-to-{of}")).unwrap(),
            instance(),
            function(of),
            TopicName::new(on).unwrap(),
            GroupName::new(on).unwrap(),
        );
        trigger.asynchronous = true;
        edit(&mut trigger);
        trigger
    }

    /// `a` sends to topic `t`, `b` back to `a` when it fails.
    fn settings(name: &FunctionName) -> Option<AsyncSettings> {
        let (on_success, on_failure) = match name.as_str() {
            "a" => (Some(topic("t")), None),
            "b" => (None, Some(Destination::Function(function("a")))),
            _ => return None,
        };
        Some(AsyncSettings {
            on_success,
            on_failure,
            ..AsyncSettings::default()
        })
    }

    #[test]
    fn a_way_back_through_a_topic_is_found_iv7() {
        let back = [trigger("a", "t", |_| ())];
        let way = circle(&function("a"), settings, &back);
        assert_eq!(way.unwrap(), "topic `t` and trigger `t-to-a`");
        let through_b = [trigger("b", "t", |_| ())];
        let way = circle(&function("a"), settings, &through_b);
        assert_eq!(way.unwrap(), "function `b`");
        let way = circle(&function("b"), settings, &through_b);
        assert_eq!(way.unwrap(), "topic `t` and trigger `t-to-b`");
    }

    #[test]
    fn what_takes_no_outcome_further_is_no_circle_iv7() {
        let of = |edit: fn(&mut TriggerDefinition)| {
            circle(&function("a"), settings, &[trigger("a", "t", edit)])
        };
        assert_eq!(of(|t| t.asynchronous = false), None);
        assert_eq!(of(|t| t.topic = TopicName::new("other").unwrap()), None);
        assert_eq!(of(|t| t.instance = InstanceId::new("rmq-2").unwrap()), None);
        assert_eq!(
            of(|t| t.filter = FilterExpression::Tag("paid".to_owned())),
            None
        );
        assert!(of(|t| t.filter = FilterExpression::Sql("a > 1".to_owned())).is_some());
        assert_eq!(circle(&function("c"), settings, &[]), None);
    }
}
