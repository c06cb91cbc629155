//! Drafts, history and templates of the send dialog as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ui::effect::Effect;
use crate::ui::state::Shared;

/// Most sent messages remembered.
const KEPT: usize = 200;
/// Bodies over this are not remembered.
const MOST_BODY: usize = 256 * 1024;

/// The fields of the dialog as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    pub topic: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub tag: String,
    pub keys: String,
    pub group: String,
    pub deliver: String,
    pub priority: String,
    pub then: String,
    pub properties: String,
    pub body: String,
    pub mode: String,
    /// Ids this was sent under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

/// The draft of a topic, if one is kept.
pub(super) fn draft(shared: &Shared, topic: &str) -> Option<Typed> {
    drafts(shared).remove(topic)
}

fn drafts(shared: &Shared) -> BTreeMap<String, Typed> {
    let text = shared.memory.get("drafts").map_or("", String::as_str);
    serde_json::from_str(text).unwrap_or_default()
}

/// Keeps a topic's draft across closing and restarting.
pub(super) fn keep_draft(shared: &mut Shared, typed: Typed) -> Option<Effect> {
    if typed.body.len() > MOST_BODY {
        return None;
    }
    let mut all = drafts(shared);
    all.insert(typed.topic.clone(), typed);
    remember(shared, "drafts", &all)
}

/// Sent messages, oldest first.
pub(super) fn history(shared: &Shared) -> Vec<Typed> {
    let text = shared.memory.get("history").map_or("", String::as_str);
    serde_json::from_str(text).unwrap_or_default()
}

/// Adds a sent message; the same content again moves to the end.
pub(super) fn keep_sent(shared: &mut Shared, typed: Typed) -> Option<Effect> {
    if typed.body.len() > MOST_BODY {
        return None;
    }
    let mut all = history(shared);
    all.retain(|known| {
        let same = Typed {
            ids: typed.ids.clone(),
            ..known.clone()
        };
        same != typed
    });
    all.push(typed);
    let over = all.len().saturating_sub(KEPT);
    all.drain(..over);
    remember(shared, "history", &all)
}

fn remember<T: Serialize>(shared: &mut Shared, name: &'static str, value: &T) -> Option<Effect> {
    let text = serde_json::to_string(value).ok()?;
    shared.memory.insert(name, text.clone());
    Some(Effect::Remember(name, text))
}

/// Names of the templates in the configuration folder.
pub(super) fn templates(shared: &Shared) -> Vec<String> {
    let names = shared.settings.templates.iter();
    names.map(|(name, _)| name.clone()).collect()
}

/// A template: the fields it names are filled in, the others stay.
pub(super) fn template(shared: &Shared, name: &str) -> Option<Typed> {
    let all = &shared.settings.templates;
    let (_, text) = all.iter().find(|(known, _)| known == name)?;
    serde_json::from_str(text).ok()
}
