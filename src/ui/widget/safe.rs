//! Foreign text made safe for a screen: bytes of messages, names and log lines never move a cursor and never break a row.
//!
//! Text is cut into pieces of known width. Control characters, direction marks and other characters without a shape are
//! replaced by visible ones; emoji sequences fall apart into their members, whose width terminals agree on.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// Most combining marks shown on one character.
const MAX_MARKS: usize = 4;

/// What goes into one cell, or into one cell and the empty one after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: Cow<'a, str>,
    /// In cells, at least 1.
    pub width: u16,
    /// True for a stand-in: shown dim, so that nobody takes it for the text itself.
    pub stand_in: bool,
}

/// The clusters of a text, each with where it starts. Most of what is shown is ASCII, whose clusters need no tables.
pub fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let len = match rest.as_bytes() {
            [] => return None,
            [0x20..=0x7e] | [0x20..=0x7e, 0x00..=0x7f, ..] => 1,
            _ if rest.chars().nth(1).is_none() => rest.len(),
            _ => rest.graphemes(true).next().map_or(rest.len(), str::len),
        };
        let start = at;
        at += len;
        Some((start, &rest[..len]))
    })
}

/// Calls `each` with the pieces of `text` until it returns false.
pub fn pieces<'a>(text: &'a str, each: &mut dyn FnMut(Piece<'a>) -> bool) {
    for (at, cluster) in clusters(text) {
        if let [byte @ 0x20..=0x7e] = cluster.as_bytes() {
            debug_assert!(byte.is_ascii_graphic() || *byte == b' ');
            let end = at + 1;
            let plain = Piece {
                text: Cow::Borrowed(&text[at..end]),
                width: 1,
                stand_in: false,
            };
            if !each(plain) {
                return;
            }
        } else if !cluster_pieces(cluster, each) {
            return;
        }
    }
}

fn cluster_pieces<'a>(cluster: &'a str, each: &mut dyn FnMut(Piece<'a>) -> bool) -> bool {
    let mut rest = cluster;
    while let Some(first) = rest.chars().next() {
        let base_len = first.len_utf8();
        if let Some(shown) = stand_in(first) {
            rest = &rest[base_len..];
            if !shown.is_empty() && !each(marked(shown)) {
                return false;
            }
            continue;
        }
        let (end, dropped) = marks_after(rest, base_len);
        let width = first.width().unwrap_or(0);
        // A mark without a letter under it gets a dotted circle.
        let text = if width == 0 {
            Cow::Owned(format!("\u{25cc}{}", &rest[..end]))
        } else {
            Cow::Borrowed(&rest[..end])
        };
        let piece = Piece {
            text,
            width: u16::try_from(width.max(1)).unwrap_or(1),
            stand_in: false,
        };
        let mut after = &rest[end..];
        for _ in 0..dropped {
            let skip = after.chars().next().map_or(0, char::len_utf8);
            after = &after[skip..];
        }
        rest = after;
        if !each(piece) {
            return false;
        }
        if dropped > 0 && !each(marked(Cow::Owned(format!("⟨+{dropped}⟩")))) {
            return false;
        }
    }
    true
}

/// Where the marks kept after the base end, in bytes, and how many more follow.
fn marks_after(text: &str, base_len: usize) -> (usize, usize) {
    let mut end = base_len;
    let mut kept = 0;
    let mut dropped = 0;
    for c in text[base_len..].chars() {
        if c.width() != Some(0) || stand_in(c).is_some() {
            break;
        }
        if kept < MAX_MARKS {
            kept += 1;
            end += c.len_utf8();
        } else {
            dropped += 1;
        }
    }
    (end, dropped)
}

fn marked(text: Cow<'_, str>) -> Piece<'_> {
    let width = text.chars().filter_map(char::width).sum::<usize>();
    Piece {
        width: u16::try_from(width.max(1)).unwrap_or(1),
        text,
        stand_in: true,
    }
}

/// What stands for a character that is not shown itself; empty for one that is left out.
fn stand_in(c: char) -> Option<Cow<'static, str>> {
    let code = u32::from(c);
    let shown = match code {
        0x09 => Cow::Borrowed("    "),
        0x00..=0x1f => Cow::Owned(char::from_u32(0x2400 + code).unwrap_or('?').to_string()),
        0x7f => Cow::Borrowed("␡"),
        0x80..=0x9f => Cow::Owned(format!("\\x{code:02x}")),
        // Presentation selectors change no meaning, and terminals disagree on the width they ask for.
        0xfe00..=0xfe0f => Cow::Borrowed(""),
        // Joined emoji are shown as their members.
        0x200d => Cow::Borrowed(""),
        0xad
        | 0x61c
        | 0x180e
        | 0x200b..=0x200f
        | 0x2028..=0x202e
        | 0x2060..=0x206f
        | 0xfeff
        | 0xfff0..=0xfffb
        | 0xe0000..=0xe0fff
        | 0x115f
        | 0x1160
        | 0x3164
        | 0xffa0 => Cow::Owned(format!("⟨{code:04X}⟩")),
        0xe000..=0xf8ff | 0xf0000..=0x0010_ffff => Cow::Owned(format!("⟨{code:04X}⟩")),
        _ => return None,
    };
    Some(shown)
}

/// Cells that `text` takes once cleaned.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
        return text.len();
    }
    let mut total = 0;
    pieces(text, &mut |piece| {
        total += usize::from(piece.width);
        true
    });
    total
}

/// The cleaned text as one string, for places that print outside the screen.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    pieces(text, &mut |piece| {
        out.push_str(&piece.text);
        true
    });
    out
}

/// Bytes as text; what is not UTF-8 is written `\xff`.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(
            bytes
                .utf8_chunks()
                .flat_map(|chunk| {
                    let bad = chunk.invalid().iter().map(|b| format!("\\x{b:02x}"));
                    std::iter::once(chunk.valid().to_owned()).chain(bad)
                })
                .collect(),
        ),
    }
}

/// The text cut to `cells`, with a sign at the end where something is missing.
pub fn cut_end(text: &str, cells: usize) -> Cow<'_, str> {
    if fits(text, cells) {
        return Cow::Borrowed(text);
    }
    let (head, _) = take(text, cells.saturating_sub(1));
    Cow::Owned(if cells == 0 {
        String::new()
    } else {
        format!("{head}…")
    })
}

/// The text cut to `cells` in its middle, as ids are: `01A7…0412`.
pub fn cut_middle(text: &str, cells: usize) -> Cow<'_, str> {
    if fits(text, cells) {
        return Cow::Borrowed(text);
    }
    if cells < 4 {
        return cut_end(text, cells);
    }
    let tail_cells = (cells - 1) / 2;
    let (head, _) = take(text, cells - 1 - tail_cells);
    let starts: Vec<usize> = clusters(text).map(|(at, _)| at).collect();
    let mut tail = "";
    for at in starts.into_iter().rev() {
        if width(&text[at..]) > tail_cells {
            break;
        }
        tail = &text[at..];
    }
    Cow::Owned(format!("{head}…{tail}"))
}

/// Whether the text takes `cells` at most; what lies further is not looked at.
pub fn fits(text: &str, cells: usize) -> bool {
    take(text, cells).0.len() == text.len()
}

/// The longest start of `text` within `cells`, whole clusters only, and its width.
pub fn take(text: &str, cells: usize) -> (&str, usize) {
    let mut used = 0;
    for (at, cluster) in clusters(text) {
        let next = used + width(cluster);
        if next > cells {
            return (&text[..at], used);
        }
        used = next;
    }
    (text, used)
}

/// The text in rows of at most `cells`, broken at blanks where that loses less than half a row.
pub fn wrap(text: &str, cells: usize) -> Vec<&str> {
    let cells = cells.max(2);
    let mut rows = Vec::new();
    let mut rest = text;
    loop {
        let (head, _) = take(rest, cells);
        if head.len() == rest.len() {
            break;
        }
        let hard = if head.is_empty() {
            clusters(rest)
                .next()
                .map_or(rest.len(), |(_, cluster)| cluster.len())
        } else {
            head.len()
        };
        let soft = head.rfind(' ').filter(|at| *at * 2 > hard).map(|at| at + 1);
        let (row, tail) = rest.split_at(soft.unwrap_or(hard));
        rows.push(row);
        rest = tail;
    }
    rows.push(rest);
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        let cases = [
            ("plain text", "plain text"),
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("a\0b\u{7}c\u{7f}", "a␀b␇c␡"),
            ("a\rb\nc", "a␍b␊c"),
            ("\u{9b}31m", "\\x9b31m"),
            ("abc\u{202e}fed", "abc⟨202E⟩fed"),
            ("\u{feff}x\u{200b}", "⟨FEFF⟩x⟨200B⟩"),
            ("tab\there", "tab    here"),
            ("e\u{301}", "e\u{301}"),
            ("\u{301}", "◌\u{301}"),
            (
                "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
                "a\u{301}\u{301}\u{301}\u{301}⟨+2⟩",
            ),
            ("👩\u{200d}🚀", "👩🚀"),
            ("❤\u{fe0f}", "❤"),
        ];
        for (text, shown) in cases {
            assert_eq!(clean(text), shown, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        assert_eq!(decode(b"a\xff\xc3(b"), "a\\xff\\xc3(b");
        assert_eq!(decode("中".as_bytes()), "中");
    }

    #[test]
    fn cuts_leave_a_sign_and_count_wide_characters() {
        assert_eq!(cut_end("message-processing", 8), "message…");
        assert_eq!(cut_end("中文字符", 5), "中文…");
        assert_eq!(cut_end("中文字符", 4), "中…");
        assert_eq!(cut_middle("01A7AAAAAAAA0412", 9), "01A7…0412");
        assert_eq!(cut_middle("short", 9), "short");
        assert_eq!(cut_end("x", 0), "");
    }

    #[test]
    fn wrapping_keeps_every_character() {
        let text = "one two three four five 中文中文";
        for cells in 2..20 {
            let rows = wrap(text, cells);
            assert_eq!(rows.concat(), text);
            assert!(rows.iter().all(|row| width(row) <= cells.max(2)));
        }
    }

    proptest! {
        #[test]
        fn clusters_are_those_of_the_tables(text in any::<String>(), plain in "[ -~]{0,9}") {
            for text in [format!("{plain}{text}"), format!("{text}{plain}")] {
                let by_tables: Vec<_> = text.grapheme_indices(true).collect();
                prop_assert_eq!(clusters(&text).collect::<Vec<_>>(), by_tables);
            }
        }

        #[test]
        fn no_piece_holds_a_control_character(text in any::<String>()) {
            pieces(&text, &mut |piece| {
                assert!(!piece.text.chars().any(char::is_control), "{piece:?}");
                assert!(piece.width >= 1);
                assert!(piece.text.chars().count() <= 12);
                true
            });
        }

        #[test]
        fn cuts_fit(text in any::<String>(), cells in 0_usize..30) {
            prop_assert!(width(&cut_end(&text, cells)) <= cells);
            prop_assert!(width(&cut_middle(&text, cells)) <= cells);
        }
    }
}
