//! Why a filter text is refused, where, and what would have been right.

use unicode_width::UnicodeWidthChar as _;

use super::MAX_CHARS;
use super::sql::MAX_DEPTH;

/// Characters shown on either side of the fault by [`FilterError::caret`].
const CONTEXT_CHARS: usize = 32;

/// A filter text that no subscription can use. Columns count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("the filter has `{length}` characters, at most `{MAX_CHARS}` are allowed")]
    TooLong { length: usize },
    #[error("expected {expected}, found {found} at column {column}")]
    Unexpected {
        column: usize,
        expected: &'static str,
        /// The offending piece in backticks, or `the end of the filter`.
        found: String,
        hint: Option<&'static str>,
    },
    #[error("expected {expected}, found `{literal}` at column {column}")]
    OutOfRange {
        column: usize,
        expected: &'static str,
        literal: String,
    },
    #[error("the {what} that opens at column {column} is never closed")]
    Unclosed {
        column: usize,
        what: &'static str,
        expected: &'static str,
    },
    #[error("parentheses, signs and NOTs nest deeper than `{MAX_DEPTH}` at column {column}")]
    TooDeep { column: usize },
}

impl FilterError {
    /// The character that is at fault, from 1; one past the last when something is missing at the end.
    pub fn column(&self) -> usize {
        match self {
            Self::TooLong { .. } => MAX_CHARS + 1,
            Self::Unexpected { column, .. }
            | Self::OutOfRange { column, .. }
            | Self::Unclosed { column, .. }
            | Self::TooDeep { column } => *column,
        }
    }

    /// What would have been accepted at that column.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "the end of the filter",
            Self::Unexpected { expected, .. }
            | Self::OutOfRange { expected, .. }
            | Self::Unclosed { expected, .. } => expected,
            Self::TooDeep { .. } => "fewer levels of nesting",
        }
    }

    /// What to write instead, where the mistake is a known one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unexpected { hint, .. } => *hint,
            _ => None,
        }
    }

    /// Two lines: the part of `text` around the fault, and a caret under it.
    pub fn caret(&self, text: &str) -> String {
        let fault = self.column().saturating_sub(1);
        let first = fault.saturating_sub(CONTEXT_CHARS);
        let mut line = String::from(if first > 0 { "…" } else { "" });
        let mut indent = usize::from(first > 0);
        let mut characters = text.chars().skip(first);
        for (index, character) in characters.by_ref().take(2 * CONTEXT_CHARS).enumerate() {
            let shown = if character.is_control() {
                ' '
            } else {
                character
            };
            line.push(shown);
            if first + index < fault {
                indent += shown.width().unwrap_or(0);
            }
        }
        if characters.next().is_some() {
            line.push('…');
        }
        format!("{line}\n{:indent$}^", "")
    }
}

#[cfg(test)]
mod tests {
    use super::FilterError;

    fn at(column: usize) -> FilterError {
        FilterError::Unexpected {
            column,
            expected: "a value",
            found: "`x`".to_owned(),
            hint: None,
        }
    }

    #[test]
    fn caret_stands_under_the_fault() {
        assert_eq!(at(5).caret("a = ?"), "a = ?\n    ^");
        assert_eq!(at(6).caret("a = 1"), "a = 1\n     ^");
    }

    #[test]
    fn caret_counts_cells_not_characters() {
        assert_eq!(at(3).caret("中\n?"), "中 ?\n   ^");
    }

    #[test]
    fn caret_shows_a_window_of_a_long_text() {
        let text = "x".repeat(200);
        let shown = at(100).caret(&text);
        let (line, mark) = shown.split_once('\n').unwrap();
        assert!(line.starts_with('…') && line.ends_with('…'));
        assert_eq!(line.chars().count(), 66);
        assert_eq!(mark, format!("{}^", " ".repeat(33)));
    }
}
