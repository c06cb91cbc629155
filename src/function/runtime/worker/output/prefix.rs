//! Reading the prefixes that runtimes and vendor SDKs write themselves (LOG-2).

use crate::domain::function::LogLevel;
use crate::function::log::level_of;

/// The request id of a Start or End line of an invocation or a hook.
pub(super) fn platform_line(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("FC ")?;
    let (phase, id) = rest.split_once(" RequestId: ")?;
    let known = matches!(
        phase.rsplit_once(' '),
        Some((
            "Invoke" | "Initialize" | "PreStop" | "PreFreeze",
            "Start" | "End"
        ))
    );
    known.then(|| id.split(',').next().unwrap_or(id).trim())
}

/// The request id and level of a record with a prefix: `<date>[T ]<time>[.fraction][Z] <id> [<level>] …`, `/` or `-` in
/// the date, any case of the level.
pub(super) fn read_prefix(line: &str) -> Option<(&str, LogLevel)> {
    let (time, rest) = after_time(line)?;
    if !is_time(time) {
        return None;
    }
    let (id, rest) = rest.trim_start().split_once(' ')?;
    let label = rest.trim_start().strip_prefix('[')?;
    let (label, _) = label.split_once(']')?;
    let plain = !label.is_empty() && label.len() <= 10 && label.chars().all(char::is_alphabetic);
    plain.then(|| (id, level_of(label)))
}

/// Splits behind the time; date and time are one word or two.
fn after_time(line: &str) -> Option<(&str, &str)> {
    let (first, rest) = line.split_once(' ')?;
    match first.split_once('T') {
        Some((date, time)) if is_date(date) => Some((time, rest)),
        _ if is_date(first) => rest.split_once(' '),
        _ => None,
    }
}

fn is_date(word: &str) -> bool {
    is_shape(word, "0000-00-00") || is_shape(word, "0000/00/00")
}

/// `13:54:44` with up to nine fraction digits and an optional `Z`.
fn is_time(word: &str) -> bool {
    let word = word.strip_suffix('Z').unwrap_or(word);
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    is_shape(whole, "00:00:00")
        && fraction.len() <= 9
        && fraction.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether `word` is `shape` with other digits.
fn is_shape(word: &str, shape: &str) -> bool {
    word.len() == shape.len()
        && word.bytes().zip(shape.bytes()).all(|(byte, model)| {
            if model == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == model
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_all_runtimes_are_read_log2() {
        let lines = [
            "2026-06-12T13:54:44.704Z ID [INFO] text",
            "2026-06-12 13:54:44.704 ID [info] text",
            "2026-06-12T13:54:44Z ID [INFO] main.go:7: text",
            "2026-06-12T13:54:44.7Z ID [Info] text",
            "2026/06/12 13:54:44.123456  ID [INFO] text",
        ];
        for line in lines {
            assert_eq!(read_prefix(line), Some(("ID", LogLevel::Info)), "{line}");
        }
        let error = "2026-06-12T13:54:44.704Z ID [ERROR] {";
        assert_eq!(read_prefix(error), Some(("ID", LogLevel::Error)));
    }

    #[test]
    fn anything_else_is_a_raw_line_log2() {
        let lines = [
            "",
            "hello",
            "2026-06-12",
            "2026-06-12T13:54:44.704Z",
            "2026-06-12T13:54:44.704Z ID text",
            "2026-06-12T25:xx:44.704Z ID [INFO] text",
            "at 2026-06-12T13:54:44.704Z ID [INFO] text",
            "2026-06-12 13:54:44 ID [[object Object]] text",
        ];
        for line in lines {
            assert_eq!(read_prefix(line), None, "{line}");
        }
    }

    #[test]
    fn platform_lines_name_their_request_log4_lc3() {
        assert_eq!(platform_line("FC Invoke Start RequestId: A"), Some("A"));
        assert_eq!(
            platform_line("FC PreStop End RequestId: A, Error: Unhandled function error"),
            Some("A")
        );
        assert_eq!(platform_line("FC Sleep Start RequestId: A"), None);
        assert_eq!(platform_line("FC Invoke Start"), None);
    }
}
