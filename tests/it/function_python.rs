//! Python functions keep Function Compute's contract (section 1 of it) through a real interpreter.

use moonport::control::functions::FunctionState;
use moonport::domain::function::{ErrorClass, EventAs, Hook, Runtime};

use crate::function_support::{World, has};

#[tokio::test]
async fn a_warm_request_shows_no_inited_line_log3() {
    if !has("python3") {
        return;
    }
    let world = World::python("def handler(event, context):\n    print('hi')\n    return event\n");
    let cold = world.invoke("1").await;
    let warm = world.invoke("2").await;
    assert!(cold.record.cold_start && !warm.record.cold_start);
    assert!(cold.record.spawn_ms > 0.0);
    assert_eq!(cold.record.instance_id, warm.record.instance_id);
    assert!(warm.record.peak_memory_mb > 1.0);
    assert_eq!(
        world.texts(),
        [
            "FunctionCompute python3 runtime inited.",
            "FC Invoke Start RequestId: ID",
            "hi",
            "FC Invoke End RequestId: ID",
            "FC Invoke Start RequestId: ID",
            "hi",
            "FC Invoke End RequestId: ID",
        ]
    );
}

#[tokio::test]
async fn an_exception_is_one_record_and_the_callers_answer_py6_py7_log5() {
    if !has("python3") {
        return;
    }
    let world = World::python("def handler(event, context):\n    raise ValueError('no stock')\n");
    let outcome = world.invoke("{}").await;
    let file = world.code().join("index.py");
    let object = format!(
        r#"{{
    "errorMessage": "no stock",
    "errorType": "ValueError",
    "stackTrace": [
        [
            "File \"{}\"",
            "line 2",
            "in handler",
            "raise ValueError('no stock')"
        ]
    ]
}}"#,
        file.display()
    );
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("ValueError: no stock")
    );
    assert_eq!(outcome.result, object);
    assert_eq!(
        world.texts()[2..],
        [
            format!("2026-06-12T13:54:44.704Z ID [ERROR] {object}"),
            "FC Invoke End RequestId: ID, Error: Unhandled function error".to_owned(),
        ]
    );
}

#[tokio::test]
async fn results_are_converted_as_documented_py5() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import datetime, decimal
class Own:
    def to_json(self):
        return {'own': True}
def handler(event, context):
    return eval(event.decode())
",
    );
    for (expression, result) in [
        ("'plain'", "plain"),
        ("b'\\xff'.hex().encode()", "ff"),
        ("None", "null"),
        ("True", "true"),
        (
            "{'b': 1, 'a': [1.5]}",
            "{\n    \"a\": [\n        1.5\n    ],\n    \"b\": 1\n}",
        ),
        ("decimal.Decimal('1.5')", "1.5"),
        ("datetime.date(2026, 6, 12)", "\"2026-06-12\""),
        ("Own()", "{\n    \"own\": true\n}"),
    ] {
        let outcome = world.invoke(expression).await;
        assert_eq!(outcome.result, result, "{expression}");
    }
    let outcome = world.invoke("object()").await;
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    assert!(
        outcome
            .record
            .error_message
            .unwrap()
            .starts_with("TypeError")
    );
}

#[tokio::test]
async fn load_failures_have_their_own_errors_py4_log6() {
    if !has("python3") {
        return;
    }
    let world = World::python("x = 1\n");
    std::fs::write(world.code().join("bad.py"), "def handler(:\n").unwrap();
    std::fs::write(world.code().join("boom.py"), "raise ValueError('early')\n").unwrap();
    std::fs::write(world.code().join("needs.py"), "import no_such_thing\n").unwrap();
    for (handler, kind, message) in [
        ("nodot", "InvalidHandleName", "Invalid handler 'nodot'"),
        (
            "gone.handler",
            "ImportModuleError",
            "Unable to import module 'gone'",
        ),
        (
            "needs.handler",
            "ImportModuleError",
            "Unable to import module 'needs'",
        ),
        (
            "bad.handler",
            "UserCodeSyntaxError",
            "Syntax error in module 'bad'",
        ),
        (
            "boom.handler",
            "UserCodeError",
            "Module initialization error: 'early'",
        ),
        (
            "index.handler",
            "HandlerNotFound",
            "Handler 'handler' is missing on module 'index'",
        ),
    ] {
        let mut definition = world.definition.clone();
        handler.clone_into(&mut definition.handler);
        world.host.put(definition).unwrap();
        let outcome = world.invoke("{}").await;
        let told = outcome.record.error_message.unwrap();
        assert_eq!(told, format!("{kind}: {message}"));
        let log = world.texts();
        let record = &log[log.len() - 2];
        assert!(record.contains("[ERROR] {'errorMessage': "), "{record}");
        assert!(
            record.contains(&format!("'errorType': '{kind}'")),
            "{record}"
        );
    }
}

#[tokio::test]
async fn the_event_has_the_form_asked_for_s3() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r#"
import json
def handler(event, context):
    return repr([isinstance(event, bytes), f"{event}", type(event).__name__])
"#,
    );
    let event = r#"[{"b":1,"a":1.10}]"#;
    for (form, result) in [
        (EventAs::Auto, r#"[True, "[{'b': 1, 'a': 1.1}]", 'Event']"#),
        (
            EventAs::Bytes,
            r#"[True, 'b\'[{"b":1,"a":1.10}]\'', 'bytes']"#,
        ),
        (
            EventAs::Object,
            r#"[False, "[{'b': 1, 'a': 1.1}]", 'list']"#,
        ),
    ] {
        let mut definition = world.definition.clone();
        definition.event_as = form;
        world.host.put(definition).unwrap();
        let outcome = world.invoke(event).await;
        assert_eq!(outcome.result, result, "{form:?}");
    }
}

#[tokio::test]
async fn an_event_taken_for_a_list_is_explained_s3() {
    if !has("python3") {
        return;
    }
    for code in [
        "event[0]['body']",
        "event['body']",
        "[message['body'] for message in event]",
    ] {
        let world = World::python(&format!(
            "def handler(event, context):\n    return {code}\n"
        ));
        let outcome = world.invoke(r#"[{"body":{}}]"#).await;
        let told = outcome.record.error_message.unwrap();
        assert!(told.contains("json.loads(event)"), "{code}: {told}");
    }
}

#[tokio::test]
async fn the_context_is_the_union_of_both_generations_py8_py9() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import json
def handler(event, context):
    assert context.getLogger() is context.logger
    json.loads(context.to_json())
    return [context.request_id, context.requestId, context.credentials.access_key_id,
            context.credentials.accessKeySecret, context.function.name, context.function.memory,
            context.function.timeout, context.function.qualifier, context.service.name,
            context.service.version_id, context.region, context.account_id, context.retry_count,
            context.tracing.span_baggages, context.log_project]
",
    );
    let outcome = world.invoke("{}").await;
    let values: serde_json::Value = serde_json::from_slice(&outcome.result).unwrap();
    assert_eq!(
        values.to_string(),
        r#"["ID","ID","moonport-local","moonport-local","order-logger",512,60,"LATEST","","LATEST","local","0",0,{},""]"#
    );
}

#[tokio::test]
async fn logging_follows_the_platforms_defaults_py11_py12() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import logging, sys
logging.info('at import')
def handler(event, context):
    logging.debug('hidden')
    print('one', end='')
    logging.getLogger('mine').warning('two\nlines')
    print('three')
    sys.stdout.write('no end')
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception('caught')
",
    );
    world.invoke("{}").await;
    let texts = world.texts();
    let prefix = "2026-06-12T13:54:44.704Z ID";
    assert_eq!(
        texts[2..7],
        [
            format!("{prefix} [INFO] at import"),
            "one".to_owned(),
            format!("{prefix} [WARNING] two\nlines"),
            "three".to_owned(),
            "no end".to_owned(),
        ]
    );
    assert!(texts[7].starts_with(&format!("{prefix} [ERROR] caught\nTraceback")));
    assert_eq!(texts[8], "FC Invoke End RequestId: ID");
}

#[tokio::test]
async fn a_function_starts_from_an_empty_environment_safe4_env1_env2_env3() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os
def handler(event, context):
    return dict(os.environ, cwd=os.getcwd())
",
    )
    .edit(|d| {
        d.environment
            .insert("LOG_LEVEL".to_owned(), "INFO".to_owned());
    });
    let outcome = world.invoke("{}").await;
    let names: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&outcome.result).unwrap();
    let private = names["HOME"].clone();
    assert!(std::path::Path::new(&private).starts_with(world.work()));
    assert_eq!(names["TMPDIR"], private);
    assert_eq!(names["cwd"], names["FC_FUNC_CODE_PATH"]);
    assert_eq!(names["LOG_LEVEL"], "INFO");
    assert_eq!(names["MOONPORT"], "1");
    let known = [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
        "FC_ACCOUNT_ID",
        "FC_FUNCTION_HANDLER",
        "FC_FUNCTION_MEMORY_SIZE",
        "FC_FUNCTION_NAME",
        "FC_FUNCTION_VERSION",
        "FC_FUNC_CODE_PATH",
        "FC_INSTANCE_ID",
        "FC_QUALIFIER",
        "FC_REGION",
        "FC_SERVICE_NAME",
        "FC_VER_ID",
        "HOME",
        "LANG",
        "LOG_LEVEL",
        "MOONPORT",
        "PATH",
        "PYTHONIOENCODING",
        "TMPDIR",
        "TZ",
        "cwd",
    ];
    assert_eq!(names.keys().map(String::as_str).collect::<Vec<_>>(), known);
}

#[tokio::test]
async fn a_missing_interpreter_names_the_setting() {
    use moonport::function::invocation::{Invocation, Invoker};
    use moonport::report::Hint;
    let world = World::with(Runtime::Python3, "index.py", "", |options| {
        options.search_path = "/nowhere".into();
    });
    let name = world.definition.name.clone();
    let id = moonport::domain::ids::RequestId::new("ID");
    let refused = world.host.invoke(Invocation::new(name, id, "{}".into()));
    let error = refused.await.unwrap_err();
    assert!(error.to_string().contains("python3"), "{error}");
    assert!(error.hint().unwrap().contains("python = "));
}

#[tokio::test]
async fn the_handler_may_lie_deep_and_is_imported_by_the_first_request_py1_py2() {
    if !has("python3") {
        return;
    }
    let code = "print('imported')\ndef main(event, context):\n    print('called')\n";
    let world = World::python("").edit(|d| d.handler = "app/orders.paid.main".to_owned());
    let folder = world.code().join("app/orders");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("paid.py"), code).unwrap();
    world.invoke("{}").await;
    world.invoke("{}").await;
    let requests = [
        "FC Invoke Start RequestId: ID",
        "imported",
        "called",
        "FC Invoke End RequestId: ID",
        "FC Invoke Start RequestId: ID",
        "called",
        "FC Invoke End RequestId: ID",
    ];
    assert_eq!(world.texts()[1..], requests);
}

#[tokio::test]
async fn the_context_of_python_312_has_no_credentials_py9_py10() {
    if !has("python3") {
        return;
    }
    let code = r"
import os
def gone(context, name):
    try:
        return getattr(context, name)
    except AttributeError as error:
        return str(error)
def handler(event, context):
    return [
        gone(context, 'credentials'),
        hasattr(context, 'service'),
        gone(context, 'nothing'),
        [context.request_id, context.function.qualifier, context.region, context.account_id],
        'credentials' in context.to_json(),
        os.environ['ALIBABA_CLOUD_ACCESS_KEY_ID'],
    ]
";
    let found = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable, end='')"])
        .output()
        .unwrap();
    let interpreter = String::from_utf8(found.stdout).unwrap();
    let world = World::python(code).edit(|d| {
        d.runtime = Runtime::Python312;
        d.python = Some(interpreter.into());
    });
    let outcome = world.invoke("{}").await;
    let told: serde_json::Value = serde_json::from_slice(&outcome.result).unwrap();
    let credentials = told[0].as_str().unwrap();
    assert!(credentials.starts_with("the context of python3.12 has no 'credentials': read"));
    assert!(
        credentials.contains("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        "the hint"
    );
    assert_eq!(told[1], false);
    assert_eq!(told[2], "the context of python3.12 has no 'nothing'");
    assert_eq!(told[3], serde_json::json!(["ID", "LATEST", "local", "0"]));
    assert_eq!(told[4], false);
    assert_eq!(told[5], "moonport-local", "never the developer's own");
}

#[tokio::test]
async fn a_runtime_with_a_version_wants_that_interpreter_py9() {
    let world = World::with(Runtime::Python312, "index.py", "", |options| {
        options.search_path = "/nowhere".into();
    });
    let row = world.host.rows().remove(0);
    let FunctionState::Broken { reason, hint } = row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(reason, "`python3.12` is not on the path");
    assert!(hint.unwrap().contains("python = "));
}

#[tokio::test]
async fn a_hook_after_each_request_logs_behind_it_lc1_lc3() {
    if !has("python3") {
        return;
    }
    let code = "def handler(event, context):\n    print('called')\n\
                def settle(context):\n    print('settles', context.request_id)\n";
    let world = World::python(code).edit(|d| {
        d.pre_freeze = Some(Hook {
            handler: Some("index.settle".to_owned()),
            command: Vec::new(),
            timeout: 5,
        });
    });
    world.invoke("{}").await;
    world.invoke("{}").await;
    let request = [
        "FC Invoke Start RequestId: ID",
        "called",
        "FC Invoke End RequestId: ID",
        "FC PreFreeze Start RequestId: ID",
        "settles ID",
        "FC PreFreeze End RequestId: ID",
    ];
    assert_eq!(world.texts()[1..], [request, request].concat());
    let ran = world.runs.invocations();
    assert_eq!(ran.len(), 2, "a hook is no invocation (LC-4)");
}

/// Waits until the process is stopped.
#[cfg(target_os = "linux")]
async fn stands_still(pid: &str) {
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        rest.as_bytes()[0]
    };
    let still = async {
        while state() != b'T' {
            tokio::task::yield_now().await;
        }
    };
    let stood = tokio::time::timeout(crate::function_support::PATIENCE, still).await;
    assert!(stood.is_ok(), "the process goes on");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_frozen_instance_stands_still_between_requests_and_ends_in_order_lc6() {
    if !has("python3") {
        return;
    }
    let code = "import os\ndef handler(event, context):\n    return str(os.getpid())\n\
                def stop(context):\n    print('stops')\n";
    let world = World::python(code).edit(|d| {
        d.freeze = true;
        d.pre_stop = Some(Hook {
            handler: Some("index.stop".to_owned()),
            command: Vec::new(),
            timeout: 5,
        });
    });
    let first = world.invoke("{}").await;
    let pid = String::from_utf8(first.result.to_vec()).unwrap();
    stands_still(&pid).await;
    let second = world.invoke("{}").await;
    assert_eq!(second.result, first.result, "the same process went on");
    assert!(!second.record.cold_start);
    stands_still(&pid).await;
    world.host.shutdown().await;
    assert!(world.texts().contains(&"stops".to_owned()));
    assert!(!crate::function_support::is_alive(pid.parse().unwrap()));
}
