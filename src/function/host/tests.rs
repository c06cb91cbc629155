//! The host over closures, with clocks moved by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::*;
use crate::activity::Feed;
use crate::clock::{BrokerClock, RealClock};
use crate::domain::function::{ErrorClass, Runtime};
use crate::domain::ids::RequestId;
use crate::domain::timestamp::Timestamp;
use crate::function::log::MemoryRuns;
use crate::function::runtime::closure::{self, Context, FunctionError};

fn name() -> FunctionName {
    FunctionName::new("audit").unwrap()
}

fn definition() -> FunctionDefinition {
    FunctionDefinition::new(name(), Runtime::Rust, PathBuf::new(), String::new())
}

struct World {
    host: Host,
    runs: Arc<MemoryRuns>,
    real: RealClock,
}

impl World {
    fn new(function: Arc<dyn Function>, edit: impl FnOnce(&mut FunctionDefinition)) -> Self {
        let runs = Arc::new(MemoryRuns::default());
        let real = RealClock::manual();
        let mut options =
            HostOptions::new(Feed::new(100), runs.clone(), PathBuf::new(), PathBuf::new());
        options.clock = BrokerClock::still(Timestamp::from_millis(1_781_272_484_704));
        options.real = real.clone();
        options.instance_id = Some("c-1".to_owned());
        let host = Host::new(options);
        host.register(name(), function);
        let mut definition = definition();
        edit(&mut definition);
        host.put(definition).unwrap();
        Self { host, runs, real }
    }

    async fn invoke(&self) -> Outcome {
        self.host.invoke(invocation()).await.unwrap()
    }
}

fn invocation() -> Invocation {
    Invocation::new(name(), RequestId::new("ID"), Bytes::from_static(b"[1]"))
}

/// Answers once it is told to; says when it began.
fn gated(began: Arc<Notify>, go: Arc<Notify>) -> Arc<dyn Function> {
    closure::bytes(move |event: Bytes, _context: Context| {
        let (began, go) = (began.clone(), go.clone());
        async move {
            began.notify_one();
            go.notified().await;
            Ok(event)
        }
    })
}

#[tokio::test]
async fn a_closure_logs_between_start_and_end_rs6() {
    let world = World::new(
        closure::bytes(|event: Bytes, context: Context| async move {
            context.logger().info(format!("{} bytes", event.len()));
            Ok("OK")
        }),
        |_| (),
    );
    let outcome = world.invoke().await;
    assert_eq!(outcome.result, "OK");
    assert_eq!(outcome.record.number, 1);
    assert!(outcome.record.cold_start);
    assert_eq!(
        world.runs.texts(),
        [
            "FC Invoke Start RequestId: ID",
            "2026-06-12T13:54:44.704Z ID [INFO] 3 bytes",
            "FC Invoke End RequestId: ID",
        ]
    );
    assert!(!world.invoke().await.record.cold_start);
}

#[tokio::test]
async fn a_failing_closure_logs_its_error_object_rs4_log4() {
    let world = World::new(
        closure::json(|_event: Vec<u32>, _context: Context| async move {
            Err::<(), _>(FunctionError::new("NoStock", "no stock"))
        }),
        |_| (),
    );
    let outcome = world.invoke().await;
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    let texts = world.runs.texts();
    assert!(texts[1].starts_with("2026-06-12T13:54:44.704Z ID [ERROR] {\n    \"errorMessage\""));
    assert_eq!(
        texts[2],
        "FC Invoke End RequestId: ID, Error: Unhandled function error"
    );
}

#[tokio::test]
async fn a_panic_is_a_failed_invocation_rs4() {
    closure::fence_panics();
    let world = World::new(
        closure::blocking(
            |_event: Bytes, _context: Context| -> Result<Bytes, FunctionError> {
                panic!("no stock")
            },
        ),
        |_| (),
    );
    let outcome = world.invoke().await;
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("panic: no stock")
    );
    assert!(String::from_utf8_lossy(&outcome.result).contains("host/tests.rs"));
}

#[tokio::test]
async fn a_closure_is_dropped_at_its_deadline_rs5_log8() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let world = World::new(gated(began.clone(), go), |d| d.timeout = 3);
    let (outcome, ()) = tokio::join!(world.invoke(), async {
        began.notified().await;
        world.real.advance(Duration::from_secs(3));
    });
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionTimeoutError));
    assert_eq!(
        world.runs.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Function timed out after 3 seconds"
    );
    assert_eq!(world.host.row(&name()).unwrap().instances, 0);
}

#[tokio::test]
async fn requests_wait_while_every_instance_is_busy_tr30() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let world = World::new(gated(began.clone(), go.clone()), |d| d.max_instances = 1);
    let mut second = Box::pin(world.invoke());
    let (first, ()) = tokio::join!(world.invoke(), async {
        began.notified().await;
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(world.host.row(&name()).unwrap().busy, 1);
        go.notify_one();
    });
    assert!(first.succeeded());
    go.notify_one();
    assert!(second.await.succeeded());
}

#[tokio::test]
async fn a_replaced_definition_lets_the_running_request_finish_lc9() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let world = World::new(gated(began.clone(), go.clone()), |_| ());
    let (first, ()) = tokio::join!(world.invoke(), async {
        began.notified().await;
        let mut newer = definition();
        newer.memory = 1024;
        world.host.put(newer).unwrap();
        go.notify_one();
    });
    assert_eq!(first.record.memory_mb, 512);
    go.notify_one();
    let second = world.invoke().await;
    assert_eq!(second.record.memory_mb, 1024);
    assert!(second.record.cold_start);
    assert_eq!(world.host.row(&name()).unwrap().invocations_total, 2);
}

#[tokio::test]
async fn idle_instances_are_reclaimed_lc6() {
    let world = World::new(
        closure::bytes(|event: Bytes, _context: Context| async move { Ok(event) }),
        |d| d.idle_timeout = 60,
    );
    world.invoke().await;
    assert_eq!(world.host.row(&name()).unwrap().instances, 1);
    world.real.advance(Duration::from_secs(60));
    while world.host.row(&name()).unwrap().instances > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stopping_interrupts_and_counts_no_attempt() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let world = World::new(gated(began.clone(), go), |_| ());
    let (refused, ()) = tokio::join!(world.host.invoke(invocation()), async {
        began.notified().await;
        world.host.shutdown().await;
    });
    assert_eq!(refused.unwrap_err(), HostError::Stopping);
    assert_eq!(
        world.host.invoke(invocation()).await.unwrap_err(),
        HostError::Stopping
    );
}

#[tokio::test]
async fn an_event_over_32_mb_never_reaches_the_code() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let world = World::new(
        closure::bytes(move |event: Bytes, _context: Context| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move { Ok(event) }
        }),
        |_| (),
    );
    let event = Bytes::from(vec![b' '; 32 * 1024 * 1024 + 1]);
    let large = Invocation::new(name(), RequestId::new("ID"), event);
    let outcome = world.host.invoke(large).await.unwrap();
    assert_eq!(outcome.record.error, Some(ErrorClass::EntityTooLarge));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn unknown_and_unregistered_functions_are_told_apart() {
    let world = World::new(
        closure::bytes(|event: Bytes, _context: Context| async move { Ok(event) }),
        |_| (),
    );
    let other = FunctionName::new("other").unwrap();
    let mut invocation = invocation();
    invocation.function = other.clone();
    assert_eq!(
        world.host.invoke(invocation.clone()).await.unwrap_err(),
        HostError::NotFound(other.clone())
    );
    let mut unregistered = definition();
    unregistered.name = other;
    world.host.put(unregistered).unwrap();
    let refused = world.host.invoke(invocation).await.unwrap_err();
    assert!(matches!(refused, HostError::CannotRun { .. }));
}

#[tokio::test]
async fn a_typed_closure_is_given_values_and_gives_them_back_rs1_rs3() {
    let world = World::new(
        closure::json(|event: Vec<u32>, _context: Context| async move {
            Ok(std::collections::BTreeMap::from([(
                "sum",
                event.iter().sum::<u32>(),
            )]))
        }),
        |_| (),
    );
    assert_eq!(world.invoke().await.result, r#"{"sum":1}"#);
    let text = World::new(
        closure::bytes(|_event: Bytes, _context: Context| async move { Ok("as it is".to_owned()) }),
        |_| (),
    );
    assert_eq!(text.invoke().await.result, "as it is");
}

#[tokio::test]
async fn a_closure_is_told_about_its_request_rs2() {
    let world = World::new(
        closure::bytes(|_event: Bytes, context: Context| async move {
            let function = &context.function;
            Ok(format!(
                "{} {} {} {} {} {} {} {}",
                context.request_id,
                function.name,
                function.memory,
                function.timeout,
                context.region,
                context.account_id,
                context.attempt,
                context.retry_count,
            ))
        }),
        |d| d.timeout = 7,
    );
    let third = Invocation {
        attempt: 3,
        ..invocation()
    };
    let outcome = world.host.invoke(third).await.unwrap();
    assert_eq!(outcome.result, "ID audit 512 7 local 0 3 2");
}

#[tokio::test]
async fn each_request_has_an_instance_to_itself_up_to_the_most_wk3() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let world = World::new(gated(began.clone(), go.clone()), |d| d.max_instances = 2);
    let mut third = Box::pin(world.invoke());
    let ((first, second), ()) = tokio::join!(
        async { tokio::join!(world.invoke(), world.invoke()) },
        async {
            began.notified().await;
            began.notified().await;
            assert!(futures_util::poll!(&mut third).is_pending());
            assert_eq!(world.host.row(&name()).unwrap().instances, 2);
            go.notify_waiters();
        }
    );
    assert!(first.record.cold_start && second.record.cold_start);
    go.notify_one();
    assert!(!third.await.record.cold_start);
}
