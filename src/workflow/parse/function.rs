//! The tables `[[function]]`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::function::{
    AsyncSettings, Destination, FunctionDefinition, HealthCheck, Hook, Runtime,
};
use crate::domain::limits::check_function;
use crate::domain::names::InstanceId;
use crate::workflow::file::Placed;
use crate::workflow::parse::reader::Section;
use crate::workflow::parse::words::EVENT_FORMS;

/// Seconds a hook has when its table does not say.
const DEFAULT_HOOK_TIMEOUT: u32 = 3;

/// A flat list: one line reads one key, one line puts it into the definition.
pub(super) fn read(
    mut section: Section<'_>,
    folder: &Path,
    instance: Option<&InstanceId>,
) -> Option<Placed<FunctionDefinition>> {
    let name = section.required("name");
    if !section.holds("runtime") {
        section.missing("runtime");
    }
    let runtimes = Runtime::ALL.map(|runtime| (runtime.as_str(), runtime));
    let runtime = section.choice("runtime", &runtimes);
    let code = section.path("code", folder);
    let handler = section.checked("handler");
    let timeout = section.count("timeout");
    let memory = section.count("memory");
    let cpu = section.hundredths("cpu");
    let disk = section.count("disk");
    let concurrency = section.count("concurrency");
    let max_instances = section.count("max-instances");
    let idle_timeout = section.count("idle-timeout");
    let event_as = section.choice("event-as", &EVENT_FORMS);
    let environment = environment(&mut section);
    let env_file = section.path("env-file", folder);
    let python = section.path("python", folder);
    let layers = section.texts("layers").unwrap_or_default();
    let command = section.texts("command");
    let debug = section.number("debug", 1..=u64::from(u16::MAX));
    let initializer = hook(&mut section, "initializer");
    let pre_stop = hook(&mut section, "pre-stop");
    let pre_freeze = hook(&mut section, "pre-freeze");
    let freeze = section.flag("freeze");
    let health_check = health_check(&mut section);
    let watch = section.flag("watch");
    let asynchronous = asynchronous(&mut section, instance);
    section.finish();

    let (code, handler) = (code.unwrap_or_default(), handler.unwrap_or_default());
    let mut definition = FunctionDefinition::new(name?, runtime?, code, handler);
    definition.timeout = timeout.unwrap_or(definition.timeout);
    definition.memory = memory.unwrap_or(definition.memory);
    definition.cpu = cpu;
    definition.disk = disk;
    definition.concurrency = concurrency.unwrap_or(definition.concurrency);
    definition.max_instances = max_instances.unwrap_or(definition.max_instances);
    definition.idle_timeout = idle_timeout.unwrap_or(definition.idle_timeout);
    definition.event_as = event_as.unwrap_or_default();
    definition.environment = environment;
    definition.env_file = env_file;
    definition.python = python;
    definition.layers = layers.iter().map(|layer| folder.join(layer)).collect();
    definition.command = command.unwrap_or_default();
    definition.debug = debug.and_then(|port| u16::try_from(port).ok());
    definition.initializer = initializer;
    definition.pre_stop = pre_stop;
    definition.pre_freeze = pre_freeze;
    definition.freeze = freeze.unwrap_or(false);
    definition.health_check = health_check.map(Box::new);
    definition.watch = watch.unwrap_or(true);
    definition.asynchronous = Box::new(asynchronous);
    for problem in check_function(&definition) {
        let what = format!("`{}` {}", problem.field, problem.problem);
        section.note(section.line_of(problem.field), what, None);
    }
    Some(section.place(definition))
}

fn environment(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let inner = section.inner("environment", "environment");
    inner
        .map(Section::pairs)
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// `{ retries = …, max-age = …, on-success = …, on-failure = … }`.
fn asynchronous(section: &mut Section<'_>, instance: Option<&InstanceId>) -> AsyncSettings {
    let mut settings = AsyncSettings::default();
    let Some(mut inner) = section.inner("async", "async") else {
        return settings;
    };
    settings.retries = inner.count("retries").unwrap_or(settings.retries);
    settings.max_age = inner.count("max-age").unwrap_or(settings.max_age);
    settings.on_success = destination(&mut inner, "on-success", instance);
    settings.on_failure = destination(&mut inner, "on-failure", instance);
    inner.finish();
    settings
}

/// `{ function = "…" }` or `{ topic = "…" }`; a topic of the file's instance.
fn destination(
    section: &mut Section<'_>,
    key: &'static str,
    instance: Option<&InstanceId>,
) -> Option<Destination> {
    let line = section.line_of(key);
    let mut inner = section.inner(key, key)?;
    let function = inner.checked("function");
    let topic = inner.checked("topic");
    inner.finish();
    match (function, topic) {
        (Some(function), None) => Some(Destination::Function(function)),
        (None, Some(topic)) => Some(Destination::Topic {
            instance: instance?.clone(),
            topic,
        }),
        _ => {
            let what = format!("`{key}` is a `function` or a `topic`; give one");
            section.note(line, what, None);
            None
        }
    }
}

/// `{ path = "/health", initial-delay = …, period = …, timeout = …, failure-threshold = …, success-threshold = … }`.
fn health_check(section: &mut Section<'_>) -> Option<HealthCheck> {
    let mut inner = section.inner("health-check", "health-check")?;
    let path: Option<String> = inner.required("path");
    let mut check = HealthCheck::new(path.unwrap_or_else(|| "/".to_owned()));
    for (key, value) in [
        ("initial-delay", &mut check.initial_delay),
        ("period", &mut check.period),
        ("timeout", &mut check.timeout),
        ("failure-threshold", &mut check.failure_threshold),
        ("success-threshold", &mut check.success_threshold),
    ] {
        *value = inner.count(key).unwrap_or(*value);
    }
    inner.finish();
    Some(check)
}

fn hook(section: &mut Section<'_>, key: &'static str) -> Option<Hook> {
    let mut inner = section.inner(key, key)?;
    let handler = inner.checked("handler");
    let command = inner.texts("command").unwrap_or_default();
    let timeout = inner.count("timeout").unwrap_or(DEFAULT_HOOK_TIMEOUT);
    inner.finish();
    Some(Hook {
        handler,
        command,
        timeout,
    })
}
