//! Create or change a trigger. The filter is checked while it is typed.

use std::time::Duration;

use crate::control::triggers::PutTrigger;
use crate::domain::group::FirstSeen;
use crate::domain::limits::{MAX_BATCH_SIZE, MAX_BATCH_WINDOW_SECONDS, check_trigger};
use crate::domain::names::{FunctionName, GroupName, TopicName, TriggerName};
use crate::domain::subscription::FilterExpression;
use crate::domain::trigger::{Tolerance, TriggerDeadLetter, TriggerDefinition, TriggerRetry};
use crate::filter::{Filter, FilterKind};
use crate::ui::dialog::form::{Fault, Field, FormSpec, Submit, Values};
use crate::ui::dialog::topic_form::free_name;
use crate::ui::effect::Deed;
use crate::ui::pane::triggers::retry;
use crate::ui::state::Shared;
use crate::ui::widget::line::Line;

pub struct TriggerForm {
    old: Option<TriggerDefinition>,
    functions: Vec<String>,
    topics: Vec<String>,
}

fn strings(options: &[&str]) -> Vec<String> {
    options.iter().map(|option| (*option).to_owned()).collect()
}

impl TriggerForm {
    pub fn add(shared: &Shared) -> Self {
        Self::with(None, shared)
    }

    pub fn edit(definition: &TriggerDefinition, shared: &Shared) -> Self {
        Self::with(Some(definition.clone()), shared)
    }

    fn with(old: Option<TriggerDefinition>, shared: &Shared) -> Self {
        let functions = shared.newest.functions.rows.iter();
        let topics = shared.newest.topics.rows.iter();
        let mut form = Self {
            functions: functions
                .map(|row| row.definition.name.to_string())
                .collect(),
            topics: topics.map(|row| row.definition.name.to_string()).collect(),
            old,
        };
        if let Some(old) = &form.old {
            for (list, name) in [
                (&mut form.functions, old.function.to_string()),
                (&mut form.topics, old.topic.to_string()),
            ] {
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
        form
    }

    fn definition(
        &self,
        values: &Values<'_>,
        shared: &Shared,
        faults: &mut Vec<Fault>,
    ) -> Option<TriggerDefinition> {
        let size = values
            .number("batch-size", 1, u64::from(MAX_BATCH_SIZE))
            .map_err(|fault| faults.push(fault));
        let window = values
            .number("batch-window", 0, MAX_BATCH_WINDOW_SECONDS)
            .map_err(|fault| faults.push(fault));
        let concurrency = values
            .number("concurrency", 1, 1000)
            .map_err(|fault| faults.push(fault));
        let filter = filter(values).map_err(|fault| faults.push(fault));
        let name = TriggerName::new(values.text("name"))
            .map_err(|error| faults.push(Fault::new("name", error.to_string())));
        let function = FunctionName::new(values.text("function"))
            .map_err(|_| faults.push(Fault::new("function", "add a function first")));
        let topic = TopicName::new(values.text("topic"))
            .map_err(|_| faults.push(Fault::new("topic", "add a topic first")));
        let group = GroupName::new(values.text("group"))
            .map_err(|error| faults.push(Fault::new("group", error.to_string())));
        let letters = letters(values).map_err(|fault| faults.push(fault));
        let Some(instance) = shared.instance() else {
            faults.push(Fault::new("topic", "no instance runs"));
            return None;
        };
        let mut definition = TriggerDefinition::new(
            name.ok()?,
            self.old
                .as_ref()
                .map_or(instance, |old| old.instance.clone()),
            function.ok()?,
            topic.ok()?,
            group.ok()?,
        );
        if let Some(old) = &self.old {
            definition = TriggerDefinition {
                function: definition.function,
                topic: definition.topic,
                group: definition.group,
                ..old.clone()
            };
        }
        definition.filter = filter.ok()?;
        definition.batch_size = size.ok()? as u32;
        definition.batch_window = Duration::from_secs(window.ok()?);
        definition.concurrency = concurrency.ok()? as u32;
        definition.dead_letter = letters.ok()?;
        if values.text("offset") == "earliest" {
            definition.offset = FirstSeen::Earliest;
        }
        definition.retry = if values.text("retry") == "backoff" {
            TriggerRetry::Backoff
        } else {
            TriggerRetry::ExponentialDecay
        };
        definition.tolerance = if values.text("tolerance") == "all" {
            Tolerance::All
        } else {
            Tolerance::None
        };
        definition.enabled = values.on("enabled");
        Some(definition)
    }
}

/// The filter that is typed, or where it goes wrong.
fn filter(values: &Values<'_>) -> Result<FilterExpression, Fault> {
    let text = values.text("filter").to_owned();
    let (kind, expression) = if values.text("filter-type") == "sql" {
        (FilterKind::Sql, FilterExpression::Sql(text.clone()))
    } else {
        (FilterKind::Tag, FilterExpression::Tag(text.clone()))
    };
    match Filter::parse(kind, &text) {
        Ok(_) => Ok(expression),
        Err(error) => {
            let hint = error
                .hint()
                .map_or(String::new(), |hint| format!("; {hint}"));
            Err(Fault::new("filter", format!("{error}{hint}")))
        }
    }
}

fn letters(values: &Values<'_>) -> Result<TriggerDeadLetter, Fault> {
    match values.text("dead-letter-topic") {
        "" => Ok(TriggerDeadLetter::Own),
        "none" => Ok(TriggerDeadLetter::Dropped),
        name => TopicName::new(name)
            .map(TriggerDeadLetter::Topic)
            .map_err(|error| Fault::new("dead-letter-topic", error.to_string())),
    }
}

impl FormSpec for TriggerForm {
    fn title(&self) -> String {
        match &self.old {
            None => "New trigger".to_owned(),
            Some(old) => format!("Trigger {}", old.name),
        }
    }

    fn verb(&self) -> &'static str {
        if self.old.is_some() { "Save" } else { "Create" }
    }

    #[expect(clippy::too_many_lines, reason = "a flat list, one entry per field")]
    fn fields(&self) -> Vec<Field> {
        let old = self.old.as_ref();
        let name = Field::text(
            "name",
            old.map_or("", |old| old.name.as_str()),
            "letters, digits, _ and -; at most 128",
        );
        let (kind, text) = match old.map(|old| &old.filter) {
            Some(FilterExpression::Sql(text)) => ("sql", text.clone()),
            Some(FilterExpression::Tag(text)) => ("tag", text.clone()),
            None => ("tag", "*".to_owned()),
        };
        let dead = match old.map(|old| &old.dead_letter) {
            Some(TriggerDeadLetter::Topic(topic)) => topic.to_string(),
            Some(TriggerDeadLetter::Dropped) => "none".to_owned(),
            _ => String::new(),
        };
        let offset = match old.map(|old| old.offset) {
            Some(FirstSeen::Earliest) => "earliest",
            _ => "latest",
        };
        let backoff = old.is_none_or(|old| old.retry == TriggerRetry::Backoff);
        let all = old.is_none_or(|old| old.tolerance == Tolerance::All);
        vec![
            if old.is_some() {
                name.fixed("a trigger keeps its name")
            } else {
                name
            },
            Field::choice(
                "topic",
                self.topics.clone(),
                old.map_or("", |old| old.topic.as_str()),
                "whose messages it takes",
            ),
            Field::choice(
                "function",
                self.functions.clone(),
                old.map_or("", |old| old.function.as_str()),
                "what runs for each batch",
            ),
            Field::text(
                "group",
                old.map_or("", |old| old.group.as_str()),
                "a group of its own; it is made when it is missing",
            ),
            Field::choice(
                "filter-type",
                strings(&["tag", "sql"]),
                kind,
                "by tag, or by an SQL condition over properties",
            ),
            Field::text(
                "filter",
                text,
                "* takes all; TagA || TagB; or amount > 100 AND region = 'eu'",
            ),
            Field::choice(
                "offset",
                strings(&["latest", "earliest"]),
                offset,
                "where it begins, while its group has no offset",
            ),
            Field::text(
                "batch-size",
                old.map_or(1, |old| old.batch_size).to_string(),
                "messages per invocation, 1 to 10,000",
            ),
            Field::text(
                "batch-window",
                old.map_or(0, |old| old.batch_window.as_secs()).to_string(),
                "seconds to wait for a full batch, 0 to 15",
            ),
            Field::choice(
                "retry",
                strings(&["backoff", "exponential-decay"]),
                if backoff {
                    "backoff"
                } else {
                    "exponential-decay"
                },
                "how failed batches come again",
            ),
            Field::choice(
                "tolerance",
                strings(&["all", "none"]),
                if all { "all" } else { "none" },
                "when retries are used up: go on, or stop until resumed",
            ),
            Field::text(
                "dead-letter-topic",
                dead,
                "empty: %DLQ%<group>; none: dropped; or a topic",
            ),
            Field::text(
                "concurrency",
                old.map_or(1, |old| old.concurrency).to_string(),
                "batches in work at once",
            ),
            Field::toggle(
                "enabled",
                old.is_none_or(|old| old.enabled),
                "off: made, but takes nothing",
            ),
        ]
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let mut faults = Vec::new();
        let definition = self.definition(values, shared, &mut faults);
        if let Some(definition) = &definition {
            if self.old.is_none() {
                let rows = shared.newest.triggers.rows.iter();
                let taken = rows.map(|row| row.definition.name.to_string());
                faults.extend(free_name(definition.name.as_str(), taken).err());
            }
            let of_other = shared.newest.triggers.rows.iter().find(|row| {
                row.definition.group == definition.group && row.definition.name != definition.name
            });
            if let Some(other) = of_other {
                faults.push(Fault::new(
                    "group",
                    format!("trigger {} has this group already", other.definition.name),
                ));
            }
            for problem in check_trigger(definition) {
                let key = match problem.field {
                    "batch.size" => "batch-size",
                    "batch.window" => "batch-window",
                    field => field,
                };
                faults.push(Fault::new(key, problem.problem));
            }
        }
        match definition {
            Some(definition) if faults.is_empty() => {
                Ok(Submit::Deed(Box::new(Deed::PutTrigger(PutTrigger {
                    definition,
                }))))
            }
            _ => Err(faults),
        }
    }

    fn preview(&self, values: &Values<'_>, _shared: &Shared) -> Vec<Line> {
        let policy = if values.text("retry") == "backoff" {
            TriggerRetry::Backoff
        } else {
            TriggerRetry::ExponentialDecay
        };
        vec![Line::muted(format!("retries: {}", retry(policy)))]
    }
}
