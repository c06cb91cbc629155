//! The shape of a parsed condition.

use std::ops::Range;

use super::value::Number;

/// A part of an expression with the bytes of the text it came from, parentheses included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Property(String),
    Negate(Box<Node>),
    Not(Box<Node>),
    /// Joined by AND, two or more.
    All(Vec<Node>),
    /// Joined by OR, two or more.
    Any(Vec<Node>),
    Equal {
        negated: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    Order {
        relation: Relation,
        left: Box<Node>,
        right: Box<Node>,
    },
    IsNull {
        negated: bool,
        operand: Box<Node>,
    },
    Between {
        negated: bool,
        value: Box<Node>,
        low: Box<Node>,
        high: Box<Node>,
    },
    In {
        negated: bool,
        property: Box<Node>,
        texts: Vec<String>,
    },
    Search {
        negated: bool,
        place: Place,
        value: Box<Node>,
        wanted: String,
    },
}

/// The four ordering operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Where CONTAINS, STARTSWITH and ENDSWITH look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    Start,
    End,
}

impl Node {
    pub(super) fn new(span: Range<usize>, kind: Kind) -> Self {
        Self { span, kind }
    }

    /// The parts directly below this one, left to right.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Property(_) => {
                Vec::new()
            }
            Kind::Negate(inner)
            | Kind::Not(inner)
            | Kind::IsNull { operand: inner, .. }
            | Kind::In {
                property: inner, ..
            }
            | Kind::Search { value: inner, .. } => vec![inner],
            Kind::All(parts) | Kind::Any(parts) => parts.iter().collect(),
            Kind::Equal { left, right, .. } | Kind::Order { left, right, .. } => vec![left, right],
            Kind::Between {
                value, low, high, ..
            } => vec![value, low, high],
        }
    }
}
