//! Scripts through the host: the log, results and errors of Function Compute's Node.js, and every limit held.

mod console;
mod errors;
mod hooks;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moonport::activity::Feed;
use moonport::clock::{BrokerClock, RealClock};
use moonport::domain::function::{EventAs, FunctionDefinition, Runtime};
use moonport::domain::ids::RequestId;
use moonport::domain::names::FunctionName;
use moonport::domain::timestamp::Timestamp;
use moonport::function::host::{Host, HostOptions};
use moonport::function::invocation::{Invocation, Invoker, Outcome};
use moonport::function::log::MemoryRuns;

/// A function of one file, with both clocks in the test's hand.
struct Script {
    host: Host,
    runs: Arc<MemoryRuns>,
    real: RealClock,
    _code: tempfile::TempDir,
}

fn name() -> FunctionName {
    FunctionName::new("orders").unwrap()
}

impl Script {
    fn new(source: &str) -> Self {
        Self::with(source, |_| ())
    }

    fn with(source: &str, edit: impl FnOnce(&mut FunctionDefinition)) -> Self {
        let code = tempfile::tempdir().unwrap();
        std::fs::write(code.path().join("index.js"), source).unwrap();
        let runs = Arc::new(MemoryRuns::default());
        let real = RealClock::manual();
        let nowhere = code.path().to_owned();
        let mut options = HostOptions::new(Feed::new(100), runs.clone(), nowhere.clone(), nowhere);
        options.clock = BrokerClock::still(Timestamp::from_millis(1_781_272_484_704));
        options.real = real.clone();
        options.instance_id = Some("c-1".to_owned());
        let host = Host::new(options);
        let mut definition = FunctionDefinition::new(
            name(),
            Runtime::Js,
            code.path().to_owned(),
            "index.handler".to_owned(),
        );
        definition.memory = 128;
        edit(&mut definition);
        host.put(definition).unwrap();
        Self {
            host,
            runs,
            real,
            _code: code,
        }
    }

    async fn invoke(&self, event: &'static str) -> Outcome {
        let event = Bytes::from_static(event.as_bytes());
        let invocation = Invocation::new(name(), RequestId::new("ID"), event);
        self.host.invoke(invocation).await.unwrap()
    }

    /// Invokes, and lets the deadline pass once the log holds a line that ends with `running`.
    async fn invoke_past_deadline(&self) -> Outcome {
        let (outcome, ()) = tokio::join!(self.invoke("{}"), async {
            self.logged("running").await;
            self.real.advance(Duration::from_secs(3));
        });
        outcome
    }

    async fn logged(&self, ending: &str) {
        self.runs
            .wait_for_log(|record| record.text.ends_with(ending))
            .await;
    }

    /// The log without the Start and End lines and without time and id.
    fn said(&self) -> Vec<String> {
        let texts = self.runs.texts();
        let own = texts
            .iter()
            .filter_map(|text| text.strip_prefix("2026-06-12 13:54:44.704 ID "));
        own.map(str::to_owned).collect()
    }

    /// What the single line `source` makes of the event `{"amount":1}`.
    async fn result_of(source: &str) -> Bytes {
        Self::new(source).invoke(r#"{"amount":1}"#).await.result
    }
}

#[tokio::test]
async fn the_articles_handler_logs_its_message_between_start_and_end_sc1_log4_nd8() {
    let script = Script::new(
        r"exports.handler = (event, context, callback) => {
            console.log('===== MESSAGE RECEIVED =====');
            console.log(`Message Body: ${event}`);
            callback(null, 'OK');
        };",
    );
    let event = r#"[{"msgId":"01","topic":"message-processing","body":{"orderId":"é"}}]"#;
    let outcome = script.invoke(event).await;
    assert_eq!(outcome.result, "OK");
    assert!(outcome.record.peak_memory_mb > 0.0);
    assert_eq!(
        script.runs.texts(),
        [
            "FC Invoke Start RequestId: ID",
            "2026-06-12 13:54:44.704 ID [info] ===== MESSAGE RECEIVED =====",
            &format!("2026-06-12 13:54:44.704 ID [info] Message Body: {event}"),
            "FC Invoke End RequestId: ID",
        ]
    );
}

#[tokio::test]
async fn results_are_converted_as_in_function_compute_nd3() {
    for (source, result) in [
        ("exports.handler = async () => 'text'", "text"),
        (
            "exports.handler = async () => ({b: 1, a: [2]})",
            r#"{"b":1,"a":[2]}"#,
        ),
        (
            "exports.handler = async () => Buffer.from('bytes')",
            "bytes",
        ),
        (
            "exports.handler = async (e, c, callback) => { Promise.resolve().then(() => callback(null, 'later')) }",
            "later",
        ),
        ("exports.handler = async () => {}", ""),
        ("exports.handler = async () => null", ""),
        ("exports.handler = async () => 12.5", "12.5"),
        ("exports.handler = async () => false", "false"),
        ("exports.handler = async () => '\\ud800é'", "\u{fffd}é"),
        (
            "exports.handler = (e, c, callback) => callback(null, {a: 1})",
            r#"{"a":1}"#,
        ),
        ("exports.handler = () => 'not even async'", "not even async"),
        (
            "module.exports = {handler: async () => 'module.exports'}",
            "module.exports",
        ),
        (
            "exports.handler = async (event) => JSON.parse(event).amount + 1",
            "2",
        ),
        (
            "exports.handler = async (event) => event.toString('hex').slice(0, 4)",
            "7b22",
        ),
        (
            "exports.handler = async (event) => Buffer.isBuffer(event) && event[0]",
            "123",
        ),
        (
            "exports.handler = async (event) => new TextDecoder().decode(event)",
            r#"{"amount":1}"#,
        ),
        (
            "exports.handler = async () => new TextEncoder().encode('é').length",
            "2",
        ),
        (
            "exports.handler = async () => Buffer.from('4pyT', 'base64').toString()",
            "✓",
        ),
        (
            "exports.handler = async () => Buffer.from('✓?>').toString('base64')",
            "4pyTPz4=",
        ),
        (
            "exports.handler = async () => Buffer.concat([Buffer.from('a'), Buffer.from('62', 'hex')]).toString()",
            "ab",
        ),
    ] {
        assert_eq!(Script::result_of(source).await, result, "{source}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_come_back_as_they_went_in() {
    let script = Script::new("exports.handler = async (event) => event");
    let event = Bytes::from((0..=255).collect::<Vec<u8>>().repeat(100));
    let invocation = Invocation::new(name(), RequestId::new("ID"), event.clone());
    assert_eq!(script.host.invoke(invocation).await.unwrap().result, event);
}

#[tokio::test]
async fn an_event_as_object_is_decoded_s3() {
    let script = Script::with(
        "exports.handler = async (event) => event[0]?.body?.amount ?? typeof event",
        |definition| definition.event_as = EventAs::Object,
    );
    assert_eq!(
        script.invoke(r#"[{"body":{"amount":7}}]"#).await.result,
        "7"
    );
    assert_eq!(script.invoke("no json").await.result, "object");
}

#[tokio::test]
async fn context_and_environment_tell_about_the_function_nd6_env1() {
    let script = Script::with(
        r"exports.handler = async (event, context) => [
            context.requestId, context.function.name, context.function.memory, context.function.timeout,
            context.function.handler, context.region, context.accountId, context.retryCount,
            context.credentials.accessKeyId, process.env.LOG_LEVEL, process.env.FC_FUNCTION_NAME,
            process.env.MOONPORT, process.env.HOME]",
        |definition| {
            let variables = &mut definition.environment;
            variables.insert("LOG_LEVEL".to_owned(), "INFO".to_owned());
        },
    );
    assert_eq!(
        script.invoke("{}").await.result,
        r#"["ID","orders",128,3,"index.handler","local","0",0,"moonport-local","INFO","orders","1",null]"#
    );
}

#[tokio::test]
async fn a_script_has_no_way_out_of_its_engine_sc3() {
    let script = Script::new(
        "exports.handler = async () => \
         ['std', 'os', 'fetch', 'XMLHttpRequest', 'WebAssembly', 'Deno', 'print', 'require'] \
             .filter((name) => name in globalThis)",
    );
    assert_eq!(script.invoke("{}").await.result, "[]");
}

#[tokio::test]
async fn a_warm_engine_keeps_what_the_module_holds() {
    let script = Script::new("let calls = 0; exports.handler = async () => (calls += 1)");
    assert!(script.invoke("{}").await.record.cold_start);
    let second = script.invoke("{}").await;
    assert_eq!(second.result, "2");
    assert!(!second.record.cold_start);
}

#[tokio::test]
async fn timers_follow_real_time_and_keep_their_order_sc3() {
    let script = Script::new(
        r"exports.handler = (event, context, callback) => {
            const order = [];
            setTimeout((text) => callback(null, order.concat(text)), 50, 'last');
            setTimeout(() => { order.push(20); Promise.resolve().then(() => order.push('job')); }, 20);
            setTimeout(() => order.push('second of 20'), 20);
            clearTimeout(setTimeout(() => order.push('cleared'), 30));
            console.log('running');
        }",
    );
    let (outcome, ()) = tokio::join!(script.invoke("{}"), async {
        script.logged("running").await;
        for _ in 0..5 {
            script.real.advance(Duration::from_millis(10));
        }
    });
    assert_eq!(outcome.result, r#"[20,"job","second of 20","last"]"#);
}

#[tokio::test]
async fn a_callback_may_wait_for_the_timers_nd6() {
    let script = Script::new(
        r"exports.handler = (event, context, callback) => {
            context.waitsForEmptyEventLoopBeforeCallback = true;
            setTimeout(() => console.log('late'), 10);
            callback(null, 'OK');
            console.log('running');
        }",
    );
    let (outcome, ()) = tokio::join!(script.invoke("{}"), async {
        script.logged("running").await;
        script.real.advance(Duration::from_millis(10));
    });
    assert_eq!(outcome.result, "OK");
    assert_eq!(script.said(), ["[info] running", "[info] late"]);
}

#[tokio::test]
async fn variables_come_from_the_env_file_too_env4() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    std::fs::write(&file, "A='from the file'\nB=2\n").unwrap();
    let script = Script::with(
        "exports.handler = async () => [process.env.A, process.env.B]",
        |definition| {
            definition.env_file = Some(file.clone());
            let variables = &mut definition.environment;
            variables.insert("B".to_owned(), "from the definition".to_owned());
        },
    );
    assert_eq!(
        script.invoke("{}").await.result,
        r#"["from the file","from the definition"]"#
    );
}
