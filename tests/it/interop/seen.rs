//! What a scenario program saw, in its order, and questions to it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

#[derive(Debug, Default)]
pub(super) struct Seen(Vec<Value>);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.0 {
            write!(f, "\n  {event}")?;
        }
        Ok(())
    }
}

impl Seen {
    pub(super) fn push(&mut self, event: Value) {
        self.0.push(event);
    }

    pub(super) fn all(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|event| event["saw"] == kind).collect()
    }

    /// What it saw between two marks of its own; to the end, without the second.
    pub(super) fn between(&self, from: &str, to: Option<&str>) -> Self {
        let place = |kind: &str| self.0.iter().position(|event| event["saw"] == kind);
        let start = place(from).unwrap_or(self.0.len());
        let end = to.and_then(place).unwrap_or(self.0.len());
        Self(self.0.get(start..end).unwrap_or_default().to_vec())
    }

    /// One field of each event of a kind.
    pub(super) fn field(&self, kind: &str, field: &str) -> Vec<Value> {
        self.all(kind).iter().map(|e| e[field].clone()).collect()
    }

    /// As [`Seen::field`], sorted.
    pub(super) fn sorted(&self, kind: &str, field: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .field(kind, field)
            .iter()
            .map(|value| value.as_str().unwrap_or_default().to_owned())
            .collect();
        values.sort();
        values
    }

    /// Bodies received, by message group.
    pub(super) fn by_group(&self) -> BTreeMap<String, Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in self.all("received") {
            let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
            groups.entry(text("group")).or_default().push(text("body"));
        }
        groups
    }
}
