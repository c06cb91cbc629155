//! Plays one scenario with the official Rust client and prints what it sees, one JSON object a line.
//!
//! usage: moonport-interop ENDPOINT SCENARIO

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocketmq::conf::{ClientOption, LoggingFormat, ProducerOption, SimpleConsumerOption};
use rocketmq::error::ClientError;
use rocketmq::model::common::{FilterExpression, FilterType};
use rocketmq::model::message::{Message, MessageBuilder, MessageView};
use rocketmq::model::transaction::{Transaction, TransactionResolution};
use rocketmq::{Producer, SimpleConsumer};
use serde_json::{json, Value};

/// Real time a scenario may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Outcome = Result<(), ClientError>;

fn say(saw: &str, mut what: Value) {
    what["saw"] = saw.into();
    println!("{what}");
}

/// Hands over to the test, which does what is wanted (moves broker time, restarts the server) and answers a line.
async fn pause(wanted: Value) {
    say("ready", wanted);
    let read = || std::io::stdin().read_line(&mut String::new());
    let _ = tokio::task::spawn_blocking(read).await;
}

/// A topic or group by its full name, where runs share a cluster.
fn named(name: &str) -> String {
    std::env::var("INTEROP_PREFIX").unwrap_or_default() + name
}

fn options() -> ClientOption {
    let mut options = ClientOption::default();
    options.set_access_url(std::env::args().nth(1).unwrap_or_default());
    options.set_enable_tls(false);
    options.set_long_polling_timeout(Duration::from_secs(10));
    if let (Ok(key), Ok(secret)) = (std::env::var("INTEROP_KEY"), std::env::var("INTEROP_SECRET")) {
        options.set_access_key(key);
        options.set_secret_key(secret);
    }
    options
}

fn producer_options(topic: &str) -> ProducerOption {
    let mut options = ProducerOption::default();
    options.set_logging_format(LoggingFormat::Json);
    options.set_topics(vec![named(topic)]);
    options
}

async fn producer(topic: &str) -> Result<Producer, ClientError> {
    let mut producer = Producer::new(producer_options(topic), options())?;
    producer.start().await?;
    Ok(producer)
}

async fn simple(group: &str, topic: &str) -> Result<SimpleConsumer, ClientError> {
    let mut consumer_options = SimpleConsumerOption::default();
    consumer_options.set_topics(vec![named(topic)]);
    consumer_options.set_consumer_group(named(group));
    let mut consumer = SimpleConsumer::new(consumer_options, options())?;
    consumer.start().await?;
    Ok(consumer)
}

async fn send(producer: &Producer, body: &str, message: impl Message) -> Outcome {
    let receipt = producer.send(message).await?;
    say("sent", json!({"id": receipt.message_id(), "body": body}));
    Ok(())
}

fn message(topic: &str, body: &str) -> MessageBuilder {
    MessageBuilder::builder().set_topic(named(topic)).set_body(body.into())
}

fn saw(received: &MessageView) {
    let mut keys = received.keys().to_vec();
    keys.sort();
    say(
        "received",
        json!({
            "id": received.message_id(),
            "body": String::from_utf8_lossy(received.body()),
            "tag": received.tag().unwrap_or_default(),
            "keys": keys,
            "properties": received.properties(),
            "group": received.message_group().unwrap_or_default(),
            "attempt": received.delivery_attempt(),
        }),
    );
}

/// Receives until `count` messages came.
async fn drain(consumer: &SimpleConsumer, topic: &str, filter: &FilterExpression, count: usize, ack: bool) -> Outcome {
    let until = Instant::now() + PATIENCE;
    let mut left = count;
    while left > 0 && Instant::now() < until {
        let invisible = Duration::from_secs(30);
        for received in consumer.receive_with(named(topic), filter, 16, invisible).await? {
            saw(&received);
            left = left.saturating_sub(1);
            if ack {
                consumer.ack(&received).await?;
            }
        }
    }
    Ok(())
}

fn everything() -> FilterExpression {
    FilterExpression::new(FilterType::Tag, "*")
}

fn in_millis(span: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    now as i64 + span
}

async fn normal() -> Outcome {
    let (sender, reader) = (producer("normal").await?, simple("normal-group", "normal").await?);
    for number in 0..3 {
        let body = format!("body-{number}");
        let made = message("normal", &body)
            .set_tag("t")
            .set_keys(vec![format!("k{number}")])
            .set_properties([("amount".to_owned(), number.to_string())].into());
        send(&sender, &body, made.build()?).await?;
    }
    drain(&reader, "normal", &everything(), 3, true).await?;
    sender.shutdown().await?;
    reader.shutdown().await
}

async fn fifo() -> Outcome {
    let (sender, reader) = (producer("fifo").await?, simple("fifo-group", "fifo").await?);
    for number in 0..6 {
        let body = format!("body-{number}");
        let made = message("fifo", &body).set_message_group(format!("g{}", number % 2));
        send(&sender, &body, made.build()?).await?;
    }
    drain(&reader, "fifo", &everything(), 6, true).await?;
    sender.shutdown().await?;
    reader.shutdown().await
}

async fn delay() -> Outcome {
    let (sender, reader) = (producer("delay").await?, simple("delay-group", "delay").await?);
    // This client takes the delivery time in seconds.
    let made = message("delay", "later").set_delivery_timestamp(in_millis(60_000) / 1000);
    send(&sender, "later", made.build()?).await?;
    pause(json!({"step": 61})).await;
    drain(&reader, "delay", &everything(), 1, true).await?;
    sender.shutdown().await?;
    reader.shutdown().await
}

async fn transaction() -> Outcome {
    let check = |_: String, half: MessageView| {
        let body = String::from_utf8_lossy(half.body()).into_owned();
        say("checked", json!({"id": half.message_id(), "body": body}));
        TransactionResolution::COMMIT
    };
    let mut sender =
        Producer::new_transaction_producer(producer_options("transaction"), options(), Box::new(check))?;
    sender.start().await?;
    let reader = simple("transaction-group", "transaction").await?;
    for body in ["committed", "rolled-back", "checked"] {
        let made = MessageBuilder::transaction_message_builder(named("transaction"), body.into()).build()?;
        let half = sender.send_transaction_message(made).await?;
        say("half", json!({"id": half.message_id(), "body": body}));
        match body {
            "committed" => half.commit().await?,
            "rolled-back" => half.rollback().await?,
            _ => {}
        }
    }
    pause(json!({"step": 10})).await;
    drain(&reader, "transaction", &everything(), 2, true).await?;
    sender.shutdown().await?;
    reader.shutdown().await
}

/// This client cannot give a message back; it meets it again when its invisible duration has run out.
async fn retry() -> Outcome {
    let (sender, reader) = (producer("normal").await?, simple("normal-group", "normal").await?);
    send(&sender, "again", message("normal", "again").build()?).await?;
    drain(&reader, "normal", &everything(), 1, false).await?;
    pause(json!({"step": 45})).await;
    drain(&reader, "normal", &everything(), 1, true).await?;
    sender.shutdown().await?;
    reader.shutdown().await
}

/// Deliveries that nobody acks: after the last one a dead letter.
async fn dead_letter() -> Outcome {
    let (sender, reader) = (producer("normal").await?, simple("failing-group", "normal").await?);
    send(&sender, "poison", message("normal", "poison").build()?).await?;
    for _ in 0..3 {
        drain(&reader, "normal", &everything(), 1, false).await?;
        pause(json!({"step": 45})).await;
    }
    pause(json!({"dead": "failing-group"})).await;
    sender.shutdown().await?;
    reader.shutdown().await
}

async fn filters() -> Outcome {
    let sender = producer("normal").await?;
    let (tagged, selected) = (simple("tag-group", "normal").await?, simple("sql-group", "normal").await?);
    for (tag, amount) in [("a", "5"), ("b", "20"), ("c", "30")] {
        let properties = [("amount".to_owned(), amount.to_owned())].into();
        let made = message("normal", tag).set_tag(tag).set_properties(properties);
        send(&sender, tag, made.build()?).await?;
    }
    say("by-tag", json!({}));
    drain(&tagged, "normal", &FilterExpression::new(FilterType::Tag, "a || b"), 2, true).await?;
    say("by-sql", json!({}));
    drain(&selected, "normal", &FilterExpression::new(FilterType::Sql, "amount > 10"), 2, true).await?;
    tagged.shutdown().await?;
    selected.shutdown().await?;
    sender.shutdown().await
}

async fn one(topic: &str) -> Outcome {
    let sender = producer(topic).await?;
    send(&sender, "body", message(topic, "body").build()?).await?;
    sender.shutdown().await
}

/// Two groups, each with its own place in the topic.
async fn groups() -> Outcome {
    let sender = producer("normal").await?;
    let (first, second) = (simple("normal-group", "normal").await?, simple("other-group", "normal").await?);
    for number in 0..3 {
        let body = format!("body-{number}");
        send(&sender, &body, message("normal", &body).build()?).await?;
    }
    say("first-group", json!({}));
    drain(&first, "normal", &everything(), 3, true).await?;
    say("second-group", json!({}));
    drain(&second, "normal", &everything(), 3, true).await?;
    first.shutdown().await?;
    second.shutdown().await?;
    sender.shutdown().await
}

fn refused(outcome: Outcome) -> Outcome {
    if let Err(error) = outcome {
        say("refused", json!({"text": format!("{error:?}")}));
    }
    Ok(())
}

async fn reconnect() -> Outcome {
    let (sender, reader) = (producer("normal").await?, simple("normal-group", "normal").await?);
    send(&sender, "before", message("normal", "before").build()?).await?;
    drain(&reader, "normal", &everything(), 1, true).await?;
    pause(json!({"restart": true})).await;
    let until = Instant::now() + PATIENCE;
    while send(&sender, "after", message("normal", "after").build()?).await.is_err() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    while drain(&reader, "normal", &everything(), 1, true).await.is_err() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    // The client's logger wants this folder.
    let _ = std::fs::create_dir_all("logs");
    let scenario = std::env::args().nth(2).unwrap_or_default();
    let outcome = match scenario.as_str() {
        "normal" => normal().await,
        "fifo" => fifo().await,
        "delay" => delay().await,
        "transaction" => transaction().await,
        "retry" => retry().await,
        "dead-letter" => dead_letter().await,
        "filters" => filters().await,
        "undeclared" => refused(one("missing").await),
        "credentials" => refused(one("normal").await),
        "one" => one("normal").await,
        "groups" => groups().await,
        "reconnect" => reconnect().await,
        other => panic!("no scenario `{other}`"),
    };
    if let Err(error) = outcome {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
    say("done", json!({}));
    std::process::exit(0);
}
