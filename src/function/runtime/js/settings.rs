//! What an engine is told about its function, and what a call is told about itself, as the bridge reads them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::domain::function::{EventAs, FunctionDefinition};
use crate::function::invocation::MAX_EVENT;
use crate::function::runtime::environment::{Environment, PLACEHOLDER, Place};
use crate::function::runtime::js::handler::Handler;
use crate::function::runtime::{Call, CallKind, StartError};

/// The settings of an engine.
pub(super) fn of_engine(
    definition: &FunctionDefinition,
    place: &Place,
    instance_id: &str,
) -> Result<Value, StartError> {
    Ok(json!({
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
        "env": variables(definition, place, instance_id)?,
    }))
}

/// What `process.env` holds, with the user's variables on top of the platform's (ENV-1…ENV-4).
fn variables(
    definition: &FunctionDefinition,
    place: &Place,
    instance_id: &str,
) -> Result<BTreeMap<String, String>, StartError> {
    let mut environment = Environment::of(definition, instance_id, place);
    environment.add_user(definition)?;
    let pairs = environment.pairs().into_iter();
    Ok(pairs
        .map(|(name, value)| {
            (
                name.to_string_lossy().into(),
                value.to_string_lossy().into(),
            )
        })
        .collect())
}

/// The request that the bridge begins for `call`.
pub(super) fn of_call(definition: &FunctionDefinition, call: &Call) -> Value {
    let setting = match call.kind.hook(definition) {
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
