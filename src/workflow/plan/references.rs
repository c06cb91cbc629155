//! What a file refers to: its instance by id or name, functions and topics that are in the file or there already.

use crate::control::Control;
use crate::domain::function::Destination;
use crate::domain::names::InstanceId;
use crate::workflow::error::{Problem, WorkflowError};
use crate::workflow::file::{Expectation, Workflow};
use crate::workflow::nearest::nearest;
use crate::workflow::plan::lines;
use crate::workflow::present::SetUp;

/// The id of the file's instance: its own, else that of the instance of this name, else one made from the name.
pub(super) async fn instance_of(
    control: &Control,
    workflow: &Workflow,
) -> Result<InstanceId, WorkflowError> {
    let rows = control.instances.instances().await;
    let rows = rows.map_err(|error| WorkflowError::PresentUnknown(Box::new(error)))?;
    let wanted = &workflow.instance.value;
    let same_name = rows.iter().find(|row| row.definition.name == wanted.name);
    let same_id = rows.iter().find(|row| row.definition.id == wanted.id);
    let refuse = |what: String, hint: &str| {
        WorkflowError::Invalid(vec![Problem {
            file: workflow.file.clone(),
            line: workflow.instance.line,
            what,
            hint: Some(hint.to_owned()),
        }])
    };
    match (same_name, same_id) {
        (Some(row), _) if !workflow.id_given => Ok(row.definition.id.clone()),
        (Some(row), _) if row.definition.id != wanted.id => Err(refuse(
            format!(
                "instance `{}` exists with id `{}`",
                wanted.name, row.definition.id
            ),
            "leave out `id`, or choose another name",
        )),
        (None, Some(row)) if !workflow.id_given => Err(refuse(
            format!(
                "the id `{}` made from the name belongs to instance `{}`",
                wanted.id, row.definition.name
            ),
            "give an `id`",
        )),
        _ => Ok(wanted.id.clone()),
    }
}

/// Refuses triggers on functions and topics that are nowhere, and expectations of what is not there.
pub(super) fn check(workflow: &Workflow, present: &SetUp) -> Result<(), WorkflowError> {
    let functions: Vec<&str> = lines(&workflow.functions)
        .map(|(function, _)| function.name.as_str())
        .chain(
            present
                .functions
                .iter()
                .map(|function| function.name.as_str()),
        )
        .collect();
    let topics: Vec<&str> = lines(&workflow.topics)
        .map(|(topic, _)| topic.name.as_str())
        .chain(present.topics.iter().map(|topic| topic.name.as_str()))
        .collect();
    let triggers: Vec<&str> = lines(&workflow.triggers)
        .map(|(trigger, _)| trigger.name.as_str())
        .collect();
    let mut missing = Missing {
        file: &workflow.file,
        problems: Vec::new(),
    };
    for (function, line) in lines(&workflow.functions) {
        let settings = &function.asynchronous;
        for destination in [&settings.on_success, &settings.on_failure]
            .into_iter()
            .flatten()
        {
            match destination {
                Destination::Function(function) => {
                    missing.unless_known(line, "function", function.as_str(), &functions);
                }
                Destination::Topic { topic, .. } => {
                    missing.unless_known(line, "topic", topic.as_str(), &topics);
                }
            }
        }
    }
    for (trigger, line) in lines(&workflow.triggers) {
        missing.unless_known(line, "function", trigger.function.as_str(), &functions);
        if trigger.topic.dead_letter_group().is_none() {
            missing.unless_known(line, "topic", trigger.topic.as_str(), &topics);
        }
    }
    for (expectation, line) in lines(&workflow.expectations) {
        match expectation {
            Expectation::Log { function, .. } => {
                missing.unless_known(line, "function", function.as_str(), &functions);
            }
            Expectation::DeadLetters { trigger, .. } => {
                missing.unless_known(line, "trigger", trigger.as_str(), &triggers);
            }
        }
    }
    if missing.problems.is_empty() {
        Ok(())
    } else {
        Err(WorkflowError::Invalid(missing.problems))
    }
}

struct Missing<'a> {
    file: &'a str,
    problems: Vec<Problem>,
}

impl Missing<'_> {
    fn unless_known(&mut self, line: usize, kind: &str, name: &str, known: &[&str]) {
        if known.contains(&name) {
            return;
        }
        let hint = nearest(name, known.iter().copied()).map_or_else(
            || format!("add a `[[{kind}]]` of this name"),
            |near| format!("did you mean `{near}`?"),
        );
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            what: format!(
                "there is no {kind} `{name}`, neither in the file nor in the present set-up"
            ),
            hint: Some(hint),
        });
    }
}
