//! What is typed, judged: problems by field, the body's fault, the message it would become, and its command line.

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;

use crate::cluster::messaging::Resolution;
use crate::domain::instance::MAX_DELAY;
use crate::domain::message::{
    Draft, HalfDraft, MAX_BODY, MESSAGE_GROUP_LIMIT, Message, MessageType, is_reserved_key,
};
use crate::domain::span::parse_span;
use crate::domain::timestamp::Timestamp;
use crate::ui::dialog::send::stored::Typed;
use crate::ui::dialog::send::{Mode, SendDialog, Spot, words};
use crate::ui::effect::SendPlan;
use crate::ui::pane::message::unpacked;
use crate::ui::placeholder::{self, Filling};
use crate::ui::state::Shared;
use crate::ui::widget::hex;
use crate::ui::widget::json::{self, JsonFault};
use crate::ui::widget::numbers;

/// Bodies over this are not checked while typing.
const CHECK_LIMIT: usize = 256 * 1024;
/// Most messages of one send.
const MAX_REPEAT: u64 = 1_000_000;

/// What is wrong, and what the first message would be.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub problems: Vec<(Spot, String)>,
    /// Where the body is no JSON.
    pub fault: Option<JsonFault>,
    /// Bytes of the first message.
    pub bytes: usize,
    /// The body has placeholders.
    pub fills: bool,
    /// The first line of the filled-in body, for the preview.
    pub preview: String,
}

/// Types the topic takes.
pub(super) fn kinds(dialog: &SendDialog, shared: &Shared) -> Vec<MessageType> {
    let row = dialog
        .topic_name()
        .and_then(|name| shared.newest.topic(name));
    match row.and_then(crate::ui::pane::topics::only_type) {
        Some(kind) => vec![kind],
        None => MessageType::ALL.to_vec(),
    }
}

pub(super) fn check(dialog: &SendDialog, shared: &Shared) -> Verdict {
    let mut verdict = Verdict::default();
    if dialog.topic_name().is_none() {
        let text = "no topic yet: close this and add one with a".to_owned();
        verdict.problems.push((Spot::Topic, text));
    }
    if !kinds(dialog, shared).contains(&dialog.kind) {
        let text = "the topic does not take this type".to_owned();
        verdict.problems.push((Spot::Kind, text));
    }
    let fields = [
        (Spot::Tag, tag(dialog)),
        (Spot::Group, group(dialog)),
        (
            Spot::Deliver,
            deliver_at(dialog, shared.times.now).map(|_| ()),
        ),
        (Spot::Priority, priority(dialog).map(|_| ())),
        (
            Spot::Properties,
            properties(dialog.properties.text()).map(|_| ()),
        ),
        (Spot::Repeat, repeat(dialog).map(|_| ())),
        (Spot::Every, every(dialog).map(|_| ())),
    ];
    for (spot, result) in fields {
        if let Err(problem) = result
            && dialog.is_open(spot)
        {
            verdict.problems.push((spot, problem));
        }
    }
    body(dialog, shared, &mut verdict);
    verdict
}

fn body(dialog: &SendDialog, shared: &Shared, verdict: &mut Verdict) {
    let text = dialog.body.text();
    if dialog.mode == Mode::Hex {
        match hex::decode(&text) {
            Ok(bytes) => verdict.bytes = bytes.len(),
            Err(problem) => verdict.problems.push((Spot::Body, problem)),
        }
    } else {
        let filled = first_filled(&text, shared.times.now);
        verdict.fills = filled != text;
        verdict.bytes = filled.len();
        verdict.preview = filled
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(200)
            .collect();
        if dialog.mode == Mode::Json && text.len() <= CHECK_LIMIT {
            verdict.fault = json::check(&filled);
        }
    }
    if verdict.bytes == 0 {
        verdict
            .problems
            .push((Spot::Body, "the body is empty".to_owned()));
    } else if verdict.bytes > MAX_BODY {
        let text = format!(
            "{} are too many, at most {} are allowed",
            numbers::bytes(verdict.bytes as u64),
            numbers::bytes(MAX_BODY as u64)
        );
        verdict.problems.push((Spot::Body, text));
    }
}

fn first_filled(text: &str, now: Timestamp) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    let mut filling = Filling {
        number: 1,
        now,
        random: &mut |_| 0,
    };
    placeholder::fill(text, &mut filling)
}

fn tag(dialog: &SendDialog) -> Result<(), String> {
    let tag = dialog.tag.text().trim();
    if tag.contains('|') || tag.chars().any(char::is_control) {
        return Err("a tag has no `|` and no control characters".to_owned());
    }
    Ok(())
}

fn keys(dialog: &SendDialog) -> Vec<String> {
    let words = dialog.keys.text().split_whitespace();
    words.map(str::to_owned).collect()
}

fn group(dialog: &SendDialog) -> Result<(), String> {
    let group = dialog.group.text().trim();
    if group.is_empty() {
        return Err("FIFO messages need a message group".to_owned());
    }
    if group.len() >= MESSAGE_GROUP_LIMIT {
        return Err(format!("shorter than {MESSAGE_GROUP_LIMIT} bytes"));
    }
    Ok(())
}

/// A span from now, or a moment.
fn deliver_at(dialog: &SendDialog, now: Timestamp) -> Result<Timestamp, String> {
    let text = dialog.deliver.text().trim();
    if text.is_empty() {
        return Err("when: 30s, 5m, or 2026-06-12T20:00:00Z".to_owned());
    }
    let at = match parse_span(text) {
        Some(span) => now + span,
        None => Timestamp::parse(text).ok_or("a span such as 30s, or a moment")?,
    };
    if at.since(now) > MAX_DELAY {
        return Err("at most 40 days ahead".to_owned());
    }
    Ok(at)
}

fn priority(dialog: &SendDialog) -> Result<u32, String> {
    let text = dialog.priority.text().trim();
    text.parse()
        .map_err(|_| "a number, higher comes first".to_owned())
}

fn repeat(dialog: &SendDialog) -> Result<u32, String> {
    let text = dialog.repeat.text().trim().replace([',', '_'], "");
    match text.parse::<u64>() {
        Ok(count) if (1..=MAX_REPEAT).contains(&count) => Ok(count as u32),
        _ => Err(format!("1 to {}", numbers::count(MAX_REPEAT))),
    }
}

fn every(dialog: &SendDialog) -> Result<Duration, String> {
    parse_span(dialog.every.text()).ok_or_else(|| "a time such as 200ms".to_owned())
}

/// User properties as typed; names that belong to the broker are refused.
pub(super) fn properties(text: &str) -> Result<Vec<(String, String)>, String> {
    let found = words::read(text)?;
    match found.iter().find(|(name, _)| is_reserved_key(name)) {
        Some((name, _)) => Err(format!("`{name}` is reserved by the broker")),
        None => Ok(found),
    }
}

/// What Send does, or the field that stands in its way.
pub(super) fn plan(dialog: &SendDialog, shared: &Shared) -> Result<SendPlan, (Spot, String)> {
    let at = |spot: Spot| move |problem: String| (spot, problem);
    let topic = dialog
        .topic_name()
        .cloned()
        .ok_or((Spot::Topic, "no topic".to_owned()))?;
    let text = dialog.body.text();
    let body = match dialog.mode {
        Mode::Hex => Bytes::from(hex::decode(&text).map_err(at(Spot::Body))?),
        _ => Bytes::from(text),
    };
    let mut draft = Draft::new(topic, body);
    let tag = dialog.tag.text().trim();
    draft.tag = (!tag.is_empty()).then(|| tag.to_owned());
    draft.keys = keys(dialog);
    draft.properties = properties(dialog.properties.text())
        .map_err(at(Spot::Properties))?
        .into_iter()
        .collect();
    let mut then = None;
    match dialog.kind {
        MessageType::Normal => {}
        MessageType::Fifo => {
            group(dialog).map_err(at(Spot::Group))?;
            draft.message_group = Some(dialog.group.text().trim().to_owned());
        }
        MessageType::Delay => {
            let due = deliver_at(dialog, shared.times.now).map_err(at(Spot::Deliver))?;
            draft.deliver_at = Some(due);
        }
        MessageType::Priority => {
            draft.priority = Some(priority(dialog).map_err(at(Spot::Priority))?);
        }
        MessageType::Transaction => {
            draft.transaction = Some(HalfDraft::default());
            then = Some(match dialog.then {
                0 => Resolution::Commit,
                1 => Resolution::Rollback,
                _ => Resolution::Unknown,
            });
        }
    }
    Ok(SendPlan {
        template: draft,
        repeat: repeat(dialog).map_err(at(Spot::Repeat))?,
        every: every(dialog).map_err(at(Spot::Every))?,
        stop_on_error: dialog.stop_on_error,
        then,
        fill: dialog.mode != Mode::Hex,
        first: 1,
    })
}

/// The fields that would send a message again.
pub(super) fn typed_of(message: &Message) -> Typed {
    let (body, mode) = written(unpacked(message));
    Typed {
        topic: message.topic.to_string(),
        kind: message.message_type.as_str().to_owned(),
        tag: message.tag.clone().unwrap_or_default(),
        keys: message.keys.join(" "),
        group: message.message_group.clone().unwrap_or_default(),
        priority: message.priority.map(|p| p.to_string()).unwrap_or_default(),
        properties: words::write(message.properties.iter()),
        body,
        mode: mode.name().to_owned(),
        ..Typed::default()
    }
}

/// The fields that would send a draft.
pub(super) fn typed_of_draft(draft: &Draft) -> Typed {
    let (body, mode) = written(draft.body.to_vec());
    Typed {
        topic: draft.topic.to_string(),
        kind: draft.message_type().as_str().to_owned(),
        tag: draft.tag.clone().unwrap_or_default(),
        keys: draft.keys.join(" "),
        group: draft.message_group.clone().unwrap_or_default(),
        properties: words::write(draft.properties.iter()),
        body,
        mode: mode.name().to_owned(),
        ..Typed::default()
    }
}

/// Bytes as they are edited.
fn written(bytes: Vec<u8>) -> (String, Mode) {
    match String::from_utf8(bytes) {
        // Control characters other than line breaks and tabs are edited as hex.
        Ok(text)
            if text
                .chars()
                .any(|c| c.is_control() && !"\n\r\t".contains(c)) =>
        {
            (hex::encode(text.as_bytes()), Mode::Hex)
        }
        Ok(text) if json::check(&text).is_none() && text.len() <= CHECK_LIMIT => {
            (json::format(&text), Mode::Json)
        }
        Ok(text) => (text, Mode::Text),
        Err(error) => (hex::encode(error.as_bytes()), Mode::Hex),
    }
}

/// The command that sends what is typed.
pub(super) fn command_line(dialog: &SendDialog) -> String {
    let typed = dialog.typed_now();
    let body = match dialog.mode {
        Mode::Hex => hex::decode(&typed.body).unwrap_or_default(),
        _ => typed.body.clone().into_bytes(),
    };
    let words = dialog.properties.text();
    let known = properties(words).unwrap_or_default();
    let pairs: Vec<(&str, &str)> = known
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    command(&typed, &pairs, &body)
}

/// The command that sends a message like this one.
pub fn command_of(message: &Message) -> String {
    let typed = typed_of(message);
    let pairs: Vec<(&str, &str)> = message.properties.iter().collect();
    command(&typed, &pairs, &unpacked(message))
}

fn command(typed: &Typed, properties: &[(&str, &str)], body: &[u8]) -> String {
    let mut out = format!("moonport send --topic {}", quoted(&typed.topic));
    let mut option = |name: &str, value: &str| {
        if !value.trim().is_empty() {
            out.push_str(&format!(" --{name} {}", quoted(value.trim())));
        }
    };
    if typed.kind != MessageType::Normal.as_str() {
        option("type", &typed.kind);
    }
    option("tag", &typed.tag);
    for key in typed.keys.split_whitespace() {
        option("key", key);
    }
    for (name, value) in properties {
        option("property", &format!("{name}={value}"));
    }
    match typed.kind.as_str() {
        "FIFO" => option("message-group", &typed.group),
        "DELAY" if parse_span(&typed.deliver).is_some() => option("delay", &typed.deliver),
        "DELAY" => option("at", &typed.deliver),
        "PRIORITY" => option("priority", &typed.priority),
        _ => {}
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.chars().any(|c| c.is_control() && c != '\n') => {
            out.push_str(&format!(" --body {}", quoted(text)));
            out
        }
        _ => {
            let text = base64::engine::general_purpose::STANDARD.encode(body);
            format!("echo {text} | base64 -d | {out} --body-file -")
        }
    }
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_broker_are_refused_as_properties() {
        assert!(properties("source=console").is_ok());
        assert!(properties("TAGS=x").is_err());
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("plain-1"), "plain-1");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
