//! SQL92 conditions with three-valued logic, as RocketMQ reads them: parsed once, evaluated per message.
//! Verdicts agree with the reference on every input; three of its parser defects are mended (P12).

mod check;
mod evaluate;
mod explain;
mod lex;
mod parse;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use self::parse::Parser;
use self::tree::Node;
use super::{Explained, FilterError, Properties, Verdict, check_length};

/// Deepest nesting of parentheses, signs and NOTs. It bounds the stack that a hostile text can claim; chains without
/// nesting are bounded by the length of the text.
pub const MAX_DEPTH: usize = 100;

/// A parsed SQL condition.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlExpression {
    text: String,
    root: Node,
}

impl SqlExpression {
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        check_length(text)?;
        let root = Parser::new(text)?.condition()?;
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn evaluate(&self, properties: &dyn Properties) -> Verdict {
        evaluate::verdict(&self.root, properties)
    }

    /// The same verdict with its reason: which property, which part, what was wrong.
    pub fn explain(&self, properties: &dyn Properties) -> Explained {
        explain::explain(&self.text, &self.root, properties)
    }
}
