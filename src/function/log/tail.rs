//! The end of a log, as an invocation's answer carries it (IV-1).

/// Bytes that are kept (section 6).
const KEPT: usize = 4096;

/// The last lines written, in a bounded room.
#[derive(Debug, Default)]
pub(super) struct Tail(String);

impl Tail {
    /// Adds a record and its line break.
    pub(super) fn push(&mut self, record: &str) {
        self.0.push_str(last(record, KEPT));
        self.0.push('\n');
        // Moving the text once for every 4 KB written is cheap.
        if self.0.len() > 2 * KEPT {
            self.0 = last(&self.0, KEPT).to_owned();
        }
    }

    pub(super) fn text(&self) -> String {
        last(&self.0, KEPT).to_owned()
    }
}

/// The longest end of `text` that has at most `limit` bytes and begins on a character border.
fn last(text: &str, limit: usize) -> &str {
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_kilobytes_stay_whatever_was_written_iv1() {
        let mut tail = Tail::default();
        assert_eq!(tail.text(), "");
        tail.push("first");
        tail.push("second");
        assert_eq!(tail.text(), "first\nsecond\n");
        for number in 0..10_000 {
            tail.push(&format!("line {number}"));
            assert!(tail.0.len() <= 3 * KEPT + 1);
        }
        assert!(tail.text().ends_with("line 9998\nline 9999\n"));
        assert_eq!(tail.text().len(), KEPT);
        tail.push(&"é".repeat(1_000_000));
        assert_eq!(tail.text().len(), KEPT - 1);
        assert!(tail.text().starts_with('é'));
    }
}
