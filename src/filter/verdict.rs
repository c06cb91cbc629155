//! What a filter says about one message, and why.

use std::fmt;

/// The outcome of a filter on one message; only [`Verdict::True`] delivers (P5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    True,
    False,
    /// SQL's unknown: a property that the answer depends on is missing.
    Null,
    /// The text of a property could not be read as the expression asks.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Null => "NULL",
            Self::Error => "ERROR",
        })
    }
}

/// A verdict with its reason as one line of prose. Property values in it are shortened and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub verdict: Verdict,
    pub reason: String,
}

/// Longest stretch of foreign text that is repeated to a person, in characters.
const SHOWN_CHARS: usize = 48;

/// Foreign text in backticks, made safe for one line.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("`");
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_CHARS, quoted};

    #[test]
    fn foreign_text_is_shortened_and_stays_on_one_line() {
        assert_eq!(quoted("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(
            quoted(&"x".repeat(999)).chars().count(),
            SHOWN_CHARS + "`…`".chars().count()
        );
    }
}
