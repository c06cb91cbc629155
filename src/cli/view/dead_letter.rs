//! Rows of dead letters. What failed is in the letter's system properties.

use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::value::or_dash;
use crate::cli::view::message::MessageView;
use crate::cluster::admin::ResendOutcome;
use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Place, key};

#[derive(Debug, Serialize)]
pub struct DeadLetterView {
    pub origin_topic: Option<String>,
    pub origin_message_id: Option<String>,
    pub group: Option<String>,
    pub trigger: Option<String>,
    pub error: Option<String>,
    pub attempts: Option<String>,
    #[serde(flatten)]
    pub message: MessageView,
}

impl DeadLetterView {
    pub fn new(message: &Message) -> Self {
        let note = |name: &str| {
            let name = format!("{}{name}", key::DEAD_LETTER_NOTE);
            message.system.get(&name).map(str::to_owned)
        };
        let system = |name: &str| message.system.get(name).map(str::to_owned);
        let group = message.topic.dead_letter_group();
        Self {
            origin_topic: note("ORIGIN_TOPIC").or_else(|| system(key::DLQ_ORIGIN_TOPIC)),
            origin_message_id: note("ORIGIN_MSG_ID").or_else(|| system(key::DLQ_ORIGIN_MESSAGE_ID)),
            group: note("GROUP").or_else(|| group.map(|group| group.to_string())),
            trigger: note("TRIGGER"),
            error: note("ERROR_MESSAGE").or_else(|| note("ERROR_TYPE")),
            attempts: note("ATTEMPTS"),
            message: MessageView::new(message),
        }
    }

    /// Whether `id` names this letter or the message it was.
    pub fn is(&self, id: &MessageId) -> bool {
        self.message.message_id == *id || self.origin_message_id.as_deref() == Some(id.as_str())
    }

    pub fn place(&self) -> Place {
        Place {
            topic: self.message.topic.clone(),
            queue: self.message.queue,
            offset: self.message.offset,
        }
    }
}

impl Row for DeadLetterView {
    const COLUMNS: &'static [Column] = &[
        left("DIED"),
        left("MESSAGE"),
        left("GROUP"),
        left("ORIGIN TOPIC"),
        left("ORIGIN MESSAGE"),
        right("ATTEMPTS"),
        left("ERROR"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.message.stored_at.to_string(),
            self.message.message_id.to_string(),
            or_dash(self.group.as_ref()),
            or_dash(self.origin_topic.as_ref()),
            or_dash(self.origin_message_id.as_ref()),
            or_dash(self.attempts.as_ref()),
            or_dash(self.error.as_ref()),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct ResendView {
    pub letter: String,
    pub message_id: Option<MessageId>,
    pub error: Option<String>,
}

impl ResendView {
    pub fn new(outcome: &ResendOutcome) -> Self {
        Self {
            letter: outcome.letter.to_string(),
            message_id: outcome.result.as_ref().ok().cloned(),
            error: outcome.result.as_ref().err().map(ToString::to_string),
        }
    }
}

impl Row for ResendView {
    const COLUMNS: &'static [Column] = &[left("LETTER"), left("MESSAGE"), left("ERROR")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.letter.clone(),
            or_dash(self.message_id.as_ref()),
            or_dash(self.error.as_ref()),
        ]
    }
}
