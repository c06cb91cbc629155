//! Node.js functions keep Function Compute's contract (section 2 of it) through a real interpreter of version 18 or later.

use moonport::domain::function::{ErrorClass, Hook, Runtime};

use crate::function_support::{World, has};

fn node(code: &str) -> World {
    World::new(Runtime::NodeJs, "index.js", code)
}

const PREFIX: &str = "2026-06-12 13:54:44.704 ID";

#[tokio::test]
async fn the_articles_handler_has_its_counterpart_nd8_nd11() {
    if !has("node") {
        return;
    }
    let world = node(
        r"
exports.handler = async (event, context) => {
  console.log('===== MESSAGE RECEIVED =====');
  console.log(`Message Body: ${event}`);
  return 'OK';
};
",
    );
    let outcome = world
        .invoke(r#"[{"msgId":"ID","body":{"amount":250}}]"#)
        .await;
    assert_eq!(outcome.result, "OK");
    assert_eq!(
        world.texts(),
        [
            "FC Invoke Start RequestId: ID".to_owned(),
            format!("{PREFIX} [info] ===== MESSAGE RECEIVED ====="),
            format!(r#"{PREFIX} [info] Message Body: [{{"msgId":"ID","body":{{"amount":250}}}}]"#),
            "FC Invoke End RequestId: ID".to_owned(),
        ]
    );
}

#[tokio::test]
async fn results_are_converted_as_documented_nd2_nd3() {
    if !has("node") {
        return;
    }
    let world = node(
        r"
exports.handler = async (event) => eval(event.toString());
exports.callback = (event, context, callback) => setTimeout(() => callback(null, { a: 1 }), 1);
exports.sync = (event) => 'sync';
",
    );
    for (expression, result) in [
        ("'plain'", "plain"),
        ("({ b: 1, a: [1.5] })", r#"{"b":1,"a":[1.5]}"#),
        ("null", ""),
        ("undefined", ""),
        ("42", "42"),
        ("Buffer.from('bytes')", "bytes"),
    ] {
        assert_eq!(
            world.invoke(expression).await.result,
            result,
            "{expression}"
        );
    }
    let world = world.edit(|d| d.handler = "index.callback".to_owned());
    assert_eq!(world.invoke("{}").await.result, r#"{"a":1}"#);
    let world = world.edit(|d| d.handler = "index.sync".to_owned());
    assert_eq!(world.invoke("{}").await.result, "sync");
}

#[tokio::test]
async fn thrown_and_handled_errors_differ_nd5_log4_log7() {
    if !has("node") {
        return;
    }
    let world = node(
        r"
exports.handler = async () => { throw new TypeError('no stock'); };
exports.handled = (event, context, callback) => callback(new Error('sold out'));
exports.text = (event, context, callback) => callback('just text');
",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("TypeError: no stock")
    );
    let texts = world.texts();
    assert!(texts[1].starts_with(&format!(
        r#"{PREFIX} [error] {{"errorMessage":"no stock","errorType":"TypeError","stackTrace":["at "#
    )));
    assert!(!texts[1].contains("moonport-bootstrap"), "{}", texts[1]);
    assert_eq!(
        texts[2],
        "FC Invoke End RequestId: ID, Error: Unhandled function error"
    );

    let world = world.edit(|d| d.handler = "index.handled".to_owned());
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionHandledError));
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Handled function error"
    );

    let world = world.edit(|d| d.handler = "index.text".to_owned());
    assert_eq!(
        world.invoke("{}").await.result,
        r#"{"errorMessage":"just text","errorType":"FunctionHandledError"}"#
    );
}

#[tokio::test]
async fn only_the_first_callback_counts_nd4() {
    if !has("node") {
        return;
    }
    let world = node(
        "exports.handler = (event, context, callback) => { callback(null, 1); callback(null, 2); };",
    );
    assert_eq!(world.invoke("{}").await.result, "1");
    assert!(world.texts()[1].contains("[warn] callback was called more than once"));
}

#[tokio::test]
async fn a_handler_that_never_calls_back_runs_into_its_timeout_nd2() {
    if !has("node") {
        return;
    }
    let world = node("exports.handler = (event, context, callback) => {};").edit(|d| d.timeout = 1);
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
}

#[tokio::test]
async fn an_error_outside_the_handlers_flow_fails_its_request() {
    if !has("node") {
        return;
    }
    let world = node(
        r"
exports.handler = (event, context, callback) => {
  setTimeout(() => { throw new RangeError('stray'); }, 1);
};
",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("RangeError: stray")
    );
    assert!(world.invoke("{}").await.record.cold_start);
}

#[tokio::test]
async fn load_failures_are_told_nd7() {
    if !has("node") {
        return;
    }
    let world = node("exports.other = 1;");
    let stem = world.code().join("gone");
    for (handler, message) in [
        ("nodot", "Invalid handler 'nodot'".to_owned()),
        (
            "gone.handler",
            format!("Module '{}' is missing.", stem.display()),
        ),
        (
            "index.handler",
            "Handler 'handler' is missing on module 'index'".to_owned(),
        ),
    ] {
        let mut definition = world.definition.clone();
        handler.clone_into(&mut definition.handler);
        world.host.put(definition).unwrap();
        let told = world.invoke("{}").await.record.error_message.unwrap();
        assert!(told.ends_with(&message), "{told}");
    }
}

#[tokio::test]
async fn a_module_file_is_imported_nd1() {
    if !has("node") {
        return;
    }
    let world = World::new(
        Runtime::NodeJs,
        "index.mjs",
        "export const handler = async (event) => event;",
    );
    assert_eq!(world.invoke("same bytes").await.result, "same bytes");
}

#[tokio::test]
async fn lines_keep_their_order_and_levels_nd8_nd9_nd10() {
    if !has("node") {
        return;
    }
    let world = node(
        r"
exports.handler = async (event, context) => {
  console.debug('hidden');
  context.logger.info('one\ntwo');
  process.stdout.write('raw\n');
  console.error({ a: 1 });
};
",
    )
    .edit(|d| {
        d.environment
            .insert("ALIYUN_FC_LOG_LEVEL".to_owned(), "info".to_owned());
    });
    world.invoke("{}").await;
    assert_eq!(
        world.texts()[1..4],
        [
            format!("{PREFIX} [info] one\rtwo"),
            "raw".to_owned(),
            format!("{PREFIX} [error] {{ a: 1 }}"),
        ]
    );
}

#[tokio::test]
async fn hooks_run_around_the_life_of_an_instance_lc2_lc3_nd7() {
    if !has("node") {
        return;
    }
    let hook = |handler: &str| {
        Some(Hook {
            handler: Some(handler.to_owned()),
            command: Vec::new(),
            timeout: 5,
        })
    };
    let world = node(
        r"
exports.init = (context, callback) => { console.log('ready'); callback(); };
exports.stop = async () => { console.log('bye'); };
exports.handler = async () => 'OK';
",
    )
    .edit(|d| {
        d.initializer = hook("index.init");
        d.pre_stop = hook("index.stop");
    });
    let outcome = world.invoke("{}").await;
    assert!(outcome.record.initializer_ms > 0.0);
    assert_eq!(
        world.texts(),
        [
            "FC Initialize Start RequestId: ID".to_owned(),
            format!("{PREFIX} [info] ready"),
            "FC Initialize End RequestId: ID".to_owned(),
            "FC Invoke Start RequestId: ID".to_owned(),
            "FC Invoke End RequestId: ID".to_owned(),
        ]
    );
    world.host.shutdown().await;
    let texts = world.texts();
    assert!(texts[5].starts_with("FC PreStop Start RequestId: 1-"));
    assert!(texts[6].ends_with("[info] bye"));
    assert!(texts[7].starts_with("FC PreStop End RequestId: 1-"));
}

#[tokio::test]
async fn a_full_heap_is_out_of_memory_log10_nd12() {
    if !has("node") {
        return;
    }
    let world = node(
        "exports.handler = async () => { const kept = []; for (;;) kept.push({ a: Math.random() }); };",
    )
    .edit(|d| d.memory = 128);
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionOomError));
}
