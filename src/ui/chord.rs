//! Keys as the console names them: one chord, or a sequence of chords such as `g m`.
//!
//! A chord is normalised when it is made, so that the same key has one spelling however a terminal reports it.

use std::fmt;

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    pub key: Key,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

/// A text that names no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key")]
pub struct BadChord(pub String);

const NAMED: &[(&str, Key)] = &[
    ("Enter", Key::Enter),
    ("Esc", Key::Esc),
    ("Tab", Key::Tab),
    ("Space", Key::Char(' ')),
    ("Backspace", Key::Backspace),
    ("Delete", Key::Delete),
    ("Insert", Key::Insert),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PgUp", Key::PageUp),
    ("PgDn", Key::PageDown),
];

impl Chord {
    /// A chord in its one spelling: a shifted character is the character itself, Ctrl takes the lower case, and Ctrl-7
    /// is what legacy terminals send for Ctrl-_.
    pub fn new(key: Key, ctrl: bool, alt: bool, shift: bool) -> Self {
        let (key, shift) = match key {
            Key::Char('7') if ctrl => (Key::Char('_'), false),
            Key::Char(c) if ctrl => (Key::Char(c.to_ascii_lowercase()), false),
            Key::Char(c) if shift && c.is_ascii_lowercase() => {
                (Key::Char(c.to_ascii_uppercase()), false)
            }
            Key::Char(_) => (key, false),
            _ => (key, shift),
        };
        Self {
            key,
            ctrl,
            alt,
            shift,
        }
    }

    pub fn plain(key: Key) -> Self {
        Self::new(key, false, false, false)
    }

    pub fn char(c: char) -> Self {
        Self::plain(Key::Char(c))
    }

    pub fn ctrl(c: char) -> Self {
        Self::new(Key::Char(c), true, false, false)
    }

    /// The character this chord types into a text field.
    pub fn typed(self) -> Option<char> {
        match self.key {
            Key::Char(c) if !self.ctrl && !self.alt && !c.is_control() => Some(c),
            _ => None,
        }
    }

    /// Reads one chord: `a`, `D`, `Enter`, `Ctrl-S`, `Shift-Tab`, `Alt-B`, `F5`.
    pub fn parse(text: &str) -> Result<Self, BadChord> {
        let bad = || BadChord(text.to_owned());
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        loop {
            let stripped = [
                ("Ctrl-", &mut ctrl),
                ("Alt-", &mut alt),
                ("Shift-", &mut shift),
            ]
            .into_iter()
            .find_map(|(prefix, flag)| {
                let tail = rest.strip_prefix(prefix).filter(|tail| !tail.is_empty())?;
                *flag = true;
                Some(tail)
            });
            match stripped {
                Some(tail) => rest = tail,
                None => break,
            }
        }
        let key = parse_key(rest).ok_or_else(bad)?;
        Ok(Self::new(key, ctrl, alt, shift))
    }

    /// Reads a sequence: chords apart by spaces, or plain characters together as in `gm`.
    pub fn parse_sequence(text: &str) -> Result<Vec<Self>, BadChord> {
        if text.trim().is_empty() {
            return Err(BadChord(text.to_owned()));
        }
        if let Ok(chord) = Self::parse(text) {
            return Ok(vec![chord]);
        }
        if text.contains(' ') {
            return text.split_whitespace().map(Self::parse).collect();
        }
        if text.chars().all(char::is_alphabetic) && text.chars().count() <= 3 {
            return Ok(text.chars().map(Self::char).collect());
        }
        Err(BadChord(text.to_owned()))
    }
}

fn parse_key(text: &str) -> Option<Key> {
    if let Some((_, key)) = NAMED
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
    {
        return Some(*key);
    }
    let mut chars = text.chars();
    match (chars.next(), chars.as_str()) {
        (Some(c), "") if !c.is_control() => Some(Key::Char(c)),
        (Some('F'), number) => number
            .parse()
            .ok()
            .filter(|n| (1..=12).contains(n))
            .map(Key::F),
        _ => None,
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, prefix) in [
            (self.ctrl, "Ctrl-"),
            (self.alt, "Alt-"),
            (self.shift, "Shift-"),
        ] {
            if on {
                f.write_str(prefix)?;
            }
        }
        match self.key {
            Key::Char(' ') => f.write_str("Space"),
            Key::Char(c) if self.ctrl || self.alt => write!(f, "{}", c.to_ascii_uppercase()),
            Key::Char(c) => write!(f, "{c}"),
            Key::F(n) => write!(f, "F{n}"),
            key => {
                let name = NAMED.iter().find(|(_, named)| *named == key);
                f.write_str(name.map_or("?", |(name, _)| name))
            }
        }
    }
}

/// A sequence as it is shown: plain characters together, anything else apart by spaces.
pub fn show_sequence(chords: &[Chord]) -> String {
    let all_typed = chords
        .iter()
        .all(|chord| chord.typed().is_some_and(|c| c != ' '));
    let parts: Vec<String> = chords.iter().map(Chord::to_string).collect();
    parts.join(if all_typed { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_has_one_spelling() {
        let cases = [
            ("D", Chord::new(Key::Char('d'), false, false, true)),
            ("Ctrl-S", Chord::ctrl('s')),
            ("Ctrl-_", Chord::new(Key::Char('7'), true, false, false)),
            ("Shift-Tab", Chord::new(Key::Tab, false, false, true)),
            ("Space", Chord::char(' ')),
            ("F5", Chord::plain(Key::F(5))),
            ("-", Chord::char('-')),
        ];
        for (text, chord) in cases {
            assert_eq!(Chord::parse(text), Ok(chord), "{text}");
            assert_eq!(chord.to_string(), text);
        }
    }

    #[test]
    fn sequences_are_read_and_shown_alike() {
        for (text, shown) in [("gm", "gm"), ("g m", "gm"), ("Ctrl-S", "Ctrl-S")] {
            let sequence = Chord::parse_sequence(text).unwrap();
            assert_eq!(show_sequence(&sequence), shown);
        }
        for text in ["", "Hyper-X", "F13", "gggg"] {
            assert!(Chord::parse_sequence(text).is_err(), "{text:?}");
        }
    }
}
