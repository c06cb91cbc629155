//! A Go program on the vendor's SDK, unchanged, over the runtime API (WK-1, WK-2). Its source is under `tests/interop`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use moonport::domain::function::{ErrorClass, Hook, LogLevel, Runtime};

use crate::function_support::{World, has};

/// Builds the program once per test process and returns its path; `None` where there is no Go, or the SDK cannot be
/// fetched, which a skipped test says.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if !has("go") {
            return None;
        }
        let fetched = go(&["mod", "download"]);
        if !fetched.status.success() {
            let why = String::from_utf8_lossy(&fetched.stderr).into_owned();
            assert!(
                std::env::var_os("MOONPORT_REQUIRE_TOOLCHAINS").is_none(),
                "{why}"
            );
            eprintln!("skipped: the vendor's SDK cannot be fetched: {why}");
            return None;
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-function");
        let output = target.to_str().unwrap();
        let built = go(&["build", "-buildvcs=false", "-o", output, "."]);
        assert!(built.status.success(), "{built:?}");
        Some(target)
    });
    built.as_deref()
}

fn go(words: &[&str]) -> Output {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/go-function");
    let mut go = Command::new("go");
    go.args(words).current_dir(source).output().unwrap()
}

/// The program as the `bootstrap` of a function, with both hooks.
fn world() -> Option<World> {
    let program = program()?;
    let hook = |handler: &str| {
        Some(Hook {
            handler: Some(handler.to_owned()),
            command: Vec::new(),
            timeout: 5,
        })
    };
    let world = World::new(Runtime::Custom, "readme", "");
    std::fs::copy(program, world.code().join("bootstrap")).unwrap();
    let world = world.edit(|definition| {
        definition.initializer = hook("initialize");
        definition.pre_stop = hook("preStop");
    });
    Some(world)
}

/// The log without the times, which the program writes itself.
fn said(world: &World) -> Vec<String> {
    let texts = world.texts().into_iter();
    texts
        .map(|text| match text.split_once("Z ID ") {
            Some((_, said)) => said.to_owned(),
            None => text,
        })
        .collect()
}

#[tokio::test]
async fn the_articles_handler_in_go_logs_its_message_between_start_and_end_log2_lc3_wk2() {
    let Some(world) = world() else {
        return;
    };
    let outcome = world.invoke(r#"[{"msgId":"A"}]"#).await;
    assert_eq!(
        (outcome.record.error, &*outcome.result),
        (None, &b"\"OK\""[..])
    );
    assert_eq!(
        said(&world),
        [
            "FC Initialize Start RequestId: ID",
            "[INFO] main.go:20: ready",
            "FC Initialize End RequestId: ID",
            "FC Invoke Start RequestId: ID",
            "[INFO] main.go:28: ===== MESSAGE RECEIVED =====",
            r#"[INFO] main.go:29: Message Body: [{"msgId":"A"}]"#,
            "FC Invoke End RequestId: ID",
        ]
    );
    assert!(
        world.runs.logs()[4..6]
            .iter()
            .all(|record| record.level == LogLevel::Info)
    );
    assert!(!world.invoke("1").await.record.cold_start);
    world.host.shutdown().await;
    let texts = world.texts();
    let last = texts
        .iter()
        .any(|text| text.ends_with("[INFO] main.go:24: going"));
    assert!(last, "{texts:#?}");
}

#[tokio::test]
async fn errors_and_panics_of_go_are_failed_requests_wk1() {
    let Some(world) = world() else {
        return;
    };
    let failed = world.invoke(r#""fail""#).await;
    assert_eq!(
        failed.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    assert_eq!(
        failed.record.error_message.as_deref(),
        Some("errorString: no stock")
    );
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Unhandled function error"
    );
    let panicked = world.invoke(r#""panic""#).await;
    assert_eq!(
        panicked.record.error_message.as_deref(),
        Some("string: no stock at all")
    );
    assert_eq!(world.invoke("1").await.record.error, None);
}
