//! The event that a function meets (S-6, S-7, TR-10 to TR-14): its exact bytes.

use std::io::Write as _;

use moonport::domain::function::InvocationType;
use moonport::domain::ids::MessageId;
use moonport::domain::message::{BodyEncoding, Draft, Place, Properties};
use moonport::domain::topic::TopicType;
use moonport::domain::trigger::{BodyDataType, EventSchema, TriggerDefinition};

use crate::support::broker::{TestBroker, draft, group, topic};
use crate::support::triggers::TestTriggers;

const ARTICLE_ID: &str = "016AB76B2B73F600010A3DA9A400000000";

async fn world(change: impl FnOnce(&mut TriggerDefinition)) -> TestTriggers {
    let broker = TestBroker::new()
        .topic("orders", TopicType::Normal, 1)
        .await;
    TestTriggers::over(broker).trigger(change).await
}

/// The event of one message with this body, as text.
async fn event_of(body: impl Into<bytes::Bytes>, body_type: BodyDataType) -> String {
    let world = world(|trigger| trigger.body_data_type = body_type).await;
    world
        .broker
        .send_draft(Draft::new(topic("orders"), body))
        .await;
    let seen = world.wait_calls(1).await;
    String::from_utf8(seen[0].event.to_vec()).unwrap()
}

/// The text of the body in such an event: all between its key and the end of the element.
fn body_text(event: &str) -> &str {
    let (_, body) = event.split_once("\"body\":").unwrap();
    body.strip_suffix("}]").unwrap()
}

#[tokio::test]
async fn acceptance_12_the_articles_message_becomes_the_articles_event_u2_s6_s7() {
    let broker = TestBroker::new()
        .topic("message-processing", TopicType::Normal, 1)
        .await;
    let world = TestTriggers::over(broker)
        .trigger(|trigger| {
            trigger.topic = topic("message-processing");
            trigger.group = group("message-processing");
        })
        .await;
    let event = std::fs::read_to_string("assets/order-workflow/event.json").unwrap();
    world
        .broker
        .send_draft(Draft {
            id: MessageId::new(ARTICLE_ID),
            born_host: Some("c-6a2c0f9f-048400f6-93001d17da20".to_owned()),
            ..draft("message-processing", &event)
        })
        .await;
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].request_id.as_str(), ARTICLE_ID, "S-4");
    assert_eq!(
        String::from_utf8_lossy(&seen[0].event),
        "[{\"msgId\":\"016AB76B2B73F600010A3DA9A400000000\",\"topic\":\"message-processing\",\"systemProperties\":{\
         \"MSG_REGION\":\"ap-southeast-5\",\"MIN_OFFSET\":\"0\",\"UNIQ_KEY\":\"016AB76B2B73F600010A3DA9A400000000\",\
         \"TRACE_ON\":\"true\",\"PGROUP\":\"message-processing\",\"CLUSTER\":\"rocketmq-broker-rmq-sg-ycx4tph7q02\",\
         \"__BORNHOST\":\"c-6a2c0f9f-048400f6-93001d17da20\",\"WAIT\":\"true\",\"BORN_TIMESTAMP\":\"1781272484388\",\
         \"INSTANCE_ID\":\"rmq-sg-ycx4tph7q02\",\"RECONSUME_TIME\":\"0\",\"MAX_OFFSET\":\"1\"},\"userProperties\":{},\
         \"body\":{\"eventType\":\"OrderCreated\",\"orderId\":\"ORD-20260612-1001\",\"customerId\":\"CUS-10001\",\
         \"amount\":250,\"currency\":\"USD\",\"timestamp\":\"2026-06-12T20:40:00Z\"}}]"
    );
}

#[tokio::test]
async fn tags_keys_and_user_properties_are_text_in_their_order_tr12_tr14() {
    let world = world(|_| {}).await;
    world
        .broker
        .send_draft(Draft {
            tag: Some("paid".to_owned()),
            keys: vec!["k1".to_owned(), "k2".to_owned()],
            properties: Properties::from_iter([("z", "1"), ("a", "say \"hi\"")]),
            ..draft("orders", "x")
        })
        .await;
    let seen = world.wait_calls(1).await;
    let event = String::from_utf8_lossy(&seen[0].event);
    assert!(
        event.contains("\"MAX_OFFSET\":\"1\",\"TAGS\":\"paid\",\"KEYS\":\"k1 k2\"}"),
        "{event}"
    );
    assert!(
        event.contains("\"userProperties\":{\"z\":\"1\",\"a\":\"say \\\"hi\\\"\"}"),
        "{event}"
    );
}

#[tokio::test]
async fn json_that_no_value_could_hold_arrives_as_it_was_sent_tr13() {
    let body = " { \"n\" : 1e400, \"big\": 1180591620717411303424,\n\"n\": 2, \"s\": \"a \\u00e9 \\\" b\" } ";
    let event = event_of(body, BodyDataType::Json).await;
    let expected =
        "{\"n\":1e400,\"big\":1180591620717411303424,\"n\":2,\"s\":\"a \\u00e9 \\\" b\"}";
    assert_eq!(body_text(&event), expected);
}

#[tokio::test]
async fn a_body_nested_too_deep_goes_as_text_safe11() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let event = event_of(nested(128), BodyDataType::Json).await;
    assert_eq!(body_text(&event), nested(128));
    let event = event_of(nested(129), BodyDataType::Json).await;
    assert_eq!(body_text(&event), format!("\"{}\"", nested(129)));
}

#[tokio::test]
async fn text_and_binary_bodies_are_text_and_base64_tr13() {
    let json = "{\"a\": 1}";
    assert_eq!(
        body_text(&event_of(json, BodyDataType::Text).await),
        "\"{\\\"a\\\": 1}\""
    );
    assert_eq!(
        body_text(&event_of(json, BodyDataType::Binary).await),
        "\"eyJhIjogMX0=\""
    );
    assert_eq!(
        body_text(&event_of("hello", BodyDataType::Json).await),
        "\"hello\""
    );
}

#[tokio::test]
async fn bytes_that_are_no_text_go_as_base64_with_one_warning_tr13() {
    let world = world(|_| {}).await;
    for _ in 0..2 {
        let body = bytes::Bytes::from_static(&[0xff, 0xfe]);
        world
            .broker
            .send_draft(Draft::new(topic("orders"), body))
            .await;
    }
    let seen = world.wait_calls(2).await;
    assert_eq!(seen[0].bodies(), ["//4="]);
    let warnings: Vec<String> = world
        .reported()
        .into_iter()
        .filter(|text| text.contains("base64"))
        .collect();
    assert_eq!(
        warnings,
        ["trigger `t`: a body is not UTF-8 text and goes to the function as base64"]
    );
}

#[tokio::test]
async fn a_compressed_body_arrives_plain() {
    let world = world(|_| {}).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"{\"a\":1}").unwrap();
    world
        .broker
        .send_draft(Draft {
            encoding: BodyEncoding::Gzip,
            ..Draft::new(topic("orders"), packed.finish().unwrap())
        })
        .await;
    let seen = world.wait_calls(1).await;
    assert_eq!(seen[0].json()[0]["body"]["a"], 1);
}

#[tokio::test]
async fn cloud_events_wrap_the_element_tr11() {
    let world = world(|trigger| trigger.event_schema = EventSchema::CloudEvents).await;
    world
        .broker
        .send_draft(Draft {
            id: MessageId::new(ARTICLE_ID),
            ..draft("orders", "{\"a\":1}")
        })
        .await;
    let seen = world.wait_calls(1).await;
    let event = &seen[0].json()[0];
    assert_eq!(event["id"], ARTICLE_ID);
    assert_eq!(event["source"], "RocketMQ-Function-t");
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "mq:Topic:SendMessage");
    assert_eq!(event["datacontenttype"], "application/json; charset=utf-8");
    assert_eq!(
        event["subject"],
        "acs:mq:ap-southeast-5:1234567890:rmq-sg-ycx4tph7q02%orders"
    );
    assert_eq!(event["time"], "2026-06-12T13:54:44.388Z");
    assert_eq!(event["aliyunregionid"], "ap-southeast-5");
    assert_eq!(event["data"]["body"]["a"], 1);
    assert_eq!(event["data"]["systemProperties"]["UNIQ_KEY"], ARTICLE_ID);
}

#[tokio::test]
async fn the_record_of_an_invocation_tells_its_messages_and_where_they_lie_iv8() {
    let world = world(|_| {}).await;
    world.broker.send("orders", "first").await;
    let second = world.broker.send("orders", "second").await;
    world.wait_calls(2).await;
    world.wait_done().await;
    let records = world.runs.invocations();
    let record = records
        .iter()
        .find(|record| record.message_ids == [second.id.clone()])
        .unwrap();
    assert_eq!(record.request_id.as_str(), second.id.as_str());
    assert_eq!(record.trigger, Some(world.definition().name));
    assert_eq!(
        (record.attempt, record.invocation_type),
        (1, InvocationType::Sync)
    );
    assert_eq!(
        record.places,
        [Place {
            topic: topic("orders"),
            queue: 0,
            offset: 1
        }]
    );
    assert!(record.event.contains("second"));
    assert!(record.schedule_ms >= 0.0 && record.duration_ms >= record.spawn_ms);
}
