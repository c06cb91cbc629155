//! The life of an instance as the host tells it, and what of it a log and a record show.

use std::time::Duration;

use moonport::activity::Happening;
use moonport::clock::RealClock;
use moonport::domain::function::{ErrorClass, Hook, Runtime};

use crate::function_support::{World, has};

fn handler(name: &str) -> Hook {
    Hook {
        handler: Some(name.to_owned()),
        command: Vec::new(),
        timeout: 5,
    }
}

/// Names of the instance events so far.
fn events(world: &World) -> Vec<String> {
    let events = world.host.options().feed.since(0, 1000).events;
    let names = events
        .into_iter()
        .filter_map(|event| match event.happening {
            Happening::InstanceEvent { name, .. } => Some(name),
            _ => None,
        });
    names.collect()
}

#[tokio::test]
async fn the_life_of_an_instance_is_told_in_the_clouds_words_lc7() {
    if !has("python3") {
        return;
    }
    let code = "def start(context):\n    pass\ndef handler(event, context):\n    pass\n";
    let world = World::python(code).edit(|d| d.initializer = Some(handler("index.start")));
    world.invoke("{}").await;
    world.invoke("{}").await;
    world.host.shutdown().await;
    let expected = [
        "fc:Instance:Creating",
        "fc:Instance:RuntimeInitializationSuccess",
        "fc:Instance:InitializationSuccess",
        "fc:Instance:CreateSuccess",
        "fc:Instance:DestroySuccess",
    ];
    assert_eq!(events(&world), expected);
}

#[tokio::test]
async fn a_cold_start_is_split_and_a_warm_one_has_none_iv10() {
    if !has("python3") {
        return;
    }
    let code = "def start(context):\n    pass\ndef handler(event, context):\n    pass\n";
    let world = World::python(code).edit(|d| d.initializer = Some(handler("index.start")));
    let cold = world.invoke("{}").await.record;
    let warm = world.invoke("{}").await.record;
    assert!(cold.cold_start && cold.spawn_ms > 0.0 && cold.initializer_ms > 0.0);
    assert!(cold.duration_ms > 0.0, "the handler's own time");
    assert!(!warm.cold_start);
    assert_eq!((warm.spawn_ms, warm.initializer_ms), (0.0, 0.0));
}

#[tokio::test]
async fn both_streams_are_the_log_safe6() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        "import sys\ndef handler(event, context):\n    print('out')\n    print('err', file=sys.stderr)\n",
    );
    world.invoke("{}").await;
    let mut texts = world.texts();
    assert_eq!(
        texts.first().unwrap(),
        "FunctionCompute python3 runtime inited."
    );
    assert_eq!(texts.last().unwrap(), "FC Invoke End RequestId: ID");
    // The streams are read apart, so their order is not known.
    texts[2..4].sort();
    assert_eq!(texts[2..4], ["err", "out"]);
}

#[tokio::test]
async fn the_logger_of_the_context_is_the_root_logger_py13() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        "import logging\ndef handler(event, context):\n    root = logging.getLogger()\n    \
         return [context.logger is root, context.getLogger() is root]\n",
    );
    let outcome = world.invoke("{}").await;
    let told: Vec<bool> = serde_json::from_slice(&outcome.result).unwrap();
    assert_eq!(told, [true, true]);
}

#[tokio::test]
async fn an_exit_of_node_inside_a_request_is_told_nd13_log9() {
    if !has("node") {
        return;
    }
    let world = World::new(
        Runtime::NodeJs,
        "index.js",
        "exports.handler = async () => process.exit(3);\n",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::ProcessExited));
    assert_eq!(outcome.record.exit.as_deref(), Some("exit code 3"));
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Process exited unexpectedly (exit code 3)"
    );
}

#[tokio::test]
async fn a_program_that_never_listens_is_not_started_cu2() {
    if !has("python3") {
        return;
    }
    let real = RealClock::manual();
    let clock = real.clone();
    let sleeps = "import time\nprint('busy elsewhere', flush=True)\ntime.sleep(600)\n";
    let world = World::with(Runtime::Custom, "server.py", sleeps, |options| {
        options.real = clock;
    })
    .edit(|d| d.command = vec!["python3".to_owned(), "server.py".to_owned()]);
    let time_goes_on = async {
        loop {
            real.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    };
    let outcome = tokio::select! {
        outcome = world.invoke("1") => outcome,
        () = time_goes_on => unreachable!(),
    };
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionNotStarted));
    let told = outcome.record.error_message.unwrap();
    assert!(
        told.starts_with(
            "it does not listen on the port in FC_CUSTOM_LISTEN_PORT after 30 seconds"
        ),
        "{told}"
    );
}
