//! Definitions as the keys and values of the file. A plan compares these, an export writes them: one table for both.

use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use crate::cluster::session::Grant;
use crate::domain::function::{AsyncSettings, Destination, FunctionDefinition, HealthCheck, Hook};
use crate::domain::group::{DeadLetterTarget, FirstSeen, GroupDefinition};
use crate::domain::instance::InstanceDefinition;
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::span::format_span;
use crate::domain::subscription::FilterExpression;
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::{TriggerDeadLetter, TriggerDefinition};
use crate::workflow::file::{AccessKeyDefinition, DEFAULT_REGION};
use crate::workflow::parse::words;

/// One key of a table and its value; absent values are those the file expresses by leaving the key out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) value: Option<Value>,
}

/// The keys of one table in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Entries(pub(super) Vec<Entry>);

impl Entries {
    fn put(&mut self, key: &'static str, value: impl Into<Value>) {
        self.optional(key, Some(value));
    }

    fn optional(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        let value = value.map(Into::into);
        self.0.push(Entry { key, value });
    }

    /// Left out when it is what the file means without the key.
    fn unless<V: PartialEq + Into<Value>>(&mut self, key: &'static str, value: V, default: V) {
        self.optional(key, (value != default).then_some(value));
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.optional(key, (!text.is_empty()).then_some(text));
    }
}

pub(super) fn instance(instance: &InstanceDefinition) -> Entries {
    let mut entries = Entries::default();
    entries.put("name", instance.name.as_str());
    entries.put("id", instance.id.as_str());
    entries.unless("region", instance.region.as_str(), DEFAULT_REGION);
    let listen = if instance.listens {
        instance.listen.as_deref()
    } else {
        Some("off")
    };
    entries.optional("listen", listen);
    entries.unless("auto-create", instance.auto_create, true);
    let defaults = InstanceDefinition::new(
        instance.id.clone(),
        String::new(),
        String::new(),
        instance.created_at,
    );
    entries.unless(
        "retention",
        span(instance.retention),
        span(defaults.retention),
    );
    entries.optional("max-tps", instance.max_tps.map(i64::from));
    let ratio = instance.send_receive_ratio;
    entries.unless("send-receive-ratio", ratio, defaults.send_receive_ratio);
    entries.optional("max-bytes", instance.max_bytes.map(|bytes| bytes as i64));
    entries.text("remark", &instance.remark);
    entries
}

pub(super) fn topic(topic: &TopicDefinition) -> Entries {
    let mut entries = Entries::default();
    entries.put("name", topic.name.as_str());
    entries.put("type", topic.topic_type.as_str());
    entries.put("queues", i64::from(topic.write_queues));
    let read = (topic.read_queues != topic.write_queues).then_some(i64::from(topic.read_queues));
    entries.optional("read-queues", read);
    entries.unless(
        "permission",
        words::permission(topic.permission),
        "read-write",
    );
    entries.optional("retention", topic.retention.map(span));
    entries.optional("max-send-tps", topic.max_send_tps.map(i64::from));
    entries.text("remark", &topic.remark);
    entries
}

pub(super) fn group(group: &GroupDefinition) -> Entries {
    let mut entries = Entries::default();
    let defaults = GroupDefinition::new(group.name.clone(), group.order, group.created_at);
    entries.put("name", group.name.as_str());
    entries.put("order", group.order.as_str());
    entries.put("max-retries", i64::from(group.max_retries));
    let retry = (group.retry_policy != defaults.retry_policy).then(|| policy(&group.retry_policy));
    entries.optional("retry", retry);
    entries.unless("offset", first_seen(group.first_seen), "latest".to_owned());
    let dead_letter = match &group.dead_letter {
        DeadLetterTarget::Own => None,
        DeadLetterTarget::Topic(topic) => Some(topic.as_str()),
        DeadLetterTarget::Discard => Some("none"),
    };
    entries.optional("dead-letter-topic", dead_letter);
    entries.unless("consume", group.consume_enabled, true);
    entries.optional("max-receive-tps", group.max_receive_tps.map(i64::from));
    let factor = i64::from(group.priority_factor);
    entries.unless(
        "priority-factor",
        factor,
        i64::from(defaults.priority_factor),
    );
    entries.text("remark", &group.remark);
    entries
}

/// Paths below `folder` are written from there.
pub(super) fn function(function: &FunctionDefinition, folder: &Path) -> Entries {
    let mut entries = Entries::default();
    let defaults = FunctionDefinition::new(
        function.name.clone(),
        function.runtime,
        function.code.clone(),
        function.handler.clone(),
    );
    entries.put("name", function.name.as_str());
    entries.put("runtime", function.runtime.as_str());
    let code = path(&function.code, folder);
    entries.optional("code", (!code.is_empty()).then_some(code));
    entries.text("handler", &function.handler);
    entries.put("timeout", i64::from(function.timeout));
    entries.put("memory", i64::from(function.memory));
    entries.optional("cpu", function.cpu.map(|cpu| f64::from(cpu) / 100.0));
    entries.optional("disk", function.disk.map(i64::from));
    for (key, value, default) in [
        ("concurrency", function.concurrency, defaults.concurrency),
        (
            "max-instances",
            function.max_instances,
            defaults.max_instances,
        ),
        ("idle-timeout", function.idle_timeout, defaults.idle_timeout),
    ] {
        entries.unless(key, i64::from(value), i64::from(default));
    }
    entries.unless("event-as", words::event_form(function.event_as), "auto");
    let environment: Table = function
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    entries.optional(
        "environment",
        (!environment.is_empty()).then_some(environment),
    );
    entries.optional(
        "env-file",
        function.env_file.as_deref().map(|file| path(file, folder)),
    );
    entries.optional(
        "python",
        function.python.as_deref().map(|file| path(file, folder)),
    );
    let layers: Vec<String> = function
        .layers
        .iter()
        .map(|layer| path(layer, folder))
        .collect();
    entries.optional("layers", (!layers.is_empty()).then_some(layers));
    let command = &function.command;
    entries.optional("command", (!command.is_empty()).then(|| command.clone()));
    entries.optional("debug", function.debug.map(i64::from));
    entries.optional("initializer", function.initializer.as_ref().map(hook));
    entries.optional("pre-stop", function.pre_stop.as_ref().map(hook));
    entries.optional("pre-freeze", function.pre_freeze.as_ref().map(hook));
    entries.unless("freeze", function.freeze, false);
    entries.optional("health-check", function.health_check.as_deref().map(health));
    entries.unless("watch", function.watch, true);
    entries.optional("async", asynchronous(&function.asynchronous));
    entries
}

pub(super) fn trigger(trigger: &TriggerDefinition) -> Entries {
    let mut entries = Entries::default();
    entries.put("name", trigger.name.as_str());
    entries.put("function", trigger.function.as_str());
    entries.put("topic", trigger.topic.as_str());
    entries.put("group", trigger.group.as_str());
    entries.put("filter", filter(&trigger.filter));
    entries.put("offset", first_seen(trigger.offset));
    entries.put("batch", batch(trigger));
    entries.put("retry", words::retry(trigger.retry));
    entries.put("tolerance", words::tolerance(trigger.tolerance));
    let dead_letter = match &trigger.dead_letter {
        TriggerDeadLetter::Own => None,
        TriggerDeadLetter::Topic(topic) => Some(topic.as_str()),
        TriggerDeadLetter::Dropped => Some("none"),
    };
    entries.optional("dead-letter-topic", dead_letter);
    entries.unless("concurrency", i64::from(trigger.concurrency), 1);
    entries.unless(
        "event-schema",
        words::schema(trigger.event_schema),
        "RawData",
    );
    entries.unless(
        "body-type",
        words::body_type(trigger.body_data_type),
        "JSON",
    );
    entries.unless("async", trigger.asynchronous, false);
    entries.unless("enabled", trigger.enabled, true);
    entries
}

pub(super) fn access_key(key: &AccessKeyDefinition) -> Entries {
    let mut entries = Entries::default();
    entries.put("key", key.key.as_str());
    entries.put("secret-env", key.secret_env.as_str());
    let grants: Vec<String> = key.grants.iter().map(Grant::to_string).collect();
    entries.put("grants", grants);
    entries
}

/// Only what differs from the defaults; `None` when nothing does.
fn asynchronous(settings: &AsyncSettings) -> Option<Table> {
    let defaults = AsyncSettings::default();
    let mut table = Table::new();
    for (key, value, default) in [
        ("retries", settings.retries, defaults.retries),
        ("max-age", settings.max_age, defaults.max_age),
    ] {
        if value != default {
            table.insert(key.to_owned(), Value::from(i64::from(value)));
        }
    }
    for (key, destination) in [
        ("on-success", &settings.on_success),
        ("on-failure", &settings.on_failure),
    ] {
        let (kind, name) = match destination {
            None => continue,
            Some(Destination::Function(function)) => ("function", function.as_str()),
            Some(Destination::Topic { topic, .. }) => ("topic", topic.as_str()),
        };
        let inner = Table::from_iter([(kind.to_owned(), Value::from(name))]);
        table.insert(key.to_owned(), Value::Table(inner));
    }
    (!table.is_empty()).then_some(table)
}

fn filter(filter: &FilterExpression) -> Table {
    let key = match filter {
        FilterExpression::Tag(_) => "tag",
        FilterExpression::Sql(_) => "sql",
    };
    Table::from_iter([(key.to_owned(), Value::from(filter.text()))])
}

fn batch(trigger: &TriggerDefinition) -> Table {
    Table::from_iter([
        (
            "size".to_owned(),
            Value::from(i64::from(trigger.batch_size)),
        ),
        ("window".to_owned(), span(trigger.batch_window)),
    ])
}

fn hook(hook: &Hook) -> Table {
    let mut table = Table::new();
    if let Some(handler) = &hook.handler {
        table.insert("handler".to_owned(), Value::from(handler.as_str()));
    }
    if !hook.command.is_empty() {
        table.insert("command".to_owned(), Value::from(hook.command.clone()));
    }
    table.insert("timeout".to_owned(), Value::from(i64::from(hook.timeout)));
    table
}

fn health(check: &HealthCheck) -> Table {
    let defaults = HealthCheck::new(check.path.clone());
    let mut table = Table::new();
    table.insert("path".to_owned(), Value::from(check.path.as_str()));
    for (key, value, default) in [
        ("initial-delay", check.initial_delay, defaults.initial_delay),
        ("period", check.period, defaults.period),
        ("timeout", check.timeout, defaults.timeout),
        (
            "failure-threshold",
            check.failure_threshold,
            defaults.failure_threshold,
        ),
        (
            "success-threshold",
            check.success_threshold,
            defaults.success_threshold,
        ),
    ] {
        if value != default {
            table.insert(key.to_owned(), Value::from(i64::from(value)));
        }
    }
    table
}

fn policy(policy: &RetryPolicy) -> Value {
    let table = |entries: &[(&str, Duration)]| {
        let spans = entries
            .iter()
            .map(|(key, length)| ((*key).to_owned(), span(*length)));
        Value::Table(spans.collect())
    };
    match policy {
        RetryPolicy::Documented => Value::from("documented"),
        RetryPolicy::GrpcRaw => Value::from("grpc-raw"),
        RetryPolicy::Exponential { initial, max } => table(&[("initial", *initial), ("max", *max)]),
        RetryPolicy::Fixed(every) => table(&[("every", *every)]),
    }
}

fn first_seen(first_seen: FirstSeen) -> String {
    match first_seen {
        FirstSeen::Latest => "latest".to_owned(),
        FirstSeen::Earliest => "earliest".to_owned(),
        FirstSeen::At(time) => time.to_string(),
    }
}

/// Whole seconds below an hour as a number, other lengths as a text.
fn span(span: Duration) -> Value {
    if span.subsec_millis() == 0 && span.as_secs() < 3600 {
        Value::from(span.as_secs() as i64)
    } else {
        Value::from(format_span(span))
    }
}

fn path(path: &Path, folder: &Path) -> String {
    let shown = path.strip_prefix(folder).unwrap_or(path);
    if shown.as_os_str().is_empty() && !path.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        shown.display().to_string()
    }
}
