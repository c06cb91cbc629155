//! Create or change a consumer group.

use crate::cluster::admin::{PutGroup, PutMode};
use crate::domain::group::{DeadLetterTarget, DeliveryOrder, FirstSeen, GroupDefinition};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::retry_policy::{MAX_RETRIES, RetryPolicy};
use crate::ui::dialog::form::{Fault, Field, FormSpec, Kind, Submit, Values};
use crate::ui::dialog::topic_form::free_name;
use crate::ui::effect::Deed;
use crate::ui::state::Shared;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;

pub struct GroupForm {
    old: Option<GroupDefinition>,
    topics: Vec<String>,
}

const NO_TOPIC: &str = "(none yet)";
const ORDERS: [&str; 2] = ["concurrent", "orderly"];
const POLICIES: [&str; 3] = ["documented", "fixed 3 s", "as the group is"];
const LETTERS: [&str; 2] = ["kept", "discarded"];

impl GroupForm {
    pub fn add(shared: &Shared) -> Self {
        let rows = shared.newest.topics.rows.iter();
        Self {
            old: None,
            topics: rows.map(|row| row.definition.name.to_string()).collect(),
        }
    }

    pub fn edit(definition: &GroupDefinition) -> Self {
        Self {
            old: Some(definition.clone()),
            topics: Vec::new(),
        }
    }

    fn policy(&self, values: &Values<'_>) -> RetryPolicy {
        match (values.text("retry"), &self.old) {
            ("as the group is", Some(old)) => old.retry_policy.clone(),
            ("fixed 3 s", _) => RetryPolicy::ORDERLY_DEFAULT,
            _ => RetryPolicy::Documented,
        }
    }
}

fn strings(options: &[&str]) -> Vec<String> {
    options.iter().map(|option| (*option).to_owned()).collect()
}

impl FormSpec for GroupForm {
    fn title(&self) -> String {
        match &self.old {
            None => "New consumer group".to_owned(),
            Some(old) => format!("Consumer group {}", old.name),
        }
    }

    fn verb(&self) -> &'static str {
        if self.old.is_some() { "Save" } else { "Create" }
    }

    fn fields(&self) -> Vec<Field> {
        let old = self.old.as_ref();
        let name = Field::text(
            "name",
            old.map_or("", |old| old.name.as_str()),
            "letters, digits, _ and -; at most 120",
        );
        let mut topics = vec![NO_TOPIC.to_owned()];
        topics.extend(self.topics.iter().cloned());
        let keeps = old.is_none_or(|old| old.dead_letter != DeadLetterTarget::Discard);
        let policies = if old.is_some() { POLICIES.len() } else { 2 };
        let policy = if old.is_some() {
            POLICIES[2]
        } else {
            POLICIES[0]
        };
        let mut fields = vec![
            if old.is_some() {
                name.fixed("a group keeps its name")
            } else {
                name
            },
            Field::choice(
                "order",
                strings(&ORDERS),
                old.map_or("concurrent", |old| old.order.as_str()),
                "orderly keeps the order within each message group",
            ),
            Field::text(
                "max-retries",
                old.map_or(16, |old| old.max_retries).to_string(),
                "0 to 1,000 deliveries after the first",
            ),
            Field::choice(
                "retry",
                strings(&POLICIES[..policies]),
                policy,
                "documented: 10 s, 30 s, 1 min … 2 h",
            ),
            Field::choice(
                "dead-letters",
                strings(&LETTERS),
                LETTERS[usize::from(!keeps)],
                "kept in %DLQ%<group>, or thrown away",
            ),
            Field::toggle(
                "receive",
                old.is_none_or(|old| old.consume_enabled),
                "off: members receive nothing",
            ),
        ];
        if old.is_none() {
            fields.push(Field::choice(
                "reads",
                topics,
                NO_TOPIC,
                "joins this topic now, so that nothing that comes is missed",
            ));
            fields.push(Field::choice(
                "offset",
                strings(&["latest", "earliest"]),
                "latest",
                "where it begins on a topic it has not read",
            ));
        }
        fields.push(Field::text(
            "remark",
            old.map_or("", |old| &old.remark),
            "for people",
        ));
        fields
    }

    fn adapt(&self, fields: &mut [Field]) {
        if self.old.is_some() {
            return;
        }
        let value_of = |key: &str| {
            fields
                .iter()
                .find(|f| f.key == key)
                .and_then(|f| match &f.kind {
                    Kind::Choice { options, at } => options.get(*at).cloned(),
                    _ => None,
                })
        };
        let orderly = value_of("order").as_deref() == Some("orderly");
        if let Some(Field {
            kind: Kind::Choice { at, .. },
            help,
            ..
        }) = fields.iter_mut().find(|f| f.key == "retry")
            && orderly
        {
            // Orderly groups wait a constant time, so that order is not lost meanwhile.
            *at = 1;
            "orderly groups wait a constant time".clone_into(help);
        }
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let mut faults = Vec::new();
        let name = match &self.old {
            Some(old) => Some(old.name.clone()),
            None => match GroupName::new(values.text("name"))
                .and_then(|name| name.check_user_group().map(|()| name))
            {
                Ok(name) => {
                    let rows = shared.newest.groups.rows.iter();
                    let taken = rows.map(|row| row.definition.name.to_string());
                    faults.extend(free_name(name.as_str(), taken).err());
                    Some(name)
                }
                Err(error) => {
                    faults.push(Fault::new("name", error.to_string()));
                    None
                }
            },
        };
        let retries = values
            .number("max-retries", 0, u64::from(MAX_RETRIES))
            .map_err(|fault| faults.push(fault));
        let (Some(name), Ok(retries), true) = (name, retries, faults.is_empty()) else {
            return Err(faults);
        };
        let order = if values.text("order") == "orderly" {
            DeliveryOrder::Orderly
        } else {
            DeliveryOrder::Concurrent
        };
        let now = shared.times.now;
        let mut definition = self
            .old
            .clone()
            .unwrap_or_else(|| GroupDefinition::new(name, order, now));
        definition.order = order;
        definition.max_retries = retries as u32;
        definition.retry_policy = self.policy(values);
        definition.consume_enabled = values.on("receive");
        let keeps = values.text("dead-letters") == "kept";
        match (&definition.dead_letter, keeps) {
            (_, false) => definition.dead_letter = DeadLetterTarget::Discard,
            (DeadLetterTarget::Discard, true) => definition.dead_letter = DeadLetterTarget::Own,
            _ => {}
        }
        if values.text("offset") == "earliest" {
            definition.first_seen = FirstSeen::Earliest;
        }
        values.text("remark").clone_into(&mut definition.remark);
        definition.auto = false;
        let join = TopicName::new(values.text("reads")).into_iter().collect();
        let mode = if self.old.is_some() {
            PutMode::Update
        } else {
            PutMode::Create
        };
        Ok(Submit::Deed(Box::new(Deed::PutGroup(PutGroup {
            definition,
            mode,
            join,
        }))))
    }

    fn preview(&self, values: &Values<'_>, _shared: &Shared) -> Vec<Line> {
        let policy = self.policy(values);
        let waits: Vec<String> = (1..=6).map(|n| numbers::span(policy.delay(n))).collect();
        vec![Line::muted(format!("waits: {} …", waits.join(", ")))]
    }
}
