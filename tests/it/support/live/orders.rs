//! The order workflow, lived in: every type of topic, messages done, waiting, failed and dead.

use std::time::Duration;

use moonport::cluster::admin::{PutGroup, PutMode, PutTopic};
use moonport::cluster::messaging::Resolution;
use moonport::cluster::session::{Caller, ClientKind};
use moonport::control::functions::PutFunction;
use moonport::control::triggers::{PutTrigger, TriggerCommand};
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::message::{Draft, HalfDraft};
use moonport::domain::names::{ClientId, InstanceId};
use moonport::domain::retry_policy::RetryPolicy;
use moonport::domain::subscription::{FilterExpression, Subscription};
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::domain::trigger::{TriggerDefinition, TriggerState};

use super::Live;
use crate::support::broker::{draft, fifo, group, receive, settings, topic};
use crate::support::triggers::{closure, function, trigger};

/// The topic of the order workflow, and its first consumer group.
const ORDERS: &str = "message-processing";

pub(super) async fn fill(live: &Live) {
    live.put_instance("rmq-local", "local").await;
    put_topics(live).await;
    put_groups(live).await;
    for name in ["order-logger", "order-audit", "invoice-bot"] {
        let definition = Box::new(closure(name));
        let request = PutFunction { definition };
        live.control.functions.put_function(request).await.unwrap();
    }
    live.step(Duration::from_secs(1700));
    fill_orders(live).await;
    fill_invoices(live).await;
    fill_audit(live).await;
    fill_parked(live).await;
    fill_clients(live).await;
    wait_for_a_retry(live).await;
    live.put_instance("rmq-staging", "staging 预发").await;
    live.step(Duration::from_millis(1250));
}

async fn put_topics(live: &Live) {
    for (name, topic_type, queues) in [
        (ORDERS, TopicType::Normal, 8),
        ("invoice-steps", TopicType::Fifo, 4),
        ("reminders", TopicType::Delay, 4),
        ("payments-tx", TopicType::Transaction, 2),
        ("alerts", TopicType::Priority, 1),
        ("scratch", TopicType::Mixed, 1),
    ] {
        let definition = TopicDefinition::new(topic(name), topic_type, queues, live.clock.now());
        let request = PutTopic {
            definition,
            mode: PutMode::Create,
        };
        live.cluster().admin.put_topic(request).await.unwrap();
    }
}

async fn put_groups(live: &Live) {
    for (name, order, retries) in [
        (ORDERS, DeliveryOrder::Concurrent, 16),
        ("audit", DeliveryOrder::Concurrent, 16),
        ("invoices", DeliveryOrder::Orderly, 16),
        ("webhook", DeliveryOrder::Concurrent, 1),
    ] {
        let mut definition = GroupDefinition::new(group(name), order, live.clock.now());
        definition.first_seen = FirstSeen::Earliest;
        definition.max_retries = retries;
        if order == DeliveryOrder::Orderly {
            definition.retry_policy = RetryPolicy::ORDERLY_DEFAULT;
        }
        let request = PutGroup {
            definition,
            mode: PutMode::Create,
            join: Vec::new(),
        };
        live.cluster().admin.put_group(request).await.unwrap();
    }
}

async fn put_trigger(live: &Live, names: [&str; 4], change: impl FnOnce(&mut TriggerDefinition)) {
    let [name, function_name, topic_name, group_name] = names;
    let mut definition = TriggerDefinition::new(
        trigger(name),
        InstanceId::new("rmq-local").unwrap(),
        function(function_name),
        topic(topic_name),
        group(group_name),
    );
    definition.offset = FirstSeen::Earliest;
    change(&mut definition);
    let request = PutTrigger { definition };
    live.control.triggers.put_trigger(request).await.unwrap();
}

/// An order as the article sends it; one without an amount fails.
fn order(number: u32, good: bool) -> Draft {
    let amount = if good { "\"amount\":250," } else { "" };
    let body = format!(
        "{{\"eventType\":\"OrderCreated\",\"orderId\":\"ORD-{number}\",\"customerId\":\"CUS-10001\",{amount}\"currency\":\"USD\"}}"
    );
    Draft {
        tag: Some("order".to_owned()),
        keys: vec![format!("ORD-{number}")],
        properties: [("source", "console"), ("tenant", "eu")]
            .into_iter()
            .collect(),
        queue: Some(number % 8),
        ..draft(ORDERS, &body)
    }
}

/// Twelve orders done, one after another, and one given up after its last attempt.
async fn fill_orders(live: &Live) {
    put_trigger(
        live,
        ["order-created", "order-logger", ORDERS, ORDERS],
        |_| {},
    )
    .await;
    for number in 1001..=1012 {
        live.send(order(number, true)).await;
        let done = u64::from(number - 1000);
        live.wait_trigger("order-created", |row| {
            row.invoked_total == done && row.in_work == 0 && row.lag == 0
        })
        .await;
    }
    live.send(order(1013, false)).await;
    for attempt in 2..=4 {
        wait_attempt(live, attempt).await;
        live.step(Duration::from_secs(20));
    }
    live.wait_trigger("order-created", |row| {
        row.dead_total == 1 && row.in_work == 0
    })
    .await;
}

async fn wait_attempt(live: &Live, next: u32) {
    let is_next = |state: &TriggerState| matches!(state, TriggerState::Retrying { attempt, .. } if *attempt == next);
    live.wait_trigger("order-created", |row| is_next(&row.state))
        .await;
}

async fn fill_invoices(live: &Live) {
    let names = ["invoice-steps", "invoice-bot", "invoice-steps", "invoices"];
    put_trigger(live, names, |definition| {
        definition.filter = FilterExpression::Tag("invoice || credit".to_owned());
    })
    .await;
    for (number, body) in ["{\"step\":1}", "two: 第二步", "\u{1b}[2J three"]
        .into_iter()
        .enumerate()
    {
        let step = Draft {
            tag: Some("invoice".to_owned()),
            ..fifo("invoice-steps", body, "INV-7")
        };
        live.send(step).await;
        let done = number as u64 + 1;
        live.wait_trigger("invoice-steps", |row| {
            row.invoked_total == done && row.in_work == 0 && row.lag == 0
        })
        .await;
    }
}

/// A second group on the topic of orders, behind a condition; paused with messages before it.
async fn fill_audit(live: &Live) {
    put_trigger(
        live,
        ["order-audit", "order-audit", ORDERS, "audit"],
        |definition| {
            definition.filter = FilterExpression::Sql("tenant = 'eu'".to_owned());
            definition.batch_size = 32;
        },
    )
    .await;
    live.wait_trigger("order-audit", |row| row.lag == 0 && row.in_work == 0)
        .await;
    let pause = live
        .control
        .triggers
        .command(trigger("order-audit"), TriggerCommand::Pause);
    pause.await.unwrap();
    live.wait_trigger("order-audit", |row| row.state == TriggerState::Paused)
        .await;
}

/// Messages that wait for their time, for their transaction's end, and for somebody to read them.
async fn fill_parked(live: &Live) {
    for (number, minutes) in [(1, 5), (2, 30), (3, 60 * 24)] {
        let text = format!("{{\"remind\":\"CUS-1000{number}\"}}");
        let reminder = Draft {
            deliver_at: Some(live.clock.now() + Duration::from_secs(60 * minutes)),
            keys: vec![format!("CUS-1000{number}")],
            ..draft("reminders", &text)
        };
        live.send(reminder).await;
    }
    for (number, resolution) in [(1, Some(Resolution::Commit)), (2, None)] {
        let payment = Draft {
            transaction: Some(HalfDraft::default()),
            keys: vec![format!("PAY-{number}")],
            ..draft("payments-tx", "{\"paid\":true}")
        };
        let sent = live.send(payment).await;
        if let (Some(resolution), Some(transaction)) = (resolution, sent.transaction) {
            let request = moonport::cluster::messaging::EndTransaction {
                topic: Some(topic("payments-tx")),
                transaction,
                message_id: Some(sent.id),
                resolution,
                from_check: false,
            };
            let caller = Caller::local();
            let messaging = live.cluster().messaging;
            messaging.end_transaction(&caller, request).await.unwrap();
        }
    }
    for priority in [1, 9] {
        let alert = Draft {
            priority: Some(priority),
            ..draft("alerts", "disk 91 % full")
        };
        live.send(alert).await;
    }
}

/// A consumer that holds one message and gave another up, and a producer.
async fn fill_clients(live: &Live) {
    let messaging = live.cluster().messaging;
    let consumer = Caller::local_client(ClientId::new("webhook@10.0.0.7@1").unwrap());
    let subscribed = moonport::cluster::session::ClientSettings {
        group: Some(group("webhook")),
        subscriptions: vec![Subscription {
            topic: topic("alerts"),
            filter: FilterExpression::all(),
        }],
        language: "JAVA".to_owned(),
        version: "5.0.7".to_owned(),
        ..settings(ClientKind::SimpleConsumer)
    };
    messaging.open_session(&consumer, subscribed).await.unwrap();
    let producer = Caller::local_client(ClientId::new("shop@10.0.0.5@1").unwrap());
    let publishing = moonport::cluster::session::ClientSettings {
        publishing: vec![topic(ORDERS)],
        language: "GO".to_owned(),
        version: "5.1.0".to_owned(),
        ..settings(ClientKind::Producer)
    };
    messaging.open_session(&producer, publishing).await.unwrap();
    for _ in 0..2 {
        let mut one = receive("webhook", "alerts");
        one.max = 1;
        messaging.receive(&consumer, one).await.unwrap();
        // Broker time alone: the lease runs out, and no session falls silent.
        live.clock.pass(Duration::from_secs(61));
    }
    let mut one = receive("webhook", "alerts");
    one.max = 1;
    messaging.receive(&consumer, one).await.unwrap();
}

/// An order that failed a moment ago and comes again.
async fn wait_for_a_retry(live: &Live) {
    live.send(order(1014, true)).await;
    live.wait_trigger("order-created", |row| row.lag == 0 && row.in_work == 0)
        .await;
    live.send(order(1015, false)).await;
    wait_attempt(live, 2).await;
}
