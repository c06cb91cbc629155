//! What only shows when the tables of a file are seen together, or beside the disk.

use std::collections::HashMap;
use std::path::Path;

use crate::domain::function::Runtime;
use crate::domain::limits::MAX_TRIGGERED_TIMEOUT;
use crate::domain::trigger::TriggerDeadLetter;
use crate::workflow::error::Problem;
use crate::workflow::file::{Placed, Workflow};
use crate::workflow::nearest::nearest;
use crate::workflow::parse::reader::Notes;

pub(super) fn check(workflow: &Workflow, notes: &Notes<'_>) {
    once(notes, "topic", &workflow.topics, |topic| {
        topic.name.as_str()
    });
    once(notes, "group", &workflow.groups, |group| {
        group.name.as_str()
    });
    once(notes, "function", &workflow.functions, |function| {
        function.name.as_str()
    });
    once(notes, "trigger", &workflow.triggers, |trigger| {
        trigger.name.as_str()
    });
    once(notes, "access key", &workflow.access_keys, |key| {
        key.key.as_str()
    });
    groups_of_their_own(workflow, notes);
    dead_letter_topics(workflow, notes);
    timeouts_behind_triggers(workflow, notes);
}

fn once<T>(notes: &Notes<'_>, kind: &str, rows: &[Placed<T>], name: impl Fn(&T) -> &str) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        if let Some(line) = first.insert(name(&row.value), row.line) {
            let name = name(&row.value);
            let what = format!("{kind} `{name}` is already defined in line {line}");
            notes.problem_at_line(row.line, what, None);
        }
    }
}

/// One group per trigger, so that each gets every message.
fn groups_of_their_own(workflow: &Workflow, notes: &Notes<'_>) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for trigger in &workflow.triggers {
        let group = trigger.value.group.as_str();
        if let Some(owner) = owners.insert(group, trigger.value.name.as_str()) {
            let what = format!("group `{group}` already belongs to trigger `{owner}`");
            let hint = "give each trigger a group of its own, so that each gets every message";
            notes.problem_at_line(trigger.line, what, Some(hint.to_owned()));
        }
    }
}

fn dead_letter_topics(workflow: &Workflow, notes: &Notes<'_>) {
    let topics = || {
        workflow
            .topics
            .iter()
            .map(|topic| topic.value.name.as_str())
    };
    for trigger in &workflow.triggers {
        let TriggerDeadLetter::Topic(topic) = &trigger.value.dead_letter else {
            continue;
        };
        if !topics().any(|name| name == topic.as_str()) {
            let what = format!("`dead-letter-topic` `{topic}` is not a `[[topic]]` of this file");
            let hint = nearest(topic.as_str(), topics()).map_or_else(
                || "add it, or leave the key out to keep dead letters beside the group".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            notes.problem_at_line(trigger.line, what, Some(hint));
        }
    }
}

fn timeouts_behind_triggers(workflow: &Workflow, notes: &Notes<'_>) {
    for function in &workflow.functions {
        let timeout = function.value.timeout;
        let mut triggers = workflow.triggers.iter();
        let trigger = triggers.find(|trigger| trigger.value.function == function.value.name);
        if let Some(trigger) = trigger
            && timeout > MAX_TRIGGERED_TIMEOUT
        {
            let what = format!(
                "`timeout` is {timeout}, at most {MAX_TRIGGERED_TIMEOUT} are allowed behind trigger `{}`",
                trigger.value.name
            );
            notes.problem_at_line(function.line, what, None);
        }
    }
}

/// Code folders and env-files that are not there.
pub(super) fn missing_paths(workflow: &Workflow) -> Vec<Problem> {
    let mut problems = Vec::new();
    for function in &workflow.functions {
        let mut note = |key: &str, path: &Path, wanted: &str| {
            problems.push(Problem {
                file: workflow.file.clone(),
                line: function.line,
                what: format!(
                    "`{key}` of `{}`: there is no {wanted} `{}`",
                    function.value.name,
                    path.display()
                ),
                hint: Some(format!(
                    "paths start from the folder of the file, `{}`",
                    workflow.folder.display()
                )),
            });
        };
        if function.value.runtime != Runtime::Rust && !function.value.code.is_dir() {
            note("code", &function.value.code, "folder");
        }
        if let Some(file) = &function.value.env_file
            && !file.is_file()
        {
            note("env-file", file, "file");
        }
        for layer in &function.value.layers {
            if !layer.is_dir() {
                note("layers", layer, "folder");
            }
        }
    }
    problems
}
