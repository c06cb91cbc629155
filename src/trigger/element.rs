//! The event of a batch: a JSON array with one element per message (S-6, TR-10…14).
//!
//! A JSON body is spliced in as its own compacted text, never through a value: key order, duplicate keys and numbers of
//! any size survive.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::cluster::messaging::Delivery;
use crate::domain::instance::InstanceDefinition;
use crate::domain::message::{BodyEncoding, Message, Properties, key};
use crate::domain::names::TriggerName;
use crate::domain::trigger::{BodyDataType, EventSchema};

/// Deepest nesting of a body that is taken as JSON (SAFE-11); a deeper one goes as text.
pub const MAX_DEPTH: usize = 128;
/// Largest body after decompression, in bytes; a larger one goes as it is stored.
const MAX_INFLATED: u64 = 32 * 1024 * 1024;

/// What the elements of one trigger have in common.
#[derive(Debug, Clone)]
pub struct ElementFormat {
    pub trigger: TriggerName,
    pub instance: InstanceDefinition,
    pub account_id: String,
    pub schema: EventSchema,
    pub body: BodyDataType,
}

/// One message as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub json: String,
    /// The body should have been text and was not; it went as base64 (TR-13).
    pub not_text: bool,
}

impl ElementFormat {
    pub fn element(&self, delivery: &Delivery) -> Element {
        let message = &*delivery.message;
        let (body, not_text) = self.body_json(message);
        let raw = format!(
            "{{\"msgId\":{},\"topic\":{},\"systemProperties\":{},\"userProperties\":{},\"body\":{body}}}",
            quoted(message.id.as_str()),
            quoted(message.topic.as_str()),
            object(&self.system_properties(delivery)),
            object(&message.properties),
        );
        let json = match self.schema {
            EventSchema::RawData => raw,
            EventSchema::CloudEvents => self.cloud_event(message, &raw),
        };
        Element { json, not_text }
    }

    /// In the order and shape of the cloud (S-6, S-7): every value is text.
    fn system_properties(&self, delivery: &Delivery) -> Properties {
        let message = &*delivery.message;
        let mut properties = Properties::new();
        let mut set = |name: &str, value: String| properties.set(name, value);
        set(key::MSG_REGION, self.instance.region.clone());
        set(key::MIN_OFFSET, delivery.min_offset.to_string());
        set(key::UNIQ_KEY, message.id.as_str().to_owned());
        set(key::TRACE_ON, "true".to_owned());
        set(key::PGROUP, message.topic.as_str().to_owned());
        set(key::CLUSTER, self.instance.cluster_name());
        set(key::BORN_HOST, message.born_host.clone());
        set(key::WAIT, "true".to_owned());
        set(key::BORN_TIMESTAMP, message.born_at.as_millis().to_string());
        set(key::INSTANCE_ID, self.instance.id.as_str().to_owned());
        // What the broker counted, not the trigger's own attempts (TR-27).
        set(
            key::RECONSUME_TIME,
            delivery.attempt.saturating_sub(1).to_string(),
        );
        set(key::MAX_OFFSET, delivery.max_offset.to_string());
        if let Some(tag) = &message.tag {
            set(key::TAGS, tag.clone());
        }
        if !message.keys.is_empty() {
            set(key::KEYS, message.keys.join(" "));
        }
        if let Some(group) = &message.message_group {
            set("__SHARDINGKEY", group.clone());
        }
        for (name, value) in message.system.iter() {
            set(name, value.to_owned());
        }
        properties
    }

    fn body_json(&self, message: &Message) -> (String, bool) {
        let body = plain_body(message);
        if self.body == BodyDataType::Binary {
            return (quoted(&STANDARD.encode(&body)), false);
        }
        let Ok(text) = std::str::from_utf8(&body) else {
            return (quoted(&STANDARD.encode(&body)), true);
        };
        let json = match self.body {
            BodyDataType::Json => compact_json(text),
            BodyDataType::Text | BodyDataType::Binary => None,
        };
        (json.unwrap_or_else(|| quoted(text)), false)
    }

    /// The wrapping of TR-11.
    fn cloud_event(&self, message: &Message, data: &str) -> String {
        let source = format!("RocketMQ-Function-{}", self.trigger);
        let region = &self.instance.region;
        let published = message.stored_at.to_string();
        let subject = format!(
            "acs:mq:{region}:{}:{}%{}",
            self.account_id, self.instance.id, message.topic
        );
        let attributes: Properties = [
            ("id", message.id.as_str()),
            ("source", &source),
            ("specversion", "1.0"),
            ("type", "mq:Topic:SendMessage"),
            ("datacontenttype", "application/json; charset=utf-8"),
            ("subject", &subject),
            ("time", &published),
            ("aliyunaccountid", &self.account_id),
            ("aliyunpublishtime", &published),
            ("aliyunoriginalaccountid", &self.account_id),
            ("aliyuneventbusname", &source),
            ("aliyunregionid", region),
            ("aliyunpublishaddr", &message.born_host),
        ]
        .into_iter()
        .collect();
        let attributes = object(&attributes);
        let open = attributes.strip_suffix('}').unwrap_or(&attributes);
        format!("{open},\"data\":{data}}}")
    }
}

/// The array of all elements (TR-3).
pub fn event<'a>(elements: impl Iterator<Item = &'a Element>) -> Bytes {
    let mut json = String::from("[");
    for (at, element) in elements.enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push_str(&element.json);
    }
    json.push(']');
    json.into()
}

fn plain_body(message: &Message) -> Bytes {
    if message.encoding == BodyEncoding::Identity {
        return message.body.clone();
    }
    let mut plain = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(&*message.body).take(MAX_INFLATED + 1);
    match reader.read_to_end(&mut plain) {
        Ok(_) if plain.len() as u64 <= MAX_INFLATED => plain.into(),
        _ => message.body.clone(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn object(properties: &Properties) -> String {
    let members: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The same JSON without blanks between its tokens; `None` when it is not JSON or nested deeper than [`MAX_DEPTH`].
fn compact_json(text: &str) -> Option<String> {
    // Validates without building a value, so numbers keep their text and keys their order.
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let mut compact = String::with_capacity(raw.get().len());
    let (mut in_string, mut escaped, mut depth) = (false, false, 0_usize);
    for c in raw.get().chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                ' ' | '\t' | '\n' | '\r' => continue,
                '"' => in_string = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth -= 1,
                _ => {}
            }
            if depth > MAX_DEPTH {
                return None;
            }
        }
        compact.push(c);
    }
    Some(compact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_bodies_keep_their_text_but_for_blanks() {
        let text = "{ \"n\": 1e400,\n \"big\": 1180591620717411303424, \"a b\": \" x \\\" y \", \"n\": [1, 2] }";
        assert_eq!(
            compact_json(text).as_deref(),
            Some("{\"n\":1e400,\"big\":1180591620717411303424,\"a b\":\" x \\\" y \",\"n\":[1,2]}")
        );
        assert_eq!(compact_json("{\"open\": "), None);
        assert_eq!(compact_json("hello"), None);
    }

    #[test]
    fn nesting_is_bounded_safe11() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(compact_json(&nested(128)).is_some());
        assert!(compact_json(&nested(129)).is_none());
        assert!(compact_json(&nested(100_000)).is_none());
    }
}
