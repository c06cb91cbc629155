//! Characters to tokens, one at a time, so that the leftmost fault is the one reported.

use std::ops::Range;

use super::super::FilterError;
use super::tree::Relation;
use super::value::Number;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Bytes of the text.
    pub(super) span: Range<usize>,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Keyword(Keyword),
    Name(String),
    Text(String),
    Number(Number),
    Equal,
    NotEqual,
    Relation(Relation),
    Open,
    Close,
    Comma,
    Plus,
    Minus,
    /// A character that begins no token.
    Stray(char),
    End,
}

/// Reserved in any case of letters (P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Not,
    And,
    Or,
    Between,
    In,
    Is,
    Null,
    True,
    False,
    Contains,
    StartsWith,
    EndsWith,
}

const KEYWORDS: [(&str, Keyword); 12] = [
    ("NOT", Keyword::Not),
    ("AND", Keyword::And),
    ("OR", Keyword::Or),
    ("BETWEEN", Keyword::Between),
    ("IN", Keyword::In),
    ("IS", Keyword::Is),
    ("NULL", Keyword::Null),
    ("TRUE", Keyword::True),
    ("FALSE", Keyword::False),
    ("CONTAINS", Keyword::Contains),
    ("STARTSWITH", Keyword::StartsWith),
    ("ENDSWITH", Keyword::EndsWith),
];

pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Byte position, always on a character's border.
    at: usize,
    /// The last token can end an expression. There is no binary minus, so dashes after it open a comment.
    operand_ended: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            operand_ended: false,
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn next(&mut self) -> Result<Token, FilterError> {
        self.skip_blanks_and_comments()?;
        let start = self.at;
        let kind = self.token()?;
        self.operand_ended = matches!(
            kind,
            TokenKind::Name(_)
                | TokenKind::Text(_)
                | TokenKind::Number(_)
                | TokenKind::Close
                | TokenKind::Keyword(Keyword::Null | Keyword::True | Keyword::False)
        );
        Ok(Token {
            span: start..self.at,
            kind,
        })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        self.take(
            rest.find(|character| !wanted(character))
                .unwrap_or(rest.len()),
        )
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), FilterError> {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            let rest = self.rest();
            if rest.starts_with("/*") {
                let Some(length) = rest.get(2..).and_then(|body| body.find("*/")) else {
                    return Err(FilterError::Unclosed {
                        column: column(self.text, self.at),
                        what: "comment",
                        expected: "`*/`",
                    });
                };
                self.take(length + 4);
            } else if rest.starts_with("--") {
                match rest.find(['\n', '\r']) {
                    Some(length) => self.take(length),
                    None if self.operand_ended => self.take(rest.len()),
                    // On the last line, before an operand: two signs.
                    None => return Ok(()),
                };
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind, FilterError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        let second = rest.chars().nth(1);
        if first.is_ascii_alphabetic() || matches!(first, '_' | '$') {
            return Ok(self.word());
        }
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        if first == '\'' {
            return self.quoted_text();
        }
        let (length, kind) = match (first, second) {
            ('<', Some('>')) => (2, TokenKind::NotEqual),
            ('<', Some('=')) => (2, TokenKind::Relation(Relation::LessEqual)),
            ('>', Some('=')) => (2, TokenKind::Relation(Relation::GreaterEqual)),
            ('<', _) => (1, TokenKind::Relation(Relation::Less)),
            ('>', _) => (1, TokenKind::Relation(Relation::Greater)),
            ('=', _) => (1, TokenKind::Equal),
            ('(', _) => (1, TokenKind::Open),
            (')', _) => (1, TokenKind::Close),
            (',', _) => (1, TokenKind::Comma),
            ('+', _) => (1, TokenKind::Plus),
            ('-', _) => (1, TokenKind::Minus),
            (stray, _) => (stray.len_utf8(), TokenKind::Stray(stray)),
        };
        self.take(length);
        Ok(kind)
    }

    fn word(&mut self) -> TokenKind {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
        KEYWORDS
            .iter()
            .find(|(spelling, _)| word.eq_ignore_ascii_case(spelling))
            .map_or_else(
                || TokenKind::Name(word.to_owned()),
                |(_, keyword)| TokenKind::Keyword(*keyword),
            )
    }

    fn quoted_text(&mut self) -> Result<TokenKind, FilterError> {
        let start = self.at;
        let mut value = String::new();
        self.take(1);
        loop {
            value.push_str(self.take_while(|c| c != '\''));
            if self.take(1).is_empty() {
                return Err(FilterError::Unclosed {
                    column: column(self.text, start),
                    what: "text",
                    expected: "`'`",
                });
            }
            // A doubled quote stands for one quote.
            if !self.rest().starts_with('\'') {
                return Ok(TokenKind::Text(value));
            }
            value.push_str(self.take(1));
        }
    }

    /// An integer with an optional `L`, or a float. An integer has no leading zeros, so `007` is three tokens.
    fn number(&mut self) -> Result<TokenKind, FilterError> {
        let start = self.at;
        let length = float_length(self.rest());
        if length > 0 {
            let literal = self.take(length);
            return self.float(start, literal);
        }
        let digits = if self.rest().starts_with('0') {
            self.take(1)
        } else {
            self.take_while(|c| c.is_ascii_digit())
        };
        if self.rest().starts_with(['l', 'L']) {
            self.take(1);
        }
        let Ok(value) = digits.parse::<i64>() else {
            return Err(self.out_of_range(start, "an integer of at most 64 bits"));
        };
        Ok(TokenKind::Number(
            i32::try_from(value).map_or(Number::Long(value), Number::Int),
        ))
    }

    fn float(&self, start: usize, literal: &str) -> Result<TokenKind, FilterError> {
        let value: f64 = literal.parse().unwrap_or(f64::INFINITY);
        let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
        let vanished = value == 0.0 && mantissa.contains(|c| matches!(c, '1'..='9'));
        if value.is_infinite() || vanished {
            return Err(self.out_of_range(start, "a float between 4.9e-324 and 1.7e308"));
        }
        Ok(TokenKind::Number(Number::Double(value)))
    }

    fn out_of_range(&self, start: usize, expected: &'static str) -> FilterError {
        FilterError::OutOfRange {
            column: column(self.text, start),
            expected,
            literal: self.text.get(start..self.at).unwrap_or_default().to_owned(),
        }
    }
}

/// Bytes of the float that `rest` begins with: digits with a point, or with an exponent, or both. 0 if none.
fn float_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits_from = |from: usize| {
        bytes
            .iter()
            .skip(from)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut end = digits_from(0);
    let mut is_float = false;
    if bytes.get(end) == Some(&b'.') {
        end += 1;
        end += digits_from(end);
        is_float = true;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_from(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
            is_float = true;
        }
    }
    if is_float { end } else { 0 }
}

/// The 1-based column, in characters, of a byte position.
pub(super) fn column(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).chars().count() + 1
}
