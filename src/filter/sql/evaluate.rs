//! A tree and the properties of one message to a value, left to right with short circuit (P10).

use std::cmp::Ordering;

use super::super::{Properties, Verdict};
use super::tree::{Kind, Node, Place, Relation};
use super::value::{Fault, Value, equal, order};

/// The verdict of a whole condition or of one of its operands.
pub(super) fn verdict(node: &Node, properties: &dyn Properties) -> Verdict {
    match evaluate(node, properties).map(Value::truth) {
        Ok(Some(true)) => Verdict::True,
        Ok(Some(false)) => Verdict::False,
        Ok(None) => Verdict::Null,
        Err(_) => Verdict::Error,
    }
}

pub(super) fn evaluate<'a>(
    node: &'a Node,
    properties: &'a dyn Properties,
) -> Result<Value<'a>, Fault<'a>> {
    let truth = match &node.kind {
        Kind::Null => None,
        Kind::Bool(truth) => Some(*truth),
        Kind::Number(number) => return Ok(Value::Number(*number)),
        Kind::Text(text) => return Ok(Value::Text(text)),
        Kind::Property(name) => return Ok(properties.get(name).map_or(Value::Null, Value::Text)),
        Kind::Negate(inner) => return Ok(negate(evaluate(inner, properties)?)),
        Kind::Not(inner) => evaluate(inner, properties)?.truth().map(|truth| !truth),
        Kind::All(parts) => joined(parts, properties, false)?,
        Kind::Any(parts) => joined(parts, properties, true)?,
        Kind::Equal {
            negated,
            left,
            right,
        } => {
            let same = equated(left, right, properties)?;
            same.map(|same| same != *negated)
        }
        Kind::Order {
            relation,
            left,
            right,
        } => {
            let left = evaluate(left, properties)?;
            ordered(*relation, left, right, properties)?
        }
        Kind::IsNull { negated, operand } => {
            let is_null = evaluate(operand, properties)? == Value::Null;
            Some(is_null != *negated)
        }
        Kind::Between {
            negated,
            value,
            low,
            high,
        } => {
            let value = evaluate(value, properties)?;
            between(*negated, value, low, high, properties)?
        }
        Kind::In {
            negated,
            property,
            texts,
        } => match evaluate(property, properties)? {
            Value::Text(text) => Some(texts.iter().any(|one| one == text) != *negated),
            _ => None,
        },
        Kind::Search {
            negated,
            place,
            value,
            wanted,
        } => {
            // Looking for nothing finds nothing, whatever the left side is.
            let found = match wanted.as_str() {
                "" => None,
                wanted => found(*place, evaluate(value, properties)?, wanted),
            };
            Some(found == Some(!negated))
        }
    };
    Ok(Value::from(truth))
}

/// A literal TRUE or FALSE reads the text of a property from either side (P12 c); a computed truth value does not.
fn equated<'a>(
    left: &'a Node,
    right: &'a Node,
    properties: &'a dyn Properties,
) -> Result<Option<bool>, Fault<'a>> {
    let is_literal = matches!(left.kind, Kind::Bool(_));
    match (evaluate(left, properties)?, evaluate(right, properties)?) {
        (truth, text @ Value::Text(_)) if is_literal => equal(text, truth),
        (left, right) => equal(left, right),
    }
}

/// AND with `decisive` FALSE, OR with `decisive` TRUE: the first decisive part ends it, else NULL outweighs the rest.
fn joined<'a>(
    parts: &'a [Node],
    properties: &'a dyn Properties,
    decisive: bool,
) -> Result<Option<bool>, Fault<'a>> {
    let mut outcome = Some(!decisive);
    for part in parts {
        match evaluate(part, properties)?.truth() {
            Some(truth) if truth == decisive => return Ok(Some(decisive)),
            Some(_) => {}
            None => outcome = None,
        }
    }
    Ok(outcome)
}

/// The right side is not looked at when the left one is NULL.
fn ordered<'a>(
    relation: Relation,
    left: Value<'a>,
    right: &'a Node,
    properties: &'a dyn Properties,
) -> Result<Option<bool>, Fault<'a>> {
    if left == Value::Null {
        return Ok(None);
    }
    let ordering = order(left, evaluate(right, properties)?)?;
    Ok(ordering.map(|ordering| holds(relation, ordering)))
}

fn holds(relation: Relation, ordering: Ordering) -> bool {
    match relation {
        Relation::Less => ordering.is_lt(),
        Relation::LessEqual => ordering.is_le(),
        Relation::Greater => ordering.is_gt(),
        Relation::GreaterEqual => ordering.is_ge(),
    }
}

/// BETWEEN is `low <= value AND value <= high`; NOT BETWEEN is `value < low OR value > high`.
fn between<'a>(
    negated: bool,
    value: Value<'a>,
    low: &'a Node,
    high: &'a Node,
    properties: &'a dyn Properties,
) -> Result<Option<bool>, Fault<'a>> {
    let (first, second) = if negated {
        (Relation::Less, Relation::Greater)
    } else {
        (Relation::GreaterEqual, Relation::LessEqual)
    };
    let below = ordered(first, value, low, properties)?;
    if below == Some(negated) {
        return Ok(below);
    }
    let above = ordered(second, value, high, properties)?;
    Ok(match (below, above) {
        (_, Some(decided)) if decided == negated => above,
        (None, _) | (_, None) => None,
        _ => above,
    })
}

/// `None` where there is no text to look into: that is neither found nor not found (P9).
fn found(place: Place, value: Value<'_>, wanted: &str) -> Option<bool> {
    let Value::Text(text) = value else {
        return None;
    };
    Some(match place {
        Place::Anywhere => text.contains(wanted),
        Place::Start => text.starts_with(wanted),
        Place::End => text.ends_with(wanted),
    })
}

/// A minus works on numbers; on the text of a property it gives NULL (row 69).
fn negate(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Number(number) => Value::Number(number.negated()),
        _ => Value::Null,
    }
}
