//! What a consumer wants of a topic.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::names::TopicName;

/// A filter as written; the room `filter` parses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterExpression {
    /// `*`, one tag, or `a || b`.
    Tag(String),
    /// An SQL92 condition over properties.
    Sql(String),
}

impl FilterExpression {
    /// Takes every message.
    pub fn all() -> Self {
        Self::Tag("*".to_owned())
    }

    pub fn is_all(&self) -> bool {
        matches!(self, Self::Tag(tag) if matches!(tag.trim(), "" | "*"))
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Sql(text) => text,
        }
    }
}

impl Default for FilterExpression {
    fn default() -> Self {
        Self::all()
    }
}

impl fmt::Display for FilterExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(text) => write!(f, "tag {text}"),
            Self::Sql(text) => write!(f, "sql {text}"),
        }
    }
}

/// One topic of a group's subscription (G6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subscription {
    pub topic: TopicName,
    pub filter: FilterExpression,
}
