//! Hooks of a script: a function of the same file, before the first request and after the last.

use moonport::domain::function::{ErrorClass, Hook};
use moonport::function::error::HostError;
use moonport::function::invocation::{Invocation, Invoker};

use super::{Script, name};

fn hook(handler: &str) -> Hook {
    Hook {
        handler: Some(handler.to_owned()),
        timeout: 3,
        ..Hook::default()
    }
}

const SOURCE: &str = r"
    let ready = 'not ready';
    exports.initialize = (context, callback) => { ready = context.requestId; console.log('init'); callback() };
    exports.broken = async () => { throw new Error('no database') };
    exports.stop = async () => console.log('stopping');
    exports.handler = async () => ready;
";

#[tokio::test]
async fn the_initializer_runs_once_before_the_first_request_lc2_lc3() {
    let script = Script::with(SOURCE, |definition| {
        definition.initializer = Some(hook("index.initialize"));
    });
    assert_eq!(script.invoke("{}").await.result, "ID");
    script.invoke("{}").await;
    assert_eq!(
        script.runs.texts(),
        [
            "FC Initialize Start RequestId: ID",
            "2026-06-12 13:54:44.704 ID [info] init",
            "FC Initialize End RequestId: ID",
            "FC Invoke Start RequestId: ID",
            "FC Invoke End RequestId: ID",
            "FC Invoke Start RequestId: ID",
            "FC Invoke End RequestId: ID",
        ]
    );
}

#[tokio::test]
async fn a_failing_initializer_fails_the_request_lc2() {
    let script = Script::with(SOURCE, |definition| {
        definition.initializer = Some(hook("index.broken"));
    });
    let outcome = script.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::InitializationError));
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("Error: no database")
    );
}

#[tokio::test]
async fn pre_stop_runs_when_the_instance_goes_lc3() {
    let script = Script::with(SOURCE, |definition| {
        definition.pre_stop = Some(hook("index.stop"));
    });
    script.invoke("{}").await;
    script.host.shutdown().await;
    let texts = script.runs.texts();
    let last: Vec<_> = texts.iter().rev().take(3).collect();
    assert!(last[2].starts_with("FC PreStop Start RequestId: 1-"));
    assert!(last[1].ends_with("[info] stopping"));
    assert!(last[0].starts_with("FC PreStop End RequestId: 1-"));
}

#[tokio::test]
async fn a_command_as_hook_cannot_run_lc5() {
    let script = Script::with(SOURCE, |definition| {
        definition.initializer = Some(Hook {
            command: vec!["true".to_owned()],
            timeout: 3,
            handler: None,
        });
    });
    let id = moonport::domain::ids::RequestId::new("ID");
    let invocation = Invocation::new(name(), id, "{}".into());
    let refused = script.host.invoke(invocation).await.unwrap_err();
    assert!(matches!(
        refused,
        HostError::CannotRun { hint: Some(_), .. }
    ));
}
