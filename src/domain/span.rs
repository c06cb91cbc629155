//! Lengths of time as people write them: `500ms`, `90s`, `1h30m`, `3d`.

use std::time::Duration;

/// Units by descending length, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads one or more numbers with a unit of `d`, `h`, `m`, `s` or `ms`, longest first or not; `0` needs no unit.
pub fn parse_span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: u64 = 0;
    let mut found = false;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(*millis)?;
        total = total.checked_add(part)?;
        found = true;
        rest = tail.trim_start();
    }
    found.then(|| Duration::from_millis(total))
}

/// Writes what [`parse_span`] reads, longest unit first: `1h30m`.
pub fn format_span(span: Duration) -> String {
    use std::fmt::Write as _;
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let count = rest / millis;
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
            rest %= millis;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_alike() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1h30m", 5_400_000),
            ("3d", 259_200_000),
        ] {
            let span = Duration::from_millis(millis);
            assert_eq!(parse_span(text), Some(span), "{text}");
            assert_eq!(format_span(span), text);
        }
        assert_eq!(parse_span("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_span(" 1h 30m "), Some(Duration::from_secs(5400)));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5x",
            "-1s",
            "1.5s",
            "99999999999999999999d",
            "1s,",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
