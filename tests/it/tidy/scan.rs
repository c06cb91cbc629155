//! Rust text to words and signs, comments and literals left out: enough to see paths, no more.

/// A word, `::`, or one other sign, with its line from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        rest: source,
        line: 1,
    };
    let mut found = Vec::new();
    while let Some(token) = scanner.next(&mut found) {
        found.push(token);
    }
    found
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Scanner<'a> {
    /// The next token; tokens of a text that is a path go straight to `found`.
    fn next(&mut self, found: &mut Vec<Token<'a>>) -> Option<Token<'a>> {
        loop {
            let first = self.rest.chars().next()?;
            if first.is_whitespace() {
                self.take(first.len_utf8());
            } else if self.rest.starts_with("//") {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.block_comment();
            } else if let Some(text) = self.literal() {
                // An attribute names a path as text, as in `with = "crate::…"`.
                if text.starts_with("crate::") {
                    let line = self.line;
                    found.extend(
                        tokens(text)
                            .into_iter()
                            .map(|token| Token { line, ..token }),
                    );
                }
            } else {
                let line = self.line;
                return Some(Token {
                    text: self.word_or_sign(),
                    line,
                });
            }
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
            } else {
                self.take(self.rest.chars().next().map_or(0, char::len_utf8));
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Takes a text or character literal and returns what is inside; `None` where none begins.
    fn literal(&mut self) -> Option<&'a str> {
        let prefix = self
            .rest
            .find(|c| !matches!(c, 'b' | 'c' | 'r'))
            .unwrap_or(0);
        let (letters, body) = self.rest.split_at(prefix);
        if letters.len() > 2 {
            return None;
        }
        let hashes = body.len() - body.trim_start_matches('#').len();
        let raw = letters.ends_with('r') && body[hashes..].starts_with('"');
        if raw {
            let close = format!("\"{}", "#".repeat(hashes));
            self.take(prefix + hashes + 1);
            let inside = self.rest.find(&close).unwrap_or(self.rest.len());
            let text = self.take(inside);
            self.take(close.len().min(self.rest.len()));
            return Some(text);
        }
        let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        if quote == '\'' && !is_character(body) {
            return None;
        }
        self.take(prefix + 1);
        let mut inside = 0;
        let mut escaped = false;
        for character in self.rest.chars() {
            if character == quote && !escaped {
                break;
            }
            escaped = character == '\\' && !escaped;
            inside += character.len_utf8();
        }
        let text = self.take(inside);
        self.take(1.min(self.rest.len()));
        Some(text)
    }

    fn word_or_sign(&mut self) -> &'a str {
        if self.rest.starts_with("::") {
            return self.take(2);
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let sign = self.rest.chars().next().map_or(0, char::len_utf8);
        self.take(word.max(sign))
    }
}

/// Whether a quote opens a character and not a lifetime.
fn is_character(body: &str) -> bool {
    let mut inside = body.chars().skip(1);
    inside.next() == Some('\\') || inside.next() == Some('\'')
}
