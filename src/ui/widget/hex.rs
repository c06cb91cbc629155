//! Bytes as hexadecimal rows: offset, sixteen bytes, their ASCII; and the way back from typed hex.

use crate::ui::theme::Token;
use crate::ui::widget::line::Line;

pub const BYTES_PER_ROW: usize = 16;

/// Row `index` of a dump.
pub fn row(bytes: &[u8], index: usize) -> Line {
    let from = index.saturating_mul(BYTES_PER_ROW).min(bytes.len());
    let chunk = &bytes[from..bytes.len().min(from + BYTES_PER_ROW)];
    let mut hex = String::new();
    for (at, byte) in chunk.iter().enumerate() {
        if at == BYTES_PER_ROW / 2 {
            hex.push(' ');
        }
        hex.push_str(&format!("{byte:02x} "));
    }
    let text: String = chunk
        .iter()
        .map(|b| {
            if b.is_ascii_graphic() || *b == b' ' {
                char::from(*b)
            } else {
                '.'
            }
        })
        .collect();
    Line::muted(format!("{from:06x}  "))
        .then(format!("{hex:<49} "))
        .put(text, Token::JsonString)
}

/// Rows of a dump.
pub fn rows(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(BYTES_PER_ROW)
}

/// Bytes as typed hex, sixteen a line.
pub fn encode(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes
        .chunks(BYTES_PER_ROW)
        .map(|chunk| {
            let parts: Vec<String> = chunk.iter().map(|b| format!("{b:02x}")).collect();
            parts.join(" ")
        })
        .collect();
    lines.join("\n")
}

/// Typed hex as bytes; blanks are free, digits come in pairs.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(bad) = digits.iter().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("`{bad}` is no hex digit"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err("the last byte has one digit only".to_owned());
    }
    digits
        .chunks(2)
        .map(|pair| {
            let text: String = pair.iter().collect();
            u8::from_str_radix(&text, 16).map_err(|error| error.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_row_has_offset_bytes_and_text() {
        let bytes: Vec<u8> = (0x1b..0x1b + 20).collect();
        assert_eq!(rows(&bytes), 2);
        let line = row(&bytes, 0).plain();
        assert_eq!(
            line,
            "000000  1b 1c 1d 1e 1f 20 21 22  23 24 25 26 27 28 29 2a  ..... !\"#$%&'()*"
        );
    }

    #[test]
    fn typed_hex_round_trips_and_faults_are_named() {
        let bytes = b"hello \xff\x00 world, this is longer".to_vec();
        assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        assert!(decode("0x").unwrap_err().contains("`x`"));
        assert!(decode("abc").is_err());
    }
}
