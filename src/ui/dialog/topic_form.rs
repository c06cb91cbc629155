//! Create or change a topic.

use crate::cluster::admin::{PutMode, PutTopic};
use crate::domain::names::TopicName;
use crate::domain::span::{format_span, parse_span};
use crate::domain::topic::{DEFAULT_QUEUES, MAX_QUEUES, TopicDefinition, TopicType};
use crate::ui::dialog::form::{Fault, Field, FormSpec, Submit, Values};
use crate::ui::effect::Deed;
use crate::ui::state::Shared;

/// The form, with the definition it changes.
pub struct TopicForm {
    old: Option<TopicDefinition>,
}

impl TopicForm {
    pub fn add() -> Self {
        Self { old: None }
    }

    pub fn edit(definition: &TopicDefinition) -> Self {
        Self {
            old: Some(definition.clone()),
        }
    }
}

/// A name that is not taken yet.
pub fn free_name(name: &str, taken: impl Iterator<Item = String>) -> Result<(), Fault> {
    if taken.into_iter().any(|known| known == name) {
        return Err(Fault::new("name", format!("`{name}` exists already")));
    }
    Ok(())
}

impl FormSpec for TopicForm {
    fn title(&self) -> String {
        match &self.old {
            None => "New topic".to_owned(),
            Some(old) => format!("Topic {}", old.name),
        }
    }

    fn verb(&self) -> &'static str {
        if self.old.is_some() { "Save" } else { "Create" }
    }

    fn fields(&self) -> Vec<Field> {
        let old = self.old.as_ref();
        let types: Vec<String> = TopicType::ALL.iter().map(ToString::to_string).collect();
        let chosen = old.map_or("NORMAL", |old| old.topic_type.as_str());
        let queues = old.map_or(DEFAULT_QUEUES, |old| old.write_queues);
        let retention = old.and_then(|old| old.retention).map(format_span);
        let tps = old
            .and_then(|old| old.max_send_tps)
            .map(|tps| tps.to_string());
        let name = Field::text(
            "name",
            old.map_or("", |old| old.name.as_str()),
            "letters, digits, _ and -; at most 127",
        );
        let kind = Field::choice(
            "type",
            types,
            chosen,
            "NORMAL, FIFO by message group, DELAY, TRANSACTION, PRIORITY; MIXED takes all",
        );
        vec![
            if old.is_some() {
                name.fixed("a topic keeps its name")
            } else {
                name
            },
            if old.is_some() {
                kind.fixed("a topic keeps its type")
            } else {
                kind
            },
            Field::text(
                "queues",
                queues.to_string(),
                "1 to 1,024; more lets more members share",
            ),
            Field::text(
                "retention",
                retention.unwrap_or_default(),
                "such as 72h or 3d; empty takes the instance's",
            ),
            Field::text(
                "max-send-tps",
                tps.unwrap_or_default(),
                "messages a second; empty is unlimited",
            ),
            Field::text("remark", old.map_or("", |old| &old.remark), "for people"),
        ]
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let mut faults = Vec::new();
        let name = TopicName::new(values.text("name"))
            .and_then(|name| name.check_user_topic().map(|()| name))
            .map_err(|error| Fault::new("name", error.to_string()));
        let name = match (name, &self.old) {
            (_, Some(old)) => Some(old.name.clone()),
            (Ok(name), None) => {
                let rows = shared.newest.topics.rows.iter();
                let taken = rows.map(|row| row.definition.name.to_string());
                faults.extend(free_name(name.as_str(), taken).err());
                Some(name)
            }
            (Err(fault), None) => {
                faults.push(fault);
                None
            }
        };
        let queues = values
            .number("queues", 1, u64::from(MAX_QUEUES))
            .map_err(|fault| faults.push(fault));
        let retention = match values.text("retention") {
            "" => None,
            text => {
                let span = parse_span(text).filter(|span| !span.is_zero());
                if span.is_none() {
                    faults.push(Fault::new("retention", "a time such as 72h or 3d"));
                }
                span
            }
        };
        let tps = match values.text("max-send-tps") {
            "" => None,
            _ => values
                .number("max-send-tps", 1, u64::from(u32::MAX))
                .map_err(|fault| faults.push(fault))
                .ok(),
        };
        let (Some(name), Ok(queues), true) = (name, queues, faults.is_empty()) else {
            return Err(faults);
        };
        let kind = TopicType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == values.text("type"))
            .unwrap_or_default();
        let queues = queues as u32;
        let mut definition = self
            .old
            .clone()
            .unwrap_or_else(|| TopicDefinition::new(name, kind, queues, shared.times.now));
        definition.read_queues = definition.read_queues.max(queues);
        definition.write_queues = queues;
        definition.retention = retention;
        definition.max_send_tps = tps.map(|tps| tps as u32);
        values.text("remark").clone_into(&mut definition.remark);
        definition.auto = false;
        let mode = if self.old.is_some() {
            PutMode::Update
        } else {
            PutMode::Create
        };
        Ok(Submit::Deed(Box::new(Deed::PutTopic(PutTopic {
            definition,
            mode,
        }))))
    }
}
