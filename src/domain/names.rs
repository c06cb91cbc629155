//! Names of topics, groups, functions, triggers, instances and clients, checked when made.
//!
//! Validation order (rule N): blank, length, charset, reserved.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a name is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the {kind} name is blank")]
    Blank { kind: &'static str },
    #[error("the {kind} name `{name}` is {length} characters long, at most {max} are allowed")]
    TooLong {
        kind: &'static str,
        name: String,
        length: usize,
        max: usize,
    },
    #[error("the {kind} name `{name}` holds {found:?}; allowed are {allowed}")]
    BadCharacter {
        kind: &'static str,
        name: String,
        found: char,
        allowed: &'static str,
    },
    #[error("the {kind} name `{name}` is reserved by the broker")]
    Reserved { kind: &'static str, name: String },
}

/// Prefix of a group's retry topic (D6).
pub const RETRY_PREFIX: &str = "%RETRY%";
/// Prefix of a group's dead letter topic (Q2).
pub const DEAD_LETTER_PREFIX: &str = "%DLQ%";

/// Topics only the broker itself may create (N7).
pub const RESERVED_TOPICS: &[&str] = &[
    "TBW102",
    "SCHEDULE_TOPIC_XXXX",
    "BenchmarkTest",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRACE_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
    "CHECKPOINT_TOPIC",
];

/// Prefixes no user topic may have (N8).
pub const RESERVED_TOPIC_PREFIXES: &[&str] = &[
    "rmq_sys_",
    RETRY_PREFIX,
    DEAD_LETTER_PREFIX,
    "rocketmq-broker-",
    "rocketmq-proxy-",
];

/// The suffix of reply topics, reserved too (N8).
pub const RESERVED_TOPIC_SUFFIX: &str = "_REPLY_TOPIC";

/// Groups only the broker itself may create (N9).
pub const RESERVED_GROUPS: &[&str] = &[
    "DEFAULT_CONSUMER",
    "DEFAULT_PRODUCER",
    "TOOLS_CONSUMER",
    "SCHEDULE_CONSUMER",
    "FILTERSRV_CONSUMER",
    "__MONITOR_CONSUMER",
    "CLIENT_INNER_PRODUCER",
    "SELF_TEST_P_GROUP",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
    "CID_ONSAPI_PULL",
    "CID_RMQ_SYS_TRANS",
    "CID_HOUSEKEEPING",
];

const WORD_CHARS: &str = "letters, digits, `_`, `-` and `%`";

fn check(
    kind: &'static str,
    name: &str,
    max: usize,
    allowed: &'static str,
    admits: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    if name.trim().is_empty() {
        return Err(NameError::Blank { kind });
    }
    let length = name.chars().count();
    if length > max {
        return Err(NameError::TooLong {
            kind,
            name: name.chars().take(40).collect(),
            length,
            max,
        });
    }
    match name.chars().find(|c| !admits(*c)) {
        Some(found) => Err(NameError::BadCharacter {
            kind,
            name: name.to_owned(),
            found,
            allowed,
        }),
        None => Ok(()),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '%')
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the name; the error says which rule it breaks.
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                let name: String = name.into();
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(&name)?;
                Ok(Self(name.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// A topic: letters, digits, `_`, `-`, `%`; at most 255 characters, of which a user may choose 127 (N3, N4).
    TopicName,
    |name| check("topic", name, 255, WORD_CHARS, is_word)
);

name_type!(
    /// A consumer group: same characters as a topic, at most 120 (N5).
    GroupName,
    |name| check("group", name, 120, WORD_CHARS, is_word)
);

name_type!(
    /// An instance id such as `rmq-sg-ycx4tph7q02` (N1); it names a folder, so it holds no path characters.
    InstanceId,
    |name| check("instance id", name, 128, "letters, digits, `_` and `-`", |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
    })
);

name_type!(
    /// A function: letters, digits, `_`, `-`; not starting with a digit or `-`; 1-64 characters.
    FunctionName,
    |name| {
        check("function", name, 64, "letters, digits, `_` and `-`", |c| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
        })?;
        match name.chars().next() {
            Some(found) if found.is_ascii_digit() || found == '-' => Err(NameError::BadCharacter {
                kind: "function",
                name: name.to_owned(),
                found,
                allowed: "a letter or `_` in first place",
            }),
            _ => Ok(()),
        }
    }
);

name_type!(
    /// A trigger: letters, digits, `_`, `-`; 1-128 characters.
    TriggerName,
    |name| check("trigger", name, 128, "letters, digits, `_` and `-`", |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
    })
);

name_type!(
    /// A sample event of a function: letters, digits, `_`, `-`, `.`; 1-64 characters.
    SampleName,
    |name| check("sample", name, 64, "letters, digits, `_`, `-` and `.`", |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
    })
);

name_type!(
    /// What a client calls itself, `host@pid@index@nanos` for most; opaque, without control characters.
    ClientId,
    |name| check("client id", name, 255, "printable characters", |c| !c.is_control())
);

impl TopicName {
    /// Longest name a user may give a topic (N4).
    pub const MAX_USER_LENGTH: usize = 127;

    /// Checks what only users must keep to: length 127 and no reserved name (N4, N7, N8).
    pub fn check_user_topic(&self) -> Result<(), NameError> {
        let name = self.as_str();
        if name.len() > Self::MAX_USER_LENGTH {
            return Err(NameError::TooLong {
                kind: "topic",
                name: name.to_owned(),
                length: name.len(),
                max: Self::MAX_USER_LENGTH,
            });
        }
        if self.is_reserved() {
            return Err(NameError::Reserved {
                kind: "topic",
                name: name.to_owned(),
            });
        }
        Ok(())
    }

    /// True for names that belong to the broker (N7, N8), retry and dead letter topics included.
    pub fn is_reserved(&self) -> bool {
        let name = self.as_str();
        RESERVED_TOPICS.contains(&name)
            || name.contains('%')
            || name.ends_with(RESERVED_TOPIC_SUFFIX)
            || RESERVED_TOPIC_PREFIXES
                .iter()
                .any(|prefix| starts_with_ignoring_case(name, prefix))
    }

    /// The dead letter topic of a group (Q2).
    pub fn dead_letter_of(group: &GroupName) -> Self {
        Self(format!("{DEAD_LETTER_PREFIX}{group}").into())
    }

    /// The group whose dead letters this topic holds, if it is such a topic.
    pub fn dead_letter_group(&self) -> Option<GroupName> {
        let group = self.as_str().strip_prefix(DEAD_LETTER_PREFIX)?;
        GroupName::new(group).ok()
    }
}

impl GroupName {
    /// Checks what only users must keep to: no reserved name (N9).
    pub fn check_user_group(&self) -> Result<(), NameError> {
        let name = self.as_str();
        if RESERVED_GROUPS.contains(&name)
            || starts_with_ignoring_case(name, "CID_RMQ_SYS_")
            || name.contains('%')
        {
            return Err(NameError::Reserved {
                kind: "group",
                name: name.to_owned(),
            });
        }
        Ok(())
    }
}

fn starts_with_ignoring_case(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_in_order_blank_length_charset_n3() {
        assert!(matches!(TopicName::new("  "), Err(NameError::Blank { .. })));
        assert!(matches!(
            TopicName::new("x".repeat(256)),
            Err(NameError::TooLong { max: 255, .. })
        ));
        assert!(matches!(
            TopicName::new("a b"),
            Err(NameError::BadCharacter { found: ' ', .. })
        ));
        assert!(TopicName::new("message-processing").is_ok());
    }

    #[test]
    fn reserved_names_are_refused_to_users_n7_n8_n9() {
        for name in [
            "TBW102",
            "%DLQ%g",
            "rmq_sys_x",
            "RMQ_SYS_x",
            "a_REPLY_TOPIC",
        ] {
            let topic = TopicName::new(name).unwrap();
            assert!(matches!(
                topic.check_user_topic(),
                Err(NameError::Reserved { .. })
            ));
        }
        let group = GroupName::new("CID_RMQ_SYS_x").unwrap();
        assert!(group.check_user_group().is_err());
    }

    #[test]
    fn dead_letter_topic_names_its_group_q2() {
        let group = GroupName::new("orders").unwrap();
        let topic = TopicName::dead_letter_of(&group);
        assert_eq!(topic.as_str(), "%DLQ%orders");
        assert_eq!(topic.dead_letter_group(), Some(group));
    }

    #[test]
    fn function_names_start_with_a_letter_or_underscore() {
        assert!(FunctionName::new("1st").is_err());
        assert!(FunctionName::new("_ok-1").is_ok());
    }
}
