//! What may stand where: refusals that need the shape of an operand, not only its first token (P3, P8).

use super::super::FilterError;
use super::super::verdict::quoted;
use super::lex::column;
use super::tree::{Kind, Node};
use super::value::Number;

const COMPARE_HINT: &str = "compare it with something, as in `a = 1`";

/// An operand of AND, OR, NOT or the whole expression: a condition, or a bare property.
pub(super) fn condition(text: &str, node: Node) -> Result<Node, FilterError> {
    match node.kind {
        Kind::Number(_) | Kind::Text(_) | Kind::Negate(_) => {
            Err(refused(text, &node, "a condition", Some(COMPARE_HINT)))
        }
        _ => Ok(node),
    }
}

/// An operand of an ordering or a bound of BETWEEN: a number, a property, or either with a sign.
pub(super) fn ordered(text: &str, node: Node) -> Result<Node, FilterError> {
    match node.kind {
        Kind::Number(_) | Kind::Property(_) | Kind::Negate(_) => Ok(node),
        Kind::Text(_) => Err(refused(
            text,
            &node,
            "a number or a property",
            Some("text has no order here: only `=`, `<>`, IN and the CONTAINS family take text"),
        )),
        _ => Err(refused(text, &node, "a number or a property", None)),
    }
}

/// The operands of `=` and `<>`.
pub(super) fn equated(text: &str, left: &Node, right: &Node) -> Result<(), FilterError> {
    for operand in [left, right] {
        if operand.kind == Kind::Null {
            let hint = "write `a IS NULL` or `a IS NOT NULL`";
            return Err(refused(
                text,
                operand,
                "a value to compare with",
                Some(hint),
            ));
        }
    }
    match (&left.kind, &right.kind) {
        (Kind::Bool(_), Kind::Number(_) | Kind::Text(_)) => {
            Err(refused(text, right, "a property or a condition", None))
        }
        _ => Ok(()),
    }
}

/// The bounds of BETWEEN as literals must not be upside down. NOT BETWEEN does not ask (row 54).
pub(super) fn bounds(text: &str, low: &Node, high: &Node) -> Result<(), FilterError> {
    let literal = |node: &Node| match node.kind {
        Kind::Number(number) => Some(number),
        _ => None,
    };
    let (Some(lowest), Some(highest)) = (literal(low), literal(high)) else {
        return Ok(());
    };
    if Number::compare(lowest, highest).is_gt() {
        let expected = "an upper bound that is not below the lower one";
        return Err(refused(text, high, expected, None));
    }
    Ok(())
}

/// IN asks about a property, never about a literal or a condition.
pub(super) fn property(text: &str, node: Node) -> Result<Node, FilterError> {
    match node.kind {
        Kind::Property(_) => Ok(node),
        _ => Err(refused(text, &node, "a property before IN", None)),
    }
}

fn refused(
    text: &str,
    node: &Node,
    expected: &'static str,
    hint: Option<&'static str>,
) -> FilterError {
    FilterError::Unexpected {
        column: column(text, node.span.start),
        expected,
        found: quoted(text.get(node.span.clone()).unwrap_or_default()),
        hint,
    }
}
