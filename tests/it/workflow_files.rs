//! A workflow file meets a set-up: what it plans, that applying it twice changes nothing, and that an export applies to
//! the same set-up.

mod cluster;
mod world;

use std::path::Path;
use std::sync::Arc;

use moonport::domain::names::TopicName;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::report::Hint as _;
use moonport::workflow::apply::apply;
use moonport::workflow::export::export;
use moonport::workflow::file::Workflow;
use moonport::workflow::parse::{load, parse};
use moonport::workflow::plan::{Plan, plan};
use moonport::workflow::present::SetUp;

use world::{NOW, World};

const FILE: &str = r#"
[instance]
name = "orders"
region = "ap-southeast-5"

[[topic]]
name = "message-processing"

[[group]]
name = "message-processing"
max-retries = 3

[[function]]
name = "order-logger"
runtime = "python3"
code = "functions/order_logger"
handler = "index.handler"
timeout = 60
environment = { LOG_LEVEL = "INFO", DB_PASSWORD = "s3cret" }

[[trigger]]
name = "order-created"
function = "order-logger"
topic = "message-processing"
group = "message-processing"
batch = { size = 10, window = "500ms" }
"#;

fn read(text: &str) -> Workflow {
    parse(text, "moonport.toml", Path::new("/work")).unwrap()
}

async fn planned(world: &Arc<World>, text: &str, remove: bool) -> Plan {
    plan(&world.control(), &read(text), remove).await.unwrap()
}

async fn applied(text: &str) -> Arc<World> {
    let world = World::new();
    let plan = planned(&world, text, false).await;
    apply(&world.control(), &plan).await.unwrap();
    world
}

#[tokio::test]
async fn applying_makes_everything_in_order_and_twice_changes_nothing() {
    let world = World::new();
    let first = planned(&world, FILE, false).await;
    assert_eq!(
        first.to_string(),
        "+ instance orders\n+ topic message-processing\n+ group message-processing\n+ function order-logger\n\
         + trigger order-created\n5 to create, 0 to change, 0 to remove, 0 unchanged"
    );
    assert!(world.take_calls().is_empty(), "planning changes nothing");
    apply(&world.control(), &first).await.unwrap();
    assert_eq!(
        world.take_calls(),
        [
            "put instance rmq-orders",
            "put topic message-processing",
            "put group message-processing",
            "put function order-logger",
            "put trigger order-created",
        ]
    );
    assert_eq!(world.instance("rmq-orders").created_at, NOW);

    let second = planned(&world, FILE, false).await;
    assert!(second.is_empty(), "{second}");
    assert_eq!(second.unchanged, 5);
    apply(&world.control(), &second).await.unwrap();
    assert!(world.take_calls().is_empty());
}

#[tokio::test]
async fn a_change_is_told_by_the_keys_of_the_file_and_keeps_secrets() {
    let world = applied(FILE).await;
    let edited = FILE
        .replace("timeout = 60", "timeout = 30")
        .replace("s3cret", "other")
        .replace("max-retries = 3", "offset = \"earliest\"");
    let plan = planned(&world, &edited, false).await;
    assert_eq!(
        plan.to_string(),
        "~ group message-processing\n    max-retries: 3 -> 16\n    offset: default -> \"earliest\"\n\
         ~ function order-logger\n    timeout: 60 -> 30\n    environment.DB_PASSWORD: set -> set anew\n\
         0 to create, 2 to change, 0 to remove, 3 unchanged"
    );
    world.take_calls();
    apply(&world.control(), &plan).await.unwrap();
    assert_eq!(
        world.take_calls(),
        ["put group message-processing", "put function order-logger"]
    );
}

#[tokio::test]
async fn what_the_file_does_not_name_stays_unless_removal_is_asked_for() {
    let world = applied(FILE).await;
    let rest = "[instance]\nname = \"orders\"\nregion = \"ap-southeast-5\"\n";
    let plan = planned(&world, rest, false).await;
    assert!(plan.is_empty());
    assert!(
        plan.to_string()
            .starts_with("- trigger order-created is not in the file; it stays\n")
    );

    let plan = planned(&world, rest, true).await;
    assert!(plan.removes() && !plan.is_empty());
    world.take_calls();
    apply(&world.control(), &plan).await.unwrap();
    assert_eq!(
        world.take_calls(),
        [
            "delete trigger order-created",
            "delete function order-logger",
            "delete group message-processing",
            "delete topic message-processing",
        ]
    );
}

#[tokio::test]
async fn a_renamed_trigger_gets_the_group_of_the_one_it_replaces() {
    let world = applied(FILE).await;
    let renamed = FILE.replace("order-created", "order-made");
    let error = {
        let plan = planned(&world, &renamed, false).await;
        apply(&world.control(), &plan).await.unwrap_err()
    };
    assert_eq!(
        error.to_string(),
        "moonport.toml:21: cannot create trigger `order-made`"
    );
    let plan = planned(&world, &renamed, true).await;
    apply(&world.control(), &plan).await.unwrap();
    assert!(planned(&world, &renamed, true).await.is_empty());
}

#[tokio::test]
async fn the_endpoint_keeps_the_port_it_found() {
    let world = applied(FILE).await;
    let mut instance = world.instance("rmq-orders");
    instance.listen = Some("127.0.0.1:8082".to_owned());
    let request = moonport::control::instances::PutInstance {
        definition: instance,
    };
    world
        .control()
        .instances
        .put_instance(request)
        .await
        .unwrap();
    assert!(planned(&world, FILE, false).await.is_empty());
}

#[tokio::test]
async fn an_auto_created_topic_becomes_the_owners_by_the_file() {
    let world = applied("[instance]\nname = \"orders\"").await;
    let mut topic = TopicDefinition::new(TopicName::new("a").unwrap(), TopicType::Mixed, 8, NOW);
    topic.auto = true;
    world
        .admin("rmq-orders")
        .topics
        .lock()
        .insert(topic.name.clone(), topic);
    let file = "[instance]\nname = \"orders\"\n[[topic]]\nname = \"a\"\ntype = \"MIXED\"\n";
    let plan = planned(&world, file, false).await;
    assert!(
        plan.to_string()
            .contains("made by: auto-create -> the file"),
        "{plan}"
    );
    apply(&world.control(), &plan).await.unwrap();
    assert!(planned(&world, file, false).await.is_empty());
}

#[tokio::test]
async fn a_trigger_on_what_is_nowhere_is_refused_with_the_nearest_name() {
    let world = World::new();
    let text = FILE.replace("function = \"order-logger\"", "function = \"order-loger\"");
    let error = plan(&world.control(), &read(&text), false)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "moonport.toml:21: there is no function `order-loger`, neither in the file nor in the present set-up"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean `order-logger`?")
    );
}

/// Variables that every test process has stand in for secrets.
fn with_key(secret_env: &str, grants: &str) -> String {
    format!(
        "[instance]\nname = \"orders\"\n[[access-key]]\nkey = \"service\"\n\
         secret-env = \"{secret_env}\"\ngrants = [{grants}]\n"
    )
}

#[tokio::test]
async fn access_keys_take_their_secret_from_the_environment_and_never_tell_it() {
    let grants = r#""topic:orders:send,receive", "group:*:receive""#;
    let world = applied(&with_key("PATH", grants)).await;
    assert_eq!(
        world.take_calls(),
        ["put instance rmq-orders", "put access key service"]
    );
    assert!(
        planned(&world, &with_key("PATH", grants), true)
            .await
            .is_empty()
    );
    let changed = planned(
        &world,
        &with_key("CARGO_MANIFEST_DIR", "\"topic:orders:send\""),
        false,
    )
    .await;
    let told = changed.to_string();
    let secret = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    assert!(told.contains("~ access key service"), "{told}");
    assert!(
        told.contains("secret: ") && told.contains("grants: "),
        "{told}"
    );
    let json = serde_json::to_string(&changed).unwrap();
    assert!(!told.contains(&secret) && !json.contains(&secret), "{told}");

    let unset = read(&with_key("MOONPORT_NOT_SET", grants));
    let refused = plan(&world.control(), &unset, false).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "moonport.toml:3: `secret-env` names `MOONPORT_NOT_SET`, which is not set"
    );
    assert!(refused.hint().is_some());
    let wrong = with_key("PATH", "\"group:a:send\"");
    let refused = parse(&wrong, "moonport.toml", Path::new("/")).unwrap_err();
    assert!(refused.to_string().contains("`group:a:send`"), "{refused}");
}

#[tokio::test]
async fn an_export_applies_to_the_same_set_up_and_holds_no_secret() {
    let world = applied(FILE).await;
    let instance = world.instance("rmq-orders");
    let set_up = SetUp::read(&world.control(), &instance.id).await.unwrap();
    let text = export(&set_up, Path::new("/work"));
    assert!(!text.contains("s3cret"), "{text}");
    assert!(
        text.contains("# environment.DB_PASSWORD looks like a secret"),
        "{text}"
    );
    assert!(text.contains("code = \"functions/order_logger\""), "{text}");
    let plan = planned(&world, &text, true).await;
    assert_eq!(
        plan.to_string(),
        "~ function order-logger\n    environment.DB_PASSWORD: set -> unset\n\
         0 to create, 1 to change, 0 to remove, 4 unchanged"
    );
}

/// Every key with a value that is not its default.
const EVERYTHING: &str = r#"
[instance]
name = "orders"
id = "rmq-sg-1"
region = "ap-southeast-5"
listen = "off"
auto-create = false
retention = "36h"
max-tps = 1000
send-receive-ratio = 0.25
max-bytes = 1000000
remark = "two\nlines, \"quoted\""

[[topic]]
name = "a"
type = "FIFO"
queues = 2
read-queues = 4
permission = "read-only"
retention = "90m"
max-send-tps = 10
remark = "x"

[[topic]]
name = "dead"

[[group]]
name = "g"
order = "orderly"
max-retries = 1
retry = { initial = "500ms", max = 60 }
offset = 2026-06-12T13:54:44.388Z
dead-letter-topic = "none"
consume = false
max-receive-tps = 5
priority-factor = 50
remark = "x"

[[group]]
name = "h"
retry = "grpc-raw"
dead-letter-topic = "dead"

[[function]]
name = "f"
runtime = "custom"
code = "."
timeout = 9
memory = 128
concurrency = 4
max-instances = 2
idle-timeout = 10
event-as = "bytes"
environment = { A = "1", B_2 = "x = y" }
env-file = ".env"
layers = ["layers/one", "/opt/two"]
command = ["./serve", "--fast"]
initializer = { command = ["./init"], timeout = 5 }
pre-stop = { handler = "index.stop" }
pre-freeze = { handler = "index.settle", timeout = 2 }
health-check = { path = "/health", initial-delay = 5, timeout = 2, success-threshold = 2 }
watch = false
async = { retries = 5, max-age = 600, on-success = { function = "p" }, on-failure = { topic = "dead" } }

[[function]]
name = "q"
runtime = "python3.12"
code = "q"
handler = "index.handler"
memory = 1024
cpu = 0.55
disk = 10240
freeze = true

[[function]]
name = "p"
runtime = "python3"
code = "p"
handler = "index.handler"
python = ".venv/bin/python"
debug = 5678

[[trigger]]
name = "t"
function = "f"
topic = "a"
group = "g"
filter = { sql = "a > 'x'" }
offset = "earliest"
batch = { size = 7, window = "1500ms" }
retry = "exponential-decay"
tolerance = "none"
dead-letter-topic = "dead"
concurrency = 3
event-schema = "CloudEvents"
body-type = "Binary"
async = true
enabled = false
"#;

#[tokio::test]
async fn every_key_survives_export_and_apply() {
    let world = applied(EVERYTHING).await;
    let instance = world.instance("rmq-sg-1");
    let set_up = SetUp::read(&world.control(), &instance.id).await.unwrap();
    let text = export(&set_up, Path::new("/work"));
    for line in EVERYTHING.lines().filter_map(|line| line.split_once(" = ")) {
        assert!(
            text.contains(&format!("{} = ", line.0)),
            "`{}` is lost in\n{text}",
            line.0
        );
    }
    let plan = planned(&world, &text, true).await;
    assert!(plan.is_empty() && plan.unchanged == 9, "{plan}\n{text}");
}

#[test]
fn the_shipped_order_workflow_is_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/order-workflow");
    let workflow = load(&folder.join("moonport.toml")).unwrap();
    assert_eq!(workflow.triggers.len(), 2);
    assert_eq!(workflow.expectations.len(), 2);
    let event = std::fs::read_to_string(folder.join("event.json")).unwrap();
    let event: serde_json::Value = serde_json::from_str(&event).unwrap();
    assert_eq!(event["eventType"], "OrderCreated");
}

#[test]
fn a_file_that_is_not_there_and_code_that_is_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moonport.toml");
    let error = load(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the workflow file")
    );
    std::fs::write(&path, FILE).unwrap();
    let error = load(&path).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains(":13: `code` of `order-logger`: there is no folder"),
        "{told}"
    );
}
