//! Find messages: by time, key, id or offset.

use crate::cluster::admin::MessageQuery;
use crate::domain::ids::MessageId;
use crate::domain::names::TopicName;
use crate::domain::span::parse_span;
use crate::domain::timestamp::Timestamp;
use crate::ui::dialog::form::{Fault, Field, FormSpec, Kind, Submit, Values};
use crate::ui::pane::{Command, Goto};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId};

pub struct FindForm {
    topics: Vec<String>,
    topic: String,
    by: &'static str,
}

const BY: [&str; 5] = ["newest", "time", "key", "id", "offset"];

impl FindForm {
    pub fn new(now: Option<&MessageQuery>, shared: &Shared) -> Self {
        let rows = shared.newest.topics.rows.iter();
        let mut topics: Vec<String> = rows.map(|row| row.definition.name.to_string()).collect();
        let (topic, by) = match now {
            Some(MessageQuery::Key { topic, .. }) => (topic.to_string(), "key"),
            Some(MessageQuery::Offset { topic, .. }) => (topic.to_string(), "offset"),
            Some(MessageQuery::Time {
                topic, from, to, ..
            }) => {
                let by = if from.is_some() || to.is_some() {
                    "time"
                } else {
                    "key"
                };
                (topic.to_string(), by)
            }
            Some(MessageQuery::Id(_)) | None => (String::new(), "id"),
        };
        if !topic.is_empty() && !topics.contains(&topic) {
            topics.push(topic.clone());
        }
        Self { topics, topic, by }
    }
}

/// A moment, or how long ago.
fn moment(
    values: &Values<'_>,
    key: &'static str,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    match values.text(key) {
        "" => Ok(None),
        text => parse_span(text)
            .map(|span| now - span)
            .or_else(|| Timestamp::parse(text))
            .map(Some)
            .ok_or_else(|| Fault::new(key, "an age such as 15m, or a moment")),
    }
}

impl FormSpec for FindForm {
    fn title(&self) -> String {
        "Find messages".to_owned()
    }

    fn verb(&self) -> &'static str {
        "Find"
    }

    fn fields(&self) -> Vec<Field> {
        let by = BY.iter().map(|by| (*by).to_owned()).collect();
        vec![
            Field::choice("by", by, self.by, "what is known of it"),
            Field::choice("topic", self.topics.clone(), &self.topic, "where to look"),
            Field::text("key", "", "one of its message keys"),
            Field::text("id", "", "its message id; found in every topic"),
            Field::text(
                "from",
                "15m",
                "stored at or after: 15m ago, or 2026-06-12T20:00:00Z",
            ),
            Field::text("to", "", "stored at or before; empty is now"),
            Field::text("queue", "0", "number of the queue"),
            Field::text("offset", "0", "first offset shown"),
        ]
    }

    fn adapt(&self, fields: &mut [Field]) {
        let by = fields.iter().find_map(|f| match (&f.kind, f.key) {
            (Kind::Choice { options, at }, "by") => options.get(*at).cloned(),
            _ => None,
        });
        let by = by.unwrap_or_default();
        for field in fields.iter_mut() {
            let wants = match field.key {
                "key" => by == "key",
                "id" => by == "id",
                "from" | "to" => by == "time",
                "queue" | "offset" => by == "offset",
                "topic" => by != "id",
                _ => true,
            };
            field.fixed = (!wants).then_some("not for this way of finding");
        }
    }

    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        let topic = || {
            TopicName::new(values.text("topic"))
                .map_err(|_| vec![Fault::new("topic", "there is no topic yet")])
        };
        let now = shared.times.now;
        let query = match values.text("by") {
            "key" => {
                let key = values.text("key");
                if key.is_empty() {
                    return Err(one(Fault::new("key", "a key is needed")));
                }
                MessageQuery::Key {
                    topic: topic()?,
                    key: key.to_owned(),
                    from: None,
                    to: None,
                }
            }
            "id" => {
                let id = MessageId::new(values.text("id"));
                MessageQuery::Id(id.ok_or_else(|| one(Fault::new("id", "a message id is needed")))?)
            }
            "offset" => MessageQuery::Offset {
                topic: topic()?,
                queue: values.number("queue", 0, 1023).map_err(one)? as u32,
                offset: values.number("offset", 0, u64::MAX).map_err(one)?,
            },
            "time" => MessageQuery::Time {
                topic: topic()?,
                from: moment(values, "from", now).map_err(one)?,
                to: moment(values, "to", now).map_err(one)?,
                newest_first: true,
            },
            _ => crate::ui::pane::messages::newest(topic()?),
        };
        let goto = Goto::new(PaneId::Messages, Focus::Find(Box::new(query)));
        Ok(Submit::Commands(vec![Command::Go(goto)]))
    }
}
