//! How an error is told to a person: headline, causes, hint. Status line, dialogs and commands all use it.

use std::error::Error;
use std::fmt;

/// What a person can do about an error; sits next to the variant it helps.
pub trait Hint {
    /// One short sentence, or nothing when there is nothing to do.
    fn hint(&self) -> Option<String>;
}

/// An error as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What failed.
    pub headline: String,
    /// Why, outermost first, without repeating the headline.
    pub causes: Vec<String>,
    pub hint: Option<String>,
    pub exit: Exit,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The thing asked for failed.
    Failed,
    /// Wrong use or environment.
    Usage,
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl Report {
    /// Tells `error`, with its sources as causes.
    pub fn new<E: Error + Hint>(error: &E, exit: Exit) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            headline: error.to_string(),
            causes,
            hint: error.hint(),
            exit,
        }
    }

    /// A report made in place, where no error value exists.
    pub fn plain(headline: impl Into<String>, hint: Option<String>, exit: Exit) -> Self {
        Self {
            headline: headline.into(),
            causes: Vec::new(),
            hint,
            exit,
        }
    }

    /// The same failure seen as part of something larger: `headline` says what, the old headline becomes the first cause.
    #[must_use]
    pub fn context(mut self, headline: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.headline, headline.into());
        self.causes.insert(0, inner);
        self
    }
}

/// Lines for stderr: `error: …`, one `cause: …` per cause, `hint: …`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", printable(&self.headline))?;
        for cause in &self.causes {
            write!(f, "\n  cause: {}", printable(cause))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", printable(hint))?;
        }
        Ok(())
    }
}

/// Text with every control character but the line break made visible, so that no value can move the cursor.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// `1,204,310`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 message`, `2 messages`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot send to `orders`")]
    struct Outer(#[source] std::num::ParseIntError);

    impl Hint for Outer {
        fn hint(&self) -> Option<String> {
            Some("set a number".to_owned())
        }
    }

    #[test]
    fn a_report_is_headline_cause_hint() {
        let error = Outer("x".parse::<u8>().unwrap_err());
        let report = Report::new(&error, Exit::Failed);
        assert_eq!(
            report.to_string(),
            "error: cannot send to `orders`\n  cause: invalid digit found in string\n  hint: set a number"
        );
    }

    #[test]
    fn control_characters_are_never_printed() {
        assert_eq!(printable("a\u{1b}[2Jb\tc\nd"), "a\u{fffd}[2Jb c\nd");
    }
}
