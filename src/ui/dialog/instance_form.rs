//! Create or change an instance.

use crate::control::instances::PutInstance;
use crate::domain::instance::{DEFAULT_RETENTION, InstanceDefinition};
use crate::domain::names::InstanceId;
use crate::domain::span::{format_span, parse_span};
use crate::ui::dialog::form::{Fault, Field, FormSpec, Submit, Values};
use crate::ui::effect::Deed;
use crate::ui::state::Shared;
use crate::ui::widget::numbers;

pub struct InstanceForm {
    old: Option<InstanceDefinition>,
    /// Suggested id of a new one.
    id: String,
}

const MIB: u64 = 1024 * 1024;

impl InstanceForm {
    pub fn add(shared: &Shared) -> Self {
        let rows = &shared.newest.instances.rows;
        let taken = |id: &str| rows.iter().any(|row| row.definition.id.as_str() == id);
        // One more number than there are instances, so one is free.
        let id = (1..=rows.len() + 1)
            .map(|n| format!("rmq-local-{n}"))
            .find(|id| !taken(id))
            .unwrap_or_default();
        Self { old: None, id }
    }

    pub fn edit(definition: &InstanceDefinition) -> Self {
        Self {
            id: definition.id.to_string(),
            old: Some(definition.clone()),
        }
    }
}

impl FormSpec for InstanceForm {
    fn title(&self) -> String {
        match &self.old {
            None => "New instance".to_owned(),
            Some(old) => format!("Instance {}", old.name),
        }
    }

    fn verb(&self) -> &'static str {
        if self.old.is_some() { "Save" } else { "Create" }
    }

    fn fields(&self) -> Vec<Field> {
        let old = self.old.as_ref();
        let id = Field::text(
            "id",
            self.id.clone(),
            "letters, digits, _ and -; names its folder",
        );
        let size = old
            .and_then(|old| old.max_bytes)
            .map(|b| (b / MIB).to_string());
        vec![
            Field::text(
                "name",
                old.map_or("", |old| &old.name),
                "1 to 128 characters",
            ),
            if old.is_some() {
                id.fixed("an instance keeps its id")
            } else {
                id
            },
            Field::text(
                "region",
                old.map_or("local", |old| &old.region),
                "stamped on messages, such as ap-southeast-5",
            ),
            Field::toggle(
                "listens",
                old.is_none_or(|old| old.listens),
                "an endpoint for clients",
            ),
            Field::text(
                "listen",
                old.and_then(|old| old.listen.clone()).unwrap_or_default(),
                "address:port; empty takes the next free port from 8081",
            ),
            Field::toggle(
                "auto-create",
                old.is_none_or(|old| old.auto_create),
                "missing topics and groups are made on first use",
            ),
            Field::text(
                "retention",
                format_span(old.map_or(DEFAULT_RETENTION, |old| old.retention)),
                "how long messages stay, such as 72h",
            ),
            Field::text(
                "max-size",
                size.unwrap_or_default(),
                "MiB of messages; empty is unlimited",
            ),
            Field::text("remark", old.map_or("", |old| &old.remark), "for people"),
        ]
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let mut faults = Vec::new();
        let name = values.text("name");
        if name.is_empty() || name.chars().count() > 128 {
            faults.push(Fault::new("name", "1 to 128 characters"));
        }
        let others = shared.newest.instances.rows.iter();
        if others
            .filter(|row| Some(&row.definition.id) != self.old.as_ref().map(|old| &old.id))
            .any(|row| row.definition.name == name)
        {
            faults.push(Fault::new("name", format!("`{name}` exists already")));
        }
        let id = InstanceId::new(values.text("id"))
            .map_err(|error| faults.push(Fault::new("id", error.to_string())));
        let retention = parse_span(values.text("retention")).filter(|span| !span.is_zero());
        if retention.is_none() {
            faults.push(Fault::new("retention", "a time such as 72h or 3d"));
        }
        let size = match values.text("max-size") {
            "" => None,
            _ => values
                .number("max-size", 1, u64::from(u32::MAX))
                .map_err(|fault| faults.push(fault))
                .ok(),
        };
        let listen = values.text("listen");
        if !listen.is_empty() && listen.parse::<std::net::SocketAddr>().is_err() {
            faults.push(Fault::new("listen", "an address such as 127.0.0.1:8081"));
        }
        let (Ok(id), Some(retention), true) = (id, retention, faults.is_empty()) else {
            return Err(faults);
        };
        let region = values.text("region").to_owned();
        let mut definition = self.old.clone().unwrap_or_else(|| {
            InstanceDefinition::new(id, name.to_owned(), region.clone(), shared.times.now)
        });
        name.clone_into(&mut definition.name);
        definition.region = region;
        definition.listens = values.on("listens");
        definition.listen = (!listen.is_empty()).then(|| listen.to_owned());
        definition.auto_create = values.on("auto-create");
        definition.retention = retention;
        definition.max_bytes = size.map(|size| size * MIB);
        values.text("remark").clone_into(&mut definition.remark);
        Ok(Submit::Deed(Box::new(Deed::PutInstance(PutInstance {
            definition,
        }))))
    }

    fn preview(&self, values: &Values<'_>, _shared: &Shared) -> Vec<crate::ui::widget::line::Line> {
        let size = values.number("max-size", 1, u64::from(u32::MAX)).ok();
        size.map(|size| {
            crate::ui::widget::line::Line::muted(format!(
                "senders are refused over {}",
                numbers::bytes(size * MIB)
            ))
        })
        .into_iter()
        .collect()
    }
}
