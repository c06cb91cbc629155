//! From the text of a workflow file to its checked values. Every mistake is collected, none is skipped over.

mod access_key;
mod across;
mod expect;
mod function;
mod group;
mod instance;
mod reader;
mod topic;
mod trigger;
pub(in crate::workflow) mod words;

use std::path::Path;

use toml::de::DeTable;

use crate::workflow::error::{Problem, WorkflowError};
use crate::workflow::file::Workflow;
use crate::workflow::parse::reader::{Notes, Section};

/// Reads and checks a file; its relative paths start from its own folder.
pub fn load(path: &Path) -> Result<Workflow, WorkflowError> {
    let unreadable = |source| WorkflowError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let workflow = parse(&text, &path.display().to_string(), folder)?;
    let problems = across::missing_paths(&workflow);
    if problems.is_empty() {
        Ok(workflow)
    } else {
        Err(WorkflowError::Invalid(problems))
    }
}

/// Checks the text of a workflow file without looking at the disk. `file` is its name in messages.
pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Workflow, WorkflowError> {
    let notes = Notes::new(file, text);
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => return Err(WorkflowError::Invalid(vec![not_toml(&notes, file, &error)])),
    };
    let workflow = read(
        Section::new(&notes, "the workflow file", table, 0),
        file,
        folder,
    );
    if let Some(workflow) = &workflow {
        across::check(workflow, &notes);
    }
    let problems = notes.into_problems();
    match workflow {
        Some(workflow) if problems.is_empty() => Ok(workflow),
        _ => Err(WorkflowError::Invalid(problems)),
    }
}

/// `None` when there is no usable instance; the notes say why. Rows that cannot be used are left out and noted.
fn read(mut root: Section<'_>, file: &str, folder: &Path) -> Option<Workflow> {
    if !root.holds("instance") {
        root.missing("instance");
    }
    let instance = root
        .inner("instance", "[instance]")
        .and_then(instance::read);
    let topics = each(root.rows("topic", "[[topic]]"), topic::read);
    let groups = each(root.rows("group", "[[group]]"), group::read);
    let id = instance.as_ref().map(|(placed, _)| placed.value.id.clone());
    let functions = each(root.rows("function", "[[function]]"), |section| {
        function::read(section, folder, id.as_ref())
    });
    let triggers = each(root.rows("trigger", "[[trigger]]"), |section| {
        trigger::read(section, id.as_ref())
    });
    let access_keys = each(root.rows("access-key", "[[access-key]]"), access_key::read);
    let expectations = each(root.rows("expect", "[[expect]]"), expect::read);
    root.finish();
    let (instance, id_given) = instance?;
    Some(Workflow {
        file: file.to_owned(),
        folder: folder.to_owned(),
        instance,
        id_given,
        topics,
        groups,
        functions,
        triggers,
        access_keys,
        expectations,
    })
}

fn each<'a, T>(rows: Vec<Section<'a>>, read: impl Fn(Section<'a>) -> Option<T>) -> Vec<T> {
    rows.into_iter().filter_map(read).collect()
}

fn not_toml(notes: &Notes<'_>, file: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start);
    Problem {
        file: file.to_owned(),
        line: notes.line(at),
        what: format!("this is not TOML: {}", error.message()),
        hint: None,
    }
}

#[cfg(test)]
mod tests;
