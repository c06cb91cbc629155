//! The sample functions do what they say: each is run by the program for the order event, and what it did downstream is
//! looked at there.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::function_support::has;
use crate::support::downstream::Downstream;
use crate::support::program::{Ended, Place};

const EVENT: &str = include_str!("../../assets/order-workflow/event.json");

fn sample(name: &str) -> String {
    asset("functions", name)
}

fn asset(folder: &str, name: &str) -> String {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    assets.join(folder).join(name).display().to_string()
}

/// A topic `orders` in front of one sample function with these variables.
fn workflow(function: &str, runtime: &str, environment: &[(&str, &str)]) -> String {
    let variables: Vec<String> = environment
        .iter()
        .map(|(name, value)| format!("{name} = \"{value}\""))
        .collect();
    format!(
        r#"
[instance]
name = "orders"

[[topic]]
name = "orders"

[[function]]
name = "{function}"
runtime = "{runtime}"
code = "{}"
handler = "index.handler"
timeout = 60
environment = {{ {} }}

[[trigger]]
name = "{function}"
function = "{function}"
topic = "orders"
group = "{function}"
offset = "earliest"
"#,
        sample(function),
        variables.join(", ")
    )
}

/// Runs the workflow for the order event until nothing is due.
fn run(place: &Place, workflow: &str) -> Ended {
    place.write("w.toml", workflow);
    place.write("event.json", EVENT);
    let run = ["run", "w.toml", "--topic", "orders", "--send", "event.json"];
    place.moonport(&run).run()
}

#[test]
fn an_order_is_written_to_a_database_once() {
    if !has("python3") {
        return;
    }
    let place = Place::new();
    let database = place.path().join("orders.sqlite3").display().to_string();
    let variables = [("DATABASE", database.as_str())];
    let workflow = workflow("order_to_sqlite", "python3", &variables);
    let first = run(&place, &workflow).expect(0);
    assert!(first.out.contains("1 of 1 orders are new"), "{first:#?}");
    let second = run(&place, &workflow).expect(0);
    assert!(second.out.contains("0 of 1 orders are new"), "{second:#?}");
    let query = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(\
                 'SELECT order_id, customer_id, amount, currency, ordered_at FROM orders').fetchall())";
    let rows = Command::new("python3")
        .args(["-c", query, &database])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&rows.stdout).trim(),
        "[('ORD-20260612-1001', 'CUS-10001', 250, 'USD', '2026-06-12T20:40:00Z')]"
    );
}

#[test]
fn an_order_is_posted_to_an_api_until_it_is_taken() {
    if !has("python3") {
        return;
    }
    let api = Downstream::answering(&[503, 201]);
    let url = api.url("/orders");
    let variables = [("API_URL", url.as_str()), ("API_TOKEN", "secret")];
    let place = Place::new();
    let ended = run(&place, &workflow("order_to_http", "python3", &variables)).expect(0);
    assert!(
        ended.out.contains("order ORD-20260612-1001: 201"),
        "{ended:#?}"
    );
    let posted = api.requests();
    assert_eq!(posted.len(), 2, "once refused, once taken");
    for request in &posted {
        assert_eq!(request.line, "POST /orders HTTP/1.1");
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
        assert_eq!(request.json()["orderId"], "ORD-20260612-1001");
    }
    let key = posted[0].header("idempotency-key").unwrap();
    assert_eq!(key.len(), 34, "the message's id");
    assert_eq!(posted[1].header("idempotency-key"), Some(key));
}

#[test]
fn an_order_is_told_to_a_webhook_with_a_signature() {
    if !has("node") {
        return;
    }
    let webhook = Downstream::answering(&[204]);
    let url = webhook.url("/hook");
    let variables = [("WEBHOOK_URL", url.as_str()), ("WEBHOOK_SECRET", "key")];
    let place = Place::new();
    run(&place, &workflow("order_webhook", "nodejs", &variables)).expect(0);
    let told = webhook.requests();
    assert_eq!(told.len(), 1);
    let order: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    assert_eq!(
        told[0].json(),
        json!({ "type": "OrderCreated", "data": order })
    );
    assert_eq!(told[0].header("x-message-id").map(str::len), Some(34));
    let signature = Command::new("node")
        .args([
            "-e",
            "const {createHmac} = require('crypto'); \
             process.stdout.write(createHmac('sha256', 'key').update(process.argv[1]).digest('hex'))",
            &told[0].body,
        ])
        .output()
        .unwrap();
    assert_eq!(
        told[0].header("x-signature").unwrap(),
        format!("sha256={}", String::from_utf8_lossy(&signature.stdout))
    );
}

#[test]
fn an_order_leads_to_a_follow_up_that_a_second_function_takes_on() {
    if !has("python3") {
        return;
    }
    let place = Place::new();
    let data = place.data().display().to_string();
    let variables = [
        ("FOLLOW_UP_TOPIC", "follow-ups"),
        ("MOONPORT_COMMAND", env!("CARGO_BIN_EXE_moonport")),
        ("MOONPORT_DATA_DIR", data.as_str()),
    ];
    let second = format!(
        r#"
[[topic]]
name = "follow-ups"

[[function]]
name = "order_logger"
runtime = "python3"
code = "{}"
handler = "index.handler"

[[trigger]]
name = "follow-up"
function = "order_logger"
topic = "follow-ups"
group = "order_logger"
filter = {{ tag = "FollowUp" }}
"#,
        asset("order-workflow/functions", "order_logger")
    );
    let workflow = workflow("order_follow_up", "python3", &variables) + &second;
    place.write("w.toml", &workflow);
    let event = place.write("event.json", EVENT).display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "w.toml"];
    let mut owner = place.moonport(&serve).start();
    owner.out.wait_for("ready ");
    let follow = ["logs", "-f", "--function", "order_logger"];
    let mut follower = place.moonport(&follow).start();
    let send = ["send", "--topic", "orders", "--body-file", &event, "--json"];
    let sent = place.moonport(&send).run().expect(0).json();
    let line = follower.out.wait_for("Message Body: ");
    let cause = sent["message_id"].as_str().unwrap();
    for part in [
        "'topic': 'follow-ups'",
        "'TAGS': 'FollowUp'",
        "'KEYS': 'ORD-20260612-1001'",
        "'eventType': 'OrderFollowUpDue'",
        &format!("'causedBy': '{cause}'"),
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    owner.signal(Signal::SIGTERM);
    assert_eq!(owner.wait().code(), Some(0));
}
