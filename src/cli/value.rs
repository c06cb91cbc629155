//! Values of the command line: moments, lengths of time, `key=value`, figures for people.

use std::time::Duration;

use crate::domain::span::{format_span, parse_span};
use crate::domain::timestamp::Timestamp;

/// `500ms`, `90s`, `1h30m`, `3d`.
pub fn span(text: &str) -> Result<Duration, String> {
    parse_span(text)
        .ok_or_else(|| "expected a length of time such as `90s`, `1h30m` or `3d`".to_owned())
}

/// RFC 3339, or milliseconds since 1970.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| {
        "expected a moment such as `2026-06-12T20:40:00Z`, or milliseconds since 1970".to_owned()
    })
}

/// `key=value`; the value may hold further `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected `key=value`".to_owned()),
    }
}

/// A length of time for people: at most two units, no more exact than anyone reads.
pub fn told_span(span: Duration) -> String {
    let rounded = match span.as_secs() {
        0 => span,
        seconds @ 1..3600 => Duration::from_secs(seconds),
        seconds @ 3600..86400 => Duration::from_secs(seconds / 60 * 60),
        seconds => Duration::from_secs(seconds / 3600 * 3600),
    };
    format_span(Duration::from_millis(
        u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// `-` for what is not there.
pub fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), T::to_string)
}

/// `1,204,310`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_need_a_key() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("=b").is_err() && pair("ab").is_err());
    }

    #[test]
    fn people_read_figures_in_groups_and_spans_in_two_units() {
        assert_eq!(grouped(1_204_310), "1,204,310");
        assert_eq!(grouped(999), "999");
        assert_eq!(told_span(Duration::from_millis(93_784_123)), "1d2h");
        assert_eq!(told_span(Duration::from_millis(12_345)), "12s");
    }
}
