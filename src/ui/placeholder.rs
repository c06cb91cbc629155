//! Placeholders in message texts, filled in anew for each message sent.
//!
//! `{{seq}}` `{{seq:ORD-%04d}}` `{{uuid}}` `{{now}}` `{{pick:a,b,c}}` `{{int:1..100}}`; what is none of these stays.

use crate::domain::timestamp::Timestamp;

/// What placeholders are filled with.
pub struct Filling<'a> {
    /// Number of the message, from 1.
    pub number: u64,
    pub now: Timestamp,
    /// A number below the given one.
    pub random: &'a mut dyn FnMut(u64) -> u64,
}

/// The text with its placeholders filled in.
pub fn fill(text: &str, filling: &mut Filling<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tail.find("}}") else {
            rest = tail;
            break;
        };
        let inner = tail.get(2..end).unwrap_or("");
        match value(inner.trim(), filling) {
            Some(value) => out.push_str(&value),
            None => out.push_str(tail.get(..end + 2).unwrap_or("")),
        }
        rest = tail.get(end + 2..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// True when the text has something to fill in.
pub fn has_any(text: &str) -> bool {
    let mut filling = Filling {
        number: 1,
        now: Timestamp::EPOCH,
        random: &mut |_| 0,
    };
    text.contains("{{") && fill(text, &mut filling) != text
}

fn value(name: &str, filling: &mut Filling<'_>) -> Option<String> {
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "seq" if argument.is_empty() => Some(filling.number.to_string()),
        "seq" => numbered(argument, filling.number),
        "uuid" => Some(uuid(filling.random)),
        "now" => Some(filling.now.to_string()),
        "pick" => {
            let choices: Vec<&str> = argument.split(',').collect();
            let at = (filling.random)(choices.len() as u64);
            let at = usize::try_from(at).unwrap_or(0);
            choices.get(at).map(|choice| choice.trim().to_owned())
        }
        "int" => {
            let (low, high) = argument.split_once("..")?;
            let low: i64 = low.trim().parse().ok()?;
            let high: i64 = high.trim().parse().ok()?;
            let span = u64::try_from(high.checked_sub(low)?).ok()?.checked_add(1)?;
            let step = i64::try_from((filling.random)(span)).ok()?;
            Some(low.checked_add(step)?.to_string())
        }
        _ => None,
    }
}

/// `ORD-%04d` with the number in place of `%d` or `%0Nd`.
fn numbered(format: &str, number: u64) -> Option<String> {
    let start = format.find('%')?;
    let (before, tail) = format.split_at(start);
    let end = tail.find('d')?;
    let width = tail.get(1..end)?;
    if !width.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let after = tail.get(end + 1..)?;
    let digits: usize = if width.is_empty() {
        0
    } else {
        width.parse().ok()?
    };
    let number = if width.starts_with('0') {
        format!("{number:0digits$}", digits = digits.min(32))
    } else {
        format!("{number:digits$}", digits = digits.min(32))
    };
    Some(format!("{before}{number}{after}"))
}

/// A random UUID, version 4.
fn uuid(random: &mut dyn FnMut(u64) -> u64) -> String {
    let mut bytes = [0_u8; 16];
    for byte in &mut bytes {
        *byte = u8::try_from(random(256)).unwrap_or(0);
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let mut filling = Filling {
            number: 7,
            now: Timestamp::from_millis(1_781_272_484_388),
            random: &mut |below| below - 1,
        };
        fill(text, &mut filling)
    }

    #[test]
    fn placeholders_are_filled_and_others_stay() {
        let cases = [
            ("{{seq}}", "7"),
            ("{{seq:ORD-%04d}}", "ORD-0007"),
            ("{{seq:%d!}}", "7!"),
            ("{{now}}", "2026-06-12T13:54:44.388Z"),
            ("{{pick:a, b}}", "b"),
            ("{{int:1..100}}", "100"),
            ("{{int:-5..-5}}", "-5"),
            ("{{int:9..1}}", "{{int:9..1}}"),
            ("{{other}} {{ {}", "{{other}} {{ {}"),
            ("{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{}}}"),
        ];
        for (text, expected) in cases {
            assert_eq!(filled(text), expected, "{text}");
        }
        let id = filled("{{uuid}}");
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert!(has_any("{{seq}}") && !has_any("{{{{") && !has_any("{{other}}"));
    }
}
