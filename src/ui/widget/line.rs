//! A line of text with paint on its parts.

use std::borrow::Cow;

use crate::ui::theme::Token;
use crate::ui::widget::safe;

/// How a span looks: a colour token, and what repeats it where there is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paint {
    pub token: Token,
    pub bold: bool,
    pub reverse: bool,
    pub underline: bool,
}

impl Paint {
    pub const fn new(token: Token) -> Self {
        Self {
            token,
            bold: false,
            reverse: false,
            underline: false,
        }
    }

    #[must_use]
    pub const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    #[must_use]
    pub const fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    #[must_use]
    pub const fn underline(mut self) -> Self {
        self.underline = true;
        self
    }
}

impl From<Token> for Paint {
    fn from(token: Token) -> Self {
        Self::new(token)
    }
}

/// Text in one paint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub text: Cow<'static, str>,
    pub paint: Paint,
}

/// Spans one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line(pub Vec<Span>);

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    /// One span.
    pub fn of(text: impl Into<Cow<'static, str>>, paint: impl Into<Paint>) -> Self {
        Self::new().put(text, paint)
    }

    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::of(text, Token::Text)
    }

    pub fn muted(text: impl Into<Cow<'static, str>>) -> Self {
        Self::of(text, Token::Muted)
    }

    /// Appends a span.
    #[must_use]
    pub fn put(mut self, text: impl Into<Cow<'static, str>>, paint: impl Into<Paint>) -> Self {
        self.push(text, paint);
        self
    }

    /// Appends plain text.
    #[must_use]
    pub fn then(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.put(text, Token::Text)
    }

    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn push(&mut self, text: impl Into<Cow<'static, str>>, paint: impl Into<Paint>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Span {
                text,
                paint: paint.into(),
            });
        }
    }

    /// Cells it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|span| safe::width(&span.text)).sum()
    }

    /// The text alone.
    pub fn plain(&self) -> String {
        self.0.iter().map(|span| &*span.text).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&'static str> for Line {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
