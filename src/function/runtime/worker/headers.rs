//! The `x-fc-*` headers that every call carries (CU-4, WK-1).

use std::time::Duration;

use crate::clock::RealClock;
use crate::domain::function::{FunctionDefinition, LATEST};
use crate::function::runtime::environment::{PLACEHOLDER, Place};
use crate::function::runtime::{Call, CallKind};

/// The headers of one call; absent values are empty, no name is left out.
pub(super) fn call_headers(
    call: &Call,
    definition: &FunctionDefinition,
    place: &Place,
    real: &RealClock,
) -> Vec<(&'static str, String)> {
    let hook_handler = |hook: Option<&crate::domain::function::Hook>| {
        hook.and_then(|hook| hook.handler.clone())
            .unwrap_or_default()
    };
    let initializer = definition.initializer.as_ref();
    let pre_stop = definition.pre_stop.as_ref();
    let timeout = call.timeout.map_or(definition.timeout, |span| {
        u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
    });
    // While a debugger holds the handler there is no deadline; a day away is none in practice.
    let left = call.timeout.unwrap_or(Duration::from_secs(86_400));
    let deadline = real.wall_millis() + i64::try_from(left.as_millis()).unwrap_or(i64::MAX / 2);
    vec![
        ("x-fc-request-id", call.request_id.as_str().to_owned()),
        ("x-fc-function-type", function_type(call.kind).to_owned()),
        ("x-fc-function-deadline", deadline.to_string()),
        ("x-fc-access-key-id", PLACEHOLDER.to_owned()),
        ("x-fc-access-key-secret", PLACEHOLDER.to_owned()),
        ("x-fc-security-token", PLACEHOLDER.to_owned()),
        ("x-fc-function-name", definition.name.as_str().to_owned()),
        ("x-fc-function-handler", definition.handler.clone()),
        ("x-fc-function-memory", definition.memory.to_string()),
        ("x-fc-function-timeout", timeout.to_string()),
        ("x-fc-function-initializer", hook_handler(initializer)),
        (
            "x-fc-initialization-timeout",
            initializer.map_or(String::new(), |hook| hook.timeout.to_string()),
        ),
        (
            "x-fc-instance-lifecycle-pre-stop-handler",
            hook_handler(pre_stop),
        ),
        (
            "x-fc-instance-lifecycle-pre-freeze-handler",
            hook_handler(definition.pre_freeze.as_ref()),
        ),
        ("x-fc-region", place.region.clone()),
        ("x-fc-account-id", place.account_id.clone()),
        ("x-fc-qualifier", LATEST.to_owned()),
        ("x-fc-version-id", LATEST.to_owned()),
        ("x-fc-service-name", String::new()),
        ("x-fc-service-logproject", String::new()),
        ("x-fc-service-logstore", String::new()),
        ("x-fc-control-path", control_path(call.kind).to_owned()),
        (
            "x-fc-retry-count",
            call.attempt.saturating_sub(1).to_string(),
        ),
    ]
}

/// As the vendor's SDK numbers them since its 0.1.
fn function_type(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Invoke => "0",
        CallKind::Initialize => "1",
        CallKind::PreStop => "2",
        CallKind::PreFreeze => "3",
    }
}

/// The path a custom runtime is called under (CU-5).
pub(super) fn control_path(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Invoke => "/invoke",
        CallKind::Initialize => "/initialize",
        CallKind::PreStop => "/pre-stop",
        CallKind::PreFreeze => "/pre-freeze",
    }
}
