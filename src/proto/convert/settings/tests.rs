//! Settings as client versions need them.

use super::*;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::retry_policy::DOCUMENTED_SECONDS;
use crate::domain::subscription::FilterExpression;

fn consumer() -> ClientSettings {
    ClientSettings {
        kind: ClientKind::PushConsumer,
        language: "RUST".to_owned(),
        version: "1".to_owned(),
        publishing: Vec::new(),
        group: GroupName::new("g").ok(),
        subscriptions: vec![Subscription {
            topic: TopicName::new("orders").unwrap(),
            filter: FilterExpression::Sql("a > 1".to_owned()),
        }],
        fifo: false,
        retry_policy: RetryPolicy::Documented,
        max_attempts: 17,
        long_poll: LONG_POLL,
    }
}

fn asked() -> v2::Settings {
    to_settings(&consumer(), v2::Endpoints::default())
}

fn next(policy: &v2::RetryPolicy) -> Vec<i64> {
    match &policy.strategy {
        Some(v2::retry_policy::Strategy::CustomizedBackoff(table)) => {
            table.next.iter().map(|span| span.seconds).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_client_and_the_answer_to_it_survive_the_wire() {
    let fresh = ClientSettings {
        max_attempts: 0,
        ..consumer()
    };
    assert_eq!(client(&asked()), Ok(fresh.clone()));
    let wanted = ClientSettings {
        fifo: true,
        ..consumer()
    };
    assert_eq!(held(fresh, &answer(&asked(), &wanted)), wanted);
}

#[test]
fn consumers_get_the_documented_table_in_whole_seconds_d11() {
    let answer = answer(&asked(), &consumer());
    let policy = answer.backoff_policy.unwrap();
    assert_eq!(policy.max_attempts, 17);
    let seconds: Vec<i64> = DOCUMENTED_SECONDS
        .iter()
        .map(|s| i64::try_from(*s).unwrap())
        .collect();
    assert_eq!(next(&policy), seconds);
    let Some(v2::settings::PubSub::Subscription(subscription)) = answer.pub_sub else {
        panic!("a subscription was asked for");
    };
    assert_eq!(subscription.receive_batch_size, Some(32));
    assert_eq!(subscription.fifo, Some(false));
    assert_eq!(subscription.long_polling_timeout.unwrap().seconds, 20);
}

#[test]
fn a_fixed_policy_is_a_table_of_one_and_never_below_a_second_d13() {
    let held = ClientSettings {
        retry_policy: RetryPolicy::Fixed(Duration::from_millis(10)),
        ..consumer()
    };
    let policy = answer(&asked(), &held).backoff_policy.unwrap();
    assert_eq!(next(&policy), [1]);
}

#[test]
fn old_node_clients_get_exponential_pauses_a_thousandfold() {
    let mut node = asked();
    let agent = node.user_agent.get_or_insert_default();
    agent.language = v2::Language::NodeJs.into();
    for (version, exponential) in [("1.0.8", true), ("1.0.0", true), ("1.1.0", false)] {
        node.user_agent.as_mut().unwrap().version = version.to_owned();
        let policy = answer(&node, &consumer()).backoff_policy.unwrap();
        let strategy = policy.strategy.unwrap();
        match strategy {
            v2::retry_policy::Strategy::ExponentialBackoff(growing) => {
                assert!(exponential, "{version}");
                assert_eq!(growing.initial.unwrap().seconds, 10_000);
                assert_eq!(growing.max.unwrap().seconds, 7_200_000);
            }
            v2::retry_policy::Strategy::CustomizedBackoff(_) => assert!(!exponential, "{version}"),
        }
    }
}

#[test]
fn producers_are_told_the_body_limit_and_three_attempts_e5() {
    let producer = ClientSettings {
        kind: ClientKind::Producer,
        group: None,
        publishing: vec![TopicName::new("orders").unwrap()],
        subscriptions: Vec::new(),
        ..consumer()
    };
    let given = to_settings(&producer, v2::Endpoints::default());
    let answer = answer(&given, &producer);
    let Some(v2::settings::PubSub::Publishing(publishing)) = answer.pub_sub else {
        panic!("a producer asked");
    };
    assert_eq!(publishing.max_body_size, 4_194_304);
    assert!(publishing.validate_message_type);
    assert_eq!(publishing.topics.len(), 1);
    let policy = answer.backoff_policy.unwrap();
    assert_eq!(policy.max_attempts, 3);
    let Some(v2::retry_policy::Strategy::ExponentialBackoff(pauses)) = policy.strategy else {
        panic!("producers wait longer each time");
    };
    let millis = |span: Option<prost_types::Duration>| {
        let span = span.unwrap();
        span.seconds * 1000 + i64::from(span.nanos) / 1_000_000
    };
    let (first, longest) = (millis(pauses.initial), millis(pauses.max));
    assert_eq!((first, longest, pauses.multiplier), (10, 1000, 2.0));
}

#[test]
fn lite_clients_and_mismatched_settings_are_refused_t10() {
    let mut lite = asked();
    lite.client_type = Some(v2::ClientType::LitePushConsumer.into());
    assert_eq!(client(&lite).unwrap_err().code(), v2::Code::NotImplemented);
    let mut producer = asked();
    producer.client_type = Some(v2::ClientType::Producer.into());
    assert_eq!(
        client(&producer).unwrap_err().code(),
        v2::Code::UnrecognizedClientType
    );
    let nothing = v2::Settings::default();
    assert!(client(&nothing).is_err());
}
