//! How a handler fails, and what its caller and its log see.

use moonport::domain::function::ErrorClass;
use serde_json::Value;

use super::Script;

const HANDLED: ErrorClass = ErrorClass::FunctionHandledError;
const UNHANDLED: ErrorClass = ErrorClass::FunctionUnhandledError;

/// Runs `source`, and checks that the log's error record is the caller's answer in one line.
async fn failure_of(source: &str) -> (ErrorClass, Value, Script) {
    let script = Script::new(source);
    let outcome = script.invoke("{}").await;
    let class = outcome.record.error.expect(source);
    let answer = String::from_utf8(outcome.result.to_vec()).unwrap();
    let said = script.said();
    assert_eq!(
        said.last().unwrap(),
        &format!("[error] {answer}"),
        "{source}"
    );
    let kind = if class == HANDLED {
        "Handled"
    } else {
        "Unhandled"
    };
    assert_eq!(
        script.runs.texts().last().unwrap(),
        &format!("FC Invoke End RequestId: ID, Error: {kind} function error"),
        "{source}"
    );
    (class, serde_json::from_str(&answer).unwrap(), script)
}

#[tokio::test]
async fn every_way_to_fail_has_its_class_and_type_nd5_log7() {
    for (source, class, error_type, message) in [
        (
            "exports.handler = async () => { throw new TypeError('no stock') }",
            UNHANDLED,
            "TypeError",
            "no stock",
        ),
        (
            "exports.handler = () => { throw new Error('at once') }",
            UNHANDLED,
            "Error",
            "at once",
        ),
        (
            "exports.handler = () => Promise.reject(new RangeError('far'))",
            UNHANDLED,
            "RangeError",
            "far",
        ),
        (
            "exports.handler = async () => { throw 'text' }",
            UNHANDLED,
            "FunctionUnhandledError",
            "text",
        ),
        (
            "exports.handler = (e, c, callback) => callback(new Error('said'))",
            HANDLED,
            "Error",
            "said",
        ),
        (
            "exports.handler = (e, c, callback) => callback('text')",
            HANDLED,
            "FunctionHandledError",
            "text",
        ),
        (
            "exports.handler = async () => { const a = {}; a.a = a; return a }",
            UNHANDLED,
            "TypeError",
            "circular reference",
        ),
        (
            "exports.handler = async () => { (async () => { throw new Error('forgotten') })() }",
            UNHANDLED,
            "Error",
            "forgotten",
        ),
        (
            "exports.handler = async () => undefined.amount",
            UNHANDLED,
            "TypeError",
            "cannot read property 'amount' of undefined",
        ),
        (
            "class NoStock extends Error { name = 'NoStock' }; exports.handler = async () => { throw new NoStock('x') }",
            UNHANDLED,
            "NoStock",
            "x",
        ),
    ] {
        let (failed, error, _) = failure_of(source).await;
        assert_eq!(failed, class, "{source}");
        assert_eq!(error["errorType"], error_type, "{source}");
        assert_eq!(error["errorMessage"], message, "{source}");
    }
}

#[tokio::test]
async fn a_thrown_object_is_told_as_it_is_nd5() {
    let (_, error, _) = failure_of("exports.handler = async () => { throw {code: 7} }").await;
    assert_eq!(error["errorMessage"]["code"], 7);
    assert_eq!(error["errorType"], "FunctionUnhandledError");
}

#[tokio::test]
async fn the_stack_trace_names_the_users_lines_only_nd5() {
    let (_, error, _) = failure_of(
        "function check() {\n  throw new Error('no stock');\n}\nexports.handler = async () => {\n  check();\n};",
    )
    .await;
    let stack = error["stackTrace"].as_array().unwrap();
    assert!(stack[0].as_str().unwrap().starts_with("at check ("));
    assert!(stack[0].as_str().unwrap().contains("index.js:2:"));
    assert!(stack[1].as_str().unwrap().contains("index.js:5:"));
    assert_eq!(stack.len(), 2, "{stack:?}");
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why_nd7() {
    let (_, error, _) = failure_of("exports.other = 1").await;
    let message = "Handler 'handler' is missing on module 'index'";
    assert_eq!(error["errorMessage"], message);
    assert_eq!(error["errorType"], "HandlerNotFound");
    let (_, error, _) = failure_of("exports.handler = async () => {\n  const = 1;\n}").await;
    assert_eq!(error["errorType"], "SyntaxError");
    assert!(
        error["stackTrace"][0]
            .as_str()
            .unwrap()
            .contains("index.js:2")
    );
    let (_, error, _) = failure_of("throw new Error('while loading')").await;
    assert_eq!(error["errorMessage"], "while loading");
    for (handler, message) in [
        ("handler", "Invalid handler 'handler'"),
        ("../index.handler", "Invalid handler '../index.handler'"),
    ] {
        let script = Script::with("", |definition| handler.clone_into(&mut definition.handler));
        let outcome = script.invoke("{}").await;
        let said = outcome.record.error_message.unwrap();
        assert_eq!(said, format!("InvalidHandleName: {message}"));
    }
    let script = Script::with("", |definition| {
        definition.handler = "other.handler".to_owned();
    });
    let said = script.invoke("{}").await.record.error_message.unwrap();
    assert!(said.starts_with("ImportModuleError: Module '/"), "{said}");
    assert!(said.ends_with("/other' is missing."), "{said}");
}

#[tokio::test]
async fn require_names_the_runtime_that_has_modules_sc3() {
    let (_, error, _) = failure_of("const fs = require('fs')").await;
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("'fs'"), "{message}");
    assert!(message.contains("`nodejs`"), "{message}");
}

#[tokio::test]
async fn only_the_first_callback_counts_nd4() {
    let script = Script::new(
        "exports.handler = (e, c, callback) => { callback(null, 'first'); callback(null, 'second') }",
    );
    assert_eq!(script.invoke("{}").await.result, "first");
    assert_eq!(
        script.said(),
        ["[warn] callback was called more than once; only the first call counts"]
    );
}

#[tokio::test]
async fn a_timer_that_throws_fails_the_call() {
    let script = Script::new(
        "exports.handler = (e, c, callback) => { \
             setTimeout(() => { throw new Error('in a timer') }, 5); console.log('running') }",
    );
    let (outcome, ()) = tokio::join!(script.invoke("{}"), async {
        script.logged("running").await;
        script.real.advance(std::time::Duration::from_millis(5));
    });
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("Error: in a timer")
    );
}

#[tokio::test]
async fn a_failed_call_leaves_the_engine_warm() {
    let script = Script::new(
        "let calls = 0; exports.handler = async () => { calls += 1; if (calls === 1) throw new Error('x'); return calls }",
    );
    assert!(!script.invoke("{}").await.succeeded());
    assert_eq!(script.invoke("{}").await.result, "2");
}

#[tokio::test]
async fn a_result_over_32_mb_is_refused() {
    let script = Script::new("exports.handler = async () => 'x'.repeat(33 * 1024 * 1024)");
    let outcome = script.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::EntityTooLarge));
    assert!(script.invoke("{}").await.record.error.is_some());
}
