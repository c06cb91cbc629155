//! The tables `[[trigger]]`.

use crate::domain::limits::check_trigger;
use crate::domain::names::{InstanceId, TopicName};
use crate::domain::subscription::FilterExpression;
use crate::domain::trigger::{TriggerDeadLetter, TriggerDefinition};
use crate::workflow::file::Placed;
use crate::workflow::parse::group::first_seen;
use crate::workflow::parse::reader::Section;
use crate::workflow::parse::words::{BODY_TYPES, RETRIES, SCHEMAS, TOLERANCES};

/// A flat list: one line reads one key, one line puts it into the definition. Without an instance, which is noted
/// elsewhere, the table is only checked.
pub(super) fn read(
    mut section: Section<'_>,
    instance: Option<&InstanceId>,
) -> Option<Placed<TriggerDefinition>> {
    let name = section.required("name");
    let function = section.required("function");
    let topic = section.required("topic");
    let group = section.required("group");
    let filter = filter(&mut section);
    let offset = first_seen(&mut section);
    let (size, window) = match section.inner("batch", "batch") {
        Some(mut batch) => {
            let read = (batch.count("size"), batch.span("window"));
            batch.finish();
            read
        }
        None => (None, None),
    };
    let retry = section.choice("retry", &RETRIES);
    let tolerance = section.choice("tolerance", &TOLERANCES);
    let dead_letter = dead_letter(&mut section);
    let concurrency = section.count("concurrency");
    let event_schema = section.choice("event-schema", &SCHEMAS);
    let body_data_type = section.choice("body-type", &BODY_TYPES);
    let asynchronous = section.flag("async");
    let enabled = section.flag("enabled");
    section.finish();

    let mut definition =
        TriggerDefinition::new(name?, instance?.clone(), function?, topic?, group?);
    definition.filter = filter.unwrap_or_default();
    definition.offset = offset.unwrap_or_default();
    definition.batch_size = size.unwrap_or(definition.batch_size);
    definition.batch_window = window.unwrap_or(definition.batch_window);
    definition.retry = retry.unwrap_or_default();
    definition.tolerance = tolerance.unwrap_or_default();
    definition.dead_letter = dead_letter.unwrap_or_default();
    definition.concurrency = concurrency.unwrap_or(definition.concurrency);
    definition.event_schema = event_schema.unwrap_or_default();
    definition.body_data_type = body_data_type.unwrap_or_default();
    definition.asynchronous = asynchronous.unwrap_or(false);
    definition.enabled = enabled.unwrap_or(true);
    for problem in check_trigger(&definition) {
        let what = format!("`{}` {}", problem.field, problem.problem);
        section.note(section.line_of(problem.field), what, None);
    }
    Some(section.place(definition))
}

/// `{ tag = "…" }` or `{ sql = "…" }`; its grammar is checked when the trigger is made.
fn filter(section: &mut Section<'_>) -> Option<FilterExpression> {
    let mut inner = section.inner("filter", "filter")?;
    let tag = inner.checked("tag");
    let sql = inner.checked("sql");
    inner.finish();
    match (tag, sql) {
        (Some(tag), None) => Some(FilterExpression::Tag(tag)),
        (None, Some(sql)) => Some(FilterExpression::Sql(sql)),
        (Some(_), Some(_)) => {
            let line = section.line_of("filter");
            section.note(
                line,
                "`filter` has a `tag` and an `sql`; give one".to_owned(),
                None,
            );
            None
        }
        (None, None) => None,
    }
}

fn dead_letter(section: &mut Section<'_>) -> Option<TriggerDeadLetter> {
    let topic = section.text("dead-letter-topic")?;
    if topic.get_ref() == "none" {
        return Some(TriggerDeadLetter::Dropped);
    }
    match TopicName::new(topic.get_ref().clone()) {
        Ok(topic) => Some(TriggerDeadLetter::Topic(topic)),
        Err(error) => {
            let why = format!("cannot be used: {error}");
            section.refuse(&topic.span(), "dead-letter-topic", why);
            None
        }
    }
}
