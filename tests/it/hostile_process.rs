//! Functions that misbehave as processes: stopped, explained, and cleaned up after.

use std::time::Duration;

use moonport::domain::function::ErrorClass;

use crate::function_support::{World, has, is_alive, wait_until_gone};

/// Descendants of an ended instance are gone within this.
const CLEAN_UP: Duration = Duration::from_secs(2);

fn pids(text: &str) -> Vec<i32> {
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

#[tokio::test]
async fn an_endless_loop_is_stopped_at_its_timeout_log8_safe2() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        "import os\ndef handler(event, context):\n    print(os.getpid())\n    while True:\n        pass\n",
    )
    .edit(|d| d.timeout = 1);
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
    assert_eq!(outcome.record.exit.as_deref(), Some("exit code 143"));
    let answer = String::from_utf8_lossy(&outcome.result).into_owned();
    assert!(
        answer.starts_with(
            r#"{"errorMessage":"Function timed out after 1 seconds (maxMemoryUsage: "#
        ),
        "{answer}"
    );
    let texts = world.texts();
    let prefix = "2026-06-12T13:54:44.704Z ID [ERROR]";
    assert_eq!(
        texts[3],
        format!("{prefix} Dumping stack trace after function timeout")
    );
    assert!(texts[4].starts_with(&format!("{prefix} request id = ID, thread id = ")));
    assert!(texts[5].contains("'in handler'"), "{}", texts[5]);
    assert_eq!(
        texts.last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Function timed out after 1 seconds"
    );
    wait_until_gone(&pids(&texts[2]), CLEAN_UP).await;
    let row = world.host.row(&world.definition.name).unwrap();
    assert_eq!((row.instances, row.busy), (0, 0));
}

#[tokio::test]
async fn swallowing_every_exception_does_not_outlive_the_timeout_safe2() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os, signal, time
def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid())
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
",
    )
    .edit(|d| d.timeout = 1);
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
    assert_eq!(outcome.record.exit.as_deref(), Some("signal SIGKILL"));
    wait_until_gone(&pids(&world.texts()[2]), CLEAN_UP).await;
}

#[tokio::test]
async fn two_hundred_children_end_with_their_parent_wk8() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os, subprocess
def handler(event, context):
    for n in range(200):
        child = subprocess.Popen(['sleep', '600'], start_new_session=n % 2 == 0)
        print(child.pid, end=' ')
    print(flush=True)
    os._exit(3)
",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::ProcessExited));
    assert_eq!(outcome.record.exit.as_deref(), Some("exit code 3"));
    let children = pids(&world.texts()[2]);
    assert_eq!(children.len(), 200);
    wait_until_gone(&children, CLEAN_UP).await;
}

#[tokio::test]
async fn a_daemon_that_left_its_parent_ends_with_the_instance_wk8() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os
def handler(event, context):
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, str(os.getpid()).encode())
            os.close(1), os.close(2)
            while True:
                os.wait() if False else __import__('time').sleep(60)
        os._exit(0)
    print(os.read(read, 100).decode())
    return 'OK'
",
    );
    assert_eq!(world.invoke("{}").await.result, "OK");
    let daemon = pids(&world.texts()[2]);
    assert!(is_alive(daemon[0]));
    world.host.shutdown().await;
    wait_until_gone(&daemon, CLEAN_UP).await;
}

#[tokio::test]
async fn a_huge_allocation_fails_cleanly_safe5_log10() {
    if !has("python3") {
        return;
    }
    let world =
        World::python("def handler(event, context):\n    return len(bytearray(10 << 30))\n");
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionOomError));
    assert!(String::from_utf8_lossy(&outcome.result).contains("MemoryError"));
}

#[tokio::test]
async fn memory_that_grows_past_the_limit_ends_the_function_safe5_log10() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
def handler(event, context):
    kept = []
    while True:
        kept.append(b'x' * (1 << 20))
",
    )
    .edit(|d| d.memory = 128);
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionOomError));
    assert!(outcome.record.peak_memory_mb > 128.0);
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Function used more than its 128 MB of memory"
    );
}

#[tokio::test]
async fn an_exit_inside_a_request_is_told_with_its_code_log9() {
    if !has("python3") {
        return;
    }
    let world =
        World::python("import sys\ndef handler(event, context):\n    sys.exit(int(event))\n");
    let outcome = world.invoke("7").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::ProcessExited));
    let answer = String::from_utf8_lossy(&outcome.result).into_owned();
    assert!(
        answer.contains("Process exited unexpectedly before completing request (duration: "),
        "{answer}"
    );
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Process exited unexpectedly (exit code 7)"
    );
    assert!(world.invoke("0").await.record.cold_start);
}

#[tokio::test]
async fn a_worker_killed_from_outside_is_replaced_log9() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os, signal
def handler(event, context):
    if event == b'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    return 'OK'
",
    );
    let outcome = world.invoke("kill").await;
    assert_eq!(outcome.record.exit.as_deref(), Some("signal SIGKILL"));
    assert_eq!(world.invoke("again").await.result, "OK");
}

#[tokio::test]
async fn a_supervisor_killed_by_its_function_leaves_no_stuck_request_safe1() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os, signal, time
def handler(event, context):
    print(os.getpid())
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)
",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::ProcessExited));
    wait_until_gone(&pids(&world.texts()[2]), CLEAN_UP).await;
}

#[tokio::test]
async fn a_crash_at_import_is_an_error_of_the_request_py4() {
    if !has("python3") {
        return;
    }
    let world = World::python("import os\nos.abort()\n");
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.exit.as_deref(), Some("signal SIGABRT"));
    assert_eq!(outcome.record.error, Some(ErrorClass::ProcessExited));
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_discarded_wk4() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import signal, time
def handler(event, context):
    if event == b'late':
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(RuntimeError('late')))
        try:
            time.sleep(60)
        except RuntimeError:
            return 'too late'
    return 'OK'
",
    )
    .edit(|d| d.timeout = 1);
    let outcome = world.invoke("late").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
    let fresh = world.invoke("now").await;
    assert_eq!(fresh.result, "OK");
    assert!(fresh.record.cold_start);
}
