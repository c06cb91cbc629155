//! No script outlives its deadline or its memory, whatever it tries (SC-3, SC-4).

use std::time::Duration;

use moonport::domain::function::ErrorClass;
use moonport::function::error::HostError;
use moonport::function::invocation::{Invocation, Invoker};

use super::{Script, name};

/// The code runs until the deadline, is stopped there, and the next request meets a fresh engine.
async fn is_stopped(code: &str) {
    let script = Script::new(&format!(
        "let calls = 0;
         exports.handler = async (event) => {{
             calls += 1;
             if (event.toString() === 'count') return calls;
             console.log('running');
             {code}
         }}"
    ));
    let outcome = script.invoke_past_deadline().await;
    let class = Some(ErrorClass::FunctionTimeoutError);
    assert_eq!(outcome.record.error, class, "{code}: {outcome:?}");
    let result = String::from_utf8_lossy(&outcome.result).into_owned();
    assert!(
        result.starts_with(
            r#"{"errorMessage":"Function timed out after 3 seconds (maxMemoryUsage: "#
        ),
        "{result}"
    );
    let last = script.runs.texts().pop().unwrap();
    assert_eq!(
        last,
        "FC Invoke End RequestId: ID, Error: Function timed out after 3 seconds"
    );
    let next = script.invoke("count").await;
    assert_eq!(next.result, "1", "{code}");
    assert!(next.record.cold_start, "{code}");
}

#[tokio::test]
async fn endless_code_is_stopped_at_the_deadline_sc4_log8() {
    is_stopped("for (;;) {}").await;
    is_stopped("try { for (;;) {} } catch { for (;;) {} } finally { for (;;) {} }").await;
    is_stopped(
        "const spin = () => { try { for (;;) {} } catch { spin() } finally { spin() } }; spin()",
    )
    .await;
}

#[tokio::test]
async fn endless_jobs_are_stopped_at_the_deadline_sc4() {
    is_stopped("const again = () => Promise.resolve().then(again); await again()").await;
    is_stopped("for (;;) await null").await;
    is_stopped("for (;;) { try { await null } catch {} }").await;
    is_stopped("Promise.resolve().then(() => { for (;;) {} }); await new Promise(() => {})").await;
}

#[tokio::test]
async fn a_runaway_regex_is_stopped_at_the_deadline_sc4() {
    is_stopped("/^(a+)+$/.test('a'.repeat(40) + '!')").await;
    is_stopped("for (;;) { try { /^(a+)+$/.test('a'.repeat(40) + '!') } catch {} }").await;
}

#[tokio::test]
async fn long_built_in_calls_are_stopped_at_the_deadline_sc4() {
    is_stopped("Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)").await;
    is_stopped("[1, 2, 3].sort(() => { for (;;) {} })").await;
    is_stopped("JSON.stringify({toJSON() { for (;;) {} }})").await;
}

#[tokio::test]
async fn waiting_for_nothing_is_stopped_at_the_deadline_sc4() {
    is_stopped("await new Promise(() => {})").await;
    is_stopped("await new Promise((done) => setTimeout(done, 3600000))").await;
}

#[tokio::test]
async fn the_log_tells_where_the_code_was_stopped() {
    let script =
        Script::new("exports.handler = async () => {\n  console.log('running');\n  for (;;) {}\n}");
    script.invoke_past_deadline().await;
    let said = script.said();
    assert!(said[1].starts_with("[error] Stopped while running\r    at "));
    assert!(said[1].contains("index.js:"), "{}", said[1]);
    assert!(!said[1].contains("moonport:"), "{}", said[1]);
}

#[tokio::test]
async fn endless_recursion_is_an_error_the_engine_survives_sc3() {
    for code in [
        "const down = () => down() + 1; down()",
        "const down = async () => (await down()) + 1; await down()",
        "const a = []; let b = a; for (let i = 0; i < 1e5; i++) { b[0] = []; b = b[0] }; JSON.stringify(a)",
        "JSON.parse('['.repeat(1e5))",
        "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
    ] {
        let script = Script::new(&format!(
            "let calls = 0;
             exports.handler = async () => {{ calls += 1; if (calls > 1) return calls; {code} }}"
        ));
        let outcome = script.invoke("{}").await;
        let class = Some(ErrorClass::FunctionUnhandledError);
        assert_eq!(outcome.record.error, class, "{code}");
        assert_eq!(script.invoke("{}").await.result, "2", "{code}");
    }
}

#[tokio::test]
async fn memory_over_the_functions_ends_the_engine_sc4_log10() {
    for code in [
        "const all = []; for (;;) all.push({a: 1})",
        "const all = []; for (;;) all.push(new Uint8Array(1 << 20))",
        "let all = null; for (;;) all = {all}",
        "let all = null; for (;;) { await null; all = {all} }",
        "let text = 'x'; for (;;) { text += text; text.charCodeAt(0) }",
        "const all = new Map(); for (let i = 0; ; i++) all.set(i, 'item ' + i)",
        "const all = []; for (;;) all.push(async () => { await new Promise(() => {}) }), all.at(-1)()",
        "const all = []; for (;;) all.push(Promise.resolve().then(() => all))",
        "new Uint8Array(1e9)",
        "'x'.repeat(5e8)",
    ] {
        let script = Script::new(&format!(
            "let calls = 0;
             exports.handler = async (event) => {{
                 calls += 1;
                 if (event.toString() === 'count') return calls;
                 {code}
             }}"
        ));
        let outcome = script.invoke("{}").await;
        assert_eq!(
            outcome.record.error,
            Some(ErrorClass::FunctionOomError),
            "{code}: {:?}",
            outcome.record.error_message
        );
        let end =
            "FC Invoke End RequestId: ID, Error: Function used more than its 128 MB of memory";
        assert_eq!(script.runs.texts().last().unwrap(), end, "{code}");
        assert!((outcome.record.peak_memory_mb - 128.0).abs() < 0.01);
        assert_eq!(script.invoke("count").await.result, "1", "{code}");
    }
}

#[tokio::test]
async fn a_script_may_catch_that_memory_is_short() {
    let script = Script::new(
        "exports.handler = async () => { try { new Uint8Array(1e9) } catch { return 'smaller then' } }",
    );
    assert_eq!(script.invoke("{}").await.result, "smaller then");
}

#[tokio::test]
async fn stopping_the_host_interrupts_a_script() {
    let script =
        Script::new("exports.handler = async () => { console.log('running'); for (;;) {} }");
    let id = moonport::domain::ids::RequestId::new("ID");
    let invocation = Invocation::new(name(), id, "{}".into());
    let (refused, ()) = tokio::join!(script.host.invoke(invocation), async {
        script.logged("running").await;
        script.host.shutdown().await;
    });
    assert_eq!(refused.unwrap_err(), HostError::Stopping);
}

#[tokio::test]
async fn a_timer_never_outlives_the_deadline_sc3() {
    let script = Script::new(
        "exports.handler = (e, c, callback) => { setTimeout(() => callback(null, 'late'), 3001); console.log('running') }",
    );
    let (outcome, ()) = tokio::join!(script.invoke("{}"), async {
        script.logged("running").await;
        script.real.advance(Duration::from_secs(60));
    });
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
}
