//! What files say and how their mistakes are told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parse;
use crate::domain::function::Runtime;
use crate::domain::group::FirstSeen;
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::FilterExpression;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::TopicType;
use crate::domain::trigger::{Tolerance, TriggerDeadLetter, TriggerRetry};
use crate::report::Hint as _;
use crate::workflow::error::WorkflowError;
use crate::workflow::file::{Expectation, Workflow};

const HEAD: &str = "[instance]\nname = \"orders\"\n";

fn read(text: &str) -> Result<Workflow, WorkflowError> {
    parse(text, "moonport.toml", Path::new("/work"))
}

/// Mistakes of a file that begins with [`HEAD`], each as `line: what`, and the first hint.
fn mistakes(tail: &str) -> (Vec<String>, Option<String>) {
    let error = read(&format!("{HEAD}{tail}")).unwrap_err();
    let lines = error.to_string();
    let lines = lines
        .lines()
        .map(|line| line.strip_prefix("moonport.toml:").unwrap().to_owned());
    (lines.collect(), error.hint())
}

fn mistake(tail: &str) -> String {
    let (lines, _) = mistakes(tail);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

#[test]
fn every_key_of_the_contract_is_read() {
    let workflow = read(
        r#"
[instance]
name = "orders"
region = "ap-southeast-5"
id = "rmq-sg-1"
listen = "127.0.0.1:8081"
auto-create = false

[[topic]]
name = "message-processing"
type = "FIFO"
queues = 4

[[topic]]
name = "dead"

[[group]]
name = "message-processing"
order = "orderly"
max-retries = 3
retry = { every = "5s" }

[[function]]
name = "order-logger"
runtime = "python3"
code = "functions/order_logger"
handler = "index.handler"
timeout = 60
memory = 1024
environment = { LOG_LEVEL = "INFO" }
env-file = ".env"
python = ".venv/bin/python"

[[trigger]]
name = "order-created"
function = "order-logger"
topic = "message-processing"
group = "message-processing"
filter = { sql = "amount > 100" }
offset = 2026-06-12T13:54:44Z
batch = { size = 100, window = 15 }
retry = "exponential-decay"
tolerance = "none"
dead-letter-topic = "dead"

[[expect]]
function = "order-logger"
log = "MESSAGE RECEIVED"

[[expect]]
trigger = "order-created"
dead-letters = 0
"#,
    )
    .unwrap();
    assert_eq!(workflow.instance.value.region, "ap-southeast-5");
    assert_eq!(
        workflow.instance.value.listen.as_deref(),
        Some("127.0.0.1:8081")
    );
    assert!(workflow.id_given && !workflow.instance.value.auto_create);
    assert_eq!(workflow.topics[0].value.topic_type, TopicType::Fifo);
    assert_eq!(workflow.topics[0].value.write_queues, 4);
    let policy = RetryPolicy::Fixed(Duration::from_secs(5));
    assert_eq!(workflow.groups[0].value.retry_policy, policy);
    let function = &workflow.functions[0].value;
    assert_eq!(
        (function.runtime, function.timeout, function.memory),
        (Runtime::Python3, 60, 1024)
    );
    assert_eq!(function.code, PathBuf::from("/work/functions/order_logger"));
    assert_eq!(function.env_file, Some(PathBuf::from("/work/.env")));
    let trigger = &workflow.triggers[0].value;
    assert_eq!(trigger.instance.as_str(), "rmq-sg-1");
    assert_eq!(
        trigger.filter,
        FilterExpression::Sql("amount > 100".to_owned())
    );
    assert_eq!(
        trigger.offset,
        FirstSeen::At(Timestamp::from_millis(1_781_272_484_000))
    );
    assert_eq!(
        (trigger.batch_size, trigger.batch_window),
        (100, Duration::from_secs(15))
    );
    assert_eq!(trigger.retry, TriggerRetry::ExponentialDecay);
    assert_eq!(trigger.tolerance, Tolerance::None);
    assert!(
        matches!(&trigger.dead_letter, TriggerDeadLetter::Topic(topic) if topic.as_str() == "dead")
    );
    assert!(matches!(
        &workflow.expectations[0].value,
        Expectation::Log { times: None, .. }
    ));
    assert!(matches!(
        &workflow.expectations[1].value,
        Expectation::DeadLetters { count: 0, .. }
    ));
}

#[test]
fn an_instance_without_an_id_is_named_after_its_name() {
    let id = |name: &str| {
        let text = format!("[instance]\nname = \"{name}\"");
        read(&text).unwrap().instance.value.id.to_string()
    };
    assert_eq!(id("orders"), "rmq-orders");
    assert_eq!(id(" My Orders! "), "rmq-my-orders");
    assert_ne!(id("订单"), id("支付"));
}

#[test]
fn an_unknown_key_is_refused_with_line_and_nearest_known_key() {
    let (lines, hint) = mistakes("[[topic]]\nname = \"a\"\nqeues = 3\n");
    assert_eq!(lines, ["5: `qeues` is not a key of `[[topic]]`"]);
    assert_eq!(hint.as_deref(), Some("did you mean `queues`?"));
    let (lines, hint) = mistakes("[[topics]]\nname = \"a\"\n");
    assert_eq!(lines, ["3: `topics` is not a key of `the workflow file`"]);
    assert_eq!(hint.as_deref(), Some("did you mean `topic`?"));
}

#[test]
fn all_mistakes_are_told_in_file_order() {
    let (lines, _) = mistakes(
        "[[topic]]\nname = \"a b\"\ntype = \"NORMEL\"\nqueues = 0\n[[group]]\nmax-retries = 1001\n",
    );
    assert_eq!(
        lines,
        [
            "4: `name` cannot be used: the topic name `a b` holds ' '; allowed are letters, digits, `_`, `-` and `%`",
            "5: `type` is `NORMEL`, allowed are `NORMAL`, `FIFO`, `DELAY`, `TRANSACTION`, `PRIORITY`, `MIXED`",
            "6: `queues` is 0, allowed are 1-1024",
            "7: `name` is missing in `[[group]]`",
            "8: `max-retries` is 1001, allowed are 0-1000",
        ]
    );
}

#[test]
fn values_out_of_range_name_their_field() {
    let function = |key: &str| {
        mistake(&format!(
            "[[function]]\nname = \"f\"\nruntime = \"python3\"\ncode = \".\"\nhandler = \"index.handler\"\n{key}\n"
        ))
    };
    assert_eq!(
        function("memory = 100"),
        "8: `memory` is 100, allowed are 128-32768"
    );
    assert_eq!(
        function("timeout = 0"),
        "8: `timeout` is 0, allowed are 1-86400"
    );
    assert_eq!(
        function("timeout = \"3\""),
        "8: `timeout` must be a whole number, found a text"
    );
    assert_eq!(
        function("environment = { FC_X = \"1\" }"),
        "8: `environment` has the name `FC_X`; names that begin with `FC_` are reserved"
    );
    assert_eq!(
        function("command = [\"x\"]"),
        "8: `command` is for runtime `custom`, this one is `python3`"
    );
}

#[test]
fn batches_outside_their_bounds_are_refused() {
    let trigger = |batch: &str| {
        mistake(&format!(
            "[[trigger]]\nname = \"t\"\nfunction = \"f\"\ntopic = \"a\"\ngroup = \"a\"\nbatch = {batch}\n"
        ))
    };
    assert_eq!(
        trigger("{ size = 10001 }"),
        "8: `batch.size` is 10001, allowed are 1-10000"
    );
    assert_eq!(
        trigger("{ window = 16 }"),
        "8: `batch.window` is 16 s, allowed are 0-15 s"
    );
    assert_eq!(
        trigger("{ wndow = 1 }"),
        "8: `wndow` is not a key of `batch`"
    );
}

#[test]
fn tables_are_checked_against_each_other() {
    let trigger = |name: &str, tail: &str| {
        format!(
            "[[trigger]]\nname = \"{name}\"\nfunction = \"f\"\ntopic = \"a\"\ngroup = \"a\"\n{tail}\n"
        )
    };
    let twice = trigger("t", "") + &trigger("u", "");
    assert_eq!(
        mistake(&twice),
        "9: group `a` already belongs to trigger `t`"
    );
    let unknown =
        "[[topic]]\nname = \"dead\"\n".to_owned() + &trigger("t", "dead-letter-topic = \"daed\"");
    let (lines, hint) = mistakes(&unknown);
    assert_eq!(
        lines,
        ["5: `dead-letter-topic` `daed` is not a `[[topic]]` of this file"]
    );
    assert_eq!(hint.as_deref(), Some("did you mean `dead`?"));
    let slow = "[[function]]\nname = \"f\"\nruntime = \"rust\"\ntimeout = 301\n".to_owned()
        + &trigger("t", "");
    assert_eq!(
        mistake(&slow),
        "3: `timeout` is 301, at most 300 are allowed behind trigger `t`"
    );
    let doubled = "[[topic]]\nname = \"a\"\n[[topic]]\nname = \"a\"\n";
    assert_eq!(
        mistake(doubled),
        "5: topic `a` is already defined in line 3"
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    assert!(mistake("[[topic]\n").starts_with("3: this is not TOML"));
    let error = read("").unwrap_err();
    assert_eq!(
        error.to_string(),
        "moonport.toml:1: `instance` is missing in `the workflow file`"
    );
}

#[test]
fn retries_of_groups_have_the_bounds_of_g2() {
    let group = |order: &str, retry: &str| {
        read(&format!(
            "{HEAD}[[group]]\nname = \"g\"\norder = \"{order}\"\nretry = {retry}\n"
        ))
    };
    assert!(group("concurrent", "{ every = 10 }").is_ok());
    assert!(group("concurrent", "{ every = 9 }").is_err());
    assert!(group("orderly", "{ every = 1 }").is_ok());
    assert!(group("orderly", "{ every = 601 }").is_err());
    assert!(group("concurrent", "{ initial = 5, max = \"2h\" }").is_ok());
    assert!(group("concurrent", "{ initial = 5 }").is_err());
    assert!(group("concurrent", "\"grpc-raw\"").is_ok());
    assert!(group("concurrent", "\"raw\"").is_err());
}

#[test]
fn settings_of_accepted_events_have_bounds_and_one_destination_each_iv4_iv5() {
    let function = |later: &str| {
        mistake(&format!(
            "[[function]]\nname = \"f\"\nruntime = \"js\"\ncode = \"f\"\nhandler = \"index.handler\"\nasync = {later}\n"
        ))
    };
    assert_eq!(
        function("{ retries = 9 }"),
        "8: `async.retries` is 9, allowed are 0-8"
    );
    assert_eq!(
        function("{ max-age = 0 }"),
        "8: `async.max-age` is 0, allowed are 1-604800"
    );
    assert!(
        function("{ on-success = { topic = \"t\", function = \"g\" } }")
            .ends_with("`on-success` is a `function` or a `topic`; give one")
    );
}
