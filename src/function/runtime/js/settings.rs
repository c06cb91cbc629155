//! What an engine is told about its function, and what a call is told about itself, as the bridge reads them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::domain::function::{EventAs, FunctionDefinition};
use crate::function::invocation::MAX_EVENT;
use crate::function::runtime::js::handler::Handler;
use crate::function::runtime::{Call, CallKind};

/// Stands for a credential; the developer's own are never given to functions (PY-10).
const PLACEHOLDER: &str = "moonport-local";

/// The version and qualifier of every local function.
const LATEST: &str = "LATEST";

/// Where functions claim to run.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account_id: String,
}

/// The settings of an engine.
pub(super) fn of_engine(
    definition: &FunctionDefinition,
    place: &Place,
    instance_id: &str,
) -> Value {
    json!({
        "function": {
            "name": definition.name.as_str(),
            "handler": definition.handler,
            "memory": definition.memory,
            "timeout": definition.timeout,
        },
        "credentials": {
            "accessKeyId": PLACEHOLDER,
            "accessKeySecret": PLACEHOLDER,
            "securityToken": PLACEHOLDER,
        },
        "region": place.region,
        "accountId": place.account_id,
        "eventAs": match definition.event_as {
            EventAs::Object => "object",
            EventAs::Auto | EventAs::Bytes => "bytes",
        },
        "maxResult": MAX_EVENT,
        "env": environment(definition, place, instance_id),
    })
}

/// What `process.env` holds; the variables of the function win over those of the platform (ENV-1…ENV-3).
fn environment(
    definition: &FunctionDefinition,
    place: &Place,
    instance_id: &str,
) -> BTreeMap<String, String> {
    let given = [
        (
            "FC_FUNC_CODE_PATH",
            definition.code.to_string_lossy().into_owned(),
        ),
        ("FC_ACCOUNT_ID", place.account_id.clone()),
        ("FC_FUNCTION_HANDLER", definition.handler.clone()),
        ("FC_FUNCTION_MEMORY_SIZE", definition.memory.to_string()),
        ("FC_FUNCTION_NAME", definition.name.as_str().to_owned()),
        ("FC_REGION", place.region.clone()),
        ("FC_INSTANCE_ID", instance_id.to_owned()),
        ("FC_VER_ID", LATEST.to_owned()),
        ("FC_FUNCTION_VERSION", LATEST.to_owned()),
        ("FC_QUALIFIER", LATEST.to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", PLACEHOLDER.to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", PLACEHOLDER.to_owned()),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", PLACEHOLDER.to_owned()),
        ("MOONPORT", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value));
    given
        .into_iter()
        .chain(definition.environment.clone())
        .collect()
}

/// The request that the bridge begins for `call`.
pub(super) fn of_call(definition: &FunctionDefinition, call: &Call) -> Value {
    let hook = match call.kind {
        CallKind::Invoke => None,
        CallKind::Initialize => definition.initializer.as_ref(),
        CallKind::PreStop => definition.pre_stop.as_ref(),
    };
    let setting = match hook {
        Some(hook) => hook.handler.as_deref().unwrap_or_default(),
        None => &definition.handler,
    };
    let mut request = json!({
        "requestId": call.request_id.as_str(),
        "retryCount": call.attempt.saturating_sub(1),
        "isHook": call.kind != CallKind::Invoke,
        "setting": setting,
    });
    if let Some(handler) = Handler::parse(&definition.code, setting) {
        let folder = handler.path.parent().unwrap_or(Path::new(""));
        request["folder"] = folder.to_string_lossy().into();
        request["path"] = handler.path.to_string_lossy().into();
        request["module"] = handler.module.into();
        request["member"] = handler.member.into();
    }
    request
}
