//! Writes a set-up as a workflow file that applies to the same set-up. Never a secret: access keys are no part of it, and
//! variables that look like secrets are named but not told.

use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

use crate::domain::function::FunctionDefinition;
use crate::workflow::entries::{self, Entries};
use crate::workflow::present::SetUp;

/// Parts of a variable's name that make its value a secret.
const SECRET_WORDS: [&str; 7] = [
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "TOKEN",
    "CREDENTIAL",
    "PRIVATE",
    "API_KEY",
];

/// The file's text; paths below `folder` are written from there. Parsing it needs an instance in `set_up`.
pub fn export(set_up: &SetUp, folder: &Path) -> String {
    let mut tables = Vec::new();
    if let Some(instance) = &set_up.instance {
        tables.push(table("[instance]", entries::instance(instance)));
    }
    for topic in &set_up.topics {
        let text = table("[[topic]]", entries::topic(topic));
        tables.push(noted(topic.auto, text));
    }
    for group in &set_up.groups {
        let text = table("[[group]]", entries::group(group));
        tables.push(noted(group.auto, text));
    }
    for function in &set_up.functions {
        let (told, hidden) = without_secrets(function);
        let mut text = table("[[function]]", entries::function(&told, folder));
        for name in hidden {
            let _ = writeln!(
                text,
                "# environment.{name} looks like a secret and is not exported; keep it in an env-file"
            );
        }
        tables.push(text);
    }
    for trigger in &set_up.triggers {
        tables.push(table("[[trigger]]", entries::trigger(trigger)));
    }
    tables.join("\n")
}

/// What auto-create made becomes the owner's by standing in a file.
fn noted(auto: bool, table: String) -> String {
    if auto {
        format!("# made by auto-create\n{table}")
    } else {
        table
    }
}

fn table(title: &str, entries: Entries) -> String {
    let mut text = format!("{title}\n");
    for entry in entries.0 {
        if let Some(value) = entry.value {
            let _ = writeln!(text, "{} = {}", entry.key, inline(&value));
        }
    }
    text
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => inline_table(table),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn inline_table(table: &Table) -> String {
    let entries: Vec<String> = table
        .iter()
        .map(|(key, value)| format!("{} = {}", key_text(key), inline(value)))
        .collect();
    format!("{{ {} }}", entries.join(", "))
}

fn key_text(key: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        Value::from(key).to_string()
    }
}

fn without_secrets(function: &FunctionDefinition) -> (FunctionDefinition, Vec<String>) {
    let mut told = function.clone();
    let is_secret = |name: &str| {
        let name = name.to_uppercase();
        SECRET_WORDS.iter().any(|word| name.contains(word))
    };
    let hidden: Vec<String> = told
        .environment
        .keys()
        .filter(|name| is_secret(name))
        .cloned()
        .collect();
    told.environment.retain(|name, _| !is_secret(name));
    (told, hidden)
}
